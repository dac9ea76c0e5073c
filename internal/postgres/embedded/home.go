package embedded

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// home is the absolute path of the folder that a cluster lives in.
type home string

func (h home) cluster() string    { return filepath.Join(string(h), "cluster") }
func (h home) usersLock() string  { return filepath.Join(string(h), "users.lock") }
func (h home) keeperLock() string { return filepath.Join(string(h), "keeper.lock") }
func (h home) keepMark() string   { return filepath.Join(string(h), "keep") }
func (h home) log() string        { return filepath.Join(string(h), "postgres.log") }

// major returns the major version of the cluster, and "" if there is none.
func (h home) major() (string, error) {
	if !exists(h.cluster()) {
		return "", nil
	}
	version, err := os.ReadFile(filepath.Join(h.cluster(), "PG_VERSION"))
	if err != nil {
		return "", fmt.Errorf("%s is no PostgreSQL cluster: %w", h.cluster(), err)
	}
	return strings.TrimSpace(string(version)), nil
}

// hash is a short name for the folder, for what must live elsewhere.
func (h home) hash() string {
	sum := sha256.Sum256([]byte(h))
	return hex.EncodeToString(sum[:6])
}

// sockets is the folder of the server's socket, under os.TempDir or, where that
// is of no use, /tmp. It is named by user so that nobody meets another's.
func (h home) sockets(as owner) string {
	parent := os.TempDir()
	if obstacle, err := as.obstacle(parent); err != nil || obstacle != "" || len(parent) > maxSocketParent {
		parent = "/tmp"
	}
	return filepath.Join(parent, "regulars-"+strconv.Itoa(as.uid)+"-"+h.hash())
}

// maxSocketParent leaves room for the rest of a socket's path, which may have
// 103 bytes on macOS.
const maxSocketParent = 56

// rootFolder is where root keeps what the server's user must get to and cannot
// elsewhere.
const rootFolder = "/var/lib/regulars"

// homeOf makes the folder of the cluster for dir: dir itself, or one under
// /var/lib if the server's user cannot get there. Where a cluster already is,
// it stays, so that data never seems to vanish.
func homeOf(dir string, as owner) (home, error) {
	absolute, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(absolute, 0o755); err != nil {
		return "", err
	}
	if absolute, err = filepath.EvalSymlinks(absolute); err != nil {
		return "", err
	}
	here := home(absolute)
	if !as.dropped {
		return here, nil
	}
	obstacle, err := as.obstacle(absolute)
	if err != nil {
		return "", err
	}
	elsewhere := home(filepath.Join(rootFolder, here.hash()))
	switch {
	case exists(elsewhere.cluster()):
		return elsewhere, nil
	case obstacle == "":
		return here, nil
	case exists(here.cluster()):
		return "", fmt.Errorf("there is a cluster in %s, but the user %s, who runs it, may not enter %s", here, as.name, obstacle)
	}
	slog.Info("the database lives elsewhere: its user may not enter the data folder",
		"user", as.name, "may_not_enter", obstacle, "folder", string(elsewhere))
	return elsewhere, errors.Join(makeReachable(rootFolder), makeReachable(string(elsewhere)))
}

// makeReachable makes a folder that everybody may enter, whatever the umask.
func makeReachable(folder string) error {
	return errors.Join(os.MkdirAll(folder, 0o755), os.Chmod(folder, 0o755))
}

// makeSockets makes the folder of the socket and refuses one that somebody else
// has put in its place.
func (h home) makeSockets(as owner) (string, error) {
	folder := h.sockets(as)
	if err := os.Mkdir(folder, 0o700); err == nil {
		return folder, as.give(folder)
	} else if !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	info, err := os.Lstat(folder)
	if err != nil {
		return "", err
	}
	system, ok := info.Sys().(*syscall.Stat_t)
	if !ok || !info.IsDir() || int(system.Uid) != as.uid || info.Mode().Perm() != 0o700 {
		return "", fmt.Errorf("%s is not a folder of mode 0700 of the user %s: remove it", folder, as.name)
	}
	return folder, nil
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

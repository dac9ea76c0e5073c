package embedded

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
)

// owner is the system user that PostgreSQL runs as.
type owner struct {
	name     string
	uid, gid int
	// dropped: we are root and the owner is somebody else.
	dropped bool
}

// serverOwner returns who runs PostgreSQL: we, or if we are root a user without
// rights that /etc/passwd knows, since initdb looks up its name.
func serverOwner() (owner, error) {
	if os.Geteuid() != 0 {
		return owner{name: strconv.Itoa(os.Geteuid()), uid: os.Geteuid(), gid: os.Getegid()}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		found, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, err := strconv.Atoi(found.Uid)
		if err != nil {
			continue
		}
		gid, err := strconv.Atoi(found.Gid)
		if err != nil {
			continue
		}
		return owner{name: name, uid: uid, gid: gid, dropped: true}, nil
	}
	return owner{}, fmt.Errorf("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")
}

// give makes the owner the owner of path.
func (o owner) give(path string) error {
	if !o.dropped {
		return nil
	}
	return os.Chown(path, o.uid, o.gid)
}

// drop makes command run as the owner, in folder, and with an environment that
// has nothing of ours that could lead PostgreSQL astray.
func (o owner) drop(command *exec.Cmd, folder string) {
	command.Dir = folder
	command.Env = []string{"HOME=" + folder, "LC_ALL=C", "TZ=UTC", "PATH=" + os.Getenv("PATH")}
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	if o.dropped {
		command.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(o.uid), Gid: uint32(o.gid)}
	}
}

// obstacle returns the first folder on the way to path, path included, that the
// owner may not enter, and "" if there is none.
func (o owner) obstacle(path string) (string, error) {
	if parent := filepath.Dir(path); parent != path {
		if found, err := o.obstacle(parent); found != "" || err != nil {
			return found, err
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	system, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "", fmt.Errorf("%s: its owner is not known", path)
	}
	enter := os.FileMode(0o001)
	switch {
	case int(system.Uid) == o.uid:
		enter = 0o100
	case int(system.Gid) == o.gid:
		enter = 0o010
	}
	if info.Mode().Perm()&enter == 0 {
		return path, nil
	}
	return "", nil
}

package embedded

import (
	"context"
	"errors"
	"os"
	"syscall"
)

const (
	shared    = syscall.LOCK_SH
	exclusive = syscall.LOCK_EX
)

// tryLock locks the file at path or fails with syscall.EWOULDBLOCK. Closing the
// file, or the end of the process, unlocks it.
func tryLock(path string, kind int) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), kind|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

// awaitLock locks the file at path, waiting as long as ctx allows.
func awaitLock(ctx context.Context, path string, kind int) (*os.File, error) {
	for {
		file, err := tryLock(path, kind)
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return file, err
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}

// locked tells whether another open file holds the exclusive lock of path.
func locked(path string) bool {
	file, err := tryLock(path, shared)
	if err == nil {
		file.Close()
	}
	return errors.Is(err, syscall.EWOULDBLOCK)
}

// blockingLock waits for the exclusive lock of path as long as it takes.
func blockingLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(file.Fd()), exclusive)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// init takes the process over if it was started to be a keeper.
func init() {
	if text, ok := os.LookupEnv(keeperVariable); ok {
		os.Exit(keep(text))
	}
}

// keep is the keeper's life. It returns the exit code.
func keep(text string) int {
	// PostgreSQL must not inherit the pipe: who reads it waits for its end.
	syscall.CloseOnExec(3)
	reporter := os.NewFile(3, "reporter")
	var given order
	if err := json.Unmarshal([]byte(text), &given); err != nil {
		fmt.Fprintf(reporter, "keeper: %v", err)
		return 1
	}
	stopping := make(chan os.Signal, 1)
	signal.Notify(stopping, syscall.SIGTERM, syscall.SIGINT)
	signal.Ignore(syscall.SIGHUP)

	lock, err := tryLock(given.Folder.keeperLock(), exclusive)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		fmt.Fprint(reporter, keeperNotNeeded)
		return 0
	}
	if err != nil {
		fmt.Fprintf(reporter, "keeper: %v", err)
		return 1
	}
	defer lock.Close()

	k := &keeper{order: given}
	if err := k.prepare(); err != nil {
		fmt.Fprint(reporter, err)
		return 1
	}
	fmt.Fprint(reporter, keeperReady)
	reporter.Close()
	k.watch(stopping)
	runtime.KeepAlive(k.users)
	return 0
}

// keeper runs the server of one folder.
type keeper struct {
	order
	owner  owner
	server *server
	// users is the exclusive lock that says that nobody is left.
	users *os.File
}

// prepare makes the cluster if need be and starts the server.
func (k *keeper) prepare() error {
	if err := stopOrphan(k.Folder.cluster()); err != nil {
		return err
	}
	if k.Options.Throwaway {
		if err := k.remove(); err != nil {
			return err
		}
	}
	var err error
	if k.owner, err = serverOwner(); err != nil {
		return err
	}
	if !exists(k.Folder.cluster()) {
		if err := initialize(k.Folder, k.Binaries, k.owner); err != nil {
			return err
		}
	}
	// After a kill the memory of the server before may still be in use.
	for try := range 5 {
		if err = k.start(); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond << try)
	}
	if err != nil {
		return err
	}
	return createDatabase(k.Folder.sockets(k.owner))
}

func (k *keeper) start() error {
	started, err := start(k.Folder, k.Binaries, k.owner, k.Options.Throwaway)
	if err == nil {
		k.server = started
	}
	return err
}

// watch keeps the server running while it has users, then stops it.
func (k *keeper) watch(stopping <-chan os.Signal) {
	abandoned := make(chan error, 1)
	go func() { abandoned <- k.awaitAbandoned() }()
	delay := 100 * time.Millisecond
	for {
		select {
		case <-k.server.ended:
			fmt.Fprintln(os.Stderr, "keeper: starting PostgreSQL again")
			if err := k.start(); err == nil {
				delay = 100 * time.Millisecond
				continue
			}
			time.Sleep(delay)
			delay = min(2*delay, 5*time.Second)
		case err := <-abandoned:
			if err != nil {
				fmt.Fprintln(os.Stderr, "keeper: cannot tell whether there are users:", err)
			}
			k.stop()
			return
		case <-stopping:
			k.stop()
			return
		}
	}
}

// stop stops the server and leaves nothing behind that is of no more use.
func (k *keeper) stop() {
	k.server.stop(k.Options.Throwaway)
	err := os.Remove(k.Folder.sockets(k.owner))
	if k.Options.Throwaway {
		err = errors.Join(err, k.remove(), os.Remove(k.Folder.log()))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "keeper:", err)
	}
}

// awaitAbandoned returns when nobody uses the cluster and, since it keeps the
// exclusive lock until the keeper ends, nobody can start to.
func (k *keeper) awaitAbandoned() error {
	for {
		lock, err := blockingLock(k.Folder.usersLock())
		if err != nil {
			return err
		}
		linger := k.Options.Linger
		if k.Options.Throwaway && exists(k.Folder.keepMark()) {
			linger = 30 * time.Minute
		}
		if linger == 0 {
			k.users = lock
			return nil
		}
		lock.Close()
		time.Sleep(linger)
		lock, err = tryLock(k.Folder.usersLock(), exclusive)
		if err == nil {
			k.users = lock
			return nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
	}
}

// remove removes what a throw-away cluster has left, but not the locks: another
// user may be waiting for them.
func (k *keeper) remove() error {
	return errors.Join(os.RemoveAll(k.Folder.cluster()), os.RemoveAll(k.Folder.keepMark()))
}

// answersIn tells whether a server answers where the cluster's postmaster.pid
// says that it listens.
func answersIn(cluster string) bool {
	sockets, err := socketFolderInUse(cluster)
	return err == nil && answers(context.Background(), dataSourceOf(sockets, "postgres")) == nil
}

// stopOrphan stops the server of a keeper that was killed. Where the kernel does
// that too, it waits for it.
func stopOrphan(cluster string) error {
	file := filepath.Join(cluster, "postmaster.pid")
	content, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(content), "\n")
	id, err := strconv.Atoi(first)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if !answersIn(cluster) {
		// The file was left by a killed server, and the process of that number
		// may be anybody's. PostgreSQL sorts it out.
		return nil
	}
	if err := syscall.Kill(id, syscall.SIGINT); err != nil {
		return fmt.Errorf("stop the server without a keeper: %w", err)
	}
	deadline := time.After(30 * time.Second)
	for exists(file) {
		select {
		case <-deadline:
			return fmt.Errorf("the server without a keeper, process %d, does not stop", id)
		case <-time.After(poll):
		}
	}
	return nil
}

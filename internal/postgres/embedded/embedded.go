package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Options says how a cluster is run. Users of one folder give the same.
type Options struct {
	// Throwaway is for tests: nothing is synced to disk, the cluster starts
	// empty, and it is removed when the last user has left.
	Throwaway bool
	// Linger is how long the server waits for another user after the last one
	// has left. A second package's tests find the cluster of the first.
	Linger time.Duration
}

// Cluster is a running server that this process uses.
type Cluster struct {
	folder     home
	users      *os.File
	dataSource string
	leave      sync.Once
}

// poll is how often a state that nobody announces is looked at.
const poll = 10 * time.Millisecond

// Open makes sure that the cluster of the folder dir runs, making it first if
// there is none, and registers this process as its user. It waits for a server
// that is starting, recovering or stopping until ctx ends.
//
// PostgreSQL refuses to run as root. Root's clusters run as the user postgres,
// else nobody; if that user cannot get to dir, the cluster lives in
// /var/lib/regulars/<hash of dir> instead, and a line in the log says so.
//
// Where PostgreSQL is not installed in the cluster's major version, Open fetches
// its programs with npm. A cluster whose version cannot be had is refused and
// left as it is. A throw-away cluster is of the version that a new one would be
// of: Open waits for the end of one that is not.
func Open(ctx context.Context, dir string, options Options) (*Cluster, error) {
	owner, err := serverOwner()
	if err != nil {
		return nil, err
	}
	folder, err := homeOf(dir, owner)
	if err != nil {
		return nil, err
	}
	for {
		cluster, err := join(ctx, folder, options)
		if err != nil {
			return nil, err
		}
		if !options.Throwaway {
			return cluster, nil
		}
		other, err := cluster.otherVersion(ctx)
		if err != nil {
			return nil, errors.Join(err, cluster.users.Close())
		}
		if other == "" {
			return cluster, nil
		}
		if err := cluster.users.Close(); err != nil {
			return nil, err
		}
		for locked(folder.keeperLock()) {
			if err := pause(ctx); err != nil {
				return nil, fmt.Errorf("PostgreSQL %s, another version than would be started, still runs in %s: %w", other, folder, err)
			}
		}
	}
}

func join(ctx context.Context, folder home, options Options) (*Cluster, error) {
	users, err := awaitLock(ctx, folder.usersLock(), shared)
	if err != nil {
		return nil, fmt.Errorf("join the cluster in %s: %w", folder, err)
	}
	// From here on no keeper stops the server.
	dataSource, err := ensureServer(ctx, folder, options)
	if err != nil {
		users.Close()
		return nil, fmt.Errorf("start PostgreSQL in %s: %w", folder, err)
	}
	return &Cluster{folder: folder, users: users, dataSource: dataSource}, nil
}

// otherVersion returns the cluster's major version if a new cluster would be of
// another, else "".
func (c *Cluster) otherVersion(ctx context.Context) (string, error) {
	usual, err := findBinaries(ctx, "")
	if err != nil {
		return "", err
	}
	major, err := c.folder.major()
	if err != nil || major == usual.Major {
		return "", err
	}
	return major, nil
}

// DataSource returns how lib/pq reaches the database "regulars" of the cluster.
func (c *Cluster) DataSource() string { return c.dataSource }

// Keep asks that a throw-away cluster be kept for half an hour after its last
// user has left, so that somebody can look into it.
func (c *Cluster) Keep() error {
	return os.WriteFile(c.folder.keepMark(), nil, 0o644)
}

// Close leaves the cluster. The last one out has the server stopped, and waits
// for that up to ten seconds. Connections are closed before, or they break.
func (c *Cluster) Close() error {
	var err error
	c.leave.Do(func() {
		err = c.users.Close()
		c.awaitStop()
	})
	return err
}

// awaitStop returns when the keeper has gone, or when it has had the time to
// stop and has not: others use the server, or it lingers.
func (c *Cluster) awaitStop() {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	for idle := 0; idle < 10 && locked(c.folder.keeperLock()); {
		if !locked(c.folder.usersLock()) {
			idle++
		}
		if pause(ctx) != nil {
			return
		}
	}
}

// ensureServer returns the data source of a server that answers, and starts a
// keeper if there is none.
func ensureServer(ctx context.Context, folder home, options Options) (string, error) {
	var refused error
	for {
		switch {
		case !locked(folder.keeperLock()):
			if err := startKeeper(ctx, folder, options); err != nil {
				return "", err
			}
		default:
			sockets, err := socketFolderInUse(folder.cluster())
			if err == nil {
				dataSource := dataSourceOf(sockets, databaseName)
				if refused = answers(ctx, dataSource); refused == nil {
					return dataSource, nil
				}
			}
		}
		if err := pause(ctx); err != nil {
			return "", errors.Join(err, refused)
		}
	}
}

// socketFolderInUse reads from postmaster.pid where the server listens. The file
// alone does not prove that the server lives.
func socketFolderInUse(cluster string) (string, error) {
	content, err := os.ReadFile(filepath.Join(cluster, "postmaster.pid"))
	if err != nil {
		return "", err
	}
	lines := strings.Split(string(content), "\n")
	if len(lines) < 5 || lines[4] == "" {
		return "", errors.New("postmaster.pid is not complete yet")
	}
	return lines[4], nil
}

// pause waits until it is time to look again, less if ctx ends.
func pause(ctx context.Context) error {
	timer := time.NewTimer(poll)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

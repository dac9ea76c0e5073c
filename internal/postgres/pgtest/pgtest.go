// Package pgtest gives each test a PostgreSQL database of its own in some 20
// milliseconds: a clone of a template that is migrated once for all packages,
// on a throw-away cluster that they share and that ends with them.
//
// PostgreSQL 15 or later must be installed; a test fails where it is not.
package pgtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/postgres/embedded"
)

// New returns a migrated and otherwise empty database for one test, with the
// real clock. It is closed and dropped when the test ends; that of a failed test
// is kept for half an hour, and the log says how to reach it.
func New(t testing.TB) *postgres.DB {
	t.Helper()
	return NewAt(t, nil)
}

// NewAt is [New] with the clock of the test.
func NewAt(t testing.TB, now func() time.Time) *postgres.DB {
	t.Helper()
	template, err := migratedTemplate()
	if err != nil {
		t.Fatalf("pgtest: migrate the template: %v", err)
	}
	db, err := postgres.Open(t.Context(), clone(t, template), postgres.Options{Now: now, MaxConnections: 8})
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// DataSource returns the data source of an empty database, without migrations,
// for a test that starts the whole program. It is dropped like that of [New].
func DataSource(t testing.TB) string {
	t.Helper()
	return clone(t, "template1")
}

// server is the cluster as this process uses it. It is left by ending the
// process, so that the last test's clean-up still finds it.
type server struct {
	cluster *embedded.Cluster
	admin   *postgres.DB
}

var running = sync.OnceValues(func() (*server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cluster, err := embedded.Open(ctx, folder(), embedded.Options{Throwaway: true, Linger: 10 * time.Second})
	if err != nil {
		return nil, err
	}
	admin, err := postgres.Open(ctx, cluster.DataSource(), postgres.Options{MaxConnections: 4})
	if err != nil {
		return nil, err
	}
	return &server{cluster: cluster, admin: admin}, nil
})

// folder is in memory if there is room, since a test database is all writing.
// It is the same for all checkouts of a user: templates go by their content.
func folder() string {
	const room = 1 << 30
	parent := os.TempDir()
	var memory syscall.Statfs_t
	if err := syscall.Statfs("/dev/shm", &memory); err == nil && memory.Bavail*uint64(memory.Bsize) >= room {
		parent = "/dev/shm"
	}
	name := "regulars-test-" + strconv.Itoa(os.Getuid())
	// Tests on other versions of PostgreSQL run beside these.
	if programs := os.Getenv("PGBIN"); programs != "" {
		name += strings.NewReplacer("/", "-", ":", "-").Replace("-" + programs)
	}
	return filepath.Join(parent, name)
}

// migratedTemplate returns the name of a database with this program's
// migrations, making it if no other test binary has.
var migratedTemplate = sync.OnceValues(func() (string, error) {
	fingerprint, err := postgres.Fingerprint()
	if err != nil {
		return "", err
	}
	server, err := running()
	if err != nil {
		return "", err
	}
	name := "template_" + fingerprint[:16]
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	return name, server.admin.InTx(ctx, func(tx *postgres.Tx) error {
		// CREATE DATABASE cannot run in a transaction: this one only holds the
		// lock while another connection works.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended($1, 0))`, name); err != nil {
			return err
		}
		var there bool
		if err := tx.Get(ctx, &there, `select exists (select from pg_database where datname = $1)`, name); err != nil || there {
			return err
		}
		return server.makeTemplate(ctx, name)
	})
})

// makeTemplate gives the template its name when it is finished, so that a killed
// test leaves none that is not.
func (s *server) makeTemplate(ctx context.Context, name string) error {
	unfinished := name + "_unfinished"
	for _, statement := range []string{
		`drop database if exists ` + unfinished + ` with (force)`,
		`create database ` + unfinished + ` strategy file_copy`,
	} {
		if _, err := s.admin.Exec(ctx, statement); err != nil {
			return err
		}
	}
	db, err := postgres.Open(ctx, s.dataSource(unfinished), postgres.Options{MaxConnections: 2})
	if err != nil {
		return err
	}
	_, err = db.Migrate(ctx)
	db.Close()
	if err != nil {
		return err
	}
	_, err = s.admin.Exec(ctx, `alter database `+unfinished+` rename to `+name)
	return err
}

func (s *server) dataSource(database string) string {
	// The last of two equal keys counts.
	return s.cluster.DataSource() + " dbname=" + database
}

// maxKept bounds the databases of failed tests that a test binary leaves: they
// are in memory, and when everything fails a few tell enough.
const maxKept = 20

var kept atomic.Int32

// clone makes a database from a template for one test and returns its data
// source.
func clone(t testing.TB, template string) string {
	t.Helper()
	server, err := running()
	if err != nil {
		t.Fatalf("pgtest: %v", err)
	}
	name := fmt.Sprintf("test_%x", randomBytes())
	if _, err := server.admin.Exec(t.Context(), `create database `+name+` template `+template+` strategy file_copy`); err != nil {
		t.Fatalf("pgtest: clone %s: %v", template, err)
	}
	t.Cleanup(func() {
		if t.Failed() && kept.Add(1) <= maxKept {
			t.Logf("pgtest: the database is kept for half an hour: %s", server.dataSource(name))
			if err := server.cluster.Keep(); err != nil {
				t.Logf("pgtest: keep the cluster: %v", err)
			}
			return
		}
		// The test's context has ended by now.
		if _, err := server.admin.Exec(context.Background(), `drop database `+name+` with (force)`); err != nil {
			t.Errorf("pgtest: drop %s: %v", name, err)
		}
	})
	return server.dataSource(name)
}

func randomBytes() []byte {
	bytes := make([]byte, 8)
	rand.Read(bytes)
	return bytes
}

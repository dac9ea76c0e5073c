package postgres_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

// open returns an empty database with a pool of its own size.
func open(t *testing.T, connections int) *postgres.DB {
	t.Helper()
	return openAt(t, pgtest.DataSource(t), connections)
}

func openAt(t *testing.T, dataSource string, connections int) *postgres.DB {
	t.Helper()
	db, err := postgres.Open(t.Context(), dataSource, postgres.Options{MaxConnections: connections})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// run executes statements that must succeed.
func run(t *testing.T, on postgres.Runner, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := on.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// number reads a single number.
func number(t *testing.T, on postgres.Runner, query string, args ...any) int {
	t.Helper()
	var result int
	if err := on.Get(t.Context(), &result, query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return result
}

// eventually waits until the query answers true.
func eventually(t *testing.T, on postgres.Runner, query string, args ...any) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		var done bool
		if err := on.Get(ctx, &done, query, args...); err != nil {
			t.Fatalf("waiting for %s: %v", query, err)
		}
		if done {
			return
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()

	t.Run("Session", func(t *testing.T) {
		t.Parallel()
		db := open(t, 0)
		var session struct {
			Zone string `db:"zone"`
			Name string `db:"name"`
		}
		err := db.Get(t.Context(), &session,
			`select current_setting('timezone') as zone, current_setting('application_name') as name`)
		if err != nil {
			t.Fatal(err)
		}
		if session.Zone != "UTC" || session.Name != "regulars" {
			t.Errorf("the session is %+v", session)
		}
	})

	t.Run("Unreachable", func(t *testing.T) {
		t.Parallel()
		_, err := postgres.Open(t.Context(), "host="+t.TempDir()+" sslmode=disable", postgres.Options{})
		if err == nil {
			t.Fatal("opened a database that is not there")
		}
	})

	t.Run("Malformed", func(t *testing.T) {
		t.Parallel()
		_, err := postgres.Open(t.Context(), "postgres://regulars:sekret@localhost/%zz", postgres.Options{})
		if !errors.Is(err, postgres.ErrDataSource) || strings.Contains(err.Error(), "sekret") {
			t.Fatalf("a data source that is none: %v", err)
		}
	})

	t.Run("Encoding", func(t *testing.T) {
		t.Parallel()
		db := open(t, 0)
		var name, socket string
		if err := db.Get(t.Context(), &name, `select current_database() || '_latin'`); err != nil {
			t.Fatal(err)
		}
		if err := db.Get(t.Context(), &socket, `show unix_socket_directories`); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec(t.Context(), "create database "+name+" template template0 encoding 'LATIN1' locale 'C'"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if _, err := db.Exec(context.Background(), "drop database "+name); err != nil {
				t.Error(err)
			}
		})
		if _, err := postgres.Open(t.Context(), "host="+socket+" user=regulars sslmode=disable dbname="+name, postgres.Options{}); !errors.Is(err, postgres.ErrEncoding) {
			t.Fatalf("a database of LATIN1: %v", err)
		}
	})
}

func TestWithClock(t *testing.T) {
	t.Parallel()
	db := open(t, 2)
	want := time.Date(2024, 2, 29, 23, 30, 0, 123_456_789, time.FixedZone("", -3600))
	err := db.WithClock(func() time.Time { return want }).InTx(t.Context(), func(tx *postgres.Tx) error {
		if cut := time.Date(2024, 3, 1, 0, 30, 0, 123_456_000, time.UTC); tx.Now != cut {
			t.Errorf("Tx.Now is %v, want %v", tx.Now, cut)
		}
		var back time.Time
		if err := tx.Get(t.Context(), &back, `select $1::timestamptz`, tx.Now); err != nil {
			return err
		}
		if !back.Equal(tx.Now) {
			t.Errorf("Tx.Now reads back as %v, want %v", back, tx.Now)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDB_Apart(t *testing.T) {
	t.Parallel()
	db := open(t, 1)
	apart := db.Apart(1)
	t.Cleanup(func() { apart.Close() })
	if err := db.InTx(t.Context(), func(*postgres.Tx) error { return apart.Ping(t.Context()) }); err != nil {
		t.Errorf("while the only connection is taken: %v", err)
	}
	if first, second := number(t, db, "select oid::int from pg_database where datname = current_database()"),
		number(t, apart, "select oid::int from pg_database where datname = current_database()"); first != second {
		t.Errorf("the databases are %d and %d", first, second)
	}
	if err := apart.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Ping(t.Context()); err != nil {
		t.Errorf("closing one closes the other: %v", err)
	}
}

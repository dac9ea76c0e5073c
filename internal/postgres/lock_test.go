package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

func TestTryLock(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	take := func(name string) *postgres.Lock {
		t.Helper()
		lock, err := db.TryLock(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return lock
	}
	first := take("a")
	if first == nil || take("a") != nil {
		t.Fatal("a free lock is refused, or one that is held is given")
	}
	if err := first.Alive(t.Context()); err != nil {
		t.Error(err)
	}
	other := take("b")
	if other == nil {
		t.Fatal("another lock is refused")
	}
	other.Release(t.Context())
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := first.Alive(ended); err != nil || take("a") != nil {
		t.Errorf("the end of a context takes the lock: %v", err)
	}
	first.Release(ended)
	again := take("a")
	if again == nil {
		t.Fatal("a lock that was given back is refused")
	}

	// The server frees it with the connection, and its holder learns that.
	if _, err := db.Exec(t.Context(), `
		select pg_terminate_backend(pid) from pg_locks
		where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; {
		if next := take("a"); next != nil {
			next.Release(t.Context())
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the lock is never free")
		}
	}
	if err := again.Alive(t.Context()); err == nil {
		t.Error("a lock whose connection is gone says that it is there")
	}
	again.Release(t.Context())
}

func TestFenced(t *testing.T) {
	t.Parallel()
	db := pgtest.New(t)
	closed := errors.New("closed")
	open, asked := true, 0
	fenced := db.Fenced(func(_ context.Context, tx *postgres.Tx) error {
		asked++
		if _, err := tx.Exec(t.Context(), `create table if not exists asked ()`); err != nil || open {
			return err
		}
		return closed
	})
	ran := 0
	work := func(*postgres.Tx) error { ran++; return nil }
	if err := fenced.InTx(t.Context(), work); err != nil || asked != 1 || ran != 1 {
		t.Errorf("open: %v, asked %d times, ran %d times", err, asked, ran)
	}
	if err := fenced.InSnapshot(t.Context(), work); err != nil || asked != 1 || ran != 2 {
		t.Errorf("a snapshot: %v, asked %d times, ran %d times", err, asked, ran)
	}
	open = false
	if err := fenced.WithClock(time.Now).InTx(t.Context(), work); !errors.Is(err, closed) || asked != 2 || ran != 2 {
		t.Errorf("closed: %v, asked %d times, ran %d times", err, asked, ran)
	}
	if err := db.InTx(t.Context(), work); err != nil || asked != 2 || ran != 3 {
		t.Errorf("the database itself: %v, asked %d times, ran %d times", err, asked, ran)
	}
}

package postgres_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/lib/pq"

	"regulars/internal/postgres"
)

func TestInTx(t *testing.T) {
	t.Parallel()

	setup := func(t *testing.T) *postgres.DB {
		db := open(t, 4)
		run(t, db, `create table counters (id int primary key, n int not null)`, `insert into counters values (1, 0), (2, 0)`)
		return db
	}
	increment := `update counters set n = n + 1 where id = $1`
	sum := `select sum(n) from counters`

	t.Run("Commit", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			affected, err := tx.Exec(t.Context(), increment, 1)
			if affected != 1 {
				t.Errorf("affected %d rows, want 1", affected)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := number(t, db, sum); got != 1 {
			t.Errorf("the sum is %d, want 1", got)
		}
	})

	t.Run("Error", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		want := errors.New("no")
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			run(t, tx, `update counters set n = 9`)
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("the error is %v, want %v", err, want)
		}
		if got := number(t, db, sum); got != 0 {
			t.Errorf("the sum is %d, want 0", got)
		}
	})

	t.Run("Panic", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		func() {
			defer func() {
				if got := recover(); got != "no" {
					t.Errorf("recovered %v, want no", got)
				}
			}()
			_ = db.InTx(t.Context(), func(tx *postgres.Tx) error {
				run(t, tx, `update counters set n = 9`)
				panic("no")
			})
		}()
		if got := number(t, db, sum); got != 0 {
			t.Errorf("the sum is %d, want 0", got)
		}
		// The locks are gone too.
		run(t, db, `update counters set n = 1`)
	})

	t.Run("ContextEnded", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		ctx, cancel := context.WithCancel(t.Context())
		err := db.InTx(ctx, func(tx *postgres.Tx) error {
			run(t, tx, `update counters set n = 9`)
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v, want context.Canceled", err)
		}
		// It is rolled back already, without waiting.
		run(t, db, `set lock_timeout = '1ms'; update counters set n = n + 1`)
		if got := number(t, db, sum); got != 2 {
			t.Errorf("the sum is %d, want 2", got)
		}
	})

	t.Run("ContextEndedBefore", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := db.InTx(ctx, func(*postgres.Tx) error {
			t.Error("worked")
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v, want context.Canceled", err)
		}
	})

	t.Run("Deadlock", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		var attempts atomic.Int32
		var bothHoldOne sync.WaitGroup
		bothHoldOne.Add(2)
		cross := func(first, second int) error {
			tried := false
			return db.InTx(t.Context(), func(tx *postgres.Tx) error {
				attempts.Add(1)
				run(t, tx, `set local deadlock_timeout = '10ms'`)
				if _, err := tx.Exec(t.Context(), increment, first); err != nil {
					return err
				}
				if !tried {
					tried = true
					bothHoldOne.Done()
					bothHoldOne.Wait()
				}
				_, err := tx.Exec(t.Context(), increment, second)
				return err
			})
		}
		other := make(chan error)
		go func() { other <- cross(2, 1) }()
		if err := errors.Join(cross(1, 2), <-other); err != nil {
			t.Fatal(err)
		}
		if attempts.Load() < 3 {
			t.Errorf("%d attempts: there was no deadlock", attempts.Load())
		}
		if got := number(t, db, sum); got != 4 {
			t.Errorf("the sum is %d, want 4", got)
		}
	})

	t.Run("GivesUp", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		attempts := 0
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			attempts++
			_, err := tx.Exec(t.Context(), `do $$ begin raise exception 'again' using errcode = '40001'; end $$`)
			return err
		})
		if failure, ok := errors.AsType[*pq.Error](err); !ok || failure.Code != "40001" {
			t.Errorf("the error is %v, want 40001", err)
		}
		if attempts != 4 {
			t.Errorf("%d attempts, want 4", attempts)
		}
	})

	t.Run("FailedTransaction", func(t *testing.T) {
		t.Parallel()
		db := setup(t)
		err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			// Swallowing the error does not save the transaction.
			_, _ = tx.Exec(t.Context(), `insert into counters values (1, 0)`)
			return nil
		})
		if err == nil || !strings.HasPrefix(err.Error(), "commit: ") {
			t.Errorf("the error is %v, want one of the commit", err)
		}
	})
}

func TestInSnapshot(t *testing.T) {
	t.Parallel()
	db := open(t, 4)
	run(t, db, `create table facts (id int)`)
	count := `select count(*) from facts`

	err := db.InSnapshot(t.Context(), func(tx *postgres.Tx) error {
		before := number(t, tx, count)
		run(t, db, `insert into facts values (1)`)
		if after := number(t, tx, count); after != before {
			t.Errorf("the snapshot changed from %d to %d", before, after)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}

	err = db.InSnapshot(t.Context(), func(tx *postgres.Tx) error {
		_, err := tx.Exec(t.Context(), `insert into facts values (2)`)
		return err
	})
	if failure, ok := errors.AsType[*pq.Error](err); !ok || failure.Code != "25006" {
		t.Errorf("a write in a snapshot: %v, want 25006", err)
	}
}

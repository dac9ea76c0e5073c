package outbox_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
)

// turns stands for the accounts: a row that is locked, with the number of the member's last notice.
func makeTurns(t *testing.T, db *postgres.DB, members ...id.Member) {
	t.Helper()
	if _, err := db.Exec(t.Context(), `create table turns (member_id uuid primary key, number bigint not null)`); err != nil {
		t.Fatal(err)
	}
	for _, member := range members {
		if _, err := db.Exec(t.Context(), `insert into turns values ($1, 0)`, member); err != nil {
			t.Fatal(err)
		}
	}
}

// begin gives the transaction its number, as a first write does.
func begin(ctx context.Context, tx *postgres.Tx) (int64, error) {
	var number int64
	err := tx.Get(ctx, &number, `select pg_current_xact_id()::text::bigint`)
	return number, err
}

// take locks the member and puts its next notice.
func take(ctx context.Context, tx *postgres.Tx, member id.Member) error {
	var number int64
	if err := tx.Get(ctx, &number, `select number from turns where member_id = $1 for update`, member); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `update turns set number = number + 1 where member_id = $1`, member); err != nil {
		return err
	}
	return outbox.PutTx(ctx, tx, []outbox.Notice{numbered(member, number+1)})
}

// awaitBlocked returns when so many sessions of the test wait for a lock.
func awaitBlocked(ctx context.Context, db *postgres.DB, want int) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	for blocked := 0; blocked < want; {
		if err := db.Get(ctx, &blocked, `
			select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
			return fmt.Errorf("nobody waits for the member: %w", err)
		}
	}
	return nil
}

// The transaction that has the lower number gets the member second, and one between them stays open: it holds both back, and
// then they are read as the member's lock had it. See the package's comment.
func TestOrder_LowerTransactionSecond(t *testing.T) {
	t.Parallel()
	db := newDatabase(t)
	member := id.New[id.Member]()
	makeTurns(t, db, member)
	type steps struct {
		number int64
		lock   chan struct{}
		ended  chan error
	}
	// start opens a transaction, gives it its number, and waits to be told to go on with work.
	start := func(work func(ctx context.Context, tx *postgres.Tx) error) *steps {
		made := &steps{lock: make(chan struct{}), ended: make(chan error, 1)}
		numbered := make(chan int64)
		go func() {
			made.ended <- db.InTx(t.Context(), func(tx *postgres.Tx) error {
				number, err := begin(t.Context(), tx)
				numbered <- number
				if err != nil {
					return err
				}
				<-made.lock
				return work(t.Context(), tx)
			})
		}()
		made.number = <-numbered
		return made
	}
	end := func(which *steps) {
		t.Helper()
		if err := <-which.ended; err != nil {
			t.Fatal(err)
		}
	}
	second := start(func(ctx context.Context, tx *postgres.Tx) error { return take(ctx, tx, member) })
	between := start(func(ctx context.Context, tx *postgres.Tx) error {
		return outbox.PutTx(ctx, tx, []outbox.Notice{numbered(id.Member{}, 99)})
	})
	first := start(func(ctx context.Context, tx *postgres.Tx) error {
		if err := take(ctx, tx, member); err != nil {
			return err
		}
		close(second.lock)
		return awaitBlocked(ctx, db, 1)
	})
	if second.number >= between.number || between.number >= first.number {
		t.Fatalf("transactions have the numbers %d, %d and %d", second.number, between.number, first.number)
	}
	close(first.lock)
	end(first)
	end(second)
	expect(t, "while an older transaction is open", read(t, db, "all", 10))
	close(between.lock)
	end(between)
	expect(t, "the first page", read(t, db, "all", 1), 1)
	expect(t, "the second page", read(t, db, "all", 9), 2)
	expect(t, "behind the fence", read(t, db, "all", 9), 99)
}

// An id that is given out, but not there yet, is not passed over, however its transaction ends.
func TestOrder_LowerIDLast(t *testing.T) {
	t.Parallel()
	for name, failure := range map[string]error{"committed": nil, "rolled back": errors.New("no")} {
		db := newDatabase(t)
		if err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
			if err := outbox.PutTx(t.Context(), tx, []outbox.Notice{numbered(id.New[id.Member](), 1)}); err != nil {
				return err
			}
			put(t, db, numbered(id.New[id.Member](), 2))
			expect(t, "while it is open", read(t, db, "all", 10))
			return failure
		}); !errors.Is(err, failure) {
			t.Fatal(err)
		}
		put(t, db, numbered(id.New[id.Member](), 3))
		want := []int64{1, 2}
		if failure != nil {
			want = want[1:]
		}
		expect(t, name, read(t, db, "all", 10), want...)
		expect(t, name+", behind the fence", read(t, db, "all", 10), 3)
	}
}

// What goes on in other databases of the cluster delays nothing.
func TestOrder_OtherDatabase(t *testing.T) {
	t.Parallel()
	db, other := newDatabase(t), newDatabase(t)
	if err := other.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := begin(t.Context(), tx); err != nil {
			return err
		}
		put(t, db, numbered(id.New[id.Member](), 1))
		expect(t, "while it is open", read(t, db, "all", 10), 1)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

// Many write about few members, in transactions that have their numbers in any order, while three consumers read, one of
// them twice at once: each reads each member's notices in order, none is missing, none comes twice.
func TestOrder_Random(t *testing.T) {
	t.Parallel()
	const writers, rounds = 5, 80
	db := newDatabase(t)
	members := make([]id.Member, 4)
	for i := range members {
		members[i] = id.New[id.Member]()
	}
	makeTurns(t, db, members...)
	if _, err := db.Exec(t.Context(), `
		create table effects (position bigint generated always as identity, consumer text, member_id uuid, number bigint)`); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	failure := errors.New("at random")
	write := func(tx *postgres.Tx) error {
		if rand.IntN(2) == 0 {
			if _, err := begin(ctx, tx); err != nil {
				return err
			}
		}
		// In the order of ids, as the ledger locks.
		for _, member := range members {
			if rand.IntN(3) > 0 {
				continue
			}
			for range 1 + rand.IntN(2) {
				if err := take(ctx, tx, member); err != nil {
					return err
				}
			}
		}
		if rand.IntN(10) == 0 {
			return failure
		}
		return nil
	}
	work := func(consumer string) func(context.Context, *postgres.Tx, []outbox.Notice) error {
		return func(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) error {
			for i, number := range entries(notices) {
				if _, err := tx.Exec(ctx, `insert into effects (consumer, member_id, number) values ($1, $2, $3)`, consumer, notices[i].Member, number); err != nil {
					return err
				}
			}
			if rand.IntN(10) == 0 {
				return failure
			}
			return nil
		}
	}
	var writing, reading sync.WaitGroup
	for range writers {
		writing.Go(func() {
			for range rounds {
				if err := db.InTx(ctx, write); err != nil && !errors.Is(err, failure) {
					t.Error(err)
					return
				}
			}
		})
	}
	var written atomic.Bool
	for _, consumer := range []string{"one", "two", "two", "three"} {
		reading.Go(func() {
			for {
				last := written.Load()
				_, err := outbox.Consume(ctx, db, consumer, 1+rand.IntN(40), work(consumer))
				if err != nil && !errors.Is(err, failure) {
					t.Errorf("%s: %v", consumer, err)
					return
				}
				var unread bool
				if err := db.Get(ctx, &unread, `
					select exists (select from notices where id > coalesce((select read_to from notice_consumers where name = $1), 0))`, consumer); err != nil {
					t.Errorf("%s: %v", consumer, err)
					return
				}
				if last && !unread {
					return
				}
			}
		})
	}
	writing.Wait()
	written.Store(true)
	reading.Wait()
	for _, consumer := range []string{"one", "two", "three"} {
		for _, member := range members {
			var count int64
			if err := db.Get(t.Context(), &count, `select number from turns where member_id = $1`, member); err != nil {
				t.Fatal(err)
			}
			want, got := []int64{}, []int64{}
			for number := range count {
				want = append(want, number+1)
			}
			if err := db.Select(t.Context(), &got, `select number from effects where consumer = $1 and member_id = $2 order by position`, consumer, member); err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(want, got); difference != "" || count < rounds {
				t.Errorf("%s read of %d notices (-want +got):\n%s", consumer, count, difference)
			}
		}
	}
}

package backtest_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/loyalty/backtest"
	"regulars/loyalty/loyaltytest"
)

// Whoever is told that there is something to do finds it; the oldest comes first, and when all is done there is nothing.
func TestWork_InOrder(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Clock.Advance(time.Hour)
	if did, err := b.backtests.Work(b.Admin); did || err != nil {
		t.Errorf("with nothing to do: %t, %v", did, err)
	}
	first, second := b.start(b.all(nil, nil)), b.start(b.all(nil, nil))
	select {
	case <-b.backtests.Woken():
	default:
		t.Error("nobody is told")
	}
	b.work()
	if b.read(first.ID).Status != backtest.Succeeded || b.read(second.ID).Status != backtest.Running {
		t.Errorf("%+v, %+v", b.read(first.ID), b.read(second.ID))
	}
	b.work()
	if did, err := b.backtests.Work(b.Admin); did || err != nil || b.read(second.ID).Status != backtest.Succeeded {
		t.Errorf("when all is done: %t, %v", did, err)
	}
}

// A backtest that is canceled stops with the facts that are being judged, and nothing takes it up again.
func TestWork_Canceled(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.many(b.Enroll(), 4_500)
	// It is canceled as soon as the first facts are judged.
	b.exec(`create function cancel_backtest() returns trigger language plpgsql as $$ begin
		if new.done > 0 then new.status = 'CANCELED'; new.finished_at = new.requested_at; end if; return new; end $$`)
	b.exec(`create trigger cancels before update on backtests for each row execute function cancel_backtest()`)
	started := b.start(b.all(nil, nil))
	b.work()
	if done := b.read(started.ID); done.Status != backtest.Canceled || done.Done != 2_000 || *done.Total != 4_500 || done.Results() != nil {
		t.Errorf("the backtest is %+v", done)
	}
	if did, err := b.backtests.Work(b.Admin); did || err != nil {
		t.Errorf("it is taken up again: %t, %v", did, err)
	}
	if again, err := b.backtests.Cancel(b.Admin, started.ID); err != nil || again.Status != backtest.Canceled {
		t.Errorf("canceled again: %v, %v", again, err)
	}
}

// While a server works on a backtest no other one does; when it dies, another one does it anew.
func TestWork_TakenOver(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Rule(loyaltytest.Fixed(3))
	b.many(b.Enroll(), 3)
	started := b.start(b.all(nil, nil))
	other := backtest.New(b.DB, b.Service)
	dying, die := context.WithCancel(b.Admin)
	died := make(chan error, 1)
	err := b.DB.InTx(b.Admin, func(tx *postgres.Tx) error {
		// Nothing is read while the table is locked.
		if _, err := tx.Exec(b.Admin, `lock table evaluations in access exclusive mode`); err != nil {
			return err
		}
		go func() {
			_, err := b.backtests.Work(dying)
			died <- err
		}()
		for waits := false; !waits; {
			if err := b.DB.Get(b.Admin, &waits, `
				select exists (select from pg_locks where relation = 'evaluations'::regclass and not granted and database =
					(select oid from pg_database where datname = current_database()))`); err != nil {
				return err
			}
		}
		if did, err := other.Work(b.Admin); did || err != nil {
			t.Errorf("another one works on it: %t, %v", did, err)
		}
		die()
		return <-died
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("the first one ends with %v", err)
	}
	if left := b.read(started.ID); left.Status != backtest.Running {
		t.Fatalf("it left %+v", left)
	}
	if did, err := other.Work(b.Admin); !did || err != nil {
		t.Errorf("the other one: %t, %v", did, err)
	}
	if done := b.read(started.ID); done.Status != backtest.Succeeded || done.Results().PointsActual != 9 || done.Done != 3 {
		t.Errorf("the backtest is %+v", done)
	}
}

// A backtest that no server survives is given up.
func TestWork_GivenUp(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Clock.Advance(time.Hour)
	started := b.start(b.all(nil, nil))
	b.exec(`update backtests set attempts = 5`)
	b.work()
	if done := b.read(started.ID); done.Status != backtest.Failed || !strings.Contains(*done.Error, "5 times") {
		t.Errorf("the backtest is %+v", done)
	}
}

package jobs

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/loyalty/loyaltytest"
)

// steps makes a world with a table of numbers, which a job removes one by one: each that it removes it has had once.
func steps(t *testing.T, count int) *loyaltytest.World {
	t.Helper()
	w := loyaltytest.New(t)
	statement(t, w, `create table steps (number int primary key); create table taken (number int, run text, sequence bigserial)`)
	statement(t, w, `insert into steps select generate_series(1, $1::int)`, count)
	return w
}

func statement(t *testing.T, w *loyaltytest.World, text string, arguments ...any) {
	t.Helper()
	if _, err := w.DB.Exec(w.Admin, text, arguments...); err != nil {
		t.Fatal(err)
	}
}

// step does the next one; before is called in the middle of it.
func step(ctx context.Context, work *Work, before func()) (int, error) {
	count := 0
	err := work.DB.InTx(ctx, func(tx *postgres.Tx) error {
		before()
		removed, err := tx.Exec(ctx, `
			with next as (delete from steps where number = (select min(number) from steps) returning number)
			insert into taken (number, run) select number, $1 from next`, work.run.ID.String())
		count = int(removed)
		return err
	})
	return count, err
}

// taken is which steps were done, in order.
func taken(t *testing.T, w *loyaltytest.World) []int {
	t.Helper()
	var numbers []int
	if err := w.DB.Select(w.Admin, &numbers, `select number from taken order by number`); err != nil {
		t.Fatal(err)
	}
	return numbers
}

// cut ends the connections that hold locks of jobs.
func cut(t *testing.T, w *loyaltytest.World) {
	t.Helper()
	var ended []bool
	if err := w.DB.Select(w.Admin, &ended, `
		select pg_terminate_backend(pid) from pg_locks
		where locktype = 'advisory' and classid = 731087193 and database = (select oid from pg_database where datname = current_database())`); err != nil {
		t.Fatal(err)
	}
	if len(ended) == 0 {
		t.Fatal("nobody holds a lock")
	}
}

// await polls until a condition holds.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

// A run that is stopped, as by SIGTERM, is closed as interrupted, and finished by the next server at once.
func TestRun_Stopped(t *testing.T) {
	t.Parallel()
	w := steps(t, 5)
	third := make(chan struct{})
	table := line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) {
			if done, _ := work.progress(); done == 3 && *work.run.Attempt == 1 {
				close(third)
				<-ctx.Done()
			}
			return step(ctx, work, func() {})
		})
	})
	first := runner(t, w, table)
	w.Clock.Advance(time.Hour)
	serving, cancel := context.WithCancel(t.Context())
	served := make(chan struct{})
	go func() {
		defer close(served)
		first.Serve(serving)
	}()
	<-third
	cancel()
	<-served
	first.Wait()
	second := runner(t, w, table)
	turn(t, second)
	turn(t, second)
	expect(t, w, second,
		shown{Status: Interrupted, For: "10:00", Attempt: 1, Processed: 3, Error: "The program was stopped"},
		shown{Status: Succeeded, For: "10:00", Attempt: 2, Processed: 2})
	if difference := cmp.Diff([]int{1, 2, 3, 4, 5}, taken(t, w)); difference != "" {
		t.Error(difference)
	}
}

// A command that is stopped by Ctrl-C interrupts its run, which nobody begins again by itself.
func TestComplete_Stopped(t *testing.T) {
	t.Parallel()
	w := steps(t, 3)
	ctx, cancel := context.WithCancel(w.Admin)
	r := runner(t, w, line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) { return step(ctx, work, func() {}) })
	}))
	seen := 0
	run, err := r.Complete(ctx, "steps", func(processed, _ int) {
		if seen = processed; processed == 2 {
			cancel()
		}
	})
	if err != nil || run.Status != Interrupted || run.Processed != 2 || seen != 2 {
		t.Errorf("%+v, %v, seen %d", run, err, seen)
	}
	turn(t, r)
	expect(t, w, r, shown{Status: Interrupted, For: "09:00", Processed: 2, Error: "The program was stopped"})
}

// A runner whose lock broke notices, does no more, and any other finishes the rest.
func TestRun_LockBroke(t *testing.T) {
	t.Parallel()
	w := steps(t, 4)
	table := line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) {
			if done, _ := work.progress(); done == 2 && *work.run.Attempt == 1 {
				cut(t, w)
				<-ctx.Done() // it asks after its lock every second
			}
			return step(ctx, work, func() {})
		})
	})
	first, second := runner(t, w, table), runner(t, w, table)
	w.Clock.Advance(time.Hour)
	turn(t, first)
	turn(t, second)
	expect(t, w, first,
		shown{Status: Interrupted, For: "10:00", Attempt: 1, Processed: 2, Error: "The connection that held the job's lock broke"},
		shown{Status: Succeeded, For: "10:00", Attempt: 2, Processed: 2})
}

// A runner that stalled, lost its lock and wakes up after another has taken over writes nothing more, even if it does not
// listen.
func TestFence_Stalled(t *testing.T) {
	t.Parallel()
	w := steps(t, 4)
	stalled, wake := make(chan struct{}), make(chan struct{})
	var after error
	table := line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) {
			if done, _ := work.progress(); done == 2 && *work.run.Attempt == 1 {
				close(stalled)
				<-wake
				_, after = step(context.WithoutCancel(ctx), work, func() { t.Error("it goes on") })
				return 0, after
			}
			return step(ctx, work, func() {})
		})
	})
	first, second := runner(t, w, table), runner(t, w, table)
	w.Clock.Advance(time.Hour)
	begin(t, first)
	<-stalled
	turn(t, second) // it cannot have the lock yet
	cut(t, w)
	// The server frees the lock when it has noticed.
	await(t, "the second takes over", func() bool {
		turn(t, second)
		return len(history(t, w, second)) == 2
	})
	close(wake)
	first.Wait()
	if after == nil {
		t.Error("the stalled one was let through")
	}
	runs := history(t, w, first)
	runs[0].Processed = 0 // as far as it had said
	if difference := cmp.Diff([]shown{
		{Status: Interrupted, For: "10:00", Attempt: 1, Error: "The program that ran it is gone, or lost its lock"},
		{Status: Succeeded, For: "10:00", Attempt: 2, Processed: 2},
	}, runs); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]int{1, 2, 3, 4}, taken(t, w)); difference != "" {
		t.Error(difference)
	}
}

// The record is a fence by itself: once it is closed, no batch passes, though the lock is held.
func TestFence_Record(t *testing.T) {
	t.Parallel()
	w := steps(t, 3)
	r := runner(t, w, line("steps", func(ctx context.Context, work *Work) error {
		if _, err := step(ctx, work, func() {}); err != nil {
			return err
		}
		statement(t, w, `update job_runs set status = 'INTERRUPTED', finished_at = started_at`)
		_, err := step(ctx, work, func() { t.Error("it goes on") })
		if ctx.Err() == nil {
			t.Error("the rest of the job goes on")
		}
		return err
	}))
	if _, err := r.Complete(w.Admin, "steps", nil); err != nil {
		t.Fatal(err)
	}
	expect(t, w, r, shown{Status: Interrupted, For: "09:00"})
	if difference := cmp.Diff([]int{1}, taken(t, w)); difference != "" {
		t.Error(difference)
	}
}

// A batch that is open when another runner takes over is waited for, so that it is either done or was never there.
func TestFence_BatchUnderWay(t *testing.T) {
	t.Parallel()
	w := steps(t, 2)
	inside, goes := make(chan struct{}), make(chan struct{})
	table := line("steps", func(ctx context.Context, work *Work) error {
		return work.batches(ctx, func() (int, error) {
			if *work.run.Attempt > 1 {
				return step(ctx, work, func() {})
			}
			return step(context.WithoutCancel(ctx), work, func() {
				close(inside)
				<-goes
			})
		})
	})
	first, second := runner(t, w, table), runner(t, w, table)
	w.Clock.Advance(time.Hour)
	begin(t, first)
	<-inside
	cut(t, w)
	ticked := make(chan struct{})
	go func() {
		defer close(ticked)
		for len(taken(t, w)) < 2 && t.Context().Err() == nil {
			turn(t, second)
		}
	}()
	await(t, "the second waits for the batch", func() bool {
		var waiting int
		if err := w.DB.Get(w.Admin, &waiting, `
			select count(*) from pg_stat_activity
			where datname = current_database() and wait_event_type = 'Lock' and query like '%update job_runs%'`); err != nil {
			t.Fatal(err)
		}
		return waiting == 1
	})
	close(goes)
	<-ticked
	first.Wait()
	if difference := cmp.Diff([]int{1, 2}, taken(t, w)); difference != "" {
		t.Error(difference)
	}
	if runs := history(t, w, first); len(runs) != 2 || runs[0].Status != Interrupted || runs[1].Status != Succeeded || runs[1].Processed != 1 {
		t.Errorf("%+v", runs)
	}
}

// A record that was left behind without a runner is closed by whoever looks next, also if its job was asked for.
func TestTick_LeftBehind(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := runner(t, w, line("count", func(context.Context, *Work) error { return nil }))
	statement(t, w, `
		insert into job_runs (id, job, status, scheduled_for, started_by, started_at, processed)
		values ('00000000-0000-7000-8000-000000000001', 'count', 'RUNNING', $1, 'somebody', $1, 12)`, w.Now())
	turn(t, r)
	expect(t, w, r, shown{Status: Interrupted, For: "09:00", Processed: 12, Error: "The program that ran it is gone, or lost its lock"})
	run, err := r.Start(actor.With(t.Context(), actor.System("again")), "count")
	if err != nil || run.Status != Running {
		t.Errorf("%+v, %v", run, err)
	}
}

// Progress is there to be read before a long statement ends, and when batches hold the record most of the time.
func TestWork_Progress(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := runner(t, w, line("slow", func(ctx context.Context, work *Work) error {
		work.Report(40, 90)
		<-ctx.Done()
		return ctx.Err()
	}))
	run, err := r.Start(w.Admin, "slow")
	if err != nil {
		t.Fatal(err)
	}
	await(t, "progress is written", func() bool {
		found, err := r.Run(w.Admin, run.ID)
		if err != nil {
			t.Fatal(err)
		}
		return found.Status == Running && found.Processed == 40 && found.Total != nil && *found.Total == 90
	})
}

package jobs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/loyaltytest"
)

const every = "0 * * * *"

// runner is one of possibly several over the world's database, with a timetable of its own.
func runner(t *testing.T, w *loyaltytest.World, table ...job) *Runner {
	t.Helper()
	return runnerOn(t, w, w.DB, table...)
}

func runnerOn(t *testing.T, w *loyaltytest.World, db *postgres.DB, table ...job) *Runner {
	t.Helper()
	r, err := newRunner(w.Admin, db, table, Options{}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func line(name string, do func(ctx context.Context, work *Work) error) job {
	return job{name: name, description: "A test.", spec: every, deadline: time.Minute, do: do}
}

// turn ticks and waits for what that began.
func turn(t *testing.T, r *Runner) {
	t.Helper()
	begin(t, r)
	r.Wait()
}

// begin ticks.
func begin(t *testing.T, r *Runner) {
	t.Helper()
	if err := r.tick(t.Context()); err != nil && t.Context().Err() == nil {
		t.Error(err)
	}
}

// shown is what a test compares of a run.
type shown struct {
	Status    Status
	For       string
	Attempt   int
	Processed int
	Error     string
}

// history is every run, oldest first.
func history(t *testing.T, w *loyaltytest.World, r *Runner) []shown {
	t.Helper()
	listed, err := r.Runs(w.Admin, pointer(100), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var runs []shown
	for _, run := range slices.Backward(listed.Nodes) {
		one := shown{Status: run.Status, For: run.ScheduledFor.Format("15:04"), Processed: run.Processed}
		if run.Attempt != nil {
			one.Attempt = *run.Attempt
		}
		if run.Error != nil {
			one.Error, _, _ = strings.Cut(*run.Error, ".")
		}
		runs = append(runs, one)
	}
	return runs
}

func pointer[T any](value T) *T { return &value }

func expect(t *testing.T, w *loyaltytest.World, r *Runner, want ...shown) {
	t.Helper()
	if difference := cmp.Diff(want, history(t, w, r)); difference != "" {
		t.Error(difference)
	}
}

// Any number of servers run a job once for each of its times.
func TestTick_Replicas(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	var ran atomic.Int64
	table := line("count", func(_ context.Context, work *Work) error {
		ran.Add(1)
		work.Advance(7)
		return nil
	})
	replicas := []*Runner{runner(t, w, table), runner(t, w, table), runner(t, w, table)}
	for range 5 {
		w.Clock.Advance(time.Hour)
		var all sync.WaitGroup
		for _, replica := range replicas {
			all.Go(func() {
				for range 3 {
					turn(t, replica)
				}
			})
		}
		all.Wait()
	}
	if ran.Load() != 5 {
		t.Errorf("it ran %d times at 5 times", ran.Load())
	}
	var want []shown
	for _, hour := range []string{"10:00", "11:00", "12:00", "13:00", "14:00"} {
		want = append(want, shown{Status: Succeeded, For: hour, Attempt: 1, Processed: 7})
	}
	expect(t, w, replicas[0], want...)
}

// Of what an outage missed only the last time is made up for; a job that is new makes up for nothing.
func TestTick_Outage(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	table := line("count", func(context.Context, *Work) error { return nil })
	r := runner(t, w, table)
	w.Clock.Advance(59 * time.Minute)
	turn(t, r)
	expect(t, w, r)
	w.Clock.Advance(time.Minute)
	turn(t, r)
	w.Clock.Advance(5*time.Hour + 20*time.Minute)
	later := runner(t, w, table, line("new", table.do))
	turn(t, later)
	turn(t, later)
	turn(t, r)
	expect(t, w, r, shown{Status: Succeeded, For: "10:00", Attempt: 1}, shown{Status: Succeeded, For: "15:00", Attempt: 1})
}

// What failed is tried again after ten minutes, twice, and then at its next time.
func TestTick_Failure(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := runner(t, w, line("fail", func(context.Context, *Work) error { return failure("It rains. Bring an umbrella.") }))
	w.Clock.Advance(time.Hour)
	for range 5 {
		turn(t, r)
		w.Clock.Advance(pause - time.Microsecond)
		turn(t, r)
		w.Clock.Advance(time.Microsecond)
	}
	w.Clock.Advance(10 * time.Minute)
	turn(t, r)
	failed := func(hour string, attempt int) shown {
		return shown{Status: Failed, For: hour, Attempt: attempt, Error: "It rains"}
	}
	expect(t, w, r, failed("10:00", 1), failed("10:00", 2), failed("10:00", 3), failed("11:00", 1))
}

// However a job ends, its record says so in words for an admin, and the runner lives on.
func TestExecute_Ends(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	slow := line("slow", func(ctx context.Context, work *Work) error {
		work.Report(1, 3)
		<-ctx.Done()
		return ctx.Err()
	})
	slow.deadline = 20 * time.Millisecond
	r := runner(t, w, slow,
		line("panics", func(context.Context, *Work) error { panic("secret") }),
		line("fails", func(context.Context, *Work) error { return errors.New("secret") }),
		line("says", func(context.Context, *Work) error { return failure("It rains.") }),
		line("works", func(_ context.Context, work *Work) error { work.Report(2, 2); return nil }))
	fault := pointer("A fault of the program or its database. The log says more under the run's id.")
	for name, want := range map[string]Run{
		"slow":   {Status: Failed, Processed: 1, Total: pointer(3), Error: pointer("It took longer than the 20ms it may. The next run goes on where it was.")},
		"panics": {Status: Failed, Error: fault}, "fails": {Status: Failed, Error: fault},
		"says":  {Status: Failed, Error: pointer("It rains.")},
		"works": {Status: Succeeded, Processed: 2, Total: pointer(2)},
	} {
		ended, err := r.Complete(w.Admin, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		want.ID, want.Job, want.StartedBy, want.ScheduledFor, want.StartedAt, want.FinishedAt =
			ended.ID, name, "system:test", loyaltytest.Start, loyaltytest.Start, pointer(loyaltytest.Start)
		if difference := cmp.Diff(&want, ended); difference != "" {
			t.Errorf("%s ends otherwise: %s", name, difference)
		}
		kept, err := r.Run(w.Admin, ended.ID)
		if err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(ended, kept); difference != "" {
			t.Errorf("%s is kept otherwise: %s", name, difference)
		}
	}
}

// The job acts under its own name.
func TestExecute_Actor(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	var caller string
	r := runner(t, w, line("look", func(ctx context.Context, _ *Work) error {
		acting, err := actor.Require(ctx, actor.Admin)
		caller = acting.Caller
		return err
	}))
	w.Clock.Advance(time.Hour)
	turn(t, r)
	if caller != "system:job look" {
		t.Errorf("the job acts as %q", caller)
	}
}

// Who asks for a run is answered at once, and refused while there is one.
func TestStart(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	goes := make(chan struct{})
	table := line("wait", func(ctx context.Context, work *Work) error {
		select {
		case <-goes:
			work.Advance(1)
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	one, other := runner(t, w, table), runner(t, w, table)
	asking, cancel := context.WithCancel(w.Admin)
	begun, err := one.Start(asking, "wait")
	cancel() // the request is over
	if err != nil || begun.Status != Running || begun.FinishedAt != nil || begun.StartedBy != "system:test" {
		t.Fatalf("%+v, %v", begun, err)
	}
	for _, r := range []*Runner{one, other} {
		if _, err := r.Start(w.Admin, "wait"); !is(err, problem.JobRunning) {
			t.Errorf("while it runs: %v", err)
		}
		if _, err := r.Complete(w.Admin, "wait", nil); !is(err, problem.JobRunning) {
			t.Errorf("while it runs: %v", err)
		}
		// Nor is it begun by its time, which stays due.
		w.Clock.Advance(time.Hour)
		begin(t, r)
	}
	if _, err := one.Start(w.Admin, "weight"); !is(err, problem.JobUnknown) {
		t.Errorf("a job that is not there: %v", err)
	}
	close(goes)
	one.Wait()
	turn(t, other)
	expect(t, w, one, shown{Status: Succeeded, For: "09:00", Processed: 1}, shown{Status: Succeeded, For: "11:00", Attempt: 1, Processed: 1})
}

func is(err error, code problem.Code) bool {
	refused, ok := errors.AsType[problem.InputError](err)
	return ok && refused.Code == code
}

func TestAccess(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	r := runner(t, w, line("count", func(context.Context, *Work) error { return nil }))
	run, err := r.Complete(w.Admin, "count", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, role := range actor.Roles {
		ctx := w.As(role, "somebody")
		_, starting := r.Start(ctx, "count")
		r.Wait()
		_, completing := r.Complete(ctx, "count", nil)
		_, listing := r.Runs(ctx, nil, nil, nil)
		_, showing := r.Jobs(ctx)
		for _, err := range []error{starting, completing, listing, showing} {
			if admin := role == actor.Admin; admin && err != nil || !admin && !errors.Is(err, problem.Forbidden) {
				t.Errorf("%s: %v", role, err)
			}
		}
		if found, err := r.Run(ctx, run.ID); err != nil || (found != nil) != (role == actor.Admin) {
			t.Errorf("%s finds %v, %v", role, found, err)
		}
	}
}

func TestJobs(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	quiet := line("quiet", func(context.Context, *Work) error { return nil })
	quiet.spec = off
	r := runner(t, w, line("hourly", quiet.do), quiet)
	run, err := r.Complete(w.Admin, "quiet", nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Jobs(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	want := []*Job{
		{Name: "hourly", Description: "A test.", Spec: every, When: "hourly at :00", NextRunAt: pointer(loyaltytest.Start.Add(time.Hour))},
		{Name: "quiet", Description: "A test.", Spec: "off", When: "only when asked for", LastRun: run},
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	w.Clock.Advance(1000 * time.Hour)
	turn(t, r)
	if runs := history(t, w, r); len(runs) != 2 {
		t.Errorf("a job that is off was begun by the clock: %v", runs)
	}
}

// Pages go on where they ended, newest first, of all jobs or one.
func TestRuns(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	nothing := func(context.Context, *Work) error { return nil }
	r := runner(t, w, line("one", nothing), line("two", nothing))
	var want []string
	for _, name := range []string{"one", "two", "one", "two", "one"} {
		run, err := r.Complete(w.Admin, name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if name == "one" {
			want = append([]string{run.ID.String()}, want...)
		}
	}
	var got []string
	for after := (*string)(nil); ; {
		listed, err := r.Runs(w.Admin, pointer(2), after, pointer("one"))
		if err != nil {
			t.Fatal(err)
		}
		if total, err := listed.Total(t.Context()); err != nil || total != 3 {
			t.Fatalf("%d in all, %v", total, err)
		}
		for _, run := range listed.Nodes {
			got = append(got, run.ID.String())
		}
		if after = listed.PageInfo.EndCursor; !listed.PageInfo.HasNextPage {
			break
		}
	}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

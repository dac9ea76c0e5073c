package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"regulars/care/delivery"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
)

// Runner runs the jobs of one database, together with all other runners there. It is safe for concurrent use.
type Runner struct {
	db      *postgres.DB
	locks   *postgres.DB
	table   []job
	options Options
	times   map[string]schedule
	logger  *slog.Logger

	// life ends when the runner stops, and its runs with it.
	life    context.Context //nolint:containedctx // runs outlive the requests that ask for them
	stop    context.CancelCauseFunc
	running sync.WaitGroup
}

// Options are what jobs need to know of the program that runs them.
type Options struct {
	// Specs change the times of the timetable.
	Specs Specs
	// PublicURL is where members find what messages link to, without a slash at the end.
	PublicURL string
	// Channels are by which messages are sent.
	Channels delivery.Channels
}

// New returns a runner over a migrated database that has a program. It runs nothing by itself until Serve. Close it in the end.
func New(ctx context.Context, db *postgres.DB, options Options, logger *slog.Logger) (*Runner, error) {
	return newRunner(ctx, db, timetable, options, logger)
}

func newRunner(ctx context.Context, db *postgres.DB, table []job, options Options, logger *slog.Logger) (*Runner, error) {
	settings, err := program.Load(ctx, db)
	if err != nil {
		return nil, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	r := &Runner{db: db, table: table, options: options, times: map[string]schedule{}, logger: logger}
	for _, one := range table {
		spec, changed := options.Specs[one.name]
		if !changed {
			spec = one.spec
		}
		if r.times[one.name], err = parseSchedule(spec, zone); err != nil {
			return nil, fmt.Errorf("the job %s: %q is no time to run: %w", one.name, spec, err)
		}
	}
	if err := insertJobs(ctx, db, names(table), r.now()); err != nil {
		return nil, fmt.Errorf("make jobs known: %w", err)
	}
	// Each run has a connection for its lock, and looking for a free lock takes one more.
	r.locks = db.Apart(len(table) + 1)
	r.life, r.stop = context.WithCancelCause(context.WithoutCancel(ctx))
	return r, nil
}

func (r *Runner) now() time.Time { return r.db.Now().UTC().Truncate(time.Microsecond) }

// Serve begins what is due, every second, until ctx ends. Then it stops all runs, which become INTERRUPTED; Close waits for
// them.
func (r *Runner) Serve(ctx context.Context) {
	defer r.stop(errStopped)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	failing := false
	for {
		err := r.tick(ctx)
		switch {
		case err != nil && !failing && ctx.Err() == nil:
			r.logger.ErrorContext(ctx, "jobs cannot be begun; it is tried every second", slog.Any("cause", err))
		case err == nil && failing:
			r.logger.InfoContext(ctx, "jobs can be begun again")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Close stops all runs and waits until they have been closed.
func (r *Runner) Close() {
	r.stop(errStopped)
	r.Wait()
	// What it says of connections that broke is of no use to anybody.
	_ = r.locks.Close()
}

// Wait waits until the runs that this runner has begun are over.
func (r *Runner) Wait() { r.running.Wait() }

// Start begins a run of the job and returns its record, which is RUNNING: the run goes on in this program, also when ctx
// ends. For admins. Codes: JOB_UNKNOWN, JOB_RUNNING.
func (r *Runner) Start(ctx context.Context, name string) (*Run, error) {
	work, err := r.ask(ctx, name)
	if err != nil {
		return nil, err
	}
	begun := *work.run
	r.running.Go(func() { r.execute(r.life, work) })
	return &begun, nil
}

// Complete runs the job and returns the record of how it ended, which may not be well. When ctx ends, the run is
// interrupted. shown, unless it is nil, is told how far the run is; a total of 0 is not known. For admins. Codes:
// JOB_UNKNOWN, JOB_RUNNING.
func (r *Runner) Complete(ctx context.Context, name string, shown func(processed, total int)) (*Run, error) {
	work, err := r.ask(ctx, name)
	if err != nil {
		return nil, err
	}
	work.shown = shown
	stopping, cancel := context.WithCancelCause(r.life)
	defer cancel(nil)
	defer context.AfterFunc(ctx, func() { cancel(errStopped) })()
	return r.execute(stopping, work), nil
}

// ask takes up a run that somebody wants.
func (r *Runner) ask(ctx context.Context, name string) (*Work, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return nil, err
	}
	i := slices.IndexFunc(r.table, func(known job) bool { return known.name == name })
	if i < 0 {
		return nil, problem.At(problem.JobUnknown, []string{"job"}, "No job is called %q.", name)
	}
	work, err := r.begin(ctx, r.table[i], func(now time.Time, _ state) *Run {
		return &Run{ScheduledFor: now, StartedBy: caller.Caller}
	})
	if err != nil {
		return nil, err
	}
	if work == nil {
		return nil, problem.At(problem.JobRunning, []string{"job"}, "%s is running already.", name)
	}
	return work, nil
}

// tick begins what is due now, and closes what other runners have left behind.
func (r *Runner) tick(ctx context.Context) error {
	states, err := selectStates(ctx, r.db, names(r.table))
	for _, stands := range states {
		i := slices.IndexFunc(r.table, func(known job) bool { return known.name == stands.Name })
		if !stands.open() && stands.due(r.times[stands.Name], r.now()) == nil {
			continue
		}
		work, failed := r.begin(ctx, r.table[i], func(now time.Time, stands state) *Run {
			return stands.due(r.times[stands.Name], now)
		})
		err = errors.Join(err, failed)
		if work != nil {
			r.running.Go(func() { r.execute(r.life, work) })
		}
	}
	return err
}

// begin takes the job's lock, closes what was left behind, and writes the record of the run that want then gives. It returns
// nil if somebody else runs the job, and if want gives none.
func (r *Runner) begin(ctx context.Context, one job, want func(now time.Time, stands state) *Run) (*Work, error) {
	// Where a run lost its lock, its last batch may still be open.
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	lock, err := r.locks.TryLock(ctx, one.name)
	if lock == nil || err != nil {
		return nil, err
	}
	var run *Run
	err = r.db.InTx(ctx, func(tx *postgres.Tx) error {
		run = nil
		if err := lockJob(ctx, tx, one.name); err != nil {
			return err
		}
		left, err := interruptRun(ctx, tx, one.name, "The program that ran it is gone, or lost its lock. The next run finishes the rest.")
		if err != nil {
			return err
		}
		if left {
			r.logger.WarnContext(ctx, "a run of a job was left behind", slog.String("job", one.name))
		}
		states, err := selectStates(ctx, tx, []string{one.name})
		if err != nil {
			return err
		}
		if run = want(tx.Now, states[0]); run == nil {
			return nil
		}
		run.ID, run.Job, run.Status, run.StartedAt = id.New[id.JobRun](), one.name, Running, tx.Now
		return insertRun(ctx, tx, run)
	})
	if err != nil || run == nil {
		lock.Release(ctx)
		return nil, err
	}
	return &Work{options: r.options, db: r.db, run: run, lock: lock}, nil
}

// execute does the work that was begun, closes its record and returns it.
func (r *Runner) execute(ctx context.Context, work *Work) *Run {
	defer work.lock.Release(ctx)
	one := r.table[slices.IndexFunc(r.table, func(known job) bool { return known.name == work.run.Job })]
	logger := r.logger.With(slog.String("job", one.name), slog.String("run", work.run.ID.String()))
	logger.InfoContext(ctx, "a job begins")

	acting := actor.With(ctx, actor.System("job "+one.name))
	timed, cancel := context.WithTimeoutCause(acting, one.deadline, errDeadline)
	defer cancel()
	running, lose := context.WithCancelCause(timed)
	defer lose(nil)
	work.lose = lose
	work.DB = r.db.Fenced(work.fence)
	var keeping sync.WaitGroup
	keeping.Go(func() { work.keep(running) })
	err := contained(running, one, work)
	why := context.Cause(running)
	if err != nil && why == nil && work.lock.Alive(running) != nil {
		// The database went away; the job noticed first.
		why = errLost
	}
	lose(nil)
	keeping.Wait()

	work.close(one, err, why, r.now())
	level := slog.LevelInfo
	if _, plain := errors.AsType[failure](err); work.run.Status == Failed && plain {
		level = slog.LevelWarn
	} else if work.run.Status == Failed {
		level = slog.LevelError
	}
	logger.LogAttrs(ctx, level, "a job ends", slices.Concat([]slog.Attr{
		slog.String("status", string(work.run.Status)), slog.Int("processed", work.run.Processed),
		slog.Duration("took", work.run.FinishedAt.Sub(work.run.StartedAt)), slog.Any("cause", err),
	}, work.told)...)
	// What cannot be closed is found without its lock, and closed then.
	const patience = 5 * time.Second
	closing, done := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer done()
	if err := finishRun(closing, r.db, work.run); err != nil {
		logger.WarnContext(ctx, "the run of a job could not be closed", slog.Any("cause", err))
	}
	return work.run
}

// contained does the job; a panic in it is an error.
func contained(ctx context.Context, one job, work *Work) (err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
		}
	}()
	return one.do(ctx, work)
}

// close writes on the record how it ended; why is what ended the job before its time, nil for nothing.
func (w *Work) close(one job, err, why error, now time.Time) {
	processed, total := w.progress()
	w.run.FinishedAt, w.run.Processed = &now, processed
	if total > 0 {
		w.run.Total = &total
	}
	said := ""
	plain, known := errors.AsType[failure](err)
	switch {
	case err == nil:
		w.run.Status = Succeeded
		return
	case errors.Is(why, errDeadline):
		w.run.Status, said = Failed, fmt.Sprintf("It took longer than the %s it may. The next run goes on where it was.", one.deadline)
	case errors.Is(why, errLost):
		w.run.Status, said = Interrupted, "The connection that held the job's lock broke. The next run finishes the rest."
	case why != nil:
		w.run.Status, said = Interrupted, "The program was stopped. The next run finishes the rest."
	case known:
		w.run.Status, said = Failed, string(plain)
	default:
		w.run.Status, said = Failed, "A fault of the program or its database. The log says more under the run's id."
	}
	w.run.Error = &said
}

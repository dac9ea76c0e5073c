package jobs

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// Status says how a run is.
type Status string

// The states of a run. All but Running are for ever.
const (
	Running     Status = "RUNNING"
	Succeeded   Status = "SUCCEEDED"
	Failed      Status = "FAILED"
	Interrupted Status = "INTERRUPTED"
)

// Run is the record of a run of a job.
type Run struct {
	ID     id.JobRun `db:"id"`
	Job    string    `db:"job"`
	Status Status    `db:"status"`
	// ScheduledFor is the time at which the run was due; when it was asked for, if it was.
	ScheduledFor time.Time `db:"scheduled_for"`
	// Attempt is the how-manieth run for that time this is; nil: it was asked for.
	Attempt *int `db:"attempt"`
	// StartedBy is who asked for it, as actor.Actor names its caller; the timetable is "system:timetable".
	StartedBy string    `db:"started_by"`
	StartedAt time.Time `db:"started_at"`
	// FinishedAt is when it ended or, of one that was left behind, when that was noticed; nil: it is running.
	FinishedAt *time.Time `db:"finished_at"`
	// Processed counts what the job has done, as often as it says so; Total is how much there is, nil: not known.
	Processed int  `db:"processed"`
	Total     *int `db:"total"`
	// Error says in words why it did not succeed; nil: it did, or is running.
	Error *string `db:"error"`
}

// IsNode marks the run as one of the API's nodes.
func (Run) IsNode() {}

type (
	// RunConnection is a page of runs.
	RunConnection = page.Connection[*Run]
	// RunEdge is a run in a page.
	RunEdge = page.Edge[*Run]
)

const runPages = "jobRun"

// Runs lists runs, newest first; name, if given, narrows the list to those of that job. For admins.
func (r *Runner) Runs(ctx context.Context, first *int, after, name *string) (*RunConnection, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(runPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseJobRun(arguments.After)
	if arguments.After != "" && last == (id.JobRun{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	runs, err := selectRuns(ctx, r.db, name, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(runPages, arguments, runs,
		func(run *Run) string { return run.ID.String() },
		func(ctx context.Context) (int, error) { return countRuns(ctx, r.db, name) }), nil
}

// Run returns a run by its id, nil if there is none or the caller is no admin.
func (r *Runner) Run(ctx context.Context, wanted id.JobRun) (*Run, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(actor.Admin) {
		return nil, err
	}
	run, err := selectRun(ctx, r.db, wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return run, err
}

// Job is a line of the timetable, with what became of it.
type Job struct {
	Name        string
	Description string
	// Spec is the cron spec by which it runs, in the program's zone; "off": only when it is asked for. When says it in words
	// where that is simple.
	Spec string
	When string
	// NextRunAt is when it is due next; nil: never.
	NextRunAt *time.Time
	// LastRun is its newest run; nil: none is remembered.
	LastRun *Run
}

// Jobs lists all jobs, in the order of the timetable. For admins.
func (r *Runner) Jobs(ctx context.Context) ([]*Job, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return nil, err
	}
	newest, err := selectNewest(ctx, r.db, names(r.table))
	if err != nil {
		return nil, err
	}
	list := make([]*Job, len(r.table))
	for i, one := range r.table {
		times := r.times[one.name]
		list[i] = &Job{Name: one.name, Description: one.description, Spec: times.spec, When: times.words(), LastRun: newest[one.name]}
		if next := times.next(r.now()); !next.IsZero() {
			next = next.UTC()
			list[i].NextRunAt = &next
		}
	}
	return list, nil
}

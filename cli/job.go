package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"text/tabwriter"
	"time"

	"regulars/internal/problem"
	"regulars/jobs"
)

type jobCommand struct {
	List listJobsCommand `cmd:"" help:"List the jobs: when they run, and how they last did."`
	Run  runJobCommand   `cmd:"" help:"Run a job now."`
}

type listJobsCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (listJobsCommand) Help() string {
	return `Lists all jobs in the order of the timetable. Times of day are in the program's zone, instants in UTC. REGULARS_JOBS
changes when jobs run; give this command the same one as the servers.

Example:

    regulars job list`
}

// Run prints the jobs.
func (c listJobsCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return c.withJobs(ctx, running, settings, func(ctx context.Context, runner *jobs.Runner) error {
		listed, err := runner.Jobs(ctx)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(running.Output, 0, 0, 3, ' ', 0)
		_, _ = fmt.Fprintln(table, "job\truns\tnext\tlast\tbegan\ttook")
		for _, one := range listed {
			_, _ = fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", one.Name, one.When, instant(one.NextRunAt), lastRun(one.LastRun))
		}
		return table.Flush()
	})
}

// lastRun is a run in three columns.
func lastRun(run *jobs.Run) string {
	if run == nil {
		return "-\t-\t-"
	}
	return fmt.Sprintf("%s\t%s\t%s", run.Status, instant(&run.StartedAt), took(run))
}

// took is how long the run took; "-" if it has not ended.
func took(run *jobs.Run) string {
	if run.FinishedAt == nil {
		return "-"
	}
	return run.FinishedAt.Sub(run.StartedAt).Round(time.Millisecond).String()
}

type runJobCommand struct {
	Seed
	Name string `arg:"" help:"The job's name; regulars job list tells all."`
}

// Help is what --help tells beyond the flags.
func (runJobCommand) Help() string {
	return `Runs a job beside whatever servers there are, with the same lock and record as they do: if one of them is running it,
it is not run. Ctrl-C interrupts the run; the next one finishes the rest. The exit code is 0 if the job succeeded, and 1 if
it failed, was interrupted or is running elsewhere.

Example:

    regulars job run check-books`
}

// Run runs the job and prints what became of it.
func (c runJobCommand) Run(ctx context.Context, running Program, settings Settings) error {
	return c.withJobs(ctx, running, settings, func(ctx context.Context, runner *jobs.Runner) error {
		shown := newProgress(running)
		run, err := runner.Complete(ctx, c.Name, func(processed, total int) { shown.show(c.Name, int64(processed), int64(total)) })
		shown.end()
		if refused, ok := errors.AsType[problem.InputError](err); ok {
			return errors.New(refused.Message)
		}
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(running.Output, "%s: %s, %s done in %s\n", run.Job, run.Status, grouped(run.Processed), took(run))
		if run.Status != jobs.Succeeded {
			return errors.New(*run.Error)
		}
		return nil
	})
}

func (s Seed) withJobs(ctx context.Context, running Program, settings Settings, work func(context.Context, *jobs.Runner) error) error {
	return asOperator(ctx, running, settings, s, "job", func(ctx context.Context, database *Database) error {
		// What servers log is said here anyway, but for faults.
		logger := slog.New(slog.NewTextHandler(running.Messages, &slog.HandlerOptions{Level: slog.LevelError}))
		channels, err := settings.Delivery.Channels()
		if err != nil {
			return err
		}
		runner, err := jobs.New(ctx, database.DB, jobs.Options{Specs: settings.Jobs, PublicURL: settings.LinkURL(), Channels: channels}, logger)
		if err != nil {
			return err
		}
		defer runner.Close()
		return work(ctx, runner)
	})
}

package jobs

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const runColumns = `id, job, status, scheduled_for, attempt, started_by, started_at, finished_at, processed, total, error`

// insertJobs makes jobs known that were not; they are due after now.
func insertJobs(ctx context.Context, q postgres.Runner, names []string, now time.Time) error {
	_, err := q.Exec(ctx, `
		insert into jobs (name, due_after) select name, $2 from unnest($1::text[]) as known (name)
		on conflict do nothing`, pq.StringArray(names), now)
	return err
}

// selectStates reads where each job stands.
func selectStates(ctx context.Context, q postgres.Runner, names []string) ([]state, error) {
	var states []state
	err := q.Select(ctx, &states, `
		select jobs.name, jobs.due_after, newest.status, newest.scheduled_for, newest.attempt, newest.finished_at
		from jobs
		left join lateral (
			select status, scheduled_for, attempt, finished_at from job_runs where job_runs.job = jobs.name
			order by id desc limit 1) as newest on true
		where jobs.name = any($1)`, pq.StringArray(names))
	return states, err
}

// lockJob keeps the job's row until the transaction ends.
func lockJob(ctx context.Context, tx *postgres.Tx, name string) error {
	var locked string
	return tx.Get(ctx, &locked, `select name from jobs where name = $1 for update`, name)
}

// interruptRun closes what a runner of the job left behind, and returns whether there was anything.
func interruptRun(ctx context.Context, tx *postgres.Tx, name, why string) (bool, error) {
	count, err := tx.Exec(ctx, `
		update job_runs set status = 'INTERRUPTED', finished_at = greatest($2, started_at), error = $3
		where job = $1 and status = 'RUNNING'`, name, tx.Now, why)
	return count > 0, err
}

// insertRun writes the record and, of a run that was due, that its time has been taken up.
func insertRun(ctx context.Context, tx *postgres.Tx, r *Run) error {
	_, err := tx.Exec(ctx, `insert into job_runs (`+runColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ID, r.Job, string(r.Status), r.ScheduledFor, r.Attempt, r.StartedBy, r.StartedAt, r.FinishedAt, r.Processed, r.Total, r.Error)
	if err != nil || r.Attempt == nil {
		return err
	}
	_, err = tx.Exec(ctx, `update jobs set due_after = $2 where name = $1`, r.Job, r.ScheduledFor)
	return err
}

// updateProgress keeps the record until the transaction ends; false: the run is over. A total of 0 is none.
func updateProgress(ctx context.Context, tx *postgres.Tx, wanted id.JobRun, processed, total int) (bool, error) {
	count, err := tx.Exec(ctx, `
		update job_runs set processed = $2, total = nullif($3, 0) where id = $1 and status = 'RUNNING'`, wanted, processed, total)
	return count > 0, err
}

// noteProgress does nothing if a batch keeps the record, which has noted it.
func noteProgress(ctx context.Context, q postgres.Runner, wanted id.JobRun, processed, total int) error {
	_, err := q.Exec(ctx, `
		with open as (select id from job_runs where id = $1 and status = 'RUNNING' for update skip locked)
		update job_runs set processed = $2, total = nullif($3, 0) from open where job_runs.id = open.id`, wanted, processed, total)
	return err
}

// finishRun closes the record, unless somebody else has done so.
func finishRun(ctx context.Context, q postgres.Runner, r *Run) error {
	_, err := q.Exec(ctx, `
		update job_runs set status = $2, finished_at = greatest($3, started_at), processed = $4, total = $5, error = $6
		where id = $1 and status = 'RUNNING'`, r.ID, string(r.Status), r.FinishedAt, r.Processed, r.Total, r.Error)
	return err
}

func selectRun(ctx context.Context, q postgres.Runner, wanted id.JobRun) (*Run, error) {
	var run Run
	err := q.Get(ctx, &run, `select `+runColumns+` from job_runs where id = $1`, wanted)
	return &run, err
}

// selectRuns reads on behind after, from the newest if that is the zero id.
func selectRuns(ctx context.Context, q postgres.Runner, name *string, after id.JobRun, limit int) ([]*Run, error) {
	if after == (id.JobRun{}) {
		after = id.JobRun(uuid.Max)
	}
	var runs []*Run
	if name == nil {
		err := q.Select(ctx, &runs, `select `+runColumns+` from job_runs where id < $1 order by id desc limit $2`, after, limit)
		return runs, err
	}
	err := q.Select(ctx, &runs, `select `+runColumns+` from job_runs where id < $1 and job = $3 order by id desc limit $2`, after, limit, *name)
	return runs, err
}

func countRuns(ctx context.Context, q postgres.Runner, name *string) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from job_runs where job = coalesce($1, job)`, name)
	return count, err
}

// selectNewest reads the newest run of each job, by its name.
func selectNewest(ctx context.Context, q postgres.Runner, names []string) (map[string]*Run, error) {
	var runs []*Run
	err := q.Select(ctx, &runs, `
		select `+runColumns+` from unnest($1::text[]) as named (name)
		cross join lateral (
			select `+runColumns+` from job_runs where job_runs.job = named.name order by id desc limit 1) as newest`, pq.StringArray(names))
	newest := map[string]*Run{}
	for _, run := range runs {
		newest[run.Job] = run
	}
	return newest, err
}

// pruneRuns deletes some of the runs that began before, but for the newest of each job, and returns how many.
func pruneRuns(ctx context.Context, db *postgres.DB, before time.Time, limit int) (int, error) {
	deleted := 0
	err := db.InTx(ctx, func(tx *postgres.Tx) error {
		count, err := tx.Exec(ctx, `
			delete from job_runs where id in (
				select id from job_runs
				where started_at < $1 and status <> 'RUNNING'
					and exists (select from job_runs as newer where newer.job = job_runs.job and newer.id > job_runs.id)
				order by id limit $2)`, before, limit)
		deleted = int(count)
		return err
	})
	return deleted, err
}

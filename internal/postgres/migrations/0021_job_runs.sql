-- What the timetable has taken up of each job: the last due time. Nothing at or before it is due any more. A job is written
-- here when it is first heard of, so that a new one does not make up for times before it.
create table jobs (
    name      text collate "C" primary key,
    due_after timestamptz not null
);

-- Runs of jobs. The one that is RUNNING is also what its batches are fenced by: each of them updates its row first, so none
-- is written once the row says that the run is over.
create table job_runs (
    id            uuid primary key,
    job           text collate "C" not null,
    status        text             not null check (status in ('RUNNING', 'SUCCEEDED', 'FAILED', 'INTERRUPTED')),
    scheduled_for timestamptz      not null,
    -- The how-manieth for its due time; null: it was asked for by started_by.
    attempt       int check (attempt > 0),
    started_by    text             not null,
    started_at    timestamptz      not null,
    finished_at   timestamptz,
    processed     int              not null default 0,
    total         int,
    error         text,
    constraint job_runs_finished check ((status = 'RUNNING') = (finished_at is null))
) with (fillfactor = 80);
-- The lock sees to both; these are what is left if anything is wrong with it.
create unique index job_runs_running on job_runs (job) where status = 'RUNNING';
create unique index job_runs_due on job_runs (job, scheduled_for, attempt);
create index job_runs_newest on job_runs (job, id);

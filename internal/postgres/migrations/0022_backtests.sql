-- Backtests are asked for, worked on by whichever server is free, and kept with what they found.
create table backtests (
    id           uuid        primary key,
    status       text        not null check (status in ('RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELED')),
    -- The rule that is tried, as it was written; null: only one is left out, or nothing is changed.
    draft        jsonb,
    replaces     uuid        references rules (id),
    period_from  timestamptz not null,
    period_to    timestamptz not null,
    requested_at timestamptz not null,
    requested_by text        not null,
    -- When a server last began it, and how often one did.
    started_at   timestamptz,
    attempts     int         not null default 0,
    finished_at  timestamptz,
    done         bigint      not null default 0,
    total        bigint,
    results      jsonb,
    error        text,
    constraint backtests_period check (period_from < period_to),
    constraint backtests_finished check ((status = 'RUNNING') = (finished_at is null)),
    constraint backtests_results check ((status = 'SUCCEEDED') = (results is not null)),
    constraint backtests_error check ((status = 'FAILED') = (error is not null))
);
create index backtests_running on backtests (id) where status = 'RUNNING';

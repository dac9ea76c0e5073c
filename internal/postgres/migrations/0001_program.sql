-- One program per database: its settings, and what every floor shares.

create table program (
    singleton      boolean primary key default true check (singleton),
    name           text        not null,
    currency       text        not null,
    time_zone      text        not null,
    default_locale text        not null,
    starts_at      timestamptz,
    -- Counts up whenever rules or tiers change, so that a process knows when what it has loaded is out of date.
    revision       bigint      not null,
    created_at     timestamptz not null
);

-- Who changed what: settings, members, rules. Holds ids, never personal data.
create table changes (
    id     uuid primary key,
    at     timestamptz not null,
    actor  text        not null,
    action text        not null,
    object text        not null,
    before jsonb,
    after  jsonb
);
create index changes_by_object on changes (object, id);

-- Keys of successful operations, kept for ever. The hash is of caller, operation and key: half the size and twice the
-- speed of an index over the texts.
create table idempotency_keys (
    hash        uuid primary key,
    caller      text        not null,
    operation   text        not null,
    key         text        not null,
    input_hash  uuid        not null,
    result      uuid        not null,
    recorded_at timestamptz not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

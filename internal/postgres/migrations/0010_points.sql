-- The whole life of a point: pending, holds, redemptions, expiry by policy, what returns give up.

-- The policies of a program, the newest last. What was earned under one keeps its expiry.
create table policies (
    version            int primary key check (version > 0),
    since              timestamptz not null,
    return_policy      text        not null check (return_policy in ('MAY_GO_NEGATIVE', 'WITHIN_BALANCE', 'ONLY_PENDING')),
    expiry_mode        text        not null check (expiry_mode in ('NEVER', 'AFTER_EARNING', 'AFTER_ACTIVATION', 'ON_DATE', 'INACTIVITY')),
    expiry_after       text,
    expiry_round_up_to text check (expiry_round_up_to in ('MONTH', 'YEAR')),
    expiry_on          date,
    constraint policies_expiry_after check ((expiry_mode in ('AFTER_EARNING', 'AFTER_ACTIVATION', 'INACTIVITY')) = (expiry_after is not null)),
    constraint policies_expiry_on check ((expiry_mode = 'ON_DATE') = (expiry_on is not null))
);

-- What is cached holds until the clock passes next_change_at or the member becomes idle, which is worked out from heard_at.
alter table accounts rename column next_expiry_at to next_change_at;
alter table accounts add column pending bigint not null default 0 check (pending >= 0);
alter table accounts add column held bigint not null default 0 check (held >= 0);
alter table accounts add column heard_at timestamptz;
update accounts set heard_at = recorded_at;
alter table accounts alter column heard_at set not null;

-- Null: not before it is confirmed.
alter table lots alter column available_at drop not null;
create index lots_expiring on lots (expires_at) where open and expires_at is not null;

alter table entries drop constraint entries_kind_check;
alter table entries add constraint entries_kind_check
    check (kind in ('ACCRUAL', 'REDEMPTION', 'REDEMPTION_CANCEL', 'EXPIRY', 'ADJUSTMENT', 'REVERSAL'));
-- Of a reversal, what of the accrual had lapsed and what was given up: both count as taken back.
alter table entries add column lapsed bigint not null default 0 check (lapsed >= 0);
alter table entries add column shortfall bigint not null default 0 check (shortfall >= 0);
-- Of a redemption, the hold that was captured.
alter table entries add column hold_sequence bigint;
-- What was asked for under an idempotency key and posted this, so that a retry is answered with it.
alter table entries add column operation_id uuid;

-- Points that come back to a lot are a draw of less than nothing. A debt may be paid from the same lot more than once.
alter table draws drop constraint draws_points_check;
alter table draws add constraint draws_points_check check (points <> 0);
alter table draws drop constraint draws_pkey;
alter table draws add primary key (member_id, entry_sequence, lot_sequence, posted_by);

-- Points set aside. They lower what remains of their lots while the hold is open; no entry tells of them before they are captured.
create table holds (
    member_id            uuid        not null,
    sequence             bigint      not null,
    id                   uuid        not null,
    points               bigint      not null check (points > 0),
    reason               text        not null,
    placed_by            text        not null,
    placed_at            timestamptz not null,
    ends_at              timestamptz not null,
    status               text        not null check (status in ('OPEN', 'CAPTURED', 'RELEASED', 'EXPIRED')),
    -- When it was recorded that the hold is over.
    closed_at            timestamptz,
    entry_sequence       bigint,
    -- The sale that was paid with it.
    purchase_source      text,
    purchase_external_id text,
    open                 boolean     not null,
    primary key (member_id, sequence),
    constraint holds_open check (open = (status = 'OPEN')),
    constraint holds_closed check (open = (closed_at is null)),
    constraint holds_captured check ((status = 'CAPTURED') = (entry_sequence is not null))
) with (fillfactor = 90);
create index holds_open_by_member on holds (member_id) where open;
create index holds_by_id on holds (id);
create index holds_ending on holds (ends_at) where open;

create table hold_draws (
    member_id     uuid   not null,
    hold_sequence bigint not null,
    lot_sequence  bigint not null,
    points        bigint not null check (points > 0),
    primary key (member_id, hold_sequence, lot_sequence)
);

-- That what a fact awarded "until confirmed" was confirmed.
create table confirmations (
    member_id         uuid        not null,
    sequence          bigint      not null,
    activity_sequence bigint      not null,
    recorded_at       timestamptz not null,
    confirmed_by      text        not null,
    primary key (member_id, sequence)
);

-- From when the points of an entry can be spent, as it was posted; null: it gave none, or not before they are confirmed.
alter table entries add column available_at timestamptz;

-- What was posted before could be spent at once.
alter table entries disable trigger entries_append_only;
update entries set available_at = recorded_at where points > 0;
alter table entries enable trigger entries_append_only;

-- How what a rule awards matures; periods as ISO 8601 writes them.
alter table rule_versions add column pending_for text;
alter table rule_versions add column pending_until_confirmed boolean not null default false;
alter table rule_versions add column expires_after text;
alter table rule_versions add constraint rule_versions_pending check (pending_for is null or not pending_until_confirmed);
create index entries_by_operation on entries (member_id, operation_id) where operation_id is not null;

-- Returns that were told before their purchases. Their keys are taken, and belong to nobody yet.
alter table activity_keys alter column member_id drop not null;
create table waiting_returns (
    hash                 uuid primary key,
    -- Under what the purchase will be found.
    purchase_hash        uuid        not null,
    source               text        not null,
    external_id          text        not null,
    purchase_source      text        not null,
    purchase_external_id text        not null,
    occurred_at          timestamptz not null,
    amount               bigint,
    lines                jsonb       not null,
    recorded_at          timestamptz not null
);
create index waiting_returns_by_purchase on waiting_returns (purchase_hash);

-- Of what it was told that it lapses soon: once for all that a member has that lapses at one instant.
create table announced_expiries (
    member_id  uuid        not null,
    expires_at timestamptz not null,
    primary key (member_id, expires_at)
);

-- The narrow row that every posting locks and every status reads. What is cached here holds until the clock passes
-- next_expiry_at, qualifying_until or tier_valid_until; none of it is indexed, so updates stay on the page.
create table accounts (
    member_id        uuid primary key,
    sequence         bigint      not null,
    recorded_at      timestamptz not null,
    balance          bigint      not null,
    debt             bigint      not null check (debt >= 0),
    next_expiry_at   timestamptz,
    tier_id          uuid        not null,
    tier_since       timestamptz not null,
    tier_valid_until timestamptz,
    ladder_version   int         not null,
    qualifying       bigint      not null,
    qualifying_until timestamptz
) with (fillfactor = 80);

create table entries (
    member_id         uuid        not null,
    sequence          bigint      not null,
    kind              text        not null check (kind in ('ACCRUAL', 'EXPIRY', 'ADJUSTMENT', 'REVERSAL')),
    points            bigint      not null,
    balance_after     bigint      not null,
    occurred_at       timestamptz not null,
    recorded_at       timestamptz not null,
    -- The cause: a fact or an adjustment. Of an expiry it is the lot that was drawn.
    activity_sequence bigint,
    adjustment_id     uuid,
    reverses          bigint,
    rule_id           uuid,
    rule_version      int,
    -- What the award was computed on, in minor units; returns take back their share of it.
    basis             bigint,
    qualifying        bigint      not null,
    qualifies_at      timestamptz not null,
    expires_at        timestamptz,
    primary key (member_id, sequence)
);
create index entries_by_activity on entries (member_id, activity_sequence) where activity_sequence is not null;
create index entries_by_reversed on entries (member_id, reverses) where reverses is not null;
create index entries_qualifying on entries (member_id, qualifies_at) include (qualifying) where qualifying <> 0;
create trigger entries_append_only before update or delete on entries
    for each row execute function refuse_change();
create trigger entries_never_truncated before truncate on entries
    for each statement execute function refuse_change();

-- A lot has the number of the entry that created it. Its index must not hang on remaining: every draw would then move the row.
create table lots (
    member_id    uuid        not null,
    sequence     bigint      not null,
    points       bigint      not null check (points > 0),
    remaining    bigint      not null,
    earned_at    timestamptz not null,
    available_at timestamptz not null,
    expires_at   timestamptz,
    open         boolean     not null,
    primary key (member_id, sequence),
    constraint lots_remaining check (remaining between 0 and points),
    constraint lots_open check (open = (remaining > 0))
) with (fillfactor = 90);
create index lots_open on lots (member_id) where open;

-- Which lots a debit took its points from. A debt is drawn later, from a lot that came after: posted_by is the entry that paid.
create table draws (
    member_id      uuid   not null,
    entry_sequence bigint not null,
    lot_sequence   bigint not null,
    points         bigint not null check (points > 0),
    posted_by      bigint not null,
    primary key (member_id, entry_sequence, lot_sequence)
);

-- What a debit could not find in any lot; the next accruals pay it, oldest debt first.
create table debts (
    member_id uuid    not null,
    sequence  bigint  not null,
    points    bigint  not null check (points > 0),
    remaining bigint  not null,
    open      boolean not null,
    primary key (member_id, sequence),
    constraint debts_remaining check (remaining between 0 and points),
    constraint debts_open check (open = (remaining > 0))
);
create index debts_open on debts (member_id) where open;

create table adjustments (
    id             uuid primary key,
    member_id      uuid        not null,
    entry_sequence bigint      not null,
    points         bigint      not null check (points <> 0),
    reason         text        not null,
    requested_at   timestamptz not null,
    requested_by   text        not null
);
create index adjustments_by_member on adjustments (member_id, id);

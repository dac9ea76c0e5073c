-- What points buy, and what was bought.

create table rewards (
    id                uuid primary key,
    name              text        not null,
    kind              text        not null check (kind in ('VOUCHER', 'PRODUCT', 'EXPERIENCE')),
    cost              bigint      not null check (cost > 0),
    -- Null: there is no limit. What is left is supply - taken, and never less than nothing.
    supply            bigint check (supply >= 0),
    -- How many redemptions have taken one from the supply and not given it back.
    taken             bigint      not null default 0 check (taken >= 0),
    per_member_limit  int check (per_member_limit > 0),
    min_tier_id       uuid,
    available_from    timestamptz,
    available_until   timestamptz,
    voucher_valid_for text,
    created_at        timestamptz not null,
    archived_at       timestamptz,
    constraint rewards_stock check (taken <= supply),
    constraint rewards_window check (available_from < available_until),
    constraint rewards_voucher check (voucher_valid_for is null or kind = 'VOUCHER')
) with (fillfactor = 80);

-- A member's redemptions, each with the number of the entry that paid for it.
create table redemptions (
    member_id       uuid        not null,
    sequence        bigint      not null,
    id              uuid        not null,
    reward_id       uuid        not null,
    -- What the reward was called then.
    reward_name     text        not null,
    -- Whether one was taken from the reward's supply, which a cancel gives back.
    from_supply     boolean     not null,
    voucher_code    text,
    redeemed_at     timestamptz not null,
    redeemed_by     text        not null,
    -- From when the voucher cannot be used any more; null: never.
    expires_at      timestamptz,
    used_at         timestamptz,
    used_by         text,
    canceled_at     timestamptz,
    canceled_by     text,
    cancel_reason   text,
    -- The entry that gave the points back.
    cancel_sequence bigint,
    primary key (member_id, sequence),
    constraint redemptions_once check (used_at is null or canceled_at is null),
    constraint redemptions_used check ((used_at is null) = (used_by is null)),
    constraint redemptions_voucher check (voucher_code is not null or (used_at is null and expires_at is null)),
    constraint redemptions_canceled check (
        num_nonnulls(canceled_at, canceled_by, cancel_reason, cancel_sequence) in (0, 4))
) with (fillfactor = 90);
create index redemptions_by_id on redemptions (id);
-- How many of a reward a member has had.
create index redemptions_kept on redemptions (member_id, reward_id) where canceled_at is null;

-- Keyed by what a till reads, and without foreign keys, so that members can be spread over machines by their id.
create table voucher_codes (
    code      text collate "C" primary key,
    member_id uuid   not null,
    sequence  bigint not null
);

-- Tiers complete: the policy, benefits that count, tiers given by hand, edits of the ladder.

-- How qualifying points count and how long tiers last, the newest last. Before the first one the default policy is in force.
create table tier_policies (
    version   int primary key check (version > 0),
    since     timestamptz not null,
    period    text        not null check (period in ('ROLLING', 'CALENDAR_YEAR', 'MEMBERSHIP_YEAR', 'LIFETIME')),
    months    int check (months > 0),
    validity  text        not null,
    start     text        not null check (start in ('AT_ONCE', 'NEXT_PERIOD')),
    downgrade text        not null check (downgrade in ('REQUALIFY', 'ONE_STEP', 'NEVER')),
    grace     text        not null,
    constraint tier_policies_months check ((period = 'ROLLING') = (months is not null))
);

-- What a version did to the members there were, and until when nobody falls.
alter table ladders add column mode text not null default 'NOW' check (mode in ('AT_NEXT_REVIEW', 'NOW'));
alter table ladders alter column mode drop default;
alter table ladders add column protect_until timestamptz;

-- In millionths; an ISO 8601 duration.
alter table ladder_tiers add column multiplier bigint check (multiplier > 1000000);
alter table ladder_tiers add column early_booking text;

-- A move tells all of the standing that it leads to: what is held, and where that differs, what was earned.
alter table tier_moves add column earned_tier_id uuid;
alter table tier_moves add column grace_until timestamptz;
alter table tier_moves add column coming_tier_id uuid;
alter table tier_moves add column coming_at timestamptz;
alter table tier_moves add column floor_tier_id uuid;
alter table tier_moves add column floor_until timestamptz;
alter table tier_moves add constraint tier_moves_coming check ((coming_tier_id is null) = (coming_at is null));
alter table tier_moves add constraint tier_moves_floor check ((floor_tier_id is null) = (floor_until is null));
alter table tier_moves drop constraint tier_moves_reason_check;
alter table tier_moves add constraint tier_moves_reason_check check (reason in ('ENROLLED', 'REACHED', 'STARTED', 'LADDER_CHANGED',
    'PROTECTED', 'REQUALIFIED', 'KEPT', 'LAPSED', 'FLOOR_SET', 'FLOOR_CLEARED', 'FLOOR_ENDED'));
create index tier_moves_by_ladder on tier_moves (ladder_version) where reason = 'LADDER_CHANGED';

alter table accounts add column joined_at timestamptz;
alter table accounts add column tier_earned_id uuid;
alter table accounts add column tier_grace_until timestamptz;
alter table accounts add column tier_coming_id uuid;
alter table accounts add column tier_coming_at timestamptz;
alter table accounts add column tier_floor_id uuid;
alter table accounts add column tier_floor_until timestamptz;
-- When the clock changes the standing.
alter table accounts add column review_at timestamptz;
-- From now on ladder_version is up to which version changes of the ladder are decided.
update accounts set joined_at = members.joined_at, review_at = accounts.tier_valid_until,
    ladder_version = greatest(accounts.ladder_version, (select max(version) from ladders as done
        where not exists (select from ladders as open where open.version <= done.version and open.promoted_at is null)))
from members where members.id = accounts.member_id;
alter table accounts alter column joined_at set not null;
create index accounts_to_review on accounts (review_at) where review_at is not null;

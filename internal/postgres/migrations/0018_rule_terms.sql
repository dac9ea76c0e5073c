alter table rule_versions
    add column award_line_condition   text,
    add column award_carry_remainder  boolean not null default false,
    -- A list of {days, from, until}, e.g. {"days": ["TUESDAY"], "from": "14:00", "until": "17:00"}.
    add column windows                jsonb   not null default '[]',
    add column basis_before_discounts boolean not null default false,
    add column basis_paid_with_points boolean not null default false,
    -- A list of {scope, period, points or times}, e.g. {"scope": "MEMBER", "period": "WEEK", "points": 500}.
    add column limits                 jsonb   not null default '[]',
    add column budget                 bigint check (budget > 0),
    add column stacking               text    not null default 'ADD' check (stacking in ('ADD', 'BEST_OF', 'EXCLUSIVE'));
alter table rule_versions add constraint rule_versions_per_line
    check (award_points is not null or award_line_condition is null and not award_carry_remainder);

-- What a rule awarded a member, less what was taken back, in the windows of its limits: by when facts occurred. A window that
-- never ends starts on the first day of all.
create table rule_counters (
    member_id uuid   not null,
    rule_id   uuid   not null,
    period    text   not null check (period in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'LIFETIME')),
    starts_on date   not null,
    points    bigint not null check (points >= 0),
    times     bigint not null check (times >= 0),
    primary key (member_id, rule_id, period, starts_on)
) with (fillfactor = 80);

-- The same over all members. Whoever awards locks these rows, last of all.
create table program_counters (
    rule_id   uuid   not null,
    period    text   not null check (period in ('DAY', 'WEEK', 'MONTH', 'YEAR', 'LIFETIME')),
    starts_on date   not null,
    points    bigint not null check (points >= 0),
    times     bigint not null check (times >= 0),
    primary key (rule_id, period, starts_on)
) with (fillfactor = 80);

-- What of a member's purchases has not filled a step yet of a rule that carries over, so many points for every so much: in minor
-- units.
create table rule_remainders (
    member_id uuid   not null,
    rule_id   uuid   not null,
    points    bigint not null check (points > 0),
    every     bigint not null check (every > 0),
    remainder bigint not null check (remainder >= 0),
    primary key (member_id, rule_id, points, every)
) with (fillfactor = 80);

-- How many points of what a purchase desired of a rule that carries over were lost by returns, of it or of others, whether or
-- not limits had granted them.
create table rule_absorptions (
    member_id uuid   not null,
    sequence  bigint not null,
    rule_id   uuid   not null,
    points    bigint not null check (points > 0),
    primary key (member_id, sequence, rule_id)
);

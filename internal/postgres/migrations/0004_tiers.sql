-- The ladder of tiers, one row a version: versions never change, so that every move can be replayed.
create table ladders (
    version        int primary key check (version > 0),
    created_at     timestamptz not null,
    -- How far its promotions have come, in the order of member ids; promoted_at is set when all are done.
    promoted_until uuid,
    promoted_at    timestamptz
);

create table ladder_tiers (
    version   int    not null references ladders (version),
    tier_id   uuid   not null,
    name      text   not null,
    rank      int    not null check (rank >= 0),
    threshold bigint not null check (threshold >= 0),
    benefits  text[] not null,
    primary key (version, tier_id),
    constraint ladder_tiers_rank unique (version, rank),
    constraint ladder_tiers_threshold unique (version, threshold)
);
create unique index ladder_tiers_name on ladder_tiers (version, lower(name));

create table tier_moves (
    member_id      uuid        not null,
    sequence       bigint      not null,
    at             timestamptz not null,
    recorded_at    timestamptz not null,
    from_tier_id   uuid,
    to_tier_id     uuid        not null,
    reason         text        not null check (reason in ('ENROLLED', 'REACHED', 'LADDER_CHANGED', 'REQUALIFIED', 'LAPSED')),
    ladder_version int         not null,
    valid_until    timestamptz,
    primary key (member_id, sequence)
);
create trigger tier_moves_append_only before update or delete on tier_moves
    for each row execute function refuse_change();
create trigger tier_moves_never_truncated before truncate on tier_moves
    for each statement execute function refuse_change();

-- A new program has one tier.
insert into ladders (version, created_at, promoted_at) values (1, now(), now());
insert into ladder_tiers (version, tier_id, name, rank, threshold, benefits) values (1, gen_random_uuid(), 'Member', 0, 0, '{}');

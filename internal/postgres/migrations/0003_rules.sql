create table rules (
    id         uuid primary key,
    created_at timestamptz not null
);

create table rule_versions (
    rule_id          uuid        not null references rules (id),
    version          int         not null check (version > 0),
    name             text        not null,
    trigger          text        not null,
    condition        text,
    -- Exactly one award: fixed points; points for every so many minor units; or a multiplier in millionths.
    award_fixed      bigint check (award_fixed > 0),
    award_points     bigint check (award_points > 0),
    award_every      bigint check (award_every > 0),
    award_rounding   text check (award_rounding in ('FLOOR', 'HALF_UP', 'CEIL')),
    award_multiplier bigint check (award_multiplier > 1000000),
    qualifying       boolean     not null,
    starts_at        timestamptz,
    ends_at          timestamptz,
    priority         int         not null,
    -- A published version serves facts that occurred from effective_from (null: the beginning of time) until the next
    -- version's, and were recorded from published_at on.
    effective_from   timestamptz,
    published_at     timestamptz,
    created_at       timestamptz not null,
    primary key (rule_id, version),
    constraint rule_versions_one_award check (num_nonnulls(award_fixed, award_points, award_multiplier) = 1),
    constraint rule_versions_per_amount check (num_nonnulls(award_points, award_every, award_rounding) in (0, 3)),
    constraint rule_versions_schedule check (ends_at > starts_at),
    constraint rule_versions_published check (published_at is not null or effective_from is null)
);

create function refuse_published_change() returns trigger language plpgsql as $$
begin
    if old.published_at is not null then
        raise exception 'a published rule version never changes' using errcode = 'restrict_violation';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end
$$;
create trigger rule_versions_published_never_change before update or delete on rule_versions
    for each row execute function refuse_published_change();

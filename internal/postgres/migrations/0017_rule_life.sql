-- From when on a rule earns nothing any more, by when facts occurred.
alter table rules add column ended_at timestamptz;

create trigger rules_ended_for_ever before update on rules
    for each row when (old.ended_at is not null) execute function refuse_change();
create trigger rules_never_deleted before delete or truncate on rules
    for each statement execute function refuse_change();
-- Drafts are revised by a next one and stay.
create trigger rule_versions_never_deleted before delete or truncate on rule_versions
    for each statement execute function refuse_change();

-- While paused, [paused_at, resumed_at) by when facts occurred, a rule earns nothing.
create table rule_pauses (
    rule_id    uuid        not null references rules (id),
    number     int         not null check (number > 0),
    paused_at  timestamptz not null,
    resumed_at timestamptz,
    primary key (rule_id, number),
    constraint rule_pauses_interval check (resumed_at >= paused_at)
);
create unique index rule_pauses_open on rule_pauses (rule_id) where resumed_at is null;

create trigger rule_pauses_resumed_once before update on rule_pauses
    for each row when (old.resumed_at is not null) execute function refuse_change();
create trigger rule_pauses_never_deleted before delete or truncate on rule_pauses
    for each statement execute function refuse_change();

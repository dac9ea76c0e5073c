-- What a program sets by itself, and adjustments that a second person decides about.

-- What a point costs the program, in minor units; null: not said.
alter table program add column cost_per_point bigint check (cost_per_point >= 0);

-- How many points a day somebody of a role moves alone; a role that is not here, as many as it likes.
create table adjustment_caps (
    role           text   primary key check (role in ('SUPPORT', 'ADMIN')),
    points_per_day bigint not null check (points_per_day >= 0)
);

-- Those from before had nobody to wait for.
alter table adjustments add column status text not null default 'POSTED' check (status in ('POSTED', 'WAITING', 'DECLINED'));
alter table adjustments alter column status drop default;
alter table adjustments alter column entry_sequence drop not null;
-- When points that are given lapse.
alter table adjustments add column expires_at timestamptz;
update adjustments set expires_at = entries.expires_at
    from entries where entries.member_id = adjustments.member_id and entries.sequence = adjustments.entry_sequence;
-- The second person; null: none was asked, or none has answered yet.
alter table adjustments add column reviewed_at timestamptz;
alter table adjustments add column reviewed_by text;
alter table adjustments add column review_note text;
-- Who took it back, and the entry that did.
alter table adjustments add column reversed_at timestamptz;
alter table adjustments add column reversed_by text;
alter table adjustments add column reversal_reason text;
alter table adjustments add column reversal_sequence bigint;
alter table adjustments add constraint adjustments_posted check ((status = 'POSTED') = (entry_sequence is not null));
alter table adjustments add constraint adjustments_reviewed
    check ((reviewed_at is null) = (reviewed_by is null) and (status <> 'DECLINED' or reviewed_at is not null) and (status <> 'WAITING' or reviewed_at is null));
alter table adjustments add constraint adjustments_two_persons check (reviewed_by <> requested_by);
alter table adjustments add constraint adjustments_reversed
    check ((reversed_at is null) = (reversed_by is null) and (reversed_at is null) = (reversal_reason is null)
        and (reversed_at is null) = (reversal_sequence is null) and (reversed_at is null or status = 'POSTED'));
-- What somebody moved alone on a day.
create index adjustments_by_requester on adjustments (requested_by, requested_at) where status = 'POSTED' and reviewed_at is null;
create index adjustments_by_reverser on adjustments (reversed_by, reversed_at) where reversed_at is not null;
create index adjustments_by_status on adjustments (status, id);

-- Who comes: bookings, what happened at the door, and what coming is worth.

-- A member's place in one occurrence. Seats of those that hold them are counted in the occurrence's row, whose lock comes first.
create table bookings (
    id                           uuid primary key,
    occurrence_id                uuid        not null,
    member_id                    uuid        not null,
    seats                        int         not null check (seats > 0),
    status                       text        not null check (status in ('REQUESTED', 'DECLINED', 'CONFIRMED', 'WAITLISTED', 'OFFERED',
        'OFFER_EXPIRED', 'CANCELED_BY_MEMBER', 'CANCELED_BY_HOST', 'ATTENDED', 'NO_SHOW')),
    booked_at                    timestamptz not null,
    booked_by                    text        not null,
    -- The last time that the status changed.
    changed_at                   timestamptz not null,
    -- From when on it has waited for seats.
    waiting_since                timestamptz,
    offer_expires_at             timestamptz,
    -- Its occurrence was moved then, and the member has not answered since.
    reconfirmation_requested_at  timestamptz,
    -- The earliest time that its ticket was shown at the door.
    checked_in_at                timestamptz,
    -- Why a host declined or removed it, or the member canceled.
    reason                       text,
    constraint bookings_waiting check (status <> 'WAITLISTED' or waiting_since is not null),
    constraint bookings_offered check (status <> 'OFFERED' or offer_expires_at is not null)
) with (fillfactor = 80);
-- One live booking of a member in an occurrence.
create unique index bookings_live on bookings (occurrence_id, member_id)
    where status in ('REQUESTED', 'CONFIRMED', 'WAITLISTED', 'OFFERED', 'ATTENDED', 'NO_SHOW');
create index bookings_by_occurrence on bookings (occurrence_id, id);
create index bookings_by_member on bookings (member_id, id);
create index bookings_waitlisted on bookings (occurrence_id) where status = 'WAITLISTED';
create index bookings_offered on bookings (offer_expires_at) where status = 'OFFERED';
create index bookings_missed on bookings (member_id) where status = 'NO_SHOW';
-- No booking disappears.
create trigger bookings_never_deleted before delete on bookings for each row execute function refuse_change();
create trigger bookings_never_truncated before truncate on bookings for each statement execute function refuse_change();

-- What was done at a door with a ticket, in the order in which we learned of it. It never changes.
create table scans (
    id            uuid primary key,
    occurrence_id uuid        not null,
    -- Null: the ticket was none.
    booking_id    uuid,
    result        text        not null check (result in ('ADMITTED', 'ALREADY_IN', 'NOT_BOOKED', 'WRONG_OCCURRENCE', 'CANCELED',
        'INVALID_TICKET', 'TOO_EARLY')),
    offline       boolean     not null,
    scanned_at    timestamptz not null,
    recorded_at   timestamptz not null,
    scanned_by    text        not null
);
create index scans_by_occurrence on scans (occurrence_id, id);
create trigger scans_append_only before update or delete on scans for each row execute function refuse_change();
create trigger scans_never_truncated before truncate on scans for each statement execute function refuse_change();

-- That a member came, on its way into the books: a fact each, numbered by booking. What was corrected is taken back there.
create table attendances (
    booking_id    uuid        not null,
    number        int         not null,
    occurrence_id uuid        not null,
    member_id     uuid        not null,
    -- When the member came: the check-in, else the start.
    occurred_at   timestamptz not null,
    -- What is given for coming without a rule; null: nothing. Null: it never lapses.
    points        bigint check (points > 0),
    expires_at    timestamptz,
    status        text        not null check (status in ('DUE', 'RECORDED', 'REVOKING', 'REVOKED', 'REFUSED')),
    -- The fact's number, and what gave the points.
    activity_sequence bigint,
    adjustment_id uuid,
    -- Why it was refused: a problem's code.
    refusal       text,
    primary key (booking_id, number),
    constraint attendances_recorded check (status <> 'RECORDED' or activity_sequence is not null),
    constraint attendances_refused check (status <> 'REFUSED' or refusal is not null)
) with (fillfactor = 80);
create index attendances_open on attendances (occurrence_id, booking_id, number) where status in ('DUE', 'REVOKING');

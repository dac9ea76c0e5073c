-- What the club does, and when it takes place.

-- An event: what it is, and the plan of its dates. What takes place is its occurrences.
create table events (
    id                     uuid primary key,
    -- Whose event it is: the name of a caller.
    owner                  text        not null,
    name                   text        not null,
    description            text,
    status                 text        not null check (status in ('DRAFT', 'PUBLISHED', 'CANCELED')),
    time_zone              text        not null,
    -- The first date, by the clocks of the zone, and the rule of those behind it; null: there are no others by a rule.
    starts_local           timestamp   not null,
    recurrence             text,
    excluded_dates         timestamp[] not null default '{}',
    added_dates            timestamp[] not null default '{}',
    -- Up to where the plan's dates are occurrences; null: all of them are.
    materialized_to        timestamptz,
    -- How dates that are no occurrences yet take place: by how much later than the rule says (by clocks), and the rest.
    shift_seconds          bigint      not null default 0,
    duration               text        not null,
    venue                  text,
    capacity               int         check (capacity > 0),
    -- The last change of anything in the event; calendars tell by it which of two versions is newer.
    sequence               int         not null default 0,
    -- How often the rest of the series went its own way; dates of one part are one series in a calendar.
    part                   int         not null default 0,
    -- How it is booked. Null: everybody from publishing on.
    booking_windows        jsonb,
    requires_approval      boolean     not null,
    waitlist               boolean     not null,
    seats_per_booking      int         not null check (seats_per_booking > 0),
    -- Before the start; null: until the end.
    booking_closes_before  text,
    -- Before the start; null: until the start.
    cancel_closes_before   text,
    offer_valid_for        text        not null,
    check_in_opens_before  text        not null,
    attendance_points      bigint      check (attendance_points > 0),
    created_at             timestamptz not null,
    changed_at             timestamptz not null,
    published_at           timestamptz,
    canceled_at            timestamptz,
    cancel_reason          text,
    constraint events_published check (status <> 'PUBLISHED' or published_at is not null),
    constraint events_canceled check ((status = 'CANCELED') = (canceled_at is not null) and (canceled_at is null) = (cancel_reason is null))
);
create index events_by_owner on events (owner);
-- Those whose plan goes on beyond what is materialized.
create index events_to_materialize on events (materialized_to) where materialized_to is not null and status <> 'CANCELED';

-- Who organizes an event besides its owner.
create table event_organizers (
    event_id  uuid        not null,
    organizer text        not null,
    shared_at timestamptz not null,
    shared_by text        not null,
    primary key (event_id, organizer)
);
create index event_organizers_by_organizer on event_organizers (organizer);

-- When an event takes place. The row is the lock of its seats: who takes or frees one holds it.
create table occurrences (
    id            uuid primary key,
    event_id      uuid        not null,
    -- The date in the plan, by the clocks of the event's zone: it stays whatever becomes of the occurrence.
    planned_local timestamp   not null,
    -- Whether the date was added to the rule's.
    added         boolean     not null,
    part          int         not null,
    starts_local  timestamp   not null,
    starts_at     timestamptz not null,
    ends_at       timestamptz not null,
    duration      text        not null,
    venue         text,
    -- Null: as many as come.
    capacity      int,
    -- Seats of bookings whose status holds them, offers among them.
    seats_taken   int         not null default 0,
    -- Bookings that wait, without those that have an offer.
    waitlisted    int         not null default 0 check (waitlisted >= 0),
    status        text        not null check (status in ('SCHEDULED', 'CANCELED', 'COMPLETED')),
    sequence      int         not null,
    -- What was changed of this one alone, and a change of the others leaves as it is.
    own_start     boolean     not null default false,
    own_duration  boolean     not null default false,
    own_venue     boolean     not null default false,
    own_capacity  boolean     not null default false,
    -- The last time that it was moved.
    moved_at      timestamptz,
    changed_at    timestamptz not null,
    canceled_at   timestamptz,
    cancel_reason text,
    completed_at  timestamptz,
    constraint occurrences_seats check (seats_taken >= 0 and seats_taken <= capacity),
    constraint occurrences_times check (starts_at < ends_at),
    constraint occurrences_canceled check ((status = 'CANCELED') = (canceled_at is not null) and (canceled_at is null) = (cancel_reason is null)),
    constraint occurrences_completed check ((status = 'COMPLETED') = (completed_at is not null)),
    constraint occurrences_planned_once unique (event_id, planned_local)
) with (fillfactor = 80);
create index occurrences_by_event on occurrences (event_id, starts_at, id);
create index occurrences_by_start on occurrences (starts_at, id);

-- What members changed of the secret addresses of their calendars, which are reckoned from the signing keys. Who has no row
-- has the first one, of generation 0.
create table calendar_links (
    member_id  uuid        primary key,
    -- The one that is good; those before it are not any more.
    generation int         not null check (generation > 0),
    -- False: none is.
    active     boolean     not null,
    changed_at timestamptz not null
);

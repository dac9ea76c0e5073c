-- Care: what members are told, why, and why not.

-- The day of the year of a birth, as month * 100 + day, and that of joining, by UTC: a day's birthdays are found by index.
alter table members add column birthday smallint
    generated always as ((extract(month from birth_date) * 100 + extract(day from birth_date))::smallint) stored;
alter table members add column joining_day smallint
    generated always as ((extract(month from joined_at at time zone 'UTC') * 100 + extract(day from joined_at at time zone 'UTC'))::smallint) stored;
create index members_by_birthday on members (birthday, id) where birthday is not null;
create index members_by_joining_day on members (joining_day, id);
-- Where members are from: their holidays.
create index members_by_origin on members (locale, time_zone);
-- Where the member lived before, and until when: a day that is over where it lives now may not have been there.
alter table members add column earlier_time_zone text;
alter table members add column time_zone_changed_at timestamptz;
-- Since when the birth date is what it is: a birthday that was over by then is not told late.
alter table members add column birth_date_changed_at timestamptz;

-- The tiers that end on a day.
create index accounts_tier_ending on accounts (tier_valid_until, member_id) where tier_valid_until is not null;

-- The contact policy, and which day a birthday on 29 February is in other years.
alter table program add column care jsonb not null default '{}';

-- What is said on an occasion.
create table care_campaigns (
    id             uuid        primary key,
    name           text        not null,
    occasion       text        not null,
    class          text        not null check (class in ('SERVICE', 'CARE', 'MARKETING', 'COMMUNITY')),
    channels       text[]      not null,
    templates      jsonb       not null,
    -- What the member's clocks show, as HH:MM.
    send_at        text        not null,
    -- A signed duration of ISO 8601.
    shift          text        not null,
    holidays       text[]      not null default '{}',
    gift_points    bigint      check (gift_points > 0),
    -- A duration of ISO 8601; null: gifts never lapse.
    gift_valid_for text,
    enabled        boolean     not null,
    -- Since when it is: it is about no occasion whose time was over by then.
    enabled_at     timestamptz,
    -- Everything that was due by then is decided.
    decided_at     timestamptz,
    version        int         not null default 1,
    created_at     timestamptz not null,
    changed_at     timestamptz not null,
    constraint care_campaigns_enabled check (not enabled or enabled_at is not null and decided_at is not null)
);

-- What happened to members that campaigns are about: heard of by notices, in the transaction that reads these.
create table happenings (
    member_id uuid        not null,
    occasion  text        not null,
    -- Which one, e.g. the tier that was reached.
    subject   text        not null,
    at        timestamptz not null,
    details   jsonb       not null default '{}',
    primary key (member_id, occasion, subject)
);
create index happenings_by_time on happenings (occasion, at, member_id);

-- Since when a member may not have been heard of, as a day by UTC: never later than it was, and looked up when it matters.
create table hearings (
    member_id uuid primary key,
    heard_on  date not null
);
create index hearings_by_day on hearings (heard_on, member_id);
insert into hearings select member_id, (heard_at at time zone 'UTC')::date from accounts;

-- One row for each occasion, member and channel, also for what was not sent.
create table messages (
    member_id       uuid        not null,
    id              uuid        not null,
    campaign_id     uuid        not null,
    occasion        text        not null,
    -- The occasion once and for all, e.g. birthday:2026.
    occasion_key    text        not null,
    -- Its day where the member lives.
    occasion_date   date        not null,
    class           text        not null,
    channel         text        not null check (channel in ('EMAIL', 'WEBHOOK', 'INBOX')),
    status          text        not null
        check (status in ('QUEUED', 'DEFERRED', 'SUPPRESSED', 'SENDING', 'SENT', 'DELIVERED', 'BOUNCED', 'FAILED', 'EXPIRED')),
    -- Why it was not sent, or later: a code, and for people what is behind it.
    reason          text,
    detail          text,
    locale          text        not null,
    subject         text,
    body            text        not null,
    html            text,
    created_at      timestamptz not null,
    -- It is sent between these, [send_after, send_before).
    send_after      timestamptz not null,
    send_before     timestamptz not null,
    -- When a sender takes it next; null: it is done with.
    due_at          timestamptz,
    attempts        int         not null default 0,
    -- When a sender took it, and when it began to hand it over: what was handed over and not noted may have arrived.
    claimed_at      timestamptz,
    handed_at       timestamptz,
    -- How often it was sent again although it may have arrived.
    uncertain       int         not null default 0,
    sent_at         timestamptz,
    read_at         timestamptz,
    primary key (member_id, id),
    constraint messages_once unique (member_id, occasion_key, channel),
    constraint messages_due check ((status in ('QUEUED', 'DEFERRED', 'SENDING')) = (due_at is not null)),
    constraint messages_reason check (status <> 'SUPPRESSED' or reason is not null)
) with (fillfactor = 80);
create index messages_by_id on messages (id);
create index messages_to_send on messages (channel, due_at) where due_at is not null;
create index messages_by_campaign on messages (campaign_id, status, reason) include (uncertain);
create index messages_inbox on messages (member_id, id) where channel = 'INBOX' and status = 'DELIVERED';
create index messages_unread on messages (member_id) where channel = 'INBOX' and status = 'DELIVERED' and read_at is null;
create index messages_by_time on messages (created_at);

-- Points that came with a greeting: once for each occasion and year.
create table gifts (
    member_id      uuid        not null,
    occasion_key   text        not null,
    campaign_id    uuid        not null,
    points         bigint      not null check (points > 0),
    expires_at     timestamptz,
    given_at       timestamptz not null,
    adjustment_id  uuid        not null,
    primary key (member_id, occasion_key)
);

-- Who allowed and refused what: the newest row of a class and channel says how it is.
create table consents (
    member_id    uuid        not null,
    -- Numbered where nobody else says something about the member: later ones are higher, whatever clocks show.
    sequence     bigint      not null check (sequence > 0),
    class        text        not null check (class in ('CARE', 'MARKETING', 'COMMUNITY')),
    channel      text        not null check (channel in ('EMAIL', 'WEBHOOK')),
    granted      boolean     not null,
    -- Where it was said, and which words the member agreed to.
    source       text        not null,
    text_version text,
    at           timestamptz not null,
    actor        text        not null,
    primary key (member_id, sequence)
);
create index consents_newest on consents (member_id, class, channel, sequence desc);
create trigger consents_append_only before update or delete on consents for each row execute function refuse_change();
create trigger consents_never_truncated before truncate on consents for each statement execute function refuse_change();

-- Addresses that a mail server has refused for good, by hash: a member that names another one is written to again.
create table refused_addresses (
    member_id    uuid        not null,
    address_hash bytea       not null check (length(address_hash) = 32),
    reason       text        not null,
    refused_at   timestamptz not null,
    primary key (member_id, address_hash)
);

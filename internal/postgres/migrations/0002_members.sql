create table members (
    id           uuid primary key,
    number       text        not null,
    external_id  text,
    status       text        not null check (status in ('ACTIVE', 'SUSPENDED')),
    display_name text,
    email        text,
    phone        text,
    birth_date   date,
    locale       text        not null,
    time_zone    text        not null,
    joined_at    timestamptz not null,
    attributes   jsonb       not null,
    recorded_at  timestamptz not null
);
create index members_by_name on members ((lower(display_name)) collate "C");

-- What a member is found by: NUMBER, EXTERNAL_ID, EMAIL (in lower case), PHONE. Keyed by the thing looked up and without
-- foreign keys, so that members can be spread over machines by their id.
create table member_keys (
    kind      text not null check (kind in ('NUMBER', 'EXTERNAL_ID', 'EMAIL', 'PHONE')),
    value     text collate "C" not null,
    member_id uuid not null,
    primary key (kind, value)
);

-- Programs that call the API: tills, web shops, partners.
create table clients (
    id           uuid primary key,
    name         text        not null,
    scopes       text[]      not null,
    created_at   timestamptz not null,
    -- To about a minute: a request is not kept waiting for it.
    last_used_at timestamptz,
    revoked_at   timestamptz
);
create unique index clients_name on clients (name) where revoked_at is null;

-- What clients sign in with. A key is there for as long as it may be good: it is deleted when its client is revoked, and
-- with the next rotation after its end.
create table client_keys (
    -- The public part of the key, by which it is found.
    id          text collate "C" primary key,
    client_id   uuid        not null references clients (id),
    secret_hash bytea       not null check (length(secret_hash) = 32),
    created_at  timestamptz not null,
    -- Good before this instant; null: the client's current key.
    expires_at  timestamptz
);
create index client_keys_by_client on client_keys (client_id);
create unique index client_keys_current on client_keys (client_id) where expires_at is null;

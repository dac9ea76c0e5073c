-- Ed25519 keys that sign what the program gives out to know it again, shared by all servers.
create table signing_keys (
    id         text collate "C" primary key,
    created_at timestamptz not null,
    public     bytea       not null check (length(public) = 32),
    -- Only the key that signs has its private half; what the others signed can still be verified.
    private    bytea check (length(private) = 32),
    -- Since when nothing that it signed is good any more.
    retired_at timestamptz,
    constraint signing_keys_retired check (retired_at is null or private is null)
);
-- One key signs.
create unique index signing_keys_signing on signing_keys ((true)) where private is not null;

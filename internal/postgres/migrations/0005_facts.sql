-- Facts as they came. Rows of a member carry its id and a number from its account's sequence.
create table activities (
    member_id         uuid        not null,
    sequence          bigint      not null,
    type              text        not null,
    source            text        not null,
    external_id       text        not null,
    occurred_at       timestamptz not null,
    recorded_at       timestamptz not null,
    -- Of a purchase its worth, of a return what came back, in minor units of the program's currency.
    total             bigint,
    -- Of a return, the purchase it belongs to.
    purchase_sequence bigint,
    attributes        jsonb       not null,
    primary key (member_id, sequence)
);
create index activities_by_purchase on activities (member_id, purchase_sequence) where purchase_sequence is not null;
create trigger activities_append_only before update or delete on activities
    for each row execute function refuse_change();
create trigger activities_never_truncated before truncate on activities
    for each statement execute function refuse_change();

-- Every (source, external id) is recorded once, whoever claims it. The hash is of both.
create table activity_keys (
    hash       uuid primary key,
    member_id  uuid not null,
    -- Null only within the transaction that records the fact.
    sequence   bigint,
    input_hash uuid not null
) with (fillfactor = 80);

create table purchase_lines (
    member_id uuid   not null,
    sequence  bigint not null,
    line      int    not null,
    id        text   not null,
    sku       text   not null,
    quantity  bigint not null check (quantity <> 0),
    amount    bigint not null,
    discount  bigint,
    category  text,
    brand     text,
    primary key (member_id, sequence, line)
);

create table return_lines (
    member_id         uuid   not null,
    sequence          bigint not null,
    purchase_sequence bigint not null,
    line              int    not null,
    quantity          bigint not null,
    amount            bigint not null,
    primary key (member_id, sequence, line)
);
create index return_lines_by_purchase on return_lines (member_id, purchase_sequence);

-- Why: one row a fact that rules were asked about. The outcomes hold rule versions and codes; sentences are made when read.
create table evaluations (
    member_id  uuid   not null,
    sequence   bigint not null,
    points     bigint not null,
    qualifying bigint not null,
    outcomes   jsonb  not null,
    primary key (member_id, sequence)
);

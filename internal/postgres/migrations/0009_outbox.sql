-- Notices for others, written in the transaction of their cause. They are read over all members in the order of their ids,
-- and deleted by ranges of them; nobody looks for a member's. So here the id leads, not the member.
create table notices (
    id          bigint generated always as identity primary key,
    -- Null: not about a member.
    member_id   uuid,
    type        text        not null,
    -- Of the payload's shape.
    version     int         not null check (version > 0),
    payload     jsonb       not null,
    recorded_at timestamptz not null
);

-- How far each consumer has read. Nobody puts a notice at or before the fence any more once the transaction that set the
-- fence is older than all that are open.
create table notice_consumers (
    name              text primary key,
    read_to           bigint not null,
    fence             bigint not null,
    fence_transaction xid8   not null
);

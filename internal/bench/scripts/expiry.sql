\set first random(1, :lapsing - :batch + 1)
begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select member_id from lots where open and expires_at <= :lapse order by expires_at limit :batch;
select array_agg(member_id)::text as due from bench_members where n >= :first and n < :first::bigint + :batch \gset
select member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = any(:due::uuid[]) order by member_id for update;
select member_id, sequence, points, remaining, earned_at, available_at, expires_at from lots where member_id = any(:due::uuid[]) and open;
insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, qualifying, qualifies_at) select lots.member_id, accounts.sequence + row_number() over (partition by lots.member_id order by lots.sequence), 'EXPIRY', -lots.points, accounts.balance, lots.expires_at, now(), 0, lots.expires_at from lots join accounts using (member_id) where lots.member_id = any(:due::uuid[]) and lots.expires_at = :lapse;
insert into draws (member_id, entry_sequence, lot_sequence, points, posted_by) select lots.member_id, accounts.sequence + row_number() over (partition by lots.member_id order by lots.sequence), lots.sequence, lots.points, accounts.sequence + 1 from lots join accounts using (member_id) where lots.member_id = any(:due::uuid[]) and lots.expires_at = :lapse;
update lots set remaining = case when open then 0 else points end, open = not open where member_id = any(:due::uuid[]) and expires_at = :lapse;
update accounts set sequence = sequence + 2, recorded_at = now() where member_id = any(:due::uuid[]);
insert into notices (member_id, type, version, payload, recorded_at) select member_id, 'points.expired', 1, jsonb_build_object('entry', sequence, 'points', points, 'expiredAt', expires_at), now() from lots where member_id = any(:due::uuid[]) and expires_at = :lapse;
commit;

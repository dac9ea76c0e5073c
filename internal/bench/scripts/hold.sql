\set n random(1, :members)
select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select member_id from member_keys where kind = 'EXTERNAL_ID' and value = 'bench-' || :n \gset
select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes from members where id = :member_id;
insert into idempotency_keys (hash, caller, operation, key, input_hash, result, recorded_at) values (gen_random_uuid(), 'pgbench', 'holdPoints', gen_random_uuid()::text, gen_random_uuid(), gen_random_uuid(), now());
select sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = :member_id for update \gset
select sequence, points, remaining, earned_at, available_at, expires_at from lots where member_id = :member_id and open;
select sequence as lot from lots where member_id = :member_id and open and expires_at is null and remaining >= 10 order by sequence limit 1 \gset
insert into holds (id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, status, open) values (gen_random_uuid(), :member_id, :sequence + 1, 10, 'Till 1', 'pgbench', now(), now() + interval '15 minutes', 'OPEN', true) returning id as hold \gset
insert into hold_draws (member_id, hold_sequence, lot_sequence, points) values (:member_id, :sequence + 1, :lot, 10);
update lots set remaining = remaining - 10 where member_id = :member_id and sequence = :lot;
update accounts set sequence = sequence + 1, recorded_at = now(), heard_at = now(), held = held + 10 where member_id = :member_id;
commit;
select balance, pending, held, debt, next_change_at from accounts where member_id = :member_id;
select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, status, closed_at, entry_sequence from holds where id = :hold;
insert into idempotency_keys (hash, caller, operation, key, input_hash, result, recorded_at) values (gen_random_uuid(), 'pgbench', 'captureHold', gen_random_uuid()::text, gen_random_uuid(), gen_random_uuid(), now());
select sequence as last, balance from accounts where member_id = :member_id for update \gset
select sequence, points, remaining, earned_at, available_at, expires_at from lots where member_id = :member_id and open;
select lot_sequence, hold_draws.points, ends_at from holds join hold_draws on hold_draws.member_id = holds.member_id and hold_draws.hold_sequence = holds.sequence where holds.member_id = :member_id and holds.open;
insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, qualifying, qualifies_at, hold_sequence, operation_id) values (:member_id, :last + 1, 'REDEMPTION', -10, :balance - 10, now(), now(), 0, now(), :sequence + 1, gen_random_uuid());
insert into draws (member_id, entry_sequence, lot_sequence, points, posted_by) values (:member_id, :last + 1, :lot, 10, :last + 1);
update holds set status = 'CAPTURED', closed_at = now(), entry_sequence = :last + 1, open = false where member_id = :member_id and sequence = :sequence + 1;
update accounts set sequence = sequence + 1, recorded_at = now(), heard_at = now(), balance = balance - 10, held = held - 10 where member_id = :member_id;
insert into notices (member_id, type, version, payload, recorded_at) values (:member_id, 'points.redeemed', 1, jsonb_build_object('entry', 1, 'points', 10, 'occurredAt', now()), now());
commit;
select balance, pending, held, debt, next_change_at from accounts where member_id = :member_id;

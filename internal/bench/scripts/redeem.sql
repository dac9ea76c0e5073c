\set n random(1, :members)
select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select member_id from member_keys where kind = 'EXTERNAL_ID' and value = 'bench-' || :n \gset
select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes from members where id = :member_id;
insert into idempotency_keys (hash, caller, operation, key, input_hash, result, recorded_at) values (gen_random_uuid(), 'pgbench', 'redeemReward', gen_random_uuid()::text, gen_random_uuid(), gen_random_uuid(), now());
select sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = :member_id for update \gset
select sequence, points, remaining, earned_at, available_at, expires_at from lots where member_id = :member_id and open;
select sequence as lot from lots where member_id = :member_id and open and expires_at is null and remaining >= 10 order by sequence limit 1 \gset
select id as reward, name, kind, cost, supply, taken, per_member_limit, min_tier_id, available_from, available_until, voucher_valid_for, created_at, archived_at from rewards limit 1 \gset
insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, qualifying, qualifies_at, operation_id) values (:member_id, :sequence + 1, 'REDEMPTION', -10, :balance - 10, now(), now(), 0, now(), gen_random_uuid());
insert into draws (member_id, entry_sequence, lot_sequence, points, posted_by) values (:member_id, :sequence + 1, :lot, 10, :sequence + 1);
update lots set remaining = remaining - 10 where member_id = :member_id and sequence = :lot;
update accounts set sequence = sequence + 1, recorded_at = now(), heard_at = now(), balance = balance - 10 where member_id = :member_id;
insert into notices (member_id, type, version, payload, recorded_at) values (:member_id, 'points.redeemed', 1, jsonb_build_object('entry', 1, 'points', 10, 'occurredAt', now()), now());
insert into redemptions (member_id, sequence, id, reward_id, reward_name, from_supply, voucher_code, redeemed_at, redeemed_by) values (:member_id, :sequence + 1, gen_random_uuid(), :reward, 'A free drink', false, gen_random_uuid()::text, now(), 'pgbench');
insert into voucher_codes (code, member_id, sequence) values (gen_random_uuid()::text, :member_id, :sequence + 1);
insert into notices (member_id, type, version, payload, recorded_at) values (:member_id, 'redemption.changed', 1, jsonb_build_object('redemption', 1, 'status', 'ISSUED', 'at', now()), now());
commit;
select balance, pending, held, debt, next_change_at from accounts where member_id = :member_id;

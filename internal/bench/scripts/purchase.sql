\set n random(1, :members)
select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select member_id from member_keys where kind = 'EXTERNAL_ID' and value = 'bench-' || :n \gset
insert into activity_keys (hash, member_id, input_hash) values (gen_random_uuid(), :member_id, gen_random_uuid()) returning hash \gset
select sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = :member_id for update \gset
select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes from members where id = :member_id;
insert into activities (member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, attributes) values (:member_id, :sequence + 1, 'PURCHASE', 'pgbench', gen_random_uuid()::text, now(), now(), 1330, '{}');
insert into purchase_lines (member_id, sequence, line, id, sku, quantity, amount, category, brand) values (:member_id, :sequence + 1, 1, '1', 'FLAT-WHITE', 1000000, 380, 'Drinks', null), (:member_id, :sequence + 1, 2, '2', 'HOUSE-250', 1000000, 950, 'Beans', 'House Roast');
insert into evaluations (member_id, sequence, points, qualifying, outcomes) values (:member_id, :sequence + 1, 18, 18, jsonb_build_array(jsonb_build_object('granted', 13, 'basis', 1330), jsonb_build_object('granted', 5, 'basis', 1330)));
update activity_keys set sequence = :sequence + 1 where hash = :hash;
insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, activity_sequence, rule_id, rule_version, basis, qualifying, qualifies_at, available_at) values (:member_id, :sequence + 2, 'ACCRUAL', 13, :balance + 13, now(), now(), :sequence + 1, gen_random_uuid(), 1, 1330, 13, now(), now()), (:member_id, :sequence + 3, 'ACCRUAL', 5, :balance + 18, now(), now(), :sequence + 1, gen_random_uuid(), 1, 1330, 5, now(), now());
insert into lots (member_id, sequence, points, remaining, earned_at, available_at, open) values (:member_id, :sequence + 2, 13, 13, now(), now(), true), (:member_id, :sequence + 3, 5, 5, now(), now(), true);
update accounts set sequence = sequence + 3, recorded_at = now(), heard_at = now(), balance = balance + 18, qualifying = qualifying + 18 where member_id = :member_id;
insert into notices (member_id, type, version, payload, recorded_at) select :member_id, 'points.earned', 1, jsonb_build_object('entry', number, 'points', 13, 'occurredAt', now()), now() from generate_series(2, 3) as number;
commit;
select balance, pending, held, debt, next_change_at from accounts where member_id = :member_id;

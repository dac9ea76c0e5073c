\set n random(1, :members)
select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
select revision from program;
select member_id from member_keys where kind = 'EXTERNAL_ID' and value = 'bench-' || :n \gset
select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes from members where id = :member_id;
select sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = :member_id;
select sequence, points, remaining, earned_at, available_at, expires_at from lots where member_id = :member_id and open;
select sum(qualifying) from entries where member_id = :member_id and qualifying <> 0 and qualifies_at > now() - interval '1 year';

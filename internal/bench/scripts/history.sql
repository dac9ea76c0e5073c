select client_id, name, scopes, secret_hash from client_keys join clients on clients.id = client_id where client_keys.id = :key;
select member_id from member_keys where kind = 'EXTERNAL_ID' and value = 'bench-historian' \gset
select id, number, external_id, status, display_name, email, phone, birth_date, locale, time_zone, joined_at, attributes from members where id = :member_id;
select member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, activity_sequence, adjustment_id, reverses, rule_id, rule_version, basis, qualifying, qualifies_at, expires_at, available_at, lapsed, shortfall, hold_sequence, operation_id from entries where member_id = :member_id order by sequence desc limit 21;

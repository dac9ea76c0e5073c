begin;
select pg_advisory_xact_lock_shared(7262001);
select revision from program;
select array_agg(member_id)::text as due from (select member_id from accounts where review_at is not null order by review_at limit :tiers) as due \gset
select member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id, tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until from accounts where member_id = any(:due::uuid[]) order by member_id for update;
select member_id, sum(qualifying), min(qualifies_at) from entries where member_id = any(:due::uuid[]) and qualifying <> 0 and qualifies_at > :lapse::timestamptz - interval '1 year' group by member_id;
insert into tier_moves (member_id, sequence, at, recorded_at, from_tier_id, to_tier_id, reason, ladder_version, valid_until, earned_tier_id) select member_id, sequence + 1, review_at, now(), tier_id, tier_id, 'REQUALIFIED', ladder_version, review_at + interval '1 year', tier_earned_id from accounts where member_id = any(:due::uuid[]);
update accounts set sequence = sequence + 1, recorded_at = now(), tier_valid_until = review_at + interval '1 year', review_at = review_at + interval '1 year' where member_id = any(:due::uuid[]);
commit;

-- Members invite others: by a code of their own, for points to both once the other one has bought something.

alter table member_keys drop constraint member_keys_kind_check;
alter table member_keys add constraint member_keys_kind_check
    check (kind in ('NUMBER', 'EXTERNAL_ID', 'EMAIL', 'PHONE', 'REFERRAL_CODE'));

-- Under what a member is known to those it invites; it is found by its key.
alter table members add column referral_code text;
-- Who referred the member; null: nobody. It is said once.
alter table members add column referred_by uuid;
-- What is bought before this instant, and comes back of it, is told to the referral; null: there is nothing to be had by it.
alter table members add column referral_until timestamptz;
alter table members add constraint members_referral_until check (referral_until is null or referred_by is not null);

-- Members from before get codes as the program makes them: 9 random characters of 29, and one that makes the sum of all, each
-- times its place, a multiple of 29.
do $$
declare
    alphabet constant text := '23456789ACDEFGHJKMNPQRSTVWXYZ';
begin
    loop
        insert into member_keys (kind, value, member_id)
        select 'REFERRAL_CODE', substr(plain, 1, 5) || '-' || substr(plain, 6), member_id
        from (
            select member_id, string_agg(substr(alphabet, digit + 1, 1), '' order by place)
                || substr(alphabet, (3 * (29 - (sum(digit * place) % 29)::int)) % 29 + 1, 1) as plain
            from (
                select drawn.member_id, places.place, (drawn.number / (29::bigint ^ (places.place - 1))::bigint % 29)::int as digit
                from (
                    select id as member_id, ('x' || substr(replace(gen_random_uuid()::text, '-', ''), 18, 15))::bit(60)::bigint as number
                    from members where referral_code is null
                ) as drawn
                cross join generate_series(1, 9) as places (place)
            ) as digits
            group by member_id
        ) as codes
        on conflict (kind, value) do nothing;
        exit when not found;
        update members set referral_code = member_keys.value
        from member_keys
        where member_keys.member_id = members.id and member_keys.kind = 'REFERRAL_CODE' and members.referral_code is null;
    end loop;
end
$$;
alter table members alter column referral_code set not null;

-- What inviting was worth, the newest version last. Null points: inviting is worth nothing from then on.
create table referral_policies (
    version         int primary key check (version > 0),
    since           timestamptz not null,
    referrer_points bigint check (referrer_points >= 0),
    referee_points  bigint check (referee_points >= 0),
    -- In minor units; null: any purchase that is worth something.
    minimum         bigint check (minimum > 0),
    -- How long after joining, and for how long points are pending after the purchase; periods as ISO 8601 writes them.
    within          text,
    pending_for     text,
    -- How many of a member's referrals are rewarded that qualify in the same month; null: there is no limit.
    max_per_month   int check (max_per_month > 0),
    constraint referral_policies_whole check (num_nonnulls(referrer_points, referee_points, within, pending_for) in (0, 4))
);

-- Who referred whom, and what came of it.
create table referrals (
    referrer_id       uuid        not null,
    id                uuid        not null,
    referee_id        uuid        not null,
    status            text        not null check (status in ('JOINED', 'QUALIFIED', 'REWARDED', 'REJECTED', 'UNDER_REVIEW')),
    -- Why it is rejected.
    reason            text check (reason in ('MONTHLY_LIMIT', 'TOO_MANY_POINTS', 'REVIEWED')),
    -- The policy of when the referee joined; null: there was none.
    policy_version    int,
    -- What made somebody look twice, for ever.
    signals           text[]      not null,
    referred_at       timestamptz not null,
    -- When the purchase happened that qualified it, and its number.
    qualified_at      timestamptz,
    purchase_sequence bigint,
    rewarded_at       timestamptz,
    -- What came back until then takes the points back.
    final_at          timestamptz,
    -- What each side got, and the entry that gave it; null: nothing.
    referrer_points   bigint check (referrer_points > 0),
    referrer_sequence bigint,
    referee_points    bigint check (referee_points > 0),
    referee_sequence  bigint,
    -- How often points were taken back since the purchase came back.
    taken_back        int         not null default 0 check (taken_back >= 0),
    rejected_at       timestamptz,
    reviewed_at       timestamptz,
    reviewed_by       text,
    review_note       text,
    -- Whether something happened that it has not been judged by.
    due               boolean     not null,
    primary key (referrer_id, id),
    constraint referrals_others check (referrer_id <> referee_id),
    constraint referrals_qualified check ((qualified_at is null) = (purchase_sequence is null)
        and (status not in ('QUALIFIED', 'REWARDED', 'UNDER_REVIEW') or qualified_at is not null) and (status <> 'JOINED' or qualified_at is null)),
    constraint referrals_rewarded check (num_nonnulls(rewarded_at, final_at) = case status when 'REWARDED' then 2 else 0 end
        and (status = 'REWARDED' or num_nonnulls(referrer_sequence, referee_sequence) = 0)
        and (referrer_points is null) = (referrer_sequence is null) and (referee_points is null) = (referee_sequence is null)),
    constraint referrals_rejected check ((status = 'REJECTED') = (rejected_at is not null) and (status = 'REJECTED') = (reason is not null)),
    constraint referrals_reviewed check ((reviewed_at is null) = (reviewed_by is null))
) with (fillfactor = 80);
create index referrals_by_id on referrals (id);
create index referrals_by_time on referrals (referrer_id, referred_at, id);
create index referrals_by_referee on referrals (referee_id);
create index referrals_by_status on referrals (status, id);
create index referrals_due on referrals (id) where due;

-- People who live together: what they share is no signal.
create table households (
    id         uuid primary key,
    note       text        not null,
    allowed_at timestamptz not null,
    allowed_by text        not null,
    -- Since when it does not count any more.
    ended_at   timestamptz,
    ended_by   text,
    constraint households_ended check ((ended_at is null) = (ended_by is null))
);

create table household_members (
    member_id    uuid not null,
    household_id uuid not null,
    primary key (member_id, household_id)
);
create index household_members_by_household on household_members (household_id);

package referral

import (
	"context"
	"maps"
	"slices"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// selectSales reads what a referee bought early enough to count, with what came back of it.
func selectSales(ctx context.Context, tx *postgres.Tx, referee id.Member) ([]sale, error) {
	var sales []sale
	if err := tx.Select(ctx, &sales, `
		select activities.sequence, activities.occurred_at, activities.total
		from members
		join activities on activities.member_id = members.id and activities.type = 'PURCHASE'
			and activities.occurred_at < members.referral_until
		where members.id = $1
		order by activities.occurred_at, activities.sequence`, referee); err != nil {
		return nil, err
	}
	var returned []back
	if err := tx.Select(ctx, &returned, `
		select returns.purchase_sequence, returns.occurred_at, returns.total
		from members
		join activities as purchases on purchases.member_id = members.id and purchases.type = 'PURCHASE'
			and purchases.occurred_at < members.referral_until
		join activities as returns on returns.member_id = purchases.member_id and returns.purchase_sequence = purchases.sequence
		where members.id = $1`, referee); err != nil {
		return nil, err
	}
	for _, one := range returned {
		i := slices.IndexFunc(sales, func(sold sale) bool { return sold.Sequence == one.Purchase })
		sales[i].back = append(sales[i].back, one)
	}
	return sales, nil
}

func selectPeople(ctx context.Context, tx *postgres.Tx, members []id.Member) ([]person, error) {
	var people []person
	err := tx.Select(ctx, &people, `select id, email, display_name, birth_date from members where id = any($1::uuid[])`,
		pq.StringArray(id.Texts(members)))
	return people, err
}

// selectShared names the attributes of which both members, or what they did, have the same; a phone number is one by its digits.
func selectShared(ctx context.Context, tx *postgres.Tx, one, other id.Member) ([]string, error) {
	var names []string
	err := tx.Select(ctx, &names, `
		with kept as (
			select id as member_id, attributes from members where id in ($1, $2)
			union all
			select member_id, attributes from activities where member_id in ($1, $2) and attributes ?| $3::text[]
		), told as (
			select kept.member_id, attribute.key as name,
				case attribute.key when 'phone' then regexp_replace(attribute.value, '\D', '', 'g') else attribute.value end as value
			from kept
			cross join lateral jsonb_each_text(kept.attributes) as attribute (key, value)
			where attribute.key = any($3::text[])
			union
			select id, 'phone', regexp_replace(phone, '\D', '', 'g') from members where id in ($1, $2) and phone is not null
		)
		select distinct one.name
		from told as one
		join told as other on other.name = one.name and other.value = one.value
		where one.member_id = $1 and other.member_id = $2 and one.value <> ''
		order by one.name`, one, other, pq.StringArray(slices.Sorted(maps.Keys(sharedAttributes))))
	return names, err
}

// countWithinDay counts the most that the referrer referred within any 24 hours that this one is among; enough is when to stop.
func countWithinDay(ctx context.Context, tx *postgres.Tx, r *Referral, enough int) (int, error) {
	var most int
	// As many as are enough lie beside one another, so no more are looked at on either side.
	err := tx.Get(ctx, &most, `
		with near as (
			select $2::timestamptz as referred_at
			union all
			(select referred_at from referrals where referrer_id = $1 and (referred_at, id) < ($2, $3) order by referred_at desc, id desc limit $4)
			union all
			(select referred_at from referrals where referrer_id = $1 and (referred_at, id) > ($2, $3) order by referred_at, id limit $4)
		)
		select max(together)
		from (
			select referred_at,
				count(*) over (order by referred_at range between current row and interval '23:59:59.999999' following) as together
			from near
		) as days
		where referred_at <= $2 and referred_at > $2::timestamptz - interval '24 hours'`, r.Referrer, r.ReferredAt, r.ID, enough-1)
	return most, err
}

// liveTogether tells whether the two are of one household.
func liveTogether(ctx context.Context, tx *postgres.Tx, one, other id.Member) (bool, error) {
	var together bool
	err := tx.Get(ctx, &together, `
		select exists (
			select from household_members as one
			join household_members as other using (household_id)
			join households on households.id = one.household_id
			where one.member_id = $1 and other.member_id = $2 and households.ended_at is null)`, one, other)
	return together, err
}

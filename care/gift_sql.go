package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// giftID is what a gift comes once for.
type giftID struct {
	Member id.Member
	Key    string
}

// selectGifts reads which gift the occasions have had, by their keys, as the occasions of two years have that are one after a birth date
// was corrected.
func selectGifts(ctx context.Context, tx *postgres.Tx, wanted []*decision) (map[giftID]*gift, error) {
	members, keys, yearly := make([]id.Member, len(wanted)), make([]string, len(wanted)), make([]string, len(wanted))
	for i, one := range wanted {
		members[i], keys[i] = one.Member, one.giftKey()
		if one.yearly != "" {
			yearly[i] = prefix(one.campaign.Occasion) + "____"
		}
	}
	var rows []*gift
	err := tx.Select(ctx, &rows, `
		select gifts.member_id, wanted.occasion_key, gifts.campaign_id, gifts.points, gifts.expires_at, gifts.adjustment_id
		from unnest($1::uuid[], $2::text[], $3::text[]) as wanted (member_id, occasion_key, yearly)
		join gifts on gifts.member_id = wanted.member_id
			and (gifts.occasion_key = wanted.occasion_key or gifts.occasion_key like wanted.yearly and gifts.given_at > $4)`,
		pq.StringArray(id.Texts(members)), pq.StringArray(keys), pq.StringArray(yearly), tx.Now.Add(-again))
	had := make(map[giftID]*gift, len(rows))
	for _, one := range rows {
		had[giftID{one.Member, one.Key}] = one
	}
	return had, err
}

func insertGifts(ctx context.Context, tx *postgres.Tx, given []*gift) error {
	return postgres.ExecRows(ctx, tx, given, `
		insert into gifts (member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id)
		select member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id
		from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::uuid[])
			as made (member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id)`,
		func(one *gift) any { return one.Member },
		func(one *gift) any { return one.Key },
		func(one *gift) any { return one.CampaignID },
		func(one *gift) any { return one.Points },
		func(one *gift) any { return one.ExpiresAt },
		func(*gift) any { return tx.Now },
		func(one *gift) any { return one.Adjustment },
	)
}

package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/postgres"
)

// origin is what tells the country of a member.
type origin struct {
	Locale   string `db:"locale"`
	TimeZone string `db:"time_zone"`
}

// originsSQL finds each origin behind the one before it: there are few, and many members.
const originsSQL = `
	with recursive origins as (
		(select locale, time_zone from members order by locale, time_zone limit 1)
		union all
		select next.locale, next.time_zone
		from origins
		cross join lateral (
			select locale, time_zone from members
			where (members.locale, members.time_zone) > (origins.locale, origins.time_zone)
			order by locale, time_zone
			limit 1) as next)
	select locale, time_zone from origins`

// selectOrigins reads where members are from.
func selectOrigins(ctx context.Context, q postgres.Runner) ([]origin, error) {
	var list []origin
	err := q.Select(ctx, &list, originsSQL)
	return list, err
}

// selectFrom finds members from places of origin, of which each has the key of its occasion.
func selectFrom(ctx context.Context, q postgres.Runner, wanted search, origins []origin, keys []string) ([]*candidate, error) {
	locales, zones := make([]string, len(origins)), make([]string, len(origins))
	for i, one := range origins {
		locales[i], zones[i] = one.Locale, one.TimeZone
	}
	var list []*candidate
	err := q.Select(ctx, &list, `
		select `+personColumns+`, '' as subject
		from members
		join unnest($3::text[], $4::text[], $5::text[]) as origin (locale, time_zone, key)
			on origin.locale = members.locale and origin.time_zone = members.time_zone
		where members.id > $6 and `+undecidedSQL("origin.key")+`
		order by members.id
		limit $7`,
		pq.StringArray(wanted.campaign.channelTexts()), wanted.all, pq.StringArray(locales), pq.StringArray(zones), pq.StringArray(keys),
		wanted.after.Member, wanted.limit)
	return list, err
}

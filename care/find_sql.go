package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/postgres"
	"regulars/internal/value"
)

// personColumns are what is read of members to place their occasions.
const personColumns = `members.id as member_id, members.birth_date, members.joined_at, members.recorded_at, members.locale, members.time_zone,
	members.earlier_time_zone, members.time_zone_changed_at, members.birth_date_changed_at`

// undecidedSQL tells whether a channel of a campaign has no message yet about the occasion of a key: $1 are the channels, $2
// whether that does not matter.
func undecidedSQL(key string) string {
	return `($2 or cardinality($1::text[]) > (
		select count(*) from messages
		where messages.member_id = members.id and messages.occasion_key = ` + key + ` and messages.channel = any($1::text[])))`
}

// selectBorn finds members whose birthday is on one of the days of the year, as month * 100 + day.
func selectBorn(ctx context.Context, q postgres.Runner, wanted search, key string, days []int64) ([]*candidate, error) {
	return selectYearly(ctx, q, wanted, "birthday", key, days)
}

// selectJoined finds members that joined on one of the days of the year by UTC, as month * 100 + day.
func selectJoined(ctx context.Context, q postgres.Runner, wanted search, key string, days []int64) ([]*candidate, error) {
	return selectYearly(ctx, q, wanted, "joining_day", key, days)
}

// selectYearly finds members by a column with a day of the year. Each day is looked up by itself: so the index gives the members in
// their order, and a page costs what is on it and not all members of the days.
func selectYearly(ctx context.Context, q postgres.Runner, wanted search, column, key string, days []int64) ([]*candidate, error) {
	var list []*candidate
	err := q.Select(ctx, &list, yearlySQL(column),
		pq.StringArray(wanted.campaign.channelTexts()), wanted.all, pq.Int64Array(days), wanted.after.Member, key, wanted.limit)
	return list, err
}

func yearlySQL(column string) string {
	return `
		select found.member_id, found.birth_date, found.birth_date_changed_at, found.joined_at, found.recorded_at, found.locale,
			found.time_zone, found.earlier_time_zone, found.time_zone_changed_at, found.subject
		from unnest($3::smallint[]) as calendar (day)
		cross join lateral (
			select ` + personColumns + `, '' as subject
			from members
			where members.` + column + ` = calendar.day and members.id > $4 and ` + undecidedSQL("$5") + `
			order by members.id
			limit $6) as found
		order by found.member_id
		limit $6`
}

// selectUnheard finds members of whom nothing was heard since a day, as far as is known.
func selectUnheard(ctx context.Context, q postgres.Runner, wanted search) ([]*candidate, error) {
	from, to := wanted.span()
	var list []*candidate
	err := q.Select(ctx, &list, `
		select `+personColumns+`, '' as subject, hearings.heard_on::timestamp at time zone 'UTC' as at, accounts.heard_at
		from hearings
		join members on members.id = hearings.member_id
		join accounts on accounts.member_id = hearings.member_id
		where hearings.heard_on >= $3::date and hearings.heard_on < $4::date
			and (hearings.heard_on, hearings.member_id) > ($5::date, $6)
			and (accounts.heard_at >= (hearings.heard_on + 1)::timestamp at time zone 'UTC' or `+undecidedSQL("$7 || hearings.heard_on || $8")+`)
		order by hearings.heard_on, hearings.member_id
		limit $9`,
		pq.StringArray(wanted.campaign.channelTexts()), wanted.all, value.DateOf(from), value.DateOf(to), value.DateOf(wanted.after.At.UTC()),
		wanted.after.Member, prefix(wanted.campaign.Occasion), wanted.campaign.suffix(), wanted.limit)
	return list, err
}

// selectEnding finds members whose tier ends.
func selectEnding(ctx context.Context, q postgres.Runner, wanted search) ([]*candidate, error) {
	const subject = `accounts.tier_id || ':' || extract(epoch from accounts.tier_valid_until)::bigint`
	return selectTimed(ctx, q, wanted, `
		select `+personColumns+`, `+subject+` as subject, accounts.tier_valid_until as at
		from accounts
		join members on members.id = accounts.member_id
		where accounts.tier_valid_until >= $3 and accounts.tier_valid_until < $4
			and (accounts.tier_valid_until, accounts.member_id) > ($5, $6) and $7::text is not null
			and `+undecidedSQL(`$8 || `+subject+` || $9`)+`
		order by accounts.tier_valid_until, accounts.member_id
		limit $10`)
}

// selectComing finds who has booked what takes place.
func selectComing(ctx context.Context, q postgres.Runner, wanted search) ([]*candidate, error) {
	const subject = `bookings.id || ':' || extract(epoch from occurrences.starts_at)::bigint`
	return selectTimed(ctx, q, wanted, `
		select `+personColumns+`, `+subject+` as subject, occurrences.starts_at as at, bookings.booked_at
		from occurrences
		join events on events.id = occurrences.event_id and events.status = 'PUBLISHED'
		join bookings on bookings.occurrence_id = occurrences.id and bookings.status = 'CONFIRMED'
		join members on members.id = bookings.member_id
		where occurrences.status = 'SCHEDULED' and occurrences.starts_at >= $3 and occurrences.starts_at < $4
			and (occurrences.starts_at, members.id, `+subject+`) > ($5, $6, $7)
			and `+undecidedSQL(`$8 || `+subject+` || $9`)+`
		order by occurrences.starts_at, members.id, subject
		limit $10`)
}

// selectHappened finds what notices told of.
func selectHappened(ctx context.Context, q postgres.Runner, wanted search) ([]*candidate, error) {
	return selectTimed(ctx, q, wanted, `
		select `+personColumns+`, happenings.subject, happenings.at
		from happenings
		join members on members.id = happenings.member_id
		where happenings.occasion = $11 and happenings.at >= $3 and happenings.at < $4
			and (happenings.at, happenings.member_id, happenings.subject) > ($5, $6, $7)
			and `+undecidedSQL(`$8 || happenings.subject || $9`)+`
		order by happenings.at, happenings.member_id, happenings.subject
		limit $10`, string(wanted.campaign.Occasion))
}

// selectTimed finds what is at an instant.
func selectTimed(ctx context.Context, q postgres.Runner, wanted search, statement string, more ...any) ([]*candidate, error) {
	from, to := wanted.span()
	var list []*candidate
	err := q.Select(ctx, &list, statement, append([]any{
		pq.StringArray(wanted.campaign.channelTexts()), wanted.all, from, to, wanted.after.At, wanted.after.Member, wanted.after.Subject,
		prefix(wanted.campaign.Occasion), wanted.campaign.suffix(), wanted.limit,
	}, more...)...)
	return list, err
}

package loyalty

import (
	"context"
	"slices"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// selectDue finds members to whom the clock has done something by now that is not posted: whose lots have lapsed, whose holds
// have ended, or who have points that lapse with idleness and were not heard of since idle; nil: nobody is idle.
func selectDue(ctx context.Context, q postgres.Runner, now time.Time, idle *time.Time, limit int) ([]id.Member, error) {
	var members []id.Member
	err := q.Select(ctx, &members, `
		select member_id from (
			(select member_id from lots where open and expires_at <= $1 order by expires_at limit $3)
			union
			(select member_id from holds where open and ends_at <= $1 order by ends_at limit $3)
			union
			(select member_id from accounts
			where heard_at <= $2 and exists (
				select from lots where lots.member_id = accounts.member_id and lots.open and lots.expires_at is null)
			limit $3)) as due
		limit $3`, now, idle, limit)
	return members, err
}

// countDue counts the members that selectDue finds.
func countDue(ctx context.Context, q postgres.Runner, now time.Time, idle *time.Time) (int, error) {
	var count int
	err := q.Get(ctx, &count, `
		select count(*) from (
			select member_id from lots where open and expires_at <= $1
			union
			select member_id from holds where open and ends_at <= $1
			union
			select member_id from accounts
			where heard_at <= $2 and exists (
				select from lots where lots.member_id = accounts.member_id and lots.open and lots.expires_at is null)) as due`, now, idle)
	return count, err
}

// selectExpiring finds members with points that lapse later than now and by then, and that were not announced.
func selectExpiring(ctx context.Context, q postgres.Runner, now, then time.Time, limit int) ([]id.Member, error) {
	var members []id.Member
	err := q.Select(ctx, &members, `
		select distinct member_id
		from (
			select member_id from lots
			where open and expires_at > $1 and expires_at <= $2 and not exists (
				select from announced_expiries
				where announced_expiries.member_id = lots.member_id and announced_expiries.expires_at = lots.expires_at)
			limit $3) as expiring`, now, then, limit)
	return members, err
}

// announcement is points of a member that lapse at one instant. HeardAt is set for those that lapse with idleness.
type announcement struct {
	Member    id.Member  `db:"member_id"`
	ExpiresAt time.Time  `db:"expires_at"`
	HeardAt   *time.Time `db:"heard_at"`
	Points    int64      `db:"points"`
}

// heldPoints is what open holds have set aside of a lot.
const heldPoints = `
	select sum(hold_draws.points) as points
	from hold_draws
	join holds on holds.member_id = hold_draws.member_id and holds.sequence = hold_draws.hold_sequence and holds.open
	where hold_draws.member_id = lots.member_id and hold_draws.lot_sequence = lots.sequence`

// selectIdling finds members with points that lapse with idleness, who were not heard of since then, nil: nobody is idle, and to
// whom that was not announced since.
func selectIdling(ctx context.Context, q postgres.Runner, since *time.Time, limit int) ([]idling, error) {
	if since == nil {
		return nil, nil
	}
	var found []idling
	err := q.Select(ctx, &found, `
		select member_id, heard_at
		from accounts
		where heard_at <= $1
			and exists (
				select from lots where lots.member_id = accounts.member_id and lots.open and lots.expires_at is null)
			and not exists (
				select from announced_expiries
				where announced_expiries.member_id = accounts.member_id and announced_expiries.heard_at = accounts.heard_at)
		limit $2`, since, limit)
	return found, err
}

// idling is a member that becomes idle at ExpiresAt.
type idling struct {
	Member    id.Member `db:"member_id"`
	HeardAt   time.Time `db:"heard_at"`
	ExpiresAt time.Time
}

// insertAnnouncedIdle remembers who is told that everything lapses, and returns what that is; of those who are idle already,
// nothing.
func insertAnnouncedIdle(ctx context.Context, tx *postgres.Tx, members []idling) ([]announcement, error) {
	members = slices.DeleteFunc(members, func(one idling) bool { return !one.ExpiresAt.After(tx.Now) })
	if len(members) == 0 {
		return nil, nil
	}
	wanted, err := postgres.Array(members, func(one idling) any { return one.Member })
	if err != nil {
		return nil, err
	}
	at, err := postgres.Array(members, func(one idling) any { return one.ExpiresAt })
	if err != nil {
		return nil, err
	}
	heard, err := postgres.Array(members, func(one idling) any { return one.HeardAt })
	if err != nil {
		return nil, err
	}
	var told []announcement
	err = tx.Select(ctx, &told, `
		with announced as (
			insert into announced_expiries (member_id, expires_at, heard_at)
			select member_id, expires_at, heard_at from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as idling (member_id, expires_at, heard_at)
			on conflict (member_id, expires_at) do update set heard_at = excluded.heard_at
			returning member_id, expires_at, heard_at)
		select announced.member_id, announced.expires_at, announced.heard_at, sum(lots.remaining + coalesce(held.points, 0))::bigint as points
		from announced
		join lots on lots.member_id = announced.member_id and lots.expires_at is null
		left join lateral (`+heldPoints+`) as held on true
		where lots.open or held.points > 0
		group by announced.member_id, announced.expires_at, announced.heard_at
		order by announced.member_id`, wanted, at, heard)
	return told, err
}

// insertAnnounced remembers what is announced now and returns it.
func insertAnnounced(ctx context.Context, tx *postgres.Tx, members []id.Member, now, then time.Time) ([]announcement, error) {
	var told []announcement
	err := tx.Select(ctx, &told, `
		with groups as (
			-- What holds set aside lapses with its lot, unless it is captured.
			select lots.member_id, lots.expires_at, sum(lots.remaining + coalesce(held.points, 0))::bigint as points
			from lots
			left join lateral (`+heldPoints+`) as held on true
			where lots.member_id = any($1::uuid[]) and lots.expires_at > $2 and lots.expires_at <= $3
				and (lots.open or held.points > 0)
			group by lots.member_id, lots.expires_at),
		announced as (
			insert into announced_expiries (member_id, expires_at)
			select member_id, expires_at from groups
			on conflict do nothing
			returning member_id, expires_at)
		select member_id, expires_at, null::timestamptz as heard_at, points from groups join announced using (member_id, expires_at)
		order by member_id, expires_at`, pq.StringArray(id.Texts(members)), now, then)
	return told, err
}

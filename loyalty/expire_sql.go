package loyalty

import (
	"context"
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

// announcement is points of a member that lapse at one instant.
type announcement struct {
	Member    id.Member `db:"member_id"`
	ExpiresAt time.Time `db:"expires_at"`
	Points    int64     `db:"points"`
}

// insertAnnounced remembers what is announced now and returns it.
func insertAnnounced(ctx context.Context, tx *postgres.Tx, members []id.Member, now, then time.Time) ([]announcement, error) {
	var told []announcement
	err := tx.Select(ctx, &told, `
		with groups as (
			-- What holds set aside lapses with its lot, unless it is captured.
			select lots.member_id, lots.expires_at, sum(lots.remaining + coalesce(held.points, 0))::bigint as points
			from lots
			left join lateral (
				select sum(hold_draws.points) as points
				from hold_draws
				join holds on holds.member_id = hold_draws.member_id and holds.sequence = hold_draws.hold_sequence and holds.open
				where hold_draws.member_id = lots.member_id and hold_draws.lot_sequence = lots.sequence) as held on true
			where lots.member_id = any($1::uuid[]) and lots.expires_at > $2 and lots.expires_at <= $3
				and (lots.open or held.points > 0)
			group by lots.member_id, lots.expires_at),
		announced as (
			insert into announced_expiries (member_id, expires_at)
			select member_id, expires_at from groups
			on conflict do nothing
			returning member_id, expires_at)
		select member_id, expires_at, points from groups join announced using (member_id, expires_at)
		order by member_id, expires_at`, pq.StringArray(id.Texts(members)), now, then)
	return told, err
}

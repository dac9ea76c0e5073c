package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

// HoldingsAtTx reads what members owned as it was recorded by t: every lot with what remained of it, the holds that were
// open, and what was owed. What the clock made of that by t is for the caller to say ([lots.Holding.Balance]).
func HoldingsAtTx(ctx context.Context, q postgres.Runner, terms Terms, members []id.Member, t time.Time) (map[id.Member]*lots.Holding, error) {
	owned := make(map[id.Member]*lots.Holding, len(members))
	for _, member := range members {
		owned[member] = &lots.Holding{}
	}
	arguments := []any{pq.StringArray(id.Texts(members)), t}
	var kept []memberLot
	if err := q.Select(ctx, &kept, lotsAtSQL, arguments...); err != nil {
		return nil, fmt.Errorf("read lots as of %s: %w", t, err)
	}
	for _, one := range kept {
		owned[one.Member].Lots = append(owned[one.Member].Lots, one.Lot)
	}
	var reserved []struct {
		holdDraw
		EndsAt time.Time `db:"ends_at"`
	}
	if err := q.Select(ctx, &reserved, holdsAtSQL, arguments...); err != nil {
		return nil, fmt.Errorf("read holds as of %s: %w", t, err)
	}
	for _, row := range reserved {
		h := owned[row.Member]
		if last := len(h.Holds) - 1; last < 0 || h.Holds[last].Sequence != row.Hold {
			h.Holds = append(h.Holds, lots.Hold{Sequence: row.Hold, EndsAt: row.EndsAt})
		}
		hold := &h.Holds[len(h.Holds)-1]
		hold.Draws = append(hold.Draws, row.Draw)
		i := slices.IndexFunc(h.Lots, func(lot lots.Lot) bool { return lot.Sequence == row.Lot })
		h.Lots[i].Remaining -= row.Points
	}
	var owed []memberDebt
	if err := q.Select(ctx, &owed, debtsAtSQL, arguments...); err != nil {
		return nil, fmt.Errorf("read debts as of %s: %w", t, err)
	}
	for _, one := range owed {
		owned[one.Member].Debts = append(owned[one.Member].Debts, one.Debt)
	}
	return owned, idleAt(ctx, q, terms, owned, arguments)
}

// idleAt works out when members became idle, as far as was known at an instant.
func idleAt(ctx context.Context, q postgres.Runner, terms Terms, owned map[id.Member]*lots.Holding, arguments []any) error {
	if !terms.Lapses() {
		return nil
	}
	var heard []struct {
		Member id.Member `db:"member_id"`
		At     time.Time `db:"heard_at"`
	}
	if err := q.Select(ctx, &heard, heardAtSQL, arguments...); err != nil {
		return fmt.Errorf("read when members were heard of: %w", err)
	}
	for _, one := range heard {
		owned[one.Member].Idle = lots.Idle(terms.Expiry, one.At, terms.Zone)
	}
	return nil
}

// drawnBy is what the rows of a member took from lots by $2. A draw is as old as the row that posted it: an entry, or a hold
// that is over and paid a debt.
const drawnBy = `
	select draws.member_id, draws.entry_sequence, draws.lot_sequence, draws.points, draws.posted_by
	from draws
	left join entries as posted on posted.member_id = draws.member_id and posted.sequence = draws.posted_by
	left join holds as ended on ended.member_id = draws.member_id and ended.sequence = draws.posted_by
	where draws.member_id = any($1::uuid[]) and coalesce(posted.recorded_at, ended.closed_at) <= $2`

const (
	// A lot that was confirmed later was pending, without end unless its entry has one.
	lotsAtSQL = `
		with drawn as (` + drawnBy + `)
		select lots.member_id, lots.sequence, lots.points, lots.earned_at,
			lots.points - coalesce((
				select sum(points) from drawn where drawn.member_id = lots.member_id and drawn.lot_sequence = lots.sequence), 0)::bigint as remaining,
			case when made.available_at is null and lots.available_at > $2 then null else lots.available_at end as available_at,
			case when made.available_at is null and lots.available_at > $2 then made.expires_at else lots.expires_at end as expires_at
		from lots
		join entries as made on made.member_id = lots.member_id and made.sequence = lots.sequence
		where lots.member_id = any($1::uuid[]) and made.recorded_at <= $2`
	holdsAtSQL = `
		select hold_draws.member_id, hold_draws.hold_sequence, hold_draws.lot_sequence, hold_draws.points, holds.ends_at
		from holds
		join hold_draws on hold_draws.member_id = holds.member_id and hold_draws.hold_sequence = holds.sequence
		join lots on lots.member_id = hold_draws.member_id and lots.sequence = hold_draws.lot_sequence
		where holds.member_id = any($1::uuid[]) and holds.placed_at <= $2 and (holds.closed_at is null or holds.closed_at > $2)
		order by holds.member_id, holds.sequence, lots.expires_at, lots.earned_at, lots.sequence`
	debtsAtSQL = `
		with drawn as (` + drawnBy + `)
		select debts.member_id, debts.sequence, debts.points,
			debts.points - coalesce((
				select sum(points) from drawn
				where drawn.member_id = debts.member_id and drawn.entry_sequence = debts.sequence
					and drawn.posted_by <> debts.sequence), 0)::bigint as remaining
		from debts
		join entries as owing on owing.member_id = debts.member_id and owing.sequence = debts.sequence
		where debts.member_id = any($1::uuid[]) and owing.recorded_at <= $2`
	// Of facts counts when they happened; the first row of all is the move to the first tier.
	heardAtSQL = `
		select member_id, max(heard_at) as heard_at
		from (
			select member_id, recorded_at as heard_at from tier_moves where member_id = any($1::uuid[]) and from_tier_id is null
			union all
			select member_id, occurred_at from activities where member_id = any($1::uuid[]) and recorded_at <= $2
			union all
			select member_id, recorded_at from entries
			where member_id = any($1::uuid[]) and recorded_at <= $2 and (kind = 'REDEMPTION' or kind = 'ADJUSTMENT' and points > 0)
			union all
			select member_id, placed_at from holds where member_id = any($1::uuid[]) and placed_at <= $2) as signs
		group by member_id`
)

package ledger

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

// selectOpenHolds reads open holds, the draws of each in burn order.
func selectOpenHolds(ctx context.Context, q postgres.Runner, members []id.Member) (map[id.Member][]lots.Hold, error) {
	var rows []struct {
		holdDraw
		EndsAt time.Time `db:"ends_at"`
	}
	err := q.Select(ctx, &rows, `
		select hold_draws.member_id, hold_draws.hold_sequence, hold_draws.lot_sequence, hold_draws.points, holds.ends_at
		from holds
		join hold_draws on hold_draws.member_id = holds.member_id and hold_draws.hold_sequence = holds.sequence
		join lots on lots.member_id = hold_draws.member_id and lots.sequence = hold_draws.lot_sequence
		where holds.member_id = any($1::uuid[]) and holds.open
		order by holds.member_id, holds.sequence, lots.expires_at, lots.earned_at, lots.sequence`, pq.StringArray(id.Texts(members)))
	held := map[id.Member][]lots.Hold{}
	for _, row := range rows {
		holds := held[row.Member]
		if last := len(holds) - 1; last < 0 || holds[last].Sequence != row.Hold {
			holds = append(holds, lots.Hold{Sequence: row.Hold, EndsAt: row.EndsAt})
		}
		last := len(holds) - 1
		holds[last].Draws = append(holds[last].Draws, row.Draw)
		held[row.Member] = holds
	}
	return held, err
}

const (
	holdColumns = `id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, status, closed_at, entry_sequence, captured,
			purchase_source, purchase_external_id`
	selectHolds = `
		select holds.id, holds.member_id, holds.sequence, holds.points, holds.reason, holds.placed_by, holds.placed_at, holds.ends_at,
			holds.status, holds.closed_at, holds.entry_sequence, coalesce(-capture.points, 0) as captured, holds.purchase_source,
			holds.purchase_external_id
		from holds
		left join entries as capture on capture.member_id = holds.member_id and capture.sequence = holds.entry_sequence`
)

// HoldsTx reads holds by their ids; absent ones are left out.
func HoldsTx(ctx context.Context, q postgres.Runner, wanted []id.Hold) ([]*Hold, error) {
	var holds []*Hold
	err := q.Select(ctx, &holds, selectHolds+` where holds.id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return holds, err
}

// HoldsOfEntriesTx reads the holds of which entries captured or gave back points; those of other entries are left out.
func HoldsOfEntriesTx(ctx context.Context, q postgres.Runner, entries []*Entry) ([]*Hold, error) {
	members, err := postgres.Array(entries, func(e *Entry) any { return e.Member })
	if err != nil {
		return nil, err
	}
	sequences, err := postgres.Array(entries, func(e *Entry) any { return e.HoldSequence })
	if err != nil {
		return nil, err
	}
	var holds []*Hold
	err = q.Select(ctx, &holds, selectHolds+`
		where (holds.member_id, holds.sequence) in (select * from unnest($1::uuid[], $2::bigint[]))`, members, sequences)
	return holds, err
}

// $2 is whether those are wanted that are open at $3, or those that are not; null: all.
const holdFilter = `($2::boolean is null or (holds.open and holds.ends_at > $3) = $2)`

// ListHoldsTx reads holds of members, each one's newest first, from the one before the given number on; 0: from the newest.
// limit is of each. open, if given, narrows the list to those that are open at t, or to those that are not.
func ListHoldsTx(ctx context.Context, q postgres.Runner, members []id.Member, open *bool, t time.Time, before int64, limit int) (map[id.Member][]*Hold, error) {
	var holds []*Hold
	err := q.Select(ctx, &holds, `
		select `+holdColumns+`
		from unnest($1::uuid[]) as wanted (of_member)
		cross join lateral (`+selectHolds+`
			where holds.member_id = wanted.of_member and `+holdFilter+` and ($4::bigint = 0 or holds.sequence < $4)
			order by holds.sequence desc
			limit $5) as listed
		order by member_id, sequence desc`, pq.StringArray(id.Texts(members)), open, t, before, limit)
	lists := make(map[id.Member][]*Hold, len(members))
	for _, hold := range holds {
		lists[hold.Member] = append(lists[hold.Member], hold)
	}
	return lists, err
}

// CountHoldsTx counts the holds that ListHoldsTx lists of each member over all pages.
func CountHoldsTx(ctx context.Context, q postgres.Runner, members []id.Member, open *bool, t time.Time) (map[id.Member]int, error) {
	var rows []struct {
		Member id.Member `db:"member_id"`
		Holds  int       `db:"holds"`
	}
	err := q.Select(ctx, &rows, `
		select member_id, count(*) as holds from holds where member_id = any($1::uuid[]) and `+holdFilter+` group by member_id`,
		pq.StringArray(id.Texts(members)), open, t)
	counts := make(map[id.Member]int, len(rows))
	for _, row := range rows {
		counts[row.Member] = row.Holds
	}
	return counts, err
}

func insertHolds(ctx context.Context, tx *postgres.Tx, placed []*Hold) error {
	return postgres.ExecRows(ctx, tx, placed, `
		insert into holds (id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, status, open)
		select id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, 'OPEN', true
		from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::text[], $7::timestamptz[], $8::timestamptz[])
			as placed (id, member_id, sequence, points, reason, placed_by, placed_at, ends_at)`,
		func(h *Hold) any { return h.ID },
		func(h *Hold) any { return h.Member },
		func(h *Hold) any { return h.Sequence },
		func(h *Hold) any { return h.Points },
		func(h *Hold) any { return h.Reason },
		func(h *Hold) any { return h.PlacedBy },
		func(h *Hold) any { return h.PlacedAt },
		func(h *Hold) any { return h.EndsAt },
	)
}

func insertHoldDraws(ctx context.Context, tx *postgres.Tx, draws []holdDraw) error {
	return postgres.ExecRows(ctx, tx, draws, `
		insert into hold_draws (member_id, hold_sequence, lot_sequence, points)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[])`,
		func(one holdDraw) any { return one.Member },
		func(one holdDraw) any { return one.Hold },
		func(one holdDraw) any { return one.Lot },
		func(one holdDraw) any { return one.Points },
	)
}

func updateHolds(ctx context.Context, tx *postgres.Tx, closed []*Hold) error {
	return postgres.ExecRows(ctx, tx, closed, `
		update holds set status = closed.status, closed_at = closed.closed_at, entry_sequence = closed.entry_sequence,
			purchase_source = closed.purchase_source, purchase_external_id = closed.purchase_external_id, open = false
		from unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[], $5::bigint[], $6::text[], $7::text[])
			as closed (member_id, sequence, status, closed_at, entry_sequence, purchase_source, purchase_external_id)
		where holds.member_id = closed.member_id and holds.sequence = closed.sequence`,
		func(h *Hold) any { return h.Member },
		func(h *Hold) any { return h.Sequence },
		func(h *Hold) any { return string(h.Status) },
		func(h *Hold) any { return h.ClosedAt },
		func(h *Hold) any { return h.EntrySequence },
		func(h *Hold) any { return h.PurchaseSource },
		func(h *Hold) any { return h.PurchaseExternalID },
	)
}

func insertConfirmations(ctx context.Context, tx *postgres.Tx, confirms []confirmation) error {
	return postgres.ExecRows(ctx, tx, confirms, `
		insert into confirmations (member_id, sequence, activity_sequence, recorded_at, confirmed_by)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::text[])`,
		func(c confirmation) any { return c.member },
		func(c confirmation) any { return c.sequence },
		func(c confirmation) any { return c.activity },
		func(c confirmation) any { return c.recordedAt },
		func(c confirmation) any { return c.by },
	)
}

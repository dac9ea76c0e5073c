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

const holdColumns = `id, member_id, sequence, points, reason, placed_by, placed_at, ends_at, status, closed_at, entry_sequence,
	purchase_source, purchase_external_id`

// HoldsTx reads holds by their ids; absent ones are left out.
func HoldsTx(ctx context.Context, q postgres.Runner, wanted []id.Hold) ([]*Hold, error) {
	var holds []*Hold
	err := q.Select(ctx, &holds, `select `+holdColumns+` from holds where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return holds, err
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

package ledger

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

// LoadLapsed finds out how much has expired of the lots that the entries created and that no reversal has counted yet, which
// [Batch.Reverse] needs.
func (b *Batch) LoadLapsed(ctx context.Context, accruals []*Entry) error {
	members, err := postgres.Array(accruals, func(e *Entry) any { return e.Member })
	if err != nil {
		return err
	}
	sequences, err := postgres.Array(accruals, func(e *Entry) any { return e.Sequence })
	if err != nil {
		return err
	}
	var rows []struct {
		Member id.Member `db:"member_id"`
		lots.Draw
	}
	if err := b.tx.Select(ctx, &rows, `
		select wanted.member_id, wanted.lot_sequence,
			sum(draws.points)::bigint - coalesce((
				select sum(lapsed) from entries
				where entries.member_id = wanted.member_id and entries.reverses = wanted.lot_sequence), 0)::bigint as points
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, lot_sequence)
		join draws on draws.member_id = wanted.member_id and draws.lot_sequence = wanted.lot_sequence
		join entries on entries.member_id = draws.member_id and entries.sequence = draws.entry_sequence and entries.kind = 'EXPIRY'
		group by wanted.member_id, wanted.lot_sequence`, members, sequences); err != nil {
		return fmt.Errorf("load what has lapsed: %w", err)
	}
	for _, row := range rows {
		b.holdings[row.Member].lapsed[row.Lot] += row.Points
	}
	return nil
}

// DrawnTx says what a debit of the member took from which lots and has not given back yet, in burn order.
func DrawnTx(ctx context.Context, q postgres.Runner, debit id.Entry) ([]lots.Draw, error) {
	var draws []lots.Draw
	err := q.Select(ctx, &draws, `
		select lots.sequence as lot_sequence, drawn.points
		from (
			select lot_sequence, sum(points)::bigint as points
			from draws
			where member_id = $1 and (entry_sequence = $2 or entry_sequence in (
				select sequence from entries where member_id = $1 and reverses = $2))
			group by lot_sequence) as drawn
		join lots on lots.member_id = $1 and lots.sequence = drawn.lot_sequence
		where drawn.points > 0
		order by lots.expires_at, lots.earned_at, lots.sequence`, debit.Member, debit.Sequence)
	return draws, err
}

// LoadLots fetches lots of a member by their numbers, spent ones too, which [Batch.Restore] needs. What is open must be
// loaded.
func (b *Batch) LoadLots(ctx context.Context, member id.Member, draws []lots.Draw) error {
	h := b.holdings[member]
	var missing []int64
	for _, one := range draws {
		if !slices.ContainsFunc(h.Lots, func(lot lots.Lot) bool { return lot.Sequence == one.Lot }) {
			missing = append(missing, one.Lot)
		}
	}
	loaded, err := selectLots(ctx, b.tx, member, missing)
	for _, lot := range loaded {
		h.Lots = append(h.Lots, lot)
		h.lotsBefore[lot.Sequence] = lot
	}
	return err
}

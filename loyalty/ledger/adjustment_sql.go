package ledger

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// Adjustment is points that staff gave or took by hand.
type Adjustment struct {
	ID            id.Adjustment `db:"id"`
	Member        id.Member     `db:"member_id"`
	EntrySequence int64         `db:"entry_sequence"`
	// Points is signed and never 0.
	Points      int64     `db:"points"`
	Reason      string    `db:"reason"`
	RequestedAt time.Time `db:"requested_at"`
	RequestedBy string    `db:"requested_by"`
}

// IsNode marks the adjustment as one of the API's nodes.
func (Adjustment) IsNode() {}

// EntryID is the id of the entry that the adjustment posted.
func (a Adjustment) EntryID() id.Entry {
	return id.Entry{Member: a.Member, Sequence: a.EntrySequence}
}

// InsertAdjustmentTx keeps an adjustment beside its entry.
func InsertAdjustmentTx(ctx context.Context, tx *postgres.Tx, a Adjustment) error {
	_, err := tx.Exec(ctx, `
		insert into adjustments (id, member_id, entry_sequence, points, reason, requested_at, requested_by)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		a.ID, a.Member, a.EntrySequence, a.Points, a.Reason, a.RequestedAt, a.RequestedBy)
	return err
}

// AdjustmentsTx reads adjustments by their ids; absent ones are left out.
func AdjustmentsTx(ctx context.Context, q postgres.Runner, wanted []id.Adjustment) ([]*Adjustment, error) {
	var adjustments []*Adjustment
	err := q.Select(ctx, &adjustments, `
		select id, member_id, entry_sequence, points, reason, requested_at, requested_by
		from adjustments where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return adjustments, err
}

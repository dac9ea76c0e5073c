package ledger

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// adjustmentColumns are the columns of an [Adjustment].
const adjustmentColumns = `id, member_id, status, entry_sequence, points, reason, expires_at, requested_at, requested_by, reviewed_at,
	reviewed_by, review_note, reversed_at, reversed_by, reversal_reason, reversal_sequence`

// InsertAdjustmentsTx keeps new adjustments, beside their entries if they are posted.
func InsertAdjustmentsTx(ctx context.Context, tx *postgres.Tx, adjustments ...*Adjustment) error {
	return postgres.ExecRows(ctx, tx, adjustments, `
		insert into adjustments (id, member_id, status, entry_sequence, points, reason, expires_at, requested_at, requested_by)
		select id, member_id, status, entry_sequence, points, reason, expires_at, requested_at, requested_by
		from unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::bigint[], $6::text[], $7::timestamptz[], $8::timestamptz[], $9::text[])
			as made (id, member_id, status, entry_sequence, points, reason, expires_at, requested_at, requested_by)`,
		func(a *Adjustment) any { return a.ID },
		func(a *Adjustment) any { return a.Member },
		func(a *Adjustment) any { return string(a.Status) },
		func(a *Adjustment) any { return a.EntrySequence },
		func(a *Adjustment) any { return a.Points },
		func(a *Adjustment) any { return a.Reason },
		func(a *Adjustment) any { return a.ExpiresAt },
		func(a *Adjustment) any { return a.RequestedAt },
		func(a *Adjustment) any { return a.RequestedBy },
	)
}

// ReviewAdjustmentTx keeps what a second person has decided.
func ReviewAdjustmentTx(ctx context.Context, tx *postgres.Tx, a *Adjustment) error {
	_, err := tx.Exec(ctx, `
		update adjustments set status = $2, entry_sequence = $3, reviewed_at = $4, reviewed_by = $5, review_note = $6 where id = $1`,
		a.ID, a.Status, a.EntrySequence, a.ReviewedAt, a.ReviewedBy, a.Note)
	return err
}

// ReverseAdjustmentTx keeps who took an adjustment back.
func ReverseAdjustmentTx(ctx context.Context, tx *postgres.Tx, a *Adjustment) error {
	_, err := tx.Exec(ctx, `
		update adjustments set reversed_at = $2, reversed_by = $3, reversal_reason = $4, reversal_sequence = $5 where id = $1`,
		a.ID, a.ReversedAt, a.ReversedBy, a.ReversalReason, a.ReversalSequence)
	return err
}

// AdjustmentsTx reads adjustments by their ids; absent ones are left out.
func AdjustmentsTx(ctx context.Context, q postgres.Runner, wanted []id.Adjustment) ([]*Adjustment, error) {
	var adjustments []*Adjustment
	err := q.Select(ctx, &adjustments, `
		select `+adjustmentColumns+` from adjustments where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return adjustments, err
}

// ListAdjustmentsTx reads adjustments of these statuses, newest first, from the one before the given one on; the zero id:
// from the newest.
func ListAdjustmentsTx(ctx context.Context, q postgres.Runner, statuses []AdjustmentStatus, before id.Adjustment, limit int) ([]*Adjustment, error) {
	if before == (id.Adjustment{}) {
		before = id.Adjustment(uuid.Max)
	}
	var adjustments []*Adjustment
	err := q.Select(ctx, &adjustments, `
		select `+adjustmentColumns+`
		from adjustments
		where status = any($1::text[]) and id < $2
		order by id desc
		limit $3`, statusArray(statuses), before, limit)
	return adjustments, err
}

// CountAdjustmentsTx counts the adjustments that [ListAdjustmentsTx] lists over all pages.
func CountAdjustmentsTx(ctx context.Context, q postgres.Runner, statuses []AdjustmentStatus) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from adjustments where status = any($1::text[])`, statusArray(statuses))
	return count, err
}

func statusArray(statuses []AdjustmentStatus) pq.StringArray {
	texts := make(pq.StringArray, len(statuses))
	for i, status := range statuses {
		texts[i] = string(status)
	}
	return texts
}

// The advisory locks of those who adjust points; any number that no other lock has.
const adjusterLock = 7_262_002

// LockAdjusterTx waits until no other transaction moves points by hand for the caller, and keeps new ones waiting until this
// one ends. Callers who share a lock by chance only wait for each other.
func LockAdjusterTx(ctx context.Context, tx *postgres.Tx, caller string) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1, hashtext($2))`, adjusterLock, caller)
	return err
}

// MovedAloneTx says how many points, taken and given alike, the caller has moved by hand in [from, to) without a second person:
// by adjustments that nobody else decided about, and by taking adjustments back, but for those that it had made alone.
func MovedAloneTx(ctx context.Context, q postgres.Runner, caller string, from, to time.Time) (int64, error) {
	var moved int64
	// One day's points of one person may well be more than a bigint's sum of many; it is compared with a cap, that is all.
	err := q.Get(ctx, &moved, `
		select least(coalesce(sum(points), 0), 9007199254740991)::bigint
		from (
			select abs(points) as points from adjustments
			where status = 'POSTED' and reviewed_at is null and requested_by = $1 and requested_at >= $2 and requested_at < $3
			union all
			select abs(points) from adjustments
			where reversed_at is not null and reversed_by = $1 and reversed_at >= $2 and reversed_at < $3
				and (requested_by <> $1 or reviewed_at is not null)) as moves`, caller, from, to)
	return moved, err
}

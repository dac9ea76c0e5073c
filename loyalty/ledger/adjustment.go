package ledger

import (
	"time"

	"regulars/internal/id"
)

// AdjustmentStatus says what became of an adjustment.
type AdjustmentStatus string

// The statuses of adjustments.
const (
	// AdjustmentPosted moved the points.
	AdjustmentPosted AdjustmentStatus = "POSTED"
	// AdjustmentWaiting has moved nothing: a second person decides.
	AdjustmentWaiting AdjustmentStatus = "WAITING"
	// AdjustmentDeclined never moves anything.
	AdjustmentDeclined AdjustmentStatus = "DECLINED"
)

// Adjustment is points that staff gave or took by hand, or asked for.
type Adjustment struct {
	ID     id.Adjustment    `db:"id"`
	Member id.Member        `db:"member_id"`
	Status AdjustmentStatus `db:"status"`
	// EntrySequence is the entry that moved the points, nil unless it is posted.
	EntrySequence *int64 `db:"entry_sequence"`
	// Points is signed and never 0.
	Points int64  `db:"points"`
	Reason string `db:"reason"`
	// ExpiresAt is when points that are given lapse; nil: never.
	ExpiresAt   *time.Time `db:"expires_at"`
	RequestedAt time.Time  `db:"requested_at"`
	RequestedBy string     `db:"requested_by"`
	// ReviewedAt, ReviewedBy and Note are of the second person's decision; nil if there was none. A note may be left out.
	ReviewedAt *time.Time `db:"reviewed_at"`
	ReviewedBy *string    `db:"reviewed_by"`
	Note       *string    `db:"review_note"`
	// ReversedAt, ReversedBy, ReversalReason and ReversalSequence, the entry, are of its being taken back; nil if it was not.
	ReversedAt       *time.Time `db:"reversed_at"`
	ReversedBy       *string    `db:"reversed_by"`
	ReversalReason   *string    `db:"reversal_reason"`
	ReversalSequence *int64     `db:"reversal_sequence"`
}

// IsNode marks the adjustment as one of the API's nodes.
func (Adjustment) IsNode() {}

// Alone tells whether the one who asked for it moved the points without a second person.
func (a *Adjustment) Alone() bool { return a.Status == AdjustmentPosted && a.ReviewedAt == nil }

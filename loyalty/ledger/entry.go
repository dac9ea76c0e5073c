package ledger

import (
	"time"

	"regulars/internal/id"
)

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	Accrual  Kind = "ACCRUAL"
	Expiry   Kind = "EXPIRY"
	Adjusted Kind = "ADJUSTMENT"
	Reversal Kind = "REVERSAL"
)

// Entry is one line of a member's points history. It never changes.
type Entry struct {
	Member   id.Member `db:"member_id"`
	Sequence int64     `db:"sequence"`
	Kind     Kind      `db:"kind"`
	// Points is signed.
	Points int64 `db:"points"`
	// BalanceAfter is what the member owned then: available, pending and held, less debt.
	BalanceAfter int64     `db:"balance_after"`
	OccurredAt   time.Time `db:"occurred_at"`
	RecordedAt   time.Time `db:"recorded_at"`
	// ActivitySequence is the fact behind the entry, nil if there is none.
	ActivitySequence *int64         `db:"activity_sequence"`
	AdjustmentID     *id.Adjustment `db:"adjustment_id"`
	// ReversesSequence is the entry that this one takes back. Of an expiry, draws say which lot it was.
	ReversesSequence *int64   `db:"reverses"`
	Rule             *id.Rule `db:"rule_id"`
	RuleVersion      *int     `db:"rule_version"`
	// Basis is the amount in minor units on which an award stands.
	Basis *int64 `db:"basis"`
	// Qualifying is signed, and counts towards tiers at QualifiesAt.
	Qualifying  int64     `db:"qualifying"`
	QualifiesAt time.Time `db:"qualifies_at"`
	// ExpiresAt is of the lot that the entry created.
	ExpiresAt *time.Time `db:"expires_at"`
}

// ID is the entry's id in the API.
func (e Entry) ID() id.Entry { return id.Entry{Member: e.Member, Sequence: e.Sequence} }

// IsNode marks the entry as one of the API's nodes.
func (Entry) IsNode() {}

// Owner returns the member whose points it moved.
func (e *Entry) Owner() id.Member { return e.Member }

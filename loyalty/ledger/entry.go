package ledger

import (
	"time"

	"github.com/google/uuid"

	"regulars/internal/id"
)

// Kind says what an entry is.
type Kind string

// The kinds of entries.
const (
	Accrual          Kind = "ACCRUAL"
	Redemption       Kind = "REDEMPTION"
	RedemptionCancel Kind = "REDEMPTION_CANCEL"
	Expiry           Kind = "EXPIRY"
	Adjusted         Kind = "ADJUSTMENT"
	Reversal         Kind = "REVERSAL"
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
	// AvailableAt and ExpiresAt are of the lot that the entry created, as it was created: from when its points can be spent,
	// nil: once they are confirmed; and from when not any more, nil: never, or not known before that.
	AvailableAt *time.Time `db:"available_at"`
	ExpiresAt   *time.Time `db:"expires_at"`
	// Lapsed and Shortfall are what a reversal counts as taken back beside its points: what of the accrual had expired, and
	// what was given up.
	Lapsed    int64 `db:"lapsed"`
	Shortfall int64 `db:"shortfall"`
	// HoldSequence is the hold that was captured.
	HoldSequence *int64 `db:"hold_sequence"`
	// OperationID is what was asked for under an idempotency key and posted the entry.
	OperationID *uuid.UUID `db:"operation_id"`
}

// ID is the entry's id in the API.
func (e Entry) ID() id.Entry { return id.Entry{Member: e.Member, Sequence: e.Sequence} }

// IsNode marks the entry as one of the API's nodes.
func (Entry) IsNode() {}

// Owner returns the member whose points it moved.
func (e *Entry) Owner() id.Member { return e.Member }

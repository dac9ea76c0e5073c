package ledger

import (
	"time"

	"regulars/internal/id"
	"regulars/loyalty/lots"
)

// Account is what a member's postings are locked by and what its status is read from.
type Account struct {
	Member id.Member `db:"member_id"`
	// Sequence is the last number given to one of the member's rows.
	Sequence int64 `db:"sequence"`
	// RecordedAt is the last instant at which anything was recorded.
	RecordedAt time.Time `db:"recorded_at"`
	// Balance is the sum of the member's entries, Debt what of it is owed.
	Balance int64 `db:"balance"`
	Debt    int64 `db:"debt"`
	// NextExpiryAt is when the first of the lots lapses; until then Balance + Debt can be spent.
	NextExpiryAt *time.Time `db:"next_expiry_at"`

	TierID         id.Tier    `db:"tier_id"`
	TierSince      time.Time  `db:"tier_since"`
	TierValidUntil *time.Time `db:"tier_valid_until"`
	LadderVersion  int        `db:"ladder_version"`
	// Qualifying is the points that counted towards tiers when last looked at; it holds until QualifyingUntil, nil: until
	// more are recorded.
	Qualifying      int64      `db:"qualifying"`
	QualifyingUntil *time.Time `db:"qualifying_until"`
}

// QualifyingHolds tells whether the cached number of qualifying points is right at t.
func (a Account) QualifyingHolds(t time.Time) bool {
	return a.QualifyingUntil == nil || t.Before(*a.QualifyingUntil)
}

// Lapsing tells whether some of the member's points have expired at t and are not posted yet.
func (a Account) Lapsing(t time.Time) bool {
	return a.NextExpiryAt != nil && !t.Before(*a.NextExpiryAt)
}

// Debt is what a debit could not find in any lot.
type Debt struct {
	// Sequence is the number of the debiting entry.
	Sequence  int64 `db:"sequence"`
	Points    int64 `db:"points"`
	Remaining int64 `db:"remaining"`
}

// holding is an account with its open lots and debts, as far as they are loaded, and what a batch makes of them.
type holding struct {
	account *Account
	lots    []lots.Lot
	debts   []Debt
	// loaded tells whether lots and debts are all that is open; else they are what the batch made itself.
	loaded bool
	// What remained of each lot and debt when it was loaded; those that are not in here are new.
	lotsBefore  map[int64]int64
	debtsBefore map[int64]int64
}

package ledger

import (
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/loyalty/lots"
	"regulars/loyalty/tiers"
)

// Terms are the program's policies as far as the books need them.
type Terms struct {
	// Expiry and Returns are the policies of expiry and of returns in the order in which they came into force, each of the
	// one since the other's Since; there is at least one.
	Expiry  []lots.Expiry
	Returns []lots.ReturnPolicy
	Zone    *time.Location
}

// At are the terms as they were known at t.
func (t Terms) At(at time.Time) Terms {
	known := 1
	for known < len(t.Expiry) && !at.Before(t.Expiry[known].Since) {
		known++
	}
	return Terms{Expiry: t.Expiry[:known], Returns: t.Returns[:known], Zone: t.Zone}
}

// InForce are the policies of the last of the terms.
func (t Terms) InForce() (lots.Expiry, lots.ReturnPolicy) {
	last := len(t.Expiry) - 1
	return t.Expiry[last], t.Returns[last]
}

// Lapses tells whether members that become idle lose anything.
func (t Terms) Lapses() bool {
	return slices.ContainsFunc(t.Expiry, func(policy lots.Expiry) bool { return policy.Mode == lots.Inactivity })
}

// Account is what a member's postings are locked by and what its status is read from.
type Account struct {
	Member id.Member `db:"member_id"`
	// Sequence is the last number given to one of the member's rows.
	Sequence int64 `db:"sequence"`
	// RecordedAt is the last instant at which anything was recorded.
	RecordedAt time.Time `db:"recorded_at"`
	// HeardAt is when the member last did something, as far as is known.
	HeardAt time.Time `db:"heard_at"`
	// Balance is the sum of the member's entries: what it owns, of which Pending cannot be spent yet and Held is set aside,
	// less Debt.
	Balance int64 `db:"balance"`
	Pending int64 `db:"pending"`
	Held    int64 `db:"held"`
	Debt    int64 `db:"debt"`
	// NextChangeAt is when the clock alone changes any of that; the member being idle does so, too.
	NextChangeAt *time.Time `db:"next_change_at"`

	// JoinedAt is when the member joined; it never changes.
	JoinedAt time.Time `db:"joined_at"`

	// TierID is the tier that is held; TierEarnedID is the one that was earned, where that is another one.
	TierID         id.Tier    `db:"tier_id"`
	TierSince      time.Time  `db:"tier_since"`
	TierEarnedID   *id.Tier   `db:"tier_earned_id"`
	TierValidUntil *time.Time `db:"tier_valid_until"`
	TierGraceUntil *time.Time `db:"tier_grace_until"`
	TierComingID   *id.Tier   `db:"tier_coming_id"`
	TierComingAt   *time.Time `db:"tier_coming_at"`
	TierFloorID    *id.Tier   `db:"tier_floor_id"`
	TierFloorUntil *time.Time `db:"tier_floor_until"`
	// ReviewAt is when the clock changes the standing; nil: never.
	ReviewAt *time.Time `db:"review_at"`
	// LadderVersion is up to which version changes of the ladder are decided.
	LadderVersion int `db:"ladder_version"`
	// Qualifying is the points that counted towards tiers when last looked at; it holds until QualifyingUntil, nil: until
	// more are recorded.
	Qualifying      int64      `db:"qualifying"`
	QualifyingUntil *time.Time `db:"qualifying_until"`
}

// QualifyingHolds tells whether the cached number of qualifying points is right at t.
func (a Account) QualifyingHolds(t time.Time) bool {
	return a.QualifyingUntil == nil || t.Before(*a.QualifyingUntil)
}

// Cached is the balance as it was cached; false if the clock has changed it by t.
func (a Account) Cached(terms Terms, t time.Time) (lots.Balance, bool) {
	cached := lots.Balance{Available: a.Balance + a.Debt - a.Pending - a.Held, Pending: a.Pending, Held: a.Held, Debt: a.Debt}
	return cached, !over(a.NextChangeAt, t) && !over(a.Idle(terms), t)
}

// Idle is when the member becomes idle; nil: it does not.
func (a Account) Idle(terms Terms) *time.Time {
	return lots.Idle(terms.Expiry, a.HeardAt, terms.Zone)
}

func over(at *time.Time, t time.Time) bool { return at != nil && !t.Before(*at) }

// hear notes that the member did something at t.
func (a *Account) hear(t time.Time) {
	if t.After(a.HeardAt) {
		a.HeardAt = t
	}
}

// Next is when something of the member is recorded that comes now: later than everything before it.
func (a *Account) Next(now time.Time) time.Time {
	if next := a.RecordedAt.Add(time.Microsecond); now.Before(next) {
		return next
	}
	return now
}

// Standing is where the member stands, as it is stored.
func (a *Account) Standing() tiers.Record {
	return tiers.Record{
		Held: a.TierID, Earned: a.TierEarnedID, ValidUntil: a.TierValidUntil, GraceUntil: a.TierGraceUntil, Coming: a.TierComingID,
		ComingAt: a.TierComingAt, Floor: a.TierFloorID, FloorUntil: a.TierFloorUntil, LadderVersion: a.LadderVersion,
	}
}

// SetStanding notes where the member stands, since when it holds its tier, and when the clock changes that; nil: never.
func (a *Account) SetStanding(stored tiers.Record, since time.Time, due *time.Time) {
	a.TierID, a.TierSince, a.TierEarnedID = stored.Held, since, stored.Earned
	a.TierValidUntil, a.TierGraceUntil = stored.ValidUntil, stored.GraceUntil
	a.TierComingID, a.TierComingAt = stored.Coming, stored.ComingAt
	a.TierFloorID, a.TierFloorUntil = stored.Floor, stored.FloorUntil
	a.ReviewAt, a.LadderVersion = due, stored.LadderVersion
}

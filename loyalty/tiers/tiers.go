// Package tiers decides standing: which tier a number of qualifying points is worth, for how long a tier is kept, and
// what happens when that ends. It is pure.
package tiers

import (
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// Tier is one step of the ladder; as JSON, what is recorded of its changes.
type Tier struct {
	ID   id.Tier `db:"tier_id" json:"tier"`
	Name string  `db:"name" json:"name"`
	// Rank orders the tiers; the lowest one, which everybody has, is 0.
	Rank int `db:"rank" json:"rank"`
	// Threshold is how many qualifying points reach the tier.
	Threshold int64 `db:"threshold" json:"threshold"`
	// Benefits are for people to read.
	Benefits []string `db:"-" json:"benefits"`
}

// IsNode marks the tier as one of the API's nodes.
func (Tier) IsNode() {}

// Ladder is one version of all tiers, by rank from the lowest. It has at least the lowest one, whose threshold is 0.
type Ladder struct {
	Version int
	// CreatedAt is from when on the version is in force, until the next one is; the first one always was.
	CreatedAt time.Time
	Tiers     []Tier
}

// InForce returns which of a ladder's versions, oldest first, is in force at t.
func InForce(versions []Ladder, t time.Time) Ladder {
	for _, one := range slices.Backward(versions) {
		if !one.CreatedAt.After(t) {
			return one
		}
	}
	return versions[0]
}

// Base is the tier that everybody has.
func (l Ladder) Base() Tier { return l.Tiers[0] }

// For returns the highest tier that so many qualifying points reach.
func (l Ladder) For(qualifying int64) Tier {
	reached := l.Base()
	for _, tier := range l.Tiers[1:] {
		if tier.Threshold <= qualifying {
			reached = tier
		}
	}
	return reached
}

// Tier returns the tier with that id; false if the ladder has none.
func (l Ladder) Tier(wanted id.Tier) (Tier, bool) {
	i := slices.IndexFunc(l.Tiers, func(tier Tier) bool { return tier.ID == wanted })
	if i < 0 {
		return Tier{}, false
	}
	return l.Tiers[i], true
}

// Above returns the tier next to the given one; false at the top.
func (l Ladder) Above(tier Tier) (Tier, bool) {
	for _, other := range l.Tiers {
		if other.Rank > tier.Rank {
			return other, true
		}
	}
	return Tier{}, false
}

// Policy says how qualifying points are counted and how long a tier lasts. Periods follow the program's calendar.
type Policy struct {
	Window   value.Period
	Validity value.Period
	Zone     *time.Location
}

// DefaultPolicy counts the last 12 months and keeps a tier for 12 months from reaching it.
func DefaultPolicy(zone *time.Location) Policy {
	return Policy{Window: value.Months(12), Validity: value.Months(12), Zone: zone}
}

// CountsAfter is where the window ends that is open at t: points count that qualify later than it. Points that have
// stopped counting never count again: on a day that the window's first month does not have, all days of that are over.
func (p Policy) CountsAfter(t time.Time) time.Time {
	after := p.Window.Before(t, p.Zone)
	until := p.CountsUntil(after)
	if value.DateOf(until.In(p.Zone)) == value.DateOf(t.In(p.Zone)) {
		return after
	}
	year, month, day := after.In(p.Zone).Date()
	return time.Date(year, month, day+1, 0, 0, 0, 0, p.Zone).Add(-time.Microsecond).UTC()
}

// CountsUntil is an instant until which points that qualified at t surely count.
func (p Policy) CountsUntil(t time.Time) time.Time { return p.Window.After(t, p.Zone) }

// Reason says why a standing moved.
type Reason string

// The reasons of moves.
const (
	Enrolled      Reason = "ENROLLED"
	Reached       Reason = "REACHED"
	LadderChanged Reason = "LADDER_CHANGED"
	Requalified   Reason = "REQUALIFIED"
	Lapsed        Reason = "LAPSED"
)

// Standing is the tier a member holds, since when, and until when; nil: without end.
type Standing struct {
	Tier       Tier
	Since      time.Time
	ValidUntil *time.Time
}

// Over tells whether the standing has run out at t and wants a Review.
func (s Standing) Over(t time.Time) bool {
	return s.ValidUntil != nil && !t.Before(*s.ValidUntil)
}

// Rise returns the standing after qualifying points were counted at t: higher if they reach a higher tier, else
// unchanged. It never falls.
func Rise(standing Standing, ladder Ladder, policy Policy, qualifying int64, t time.Time) (Standing, bool) {
	reached := ladder.For(qualifying)
	if reached.Rank <= standing.Tier.Rank {
		return standing, false
	}
	return hold(reached, policy, t), true
}

// Review decides what becomes of a standing that runs out, from the qualifying points counted at that instant: the tier
// is kept for another period if they still reach it, else the member falls to the tier that they do reach.
func Review(standing Standing, ladder Ladder, policy Policy, qualifying int64) (Standing, Reason) {
	end := *standing.ValidUntil
	reached := ladder.For(qualifying)
	if reached.Rank >= standing.Tier.Rank {
		next := hold(reached, policy, end)
		if reached.ID == standing.Tier.ID {
			next.Since = standing.Since
		}
		return next, Requalified
	}
	return hold(reached, policy, end), Lapsed
}

func hold(tier Tier, policy Policy, t time.Time) Standing {
	standing := Standing{Tier: tier, Since: t}
	if tier.Rank > 0 {
		until := policy.Validity.After(t, policy.Zone)
		standing.ValidUntil = &until
	}
	return standing
}

// Missing is how many of the threshold's points qualifying leaves open; never negative.
func Missing(tier Tier, qualifying int64) int64 {
	return max(tier.Threshold-qualifying, 0)
}

// Package tiers decides standing: which tier a number of qualifying points is worth, for how long a tier is kept, and
// what happens when that ends, when the ladder changes and when staff gives a tier by hand. It is pure.
//
// What happens to a standing without anybody doing anything is a [Turn]: [Terms.Next] says which one comes next and which
// points it asks for, [Terms.Take] decides it. Reading, writing, previews and the check of the books all take the same turns.
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
	// Multiplier is by how much what rules award is multiplied, in millionths above 1,000,000; nil: by nothing.
	Multiplier *int64 `db:"multiplier" json:"multiplier"`
	// EarlyBooking is how long before others the tier's members may book; nil: not before them.
	EarlyBooking *value.Period `db:"early_booking" json:"earlyBooking"`
}

// IsNode marks the tier as one of the API's nodes.
func (Tier) IsNode() {}

// Factor is the multiplier as people write it, e.g. 1.5; nil: none.
func (t Tier) Factor() *value.Decimal {
	if t.Multiplier == nil {
		return nil
	}
	factor := value.Quantity(*t.Multiplier).Decimal()
	return &factor
}

// Mode says what an edit of the ladder does to the members that there are.
type Mode string

// The modes of edits.
const (
	// AtNextReview moves nobody but those whose tier is removed: the others are judged by the new ladder with their next
	// fact, and when their tier runs out.
	AtNextReview Mode = "AT_NEXT_REVIEW"
	// Now raises whoever reaches a higher tier, and lowers those whose tier asks for more than they have.
	Now Mode = "NOW"
)

// Ladder is one version of all tiers, by rank from the lowest. It has at least the lowest one, whose threshold is 0.
type Ladder struct {
	Version int
	// CreatedAt is from when on the version is in force, until the next one is; the first one always was.
	CreatedAt time.Time
	// Mode is what the version did to members that there were already.
	Mode Mode
	// ProtectUntil is before when nobody falls; nil: no such promise was made.
	ProtectUntil *time.Time
	Tiers        []Tier
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

// Below returns the tier under the given one; the lowest one has itself.
func (l Ladder) Below(tier Tier) Tier {
	below := l.Base()
	for _, other := range l.Tiers {
		if other.Rank < tier.Rank {
			below = other
		}
	}
	return below
}

// protects tells whether nobody falls at t.
func (l Ladder) protects(t time.Time) bool {
	return l.ProtectUntil != nil && l.ProtectUntil.After(t)
}

// successor is what becomes of a tier of the ladder before: itself as it is now or, if it was removed, the next lower one
// that is left, and false.
func (l Ladder) successor(before Ladder, tier Tier) (Tier, bool) {
	if same, ok := l.Tier(tier.ID); ok {
		return same, true
	}
	for _, lower := range slices.Backward(before.Tiers) {
		if left, ok := l.Tier(lower.ID); ok && lower.Rank < tier.Rank {
			return left, false
		}
	}
	return l.Base(), false
}

// Missing is how many of the threshold's points qualifying leaves open; never negative.
func Missing(tier Tier, qualifying int64) int64 {
	return max(tier.Threshold-qualifying, 0)
}

// Terms are all versions of the ladder and of the policy, each oldest first; there is at least one of both.
type Terms struct {
	Ladders  []Ladder
	Policies []Policy
}

// Ladder is the newest one.
func (t Terms) Ladder() Ladder { return t.Ladders[len(t.Ladders)-1] }

// Policy is the newest one.
func (t Terms) Policy() Policy { return t.Policies[len(t.Policies)-1] }

// At are the terms as they were known at an instant.
func (t Terms) At(at time.Time) Terms {
	ladders, policies := 1, 1
	for ladders < len(t.Ladders) && !t.Ladders[ladders].CreatedAt.After(at) {
		ladders++
	}
	for policies < len(t.Policies) && !t.Policies[policies].Since.After(at) {
		policies++
	}
	return Terms{Ladders: t.Ladders[:ladders:ladders], Policies: t.Policies[:policies:policies]}
}

// With are the terms with one more version of the ladder.
func (t Terms) With(next Ladder) Terms {
	return Terms{Ladders: append(slices.Clone(t.Ladders), next), Policies: t.Policies}
}

// Version returns the ladder of that version, else the oldest.
func (t Terms) Version(version int) Ladder {
	for _, one := range t.Ladders {
		if one.Version == version {
			return one
		}
	}
	return t.Ladders[0]
}

// Tier returns the tier with that id as it is in that version of the ladder or, if it is not in there, as it last was; false
// if there never was one.
func (t Terms) Tier(version int, wanted id.Tier) (Tier, bool) {
	if tier, ok := t.Version(version).Tier(wanted); ok {
		return tier, true
	}
	for _, one := range slices.Backward(t.Ladders) {
		if tier, ok := one.Tier(wanted); ok {
			return tier, true
		}
	}
	return Tier{}, false
}

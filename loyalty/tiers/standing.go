package tiers

import "time"

// Reason says why a standing moved.
type Reason string

// The reasons of moves.
const (
	// Enrolled: the member came.
	Enrolled Reason = "ENROLLED"
	// Reached: a fact brought the points for a tier.
	Reached Reason = "REACHED"
	// Started: a tier that was reached before began to be held.
	Started Reason = "STARTED"
	// LadderChanged: the tiers changed.
	LadderChanged Reason = "LADDER_CHANGED"
	// Protected: the tier is not reached any more, and kept since a change of the tiers promised so.
	Protected Reason = "PROTECTED"
	// Requalified: the tier ran out and was reached again.
	Requalified Reason = "REQUALIFIED"
	// Kept: the tier ran out and is kept, since the policy lowers nobody.
	Kept Reason = "KEPT"
	// Lapsed: the tier ran out.
	Lapsed Reason = "LAPSED"
	// FloorSet: staff gave a tier by hand.
	FloorSet Reason = "FLOOR_SET"
	// FloorCleared: staff took back what it gave.
	FloorCleared Reason = "FLOOR_CLEARED"
	// FloorEnded: what staff gave came to its end.
	FloorEnded Reason = "FLOOR_ENDED"
)

// Standing is the tier a member holds, and all that decides what becomes of it.
type Standing struct {
	// Tier is what is held: what was earned, or what was given by hand if that is higher.
	Tier  Tier
	Since time.Time
	// Earned is the tier by qualifying points; ValidUntil is until when it is valid, nil: without end, and GraceUntil until
	// when it is kept beyond that, nil: not at all.
	Earned     Tier
	ValidUntil *time.Time
	GraceUntil *time.Time
	// Coming is a tier that was reached and is held later; nil for none.
	Coming *Coming
	// Floor is a tier that was given by hand; nil for none.
	Floor *Floor
	// LadderVersion is up to which version changes of the ladder are decided.
	LadderVersion int
	// Joined is when the member joined.
	Joined time.Time
}

// Coming is a tier that begins to be held later.
type Coming struct {
	Tier Tier
	At   time.Time
}

// Floor is a tier that was given by hand, until an instant.
type Floor struct {
	Tier  Tier
	Until time.Time
}

// Enroll is the standing of a member that is new.
func Enroll(ladder Ladder, joined time.Time) Standing {
	return Standing{Tier: ladder.Base(), Since: joined, Earned: ladder.Base(), LadderVersion: ladder.Version, Joined: joined}
}

// Ends is when what was earned runs out for good and wants a review; nil: never.
func (s Standing) Ends() *time.Time {
	if s.GraceUntil != nil {
		return s.GraceUntil
	}
	return s.ValidUntil
}

// Until is until when the member holds its tier, as far as is known; nil: without end.
func (s Standing) Until() *time.Time {
	switch {
	case s.Floor == nil || s.Floor.Tier.Rank < s.Earned.Rank:
		return s.ValidUntil
	case s.Floor.Tier.Rank > s.Earned.Rank:
		return &s.Floor.Until
	case s.ValidUntil == nil || s.ValidUntil.After(s.Floor.Until):
		return s.ValidUntil
	}
	return &s.Floor.Until
}

// DueAt is when the clock alone changes the standing; nil: never.
func (s Standing) DueAt() *time.Time {
	due := s.Ends()
	if s.Coming != nil && (due == nil || s.Coming.At.Before(*due)) {
		due = &s.Coming.At
	}
	if s.Floor != nil && (due == nil || s.Floor.Until.Before(*due)) {
		due = &s.Floor.Until
	}
	return due
}

// Same tells whether nothing differs between two standings that a member's history would tell.
func (s Standing) Same(other Standing) bool {
	return s.Tier.ID == other.Tier.ID && s.Earned.ID == other.Earned.ID && same(s.ValidUntil, other.ValidUntil) &&
		same(s.GraceUntil, other.GraceUntil) && (s.Coming == nil) == (other.Coming == nil) &&
		(s.Coming == nil || s.Coming.Tier.ID == other.Coming.Tier.ID && s.Coming.At.Equal(other.Coming.At)) &&
		(s.Floor == nil) == (other.Floor == nil) &&
		(s.Floor == nil || s.Floor.Tier.ID == other.Floor.Tier.ID && s.Floor.Until.Equal(other.Floor.Until))
}

func same(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// Rise returns the standing after qualifying points were counted at t: higher if they reach a higher tier, or with a
// higher one to come, else unchanged and false. It never falls.
func (t Terms) Rise(s Standing, qualifying int64, at time.Time) (Standing, bool) {
	reached, policy := t.Ladder().For(qualifying), t.Policy()
	switch {
	case reached.Rank <= s.Earned.Rank, policy.Start == NextPeriod && s.Coming != nil && s.Coming.Tier.Rank >= reached.Rank:
		return s, false
	case policy.Start == NextPeriod:
		s.Coming = &Coming{Tier: reached, At: policy.Starts(at, s.Joined)}
		return s, true
	}
	return s.earn(reached, policy, at, true).settle(at), true
}

// SetFloor gives the member a tier by hand, at t; nil takes back what was given. Whoever has earned more keeps it.
func (s Standing) SetFloor(floor *Floor, t time.Time) Standing {
	s.Floor = floor
	return s.settle(t)
}

// earn is the standing with another tier earned, valid from t on.
func (s Standing) earn(tier Tier, policy Policy, t time.Time, amid bool) Standing {
	s.Earned, s.ValidUntil, s.GraceUntil = tier, nil, nil
	if tier.Rank == 0 {
		return s
	}
	until := policy.ends(t, s.Joined, amid)
	s.ValidUntil = &until
	if grace := policy.Grace.After(until, policy.Zone); grace.After(until) {
		s.GraceUntil = &grace
	}
	return s
}

// settle says which tier is held at t, after something changed of what was earned or given.
func (s Standing) settle(t time.Time) Standing {
	held := s.Earned
	if s.Floor != nil && s.Floor.Tier.Rank > held.Rank {
		held = s.Floor.Tier
	}
	if held.ID != s.Tier.ID {
		s.Since = t
	}
	s.Tier = held
	if s.Coming != nil && s.Coming.Tier.Rank <= s.Earned.Rank {
		s.Coming = nil
	}
	return s
}

package tiers

import (
	"slices"
	"time"
)

// Turn is a decision about a standing that an instant asks for.
type Turn struct {
	At time.Time
	// Ladder tells that the turn is a change of the ladder: it counts what was recorded before it.
	Ladder bool
	// Rises is where the window ends of the points that raise, Keeps of those that keep a tier; nil where none are asked for.
	Rises, Keeps *time.Time
	kind         kind
}

type kind int

const (
	ladderTurn kind = iota
	startTurn
	reviewTurn
	floorTurn
)

// Next returns the turn that comes first by an instant; false: there is none. Of several at once, changes of the ladder come
// first, then starts, reviews and ends of floors. A member whose qualifying points were at most atMost when the ladder
// changed is not asked for them if they make no difference.
func (t Terms) Next(s Standing, by time.Time, atMost int64) (Turn, bool) {
	var next *Turn
	add := func(one Turn) {
		if !one.At.After(by) && (next == nil || one.At.Before(next.At)) {
			next = &one
		}
	}
	if i := slices.IndexFunc(t.Ladders, func(one Ladder) bool { return one.Version > s.LadderVersion }); i > 0 {
		add(t.ladderTurn(s, t.Ladders[i], atMost))
	}
	if s.Coming != nil {
		add(Turn{At: s.Coming.At, kind: startTurn})
	}
	if ends := s.Ends(); ends != nil {
		keeps := t.At(*ends).Policy().ReviewsAfter(*s.ValidUntil, s.Joined)
		add(Turn{At: *ends, Keeps: &keeps, kind: reviewTurn})
	}
	if s.Floor != nil {
		add(Turn{At: s.Floor.Until, kind: floorTurn})
	}
	if next == nil {
		return Turn{}, false
	}
	return *next, true
}

func (t Terms) ladderTurn(s Standing, to Ladder, atMost int64) Turn {
	turn := Turn{At: to.CreatedAt, Ladder: true, kind: ladderTurn}
	_, kept := to.Tier(s.Earned.ID)
	earned, _ := to.successor(t.Version(s.LadderVersion), s.Earned)
	if kept && (to.Mode != Now || to.For(atMost).Rank <= earned.Rank && earned.Threshold <= s.Earned.Threshold) {
		return turn
	}
	policy := t.At(turn.At).Policy()
	rises, keeps := policy.CountsAfter(turn.At, s.Joined), policy.ReviewsAfter(turn.At, s.Joined)
	turn.Rises, turn.Keeps = &rises, &keeps
	return turn
}

// Take decides a turn, from the qualifying points that were counted for it, and says why the standing moved; no reason: it
// did not move.
func (t Terms) Take(s Standing, turn Turn, rises, keeps int64) (Standing, Reason) {
	policy := t.At(turn.At).Policy()
	switch turn.kind {
	case startTurn:
		return s.earn(s.Coming.Tier, policy, turn.At, false).settle(turn.At), Started
	case reviewTurn:
		return t.review(s, turn.At, keeps)
	case floorTurn:
		s.Floor = nil
		return s.settle(turn.At), FloorEnded
	case ladderTurn:
	}
	i := slices.IndexFunc(t.Ladders, func(one Ladder) bool { return one.Version > s.LadderVersion })
	after, reason := t.change(s, t.Ladders[i], rises, keeps)
	if after.Same(s) {
		reason = ""
	}
	return after, reason
}

// review decides what becomes of a tier that runs out at an instant.
func (t Terms) review(s Standing, at time.Time, keeps int64) (Standing, Reason) {
	then := t.At(at)
	ladder, policy := then.Ladder(), then.Policy()
	reached, from := ladder.For(keeps), *s.ValidUntil
	// What was a short grace once may be longer than what a tier lasts now.
	if !policy.ends(from, s.Joined, false).After(at) {
		from = at
	}
	switch lower, reason := lowered(ladder, policy, s.Earned, reached); {
	case reached.Rank >= s.Earned.Rank:
		return s.earn(reached, policy, from, false).settle(at), Requalified
	case reason == Kept:
		return s.earn(s.Earned, policy, from, false).settle(at), Kept
	case ladder.protects(at):
		s.ValidUntil, s.GraceUntil = ladder.ProtectUntil, nil
		return s, Protected
	default:
		return s.earn(lower, policy, from, false).settle(at), reason
	}
}

// lowered is to which tier somebody falls who does not reach the one that was held.
func lowered(ladder Ladder, policy Policy, held, reached Tier) (Tier, Reason) {
	switch policy.Downgrade {
	case NeverDown:
		return held, Kept
	case OneStep:
		if below := ladder.Below(held); below.Rank > reached.Rank {
			return below, Lapsed
		}
	case Requalify:
	}
	return reached, Lapsed
}

// change decides what a new version of the ladder does to a standing.
func (t Terms) change(s Standing, to Ladder, rises, keeps int64) (Standing, Reason) {
	at, before := to.CreatedAt, t.Version(s.LadderVersion)
	policy := t.At(at).Policy()
	earned, kept := to.successor(before, s.Earned)
	raised := kept && earned.Threshold > s.Earned.Threshold
	after := s
	after.LadderVersion = to.Version
	if s.Coming != nil {
		tier, _ := to.successor(before, s.Coming.Tier)
		after.Coming = &Coming{Tier: tier, At: s.Coming.At}
	}
	if s.Floor != nil {
		after.Floor = nil
		if tier, _ := to.successor(before, s.Floor.Tier); tier.Rank > 0 {
			after.Floor = &Floor{Tier: tier, Until: s.Floor.Until}
		}
	}
	after.Earned = earned
	reached, reason := to.For(rises), LadderChanged
	switch {
	case reached.Rank > earned.Rank && kept && to.Mode == Now && policy.Start == NextPeriod:
		if after.Coming == nil || after.Coming.Tier.Rank < reached.Rank {
			after.Coming = &Coming{Tier: reached, At: policy.Starts(at, s.Joined)}
		}
	case reached.Rank > earned.Rank && (to.Mode == Now || !kept):
		after = after.earn(reached, policy, at, true)
	case !kept && (to.Mode != Now || to.protects(at) || policy.Downgrade != Requalify || earned.Rank == 0):
		after = after.keep()
	case !kept:
		// Of what it had before, the member keeps at most the next lower tier.
		if still := to.For(max(rises, keeps)); still.Rank < earned.Rank {
			after = after.earn(still, policy, at, true)
		}
	case to.Mode == Now && raised && to.For(max(rises, keeps)).Rank < earned.Rank:
		lower, why := lowered(to, policy, earned, to.For(max(rises, keeps)))
		switch {
		case why == Kept:
		case to.protects(at):
			after.ValidUntil, after.GraceUntil, reason = to.ProtectUntil, nil, Protected
		default:
			after = after.earn(lower, policy, at, true)
		}
	}
	return after.settle(at), reason
}

// keep is the standing with the end that the tier had, unless it is the lowest one, which has none.
func (s Standing) keep() Standing {
	if s.Earned.Rank == 0 {
		s.ValidUntil, s.GraceUntil = nil, nil
	}
	return s
}

package reconcile

import (
	"slices"
	"time"

	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// replay is a member's standing as it follows from the entries and moves before.
type replay struct {
	books    *books
	standing tiers.Standing
	// moved is the last move, since is since when its tier has been held.
	moved  *moveRow
	since  time.Time
	window window
}

// checkStanding replays the tier moves: each follows from what was recorded before it, and none is missing.
func (b *books) checkStanding(timeline []row) {
	// What lapses moves no tier, and may stand between an entry that does and its move.
	timeline = slices.DeleteFunc(slices.Clone(timeline), func(one row) bool { return one.entry != nil && one.entry.Kind == ledger.Expiry })
	if len(timeline) == 0 || timeline[0].move == nil {
		b.expect(Moves, "tier_moves", 1, "enrollment", "one", "none")
		return
	}
	going := &replay{books: b}
	if !going.enroll(timeline[0].move) {
		return
	}
	for i, next := range timeline[1:] {
		switch {
		case next.move != nil:
			if !going.follow(next.move, timeline[i]) {
				return
			}
		case next.entry == nil:
			going.checkDue(next)
		default:
			byHand := next.entry.Kind == ledger.Adjusted || next.entry.AdjustmentID != nil
			if byHand {
				going.checkDue(next)
			}
			going.window.add(next.entry)
			raised := len(timeline) > i+2 && timeline[i+2].move != nil && timeline[i+2].move.Reason == tiers.Reached
			if !raised && !byHand && (next.entry.Kind == ledger.Accrual || next.entry.Kind == ledger.Reversal) {
				going.checkRise(next)
			}
		}
	}
	going.checkAccount()
}

func (r *replay) enroll(move *moveRow) bool {
	b := r.books
	ladder := tiers.InForce(b.check.ladders, move.RecordedAt)
	b.expect(Moves, "tier_moves", move.Sequence, "reason", tiers.Enrolled, move.Reason)
	b.expect(Moves, "tier_moves", move.Sequence, "from_tier_id", nil, move.From)
	b.expect(Moves, "tier_moves", move.Sequence, "at", b.identity.JoinedAt, move.At)
	return r.hold(move, ladder, tiers.Standing{Tier: ladder.Base(), Since: move.At})
}

// hold compares where the move leads with where it should, and goes on from there. It returns false if the ladder does
// not have the tier, and nothing follows from it.
func (r *replay) hold(move *moveRow, ladder tiers.Ladder, expected tiers.Standing) bool {
	b := r.books
	b.expect(Moves, "tier_moves", move.Sequence, "ladder_version", ladder.Version, move.LadderVersion)
	b.expect(Moves, "tier_moves", move.Sequence, "to_tier_id", expected.Tier.ID, move.To)
	b.expect(Moves, "tier_moves", move.Sequence, "valid_until", expected.ValidUntil, move.ValidUntil)
	r.moved, r.since = move, expected.Since
	tier, ok := b.check.ladders[len(b.check.ladders)-1].Tier(move.To)
	r.standing = tiers.Standing{Tier: tier, Since: expected.Since, ValidUntil: move.ValidUntil}
	return ok
}

// follow checks a move after the first; before is the row before it.
func (r *replay) follow(move *moveRow, before row) bool {
	b := r.books
	ladder := tiers.InForce(b.check.ladders, move.At)
	b.expect(Moves, "tier_moves", move.Sequence, "from_tier_id", r.standing.Tier.ID, move.From)
	var expected tiers.Standing
	switch move.Reason {
	case tiers.Reached, tiers.LadderChanged:
		earned := before.entry != nil && (before.entry.Kind == ledger.Accrual || before.entry.Kind == ledger.Reversal)
		if move.Reason == tiers.Reached && !earned {
			b.expect(Moves, "tier_moves", move.Sequence, "entry that reaches the tier", "one", "none")
		}
		b.expect(Moves, "tier_moves", move.Sequence, "at", move.RecordedAt, move.At)
		expected, _ = tiers.Rise(r.standing, ladder, b.check.policy, r.window.count(b.check.policy.CountsAfter(move.At)), move.At)
	case tiers.Requalified, tiers.Lapsed:
		b.expect(Moves, "tier_moves", move.Sequence, "at, the end of the standing before", r.standing.ValidUntil, move.At)
		if r.standing.ValidUntil == nil {
			return r.hold(move, ladder, r.standing)
		}
		if move.RecordedAt.Before(move.At) {
			b.expect(Moves, "tier_moves", move.Sequence, "recorded_at, not before it was so", move.At, move.RecordedAt)
		}
		var reason tiers.Reason
		qualifying := r.window.count(b.check.policy.CountsAfter(*r.standing.ValidUntil))
		expected, reason = tiers.Review(r.standing, ladder, b.check.policy, qualifying)
		b.expect(Moves, "tier_moves", move.Sequence, "reason", reason, move.Reason)
	default:
		b.expect(Moves, "tier_moves", move.Sequence, "reason", "another one", move.Reason)
		expected = r.standing
	}
	return r.hold(move, ladder, expected)
}

// checkDue makes sure that a standing which had run out when something was recorded was reviewed before it.
func (r *replay) checkDue(next row) {
	if r.standing.Over(next.recordedAt.Add(-sliceSpan)) {
		r.books.expect(Moves, next.table(), next.sequence, "review before it, of the standing that ran out", r.standing.ValidUntil, nil)
	}
}

// checkRise makes sure that an entry after which no move stands did not reach a higher tier. It goes on from the tier, so
// that a lost move is told once.
func (r *replay) checkRise(next row) {
	c := r.books.check
	ladder := tiers.InForce(c.ladders, next.recordedAt)
	qualifying := r.window.count(c.policy.CountsAfter(next.recordedAt))
	if after, rose := tiers.Rise(r.standing, ladder, c.policy, qualifying, next.recordedAt); rose {
		r.books.expect(Moves, "entries", next.sequence, "tier reached with it", after.Tier.Name, nil)
		r.standing = after
	}
}

// checkAccount compares what the account has cached with the last move and with what qualifies.
func (r *replay) checkAccount() {
	b := r.books
	account, policy := b.account, b.check.policy
	b.expect(Standings, "accounts", 1, "tier_id", r.moved.To, account.TierID)
	b.expect(Standings, "accounts", 1, "tier_since", r.since, account.TierSince)
	b.expect(Standings, "accounts", 1, "tier_valid_until", r.moved.ValidUntil, account.TierValidUntil)
	b.expect(Standings, "accounts", 1, "ladder_version", r.moved.LadderVersion, account.LadderVersion)

	// A slice begins with a count; what leaves the window amid it is left out with the next one.
	began := r.window.count(policy.CountsAfter(account.RecordedAt.Add(-sliceSpan)))
	if ended := r.window.count(policy.CountsAfter(account.RecordedAt)); account.Qualifying != began && account.Qualifying != ended {
		b.expect(Qualifying, "accounts", 1, "qualifying", ended, account.Qualifying)
		return
	}
	stale := account.QualifyingUntil
	switch {
	case stale == nil && r.window.open():
		b.expect(Qualifying, "accounts", 1, "qualifying_until", policy.CountsUntil(r.window.entries[0].at), nil)
	case stale != nil && stale.After(account.RecordedAt):
		until := stale.Add(-time.Microsecond)
		b.expect(Qualifying, "accounts", 1, "qualifying until "+show(stale), r.window.count(policy.CountsAfter(until)), account.Qualifying)
	}
	newest := b.check.ladders[len(b.check.ladders)-1]
	if reached := newest.For(account.Qualifying); b.check.promoted && reached.Rank > r.standing.Tier.Rank {
		b.expect(Moves, "accounts", 1, "tier after the ladder changed", reached.Name, r.standing.Tier.Name)
	}
}

// window is the qualifying points that still count, in the order in which they leave. What was counted at one instant is
// counted at later ones only.
type window struct {
	entries []qualified
	points  int64
}

type qualified struct {
	at     time.Time
	points int64
}

func (w *window) add(entry *ledger.Entry) {
	if entry.Qualifying == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(w.entries, entry.QualifiesAt, func(one qualified, at time.Time) int {
		return one.at.Compare(at)
	})
	w.entries = slices.Insert(w.entries, i, qualified{entry.QualifiesAt, entry.Qualifying})
	w.points += entry.Qualifying
}

// count is the points that qualified later than after.
func (w *window) count(after time.Time) int64 {
	gone := 0
	for gone < len(w.entries) && !w.entries[gone].at.After(after) {
		w.points -= w.entries[gone].points
		gone++
	}
	w.entries = w.entries[gone:]
	return w.points
}

func (w *window) open() bool { return len(w.entries) > 0 }

package reconcile

import (
	"math"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// ever is after everything that was recorded.
var ever = time.Date(9999, time.January, 1, 0, 0, 0, 0, time.UTC)

// replay is a member's standing as it follows from the entries and moves before.
type replay struct {
	books    *books
	standing tiers.Standing
	// moved is the standing after the last move.
	moved  tiers.Standing
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
			if !going.follow(next, timeline[i]) {
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
	b.expect(Moves, "tier_moves", move.Sequence, "reason", tiers.Enrolled, move.Reason)
	b.expect(Moves, "tier_moves", move.Sequence, "from_tier_id", nil, move.From)
	b.expect(Moves, "tier_moves", move.Sequence, "at", b.identity.JoinedAt, move.At)
	b.expect(Moves, "accounts", 1, "joined_at", b.identity.JoinedAt, b.account.JoinedAt)
	first := tiers.Enroll(b.check.status.At(move.RecordedAt).Ladder(), b.identity.JoinedAt)
	first.Since = move.At
	return r.hold(move, first)
}

// hold compares where the move leads with where it should, and goes on from there. It returns false if the ladder never had
// the tier, and nothing follows from it.
func (r *replay) hold(move *moveRow, expected tiers.Standing) bool {
	b := r.books
	r.compare(Moves, "tier_moves", move.Sequence, expected.Record(), move.Record)
	standing, err := b.check.status.Standing(move.Record, expected.Since, b.identity.JoinedAt)
	r.standing, r.moved = standing, standing
	return err == nil
}

// compare lists what differs between two standings as they are stored.
func (r *replay) compare(kind Kind, table string, number int64, expected, found tiers.Record) {
	b := r.books
	prefix := ""
	held := "to_tier_id"
	if table == "accounts" {
		prefix, held = "tier_", "tier_id"
	}
	b.expect(kind, table, number, "ladder_version", expected.LadderVersion, found.LadderVersion)
	b.expect(kind, table, number, held, expected.Held, found.Held)
	b.expect(kind, table, number, prefix+"valid_until", expected.ValidUntil, found.ValidUntil)
	b.expect(kind, table, number, prefix+"grace_until", expected.GraceUntil, found.GraceUntil)
	b.expect(kind, table, number, "tier that was earned", expected.Earned, found.Earned)
	b.expect(kind, table, number, "tier to come", expected.Coming, found.Coming)
	b.expect(kind, table, number, "when it comes", expected.ComingAt, found.ComingAt)
	b.expect(kind, table, number, "floor", expected.Floor, found.Floor)
	b.expect(kind, table, number, "end of the floor", expected.FloorUntil, found.FloorUntil)
}

// follow checks a move after the first; before is the row before it.
func (r *replay) follow(next, before row) bool {
	b, move := r.books, next.move
	from := func() { b.expect(Moves, "tier_moves", move.Sequence, "from_tier_id", r.standing.Tier.ID, move.From) }
	var expected tiers.Standing
	switch move.Reason {
	case tiers.Reached:
		r.checkDue(next)
		from()
		if before.entry == nil || before.entry.Kind != ledger.Accrual && before.entry.Kind != ledger.Reversal {
			b.expect(Moves, "tier_moves", move.Sequence, "entry that reaches the tier", "one", "none")
		}
		b.expect(Moves, "tier_moves", move.Sequence, "at", move.RecordedAt, move.At)
		expected, _ = r.rise(move.At)
	case tiers.FloorSet, tiers.FloorCleared:
		r.checkDue(next)
		from()
		b.expect(Moves, "tier_moves", move.Sequence, "at", move.RecordedAt, move.At)
		b.expect(Moves, "tier_moves", move.Sequence, "floor that is set", move.Reason == tiers.FloorSet, move.Floor != nil)
		var floor *tiers.Floor
		if move.Floor != nil && move.FloorUntil != nil {
			tier, _ := b.check.status.Tier(move.LadderVersion, *move.Floor)
			floor = &tiers.Floor{Tier: tier, Until: *move.FloorUntil}
		}
		expected = r.standing.SetFloor(floor, move.At)
	default:
		turn, after, reason, ok := r.next(ever)
		from()
		if !ok {
			b.expect(Moves, "tier_moves", move.Sequence, "at, the end of the standing before", nil, move.At)
			return r.hold(move, r.standing)
		}
		b.expect(Moves, "tier_moves", move.Sequence, "at, the end of the standing before", turn.At, move.At)
		b.expect(Moves, "tier_moves", move.Sequence, "reason", reason, move.Reason)
		if move.RecordedAt.Before(turn.At) {
			b.expect(Moves, "tier_moves", move.Sequence, "recorded_at, not before it was so", turn.At, move.RecordedAt)
		}
		expected = after
	}
	return r.hold(move, expected)
}

// next is the next turn by an instant that moves the member, with what it leads to; changes of the ladder that do not are passed.
func (r *replay) next(by time.Time) (tiers.Turn, tiers.Standing, tiers.Reason, bool) {
	for {
		turn, ok := r.books.check.status.Next(r.standing, by, math.MaxInt64)
		if !ok {
			return turn, r.standing, "", false
		}
		var rises, keeps int64
		switch {
		case turn.Ladder && turn.Keeps != nil:
			rises, keeps = r.window.known(*turn.Rises, turn.At), r.window.known(*turn.Keeps, turn.At)
		case turn.Keeps != nil:
			keeps = r.window.count(*turn.Keeps)
		}
		after, reason := r.books.check.status.Take(r.standing, turn, rises, keeps)
		if reason != "" {
			return turn, after, reason, true
		}
		r.standing = after
	}
}

// checkDue makes sure that whatever the clock and the ladder had done when something was recorded was posted before it.
func (r *replay) checkDue(next row) {
	for {
		turn, after, reason, ok := r.next(next.recordedAt)
		switch {
		case !ok, !turn.Ladder && turn.At.After(next.recordedAt.Add(-sliceSpan)):
			return
		case turn.Ladder:
			r.books.expect(Moves, next.table(), next.sequence, "move before it, as the ladder changed", reason, nil)
			r.standing = after
		default:
			r.books.expect(Moves, next.table(), next.sequence, "review before it, of the standing that ran out", turn.At, nil)
			return
		}
	}
}

// rise is the standing after what was recorded by t.
func (r *replay) rise(t time.Time) (tiers.Standing, bool) {
	terms := r.books.check.status.At(t)
	return terms.Rise(r.standing, r.window.count(terms.Policy().CountsAfter(t, r.standing.Joined)), t)
}

// checkRise makes sure that an entry after which no move stands did not reach a higher tier. It goes on from the tier, so
// that a lost move is told once.
func (r *replay) checkRise(next row) {
	after, rose := r.rise(next.recordedAt)
	if !rose {
		return
	}
	reached := after.Earned.Name
	if after.Coming != nil {
		reached = after.Coming.Tier.Name
	}
	r.books.expect(Moves, "entries", next.sequence, "tier reached with it", reached, nil)
	r.standing = after
}

// checkAccount compares what the account has cached with the last move and with what qualifies.
func (r *replay) checkAccount() {
	b := r.books
	account := b.account
	if turn, after, reason, ok := r.next(account.RecordedAt); ok && turn.Ladder {
		b.expect(Moves, "accounts", 1, "move, as the ladder changed", reason, nil)
		r.standing = after
	}
	r.moved.LadderVersion = r.standing.LadderVersion
	r.compare(Standings, "accounts", 1, r.moved.Record(), account.Standing())
	b.expect(Standings, "accounts", 1, "tier_since", r.moved.Since, account.TierSince)
	b.expect(Standings, "accounts", 1, "review_at", r.moved.DueAt(), account.ReviewAt)
	r.checkQualifying()
	if newest := b.check.status.Ladder(); b.check.promoted && newest.Version > 1 {
		for {
			turn, after, _, ok := r.next(newest.CreatedAt)
			if !ok {
				return
			}
			if turn.Ladder {
				b.expect(Moves, "accounts", 1, "tier after the ladder changed", after.Tier.Name, r.standing.Tier.Name)
			}
			r.standing = after
		}
	}
}

// checkQualifying compares what the account has cached of qualifying points with its entries, by the policy of then.
func (r *replay) checkQualifying() {
	b := r.books
	account, joined := b.account, b.identity.JoinedAt
	policy := b.check.status.At(account.RecordedAt).Policy()
	// A slice begins with a count; what leaves the window amid it is left out with the next one.
	began := r.window.count(policy.CountsAfter(account.RecordedAt.Add(-sliceSpan), joined))
	if ended := r.window.count(policy.CountsAfter(account.RecordedAt, joined)); account.Qualifying != began && account.Qualifying != ended {
		b.expect(Qualifying, "accounts", 1, "qualifying", ended, account.Qualifying)
		return
	}
	stale := account.QualifyingUntil
	switch {
	case stale == nil && r.window.open():
		b.expect(Qualifying, "accounts", 1, "qualifying_until", policy.CountsUntil(r.window.entries[r.window.gone].at, joined), nil)
	case stale != nil && stale.After(account.RecordedAt):
		until := stale.Add(-time.Microsecond)
		b.expect(Qualifying, "accounts", 1, "qualifying until "+show(stale), r.window.count(policy.CountsAfter(until, joined)), account.Qualifying)
	}
}

// window is the qualifying points, in the order in which they leave it: those from gone on count.
type window struct {
	entries []qualified
	gone    int
	points  int64
	after   time.Time
}

type qualified struct {
	at, recordedAt time.Time
	points         int64
}

func (w *window) add(entry *ledger.Entry) {
	if entry.Qualifying == 0 {
		return
	}
	i, _ := slices.BinarySearchFunc(w.entries, entry.QualifiesAt, func(one qualified, at time.Time) int {
		return one.at.Compare(at)
	})
	w.entries = slices.Insert(w.entries, i, qualified{entry.QualifiesAt, entry.RecordedAt, entry.Qualifying})
	if entry.QualifiesAt.After(w.after) {
		w.points += entry.Qualifying
	} else {
		w.gone++
	}
}

// count is the points that qualified later than after.
func (w *window) count(after time.Time) int64 {
	for w.gone < len(w.entries) && !w.entries[w.gone].at.After(after) {
		w.points -= w.entries[w.gone].points
		w.gone++
	}
	for w.gone > 0 && w.entries[w.gone-1].at.After(after) {
		w.gone--
		w.points += w.entries[w.gone].points
	}
	w.after = after
	return w.points
}

// known is the points that qualified later than after and were recorded before an instant.
func (w *window) known(after, before time.Time) int64 {
	var points int64
	for _, one := range w.entries {
		if one.at.After(after) && one.recordedAt.Before(before) {
			points += one.points
		}
	}
	return points
}

func (w *window) open() bool { return w.gone < len(w.entries) }

// moveRow is one line of a tier history.
type moveRow struct {
	Member     id.Member    `db:"member_id"`
	Sequence   int64        `db:"sequence"`
	At         time.Time    `db:"at"`
	RecordedAt time.Time    `db:"recorded_at"`
	From       *id.Tier     `db:"from_tier_id"`
	Reason     tiers.Reason `db:"reason"`
	tiers.Record
}

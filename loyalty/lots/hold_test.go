package lots_test

import (
	"slices"
	"testing"
	"time"

	"regulars/loyalty/lots"
)

func TestReserve(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		points, missing int64
		draws           []lots.Draw
	}{
		"part of a lot":      {2, 0, []lots.Draw{{Lot: 3, Points: 2}}},
		"several lots":       {7, 0, []lots.Draw{{Lot: 3, Points: 5}, {Lot: 2, Points: 2}}},
		"all there is":       {10, 0, []lots.Draw{{Lot: 3, Points: 5}, {Lot: 2, Points: 5}}},
		"more than there is": {11, 1, nil},
	} {
		h := lots.Holding{Lots: []lots.Lot{lot(1, 5, on(11), nil), lot(2, 5, on(0), nil), lot(3, 5, on(0), on(20)), lot(4, 5, on(0), on(10))}}
		before := h.Balance(day(10))
		same(t, name+", missing", test.missing, h.Reserve(30, test.points, day(12), day(10)))
		if test.missing > 0 {
			same(t, name+", balance", before, h.Balance(day(10)))
			same(t, name+", holds", 0, len(h.Holds))
			continue
		}
		before.Available, before.Held = before.Available-test.points, test.points
		same(t, name+", balance", before, h.Balance(day(10)))
		hold, ok := h.Hold(30)
		same(t, name+", hold", lots.Hold{Sequence: 30, EndsAt: day(12), Draws: test.draws}, hold)
		if _, other := h.Hold(31); !ok || other {
			t.Errorf("%s: hold 30 is there: %v, hold 31 is there: %v", name, ok, other)
		}
	}
}

// A hold that has ended still has its points as long as nobody advanced the clock. They are not there twice.
func TestReserve_NeverSetsAsideLessThanAsked(t *testing.T) {
	t.Parallel()
	h := lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), nil)}}
	h.Reserve(10, 4, day(3), day(0))
	missing := h.Reserve(11, 5, day(9), day(3))
	if hold, ok := h.Hold(11); ok != (missing == 0) || ok && hold.Points() != 5 {
		t.Errorf("%d missing, but the hold of 5 sets aside %d", missing, hold.Points())
	}
	same(t, "what there is", int64(5), h.Balance(day(3)).Owned())
}

func TestCapture(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		points   int64
		at       time.Time
		debts    []lots.Debt
		captured []lots.Draw
		paid     []lots.Payment
		left     map[int64]int64
		after    lots.Balance
	}{
		"whole": {
			points: 8, at: day(5),
			captured: []lots.Draw{{Lot: 1, Points: 5}, {Lot: 2, Points: 3}},
			left:     map[int64]int64{2: 2}, after: lots.Balance{Available: 2},
		},
		"a part, in burn order; the rest comes back": {
			points: 6, at: day(5),
			captured: []lots.Draw{{Lot: 1, Points: 5}, {Lot: 2, Points: 1}},
			left:     map[int64]int64{2: 4}, after: lots.Balance{Available: 4},
		},
		"nothing, which releases it": {
			points: 0, at: day(5),
			left: map[int64]int64{1: 5, 2: 5}, after: lots.Balance{Available: 10},
		},
		"of a lot that lapsed meanwhile": {
			points: 4, at: day(10),
			captured: []lots.Draw{{Lot: 1, Points: 4}},
			left:     map[int64]int64{1: 1, 2: 5}, after: lots.Balance{Available: 5},
		},
		"the rest goes to a lapsed lot and lapses at once": {
			points: 0, at: day(10),
			left: map[int64]int64{1: 5, 2: 5}, after: lots.Balance{Available: 5},
		},
		"the rest pays debts": {
			points: 4, at: day(5), debts: []lots.Debt{debt(40, 2), debt(41, 9)},
			captured: []lots.Draw{{Lot: 1, Points: 4}},
			paid:     []lots.Payment{{Debt: 40, Lot: 1, Points: 1}, {Debt: 40, Lot: 2, Points: 1}, {Debt: 41, Lot: 2, Points: 4}},
			after:    lots.Balance{Debt: 5},
		},
		"what lapsed pays no debts": {
			points: 2, at: day(10), debts: []lots.Debt{debt(40, 9)},
			captured: []lots.Draw{{Lot: 1, Points: 2}},
			paid:     []lots.Payment{{Debt: 40, Lot: 2, Points: 5}},
			left:     map[int64]int64{1: 3}, after: lots.Balance{Debt: 4},
		},
	} {
		h := lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(10)), lot(2, 5, on(0), nil)}}
		h.Reserve(30, 8, day(20), day(0))
		h.Debts = test.debts
		captured, paid := h.Capture(30, test.points, test.at)
		same(t, name+", captured", test.captured, captured)
		same(t, name+", paid", test.paid, paid)
		same(t, name+", left", test.left, left(h))
		same(t, name+", afterwards", test.after, h.Balance(test.at))
		if _, ok := h.Hold(30); ok {
			t.Errorf("%s: the hold is still open", name)
		}
	}
}

func TestAdvance(t *testing.T) {
	t.Parallel()
	lapsed := func(n int, sequence, points int64) lots.Event {
		return lots.Event{At: day(n), Lapsed: &lots.Draw{Lot: sequence, Points: points}}
	}
	ended := func(n int, sequence int64, paid []lots.Payment, draws ...lots.Draw) lots.Event {
		return lots.Event{At: day(n), Ended: &lots.Hold{Sequence: sequence, EndsAt: day(n), Draws: draws}, Paid: paid}
	}
	for name, test := range map[string]struct {
		holding lots.Holding
		until   time.Time
		want    []lots.Event
		after   lots.Balance
	}{
		"nothing has happened yet": {
			lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(10))}, Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10)}}},
			day(10).Add(-instant), nil, lots.Balance{Available: 5},
		},
		"lots lapse in the order of their instants, then of burning": {
			lots.Holding{Lots: []lots.Lot{lot(3, 1, on(0), on(10)), lot(2, 2, on(50), on(9)), lot(1, 3, nil, on(10)), lot(4, 4, on(0), on(11)), lot(5, 5, on(0), nil)}},
			day(10), []lots.Event{lapsed(9, 2, 2), lapsed(10, 1, 3), lapsed(10, 3, 1)}, lots.Balance{Available: 9},
		},
		"an idle member loses what has no expiry of its own": {
			lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), nil), lot(2, 4, on(0), on(12)), lot(3, 3, nil, nil), lot(4, 2, on(0), on(9))}, Idle: on(10)},
			day(10), []lots.Event{lapsed(9, 4, 2), lapsed(10, 1, 5), lapsed(10, 3, 3)}, lots.Balance{Available: 4},
		},
		"a hold ends and gives back its points": {
			lots.Holding{
				Lots:  []lots.Lot{{Sequence: 1, Points: 5, Remaining: 1, AvailableAt: on(0)}},
				Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 3}}}},
			},
			day(10), []lots.Event{ended(10, 30, nil, lots.Draw{Lot: 1, Points: 3})}, lots.Balance{Available: 4},
		},
		"what a hold gives back to a lapsed lot lapses": {
			lots.Holding{
				Lots:  []lots.Lot{{Sequence: 1, Points: 5, Remaining: 1, AvailableAt: on(0), ExpiresAt: on(9)}, lot(2, 2, on(0), on(11))},
				Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 3}}}},
			},
			day(11), []lots.Event{lapsed(9, 1, 1), ended(10, 30, nil, lots.Draw{Lot: 1, Points: 3}), lapsed(9, 1, 3), lapsed(11, 2, 2)}, lots.Balance{},
		},
		"a lot that lapses when the hold ends is not given back first": {
			lots.Holding{
				Lots:  []lots.Lot{{Sequence: 1, Points: 5, Remaining: 1, AvailableAt: on(0), ExpiresAt: on(10)}},
				Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 3}}}},
				Debts: []lots.Debt{debt(40, 9)},
			},
			day(10), []lots.Event{lapsed(10, 1, 1), ended(10, 30, nil, lots.Draw{Lot: 1, Points: 3}), lapsed(10, 1, 3)}, lots.Balance{Debt: 9},
		},
		"what a hold gives back pays debts": {
			lots.Holding{
				Lots:  []lots.Lot{{Sequence: 1, Points: 5, AvailableAt: on(0)}},
				Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 5}}}},
				Debts: []lots.Debt{debt(41, 9), debt(40, 1)},
			},
			day(10), []lots.Event{ended(10, 30, []lots.Payment{{Debt: 40, Lot: 1, Points: 1}, {Debt: 41, Lot: 1, Points: 4}}, lots.Draw{Lot: 1, Points: 5})},
			lots.Balance{Debt: 5},
		},
		"holds end in the order of their ends": {
			lots.Holding{
				Lots:  []lots.Lot{{Sequence: 1, Points: 5, AvailableAt: on(0)}, {Sequence: 2, Points: 5, AvailableAt: on(0)}},
				Holds: []lots.Hold{{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 5}}}, {Sequence: 31, EndsAt: day(9), Draws: []lots.Draw{{Lot: 2, Points: 5}}}},
				Debts: []lots.Debt{debt(40, 6)},
			},
			day(10), []lots.Event{
				ended(9, 31, []lots.Payment{{Debt: 40, Lot: 2, Points: 5}}, lots.Draw{Lot: 2, Points: 5}),
				ended(10, 30, []lots.Payment{{Debt: 40, Lot: 1, Points: 1}}, lots.Draw{Lot: 1, Points: 5}),
			},
			lots.Balance{Available: 4},
		},
	} {
		h := test.holding.Clone()
		same(t, name+", foreseen", test.after, h.Balance(test.until))
		same(t, name+", events", test.want, h.Advance(test.until))
		same(t, name+", afterwards", test.after, h.Balance(test.until))
		same(t, name+", again", nil, h.Advance(test.until))
	}
}

// Rows come in any order; which points pay a debt must not depend on it.
func TestAdvance_HoldsThatEndTogether(t *testing.T) {
	t.Parallel()
	first := lots.Hold{Sequence: 30, EndsAt: day(10), Draws: []lots.Draw{{Lot: 2, Points: 5}}}
	second := lots.Hold{Sequence: 31, EndsAt: day(10), Draws: []lots.Draw{{Lot: 1, Points: 5}}}
	for name, holds := range map[string][]lots.Hold{"in their order": {first, second}, "the other way round": {second, first}} {
		h := lots.Holding{
			Lots:  []lots.Lot{{Sequence: 1, Points: 5, AvailableAt: on(0)}, {Sequence: 2, Points: 5, AvailableAt: on(0)}},
			Holds: holds, Debts: []lots.Debt{debt(40, 5)},
		}
		same(t, name, []lots.Event{
			{At: day(10), Ended: &first, Paid: []lots.Payment{{Debt: 40, Lot: 2, Points: 5}}},
			{At: day(10), Ended: &second},
		}, h.Advance(day(10)))
	}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	draws := []lots.Draw{{Lot: 3, Points: 4}, {Lot: 1, Points: 2}, {Lot: 2, Points: 5}}
	for name, test := range map[string]struct {
		points            int64
		first, rest, last []lots.Draw
	}{
		"nothing":      {0, nil, draws, nil},
		"within one":   {3, []lots.Draw{{Lot: 3, Points: 3}}, []lots.Draw{{Lot: 3, Points: 1}, {Lot: 1, Points: 2}, {Lot: 2, Points: 5}}, []lots.Draw{{Lot: 2, Points: 3}}},
		"between two":  {6, draws[:2], draws[2:], []lots.Draw{{Lot: 2, Points: 5}, {Lot: 1, Points: 1}}},
		"within a few": {8, []lots.Draw{{Lot: 3, Points: 4}, {Lot: 1, Points: 2}, {Lot: 2, Points: 2}}, []lots.Draw{{Lot: 2, Points: 3}}, []lots.Draw{{Lot: 2, Points: 5}, {Lot: 1, Points: 2}, {Lot: 3, Points: 1}}},
		"all":          {11, draws, nil, []lots.Draw{{Lot: 2, Points: 5}, {Lot: 1, Points: 2}, {Lot: 3, Points: 4}}},
		"beyond":       {50, draws, nil, []lots.Draw{{Lot: 2, Points: 5}, {Lot: 1, Points: 2}, {Lot: 3, Points: 4}}},
	} {
		before := slices.Clone(draws)
		first, rest := lots.Split(draws, test.points)
		same(t, name+", first", test.first, first)
		same(t, name+", rest", test.rest, rest)
		same(t, name+", last", test.last, lots.Last(draws, test.points))
		same(t, name+", draws", before, draws)
	}
}

// Both parts together are the whole, in its order; and the last points are what is left when the others were split off.
func FuzzSplit(f *testing.F) {
	f.Add(int64(4), int64(2), int64(5), int64(6))
	f.Add(int64(0), int64(1<<40), int64(1), int64(1<<40))
	f.Fuzz(func(t *testing.T, a, b, c, points int64) {
		limit := func(n int64) int64 { return max(n, 0) % (1 << 50) }
		draws := []lots.Draw{{Lot: 2, Points: limit(a)}, {Lot: 1, Points: limit(b)}, {Lot: 3, Points: limit(c)}}
		whole := lots.Hold{Draws: draws}.Points()
		points = limit(points)
		first, rest := lots.Split(draws, points)
		if taken := (lots.Hold{Draws: first}).Points(); taken != min(points, whole) {
			t.Errorf("%d of %d are the first %d", taken, whole, points)
		}
		joined := slices.Clone(first)
		for _, one := range rest {
			if last := len(joined) - 1; last >= 0 && joined[last].Lot == one.Lot {
				joined[last].Points += one.Points
			} else {
				joined = append(joined, one)
			}
		}
		same(t, "joined", slices.DeleteFunc(draws, func(one lots.Draw) bool { return one.Points == 0 }), joined)
		backwards := lots.Last(draws, whole-min(points, whole))
		slices.Reverse(backwards)
		same(t, "last", rest, backwards)
	})
}

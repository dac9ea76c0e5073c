package lots_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regulars/loyalty/lots"
)

var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

func on(n int) *time.Time {
	at := day(n)
	return &at
}

const instant = time.Microsecond

// lot is a whole lot that was earned at the start.
func lot(sequence, points int64, available, expires *time.Time) lots.Lot {
	return lots.Lot{
		Sequence: sequence, Points: points, Remaining: points, EarnedAt: start, AvailableAt: available, ExpiresAt: expires,
	}
}

func debt(sequence, points int64) lots.Debt {
	return lots.Debt{Sequence: sequence, Points: points, Remaining: points}
}

// left is what remains, by lot; of lots that are empty it says nothing.
func left(h lots.Holding) map[int64]int64 {
	remaining := map[int64]int64{}
	for _, one := range h.Lots {
		if one.Remaining != 0 {
			remaining[one.Sequence] = one.Remaining
		}
	}
	return remaining
}

func same[T any](t *testing.T, name string, want, got T) {
	t.Helper()
	if difference := cmp.Diff(want, got, cmpopts.EquateEmpty()); difference != "" {
		t.Errorf("%s: %s", name, difference)
	}
}

func TestTake_BurnOrder(t *testing.T) {
	t.Parallel()
	later := func(one lots.Lot, days int) lots.Lot {
		one.EarnedAt = day(days)
		return one
	}
	h := lots.Holding{Lots: []lots.Lot{
		later(lot(10, 10, on(0), nil), 1),
		lot(1, 10, on(0), nil),
		later(lot(2, 10, on(0), on(30)), 1),
		lot(6, 10, on(0), on(30)),
		lot(3, 10, on(0), on(30)),
		later(lot(4, 10, on(0), on(20)), 5),
		{Sequence: 7, Points: 10, EarnedAt: start, AvailableAt: on(0), ExpiresAt: on(11)},
		lot(8, 10, on(0), on(10)),
		lot(9, 10, on(11), on(12)),
		lot(5, 10, nil, on(12)),
	}}
	draws, missing := h.Take(65, day(10))
	same(t, "draws", []lots.Draw{
		{Lot: 4, Points: 10}, {Lot: 3, Points: 10}, {Lot: 6, Points: 10}, {Lot: 2, Points: 10}, {Lot: 1, Points: 10}, {Lot: 10, Points: 10},
	}, draws)
	same(t, "missing", int64(5), missing)
	same(t, "left", map[int64]int64{5: 10, 8: 10, 9: 10}, left(h))
}

func TestTake_OnlyWhatCanBeSpent(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lot    lots.Lot
		idle   *time.Time
		at     time.Time
		points int64
		taken  int64
	}{
		"part":                          {lot(1, 9, on(0), nil), nil, day(10), 4, 4},
		"all":                           {lot(1, 9, on(0), nil), nil, day(10), 9, 9},
		"more than there is":            {lot(1, 9, on(0), nil), nil, day(10), 12, 9},
		"nothing":                       {lot(1, 9, on(0), nil), nil, day(10), 0, 0},
		"just before it is available":   {lot(1, 9, on(10), nil), nil, day(10).Add(-instant), 9, 0},
		"when it is available":          {lot(1, 9, on(10), nil), nil, day(10), 9, 9},
		"before it is confirmed":        {lot(1, 9, nil, nil), nil, day(10), 9, 0},
		"just before it lapses":         {lot(1, 9, on(0), on(10)), nil, day(10).Add(-instant), 9, 9},
		"when it lapses":                {lot(1, 9, on(0), on(10)), nil, day(10), 9, 0},
		"just before the member idles":  {lot(1, 9, on(0), nil), on(10), day(10).Add(-instant), 9, 9},
		"when the member idles":         {lot(1, 9, on(0), nil), on(10), day(10), 9, 0},
		"its own expiry, member idling": {lot(1, 9, on(0), on(20)), on(10), day(10), 9, 9},
	} {
		h := lots.Holding{Lots: []lots.Lot{test.lot}, Idle: test.idle}
		draws, missing := h.Take(test.points, test.at)
		same(t, name+", taken", test.taken, lots.Hold{Draws: draws}.Points())
		same(t, name+", missing", test.points-test.taken, missing)
		same(t, name+", left", 9-test.taken, h.Lots[0].Remaining)
	}
}

func TestCredit_PaysDebts(t *testing.T) {
	t.Parallel()
	debts := []lots.Debt{debt(9, 4), debt(7, 3), {Sequence: 5, Points: 8}}
	for name, test := range map[string]struct {
		lot   lots.Lot
		idle  *time.Time
		paid  []lots.Payment
		left  int64
		debts []int64 // of 5, 7 and 9
	}{
		"part of the oldest":       {lot(20, 2, on(0), nil), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 2}}, 0, []int64{0, 1, 4}},
		"the oldest first":         {lot(20, 5, on(0), nil), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 3}, {Debt: 9, Lot: 20, Points: 2}}, 0, []int64{0, 0, 2}},
		"all, and some stay":       {lot(20, 10, on(0), on(90)), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 3}, {Debt: 9, Lot: 20, Points: 4}}, 3, []int64{0, 0, 0}},
		"pending points pay":       {lot(20, 3, on(90), nil), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 3}}, 0, []int64{0, 0, 4}},
		"unconfirmed points pay":   {lot(20, 3, nil, nil), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 3}}, 0, []int64{0, 0, 4}},
		"born expired, pays none":  {lot(20, 10, on(0), on(10)), nil, nil, 10, []int64{0, 3, 4}},
		"expires next, pays still": {lot(20, 3, on(0), pointer(day(10).Add(instant))), nil, []lots.Payment{{Debt: 7, Lot: 20, Points: 3}}, 0, []int64{0, 0, 4}},
		"idle already, pays none":  {lot(20, 10, on(0), nil), on(10), nil, 10, []int64{0, 3, 4}},
	} {
		h := lots.Holding{Debts: append([]lots.Debt{}, debts...), Idle: test.idle}
		same(t, name+", paid", test.paid, h.Credit(test.lot, day(10)))
		same(t, name+", left", test.left, h.Lots[0].Remaining)
		var owed []int64
		for _, one := range h.Debts {
			owed = append(owed, one.Remaining)
		}
		same(t, name+", owed", test.debts, owed)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		debts   []lots.Debt
		draws   []lots.Draw
		paid    []lots.Payment
		left    map[int64]int64
		expires []lots.Expiration
	}{
		"into the lots it came from, with their expiry": {
			draws:   []lots.Draw{{Lot: 2, Points: 2}, {Lot: 3, Points: 4}},
			left:    map[int64]int64{2: 2, 3: 4},
			expires: []lots.Expiration{{Points: 2, At: day(20)}},
		},
		"what lapsed meanwhile lapses at once": {
			draws: []lots.Draw{{Lot: 1, Points: 5}, {Lot: 3, Points: 1}},
			left:  map[int64]int64{1: 5, 3: 1},
		},
		"debts are paid, by the lot that lapses first": {
			debts: []lots.Debt{debt(9, 4)},
			draws: []lots.Draw{{Lot: 3, Points: 3}, {Lot: 2, Points: 3}},
			paid:  []lots.Payment{{Debt: 9, Lot: 2, Points: 3}, {Debt: 9, Lot: 3, Points: 1}},
			left:  map[int64]int64{3: 2},
		},
		"what lapsed pays no debts": {
			debts: []lots.Debt{debt(9, 4)},
			draws: []lots.Draw{{Lot: 1, Points: 5}},
			left:  map[int64]int64{1: 5},
		},
		"nothing": {left: map[int64]int64{}},
	} {
		h := lots.Holding{Lots: []lots.Lot{lot(1, 5, on(0), on(10)), lot(2, 5, on(0), on(20)), lot(3, 5, on(0), nil)}}
		h.Take(15, day(0))
		h.Debts = test.debts
		same(t, name+", paid", test.paid, h.Restore(test.draws, day(10)))
		same(t, name+", left", test.left, left(h))
		same(t, name+", what will expire", test.expires, h.Expirations(day(10), day(90)))
		delete(test.left, 1)
		h.Advance(day(10))
		same(t, name+", left by the clock", test.left, left(h))
	}
}

// What is made of a clone leaves the holding alone, and the other way round.
func TestClone_SharesNothing(t *testing.T) {
	t.Parallel()
	made := func() lots.Holding {
		h := lots.Holding{
			Lots: []lots.Lot{lot(2, 5, on(0), nil), lot(1, 5, on(0), on(20))}, Debts: []lots.Debt{debt(9, 1), debt(8, 1)},
		}
		h.Reserve(30, 1, day(9), day(0))
		h.Reserve(31, 1, day(8), day(0))
		return h
	}
	change := func(h lots.Holding) {
		h.Capture(30, 1, day(1))
		h.Credit(lot(3, 9, on(0), nil), day(1))
		h.Take(5, day(1))
		h.Advance(day(30))
	}
	h := made()
	clone := h.Clone()
	change(clone)
	same(t, "the holding", made(), h)
	clone = h.Clone()
	change(h)
	same(t, "the clone", made(), clone)
}

func pointer[T any](one T) *T { return &one }

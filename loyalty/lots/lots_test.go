package lots_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/loyalty/lots"
)

var start = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

func day(n int) time.Time { return start.AddDate(0, 0, n) }

func ends(n int) *time.Time {
	at := day(n)
	return &at
}

func TestTake_BurnOrder(t *testing.T) {
	t.Parallel()
	all := []lots.Lot{
		{Sequence: 1, Points: 10, Remaining: 10, EarnedAt: day(0)},
		{Sequence: 2, Points: 10, Remaining: 10, EarnedAt: day(1), ExpiresAt: ends(30)},
		{Sequence: 3, Points: 10, Remaining: 10, EarnedAt: day(0), ExpiresAt: ends(30)},
		{Sequence: 4, Points: 10, Remaining: 10, EarnedAt: day(5), ExpiresAt: ends(20)},
		{Sequence: 6, Points: 10, Remaining: 10, EarnedAt: day(0), ExpiresAt: ends(30)},
		{Sequence: 7, Points: 10, Remaining: 0, EarnedAt: day(0), ExpiresAt: ends(11)},
		{Sequence: 8, Points: 10, Remaining: 10, EarnedAt: day(0), ExpiresAt: ends(10)},
		{Sequence: 9, Points: 10, Remaining: 10, EarnedAt: day(0), AvailableAt: day(11), ExpiresAt: ends(12)},
	}
	if available, pending := lots.Available(all, day(10)), lots.Pending(all, day(10)); available != 50 || pending != 10 {
		t.Errorf("%d available, %d pending", available, pending)
	}
	draws, missing := lots.Take(all, 55, day(10))
	want := []lots.Draw{{Lot: 4, Points: 10}, {Lot: 3, Points: 10}, {Lot: 6, Points: 10}, {Lot: 2, Points: 10}, {Lot: 1, Points: 10}}
	if difference := cmp.Diff(want, draws); difference != "" || missing != 5 {
		t.Errorf("%d missing, %s", missing, difference)
	}
}

func TestTakeFrom(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		lot      lots.Lot
		sequence int64
		points   int64
		want     []lots.Draw
		missing  int64
	}{
		"part":    {lots.Lot{Sequence: 3, Points: 9, Remaining: 9}, 3, 4, []lots.Draw{{Lot: 3, Points: 4}}, 0},
		"all":     {lots.Lot{Sequence: 3, Points: 9, Remaining: 5}, 3, 8, []lots.Draw{{Lot: 3, Points: 5}}, 3},
		"pending": {lots.Lot{Sequence: 3, Points: 9, Remaining: 9, AvailableAt: day(20)}, 3, 9, []lots.Draw{{Lot: 3, Points: 9}}, 0},
		"expired": {lots.Lot{Sequence: 3, Points: 9, Remaining: 9, ExpiresAt: ends(10)}, 3, 9, nil, 9},
		"empty":   {lots.Lot{Sequence: 3, Points: 9}, 3, 2, nil, 2},
		"other":   {lots.Lot{Sequence: 4, Points: 9, Remaining: 9}, 3, 2, nil, 2},
		"nothing": {lots.Lot{Sequence: 3, Points: 9, Remaining: 9}, 3, 0, nil, 0},
	} {
		all := []lots.Lot{test.lot}
		draws, missing := lots.TakeFrom(all, test.sequence, test.points, day(10))
		if difference := cmp.Diff(test.want, draws); difference != "" || missing != test.missing {
			t.Errorf("%s: %d missing, %s", name, missing, difference)
		}
		if left := test.lot.Remaining - total(draws); all[0].Remaining != left {
			t.Errorf("%s: %d left, want %d", name, all[0].Remaining, left)
		}
	}
}

func TestExpirations(t *testing.T) {
	t.Parallel()
	all := []lots.Lot{
		{Sequence: 1, Points: 10, Remaining: 7, ExpiresAt: ends(20)},
		{Sequence: 2, Points: 10, Remaining: 3, ExpiresAt: ends(20)},
		{Sequence: 3, Points: 10, Remaining: 2, ExpiresAt: ends(15)},
		{Sequence: 4, Points: 10, Remaining: 9, ExpiresAt: ends(10)},
		{Sequence: 5, Points: 10, Remaining: 0, ExpiresAt: ends(9)},
		{Sequence: 6, Points: 10, Remaining: 9, ExpiresAt: ends(31)},
		{Sequence: 7, Points: 10, Remaining: 9},
	}
	want := []lots.Expiration{{Points: 2, At: day(15)}, {Points: 10, At: day(20)}}
	if difference := cmp.Diff(want, lots.Expirations(all, day(10), day(30))); difference != "" {
		t.Error(difference)
	}
	if next := lots.NextExpiry(all); next == nil || !next.Equal(day(10)) {
		t.Errorf("the next expiry is %v", next)
	}
	if next := lots.NextExpiry(all[6:]); next != nil {
		t.Errorf("what never expires expires at %v", next)
	}
	lapsed := lots.Lapse(all, day(15))
	if difference := cmp.Diff([]lots.Draw{{Lot: 4, Points: 9}, {Lot: 3, Points: 2}}, lapsed); difference != "" {
		t.Error(difference)
	}
	if again := lots.Lapse(all, day(15)); again != nil {
		t.Errorf("it lapses again: %v", again)
	}
}

func total(draws []lots.Draw) int64 {
	var points int64
	for _, one := range draws {
		points += one.Points
	}
	return points
}

func remaining(all []lots.Lot) int64 {
	var points int64
	for _, one := range all {
		points += one.Remaining
	}
	return points
}

func drawLots(t *rapid.T) []lots.Lot {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) lots.Lot {
		points := rapid.Int64Range(1, 100).Draw(t, "points")
		made := lots.Lot{
			Points: points, Remaining: rapid.Int64Range(0, points).Draw(t, "remaining"),
			EarnedAt: day(rapid.IntRange(0, 5).Draw(t, "earned")), AvailableAt: day(rapid.IntRange(0, 12).Draw(t, "available")),
		}
		if rapid.Bool().Draw(t, "expires") {
			made.ExpiresAt = ends(rapid.IntRange(5, 20).Draw(t, "expiry"))
		}
		return made
	}), 0, 12).Filter(func(all []lots.Lot) bool {
		for i := range all {
			all[i].Sequence = int64(i + 1)
		}
		return true
	}).Draw(t, "lots")
}

// What is taken and what is left is what there was; what is missing was not to be had; nothing burns before what should.
func TestTake_Conserves(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		all := drawLots(t)
		now := day(rapid.IntRange(0, 22).Draw(t, "now"))
		wanted := rapid.Int64Range(0, 500).Draw(t, "wanted")
		before, available := slices.Clone(all), lots.Available(all, now)
		draws, missing := lots.Take(all, wanted, now)
		if total(draws)+remaining(all) != remaining(before) || total(draws)+missing != wanted {
			t.Fatalf("%d taken, %d missing of %d; %d left of %d", total(draws), missing, wanted, remaining(all), remaining(before))
		}
		if total(draws) != min(wanted, available) || lots.Available(all, now) != available-total(draws) {
			t.Fatalf("%d taken of %d available", total(draws), available)
		}
		slices.SortFunc(before, lots.Compare)
		spendable := slices.DeleteFunc(before, func(lot lots.Lot) bool { return !lot.Spendable(now) })
		for i, one := range draws {
			if spendable[i].Sequence != one.Lot || i < len(draws)-1 && spendable[i].Remaining != one.Points {
				t.Fatalf("draw %d is %v, but the burn order is %v", i, one, spendable)
			}
		}
	})
}

func TestTake_TwoStepsAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := drawLots(t)
		twice := slices.Clone(once)
		now := day(rapid.IntRange(0, 22).Draw(t, "now"))
		first, second := rapid.Int64Range(0, 200).Draw(t, "first"), rapid.Int64Range(0, 200).Draw(t, "second")
		_, missing := lots.Take(once, first+second, now)
		_, early := lots.Take(twice, first, now)
		_, late := lots.Take(twice, second, now)
		if difference := cmp.Diff(once, twice); difference != "" || early+late != missing {
			t.Fatalf("%d + %d missing instead of %d: %s", early, late, missing, difference)
		}
	})
}

func TestLapse_TwoStepsAreOne(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		once := drawLots(t)
		twice := slices.Clone(once)
		early, late := rapid.IntRange(0, 22).Draw(t, "early"), rapid.IntRange(0, 22).Draw(t, "late")
		early, late = min(early, late), max(early, late)
		spendable := lots.Available(once, day(late))
		draws := lots.Lapse(once, day(late))
		steps := append(lots.Lapse(twice, day(early)), lots.Lapse(twice, day(late))...)
		if difference := cmp.Diff(draws, steps, cmp.Transformer("empty", func(draws []lots.Draw) []lots.Draw { return append([]lots.Draw{}, draws...) })); difference != "" {
			t.Fatal(difference)
		}
		if lots.Available(once, day(late)) != spendable {
			t.Fatal("something lapsed that could be spent")
		}
	})
}

func FuzzTake(f *testing.F) {
	f.Add(int64(10), int64(5), int64(3), int64(12), 4)
	f.Fuzz(func(t *testing.T, a, b, c, wanted int64, now int) {
		limit := func(n int64) int64 { return max(n, 0) % (1 << 40) }
		all := []lots.Lot{
			{Sequence: 1, Points: limit(a), Remaining: limit(a), ExpiresAt: ends(3)},
			{Sequence: 2, Points: limit(b), Remaining: limit(b), AvailableAt: day(2)},
			{Sequence: 3, Points: limit(c), Remaining: limit(c), ExpiresAt: ends(5)},
		}
		before := remaining(all)
		draws, missing := lots.Take(all, limit(wanted), day(now%10))
		if total(draws)+remaining(all) != before || total(draws)+missing != limit(wanted) || missing < 0 {
			t.Errorf("%v, %d missing, %v left", draws, missing, all)
		}
	})
}

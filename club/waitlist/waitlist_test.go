package waitlist_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"regulars/club/waitlist"
	"regulars/internal/id"
)

var monday = time.Date(2026, time.March, 2, 18, 0, 0, 0, time.UTC)

func drawParties(t *rapid.T) []waitlist.Party {
	parties := make([]waitlist.Party, rapid.IntRange(0, 12).Draw(t, "parties"))
	for i := range parties {
		parties[i] = waitlist.Party{
			Booking: id.Booking{15: byte(i + 1)},
			Seats:   rapid.IntRange(1, 4).Draw(t, "seats"),
			Since:   monday.Add(time.Duration(rapid.IntRange(0, 200).Draw(t, "hours")) * time.Hour),
			Steps:   rapid.IntRange(0, 4).Draw(t, "steps"),
			NoShows: rapid.IntRange(0, 8).Draw(t, "no-shows"),
		}
	}
	return parties
}

// The order hangs on the parties, not on how they came.
func TestOrder_IsTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parties := drawParties(t)
		if diff := cmp.Diff(waitlist.Order(parties), waitlist.Order(rapid.Permutation(parties).Draw(t, "shuffled")), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
	})
}

// A higher tier, a longer wait or an event less that was missed never makes a place worse.
func TestOrder_Monotone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		parties := drawParties(t)
		if len(parties) == 0 {
			return
		}
		place := func(wanted id.Booking) int {
			return slices.IndexFunc(waitlist.Order(parties), func(one waitlist.Party) bool { return one.Booking == wanted })
		}
		one := &parties[rapid.IntRange(0, len(parties)-1).Draw(t, "who")]
		before := place(one.Booking)
		switch rapid.IntRange(0, 2).Draw(t, "better by") {
		case 0:
			one.Steps++
		case 1:
			one.Since = one.Since.Add(-time.Hour)
		default:
			one.NoShows = max(0, one.NoShows-1)
		}
		if after := place(one.Booking); after > before {
			t.Fatalf("place %d became %d", before, after)
		}
	})
}

// Never more seats than are free; nobody is left who would still fit; whoever is passed over keeps the place.
func TestChoose(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ordered := waitlist.Order(drawParties(t))
		free := rapid.IntRange(0, 10).Draw(t, "free")
		chosen := waitlist.Choose(ordered, free)
		left := free
		for _, one := range chosen {
			left -= one.Seats
		}
		if left < 0 {
			t.Fatalf("%d seats too many", -left)
		}
		var rest []waitlist.Party
		for _, one := range ordered {
			if !slices.Contains(chosen, one) {
				rest = append(rest, one)
				if one.Seats <= left {
					t.Fatalf("%v still fits in %d seats", one, left)
				}
			}
		}
		if diff := cmp.Diff(rest, waitlist.Order(rest), cmpopts.EquateEmpty()); diff != "" {
			t.Fatal(diff)
		}
		// Who is chosen before somebody that wants no more seats stands before him.
		for i, one := range ordered {
			for _, later := range ordered[i+1:] {
				if later.Seats >= one.Seats && slices.Contains(chosen, later) && !slices.Contains(chosen, one) {
					t.Fatalf("%v was chosen before %v", later, one)
				}
			}
		}
	})
}

func TestOfferEnds(t *testing.T) {
	t.Parallel()
	for left, want := range map[time.Duration]time.Duration{
		30 * 24 * time.Hour: 24 * time.Hour,
		48 * time.Hour:      24 * time.Hour,
		10 * time.Hour:      5 * time.Hour,
		30 * time.Minute:    15 * time.Minute,
		20 * time.Minute:    15 * time.Minute,
		time.Minute:         time.Minute,
	} {
		if got := waitlist.OfferEnds(monday, monday.Add(24*time.Hour), monday.Add(left)).Sub(monday); got != want {
			t.Errorf("with %s left an offer stands for %s, not %s", left, got, want)
		}
	}
}

func TestExplain(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	got := []string{
		waitlist.Party{Seats: 1, Since: monday, Tier: "Basic"}.Explain(1, 1, berlin),
		waitlist.Party{Seats: 3, Since: monday, Tier: "Silver", Steps: 1, NoShows: 1}.Explain(2, 7, berlin),
		waitlist.Party{Seats: 1, Since: monday, Tier: "Gold", Steps: 2, NoShows: 9}.Explain(7, 7, berlin),
	}
	want := []string{
		"Place 1 of 1: waiting since 2 March 2026, 19:00.",
		"Place 2 of 7: waiting since 2 March 2026, 19:00; Silver counts as a day of waiting more; " +
			"one event missed in the last year: 2 days of waiting less. 3 seats must be free together.",
		"Place 7 of 7: waiting since 2 March 2026, 19:00; Gold counts as 2 days of waiting more; " +
			"9 events missed in the last year: 10 days of waiting less.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

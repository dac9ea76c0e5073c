package tiers_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

// earned is points that qualified at an instant.
type earned struct {
	at     time.Time
	points int64
}

// live takes all turns of a standing by an instant with what was earned, and tells the moves.
func live(terms tiers.Terms, s tiers.Standing, by time.Time, all []earned) (tiers.Standing, []string) {
	count := func(after *time.Time) (points int64) {
		for _, one := range all {
			if after != nil && one.at.After(*after) {
				points += one.points
			}
		}
		return points
	}
	var moves []string
	for {
		turn, ok := terms.Next(s, by, math.MaxInt64)
		if !ok {
			return s, moves
		}
		after, reason := terms.Take(s, turn, count(turn.Rises), count(turn.Keeps))
		if reason != "" {
			moves = append(moves, fmt.Sprintf("%s %s %s", turn.At.Format(time.RFC3339), reason, after.Tier.Name))
		}
		s = after
	}
}

// The table of the policy: what a member holds who earned 500 points at once and then so many in each year.
func TestTurns_Policies(t *testing.T) {
	t.Parallel()
	year, month := value.Months(12), value.Months(1)
	for _, test := range []struct {
		name   string
		policy func(*tiers.Policy)
		reach  string
		later  []earned
		by     string
		want   []string
		until  string
	}{
		{"rolling: a year from reaching", nil, "2025-03-10T10:00:00Z", nil, "2026-03-10T09:59:59Z", nil, "2026-03-10T10:00:00Z"},
		{"rolling, requalify: to what is reached", nil, "2025-03-10T10:00:00Z", []earned{{at(t, "2025-09-01T00:00:00Z"), 120}}, "2027-01-01T00:00:00Z",
			[]string{"2026-03-10T10:00:00Z LAPSED Silver"}, "2027-03-10T10:00:00Z"},
		{"rolling, one step: to the next lower", func(p *tiers.Policy) { p.Downgrade = tiers.OneStep }, "2025-03-10T10:00:00Z", nil, "2028-01-01T00:00:00Z",
			[]string{"2026-03-10T10:00:00Z LAPSED Silver", "2027-03-10T10:00:00Z LAPSED Member"}, ""},
		{"rolling, never", func(p *tiers.Policy) { p.Downgrade = tiers.NeverDown }, "2025-03-10T10:00:00Z", nil, "2027-01-01T00:00:00Z",
			[]string{"2026-03-10T10:00:00Z KEPT Gold"}, "2027-03-10T10:00:00Z"},
		{"rolling, requalified", nil, "2025-03-10T10:00:00Z", []earned{{at(t, "2025-09-01T00:00:00Z"), 500}}, "2026-06-01T00:00:00Z",
			[]string{"2026-03-10T10:00:00Z REQUALIFIED Gold"}, "2027-03-10T10:00:00Z"},
		{"rolling, grace: kept through it", func(p *tiers.Policy) { p.Grace = month }, "2025-03-10T10:00:00Z", nil, "2026-04-10T08:59:59Z", nil, "2026-03-10T10:00:00Z"},
		{"rolling, grace: over", func(p *tiers.Policy) { p.Grace = month }, "2025-03-10T10:00:00Z", nil, "2026-05-01T00:00:00Z",
			[]string{"2026-04-10T09:00:00Z LAPSED Member"}, ""},
		{"rolling, grace: reached within it", func(p *tiers.Policy) { p.Grace = month }, "2025-03-10T10:00:00Z", []earned{{at(t, "2026-04-01T00:00:00Z"), 500}},
			"2026-05-01T00:00:00Z", []string{"2026-04-10T09:00:00Z REQUALIFIED Gold"}, "2027-03-10T10:00:00Z"},
		{"rolling, a short validity", func(p *tiers.Policy) { p.Validity = month }, "2025-01-31T10:00:00Z", nil, "2025-02-27T00:00:00Z", nil, "2025-02-28T10:00:00Z"},
		{"calendar year: to the end of the next", func(p *tiers.Policy) { p.Period = tiers.CalendarYear }, "2025-03-10T10:00:00Z", nil, "2027-06-01T00:00:00Z",
			[]string{"2026-12-31T23:00:00Z LAPSED Member"}, ""},
		{"calendar year: earned again in the next", func(p *tiers.Policy) { p.Period = tiers.CalendarYear }, "2025-03-10T10:00:00Z",
			[]earned{{at(t, "2026-12-31T22:59:59Z"), 500}}, "2027-06-01T00:00:00Z", []string{"2026-12-31T23:00:00Z REQUALIFIED Gold"}, "2027-12-31T23:00:00Z"},
		{"calendar year: too late by a second", func(p *tiers.Policy) { p.Period, p.Downgrade = tiers.CalendarYear, tiers.OneStep }, "2025-03-10T10:00:00Z", nil,
			"2027-06-01T00:00:00Z", []string{"2026-12-31T23:00:00Z LAPSED Silver"}, "2027-12-31T23:00:00Z"},
		{"calendar year, next period: begins with it", func(p *tiers.Policy) { p.Period, p.Start = tiers.CalendarYear, tiers.NextPeriod }, "2025-03-10T10:00:00Z", nil,
			"2026-06-01T00:00:00Z", []string{"2025-12-31T23:00:00Z STARTED Gold"}, "2026-12-31T23:00:00Z"},
		{"rolling, next period: begins with the next month", func(p *tiers.Policy) { p.Start = tiers.NextPeriod }, "2025-03-10T10:00:00Z", nil,
			"2025-06-01T00:00:00Z", []string{"2025-03-31T22:00:00Z STARTED Gold"}, "2026-03-31T22:00:00Z"},
		{"membership year, joined on a leap day", func(p *tiers.Policy) { p.Period, p.Validity = tiers.MembershipYear, year }, "2026-03-10T10:00:00Z", nil,
			"2028-06-01T00:00:00Z", []string{"2028-02-28T23:00:00Z LAPSED Member"}, ""},
		{"lifetime", func(p *tiers.Policy) { p.Period = tiers.Lifetime }, "2025-03-10T10:00:00Z", nil, "2026-06-01T00:00:00Z",
			[]string{"2026-03-10T10:00:00Z REQUALIFIED Gold"}, "2027-03-10T10:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			terms := under(berlin(t), test.policy)
			reach := at(t, test.reach)
			s, rose := terms.Rise(tiers.Enroll(ladder, at(t, "2024-02-29T12:00:00Z")), 500, reach)
			if !rose {
				t.Fatal("nothing was reached")
			}
			s, moves := live(terms, s, at(t, test.by), append([]earned{{reach, 500}}, test.later...))
			if difference := cmp.Diff(test.want, moves); difference != "" {
				t.Error(difference)
			}
			if test.until == "" {
				if s.ValidUntil != nil {
					t.Errorf("valid until %s", s.ValidUntil)
				}
				return
			}
			if want := at(t, test.until); s.ValidUntil == nil || !s.ValidUntil.Equal(want) {
				t.Errorf("valid until %v, want %s", s.ValidUntil, want)
			}
		})
	}
}

func TestRise(t *testing.T) {
	t.Parallel()
	terms := under(time.UTC, nil)
	now := at(t, "2025-03-10T10:00:00Z")
	standing := tiers.Enroll(ladder, at(t, "2024-01-01T00:00:00Z"))
	if after, rose := terms.Rise(standing, 99, now); rose || !after.Same(standing) {
		t.Errorf("99 points: %v", after)
	}
	after, rose := terms.Rise(standing, 600, now)
	if !rose || after.Tier.ID != gold.ID || !after.Since.Equal(now) || !after.ValidUntil.Equal(at(t, "2026-03-10T10:00:00Z")) {
		t.Errorf("straight to the top: %+v", after)
	}
	if again, rose := terms.Rise(after, 100, now.AddDate(0, 1, 0)); rose || !again.Same(after) {
		t.Errorf("it fell: %v", again)
	}
	// What comes is not shown as held, and comes once.
	terms.Policies[0].Start = tiers.NextPeriod
	coming, rose := terms.Rise(standing, 120, now)
	if !rose || coming.Tier.ID != base.ID || coming.Coming == nil || coming.Coming.Tier.ID != silver.ID {
		t.Errorf("reached: %+v", coming)
	}
	if again, rose := terms.Rise(coming, 130, now); rose || !again.Same(coming) {
		t.Errorf("reached again: %+v", again)
	}
	if higher, rose := terms.Rise(coming, 500, now); !rose || higher.Coming.Tier.ID != gold.ID {
		t.Errorf("reached more: %+v", higher)
	}
}

// A floor holds whatever is earned beneath it, and ends.
func TestFloor(t *testing.T) {
	t.Parallel()
	terms := under(time.UTC, nil)
	now := at(t, "2025-03-10T10:00:00Z")
	until := now.AddDate(0, 6, 0)
	given := tiers.Enroll(ladder, now).SetFloor(&tiers.Floor{Tier: gold, Until: until}, now)
	if given.Tier.ID != gold.ID || given.Until() == nil || !given.Until().Equal(until) {
		t.Fatalf("given: %+v", given)
	}
	beneath, rose := terms.Rise(given, 100, now.AddDate(0, 1, 0))
	if !rose || beneath.Tier.ID != gold.ID || !beneath.Since.Equal(now) || beneath.Earned.ID != silver.ID {
		t.Errorf("earned beneath: %+v", beneath)
	}
	_, moves := live(terms, beneath, now.AddDate(3, 0, 0), []earned{{now, 100}})
	if difference := cmp.Diff([]string{"2025-09-10T10:00:00Z FLOOR_ENDED Silver", "2026-04-10T10:00:00Z LAPSED Member"}, moves); difference != "" {
		t.Error(difference)
	}
	above, _ := terms.Rise(tiers.Enroll(ladder, now).SetFloor(&tiers.Floor{Tier: silver, Until: now.AddDate(5, 0, 0)}, now), 500, now)
	if above.Tier.ID != gold.ID {
		t.Errorf("risen above: %+v", above)
	}
	_, moves = live(terms, above, now.AddDate(6, 0, 0), nil)
	if difference := cmp.Diff([]string{"2026-03-10T10:00:00Z LAPSED Silver", "2030-03-10T10:00:00Z FLOOR_ENDED Member"}, moves); difference != "" {
		t.Error(difference)
	}
}

// What edits of the ladder do to somebody who holds Gold and has so many points.
func TestTurns_Ladder(t *testing.T) {
	t.Parallel()
	raised, dearer := gold, silver
	raised.Threshold, dearer.Threshold = 900, 300
	cheap := gold
	cheap.Threshold = 200
	platinum := tiers.Tier{ID: id.New[id.Tier](), Name: "Platinum", Rank: 9, Threshold: 600}
	changed := at(t, "2025-06-01T00:00:00Z")
	protect := at(t, "2025-09-01T00:00:00Z")
	tell := func(reason, tier string) []string { return []string{"2025-06-01T00:00:00Z " + reason + " " + tier} }
	for _, test := range []struct {
		name      string
		mode      tiers.Mode
		protect   *time.Time
		downgrade tiers.Downgrade
		tiers     []tiers.Tier
		points    int64
		want      []string
	}{
		{"nothing changes", tiers.Now, nil, tiers.Requalify, ladder.Tiers, 0, nil},
		{"asks for more, is still reached", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, silver, raised}, 900, nil},
		{"asks for more, not reached", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, silver, raised}, 150, tell("LADDER_CHANGED", "Silver")},
		{"asks for more, at next review", tiers.AtNextReview, nil, tiers.Requalify, []tiers.Tier{base, silver, raised}, 150, nil},
		{"asks for more, one step", tiers.Now, nil, tiers.OneStep, []tiers.Tier{base, silver, raised}, 0, tell("LADDER_CHANGED", "Silver")},
		{"asks for more, nobody is lowered", tiers.Now, nil, tiers.NeverDown, []tiers.Tier{base, silver, raised}, 0, nil},
		{"asks for more, protected", tiers.Now, &protect, tiers.Requalify, []tiers.Tier{base, silver, raised}, 150, tell("PROTECTED", "Gold")},
		{"another one asks for more", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, dearer, gold}, 0, nil},
		{"asks for less", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, silver, cheap}, 0, nil},
		{"a higher one, reached", tiers.Now, nil, tiers.Requalify, append(slices.Clone(ladder.Tiers), platinum), 600, tell("LADDER_CHANGED", "Platinum")},
		{"a higher one, at next review", tiers.AtNextReview, nil, tiers.Requalify, append(slices.Clone(ladder.Tiers), platinum), 600, nil},
		{"removed, nothing reached", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, silver}, 0, tell("LADDER_CHANGED", "Member")},
		{"removed, the next lower reached", tiers.Now, nil, tiers.Requalify, []tiers.Tier{base, silver}, 500, tell("LADDER_CHANGED", "Silver")},
		{"removed, at next review", tiers.AtNextReview, nil, tiers.Requalify, []tiers.Tier{base, silver}, 0, tell("LADDER_CHANGED", "Silver")},
		{"removed, protected", tiers.Now, &protect, tiers.Requalify, []tiers.Tier{base, silver}, 0, tell("LADDER_CHANGED", "Silver")},
		{"removed, a higher one reached", tiers.AtNextReview, nil, tiers.Requalify, []tiers.Tier{base, silver, platinum}, 600, tell("LADDER_CHANGED", "Platinum")},
		{"removed with all between", tiers.AtNextReview, nil, tiers.Requalify, []tiers.Tier{base}, 900, tell("LADDER_CHANGED", "Member")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			terms := under(time.UTC, func(p *tiers.Policy) { p.Downgrade = test.downgrade })
			s, _ := terms.Rise(tiers.Enroll(ladder, at(t, "2025-01-01T00:00:00Z")), 500, at(t, "2025-02-01T00:00:00Z"))
			terms = terms.With(tiers.Ladder{Version: 2, CreatedAt: changed, Mode: test.mode, ProtectUntil: test.protect, Tiers: test.tiers})
			after, moves := live(terms, s, at(t, "2025-07-01T00:00:00Z"), []earned{{at(t, "2025-01-01T00:00:00Z"), test.points}})
			if difference := cmp.Diff(test.want, moves); difference != "" {
				t.Error(difference)
			}
			if _, ok := terms.Ladder().Tier(after.Tier.ID); !ok {
				t.Errorf("the member holds %s, which the ladder has not", after.Tier.Name)
			}
			if after.LadderVersion != 2 {
				t.Errorf("decided up to version %d", after.LadderVersion)
			}
		})
	}
}

// Where a tier that is reached begins with the next period, one that an edit brings does so as well.
func TestTurns_LadderAndNextPeriod(t *testing.T) {
	t.Parallel()
	terms := under(time.UTC, func(p *tiers.Policy) { p.Start = tiers.NextPeriod })
	s := tiers.Enroll(ladder, at(t, "2025-01-01T00:00:00Z"))
	cheap := silver
	cheap.Threshold = 50
	terms = terms.With(tiers.Ladder{Version: 2, CreatedAt: at(t, "2025-06-10T00:00:00Z"), Mode: tiers.Now, Tiers: []tiers.Tier{base, cheap, gold}})
	_, moves := live(terms, s, at(t, "2025-07-01T00:00:00Z"), []earned{{at(t, "2025-05-01T00:00:00Z"), 60}})
	if difference := cmp.Diff([]string{"2025-06-10T00:00:00Z LADDER_CHANGED Member", "2025-07-01T00:00:00Z STARTED Silver"}, moves); difference != "" {
		t.Error(difference)
	}
}

// Whoever is protected falls when the protection ends, and nobody before, not even somebody whose tier runs out meanwhile.
func TestTurns_Protected(t *testing.T) {
	t.Parallel()
	raised := gold
	raised.Threshold = 900
	protect := at(t, "2026-09-01T00:00:00Z")
	terms := under(time.UTC, nil)
	s, _ := terms.Rise(tiers.Enroll(ladder, at(t, "2025-01-01T00:00:00Z")), 100, at(t, "2025-02-01T00:00:00Z"))
	held, _ := terms.Rise(s, 500, at(t, "2025-02-01T00:00:00Z"))
	terms = terms.With(tiers.Ladder{Version: 2, CreatedAt: at(t, "2025-06-01T00:00:00Z"), Mode: tiers.Now, ProtectUntil: &protect, Tiers: []tiers.Tier{base, silver, raised}})
	for name, test := range map[string]struct {
		standing tiers.Standing
		want     []string
	}{
		"asks for more now":         {held, []string{"2025-06-01T00:00:00Z PROTECTED Gold", "2026-09-01T00:00:00Z LAPSED Member"}},
		"runs out while it is kept": {s, []string{"2026-02-01T00:00:00Z PROTECTED Silver", "2026-09-01T00:00:00Z LAPSED Member"}},
	} {
		_, moves := live(terms, test.standing, at(t, "2027-01-01T00:00:00Z"), []earned{{at(t, "2025-02-01T00:00:00Z"), 100}})
		if difference := cmp.Diff(test.want, moves); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
}

// Under every policy turns come in order and end; two steps of the clock are one; who is protected does not fall; and nobody who
// is told of a floor stands below it.
func TestTurns_Properties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		zone := rapid.SampledFrom([]*time.Location{time.UTC, berlin(t)}).Draw(r, "zone")
		terms := under(zone, func(p *tiers.Policy) {
			p.Period = rapid.SampledFrom([]tiers.Period{tiers.Rolling, tiers.CalendarYear, tiers.MembershipYear, tiers.Lifetime}).Draw(r, "period")
			p.Validity = value.Period{Days: rapid.IntRange(1, 900).Draw(r, "validity")}
			p.Start = rapid.SampledFrom([]tiers.Start{tiers.AtOnce, tiers.NextPeriod}).Draw(r, "start")
			p.Downgrade = rapid.SampledFrom([]tiers.Downgrade{tiers.Requalify, tiers.OneStep, tiers.NeverDown}).Draw(r, "downgrade")
			p.Grace = value.Period{Days: rapid.IntRange(0, 100).Draw(r, "grace")}
		})
		day := func(name string, from, to int) time.Time {
			return at(t, "2024-02-29T10:00:00Z").AddDate(0, 0, rapid.IntRange(from, to).Draw(r, name))
		}
		joined, reached := day("joined", -1000, 0), day("reached", 0, 300)
		all := []earned{{reached, rapid.Int64Range(0, 700).Draw(r, "points")}, {day("again", 300, 1500), rapid.Int64Range(0, 700).Draw(r, "more")}}
		s, _ := terms.Rise(tiers.Enroll(ladder, joined), all[0].points, reached)
		floor := day("floor ends", 301, 900)
		if rapid.Bool().Draw(r, "floor") {
			s = s.SetFloor(&tiers.Floor{Tier: silver, Until: floor}, reached)
		}
		protect := day("protect until", 500, 900)
		shuffled := []tiers.Tier{base, silver, gold}
		shuffled[2].Threshold = rapid.Int64Range(101, 900).Draw(r, "gold asks for")
		terms = terms.With(tiers.Ladder{Version: 2, CreatedAt: day("changed", 301, 499), Mode: tiers.Now, ProtectUntil: &protect, Tiers: shuffled})
		middle, end := day("middle", 301, 1500), day("end", 1500, 3000)
		at1, first := live(terms, s, middle, all)
		two, second := live(terms, at1, end, all)
		one, whole := live(terms, s, end, all)
		if !one.Same(two) || !one.Since.Equal(two.Since) {
			r.Errorf("in two steps %+v, in one %+v", two, one)
		}
		if difference := cmp.Diff(whole, append(first, second...)); difference != "" {
			r.Error(difference)
		}
		if !slices.IsSortedFunc(whole, func(a, b string) int { return strings.Compare(a[:20], b[:20]) }) {
			r.Errorf("not in order: %v", whole)
		}
		if due := one.DueAt(); due != nil && !due.After(end) {
			r.Errorf("still due at %s", due)
		}
		if at1.Floor != nil && at1.Tier.Rank < at1.Floor.Tier.Rank {
			r.Errorf("below the floor: %+v", at1)
		}
	})
}

package rules_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// memory is that of somebody to whom nothing has happened yet.
func memory() rules.Memory {
	return rules.Memory{
		Member: map[rules.Counter]rules.Usage{}, Program: map[rules.Counter]rules.Usage{}, Carried: map[rules.Step]int64{},
	}
}

// told asks about facts one after the other, and remembers.
func told(t interface{ Fatal(...any) }, asked *rules.Set, remembered rules.Memory, facts ...rules.Fact) []rules.Evaluation {
	var evaluations []rules.Evaluation
	for _, fact := range facts {
		evaluation, ok := asked.Evaluate(rules.Member{}, fact, remembered)
		if !ok {
			t.Fatal("it is more than can be counted")
		}
		asked.Remember(fact, evaluation, remembered)
		evaluations = append(evaluations, evaluation)
	}
	return evaluations
}

func limit(limits ...rules.Limit) func(*rules.Version) {
	return func(v *rules.Version) { v.Limits = limits }
}

func pointsPer(scope rules.Scope, period rules.LimitPeriod, points int64) rules.Limit {
	return rules.Limit{Scope: scope, Period: period, Points: &points}
}

func timesPer(scope rules.Scope, period rules.LimitPeriod, times int) rules.Limit {
	return rules.Limit{Scope: scope, Period: period, Times: &times}
}

func purchaseAt(t time.Time, minor int64) rules.Fact {
	made := purchase(minor)
	made.OccurredAt, made.RecordedAt = t, t
	return made
}

func outcomes(evaluations []rules.Evaluation) []string {
	var list []string
	for _, evaluation := range evaluations {
		for _, outcome := range evaluation.Outcomes {
			list = append(list, fmt.Sprintf("%s %d of %d", outcome.Status, outcome.Granted, outcome.Desired))
		}
	}
	return list
}

func TestLimit_Cuts(t *testing.T) {
	t.Parallel()
	budget := func(points int64) func(*rules.Version) { return func(v *rules.Version) { v.Budget = &points } }
	for _, test := range []struct {
		name   string
		edit   func(*rules.Version)
		minors []int64
		want   []string
	}{
		{"points", limit(pointsPer(rules.MemberScope, rules.Week, 50)), []int64{4000, 4000, 100},
			[]string{"APPLIED 40 of 40", "LIMITED 10 of 40", "LIMITED 0 of 1"}},
		{"exactly used up", limit(pointsPer(rules.MemberScope, rules.Day, 80)), []int64{4000, 4000, 1000},
			[]string{"APPLIED 40 of 40", "APPLIED 40 of 40", "LIMITED 0 of 10"}},
		{"times", limit(timesPer(rules.MemberScope, rules.Lifetime, 2)), []int64{100, 5000, 100},
			[]string{"APPLIED 1 of 1", "APPLIED 50 of 50", "LIMITED 0 of 1"}},
		{"what earns nothing uses up no time", limit(timesPer(rules.MemberScope, rules.Day, 1)), []int64{99, 100, 100},
			[]string{"NOT_MATCHED 0 of 0", "APPLIED 1 of 1", "LIMITED 0 of 1"}},
		{"the one of several that leaves least", limit(pointsPer(rules.ProgramScope, rules.Year, 60), pointsPer(rules.MemberScope, rules.Day, 50)),
			[]int64{4000, 4000}, []string{"APPLIED 40 of 40", "LIMITED 10 of 40"}},
		{"the budget", budget(45), []int64{4000, 4000, 4000}, []string{"APPLIED 40 of 40", "OUT_OF_BUDGET 5 of 40", "OUT_OF_BUDGET 0 of 40"}},
		{"a limit before the budget", func(v *rules.Version) {
			limit(pointsPer(rules.MemberScope, rules.Day, 30))(v)
			budget(35)(v)
		}, []int64{4000, 4000}, []string{"LIMITED 30 of 40", "LIMITED 0 of 40"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asked := set(t, rule("rule", every(1, 100, value.Floor), test.edit))
			var facts []rules.Fact
			for i, minor := range test.minors {
				facts = append(facts, purchaseAt(launch.AddDate(0, 1, 0).Add(time.Duration(i)*time.Second), minor))
			}
			if difference := cmp.Diff(test.want, outcomes(told(t, asked, memory(), facts...))); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// A multiplier raises what limits left of the base.
func TestLimit_BaseAfterLimits(t *testing.T) {
	t.Parallel()
	asked := set(t,
		rule("base", every(1, 100, value.Floor), limit(pointsPer(rules.MemberScope, rules.Day, 30)), func(v *rules.Version) { v.Priority = 1 }),
		rule("double", times(2_000_000)),
	)
	want := []string{"LIMITED 30 of 40", "APPLIED 30 of 30", "LIMITED 0 of 40", "NOT_MATCHED 0 of 0"}
	facts := []rules.Fact{purchaseAt(launch, 4000), purchaseAt(launch.Add(time.Hour), 4000)}
	if difference := cmp.Diff(want, outcomes(told(t, asked, memory(), facts...))); difference != "" {
		t.Error(difference)
	}
}

// Periods begin at midnight of the program's zone, a week on Monday, whatever the clocks do.
func TestLimit_Periods(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		made, err := time.ParseInLocation("2006-01-02 15:04:05", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return made.UTC()
	}
	for _, test := range []struct {
		name        string
		period      rules.LimitPeriod
		first, next string
		same        bool
	}{
		{"to the last second of a day", rules.Day, "2026-02-01 00:00:00", "2026-02-01 23:59:59", true},
		{"the next day", rules.Day, "2026-02-01 23:59:59", "2026-02-02 00:00:00", false},
		{"a day of 23 hours", rules.Day, "2026-03-29 00:30:00", "2026-03-29 23:30:00", true},
		{"after a day of 23 hours", rules.Day, "2026-03-29 23:59:59", "2026-03-30 00:00:00", false},
		{"a day of 25 hours", rules.Day, "2026-10-25 00:00:00", "2026-10-25 23:59:59", true},
		{"Monday to Sunday", rules.Week, "2026-03-23 00:00:00", "2026-03-29 23:59:59", true},
		{"Sunday to Monday", rules.Week, "2026-03-29 23:59:59", "2026-03-30 00:00:00", false},
		{"over the new year", rules.Week, "2026-12-28 12:00:00", "2027-01-03 12:00:00", true},
		{"29 February", rules.Month, "2028-02-29 12:00:00", "2028-02-01 00:00:00", true},
		{"1 March", rules.Month, "2028-02-29 23:59:59", "2028-03-01 00:00:00", false},
		{"a year", rules.Year, "2026-01-01 00:00:00", "2026-12-31 23:59:59", true},
		{"the next year", rules.Year, "2026-12-31 23:59:59", "2027-01-01 00:00:00", false},
		{"ever", rules.Lifetime, "2026-01-01 00:00:00", "2040-01-01 00:00:00", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			asked, err := rules.NewSet([]rules.Version{rule("rule", fixed(1), limit(timesPer(rules.MemberScope, test.period, 1)))}, nil, berlin)
			if err != nil {
				t.Fatal(err)
			}
			recorded := at("2050-01-01 00:00:00")
			first, next := purchase(100), purchase(100)
			first.OccurredAt, first.RecordedAt, next.OccurredAt, next.RecordedAt = at(test.first), recorded, at(test.next), recorded
			got := told(t, asked, memory(), first, next)[1].Points == 0
			if got != test.same {
				t.Errorf("the same %s: %v, want %v", test.period, got, test.same)
			}
		})
	}
}

// For rules with limits of points that do not read the member's state, what a window grants in all, and how much of that
// qualifies, does not depend on the order of arrival; nor is what was granted ever cut again.
func TestLimit_OrderOfArrival(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		periods := []rules.LimitPeriod{rules.Day, rules.Week, rules.Month, rules.Year, rules.Lifetime}
		scopes := []rules.Scope{rules.MemberScope, rules.ProgramScope}
		var versions []rules.Version
		for i := range rapid.IntRange(1, 3).Draw(t, "rules") {
			drawn := pointsPer(
				rapid.SampledFrom(scopes).Draw(t, "scope"), rapid.SampledFrom(periods).Draw(t, "period"),
				rapid.Int64Range(1, 200).Draw(t, "limit"),
			)
			award := every(rapid.Int64Range(1, 3).Draw(t, "points"), 100, rapid.SampledFrom([]value.Rounding{value.Floor, value.HalfUp, value.Ceil}).Draw(t, "rounding"))
			versions = append(versions, rule(fmt.Sprint(i), award, limit(drawn), func(v *rules.Version) { v.Qualifying = rapid.Bool().Draw(t, "qualifying") }))
		}
		asked := set(t, versions...)
		var facts []rules.Fact
		for range rapid.IntRange(1, 30).Draw(t, "facts") {
			fact := purchaseAt(launch.Add(time.Duration(rapid.IntRange(0, 70*24).Draw(t, "hour"))*time.Hour), rapid.Int64Range(1, 9_999).Draw(t, "minor"))
			fact.RecordedAt = launch.AddDate(1, 0, 0)
			facts = append(facts, fact)
		}
		granted := func(facts []rules.Fact) (map[string]int64, int64) {
			windows := map[string]int64{}
			var qualifying int64
			for i, evaluation := range told(t, asked, memory(), facts...) {
				qualifying += evaluation.Qualifying
				for _, outcome := range evaluation.Outcomes {
					if outcome.Granted > 0 {
						windows[fmt.Sprint(asked.Counters(outcome.Rule, facts[i].OccurredAt))] += outcome.Granted
					}
				}
			}
			return windows, qualifying
		}
		windows, qualifying := granted(facts)
		shuffled, counted := granted(rapid.Permutation(facts).Draw(t, "order"))
		if difference := cmp.Diff(windows, shuffled); difference != "" {
			t.Fatalf("granted: %s", difference)
		}
		if qualifying != counted {
			t.Fatalf("%d qualify in one order, %d in another", qualifying, counted)
		}
	})
}

// Whatever is bought and comes back, a rule that carries over has given what its running amount is worth.
func TestCarry_RunningAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		per := rules.PerAmount{Points: rapid.Int64Range(1, 5).Draw(t, "points"), Every: rapid.Int64Range(1, 700).Draw(t, "every"), Rounding: value.Floor, CarryRemainder: true}
		carrying := rule("rule", rules.Award{PerAmount: &per})
		asked, remembered := set(t, carrying), memory()
		var amount, points int64
		type bought struct {
			outcome  rules.Outcome
			returned int64
		}
		var all []*bought
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if len(all) == 0 || rapid.Bool().Draw(t, "buys") {
				minor := rapid.Int64Range(1, 2_000).Draw(t, "minor")
				evaluation := told(t, asked, remembered, purchase(minor))[0]
				amount += minor
				points += evaluation.Points
				all = append(all, &bought{outcome: evaluation.Outcomes[0]})
			} else {
				one := rapid.SampledFrom(all).Draw(t, "one")
				after := rapid.Int64Range(one.returned, one.outcome.Basis).Draw(t, "returned")
				lost, remainder := per.Uncarry(one.outcome, remembered.Carried[per.Step(carrying.Rule)], one.returned, after)
				amount -= after - one.returned
				points -= lost
				one.returned, remembered.Carried[per.Step(carrying.Rule)] = after, remainder
			}
			if want := amount / per.Every * per.Points; points != want {
				t.Fatalf("%d points for a running amount of %d, want %d", points, amount, want)
			}
		}
	})
}

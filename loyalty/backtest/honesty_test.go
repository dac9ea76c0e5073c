package backtest_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/rules"
)

type ruleEdit = func(*loyalty.EarningRuleInput)

func limited(scope rules.Scope, period rules.LimitPeriod, points int64) ruleEdit {
	return func(input *loyalty.EarningRuleInput) {
		input.Limits = append(input.Limits, rules.Limit{Scope: scope, Period: period, Points: &points})
	}
}

func times(scope rules.Scope, period rules.LimitPeriod, number int) ruleEdit {
	return func(input *loyalty.EarningRuleInput) {
		input.Limits = append(input.Limits, rules.Limit{Scope: scope, Period: period, Times: &number})
	}
}

func when(condition string) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Condition = &condition }
}

func about(trigger string) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Trigger = trigger }
}

func stacked(stacking rules.Stacking, priority int) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Stacking, input.Priority = stacking, priority }
}

// quiet is from when on nothing is returned in the history of everything.
const quiet = 10

// everything is a program of all kinds of rules and 60 days in which members did this and that, told as it happened; it returns a
// rule that gives a point for every euro.
func everything(t *testing.T) (*bench, *loyalty.EarningRule) {
	t.Helper()
	b := euros(t)
	b.Tier("Silver", 1, 500)
	better := value.Decimal("1.25")
	if _, err := b.Service.CreateTier(b.Admin, loyalty.TierInput{Name: "Gold", Rank: 2, Threshold: 5000, Multiplier: &better}); err != nil {
		t.Fatal(err)
	}
	budget := func(input *loyalty.EarningRuleInput) { input.Budget = pointer[int64](900) }
	base := b.Rule(b.PerAmount(1, "1.00"))
	b.Rule(b.PerAmount(2, "1.00"), limited(rules.MemberScope, rules.Day, 30), limited(rules.MemberScope, rules.Month, 120))
	b.Rule(loyaltytest.Fixed(7), times(rules.MemberScope, rules.Week, 2), when("purchase.total > 5.0"))
	b.Rule(loyaltytest.Fixed(11), limited(rules.ProgramScope, rules.Day, 40))
	b.Rule(loyaltytest.Fixed(9), budget, limited(rules.MemberScope, rules.Lifetime, 80))
	b.Rule(loyaltytest.Multiplier("1.5"), when(`member.tier == "Gold"`))
	b.Rule(loyaltytest.Multiplier("1.1"), when(`member.tier == "Silver"`))
	b.Rule(loyaltytest.Fixed(25), when("activity.number % 5 == 0"))
	b.Rule(loyaltytest.Fixed(4), about("CHECK_IN"), times(rules.MemberScope, rules.Day, 1))
	b.Rule(loyaltytest.Fixed(5), stacked(rules.BestOf, 3))
	b.Rule(b.PerAmount(1, "3.00"), stacked(rules.BestOf, 2))
	b.Rule(loyaltytest.Fixed(500), stacked(rules.Exclusive, 9), when("purchase.total > 95.0"), times(rules.ProgramScope, rules.Month, 1))
	b.Rule(loyalty.AwardInput{PerAmount: &loyalty.PerAmountInput{
		Points: 3, Every: b.Money("1.00"), Rounding: value.HalfUp, LineCondition: pointer(`line.category == "coffee"`),
	}})
	paused := b.Rule(loyaltytest.Fixed(3), when(`activity.attributes["shop"] == "north"`))

	random := rand.New(rand.NewPCG(1, 2))
	members := make([]*loyalty.Member, 6)
	for i := range members {
		members[i] = b.Enroll()
	}
	bought := []loyalty.Recorded{}
	for number := range 400 {
		b.Clock.Advance(time.Duration(1+random.IntN(7*60)) * time.Minute)
		if b.Now().After(day(30)) && paused != nil {
			if _, err := b.Service.PauseEarningRule(b.Admin, paused.Rule); err != nil {
				t.Fatal(err)
			}
			draft, err := b.Service.ReviseEarningRule(b.Admin, base.Rule, 1, loyaltytest.RuleInput(b.PerAmount(3, "2.00"), times(rules.MemberScope, rules.Week, 5)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Service.PublishEarningRule(b.Admin, draft.Rule, nil, nil); err != nil {
				t.Fatal(err)
			}
			b.Clock.Advance(time.Second)
			paused = nil
		}
		member := members[random.IntN(len(members))]
		switch kind := random.IntN(10); {
		case kind == 0:
			b.Activity(member, "CHECK_IN")
		case kind == 1 && len(bought) > 0 && b.Now().Before(day(quiet)):
			b.Return(bought[len(bought)-1])
			bought = bought[:len(bought)-1]
		default:
			cents := random.IntN(10_000)
			bought = append(bought, b.Purchase(member, fmt.Sprintf("%d.%02d", cents/100, cents%100), func(input *loyalty.RecordPurchaseInput) {
				if number%2 == 0 {
					line := b.Line("A", "1", string(input.Total.Amount))
					line.Category = pointer([]string{"coffee", "cake"}[random.IntN(2)])
					input.Lines = []loyalty.PurchaseLineInput{line}
				}
				if number%3 == 0 {
					input.Attributes = []value.Attribute{{Name: "shop", Value: []string{"north", "south"}[random.IntN(2)]}}
				}
			}))
		}
	}
	if b.Now().Before(day(45)) {
		t.Fatalf("the history ends on %s", b.Now())
	}
	b.Clock.Advance(time.Second)
	return b, base
}

// Without a draft, whatever the period, each fact would earn what it earned when it was recorded.
func TestControl(t *testing.T) {
	t.Parallel()
	b, _ := everything(t)
	var earned int64
	rapid.Check(t, func(r *rapid.T) {
		from := day(quiet).Add(time.Duration(rapid.IntRange(0, 30*24*60).Draw(r, "from")) * time.Minute)
		to := from.Add(time.Duration(rapid.IntRange(1, 40*24*60).Draw(r, "minutes")) * time.Minute)
		for number, one := range b.judge(loyalty.Trial{From: from, To: to}) {
			earned += one.Actual
			if one.Would != one.Actual {
				r.Fatalf("fact %d of %s at %s would earn %d, and earned %d", number, one.Member, one.OccurredAt, one.Would, one.Actual)
			}
		}
	})
	if earned == 0 {
		t.Error("nothing was earned")
	}
	report, err := reconcile.Check(b.Admin, b.DB, nil)
	if err != nil || len(report.Differences) > 0 {
		t.Errorf("the books differ: %v, %v", report.Differences, err)
	}
}

// A backtest sums up what its facts would earn; the same again finds the same; and nothing but it has changed.
func TestBacktest_Everything(t *testing.T) {
	t.Parallel()
	b, base := everything(t)
	input := backtest.StartInput{From: day(quiet), To: b.Now()}
	control := b.try(input)
	if control.PointsIssued != control.PointsActual || control.MembersAffected != 0 || len(control.TierMoves) > 0 || control.DraftPoints != 0 {
		t.Errorf("the control finds %+v", control)
	}
	var actual int64
	for _, one := range b.judge(loyalty.Trial{From: input.From, To: input.To}) {
		actual += one.Actual
	}
	if control.PointsActual != actual {
		t.Errorf("%d points were issued, not %d", actual, control.PointsActual)
	}

	input.Rule = pointer(loyaltytest.RuleInput(b.PerAmount(5, "1.00"), limited(rules.ProgramScope, rules.Week, 700), when("purchase.total > 10.0")))
	input.ReplacesRuleID = &base.Rule
	first, second := b.try(input), b.try(input)
	if difference := cmp.Diff(first, second); difference != "" {
		t.Error(difference)
	}
	if first.MembersAffected == 0 || first.DraftPoints == 0 || first.PointsIssued == first.PointsActual {
		t.Errorf("it finds %+v", first)
	}
	var days, sides backtest.Day
	for _, one := range first.ByDay {
		days.Points, days.Actual = days.Points+one.Points, days.Actual+one.Actual
	}
	sides.Points, sides.Actual = first.PointsActual+first.Winners.Points-first.Losers.Points, actual
	if want := (backtest.Day{Points: first.PointsIssued, Actual: actual}); days != want || sides != want {
		t.Errorf("the days have %v, the members %v, together %v", days, sides, want)
	}
	if first.Winners.Count+first.Losers.Count != first.MembersAffected {
		t.Errorf("%d members are affected, %d win and %d lose", first.MembersAffected, first.Winners.Count, first.Losers.Count)
	}
	if report, err := reconcile.Check(b.Admin, b.DB, nil); err != nil || len(report.Differences) > 0 {
		t.Errorf("the books differ: %v, %v", report.Differences, err)
	}
}

// A draft that says what a rule says doubles it; in its place it changes nothing; without it, nothing is left.
func TestBacktest_Doubled(t *testing.T) {
	t.Parallel()
	b := euros(t)
	said := loyaltytest.RuleInput(b.PerAmount(3, "2.00"), limited(rules.MemberScope, rules.Day, 50))
	rule := b.Rule(said.Award, func(input *loyalty.EarningRuleInput) { *input = said })
	random := rand.New(rand.NewPCG(3, 4))
	members := []*loyalty.Member{b.Enroll(), b.Enroll(), b.Enroll()}
	for range 100 {
		b.Clock.Advance(time.Duration(random.IntN(300)) * time.Minute)
		b.Purchase(members[random.IntN(3)], fmt.Sprintf("%d.00", random.IntN(60)))
	}
	b.Clock.Advance(time.Second)
	doubled := b.try(b.all(&said, nil))
	if doubled.PointsActual == 0 || doubled.PointsIssued != 2*doubled.PointsActual || doubled.DraftPoints != doubled.PointsActual || doubled.Winners.Count != 3 {
		t.Errorf("beside the rule it finds %+v", doubled)
	}
	for _, one := range append(doubled.Winners.Examples, doubled.Losers.Examples...) {
		if one.Would != 2*one.Actual {
			t.Errorf("%s would get %d instead of %d", one.MemberID(), one.Would, one.Actual)
		}
	}
	replaced := b.try(b.all(&said, rule))
	if replaced.PointsIssued != replaced.PointsActual || replaced.MembersAffected != 0 || replaced.DraftPoints != replaced.PointsActual {
		t.Errorf("in place of the rule it finds %+v", replaced)
	}
	without := b.try(b.all(nil, rule))
	if without.PointsIssued != 0 || without.Losers.Count != 3 || without.Losers.Points != without.PointsActual {
		t.Errorf("without the rule it finds %+v", without)
	}
}

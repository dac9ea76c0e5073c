package rules_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// launch is when the rules of these tests were published.
var launch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func fixed(points int64) rules.Award { return rules.Award{Fixed: &points} }

func every(points, minor int64, rounding value.Rounding) rules.Award {
	return rules.Award{PerAmount: &rules.PerAmount{Points: points, Every: minor, Rounding: rounding}}
}

func times(millionths int64) rules.Award { return rules.Award{Multiplier: &millionths} }

// rule is a published one about purchases, changed by edit.
func rule(name string, award rules.Award, edit ...func(*rules.Version)) rules.Version {
	made := rules.Version{
		Rule: id.New[id.Rule](), Number: 1, Name: name, Trigger: rules.Purchase, Award: award, Qualifying: true, PublishedAt: &launch, Stacking: rules.Add,
	}
	for _, change := range edit {
		change(&made)
	}
	return made
}

func purchase(minor int64) rules.Fact {
	return rules.Fact{
		Type: rules.Purchase, OccurredAt: launch.AddDate(0, 1, 0), RecordedAt: launch.AddDate(0, 1, 0),
		Total: &value.Money{Minor: minor, Currency: "EUR"},
	}
}

func set(t interface{ Fatal(...any) }, versions ...rules.Version) *rules.Set {
	made, err := rules.NewSet(versions, nil, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func TestEvaluate_Awards(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		minor  int64
		awards []rules.Award
		want   []int64
	}{
		{"5 for every 2.50 of 3.00 are 5 (nopCommerce 5235)", 300, []rules.Award{every(5, 250, value.Floor)}, []int64{5}},
		{"rounded down", 299, []rules.Award{every(1, 100, value.Floor)}, []int64{2}},
		{"half up", 250, []rules.Award{every(1, 100, value.HalfUp)}, []int64{3}},
		{"less than half", 249, []rules.Award{every(1, 100, value.HalfUp)}, []int64{2}},
		{"rounded up", 201, []rules.Award{every(1, 100, value.Ceil)}, []int64{3}},
		{"nothing for nothing", 0, []rules.Award{fixed(50), every(1, 100, value.Ceil), times(3_000_000)}, []int64{0, 0, 0}},
		{"a multiplier of the base of all", 1000, []rules.Award{fixed(5), every(1, 100, value.Floor), times(1_500_000)}, []int64{5, 10, 7}},
		{"multipliers add up", 1000, []rules.Award{every(1, 100, value.Floor), times(2_000_000), times(3_000_000)}, []int64{10, 10, 20}},
		{"nothing to multiply", 1000, []rules.Award{times(2_000_000)}, []int64{0}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			versions := make([]rules.Version, len(test.awards))
			for i, award := range test.awards {
				versions[i] = rule("rule", award, func(v *rules.Version) { v.Priority = len(test.awards) - i })
			}
			evaluation, ok := set(t, versions...).Evaluate(rules.Member{}, purchase(test.minor), rules.Memory{})
			if !ok {
				t.Fatal("it is more than can be counted")
			}
			var got []int64
			var sum int64
			for _, outcome := range evaluation.Outcomes {
				got = append(got, outcome.Granted)
				sum += outcome.Granted
			}
			if difference := cmp.Diff(test.want, got); difference != "" {
				t.Error(difference)
			}
			if evaluation.Points != sum || evaluation.Qualifying != sum {
				t.Errorf("%d points, %d of them qualifying, in outcomes %d", evaluation.Points, evaluation.Qualifying, sum)
			}
		})
	}
}

// What was paid with points earns nothing, but a return takes back by its share of the total.
func TestEvaluate_PaidWithPoints(t *testing.T) {
	t.Parallel()
	asked := set(t,
		rule("per amount", every(1, 100, value.Floor), func(v *rules.Version) { v.Priority = 4 }),
		rule("fixed", fixed(5), func(v *rules.Version) { v.Priority = 3 }),
		rule("multiplier", times(2_000_000), func(v *rules.Version) { v.Priority = 2 }),
		rule("on condition", fixed(1), func(v *rules.Version) {
			v.Priority, v.Condition = 1, `purchase.total == 99.0 && purchase.paidWithPoints >= 30`
		}),
	)
	for _, test := range []struct {
		paid, basis int64
		want        []int64
	}{{0, 9900, []int64{99, 5, 104, 0}}, {3000, 9900, []int64{69, 5, 75, 1}}, {9801, 9900, []int64{0, 5, 6, 1}}, {9900, 0, []int64{0, 0, 0, 0}}} {
		fact := purchase(9900)
		fact.Paid = test.paid
		evaluation, ok := asked.Evaluate(rules.Member{}, fact, rules.Memory{})
		if !ok {
			t.Fatal("it is more than can be counted")
		}
		var got []int64
		for _, outcome := range evaluation.Outcomes {
			got = append(got, outcome.Granted)
			if outcome.Granted > 0 && outcome.Basis != test.basis {
				t.Errorf("%d paid: the basis is %d", test.paid, outcome.Basis)
			}
		}
		if difference := cmp.Diff(test.want, got); difference != "" {
			t.Errorf("%d paid: %s", test.paid, difference)
		}
	}
}

func TestEvaluate_TooMuch(t *testing.T) {
	t.Parallel()
	for _, awards := range [][]rules.Award{
		{every(1_000_000_000, 1, value.Floor)},
		{fixed(value.MaximumPoints), fixed(1)},
		{fixed(value.MaximumPoints / 2), times(4_000_000)},
	} {
		versions := make([]rules.Version, len(awards))
		for i, award := range awards {
			versions[i] = rule("rule", award)
		}
		if evaluation, ok := set(t, versions...).Evaluate(rules.Member{}, purchase(value.MaximumMinor), rules.Memory{}); ok {
			t.Errorf("%d points were given", evaluation.Points)
		}
	}
}

// Which version judges a fact hangs on when it occurred and on when it was recorded.
func TestEvaluate_Versions(t *testing.T) {
	t.Parallel()
	march, may := launch.AddDate(0, 2, 0), launch.AddDate(0, 4, 0)
	first := rule("first", fixed(1))
	second := rule("second", fixed(2), func(v *rules.Version) {
		v.Rule, v.Number, v.EffectiveFrom, v.PublishedAt = first.Rule, 2, &march, &may
	})
	draft := rule("draft", fixed(100), func(v *rules.Version) { v.PublishedAt = nil })
	dated := rule("dated", fixed(10), func(v *rules.Version) { v.StartsAt, v.EndsAt = &march, &may })
	rulebook := set(t, second, draft, dated, first)
	for _, test := range []struct {
		occurred, recorded time.Time
		want               int64
	}{
		{launch.AddDate(-5, 0, 0), launch, 1},
		{launch, launch.Add(-time.Microsecond), 0},
		{march, may.Add(-time.Microsecond), 1 + 10},
		{march, may, 2 + 10},
		{march.Add(-time.Microsecond), may, 1},
		{may.Add(-time.Microsecond), may, 2 + 10},
		{may, may, 2},
	} {
		fact := purchase(100)
		fact.OccurredAt, fact.RecordedAt = test.occurred, test.recorded
		if evaluation, _ := rulebook.Evaluate(rules.Member{}, fact, rules.Memory{}); evaluation.Points != test.want {
			t.Errorf("occurred %s, recorded %s: %d points, want %d", test.occurred, test.recorded, evaluation.Points, test.want)
		}
	}
}

// The order in which rules are stored decides nothing: outcomes come by priority, then by id.
func TestEvaluate_Order(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		count := rapid.IntRange(1, 6).Draw(t, "rules")
		versions := make([]rules.Version, count)
		for i := range versions {
			award := rapid.SampledFrom([]rules.Award{fixed(7), every(1, 100, value.Floor), times(1_250_000)}).Draw(t, "award")
			versions[i] = rule(fmt.Sprint(i), award, func(v *rules.Version) { v.Priority = rapid.IntRange(0, 2).Draw(t, "priority") })
		}
		fact := purchase(rapid.Int64Range(0, 100_000).Draw(t, "minor"))
		one, _ := set(t, versions...).Evaluate(rules.Member{}, fact, rules.Memory{})
		other, _ := set(t, rapid.Permutation(versions).Draw(t, "order")...).Evaluate(rules.Member{}, fact, rules.Memory{})
		if difference := cmp.Diff(one, other); difference != "" {
			t.Fatal(difference)
		}
		priorities := make([]int, count)
		for i, outcome := range one.Outcomes {
			at := slices.IndexFunc(versions, func(v rules.Version) bool { return v.Rule == outcome.Rule })
			priorities[i] = -versions[at].Priority
		}
		if !slices.IsSorted(priorities) {
			t.Fatalf("outcomes come in the order of %v", priorities)
		}
	})
}

// What is taken back grows with what comes back, is never more than its share, and is the whole for the whole.
func TestReversed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		points := rapid.Int64Range(0, value.MaximumPoints).Draw(t, "points")
		basis := rapid.Int64Range(0, value.MaximumMinor).Draw(t, "basis")
		part := rapid.Int64Range(0, basis).Draw(t, "part")
		more := rapid.Int64Range(part, basis).Draw(t, "more")
		before, after := rules.Reversed(points, part, basis), rules.Reversed(points, more, basis)
		if before < 0 || after < before || after > points {
			t.Fatalf("%d, then %d of %d", before, after, points)
		}
		if whole := rules.Reversed(points, basis, basis); basis > 0 && whole != points || basis == 0 && whole != 0 {
			t.Fatalf("the whole takes back %d of %d", whole, points)
		}
	})
}

// Days and hours of a condition are the program's: Monday morning in Tokyo is Sunday evening in UTC.
func TestEvaluate_ConditionInZone(t *testing.T) {
	t.Parallel()
	tokyo, err := value.ParseZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	made, err := rules.NewSet([]rules.Version{rule("early on Mondays", fixed(5), func(v *rules.Version) {
		v.Condition = `now.getDayOfWeek() == 1 && now.getHours() == 1 && member.joinedAt.getHours() == 9`
	})}, nil, tokyo)
	if err != nil {
		t.Fatal(err)
	}
	fact := purchase(100)
	fact.OccurredAt = time.Date(2026, 11, 15, 16, 0, 0, 0, time.UTC)
	if evaluation, ok := made.Evaluate(rules.Member{JoinedAt: launch}, fact, rules.Memory{}); !ok || evaluation.Points != 5 {
		t.Errorf("it earned %d points: %+v", evaluation.Points, evaluation.Outcomes)
	}
}

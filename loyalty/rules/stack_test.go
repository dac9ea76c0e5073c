package rules_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

func TestStacking(t *testing.T) {
	t.Parallel()
	as := func(stacking rules.Stacking) func(*rules.Version) {
		return func(v *rules.Version) { v.Stacking = stacking }
	}
	never := func(v *rules.Version) { v.Condition = "purchase.total > 1000000.0" }
	used := limit(timesPer(rules.MemberScope, rules.Day, 1))
	type given struct {
		award rules.Award
		edits []func(*rules.Version)
	}
	add := func(award rules.Award, edits ...func(*rules.Version)) given { return given{award, edits} }
	best := func(award rules.Award, edits ...func(*rules.Version)) given {
		return given{award, append(edits, as(rules.BestOf))}
	}
	alone := func(award rules.Award, edits ...func(*rules.Version)) given {
		return given{award, append(edits, as(rules.Exclusive))}
	}
	base := every(1, 100, value.Floor)
	for _, test := range []struct {
		name  string
		rules []given
		want  []string
	}{
		{"all that add", []given{add(base), add(fixed(5)), add(times(2_000_000))},
			[]string{"APPLIED 10 of 10", "APPLIED 5 of 5", "APPLIED 15 of 15"}},
		{"the best of several, beside those that add", []given{best(fixed(5)), add(base), best(fixed(20)), best(fixed(20))},
			[]string{"EXCLUDED_BY_STACKING 0 of 5", "APPLIED 10 of 10", "APPLIED 20 of 20", "EXCLUDED_BY_STACKING 0 of 20"}},
		{"a multiplier may be the best", []given{add(base), best(fixed(9)), best(times(2_000_000))},
			[]string{"APPLIED 10 of 10", "EXCLUDED_BY_STACKING 0 of 9", "APPLIED 10 of 10"}},
		{"what is best is no base", []given{best(fixed(20)), add(times(2_000_000))},
			[]string{"APPLIED 20 of 20", "NOT_MATCHED 0 of 0"}},
		{"the best by what it may still give", []given{add(base), best(fixed(50), limit(pointsPer(rules.MemberScope, rules.Day, 3))), best(fixed(20))},
			[]string{"APPLIED 10 of 10", "EXCLUDED_BY_STACKING 0 of 50", "APPLIED 20 of 20"}},
		{"one that stands alone silences all", []given{add(base), alone(fixed(7)), best(fixed(20)), add(times(2_000_000)), alone(fixed(99))},
			[]string{"EXCLUDED_BY_STACKING 0 of 10", "APPLIED 7 of 7", "EXCLUDED_BY_STACKING 0 of 20", "EXCLUDED_BY_STACKING 0 of 10", "EXCLUDED_BY_STACKING 0 of 99"}},
		{"but the base that it multiplies", []given{alone(times(3_000_000)), add(base), add(times(2_000_000)), best(fixed(20))},
			[]string{"APPLIED 20 of 20", "APPLIED 10 of 10", "EXCLUDED_BY_STACKING 0 of 10", "EXCLUDED_BY_STACKING 0 of 20"}},
		{"one that does not match silences nobody", []given{alone(fixed(7), never), add(base)},
			[]string{"NOT_MATCHED 0 of 0", "APPLIED 10 of 10"}},
		{"one that has nothing left silences nobody", []given{alone(fixed(7), used), add(base)},
			[]string{"LIMITED 0 of 7", "APPLIED 10 of 10"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var versions []rules.Version
			remembered := memory()
			for i, one := range test.rules {
				version := rule("rule", one.award, append(one.edits, func(v *rules.Version) { v.Priority = -i })...)
				versions = append(versions, version)
				for _, bound := range version.Limits {
					if bound.Times != nil {
						counter := rules.Counter{Rule: version.Rule, Scope: bound.Scope, Period: bound.Period, Start: value.DateOf(purchase(0).OccurredAt)}
						remembered.Member[counter] = rules.Usage{Times: 1}
					}
				}
			}
			evaluation, ok := set(t, versions...).Evaluate(rules.Member{}, purchase(1000), remembered)
			if !ok {
				t.Fatal("it is more than can be counted")
			}
			if difference := cmp.Diff(test.want, outcomes([]rules.Evaluation{evaluation})); difference != "" {
				t.Error(difference)
			}
		})
	}
}

// The multiplier of a tier raises the base like any other, and does not qualify.
func TestStacking_Tier(t *testing.T) {
	t.Parallel()
	half := int64(1_500_000)
	member := rules.Member{Tier: "Gold", TierID: id.New[id.Tier](), Multiplier: &half}
	base := rule("base", every(1, 100, value.Floor), func(v *rules.Version) { v.Priority = 2 })
	for _, test := range []struct {
		name               string
		also               rules.Version
		points, qualifying int64
	}{
		{"beside a multiplier", rule("double", times(2_000_000)), 10 + 10 + 5, 20},
		{"not the best", rule("best", fixed(8), func(v *rules.Version) { v.Stacking = rules.BestOf }), 10 + 8 + 5, 18},
		{"silenced", rule("alone", fixed(8), func(v *rules.Version) { v.Stacking = rules.Exclusive }), 8, 8},
	} {
		evaluation, ok := set(t, base, test.also).Evaluate(member, purchase(1000), memory())
		if !ok || evaluation.Points != test.points || evaluation.Qualifying != test.qualifying {
			t.Errorf("%s: %d points, %d of them qualifying, want %d and %d", test.name, evaluation.Points, evaluation.Qualifying, test.points, test.qualifying)
		}
	}
	evaluation, _ := set(t, base).Evaluate(member, purchase(1000), memory())
	bonus := evaluation.Outcomes[len(evaluation.Outcomes)-1]
	want := rules.Outcome{
		Tier: &member.TierID, Status: rules.Applied, Reason: rules.ByTier, Desired: 5, Granted: 5, By: &base.Rule, ByVersion: 1, Basis: 1000,
	}
	if difference := cmp.Diff(want, bonus); difference != "" {
		t.Error(difference)
	}
}

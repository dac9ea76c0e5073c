package rules_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/loyalty/rules"
)

// A pause and an end hold by when facts occurred, whenever they are recorded and whichever version serves.
func TestEvaluate_Life(t *testing.T) {
	t.Parallel()
	at := func(day int) *time.Time {
		made := launch.AddDate(0, 0, day)
		return &made
	}
	first := rule("base", fixed(1))
	second := first
	second.Number, second.EffectiveFrom, second.Award = 2, at(4), fixed(2)
	lives := map[id.Rule]rules.Life{first.Rule: {
		EndedAt: at(9),
		Pauses:  []rules.Pause{{From: *at(1), To: at(2)}, {From: *at(3), To: at(3)}, {From: *at(5), To: at(6)}, {From: *at(8)}},
	}}
	asked, err := rules.NewSet([]rules.Version{first, second}, lives, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	const tick = time.Microsecond
	for _, test := range []struct {
		day    int
		by     time.Duration
		want   int64
		reason rules.Reason
	}{
		{0, 0, 1, rules.ByFixed}, {1, -tick, 1, rules.ByFixed}, {1, 0, 0, rules.RulePaused}, {2, -tick, 0, rules.RulePaused}, {2, 0, 1, rules.ByFixed},
		{3, 0, 1, rules.ByFixed}, {4, 0, 2, rules.ByFixed}, {5, 0, 0, rules.RulePaused}, {6, 0, 2, rules.ByFixed},
		{8, 0, 0, rules.RulePaused}, {9, -tick, 0, rules.RulePaused}, {9, 0, 0, rules.RuleEnded}, {99, 0, 0, rules.RuleEnded},
	} {
		fact := purchase(100)
		fact.OccurredAt = at(test.day).Add(test.by)
		for _, later := range []int{0, 10, 10_000} {
			fact.RecordedAt = fact.OccurredAt.AddDate(0, 0, later)
			evaluation, _ := asked.Evaluate(rules.Member{}, fact, rules.Memory{})
			outcome := evaluation.Outcomes[0]
			if evaluation.Points != test.want || outcome.Reason != test.reason || (test.want == 0) != (outcome.Status == rules.NotInSchedule) {
				t.Errorf("day %d%+d, recorded %d days later: %+v", test.day, test.by, later, outcome)
			}
		}
	}
}

// Rules that are long over are not considered any more, or every evaluation would tell of all that ever were.
func TestEvaluate_LongOver(t *testing.T) {
	t.Parallel()
	day := func(day int) *time.Time {
		at := launch.AddDate(0, 0, day)
		return &at
	}
	ended := rule("ended", fixed(1))
	scheduled := rule("scheduled", fixed(1), func(v *rules.Version) { v.EndsAt = day(10) })
	asked, err := rules.NewSet([]rules.Version{ended, scheduled}, map[id.Rule]rules.Life{ended.Rule: {EndedAt: day(10)}}, time.UTC)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[int]int{9: 2, 10: 2, 100: 2, 101: 0} {
		evaluation, _ := asked.Evaluate(rules.Member{}, purchaseAt(*day(at), 100), rules.Memory{})
		if len(evaluation.Outcomes) != want {
			t.Errorf("on day %d %d rules are considered, want %d", at, len(evaluation.Outcomes), want)
		}
	}
}

package rules_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// Days and hours of a condition are the program's: Monday morning in Tokyo is Sunday evening in UTC.
func TestEvaluate_ConditionInZone(t *testing.T) {
	t.Parallel()
	tokyo, err := value.ParseZone("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	published, points := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), int64(5)
	set, err := rules.NewSet([]rules.Version{{
		Rule: id.New[id.Rule](), Number: 1, Trigger: rules.Purchase, PublishedAt: &published, Award: rules.Award{Fixed: &points},
		Condition: `now.getDayOfWeek() == 1 && now.getHours() == 1 && member.joinedAt.getHours() == 9`,
	}}, tokyo)
	if err != nil {
		t.Fatal(err)
	}
	evaluation, ok := set.Evaluate(rules.Member{JoinedAt: published}, rules.Fact{
		Type: rules.Purchase, OccurredAt: time.Date(2026, 11, 15, 16, 0, 0, 0, time.UTC), RecordedAt: published.AddDate(1, 0, 0),
		Total: &value.Money{Minor: 100, Currency: "JPY"},
	})
	if !ok || evaluation.Points != points {
		t.Errorf("it earned %d points: %+v", evaluation.Points, evaluation.Outcomes)
	}
}

package rules_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/loyalty/rules"
)

func TestCheckCondition(t *testing.T) {
	t.Parallel()
	for _, good := range []string{
		`purchase.total >= 49.99`,
		`purchase.total > 50`,
		`purchase.lines.exists(line, line.sku.startsWith("COFFEE") && line.quantity >= 2)`,
		`activity.source == "web" && "campaign" in activity.attributes`,
		`member.tier == "Gold" && now.getDayOfWeek() == 2 && now.getHours() >= 14`,
		`now - member.joinedAt < duration("720h")`,
	} {
		if err := rules.CheckCondition(rules.Purchase, good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	tests := []struct {
		name, trigger, condition string
		want                     rules.ConditionError
	}{
		{"misspelled field", rules.Purchase, "purchase.total > 1.0 &&\n  purchase.totl < 5.0", rules.ConditionError{
			Message: "undefined field 'totl'", Line: 2, Column: 11, Hint: `did you mean "total"?`}},
		{"misspelled variable", rules.Purchase, "purchas.total > 1.0", rules.ConditionError{
			Message: "undeclared reference to 'purchas'", Line: 1, Column: 1, Hint: `did you mean "purchase"?`}},
		{"no purchase in an activity", "CHECK_IN", "purchase.total > 1.0", rules.ConditionError{
			Message: "undeclared reference to 'purchase'", Line: 1, Column: 1}},
		{"not true or false", rules.Purchase, "purchase.total", rules.ConditionError{
			Message: "a condition is true or false, this one is of type double", Line: 1, Column: 1}},
		{"equality of unlike numbers", rules.Purchase, "purchase.total == 50", rules.ConditionError{
			Message: "found no matching overload for '_==_' applied to '(double, int)'", Line: 1, Column: 16,
			Hint: "amounts and quantities are numbers with a point: write 50.0 for 50"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			var got *rules.ConditionError
			if err := rules.CheckCondition(test.trigger, test.condition); !errors.As(err, &got) {
				t.Fatalf("got %v, want a ConditionError", err)
			}
			if difference := cmp.Diff(test.want, *got); difference != "" {
				t.Error(difference)
			}
		})
	}
	var syntax *rules.ConditionError
	if err := rules.CheckCondition(rules.Purchase, "purchase.total >"); !errors.As(err, &syntax) || syntax.Line != 1 {
		t.Errorf("an unfinished condition: %v", err)
	}
	if err := rules.CheckCondition(rules.Purchase, strings.Repeat("true && ", 600)+"true"); err == nil {
		t.Error("a condition of more than 4,000 bytes was accepted")
	}
}

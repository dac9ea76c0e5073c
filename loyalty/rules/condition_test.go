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
		`purchase.lines.filter(l, l.brand == 'Acme').size() >= 2`,
		`activity.source == "web" && "campaign" in activity.attributes`,
		`member.tier == "Gold" && now.getDayOfWeek() == 2 && now.getHours() >= 14`,
		`now - member.joinedAt < duration("720h")`,
		`now < timestamp("2026-01-31T00:00:00+01:00")`,
		`member.tier == 'Gold'`,
		`has(member.attributes.city) && member.attributes.city == "Köln"`,
	} {
		if err := rules.CheckCondition(rules.Purchase, good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	if err := rules.CheckLineCondition(`line.category == "tea" && purchase.total > 5 && !member.birthday`); err != nil {
		t.Errorf("a line condition: %v", err)
	}
}

// Every way of going wrong that people find, with the place, a sentence and the way out.
func TestCheckCondition_Wrong(t *testing.T) {
	t.Parallel()
	const anyLine = "ask about any of the lines: purchase.lines.exists(line, line.amount > 10)"
	const point = "write both with a point or both without: amounts and quantities have one, 50.0"
	tests := []struct {
		name, trigger, condition string
		want                     rules.ConditionError
	}{
		{"misspelled field", rules.Purchase, "purchase.total > 1.0 &&\n  purchase.totl < 5.0", rules.ConditionError{
			Message: "no such field `totl`", Line: 2, Column: 12, Hint: "did you mean `total`?"}},
		{"misspelled field of a line", rules.Purchase, "purchase.lines.exists(l, l.amout > 5)", rules.ConditionError{
			Message: "no such field `amout`", Line: 1, Column: 28, Hint: "did you mean `amount`?"}},
		{"misspelled field of one line", rules.Purchase, "purchase.lines[0].amout > 5", rules.ConditionError{
			Message: "no such field `amout`", Line: 1, Column: 19, Hint: "did you mean `amount`?"}},
		{"behind umlauts", rules.Purchase, `member.tier == "Süß" && purchase.totl > 1`, rules.ConditionError{
			Message: "no such field `totl`", Line: 1, Column: 34, Hint: "did you mean `total`?"}},
		{"behind line breaks and umlauts", rules.Purchase, "member.tier == \"Süß\" &&\r\n\"Ä\" == purchase.currncy", rules.ConditionError{
			Message: "no such field `currncy`", Line: 2, Column: 17, Hint: "did you mean `currency`?"}},
		{"letters of four bytes", rules.Purchase, `member.tier == "💎" && member.ter == ""`, rules.ConditionError{
			Message: "no such field `ter`", Line: 1, Column: 30, Hint: "did you mean `tier`?"}},
		{"field of another variable", rules.Purchase, "member.total > 5", rules.ConditionError{
			Message: "no such field `total`", Line: 1, Column: 8, Hint: "write `purchase.total`"}},
		{"field of the lines", rules.Purchase, "purchase.amount > 5", rules.ConditionError{
			Message: "no such field `amount`", Line: 1, Column: 10, Hint: "the lines have it: purchase.lines.exists(line, line.amount …)"}},
		{"field of nobody", rules.Purchase, "purchase.weather == 'rain'", rules.ConditionError{
			Message: "no such field `weather`", Line: 1, Column: 10, Hint: "`purchase` has total, paidWithPoints, currency, lines"}},
		{"field of a list", rules.Purchase, "purchase.lines.amount > 5", rules.ConditionError{
			Message: "the list of lines has no fields", Line: 1, Column: 16, Hint: anyLine}},
		{"misspelled variable", rules.Purchase, "purchas.total > 1.0", rules.ConditionError{
			Message: "there is no `purchas`", Line: 1, Column: 1, Hint: "did you mean `purchase`?"}},
		{"field without its variable", rules.Purchase, "total > 5", rules.ConditionError{
			Message: "there is no `total`", Line: 1, Column: 1, Hint: "write `purchase.total`"}},
		{"text without quotes", rules.Purchase, "member.tier == Gold", rules.ConditionError{
			Message: "there is no `Gold`", Line: 1, Column: 16, Hint: `text stands in quotes: "Gold"`}},
		{"curly quotes", rules.Purchase, "member.tier == “Gold”", rules.ConditionError{
			Message: "`“` cannot be read", Line: 1, Column: 16, Hint: `write straight quotes: "Gold"`}},
		{"open quote", rules.Purchase, `member.tier == "Gold`, rules.ConditionError{
			Message: "`\"Gold` cannot be read", Line: 1, Column: 16, Hint: "a text ends with the quote that it began with, on the same line"}},
		{"no purchase in an activity", "CHECK_IN", "purchase.total > 1.0", rules.ConditionError{
			Message: "`purchase` is there only in rules about purchases", Line: 1, Column: 1, Hint: "other facts have `activity`, `member` and `now`"}},
		{"line outside of a line condition", rules.Purchase, "line.amount > 5", rules.ConditionError{
			Message: "`line` is there only in a line condition", Line: 1, Column: 1, Hint: anyLine}},
		{"line in an activity", "CHECK_IN", "line.amount > 5", rules.ConditionError{
			Message: "`line` is there only in a line condition of rules about purchases", Line: 1, Column: 1}},
		{"not true or false", rules.Purchase, "purchase.total", rules.ConditionError{
			Message: "a condition is true or false, this one is a number", Line: 1, Column: 1, Hint: "compare it with something, e.g. purchase.total >= 50"}},
		{"equality of unlike numbers", rules.Purchase, "purchase.total == 50", rules.ConditionError{
			Message: "`==` does not go with a number and a whole number", Line: 1, Column: 16, Hint: point}},
		{"product of unlike numbers", rules.Purchase, "purchase.total * 2 > 5", rules.ConditionError{
			Message: "`*` does not go with a number and a whole number", Line: 1, Column: 16, Hint: point}},
		{"number in quotes", rules.Purchase, "purchase.total > '5'", rules.ConditionError{
			Message: "`>` does not go with a number and a text", Line: 1, Column: 16, Hint: "a number stands without quotes, a text in quotes"}},
		{"number with a comma", rules.Purchase, "purchase.total > 49,99", rules.ConditionError{
			Message: "`,` does not belong here", Line: 1, Column: 20, Hint: "write numbers with a point: 49.99"}},
		{"one =", rules.Purchase, "purchase.total = 50.0", rules.ConditionError{
			Message: "`=` cannot be read", Line: 1, Column: 16, Hint: "write == to compare"}},
		{"<>", rules.Purchase, "member.tier <> 'Gold'", rules.ConditionError{
			Message: "`>` does not belong here", Line: 1, Column: 14, Hint: "write != for <>"}},
		{"=>", rules.Purchase, "purchase.total => 50", rules.ConditionError{
			Message: "`=>` cannot be read", Line: 1, Column: 16, Hint: "write >="}},
		{"AND", rules.Purchase, "purchase.total > 5 AND member.birthday", rules.ConditionError{
			Message: "`AND` does not belong here", Line: 1, Column: 20, Hint: "write && for AND"}},
		{"not", rules.Purchase, "not member.birthday", rules.ConditionError{
			Message: "`member` does not belong here", Line: 1, Column: 5, Hint: "write ! for not"}},
		{"one &", rules.Purchase, "purchase.total > 5 & member.birthday", rules.ConditionError{
			Message: "`&` cannot be read", Line: 1, Column: 20, Hint: "write && for and"}},
		{"if", rules.Purchase, "if purchase.total > 5", rules.ConditionError{
			Message: "`if` does not belong here", Line: 1, Column: 1, Hint: "a condition needs no such word: write what must be true"}},
		{"unfinished", rules.Purchase, "purchase.total >", rules.ConditionError{
			Message: "the condition ends too early", Line: 1, Column: 17}},
		{"open parenthesis", rules.Purchase, "(purchase.total > 5", rules.ConditionError{
			Message: "the condition ends too early", Line: 1, Column: 20}},
		{"one parenthesis too many", rules.Purchase, "purchase.total > 5)", rules.ConditionError{
			Message: "`)` does not belong here", Line: 1, Column: 19}},
		{"text joined by &&", rules.Purchase, "member.tier && purchase.total > 5", rules.ConditionError{
			Message: "true or false is expected here, this is a text", Line: 1, Column: 7}},
		{"misspelled function", rules.Purchase, "activity.source.startWith('x')", rules.ConditionError{
			Message: "there is no function `startWith`", Line: 1, Column: 26, Hint: "did you mean `startsWith`?"}},
		{"function before the text", rules.Purchase, "contains(activity.source, 'x')", rules.ConditionError{
			Message: "`contains` does not work like this, on a text and a text", Line: 1, Column: 9,
			Hint: "write it behind the text: activity.source.contains(…)"}},
		{"hours of a text", rules.Purchase, "member.tier.getHours() > 1", rules.ConditionError{
			Message: "`getHours` does not work like this, on a text", Line: 1, Column: 21, Hint: "instants and lengths of time have it: now.getHours()"}},
		{"instant as text", rules.Purchase, "now > '2026-01-31'", rules.ConditionError{
			Message: "`>` does not go with an instant and a text", Line: 1, Column: 5, Hint: `write timestamp("2026-01-31T00:00:00+01:00")`}},
		{"part of a text by in", rules.Purchase, "'x' in member.tier", rules.ConditionError{
			Message: "`in` does not go with a text and a text", Line: 1, Column: 5, Hint: `for a part of a text write member.tier.contains("Gold")`}},
		{"wrong pattern", rules.Purchase, "activity.source.matches('[')", rules.ConditionError{
			Message: "this is no pattern: missing closing ]: `[`", Line: 1, Column: 25, Hint: "for a part of a text write contains(), startsWith() or endsWith()"}},
		{"a whole object", rules.Purchase, "purchase + 1 == 2", rules.ConditionError{
			Message: "`+` does not go with a purchase and a whole number", Line: 1, Column: 10, Hint: "ask for one of its fields"}},
		{"nothing", rules.Purchase, "  ", rules.ConditionError{
			Message: "there is no condition", Line: 1, Column: 1, Hint: "leave it out if the rule shall always match"}},
		{"too long", rules.Purchase, strings.Repeat("true && ", 600) + "true", rules.ConditionError{
			Message: "a condition has at most 4000 bytes", Line: 1, Column: 1}},
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
}

// Whatever is typed, there is an answer with a place in the text.
func FuzzCheckCondition(f *testing.F) {
	for _, seed := range []string{"purchase.total > 1", "member.tier == “Süß”", "((((", "\x00", "'\n", "a.b{c: 1}", "activity.attributes['x']"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, err := range []error{rules.CheckCondition(rules.Purchase, text), rules.CheckLineCondition(text)} {
			var wrong *rules.ConditionError
			if err != nil && !errors.As(err, &wrong) {
				t.Fatalf("%q: %v", text, err)
			}
			if wrong != nil && (wrong.Line < 1 || wrong.Column < 1 || wrong.Message == "") {
				t.Fatalf("%q: %#v", text, wrong)
			}
		}
	})
}

package rules

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/value"
)

var update = flag.Bool("update", false, "write the table of what conditions may use")

func judged(t *testing.T, text string, in *input) (bool, error) {
	t.Helper()
	made, err := compile(in.fact.Type, text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return made.holds(in)
}

func zoneOf(t *testing.T, name string) *time.Location {
	t.Helper()
	zone, err := value.ParseZone(name)
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestCondition_Values(t *testing.T) {
	t.Parallel()
	member := Member{Tier: "Gold", Locale: "de-DE", JoinedAt: time.Date(2025, 1, 31, 23, 30, 0, 0, time.UTC), Attributes: map[string]string{"city": "Köln"}}
	fact := benchFact()
	fact.Paid, fact.Number = 100, 10
	for _, condition := range []string{
		`purchase.total == 49.99 && purchase.paidWithPoints == 1.0 && purchase.currency == "EUR" && size(purchase.lines) == 3`,
		`purchase.lines[1].quantity == 2.0 && purchase.lines[1].sku == "B" && purchase.lines[1].discount == 0.0`,
		`purchase.lines.map(l, l.amount).exists(a, a == 19.99) && purchase.lines.exists_one(l, l.category == "tea")`,
		`!has(purchase.lines[0].brand) && has(purchase.lines[0].category) && has(member.tier) && has(purchase.lines)`,
		`activity.type == "PURCHASE" && activity.source == "till" && activity.attributes == {"campaign": "spring"}`,
		`activity.number == 10 && activity.number % 10 == 0`,
		`member.tier == "Gold" && member.locale == "de-DE" && member.attributes["city"] == "Köln" && !member.birthday && !member.birthdayMonth`,
		`member.joinedAt.getDate() == 1 && member.joinedAt.getMonth() == 1`,
		`now.getHours() == 15 && now.getDayOfWeek() == 2 && now.getFullYear() == 2026 && now == timestamp("2026-03-03T14:30:00Z")`,
		`now.getHours("UTC") == 14`,
		`purchase == purchase && purchase.lines[0] != purchase.lines[1]`,
	} {
		if holds, err := judged(t, condition, &input{member: member, fact: fact, zone: zoneOf(t, "Europe/Berlin")}); err != nil || !holds {
			t.Errorf("%s: %v %v", condition, holds, err)
		}
	}
}

// Hours are those of the wall clock, on days that have 23 or 25 of them as well.
func TestCondition_SummerTime(t *testing.T) {
	t.Parallel()
	zone := zoneOf(t, "Europe/Berlin")
	for at, want := range map[string]int{
		"2026-03-29T00:59:59Z": 1, "2026-03-29T01:00:00Z": 3, "2026-10-25T00:30:00Z": 2, "2026-10-25T01:30:00Z": 2, "2026-10-25T02:30:00Z": 3,
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		in := &input{fact: Fact{Type: "VISIT", OccurredAt: instant}, zone: zone}
		if holds, err := judged(t, fmt.Sprintf("now.getHours() == %d && now.getDayOfWeek() == 0", want), in); err != nil || !holds {
			t.Errorf("%s is not %d o'clock of a Sunday: %v", at, want, err)
		}
	}
}

func TestCondition_Birthday(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		born, at   string
		day, month bool
	}{
		{"1990-07-31", "2026-07-30T22:00:00Z", true, true},
		{"1990-07-31", "2026-07-31T21:59:59Z", true, true},
		{"1990-07-31", "2026-07-31T22:00:00Z", false, false},
		{"1990-07-31", "2026-07-01T12:00:00Z", false, true},
		{"2000-02-29", "2024-02-29T12:00:00Z", true, true},
		{"2000-02-29", "2024-02-28T12:00:00Z", false, true},
		{"2000-02-29", "2026-02-28T12:00:00Z", true, true},
		{"2000-02-29", "2026-03-01T12:00:00Z", false, false},
		{"2000-02-29", "2100-02-28T12:00:00Z", true, true},
		{"2000-02-28", "2026-02-28T12:00:00Z", true, true},
		{"", "2026-02-28T12:00:00Z", false, false},
	} {
		at, err := time.Parse(time.RFC3339, test.at)
		if err != nil {
			t.Fatal(err)
		}
		in := &input{fact: Fact{Type: "VISIT", OccurredAt: at}, zone: zoneOf(t, "Europe/Berlin")}
		if test.born != "" {
			born, err := value.ParseDate(test.born)
			if err != nil {
				t.Fatal(err)
			}
			in.member.BirthDate = &born
		}
		day, dayErr := judged(t, "member.birthday", in)
		month, monthErr := judged(t, "member.birthdayMonth", in)
		if err := errors.Join(dayErr, monthErr); err != nil || day != test.day || month != test.month {
			t.Errorf("born %s, at %s: day %v, month %v, %v", test.born, test.at, day, month, err)
		}
	}
}

func manyLines() Fact {
	fact := benchFact()
	fact.Lines = make([]Line, 1_000)
	for i := range fact.Lines {
		fact.Lines[i] = Line{SKU: fmt.Sprint(i), Quantity: 1_000_000, Amount: 1}
	}
	return fact
}

// What cannot be decided does not match and says why; nothing runs for long.
func TestCondition_Undecided(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]string{
		`activity.attributes["class"] == "A"`:          `there is no attribute "class"`,
		`member.attributes.city == "A"`:                `there is no attribute "city"`,
		`1 / (activity.number - activity.number) == 1`: "it divides by zero",
		`1 / 0 == 1`:                      "it divides by zero",
		`activity.number % 0 == 1`:        "it divides by zero",
		`purchase.lines[1000].amount > 1`: "the list has no such element",
		`purchase.lines.all(a, purchase.lines.all(b, a.sku != "x" + b.sku))`:                        "it takes too long",
		`purchase.lines.all(a, purchase.lines.all(b, purchase.lines.all(c, a.amount <= c.amount)))`: "it takes too long",
		`purchase.lines.map(a, purchase.lines.map(b, purchase.lines.map(c, c.sku))).size() > 0`:     "it takes too long",
		"purchase.lines.all(a, " + strings.Repeat("a.sku != 'x' && ", 200) + "true)":                "it takes too long",
		strings.Repeat("purchase.lines.all(a, a.sku != 'x') && ", 70) + "true":                      "it takes too long",
		`dyn(activity).number == 1`: "",
	} {
		holds, err := judged(t, condition, &input{fact: manyLines(), zone: time.UTC})
		if err == nil || holds || (want != "" && err.Error() != want) {
			t.Errorf("%s: %v %v, want %s", condition, holds, err, want)
		}
	}
	// A float divided by zero is no error but infinite, as everywhere.
	if holds, err := judged(t, `purchase.total / 0.0 > 1.0`, &input{fact: manyLines(), zone: time.UTC}); err != nil || !holds {
		t.Errorf("infinite: %v %v", holds, err)
	}
	if holds, err := judged(t, `"class" in activity.attributes && activity.attributes["class"] == "A"`, &input{fact: manyLines(), zone: time.UTC}); err != nil || holds {
		t.Errorf("asked first: %v %v", holds, err)
	}
}

func TestCondition_Lines(t *testing.T) {
	t.Parallel()
	made, err := compileLine(`line.category in ["tea", "cake"] && line.amount < purchase.total && !purchase.lines.exists(line, line.category == "milk")`)
	if err != nil {
		t.Fatal(err)
	}
	in := &input{fact: benchFact(), zone: time.UTC}
	var got []bool
	for i := range in.fact.Lines {
		holds, err := made.holdsLine(in, i)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, holds)
	}
	if difference := cmp.Diff([]bool{false, true, true}, got); difference != "" {
		t.Error(difference)
	}
}

func TestCondition_Reads(t *testing.T) {
	t.Parallel()
	for condition, want := range map[string]bool{
		`activity.number == 1`: true, `purchase.lines.exists(l, l.amount > 1 && activity.number > 2)`: true, `has(activity.number)`: true,
		`activity.type == "number"`: false, `activity.attributes["number"] == ""`: false,
	} {
		made, err := compile(Purchase, condition)
		if err != nil {
			t.Fatal(err)
		}
		if made.reads("activity.number") != want {
			t.Errorf("%s reads the number: %v", condition, !want)
		}
	}
}

// The list for editors is complete, and what it shows works.
func TestConditionFields(t *testing.T) {
	t.Parallel()
	for _, one := range ConditionFields() {
		compiles := CheckCondition(Purchase, one.Example)
		if strings.HasPrefix(one.Name, "line.") {
			compiles = CheckLineCondition(one.Example)
		}
		if compiles != nil || !strings.Contains(one.Example, one.Name) {
			t.Errorf("%s: the example %s: %v", one.Name, one.Example, compiles)
		}
		if len(one.Description) < 10 || !strings.HasSuffix(one.Description, ".") || one.Type == "" {
			t.Errorf("%s is not described: %+v", one.Name, one)
		}
	}
	if len(objects)+1 != len(variables) {
		t.Error("an object belongs to no variable")
	}
}

// TestConditionFields_Documented keeps the table of docs/conditions.md equal to the environment.
func TestConditionFields_Documented(t *testing.T) {
	t.Parallel()
	const page, start, end = "../../docs/conditions.md", "| name | type | what it is | example |\n| --- | --- | --- | --- |\n", "\n\n"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), start)
	table, after, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatal("docs/conditions.md has no table of fields")
	}
	var rows []string
	for _, one := range ConditionFields() {
		rows = append(rows, fmt.Sprintf("| %#q | %s | %s | %#q |", one.Name, one.Type, one.Description, strings.ReplaceAll(one.Example, "|", `\|`)))
	}
	want := strings.Join(rows, "\n")
	if *update {
		if err := os.WriteFile(page, []byte(before+start+want+end+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if difference := cmp.Diff(want, table); difference != "" {
		t.Errorf("docs/conditions.md is not what the environment says; run go test ./loyalty/rules -run Documented -update (-want +got):\n%s", difference)
	}
}

// Rules and greetings say the same of a birthday on 29 February.
func TestCondition_BirthdayOnMarch1(t *testing.T) {
	t.Parallel()
	born, err := value.ParseDate("2000-02-29")
	if err != nil {
		t.Fatal(err)
	}
	for day, want := range map[string]bool{"2026-02-28": false, "2026-03-01": true, "2028-02-29": true, "2028-03-01": false} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		in := &input{fact: Fact{Type: "VISIT", OccurredAt: at}, zone: time.UTC, leapOnMarch1: true, member: Member{BirthDate: &born}}
		if got, err := judged(t, "member.birthday", in); err != nil || got != want {
			t.Errorf("on %s: %v, %v", day, got, err)
		}
	}
}

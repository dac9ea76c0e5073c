package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// Open Loyalty's #69: points for a birthday. The day is the program's, 28 February for who was born on the 29th.
func TestRule_Birthday(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
	born, err := value.ParseDate("2000-02-29")
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Set(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC))
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.BirthDate = &born })
	unknown := w.Enroll()
	w.Rule(loyaltytest.Fixed(5), when("member.birthday"), priority(1))
	w.Rule(loyaltytest.Fixed(3), when("member.birthdayMonth"))
	for at, want := range map[string][]int64{
		"2026-01-31T12:00:00+01:00": nil, "2026-02-01T00:00:00+01:00": {3}, "2026-02-28T00:00:00+01:00": {5, 3}, "2026-02-28T23:59:59+01:00": {5, 3},
		"2026-03-01T00:00:00+01:00": nil, "2024-02-28T12:00:00+01:00": {3}, "2024-02-29T12:00:00+01:00": {5, 3},
	} {
		instant, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, at, want, points(w.Purchase(member, "1.00", occurred(instant))))
		equal(t, at+" of somebody else", nil, points(w.Purchase(unknown, "1.00", occurred(instant))))
	}
	clean(t, w)
}

// What cannot be decided for a fact is recorded all the same, and says why it earned nothing.
func TestRule_Undecided(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Rule(loyaltytest.Fixed(1), when(`member.attributes["city"] == "Berlin"`), priority(3))
	w.Rule(loyaltytest.Fixed(2), when(`size(purchase.lines) / (size(purchase.lines) - 1) > 1`), priority(2))
	w.Rule(loyaltytest.Fixed(3), when(`purchase.lines.all(a, purchase.lines.all(b, purchase.lines.all(c, a.amount <= c.amount)))`), priority(1))
	w.Rule(loyaltytest.Fixed(4), when(`has(member.attributes.city) || size(purchase.lines) > 0`))
	details := func(recorded loyalty.Recorded) []string {
		var list []string
		for _, outcome := range recorded.Evaluation.Outcomes {
			list = append(list, outcome.Detail)
		}
		return list
	}
	one := w.Purchase(member, "1.00", func(input *loyalty.RecordPurchaseInput) {
		input.Lines = []loyalty.PurchaseLineInput{w.Line("TEA", "1", "1.00")}
	})
	equal(t, "of one line", []int64{3, 4}, points(one))
	equal(t, "why", []string{`there is no attribute "city"`, "it divides by zero", "", ""}, details(one))
	many := w.Purchase(member, "10.00", func(input *loyalty.RecordPurchaseInput) {
		for range 1_000 {
			input.Lines = append(input.Lines, w.Line("TEA", "1", "0.01"))
		}
	})
	equal(t, "of 1,000 lines", []int64{4}, points(many))
	equal(t, "why not more", []string{`there is no attribute "city"`, "", "it takes too long", ""}, details(many))
	clean(t, w)
}

package loyalty_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"regulars/internal/idempotency"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

type purchaseEdit = func(*loyalty.RecordPurchaseInput)

func TestPurchase_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", Start: "2024-01-01T00:00:00Z"})
	member := w.Enroll()
	w.Rule(w.PerAmount(1, "1.00"))
	many := make([]loyalty.PurchaseLineInput, loyalty.MaximumLines+1)
	for i := range many {
		many[i] = w.Line("TEA", "1", "0.00")
	}
	lines := func(lines ...loyalty.PurchaseLineInput) purchaseEdit {
		return func(input *loyalty.RecordPurchaseInput) { input.Lines = lines }
	}
	for _, test := range []struct {
		name string
		edit purchaseEdit
		want []string
	}{
		{"unknown member", func(input *loyalty.RecordPurchaseInput) {
			input.Member = loyalty.MemberRef{Email: pointer("nobody@example.org")}
		},
			[]string{"UNKNOWN_MEMBER member"}},
		{"other currency", func(input *loyalty.RecordPurchaseInput) { input.Total.Currency = "USD" }, []string{"CURRENCY_MISMATCH total/currency"}},
		{"negative total", func(input *loyalty.RecordPurchaseInput) { input.Total.Amount = "-0.01" }, []string{"NEGATIVE_TOTAL total"}},
		{"paid more than all", byPoints(w, "1.01"), []string{"INVALID_AMOUNT paidWithPoints"}},
		{"paid less than nothing", byPoints(w, "-0.01"), []string{"INVALID_AMOUNT paidWithPoints"}},
		{"paid with too many digits", byPoints(w, "0.001"), []string{"INVALID_AMOUNT paidWithPoints/amount"}},
		{"paid in another currency", func(input *loyalty.RecordPurchaseInput) {
			input.PaidWithPoints = &value.MoneyInput{Amount: "1.00", Currency: "USD"}
		}, []string{"CURRENCY_MISMATCH paidWithPoints/currency"}},
		{"too many digits", func(input *loyalty.RecordPurchaseInput) { input.Total.Amount = "1.001" }, []string{"INVALID_AMOUNT total/amount"}},
		{"too large", func(input *loyalty.RecordPurchaseInput) { input.Total.Amount = "10000000000000.01" }, []string{"INVALID_AMOUNT total/amount"}},
		{"no source", func(input *loyalty.RecordPurchaseInput) { input.Source = "" }, []string{"INVALID_SOURCE source"}},
		{"no external id", func(input *loyalty.RecordPurchaseInput) { input.ExternalID = " " }, []string{"INVALID_SOURCE externalId"}},
		{"source with a null", func(input *loyalty.RecordPurchaseInput) { input.Source = "a\x00b" }, []string{"INVALID_SOURCE source"}},
		{"future", func(input *loyalty.RecordPurchaseInput) {
			input.OccurredAt = w.Now().Add(5*time.Minute + time.Microsecond)
		},
			[]string{"OCCURRED_IN_FUTURE occurredAt"}},
		{"before the start", func(input *loyalty.RecordPurchaseInput) {
			input.OccurredAt = time.Date(2023, 12, 31, 23, 59, 59, 999_999_000, time.UTC)
		}, []string{"BEFORE_PROGRAM_START occurredAt"}},
		{"too many lines", lines(many...), []string{"TOO_MANY_LINES lines"}},
		{"quantity of 0", lines(w.Line("TEA", "0", "1.00")), []string{"ZERO_QUANTITY lines/0/quantity"}},
		{"quantity too fine", lines(w.Line("TEA", "0.0000001", "1.00")), []string{"INVALID_QUANTITY lines/0/quantity"}},
		{"no SKU", lines(w.Line("", "1", "1.00")), []string{"INVALID_LINE lines/0/sku"}},
		{"line twice", lines(w.Line("TEA", "1", "0.50"), func() loyalty.PurchaseLineInput {
			line := w.Line("TEA", "1", "0.50")
			line.ID = pointer("1")
			return line
		}()), []string{"INVALID_LINE lines/1/id"}},
		{"line's currency", lines(loyalty.PurchaseLineInput{SKU: "TEA", Quantity: "1", Amount: value.MoneyInput{Amount: "1", Currency: "USD"}}),
			[]string{"CURRENCY_MISMATCH lines/0/amount/currency"}},
		{"category with a null", lines(func() loyalty.PurchaseLineInput {
			line := w.Line("TEA", "1", "1.00")
			line.Category = pointer("a\x00b")
			return line
		}()), []string{"INVALID_LINE lines/0/category"}},
		{"lines beyond the total", lines(w.Line("TEA", "1", "1.02")), []string{"LINES_TOTAL_MISMATCH lines"}},
		{"lines short of the total", lines(w.Line("TEA", "1", "0.48"), w.Line("CUP", "1", "0.49")), []string{"LINES_TOTAL_MISMATCH lines"}},
		{"attribute twice", func(input *loyalty.RecordPurchaseInput) {
			input.Attributes = []value.Attribute{{Name: "a", Value: "1"}, {Name: "a", Value: "2"}}
		}, []string{"INVALID_ATTRIBUTE attributes"}},
		{"nameless attribute", func(input *loyalty.RecordPurchaseInput) { input.Attributes = []value.Attribute{{Value: "1"}} },
			[]string{"INVALID_ATTRIBUTE attributes/0"}},
		{"all at once", func(input *loyalty.RecordPurchaseInput) {
			input.Source, input.Total.Amount, input.OccurredAt = "", "-1", w.Now().AddDate(1, 0, 0)
		}, []string{"INVALID_SOURCE source", "OCCURRED_IN_FUTURE occurredAt", "NEGATIVE_TOTAL total"}},
		{"more points than count", func(input *loyalty.RecordPurchaseInput) {
			input.Member = loyaltytest.Ref(rich(t, w))
		}, []string{"INVALID_POINTS"}},
	} {
		input := w.PurchaseInput(member, "1.00")
		test.edit(&input)
		answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		equal(t, test.name, test.want, told(answers[0].UserErrors))
		if answers[0].Activity != nil || len(answers[0].Entries) > 0 || answers[0].Replayed != nil {
			t.Errorf("%s: something was answered besides the problems", test.name)
		}
		// A refusal burns nothing: the same receipt is taken once it is right.
		if slices.Contains([]string{"too large", "quantity of 0", "other currency", "more points than count"}, test.name) {
			good := w.PurchaseInput(member, "1.00", func(good *loyalty.RecordPurchaseInput) { good.ExternalID = input.ExternalID })
			if taken, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{good}); err != nil || len(taken[0].UserErrors) > 0 || *taken[0].Replayed {
				t.Errorf("%s: mended, it is answered %v %v", test.name, taken, err)
			}
		}
	}
	for _, count := range []int{0, loyalty.MaximumBatch + 1} {
		_, err := w.Service.RecordPurchases(w.Admin, make([]loyalty.RecordPurchaseInput, count))
		refused(t, "count", err, "TOO_MANY_PURCHASES")
	}
	clean(t, w)
}

// byPoints tells how much of a purchase was paid with points.
func byPoints(w *loyaltytest.World, paid string) purchaseEdit {
	return func(input *loyalty.RecordPurchaseInput) { input.PaidWithPoints = pointer(w.Money(paid)) }
}

// What is paid with points earns nothing, is told with the fact, and is part of what a retry must say again.
func TestPurchase_PaidWithPoints(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(7), when(`purchase.total == 10.0 && purchase.paidWithPoints > 0`))
	member := w.Enroll()
	for _, test := range []struct {
		paid string
		want []int64
	}{{"0.00", []int64{10}}, {"0.01", []int64{9, 7}}, {"9.01", []int64{7}}, {"10.00", nil}} {
		recorded := w.Purchase(member, "10.00", byPoints(w, test.paid))
		equal(t, test.paid+" of 10.00", test.want, points(recorded))
		if paid := recorded.Activity.PaidWithPoints(); paid == nil || paid.String() != test.paid+" EUR" {
			t.Errorf("%s was paid, the fact says %v", test.paid, paid)
		}
	}

	first := w.PurchaseInput(member, "10.00", byPoints(w, "3.00"))
	changed, silent := first, first
	changed.PaidWithPoints, silent.PaidWithPoints = pointer(w.Money("3.01")), nil
	for i, test := range []struct {
		input    loyalty.RecordPurchaseInput
		problems []string
	}{{first, nil}, {first, nil}, {changed, []string{"IDEMPOTENCY_KEY_REUSED externalId"}}, {silent, []string{"IDEMPOTENCY_KEY_REUSED externalId"}}} {
		answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{test.input})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("told for the ", i, "th time"), test.problems, told(answers[0].UserErrors))
		if test.problems == nil && answers[0].Activity.PaidWithPoints().String() != "3.00 EUR" {
			t.Errorf("told for the %dth time, 3.00 was paid with %v", i, answers[0].Activity.PaidWithPoints())
		}
	}
	silent = w.PurchaseInput(member, "10.00")
	answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{silent})
	if err != nil || answers[0].Activity == nil || answers[0].Activity.PaidWithPoints() != nil {
		t.Fatalf("nothing was said, the answer is %+v %v", answers, err)
	}
	// Purchases of before are known again by the hash that they got when nothing could be said.
	want, err := idempotency.Hash(map[string]any{
		"type": "PURCHASE", "member": member.ID.String(), "occurredAt": silent.OccurredAt, "attributes": []value.Attribute{}, "total": 1000,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got uuid.UUID
	if err := w.DB.Get(w.Admin, &got, `select input_hash from activity_keys where member_id = $1 and sequence = $2`,
		member.ID, answers[0].Activity.Sequence); err != nil {
		t.Fatal(err)
	}
	equal(t, "hash", want, got)
	clean(t, w)
}

// rich has as many points as can be counted.
func rich(t *testing.T, w *loyaltytest.World) *loyalty.Member {
	t.Helper()
	member := w.Enroll()
	w.Adjust(member, value.MaximumPoints)
	return member
}

func TestPurchase_Accepted(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", Start: "2024-01-01T00:00:00Z"})
	w.Rule(w.PerAmount(5, "2.50"))
	w.Rule(loyaltytest.Fixed(7))
	member := w.Enroll()
	for _, test := range []struct {
		name  string
		total string
		edit  purchaseEdit
		want  []int64
	}{
		{"5 for every 2.50 of 3.00", "3.00", nil, []int64{5, 7}},
		{"of 2.49", "2.49", nil, []int64{7}},
		{"of 5.00", "5.00", nil, []int64{10, 7}},
		{"worth nothing", "0.00", nil, nil},
		{"worth nothing, without digits", "0", nil, nil},
		{"a little ahead", "2.50", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = w.Now().Add(5 * time.Minute) }, []int64{5, 7}},
		{"at the start", "2.50", func(input *loyalty.RecordPurchaseInput) {
			input.OccurredAt = time.Date(2024, 1, 1, 1, 0, 0, 0, time.FixedZone("", 3600))
		}, []int64{5, 7}},
		{"lines within their rounding", "2.50", func(input *loyalty.RecordPurchaseInput) {
			input.Lines = []loyalty.PurchaseLineInput{w.Line("TEA", "0.333333", "1.26"), w.Line("CUP", "-1", "1.26")}
		}, []int64{5, 7}},
	} {
		edits := []purchaseEdit{}
		if test.edit != nil {
			edits = append(edits, test.edit)
		}
		recorded := w.Purchase(member, test.total, edits...)
		equal(t, test.name, test.want, points(recorded))
		if recorded.Evaluation == nil || len(recorded.Evaluation.Outcomes) != 2 {
			t.Errorf("%s: no reasons are given", test.name)
		}
	}
	clean(t, w)
}

func TestPurchase_Replayed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.Email = pointer("Ann@Example.org") })
	line := w.Line("TEA", "1.50", "10.00")
	input := w.PurchaseInput(member, "10.00", func(input *loyalty.RecordPurchaseInput) {
		input.Lines = []loyalty.PurchaseLineInput{line}
		input.Attributes = []value.Attribute{{Name: "b", Value: "2"}, {Name: "a", Value: "1"}}
	})
	first, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input})
	if err != nil || len(first[0].UserErrors) > 0 {
		t.Fatal(err, first)
	}
	w.Clock.Advance(24 * time.Hour)
	w.Rule(loyaltytest.Fixed(1000))
	again := input
	again.Member = loyalty.MemberRef{Email: pointer(" ann@example.ORG")}
	again.Total.Amount = "10"
	again.OccurredAt = input.OccurredAt.In(time.FixedZone("", -7200))
	again.Attributes = []value.Attribute{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	again.Lines = []loyalty.PurchaseLineInput{{ID: pointer("1"), SKU: "TEA", Quantity: "1.5", Amount: w.Money("10.0")}}
	replays, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{again, again})
	if err != nil {
		t.Fatal(err)
	}
	for _, replay := range replays {
		if replay.Replayed == nil || !*replay.Replayed {
			t.Fatalf("it is no replay: %v", replay.UserErrors)
		}
		replay.Replayed = first[0].Replayed
		equal(t, "the replay", first[0], replay)
	}
	equal(t, "balance", 10, w.Balance(member).Available)

	other := again
	other.Total, other.Lines = w.Money("11"), nil
	claims := []loyalty.RecordPurchaseInput{other, w.PurchaseInput(w.Enroll(), "10.00", func(claim *loyalty.RecordPurchaseInput) {
		claim.ExternalID = input.ExternalID
	})}
	answers, err := w.Service.RecordPurchases(w.Admin, claims)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "other input", []string{"IDEMPOTENCY_KEY_REUSED externalId"}, told(answers[0].UserErrors))
	equal(t, "another member", []string{"ALREADY_CLAIMED externalId"}, told(answers[1].UserErrors))
	for _, answer := range answers {
		if answer.Activity != nil || answer.MemberID != ([16]byte{}) || strings.Contains(fmt.Sprint(answer.UserErrors), member.ID.String()) {
			t.Errorf("it says more than that: %+v", answer)
		}
	}
	clean(t, w)
}

func TestPurchase_Slice(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	ann, bob := w.Enroll(), w.Enroll()
	good := w.PurchaseInput(ann, "10.00")
	changed := good
	changed.Total.Amount = "11.00"
	stolen := good
	stolen.Member = loyaltytest.Ref(bob)
	answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{
		w.PurchaseInput(bob, "-1.00"), good, good, changed, stolen, w.PurchaseInput(bob, "5.00"), w.PurchaseInput(ann, "7.00"),
	})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]string
	for _, answer := range answers {
		line := told(answer.UserErrors)
		if answer.Activity != nil {
			line = append(line, fmt.Sprint(points(answer), *answer.Replayed, answer.Entries[0].BalanceAfter))
		}
		got = append(got, line)
	}
	equal(t, "answers", [][]string{
		{"NEGATIVE_TOTAL total"}, {"[10] false 10"}, {"[10] true 10"}, {"IDEMPOTENCY_KEY_REUSED externalId"},
		{"ALREADY_CLAIMED externalId"}, {"[5] false 5"}, {"[7] false 17"},
	}, got)

	// A receipt that somebody else claims in the same slice is the rightful member's replay all the same.
	answers, err = w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{stolen, changed, good})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "claimed", []string{"ALREADY_CLAIMED externalId"}, told(answers[0].UserErrors))
	equal(t, "changed", []string{"IDEMPOTENCY_KEY_REUSED externalId"}, told(answers[1].UserErrors))
	if answers[2].Replayed == nil || !*answers[2].Replayed || answers[2].Entries[0].BalanceAfter != 10 {
		t.Errorf("the replay behind them: %+v", answers[2])
	}
	clean(t, w)
}

// What a rule asks of the tier is the one held when it happened, also within one slice.
func TestPurchase_TierHeldThen(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(1000), func(input *loyalty.EarningRuleInput) {
		input.Condition, input.Qualifying = pointer(`member.tier == "Silver"`), false
	})
	w.Tier("Silver", 1, 100)
	w.Tier("Gold", 2, 500)
	member := w.Enroll()
	before := w.Now()
	w.Clock.Advance(time.Hour)
	w.Purchase(member, "100.00")
	silver := w.Now().Add(time.Minute)
	w.Clock.Advance(time.Hour)
	at := func(at time.Time) purchaseEdit {
		return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = at }
	}
	answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{
		w.PurchaseInput(member, "400.00"), w.PurchaseInput(member, "2.00", at(silver)),
	})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "the one that reaches Gold", []int64{400, 1000}, points(answers[0]))
	equal(t, "a late one behind it", []int64{2, 1000}, points(answers[1]))
	equal(t, "standing", "Gold", w.Standing(member).Tier.Name)
	equal(t, "a late one", []int64{4, 1000}, points(w.Purchase(member, "4.00", at(silver))))
	equal(t, "a later one", []int64{3}, points(w.Purchase(member, "3.00", at(before))))
	w.Clock.Advance(time.Second)
	equal(t, "one as Gold", []int64{5}, points(w.Purchase(member, "5.00")))

	// Gold runs out a year later, Silver another year later, and both are posted when the member comes back after that.
	w.Clock.Advance(180 * 24 * time.Hour)
	w.Purchase(member, "150.00")
	w.Clock.Advance(900 * 24 * time.Hour)
	equal(t, "as Silver, between two reviews", []int64{6, 1000}, points(w.Purchase(member, "6.00", at(silver.AddDate(1, 6, 0)))))
	equal(t, "standing in the end", "Member", w.Standing(member).Tier.Name)
	clean(t, w)
}

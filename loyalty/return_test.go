package loyalty_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
)

type returnEdit = func(*loyalty.RecordReturnInput)

func byEuros(amount value.Decimal) returnEdit {
	return func(input *loyalty.RecordReturnInput) {
		input.Amount = &value.MoneyInput{Amount: amount, Currency: "EUR"}
	}
}

func bySKU(sku, quantity string) returnEdit {
	return func(input *loyalty.RecordReturnInput) {
		input.Lines = append(input.Lines, loyalty.ReturnLineInput{SKU: &sku, Quantity: value.Decimal(quantity)})
	}
}

func byLine(line, quantity string) returnEdit {
	return func(input *loyalty.RecordReturnInput) {
		input.Lines = append(input.Lines, loyalty.ReturnLineInput{LineID: &line, Quantity: value.Decimal(quantity)})
	}
}

func tea(w *loyaltytest.World) purchaseEdit {
	return func(input *loyalty.RecordPurchaseInput) {
		input.Lines = []loyalty.PurchaseLineInput{w.Line("TEA", "3", "10.00"), w.Line("CUP", "1", "5.00"), w.Line("TEA", "2", "5.01")}
	}
}

func TestReturn_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	sold := w.Purchase(member, "20.00", tea(w))
	visit := w.Activity(member, "CHECK_IN")
	many := func(input *loyalty.RecordReturnInput) {
		for range loyalty.MaximumLines + 1 {
			bySKU("TEA", "1")(input)
		}
	}
	for _, test := range []struct {
		name  string
		edits []returnEdit
		want  []string
	}{
		{"purchase without a name", []returnEdit{func(input *loyalty.RecordReturnInput) { input.PurchaseExternalID = "" }},
			[]string{"UNKNOWN_PURCHASE purchaseExternalId"}},
		{"no purchase at all", []returnEdit{func(input *loyalty.RecordReturnInput) {
			input.PurchaseExternalID = visit.Activity.ExternalID
		}}, []string{"UNKNOWN_PURCHASE purchaseExternalId"}},
		{"more than it was", []returnEdit{byEuros("20.01")}, []string{"RETURN_EXCEEDS_PURCHASE"}},
		{"nothing", []returnEdit{byEuros("0.00")}, []string{"INVALID_AMOUNT amount"}},
		{"less than nothing", []returnEdit{byEuros("-1")}, []string{"INVALID_AMOUNT amount"}},
		{"amount and lines", []returnEdit{byEuros("1"), bySKU("TEA", "1")}, []string{"INVALID_AMOUNT amount"}},
		{"other currency", []returnEdit{func(input *loyalty.RecordReturnInput) {
			input.Amount = &value.MoneyInput{Amount: "1", Currency: "USD"}
		}}, []string{"CURRENCY_MISMATCH amount/currency"}},
		{"unknown SKU", []returnEdit{bySKU("TEA", "1"), bySKU("POT", "1")}, []string{"UNKNOWN_SKU lines/1"}},
		{"unknown line", []returnEdit{byLine("4", "1")}, []string{"UNKNOWN_SKU lines/0"}},
		{"too many", []returnEdit{bySKU("TEA", "5.000001")}, []string{"RETURN_EXCEEDS_PURCHASE lines/0/quantity"}},
		{"too many of a line", []returnEdit{byLine("2", "2")}, []string{"RETURN_EXCEEDS_PURCHASE lines/0/quantity"}},
		{"too many together", []returnEdit{bySKU("TEA", "3"), byLine("1", "1"), byLine("3", "2")},
			[]string{"RETURN_EXCEEDS_PURCHASE lines/2/quantity"}},
		{"quantity of 0", []returnEdit{bySKU("TEA", "0")}, []string{"ZERO_QUANTITY lines/0/quantity"}},
		{"quantity below 0", []returnEdit{bySKU("TEA", "-1")}, []string{"INVALID_QUANTITY lines/0/quantity"}},
		{"nameless line", []returnEdit{func(input *loyalty.RecordReturnInput) {
			input.Lines = []loyalty.ReturnLineInput{{Quantity: "1"}}
		}}, []string{"INVALID_LINE lines/0"}},
		{"too many lines", []returnEdit{many}, []string{"TOO_MANY_LINES lines"}},
		{"future", []returnEdit{func(input *loyalty.RecordReturnInput) { input.OccurredAt = w.Now().Add(time.Hour) }},
			[]string{"OCCURRED_IN_FUTURE occurredAt"}},
	} {
		input := w.ReturnInput(sold, test.edits...)
		answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{input})
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		equal(t, test.name, test.want, told(answers[0].UserErrors))
	}
	equal(t, "balance", 20, w.Balance(member).Available)
	w.Return(sold)
	answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{w.ReturnInput(sold)})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "nothing left", []string{"RETURN_EXCEEDS_PURCHASE"}, told(answers[0].UserErrors))
	clean(t, w)
}

func TestReturn_Partly(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		steps []returnEdit
		// What comes back with each step, and what it takes away.
		worth []int64
		want  [][]int64
	}{
		{"all", []returnEdit{func(*loyalty.RecordReturnInput) {}}, []int64{2000}, [][]int64{{-20, -7, -13}}},
		{"by amount, then the rest", []returnEdit{byEuros("6.67"), byEuros("0.01"), func(*loyalty.RecordReturnInput) {}},
			[]int64{667, 1, 1332}, [][]int64{{-6, -2, -4}, nil, {-14, -5, -9}}},
		{"the last line first", []returnEdit{bySKU("TEA", "1"), bySKU("TEA", "3"), bySKU("TEA", "1"), bySKU("CUP", "1")},
			[]int64{250, 251 + 666, 334, 499}, [][]int64{{-2, -1}, {-9, -4, -6}, {-4, -1, -2}, {-5, -2, -4}}},
		{"by line", []returnEdit{byLine("1", "0.5"), byLine("1", "2.5"), func(*loyalty.RecordReturnInput) {}},
			[]int64{166, 834, 1000}, [][]int64{{-1, -1}, {-9, -3, -5}, {-10, -4, -7}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := loyaltytest.New(t)
			w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) { input.Priority = 2 })
			w.Rule(loyaltytest.Fixed(7), func(input *loyalty.EarningRuleInput) { input.Priority, input.Qualifying = 1, false })
			w.Rule(loyaltytest.Multiplier("1.5"))
			member := w.Enroll()
			sold := w.Purchase(member, "20.00", tea(w))
			equal(t, "earned", []int64{20, 7, 13}, points(sold))
			// What rules say later changes nothing.
			w.Rule(loyaltytest.Multiplier("10"))
			for i, step := range test.steps {
				recorded := w.Return(sold, step)
				equal(t, fmt.Sprintf("worth of step %d", i), &test.worth[i], recorded.Activity.TotalMinor)
				equal(t, fmt.Sprintf("step %d", i), test.want[i], points(recorded))
			}
			equal(t, "balance", 0, w.Balance(member).Available)
			equal(t, "qualifying", 0, w.Standing(member).QualifyingPoints)
			clean(t, w)
		})
	}
}

// What came back of the lines bounds a return by lines; that lines add up to more than the total, within their rounding or
// before a coupon, keeps nothing from coming back.
func TestReturn_LinesBeyondTheTotal(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		total string
		lines [][3]string
		steps []returnEdit
		worth []int64
		taken []int64
	}{
		{"rounding", "5.97", [][3]string{{"A", "1", "3.00"}, {"B", "1", "3.00"}, {"BAG", "1", "0.00"}},
			[]returnEdit{bySKU("A", "1"), bySKU("B", "1"), bySKU("BAG", "1")}, []int64{300, 297, 0}, []int64{-2, -3, 0}},
		{"a coupon", "5.00", [][3]string{{"A", "1", "10.00"}, {"B", "1", "10.00"}, {"COUPON", "1", "-15.00"}},
			[]returnEdit{bySKU("B", "1"), bySKU("A", "1")}, []int64{500, 0}, []int64{-5, 0}},
		{"an amount before", "10.00", [][3]string{{"A", "1", "5.00"}, {"B", "1", "5.00"}},
			[]returnEdit{byEuros("8.00"), bySKU("A", "1")}, []int64{800, 200}, []int64{-8, -2}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := loyaltytest.New(t)
			w.Rule(w.PerAmount(1, "1.00"))
			sold := w.Purchase(w.Enroll(), test.total, func(input *loyalty.RecordPurchaseInput) {
				for _, line := range test.lines {
					input.Lines = append(input.Lines, w.Line(line[0], line[1], line[2]))
				}
			})
			for i, step := range test.steps {
				recorded := w.Return(sold, step)
				equal(t, fmt.Sprintf("worth of step %d", i), &test.worth[i], recorded.Activity.TotalMinor)
				var taken int64
				for _, points := range points(recorded) {
					taken += points
				}
				equal(t, fmt.Sprintf("taken by step %d", i), test.taken[i], taken)
			}
			clean(t, w)
		})
	}
}

// However a purchase comes back, the whole takes back exactly the whole.
func TestReturn_WholeIsTheWhole(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(3, "0.70"))
	w.Rule(loyaltytest.Fixed(11))
	w.Rule(loyaltytest.Multiplier("1.333333"))
	rapid.Check(t, func(r *rapid.T) {
		member := w.Enroll()
		total := rapid.Int64Range(1, 5000).Draw(r, "total")
		sold := w.Purchase(member, string(amount(total)))
		earned := w.Balance(member).Available
		var back int64
		for left, parts := total, 1; left > 0; parts++ {
			part := left
			if parts < 5 {
				part = rapid.Int64Range(1, left).Draw(r, "part")
			}
			left -= part
			for _, entry := range w.Return(sold, byEuros(amount(part))).Entries {
				back -= entry.Points
			}
			if ideal := earned * (total - left) / total; back > ideal || back < ideal-2 {
				r.Fatalf("%d of %d taken back after %d of %d", back, earned, total-left, total)
			}
		}
		if back != earned || w.Balance(member).Available != 0 || w.Balance(member).Debt != 0 {
			r.Fatalf("%d of %d taken back", back, earned)
		}
	})
	clean(t, w)
}

func amount(minor int64) value.Decimal {
	return value.FormatUnits(minor, 2)
}

// Points spent before they are taken back are owed, and the next ones pay.
func TestReturn_Debt(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	first, second := w.Purchase(member, "100.00"), w.Purchase(member, "50.00")
	w.Adjust(member, -120)
	w.Return(first)
	balance := w.Balance(member)
	equal(t, "debt", []int64{0, 70}, []int64{balance.Available, balance.Debt})
	w.Return(second, byEuros("25.00"))
	equal(t, "more debt", 95, w.Balance(member).Debt)
	if _, err := w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{
		Member: loyaltytest.Ref(member), Points: -1, Reason: "A test", IdempotencyKey: w.Key(),
	}); err == nil {
		t.Error("points that are not there were spent")
	}
	w.Purchase(member, "80.00")
	equal(t, "partly paid", 15, w.Balance(member).Debt)
	w.Purchase(member, "20.00")
	balance = w.Balance(member)
	equal(t, "paid", []int64{5, 0}, []int64{balance.Available, balance.Debt})
	histories, err := w.Service.Histories(w.Admin, []id.Member{member.ID}, ledger.Filter{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "owned", 5, histories[member.ID].Edges[0].Node.BalanceAfter)
	clean(t, w)
}

func TestReturn_Replayed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	sold := w.Purchase(member, "20.00", tea(w))
	input := w.ReturnInput(sold, bySKU("TEA", "1"))
	answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{input, input})
	if err != nil {
		t.Fatal(err)
	}
	w.Return(sold)
	again := input
	again.Lines = []loyalty.ReturnLineInput{{SKU: pointer("TEA"), Quantity: "1.000"}}
	later, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{again})
	if err != nil {
		t.Fatal(err)
	}
	for i, replay := range []loyalty.Recorded{answers[1], later[0]} {
		if replay.Replayed == nil || !*replay.Replayed {
			t.Fatalf("replay %d: %v", i, told(replay.UserErrors))
		}
		replay.Replayed = answers[0].Replayed
		equal(t, fmt.Sprintf("replay %d", i), answers[0], replay)
	}
	other := w.ReturnInput(sold, func(other *loyalty.RecordReturnInput) { other.ExternalID = input.ExternalID })
	refusals, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{other})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "other input", []string{"IDEMPOTENCY_KEY_REUSED externalId"}, told(refusals[0].UserErrors))
	equal(t, "balance", 0, w.Balance(member).Available)
	clean(t, w)
}

package reconcile_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
)

func check(t *testing.T, w *loyaltytest.World) reconcile.Report {
	t.Helper()
	report, err := reconcile.Check(w.Admin, w.DB, nil)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// people are the members of a program that has seen everything once.
type people struct {
	*loyaltytest.World
	// buyer bought, returned, owed, paid, rose, was kept and fell; giver was given points, some of which expired.
	buyer, giver *loyalty.Member
}

func populate(t *testing.T) people {
	t.Helper()
	w := loyaltytest.New(t)
	email, external, phone := "Buyer@Example.org", "buyer", "+491701234567"
	p := people{World: w}
	p.buyer = w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.Email, input.ExternalID, input.Phone = &email, &external, &phone
	})
	p.giver = w.Enroll()
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Multiplier("1.5"), func(input *loyalty.EarningRuleInput) { input.Qualifying = false })
	w.Tier("Silver", 1, 100)
	first := w.Purchase(p.buyer, "90.00", func(input *loyalty.RecordPurchaseInput) {
		input.Lines = []loyalty.PurchaseLineInput{w.Line("TEA", "3", "60.00"), w.Line("CUP", "1", "30.01")}
	})
	w.Clock.Advance(time.Hour)
	w.Purchase(p.buyer, "20.50")
	w.Tier("Gold", 2, 500)
	sku := "TEA"
	w.Return(first, func(input *loyalty.RecordReturnInput) {
		input.Lines = []loyalty.ReturnLineInput{{SKU: &sku, Quantity: "1"}}
	})
	w.Adjust(p.buyer, -100)
	w.Return(first)
	w.Purchase(p.buyer, "80.00")
	w.Activity(p.buyer, "CHECK_IN")
	expiry := w.Now().AddDate(0, 0, 10)
	w.Adjust(p.giver, 50, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &expiry })
	w.Adjust(p.giver, 70)
	w.Adjust(p.giver, -20)
	w.Clock.Advance(11 * 24 * time.Hour)
	w.Purchase(p.giver, "10.00")
	w.Clock.Advance(300 * 24 * time.Hour)
	w.Purchase(p.buyer, "120.00")
	w.Clock.Advance(100 * 24 * time.Hour)
	w.Purchase(p.buyer, "0.50")
	w.Clock.Advance(800 * 24 * time.Hour)
	w.Purchase(p.buyer, "1.00")
	return p
}

func TestCheck_Healthy(t *testing.T) {
	t.Parallel()
	p := populate(t)
	report := check(t, p.World)
	for _, difference := range report.Differences {
		t.Error(difference)
	}
	report.Differences = nil
	want := reconcile.Report{Members: 2, Facts: 10, Entries: 20, Lots: 13, Moves: 5, Counts: map[reconcile.Kind]int{}}
	if difference := cmp.Diff(want, report); difference != "" {
		t.Error(difference)
	}
}

func TestCheck_Access(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	if _, err := reconcile.Check(t.Context(), w.DB, nil); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("for nobody: %v", err)
	}
	if _, err := reconcile.Check(w.As(actor.Support, "support"), w.DB, nil); !errors.Is(err, problem.Forbidden) {
		t.Errorf("for support: %v", err)
	}
}

func TestCheck_Progress(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	for range 3 {
		w.Enroll()
	}
	var seen [][2]int
	if _, err := reconcile.Check(w.Admin, w.DB, func(done, total int) { seen = append(seen, [2]int{done, total}) }); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([][2]int{{0, 3}, {3, 3}}, seen); difference != "" {
		t.Error(difference)
	}
}

func enrollMany(t *testing.T, w *loyaltytest.World, count int) id.Member {
	t.Helper()
	inputs := make([]loyalty.EnrollMemberInput, count)
	for i := range inputs {
		inputs[i].IdempotencyKey = w.Key()
	}
	answers, err := w.Service.Enroll(w.Admin, inputs)
	if err != nil {
		t.Fatal(err)
	}
	return answers[count-1].Member.ID
}

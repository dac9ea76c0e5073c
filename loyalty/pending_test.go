package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

func ids(members ...*loyalty.Member) []id.Member {
	list := make([]id.Member, len(members))
	for i, member := range members {
		list[i] = member.ID
	}
	return list
}

func pendingFor(period value.Period) func(*loyalty.EarningRuleInput) {
	return func(input *loyalty.EarningRuleInput) { input.Pending = &loyalty.PendingInput{For: &period} }
}

func untilConfirmed(input *loyalty.EarningRuleInput) {
	input.Pending = &loyalty.PendingInput{UntilConfirmed: pointer(true)}
}

func livesFor(period value.Period) func(*loyalty.EarningRuleInput) {
	return func(input *loyalty.EarningRuleInput) { input.ExpiresAfter = &period }
}

// C12: points wait for the end of the return period, and then live as long as promised.
func TestPending_C12_ForADuration(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), pendingFor(value.Period{Days: 14}), livesFor(value.Period{Days: 30}))
	member := w.Enroll()
	bought := w.Purchase(member, "50.00")
	at := bought.Activity.OccurredAt
	balance(t, w, member, "waits", lots.Balance{Pending: 50})
	_, err := w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: -1, Reason: "A test", IdempotencyKey: w.Key()})
	refused(t, "spent too early", err, "INSUFFICIENT_POINTS points")
	ahead, err := w.Service.Balances(w.Admin, ids(member), pointer(at.AddDate(0, 0, 14)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "as it will be", lots.Balance{Available: 50}, ahead[member.ID].Balance)
	w.Clock.Set(at.AddDate(0, 0, 14).Add(-time.Microsecond))
	balance(t, w, member, "just before", lots.Balance{Pending: 50})
	w.Clock.Set(at.AddDate(0, 0, 14))
	balance(t, w, member, "from its instant on", lots.Balance{Available: 50})
	w.Clock.Set(at.AddDate(0, 0, 44).Add(-time.Microsecond))
	balance(t, w, member, "lives from its activation", lots.Balance{Available: 50})
	w.Clock.Set(at.AddDate(0, 0, 44))
	balance(t, w, member, "and no longer", lots.Balance{})
	// A purchase that is told late has waited already.
	w.Purchase(member, "9.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = w.Now().AddDate(0, 0, -15) })
	balance(t, w, member, "told late", lots.Balance{Available: 9})
	clean(t, w)
}

// C16: one member's confirmation activates that member's points and nobody else's.
func TestPending_C16_UntilConfirmed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), untilConfirmed, livesFor(value.Period{Days: 30}))
	ann, ben := w.Enroll(), w.Enroll()
	bought := w.Purchase(ann, "50.00")
	w.Purchase(ben, "70.00")
	w.Clock.Advance(40 * 24 * time.Hour)
	balance(t, w, ann, "waits, however long", lots.Balance{Pending: 50})
	key := w.Key()
	for i := range 2 {
		confirmed, err := w.Service.ConfirmActivity(w.Admin, bought.Activity.ID(), key)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "replayed", i == 1, *confirmed.Replayed)
	}
	balance(t, w, ann, "confirmed", lots.Balance{Available: 50})
	balance(t, w, ben, "the other one waits", lots.Balance{Pending: 70})
	_, err := w.Service.ConfirmActivity(w.Admin, bought.Activity.ID(), w.Key())
	refused(t, "confirmed again", err, "NOT_PENDING activityId")
	_, err = w.Service.CancelPending(w.Admin, bought.Activity.ID(), "Too late", w.Key())
	refused(t, "canceled after that", err, "NOT_PENDING activityId")
	_, err = w.Service.ConfirmActivity(w.Admin, id.Activity{Member: ann.ID, Sequence: 99}, w.Key())
	refused(t, "no such fact", err, "UNKNOWN_ACTIVITY activityId")
	confirmedAt := w.Now()
	w.Clock.Advance(30*24*time.Hour - time.Second)
	balance(t, w, ann, "lives from its confirmation", lots.Balance{Available: 50})
	w.Clock.Advance(2 * time.Second)
	balance(t, w, ann, "and no longer", lots.Balance{})
	before, err := w.Service.Balances(w.Admin, ids(ann), pointer(confirmedAt.Add(-time.Hour)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "as it was before", lots.Balance{Pending: 50}, before[ann.ID].Balance)
	clean(t, w)
}

func TestPending_Cancel(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), untilConfirmed)
	w.Rule(loyaltytest.Fixed(5))
	w.Tier("Gold", 1, 50)
	member := w.Enroll()
	bought := w.Purchase(member, "50.00")
	equal(t, "status counts at once", int64(55), w.Standing(member).QualifyingPoints)
	w.Return(bought, byEuros("10.00"))
	balance(t, w, member, "a part came back", lots.Balance{Available: 4, Pending: 40})
	key := w.Key()
	for i := range 2 {
		canceled, err := w.Service.CancelPending(w.Admin, bought.Activity.ID(), "Never paid", key)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "replayed", i == 1, *canceled.Replayed)
	}
	balance(t, w, member, "what could be spent stays", lots.Balance{Available: 4})
	equal(t, "qualifying points went with it", int64(4), w.Standing(member).QualifyingPoints)
	w.Return(bought)
	balance(t, w, member, "the rest of the purchase takes back the rest and no more", lots.Balance{})
	_, err := w.Service.CancelPending(w.Admin, bought.Activity.ID(), "", w.Key())
	refused(t, "without a reason", err, "REASON_REQUIRED reason")
	replayed, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{{
		Member: loyaltytest.Ref(member), Source: bought.Activity.Source, ExternalID: bought.Activity.ExternalID,
		OccurredAt: bought.Activity.OccurredAt, Total: w.Money("50.00"),
	}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "told again, the purchase is answered as it was", points(bought), points(replayed[0]))
	clean(t, w)
}

func TestReturn_BeforeItsPurchaseWaits(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	bought := w.PurchaseInput(member, "50.00", func(input *loyalty.RecordPurchaseInput) { input.ExternalID = "late" })
	came := loyalty.RecordReturnInput{
		Source: "till", ExternalID: "early", PurchaseSource: "till", PurchaseExternalID: "late", OccurredAt: w.Now(),
		Amount: pointer(w.Money("20.00")),
	}
	for i := range 2 {
		answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{came})
		if err != nil {
			t.Fatal(err)
		}
		if answer := answers[0]; !answer.Waiting || answer.Activity != nil || len(answer.UserErrors) > 0 || *answer.Replayed != (i == 1) {
			t.Errorf("told the %d. time: %+v", i+1, answer)
		}
	}
	other := came
	other.Amount = pointer(w.Money("21.00"))
	answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{other})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "something else under its key", []string{"IDEMPOTENCY_KEY_REUSED externalId"}, told(answers[0].UserErrors))
	taken := w.PurchaseInput(member, "1.00", func(input *loyalty.RecordPurchaseInput) { input.ExternalID = "early" })
	recorded, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{taken})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a purchase under the key of a return that waits", []string{"IDEMPOTENCY_KEY_REUSED externalId"}, told(recorded[0].UserErrors))
	clean(t, w)

	recorded, err = w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{bought})
	if err != nil || len(recorded[0].UserErrors) > 0 {
		t.Fatal(err, recorded[0].UserErrors)
	}
	equal(t, "the purchase answers what it earned", []int64{50}, points(recorded[0]))
	balance(t, w, member, "and what came back is taken back", lots.Balance{Available: 30})
	answers, err = w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{came})
	if err != nil {
		t.Fatal(err)
	}
	if answer := answers[0]; answer.Waiting || answer.Activity == nil || !*answer.Replayed || len(answer.Entries) != 1 || answer.Entries[0].Points != -20 {
		t.Errorf("told once more: %+v", answer)
	}
	clean(t, w)
}

// What is wrong with a return that waits is known only when its purchase comes; nobody loses anything by it.
func TestReturn_ThatWaitsAndDoesNotFit(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	came := loyalty.RecordReturnInput{
		Source: "till", ExternalID: "early", PurchaseSource: "till", PurchaseExternalID: "late", OccurredAt: w.Now(),
		Amount: pointer(w.Money("51.00")),
	}
	if _, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{came}); err != nil {
		t.Fatal(err)
	}
	w.Purchase(member, "50.00", func(input *loyalty.RecordPurchaseInput) { input.ExternalID = "late" })
	balance(t, w, member, "the purchase stands", lots.Balance{Available: 50})
	answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{came})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "told again", []string{"RETURN_EXCEEDS_PURCHASE"}, told(answers[0].UserErrors))
	clean(t, w)
}

// Whichever of the two is first, the return is applied once.
func TestReturn_AndItsPurchaseAtOnce(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	for range 20 {
		sold := w.PurchaseInput(member, "10.00")
		came := loyalty.RecordReturnInput{
			Source: "shop", ExternalID: sold.ExternalID, PurchaseSource: sold.Source, PurchaseExternalID: sold.ExternalID, OccurredAt: w.Now(),
		}
		failed := make(chan error, 2)
		go func() {
			answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{came})
			if err == nil && len(answers[0].UserErrors) > 0 {
				err = answers[0].UserErrors[0]
			}
			failed <- err
		}()
		go func() {
			_, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{sold})
			failed <- err
		}()
		for range 2 {
			if err := <-failed; err != nil {
				t.Fatal(err)
			}
		}
		balance(t, w, member, "bought and brought back", lots.Balance{})
	}
	var waiting int
	if err := w.DB.Get(w.Admin, &waiting, `select count(*) from waiting_returns`); err != nil || waiting != 0 {
		t.Errorf("%d returns still wait, %v", waiting, err)
	}
	clean(t, w)
}

// A pending award that paid a debt is taken back as well, and what it paid is owed again.
func TestPending_CancelOfWhatPaidADebt(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) { input.Trigger = "PURCHASE" })
	w.Rule(loyaltytest.Fixed(20), untilConfirmed, func(input *loyalty.EarningRuleInput) { input.Trigger = "VISIT" })
	owing, other := w.Enroll(), w.Enroll()
	for _, member := range []*loyalty.Member{owing, other} {
		bought := w.Purchase(member, "20.00")
		w.Adjust(member, -20)
		w.Return(bought)
	}
	visit := w.Activity(owing, "VISIT")
	balance(t, w, owing, "paid", lots.Balance{})
	if _, err := w.Service.CancelPending(w.Admin, visit.Activity.ID(), "Never came", w.Key()); err != nil {
		t.Fatal(err)
	}
	balance(t, w, owing, "owed again", lots.Balance{Debt: 20})
	equal(t, "qualifying", int64(0), w.Standing(owing).QualifyingPoints)
	_, err := w.Service.CancelPending(w.Admin, visit.Activity.ID(), "Never came", w.Key())
	refused(t, "canceled again", err, "NOT_PENDING activityId")

	confirmed := w.Activity(other, "VISIT")
	if _, err := w.Service.ConfirmActivity(w.Admin, confirmed.Activity.ID(), w.Key()); err != nil {
		t.Fatal(err)
	}
	_, err = w.Service.CancelPending(w.Admin, confirmed.Activity.ID(), "Too late", w.Key())
	refused(t, "canceled once it is confirmed", err, "NOT_PENDING activityId")
	balance(t, w, other, "it stays paid", lots.Balance{})
	clean(t, w)
}

func TestReturn_OfItself(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	answers, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{{
		Source: "till", ExternalID: "x", PurchaseSource: "till", PurchaseExternalID: "x", OccurredAt: w.Now(),
	}})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "refused", []string{"UNKNOWN_PURCHASE purchaseExternalId"}, told(answers[0].UserErrors))
	w.Purchase(member, "5.00", func(input *loyalty.RecordPurchaseInput) { input.Source, input.ExternalID = "till", "x" })
	clean(t, w)
}

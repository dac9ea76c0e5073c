package loyalty_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reward"
)

// What users of other programs complain about, as far as no other test is named after it.

// C1: a return leaves points behind, so whoever buys and returns is given points for nothing.
func TestReturn_C1_LeavesNothingBehind(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(3, "0.70"))
	w.Rule(w.PerAmount(1, "1.00"), pendingFor(value.Period{Days: 14}))
	w.Rule(w.PerAmount(1, "2.00"), untilConfirmed)
	w.Rule(loyaltytest.Fixed(5), livesFor(value.Period{Days: 10}))
	w.Rule(loyaltytest.Multiplier("1.5"))
	w.Tier("Gold", 1, 1000)
	member := w.Enroll()
	for _, wait := range []time.Duration{0, 12 * 24 * time.Hour, 20 * 24 * time.Hour} {
		sold := w.Purchase(member, "20.00", tea(w))
		if balance := w.Balance(member); balance.Available == 0 || balance.Pending == 0 {
			t.Fatalf("the purchase earned %+v", balance)
		}
		w.Clock.Advance(wait)
		w.Return(sold, bySKU("TEA", "2"))
		w.Return(sold, byEuros("3.33"))
		w.Return(sold)
		balance(t, w, member, "after "+wait.String(), lots.Balance{})
		equal(t, "qualifying", 0, w.Standing(member).QualifyingPoints)
	}
	clean(t, w)
}

// entriesOf are the member's entries, oldest first.
func entriesOf(t *testing.T, w *loyaltytest.World, member *loyalty.Member) []line {
	t.Helper()
	histories, err := w.Service.Histories(w.Admin, ids(member), ledger.Filter{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []line
	for _, edge := range slices.Backward(histories[member.ID].Edges) {
		lines = append(lines, line{edge.Node.Kind, edge.Node.Points, edge.Node.BalanceAfter})
	}
	return lines
}

// paidWith records a purchase that is paid in part with points.
func paidWith(t *testing.T, w *loyaltytest.World, member *loyalty.Member, points int64, total string, edits ...purchaseEdit) (loyalty.Recorded, *ledger.Hold) {
	t.Helper()
	hold := w.Hold(member, points)
	sold := w.Purchase(member, total, edits...)
	answer := w.Capture(hold, func(input *loyalty.CaptureHoldInput) {
		input.PurchaseSource, input.PurchaseExternalID = &sold.Activity.Source, &sold.Activity.ExternalID
	})
	return sold, answer.Hold
}

// C2: the refund of a sale takes the points a second time with which it was paid.
func TestReturn_C2_RedeemedPointsAreTakenOnce(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	w.Adjust(member, 100)
	sold, hold := paidWith(t, w, member, 40, "60.00")
	balance(t, w, member, "paid and earned", lots.Balance{Available: 120})
	w.Return(sold)
	balance(t, w, member, "what it earned is gone, and nothing else", lots.Balance{Available: 60})
	if _, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: hold.ID, Points: 40, Reason: "Returned", IdempotencyKey: w.Key()}); err != nil {
		t.Fatal(err)
	}
	equal(t, "history", []line{
		{ledger.Adjusted, 100, 100}, {ledger.Accrual, 60, 160}, {ledger.Redemption, -40, 120}, {ledger.Reversal, -60, 60},
		{ledger.RedemptionCancel, 40, 100},
	}, entriesOf(t, w, member))
	clean(t, w)
}

// C3: of a sale that was paid with points, a return in part is computed wrongly.
func TestReturn_C3_PartlyOfASalePaidWithPoints(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	w.Adjust(member, 30)
	sold, hold := paidWith(t, w, member, 30, "99.00", byPoints(w, "30.00"))
	equal(t, "only what was paid with money earns", []int64{69}, points(sold))
	equal(t, "a third", []int64{-23}, points(w.Return(sold, byEuros("33.00"))))
	if _, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: hold.ID, Points: 10, Reason: "Returned", IdempotencyKey: w.Key()}); err != nil {
		t.Fatal(err)
	}
	balance(t, w, member, "a third of both", lots.Balance{Available: 56})
	equal(t, "the rest", []int64{-46}, points(w.Return(sold)))
	balance(t, w, member, "what of the points was not given back stays spent", lots.Balance{Available: 10})
	clean(t, w)
}

// C4: a return takes back what today's rules would give, not what was given.
func TestReturn_C4_ByWhatWasAwarded(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rule := w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	first, second := w.Purchase(member, "50.00"), w.Purchase(member, "30.00")
	revise := func(basedOn int, award loyalty.AwardInput, edits ...func(*loyalty.EarningRuleInput)) {
		t.Helper()
		if _, err := w.Service.ReviseEarningRule(w.Admin, rule.Rule, basedOn, loyaltytest.RuleInput(award, edits...)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Service.PublishEarningRule(w.Admin, rule.Rule, nil, nil); err != nil {
			t.Fatal(err)
		}
		w.Clock.Advance(time.Second)
	}
	revise(1, w.PerAmount(2, "1.00"))
	equal(t, "doubled since", []int64{-50}, points(w.Return(first)))
	revise(2, w.PerAmount(2, "1.00"), func(input *loyalty.EarningRuleInput) { input.EndsAt = pointer(w.Now().Add(time.Millisecond)) })
	equal(t, "not given any more", nil, points(w.Purchase(member, "50.00")))
	equal(t, "ended since", []int64{-30}, points(w.Return(second)))
	balance(t, w, member, "all is back", lots.Balance{})
	clean(t, w)
}

// C6: points that expired are left out while all that was spent still counts, and what is valid vanishes; and only the next
// expiry is shown.
func TestBalance_C6_SpendingGoesWithItsLot(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	first, second := w.Now().AddDate(0, 0, 10), w.Now().AddDate(0, 0, 20)
	w.Adjust(member, 100, expires(first))
	w.Adjust(member, -80)
	w.Adjust(member, 50, expires(second))
	w.Adjust(member, 7)
	equal(t, "all expirations", []loyalty.PointsExpiration{{Points: 20, At: first}, {Points: 50, At: second}}, expirations(t, w, member))
	w.Clock.Set(first)
	balance(t, w, member, "what was spent went with what has expired", lots.Balance{Available: 57})
	w.Adjust(member, -1)
	w.Clock.Set(second)
	balance(t, w, member, "and again", lots.Balance{Available: 7})
	clean(t, w)
}

// C7: what was given under another label never expires, and the balance is not brought up to date when points do.
func TestExpiry_C7_HoweverPointsCame(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &value.Period{Days: 30}})
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(2), pendingFor(value.Period{Days: 5}))
	w.Rule(loyaltytest.Fixed(4), func(input *loyalty.EarningRuleInput) { input.Trigger = "CHECK_IN" })
	member := w.Enroll()
	start := w.Now()
	w.Purchase(member, "8.00")
	w.Activity(member, "CHECK_IN")
	w.Adjust(member, 16, expires(start.AddDate(0, 0, 30)))
	spent := w.Capture(w.Hold(member, 10))
	released := w.Hold(member, 3)
	taken := w.Adjust(member, -5)
	if _, err := w.Service.ReleaseHold(w.Admin, released.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: spent.Hold.ID, Points: 10, Reason: "A test", IdempotencyKey: w.Key()}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.ReverseAdjustment(w.Admin, loyalty.ReverseAdjustmentInput{AdjustmentID: taken.Adjustment.ID, Reason: "A test", IdempotencyKey: w.Key()}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Set(start.AddDate(0, 0, 30).Add(-time.Microsecond))
	balance(t, w, member, "just before", lots.Balance{Available: 30})
	w.Clock.Advance(time.Microsecond)
	balance(t, w, member, "nobody has posted anything", lots.Balance{})
	if members, err := w.Service.ExpirePoints(w.Admin, 10); err != nil || members != 1 {
		t.Fatalf("%d members, %v", members, err)
	}
	lines := entriesOf(t, w, member)
	equal(t, "posted", 0, lines[len(lines)-1].BalanceAfter)
	clean(t, w)
}

// C7: what is told so late that it has expired counts nowhere, and what else the same fact earns is recorded in order.
func TestExpiry_C7_ToldTooLate(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &value.Period{Days: 30}})
	w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) { input.Priority = 1 })
	w.Rule(loyaltytest.Fixed(2), livesFor(value.Period{Days: 90}))
	w.Tier("Gold", 1, 8)
	member := w.Enroll()
	w.Purchase(member, "8.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = w.Now().AddDate(0, 0, -40) })
	equal(t, "history", []line{{ledger.Accrual, 8, 8}, {ledger.Expiry, -8, 0}, {ledger.Accrual, 2, 2}}, entriesOf(t, w, member))
	balance(t, w, member, "what lives on", lots.Balance{Available: 2})
	equal(t, "they count towards tiers all the same", "Gold", w.Standing(member).Tier.Name)
	clean(t, w)
}

// C8: an event that is told again pays again, and so does what a till sends twice after it was offline.
func TestReplay_C8_PaysOnce(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(4), func(input *loyalty.EarningRuleInput) { input.Trigger = "CHECK_IN" })
	member := w.Enroll()
	bought, later := w.PurchaseInput(member, "50.00"), w.PurchaseInput(member, "20.00")
	visited := loyalty.RecordActivityInput{Member: loyaltytest.Ref(member), Type: "CHECK_IN", Source: loyaltytest.Source, ExternalID: w.Key(), OccurredAt: w.Now()}
	returned := loyalty.RecordReturnInput{
		Source: loyaltytest.Source, ExternalID: w.Key(), PurchaseSource: loyaltytest.Source, PurchaseExternalID: bought.ExternalID, OccurredAt: w.Now(),
	}
	byEuros("10.00")(&returned)
	send := func() {
		for _, slice := range [][]loyalty.RecordPurchaseInput{{bought, later, bought}, {bought}} {
			if _, err := w.Service.RecordPurchases(w.Admin, slice); err != nil {
				t.Error(err)
			}
		}
		if _, err := w.Service.RecordActivities(w.Admin, []loyalty.RecordActivityInput{visited, visited}); err != nil {
			t.Error(err)
		}
		if _, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{returned}); err != nil {
			t.Error(err)
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(send)
	}
	group.Wait()
	w.Clock.Advance(400 * 24 * time.Hour)
	send()
	balance(t, w, member, "once", lots.Balance{Available: 50 + 20 + 4 - 10})
	equal(t, "entries", 4, len(entriesOf(t, w, member)))
	clean(t, w)
}

// C10: points of a sale that comes back have bought a reward, and nobody notices. What is missing is owed, and a reward that
// is given back pays it.
func TestReturn_C10_ItsPointsBoughtAReward(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	rewards := reward.New(w.DB, w.Service)
	mug, err := rewards.CreateReward(w.Admin, reward.CreateRewardInput{Name: "A mug", Kind: reward.Voucher, Cost: 50})
	if err != nil {
		t.Fatal(err)
	}
	for _, used := range []bool{false, true} {
		member := w.Enroll()
		sold := w.Purchase(member, "50.00")
		had, err := rewards.RedeemReward(w.Admin, reward.RedeemInput{Member: pointer(loyaltytest.Ref(member)), RewardID: mug.ID, IdempotencyKey: w.Key()})
		if err != nil {
			t.Fatal(err)
		}
		if used {
			if _, err := rewards.UseVoucher(w.Admin, reward.UseInput{Code: *had.Redemption.VoucherCode, IdempotencyKey: w.Key()}); err != nil {
				t.Fatal(err)
			}
		}
		w.Return(sold)
		balance(t, w, member, "owed", lots.Balance{Debt: 50})
		_, err = rewards.CancelRedemption(w.Admin, reward.CancelInput{RedemptionID: had.Redemption.ID, Reason: "Returned", IdempotencyKey: w.Key()})
		if used {
			refused(t, "a used one", err, string(problem.AlreadyUsed)+" redemptionId")
			w.Purchase(member, "60.00")
			balance(t, w, member, "the next purchase pays", lots.Balance{Available: 10})
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		balance(t, w, member, "paid by what came back", lots.Balance{})
	}
	clean(t, w)
}

// C13: what counts when a sale begins does not when it is paid, and expiry moves with the zone of whoever asks.
func TestExpiry_C13_ByTheProgramsClock(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "America/Los_Angeles"})
	zone, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &value.Period{Months: 1}, RoundUpTo: pointer(lots.Month)})
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	// The last evening of September there is October elsewhere.
	evening := time.Date(2025, 9, 30, 22, 0, 0, 0, zone)
	w.Clock.Set(evening)
	for _, elsewhere := range []*time.Location{time.UTC, zone, time.FixedZone("", 14*3600)} {
		w.Purchase(member, "10.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = evening.In(elsewhere) })
	}
	over := time.Date(2025, 11, 1, 0, 0, 0, 0, zone)
	equal(t, "all together at the end of the program's month", []loyalty.PointsExpiration{{Points: 30, At: over.UTC()}}, expirations(t, w, member))
	for _, elsewhere := range []*time.Location{time.UTC, time.FixedZone("", -12*3600)} {
		for before, want := range map[time.Duration]lots.Balance{time.Microsecond: {Available: 30}, 0: {}} {
			seen, err := w.Service.Balances(w.Admin, []id.Member{member.ID}, pointer(over.Add(-before).In(elsewhere)))
			if err != nil {
				t.Fatal(err)
			}
			equal(t, "asked from "+elsewhere.String(), want, seen[member.ID].Balance)
		}
	}
	w.Clock.Set(over.Add(-time.Minute))
	cart := w.Hold(member, 25)
	w.Clock.Set(over.Add(time.Minute))
	balance(t, w, member, "what the cart holds counts until it is paid", lots.Balance{Held: 25})
	equal(t, "paid", int64(-25), w.Capture(cart).Entry.Points)
	clean(t, w)
}

// C13: 30 days are 30 days, also when clocks are changed.
func TestHold_C13_WhenClocksAreChanged(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
	member := w.Enroll()
	for _, noon := range []time.Time{time.Date(2025, 3, 10, 11, 0, 0, 0, time.UTC), time.Date(2025, 10, 10, 10, 0, 0, 0, time.UTC)} {
		w.Clock.Set(noon)
		w.Adjust(member, 10)
		hold := w.Hold(member, 10, func(input *loyalty.HoldPointsInput) { input.ExpiresIn = &value.Period{Days: 30} })
		zone, err := time.LoadLocation("Europe/Berlin")
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "ends at noon", 12, hold.EndsAt.In(zone).Hour())
		if _, err := w.Service.ReleaseHold(w.Admin, hold.ID); err != nil {
			t.Fatal(err)
		}
	}
	_, err := w.Service.HoldPoints(w.Admin, loyalty.HoldPointsInput{
		Member: loyaltytest.Ref(member), Points: 1, Reason: "A test", ExpiresIn: &value.Period{Days: 30, Clock: time.Second}, IdempotencyKey: w.Key(),
	})
	refused(t, "more than that", err, "INVALID_DURATION expiresIn")
	clean(t, w)
}

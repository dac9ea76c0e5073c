package loyaltytest

import (
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// Enroll makes a member of whom nothing is known but what edits say.
func (w *World) Enroll(edits ...func(*loyalty.EnrollMemberInput)) *loyalty.Member {
	w.t.Helper()
	input := loyalty.EnrollMemberInput{IdempotencyKey: w.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	answers, err := w.Service.Enroll(w.Admin, []loyalty.EnrollMemberInput{input})
	w.must(err)
	if len(answers[0].UserErrors) > 0 {
		w.t.Fatalf("enroll: %v", answers[0].UserErrors)
	}
	return answers[0].Member
}

// Fixed is an award of so many points.
func Fixed(points int64) loyalty.AwardInput {
	return loyalty.AwardInput{Fixed: &points}
}

// PerAmount is an award of so many points for every full amount.
func (w *World) PerAmount(points int64, every string) loyalty.AwardInput {
	return loyalty.AwardInput{PerAmount: &loyalty.PerAmountInput{Points: points, Every: w.Money(every), Rounding: value.Floor}}
}

// Multiplier is an award that multiplies the others.
func Multiplier(by string) loyalty.AwardInput {
	factor := value.Decimal(by)
	return loyalty.AwardInput{Multiplier: &factor}
}

// Rule publishes a rule about purchases whose points qualify, as far as edits say nothing else. The clock moves on by a
// second before and after: what was recorded until then and what comes is told apart by its instant.
func (w *World) Rule(award loyalty.AwardInput, edits ...func(*loyalty.EarningRuleInput)) *loyalty.EarningRule {
	w.t.Helper()
	draft, err := w.Service.CreateEarningRule(w.Admin, RuleInput(award, edits...))
	w.must(err)
	w.Clock.Advance(time.Second)
	published, err := w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, nil)
	w.must(err)
	w.Clock.Advance(time.Second)
	return published
}

// RuleInput is what World.Rule publishes.
func RuleInput(award loyalty.AwardInput, edits ...func(*loyalty.EarningRuleInput)) loyalty.EarningRuleInput {
	input := loyalty.EarningRuleInput{Name: "A rule", Trigger: "PURCHASE", Award: award, Qualifying: true}
	for _, edit := range edits {
		edit(&input)
	}
	return input
}

// Tier adds a tier to the ladder and promotes those who reach it. The clock moves on as with World.Rule.
func (w *World) Tier(name string, rank int, threshold int64) *tiers.Tier {
	w.t.Helper()
	w.Clock.Advance(time.Second)
	tier, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{Name: name, Rank: rank, Threshold: threshold})
	w.must(err)
	w.Clock.Advance(time.Second)
	return tier
}

// PurchaseInput is a purchase that happens now under an external id of its own, as far as edits say nothing else.
func (w *World) PurchaseInput(member *loyalty.Member, total string, edits ...func(*loyalty.RecordPurchaseInput)) loyalty.RecordPurchaseInput {
	input := loyalty.RecordPurchaseInput{
		Member: Ref(member), Source: Source, ExternalID: w.Key(), OccurredAt: w.Now(), Total: w.Money(total),
	}
	for _, edit := range edits {
		edit(&input)
	}
	return input
}

// Purchase records a purchase; see World.PurchaseInput.
func (w *World) Purchase(member *loyalty.Member, total string, edits ...func(*loyalty.RecordPurchaseInput)) loyalty.Recorded {
	w.t.Helper()
	recorded, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{w.PurchaseInput(member, total, edits...)})
	w.must(err)
	return w.taken(recorded[0])
}

// Line is a line of a purchase.
func (w *World) Line(sku, quantity, amount string) loyalty.PurchaseLineInput {
	return loyalty.PurchaseLineInput{SKU: sku, Quantity: value.Decimal(quantity), Amount: w.Money(amount)}
}

// ReturnInput is a return of all that is left of the purchase, now, as far as edits say nothing else.
func (w *World) ReturnInput(purchase loyalty.Recorded, edits ...func(*loyalty.RecordReturnInput)) loyalty.RecordReturnInput {
	input := loyalty.RecordReturnInput{
		Source: Source, ExternalID: w.Key(), PurchaseSource: purchase.Activity.Source,
		PurchaseExternalID: purchase.Activity.ExternalID, OccurredAt: w.Now(),
	}
	for _, edit := range edits {
		edit(&input)
	}
	return input
}

// Return records a return; see World.ReturnInput.
func (w *World) Return(purchase loyalty.Recorded, edits ...func(*loyalty.RecordReturnInput)) loyalty.Recorded {
	w.t.Helper()
	recorded, err := w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{w.ReturnInput(purchase, edits...)})
	w.must(err)
	return w.taken(recorded[0])
}

// Activity records something else that the member did now.
func (w *World) Activity(member *loyalty.Member, kind string, edits ...func(*loyalty.RecordActivityInput)) loyalty.Recorded {
	w.t.Helper()
	input := loyalty.RecordActivityInput{Member: Ref(member), Type: kind, Source: Source, ExternalID: w.Key(), OccurredAt: w.Now()}
	for _, edit := range edits {
		edit(&input)
	}
	recorded, err := w.Service.RecordActivities(w.Admin, []loyalty.RecordActivityInput{input})
	w.must(err)
	return w.taken(recorded[0])
}

// Adjust gives the member points, or takes them.
func (w *World) Adjust(member *loyalty.Member, points int64, edits ...func(*loyalty.AdjustPointsInput)) *loyalty.AdjustmentPosted {
	w.t.Helper()
	input := loyalty.AdjustPointsInput{Member: Ref(member), Points: points, Reason: "A test", IdempotencyKey: w.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	posted, err := w.Service.AdjustPoints(w.Admin, input)
	w.must(err)
	return posted
}

// Hold sets points of the member aside for a quarter of an hour, as far as edits say nothing else.
func (w *World) Hold(member *loyalty.Member, points int64, edits ...func(*loyalty.HoldPointsInput)) *ledger.Hold {
	w.t.Helper()
	input := loyalty.HoldPointsInput{Member: Ref(member), Points: points, Reason: "A test", IdempotencyKey: w.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	answer, err := w.Service.HoldPoints(w.Admin, input)
	w.must(err)
	return answer.Hold
}

// Capture takes all points of a hold, as far as edits say nothing else.
func (w *World) Capture(hold *ledger.Hold, edits ...func(*loyalty.CaptureHoldInput)) *loyalty.HoldAnswer {
	w.t.Helper()
	input := loyalty.CaptureHoldInput{HoldID: hold.ID, IdempotencyKey: w.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	answer, err := w.Service.CaptureHold(w.Admin, input)
	w.must(err)
	return answer
}

func (w *World) taken(recorded loyalty.Recorded) loyalty.Recorded {
	w.t.Helper()
	if len(recorded.UserErrors) > 0 {
		w.t.Fatalf("the fact was refused: %v", recorded.UserErrors)
	}
	return recorded
}

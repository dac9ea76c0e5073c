package loyalty_test

import (
	"time"

	"pgregory.net/rapid"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reward"
)

func (w *modeled) hold(r *rapid.T, p *person) {
	lasts := rapid.SampledFrom([]value.Period{{Clock: 15 * time.Minute}, {Days: 2}, {Days: 30}}).Draw(r, "lasts")
	points := some(r, w.available(p))
	answer, err := w.Service.HoldPoints(w.Admin, loyalty.HoldPointsInput{
		Member: loyaltytest.Ref(p.Member), Points: int64(points), Reason: "A test", ExpiresIn: &lasts, IdempotencyKey: w.Key(),
	})
	if !expect(r, err, unless(points <= int(w.available(p)), "INSUFFICIENT_POINTS points")) {
		return
	}
	now := p.record(w.Now())
	p.at(r, answer.Hold.PlacedAt)
	p.hear(now)
	p.placed = append(p.placed, &modelPlaced{id: answer.Hold.ID, hold: p.purse.hold(points, lasts.After(now, w.zone))})
}

func (w *modeled) capture(r *rapid.T, p *person) {
	if len(p.placed) == 0 {
		return
	}
	placed := pick(r, p.placed, "hold")
	points := rapid.SampledFrom([]int{1, (len(placed.hold.points) + 1) / 2, len(placed.hold.points)}).Draw(r, "points")
	answer, err := w.Service.CaptureHold(w.Admin, loyalty.CaptureHoldInput{HoldID: placed.id, Points: pointer(int64(points)), IdempotencyKey: w.Key()})
	if !expect(r, err, unless(w.later(p).open(placed.hold), "HOLD_ENDED holdId")) {
		return
	}
	now := p.record(w.Now())
	p.at(r, answer.Entry.RecordedAt)
	p.hear(now)
	placed.over, placed.captured = ledger.HoldCaptured, p.end(placed.hold, points)
	p.run(now)
}

func (w *modeled) release(r *rapid.T, p *person) {
	if len(p.placed) == 0 {
		return
	}
	placed := pick(r, p.placed, "hold")
	answer, err := w.Service.ReleaseHold(w.Admin, placed.id)
	if !expect(r, err, unless(placed.over != ledger.HoldCaptured, "HOLD_ENDED holdId")) {
		return
	}
	now := p.record(w.Now())
	switch {
	case p.open(placed.hold):
		placed.over = ledger.HoldReleased
		p.end(placed.hold, 0)
		p.run(now)
	case placed.over == "":
		placed.over = ledger.HoldExpired
	}
	if answer.Hold.Status != placed.over {
		r.Fatalf("the hold is %s, the model has %s", answer.Hold.Status, placed.over)
	}
}

func (w *modeled) refund(r *rapid.T, p *person) {
	if len(p.placed) == 0 {
		return
	}
	placed := pick(r, p.placed, "hold")
	left := len(placed.captured)
	points := max(rapid.SampledFrom([]int{1, left / 2, left, left + 1}).Draw(r, "points"), 1)
	answer, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: placed.id, Points: int64(points), Reason: "A test", IdempotencyKey: w.Key()})
	if !expect(r, err, unless(points <= left, "CAPTURE_EXCEEDS_HOLD points")) {
		return
	}
	p.record(w.Now())
	p.at(r, answer.Entry.RecordedAt)
	p.restore(ledger.RedemptionCancel, placed.captured[left-points:])
	placed.captured = placed.captured[:left-points]
}

func (w *modeled) redeem(r *rapid.T, p *person) {
	wanted := pick(r, w.catalog, "reward")
	answer, err := w.rewards.RedeemReward(w.Admin, reward.RedeemInput{Member: pointer(loyaltytest.Ref(p.Member)), RewardID: wanted.ID, IdempotencyKey: w.Key()})
	if !expect(r, err, unless(wanted.Cost <= w.available(p), "INSUFFICIENT_POINTS rewardId")) {
		return
	}
	now := p.record(w.Now())
	p.at(r, answer.Redemption.RedeemedAt)
	p.hear(now)
	taken, _ := p.debit(ledger.Redemption, int(wanted.Cost))
	p.redeemed = append(p.redeemed, &modelRedeemed{id: answer.Redemption.ID, taken: taken})
}

func (w *modeled) cancelRedemption(r *rapid.T, p *person) {
	if len(p.redeemed) == 0 {
		return
	}
	redeemed := pick(r, p.redeemed, "redemption")
	answer, err := w.rewards.CancelRedemption(w.Admin, reward.CancelInput{RedemptionID: redeemed.id, Reason: "A test", IdempotencyKey: w.Key()})
	if !expect(r, err, unless(!redeemed.canceled, "ALREADY_CANCELED redemptionId")) {
		return
	}
	redeemed.canceled = true
	p.record(w.Now())
	p.at(r, *answer.Redemption.CanceledAt)
	p.restore(ledger.RedemptionCancel, redeemed.taken)
}

package loyalty_test

import (
	"slices"
	"time"

	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

// modelSale is a purchase with what it earned.
type modelSale struct {
	id              id.Activity
	name            string
	at              time.Time
	total, returned int64
	awards          []*modelAward
}

type modelAward struct {
	rule   modelRule
	policy modelPolicy
	lot    *modelLot
	points int
	// back is what reversals have taken back, as far as they were asked to.
	back int
}

type modelGift struct {
	id     id.Adjustment
	points int
	lot    *modelLot
	taken  []*modelLot
	undone bool
}

type modelPlaced struct {
	id       id.Hold
	hold     *modelHold
	captured []*modelLot
	over     ledger.HoldStatus // empty: only the clock ends it
}

type modelRedeemed struct {
	id       id.Redemption
	taken    []*modelLot
	canceled bool
}

// modelWaiting is returns that were told before their purchase.
type modelWaiting struct {
	purchase string
	amounts  []int64
	at       []time.Time
}

// expect wants the problem, or none where it is empty. It returns whether there was none.
func expect(r *rapid.T, err error, want string) bool {
	var got []string
	if problems, ok := problem.UserErrors(err); ok {
		got = told(problems)
	} else if err != nil {
		r.Fatal(err)
	}
	if want == "" && got != nil || want != "" && !slices.Equal(got, []string{want}) {
		r.Fatalf("problems %v, the model has %q", got, want)
	}
	return want == ""
}

func unless(fine bool, problem string) string {
	if fine {
		return ""
	}
	return problem
}

// at is the instant at which something was recorded, which the model must have as well.
func (p *person) at(r *rapid.T, recorded time.Time) {
	if !recorded.Equal(p.now) {
		r.Fatalf("recorded at %s, the model has %s", recorded, p.now)
	}
}

// pick draws one of a list, rather one of its last: much happens to what has just happened.
func pick[T any](r *rapid.T, list []T, label string) T {
	return list[len(list)-1-rapid.IntRange(0, len(list)-1).Draw(r, label)]
}

// some draws a number of points to spend: a few, all there are, or one too many.
func some(r *rapid.T, available int64) int {
	return max(rapid.SampledFrom([]int{1, 5, 17, int(available) - 1, int(available), int(available) + 1}).Draw(r, "points"), 1)
}

// available is what the member can spend now.
func (w *modeled) available(p *person) int64 {
	then := p.clone()
	then.run(w.Now())
	return then.balance().Available
}

func (w *modeled) purchase(r *rapid.T, p *person) {
	total := rapid.Int64Range(0, 9000).Draw(r, "total")
	late := rapid.SampledFrom([]int{0, 0, 0, 0, 1, 13, 15, 45, 364, 366, 500}).Draw(r, "days late")
	input := w.PurchaseInput(p.Member, string(amount(total)), func(input *loyalty.RecordPurchaseInput) {
		input.OccurredAt = input.OccurredAt.AddDate(0, 0, -late)
	})
	var waits *modelWaiting
	if len(w.waiting) > 0 && rapid.Bool().Draw(r, "awaited") {
		waits = w.waiting[0]
		w.waiting = w.waiting[1:]
		input.ExternalID = waits.purchase
	}
	recorded := w.facts(r)(w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input}))
	now := p.record(w.Now())
	p.at(r, recorded.Activity.RecordedAt)
	p.hear(input.OccurredAt)
	sale := &modelSale{id: recorded.Activity.ID(), name: input.ExternalID, at: input.OccurredAt, total: total}
	for _, rule := range w.rules {
		points := int(total / rule.every)
		if points == 0 {
			continue
		}
		lot := p.credit(ledger.Accrual, points, rule.lot(w.modelProgram, sale.at, now))
		sale.awards = append(sale.awards, &modelAward{rule: rule, policy: w.policy(), lot: lot, points: points})
		if rule.qualifying {
			p.count(points, sale.at)
		}
	}
	p.rise(now)
	p.sold = append(p.sold, sale)
	if waits != nil {
		for i, worth := range waits.amounts {
			if sale.returned+worth <= total {
				p.takeBack(sale, worth, waits.at[i])
			}
		}
	}
}

// takeBack is a return of a purchase.
func (p *person) takeBack(sale *modelSale, worth int64, at time.Time) {
	p.hear(at)
	sale.returned += worth
	for _, award := range sale.awards {
		if owes := int(int64(award.points)*sale.returned/sale.total) - award.back; owes > 0 {
			p.reverseAward(sale, award, owes)
		}
	}
	p.rise(p.now)
}

func (p *person) reverseAward(sale *modelSale, award *modelAward, points int) {
	award.back += points
	p.reverse(award.lot, points, p.program.policy().returns, false)
	if award.rule.qualifying {
		p.count(-points, sale.at)
	}
}

func (w *modeled) comeBack(r *rapid.T, p *person) {
	open := slices.DeleteFunc(slices.Clone(p.sold), func(sale *modelSale) bool { return sale.returned == sale.total })
	if len(open) == 0 {
		return
	}
	sale := pick(r, open, "purchase")
	worth := rapid.SampledFrom([]int64{1, (sale.total - sale.returned + 1) / 2, sale.total - sale.returned}).Draw(r, "worth")
	input := loyalty.RecordReturnInput{
		Source: loyaltytest.Source, ExternalID: w.Key(), PurchaseSource: loyaltytest.Source, PurchaseExternalID: sale.name, OccurredAt: w.Now(),
	}
	byEuros(amount(worth))(&input)
	recorded := w.facts(r)(w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{input}))
	p.record(w.Now())
	p.at(r, recorded.Activity.RecordedAt)
	p.takeBack(sale, worth, input.OccurredAt)
}

// comeBackFirst tells of a return before its purchase.
func (w *modeled) comeBackFirst(r *rapid.T, _ *person) {
	if len(w.waiting) == 0 || rapid.Bool().Draw(r, "of another purchase") {
		w.waiting = append(w.waiting, &modelWaiting{purchase: w.Key()})
	}
	waits := w.waiting[len(w.waiting)-1]
	worth := rapid.Int64Range(1, 3000).Draw(r, "worth")
	input := loyalty.RecordReturnInput{
		Source: loyaltytest.Source, ExternalID: w.Key(), PurchaseSource: loyaltytest.Source, PurchaseExternalID: waits.purchase, OccurredAt: w.Now(),
	}
	byEuros(amount(worth))(&input)
	if recorded := w.facts(r)(w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{input})); !recorded.Waiting {
		r.Fatal("the return does not wait")
	}
	waits.amounts, waits.at = append(waits.amounts, worth), append(waits.at, input.OccurredAt)
}

// facts takes the answer about one fact.
func (w *modeled) facts(r *rapid.T) func([]loyalty.Recorded, error) loyalty.Recorded {
	return func(recorded []loyalty.Recorded, err error) loyalty.Recorded {
		if err != nil || len(recorded[0].UserErrors) > 0 {
			r.Fatalf("the fact was refused: %v %v", recorded, err)
		}
		return recorded[0]
	}
}

func (w *modeled) confirm(r *rapid.T, p *person) {
	if len(p.sold) == 0 {
		return
	}
	sale := pick(r, p.sold, "purchase")
	then := w.later(p)
	waits := func(award *modelAward) bool {
		return award.lot.available == never && award.back < award.points && then.there(award.lot)
	}
	waiting := slices.Clone(sale.awards)
	waiting = slices.DeleteFunc(waiting, func(award *modelAward) bool { return !waits(award) })
	_, err := w.Service.ConfirmActivity(w.Admin, sale.id, w.Key())
	if !expect(r, err, unless(len(waiting) > 0, "NOT_PENDING activityId")) {
		return
	}
	now := p.record(w.Now())
	for _, award := range waiting {
		award.lot.available = now
		if award.lot.expires == never {
			award.lot.expires = award.rule.expires(award.policy, sale.at, now, w.zone)
		}
	}
}

func (w *modeled) cancelPending(r *rapid.T, p *person) {
	if len(p.sold) == 0 {
		return
	}
	sale := pick(r, p.sold, "purchase")
	then := w.later(p)
	pending := func(award *modelAward) bool {
		return award.back < award.points && then.there(award.lot) && then.pending(award.lot)
	}
	waiting := slices.Clone(sale.awards)
	waiting = slices.DeleteFunc(waiting, func(award *modelAward) bool { return !pending(award) })
	_, err := w.Service.CancelPending(w.Admin, sale.id, "A test", w.Key())
	if !expect(r, err, unless(len(waiting) > 0, "NOT_PENDING activityId")) {
		return
	}
	now := p.record(w.Now())
	for _, award := range waiting {
		p.reverseAward(sale, award, award.points-award.back)
	}
	p.rise(now)
}

func (w *modeled) adjust(r *rapid.T, p *person) {
	input := loyalty.AdjustPointsInput{Member: loyaltytest.Ref(p.Member), Reason: "A test", IdempotencyKey: w.Key()}
	lapses := never
	if rapid.Bool().Draw(r, "gives") {
		input.Points = int64(rapid.IntRange(1, 60).Draw(r, "points"))
		if rapid.Bool().Draw(r, "expires") {
			lapses = w.Now().AddDate(0, 0, rapid.IntRange(1, 60).Draw(r, "days"))
			input.ExpiresAt = &lapses
		}
	} else {
		input.Points = -int64(some(r, w.available(p)))
	}
	posted, err := w.Service.AdjustPoints(w.Admin, input)
	if !expect(r, err, unless(-input.Points <= w.available(p), "INSUFFICIENT_POINTS points")) {
		return
	}
	now := p.record(w.Now())
	p.at(r, posted.Entry.RecordedAt)
	gift := &modelGift{id: posted.Adjustment.ID, points: int(input.Points)}
	if input.Points > 0 {
		p.hear(now)
		gift.lot = p.credit(ledger.Adjusted, int(input.Points), modelLot{earned: now, available: now, expires: lapses})
	} else {
		gift.taken, _ = p.debit(ledger.Adjusted, int(-input.Points))
	}
	p.gifts = append(p.gifts, gift)
}

func (w *modeled) undo(r *rapid.T, p *person) {
	if len(p.gifts) == 0 {
		return
	}
	gift := pick(r, p.gifts, "adjustment")
	reversed, err := w.Service.ReverseAdjustment(w.Admin, loyalty.ReverseAdjustmentInput{AdjustmentID: gift.id, Reason: "A test", IdempotencyKey: w.Key()})
	if !expect(r, err, unless(!gift.undone, "ALREADY_REVERSED adjustmentId")) {
		return
	}
	gift.undone = true
	p.record(w.Now())
	p.at(r, reversed.Entry.RecordedAt)
	if gift.points > 0 {
		p.reverse(gift.lot, gift.points, w.policy().returns, true)
	} else {
		p.restore(ledger.Reversal, gift.taken)
	}
}

// changePolicy lets the program say something else about expiry, returns, or both.
func (w *modeled) changePolicy(r *rapid.T, _ *person) {
	next := w.policy()
	var edit loyalty.ProgramEdit
	if rapid.Bool().Draw(r, "of returns") {
		next.returns = rapid.SampledFrom([]lots.ReturnPolicy{lots.MayGoNegative, lots.WithinBalance, lots.OnlyPending}).Draw(r, "returns")
		edit.ReturnPolicy = &next.returns
	}
	if rapid.Bool().Draw(r, "of expiry") {
		next.expiry = pick(r, modelExpiries, "expiry")
		edit.Expiry = &next.expiry
	}
	if next == w.policy() {
		return
	}
	next.since = w.Now()
	if _, err := w.Service.UpdateProgram(w.Admin, edit); err != nil {
		r.Fatal(err)
	}
	if next.expiry == w.policy().expiry {
		// Whoever idles goes on idling.
		w.policies[len(w.policies)-1].returns = next.returns
		return
	}
	w.policies = append(w.policies, next)
	for _, p := range w.people {
		p.idle = w.idle(p.heard)
	}
}

var modelExpiries = []loyalty.ExpiryPolicy{
	{Mode: lots.Never},
	{Mode: lots.AfterEarning, After: &value.Period{Days: 40}},
	{Mode: lots.AfterEarning, After: &value.Period{Months: 1}, RoundUpTo: pointer(lots.Month)},
	{Mode: lots.AfterActivation, After: &value.Period{Days: 20}},
	{Mode: lots.AfterActivation, After: &value.Period{Months: 6}, RoundUpTo: pointer(lots.Year)},
	{Mode: lots.OnDate, On: &value.Date{Year: 2025, Month: time.June, Day: 30}},
	{Mode: lots.Inactivity, After: &value.Period{Days: 30}},
	{Mode: lots.Inactivity, After: &value.Period{Months: 3}},
}

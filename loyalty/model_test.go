package loyalty_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// model is what a member should own and hold, worked out the slow and obvious way: nothing is posted, everything is
// looked at anew at each instant.
type model struct {
	member *loyalty.Member
	lots   []*modelLot
	debts  []int64
	sold   []*modelPurchase
	// earned are qualifying points with the instant at which they count.
	earned []modelPoints
	rank   int
	until  time.Time
}

type modelLot struct {
	points, left int64
	earned       time.Time
	expires      *time.Time
}

type modelPoints struct {
	points int64
	at     time.Time
}

type modelPurchase struct {
	recorded        loyalty.Recorded
	total, returned int64
	awards          []*modelAward
}

type modelAward struct {
	lot                    *modelLot
	points, qualifying     int64
	back, backOfQualifying int64
}

// thresholds are those of the ladder of the test, by rank; tests may add to them.
type thresholds []int64

func (l thresholds) reached(points int64) int {
	rank := 0
	for i, threshold := range l {
		if points >= threshold {
			rank = i
		}
	}
	return rank
}

func (m *model) spendable(t time.Time) []*modelLot {
	open := slices.DeleteFunc(slices.Clone(m.lots), func(lot *modelLot) bool {
		return lot.left == 0 || lot.expires != nil && !t.Before(*lot.expires)
	})
	slices.SortStableFunc(open, func(a, b *modelLot) int {
		never := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
		ends := func(lot *modelLot) time.Time {
			if lot.expires == nil {
				return never
			}
			return *lot.expires
		}
		return cmp.Or(ends(a).Compare(ends(b)), a.earned.Compare(b.earned))
	})
	return open
}

func (m *model) available(t time.Time) int64 {
	var points int64
	for _, lot := range m.spendable(t) {
		points += lot.left
	}
	return points
}

func (m *model) debt() int64 {
	var points int64
	for _, debt := range m.debts {
		points += debt
	}
	return points
}

func (m *model) credit(points int64, at time.Time, expires *time.Time) *modelLot {
	lot := &modelLot{points: points, left: points, earned: at, expires: expires}
	for i := range m.debts {
		paid := min(m.debts[i], lot.left)
		m.debts[i] -= paid
		lot.left -= paid
	}
	m.lots = append(m.lots, lot)
	return lot
}

func (m *model) debit(points int64, t time.Time) (missing int64) {
	for _, lot := range m.spendable(t) {
		taken := min(points, lot.left)
		lot.left -= taken
		points -= taken
	}
	return points
}

func (m *model) qualifying(policy tiers.Policy, t time.Time) int64 {
	var points int64
	for _, one := range m.earned {
		if one.at.After(policy.CountsAfter(t)) {
			points += one.points
		}
	}
	return points
}

// review lets tiers run out that have by t.
func (m *model) review(ladder thresholds, policy tiers.Policy, t time.Time) {
	for m.rank > 0 && !t.Before(m.until) {
		m.rank = ladder.reached(m.qualifying(policy, m.until))
		m.until = policy.Validity.After(m.until, policy.Zone)
	}
}

func (m *model) rise(ladder thresholds, policy tiers.Policy, t time.Time) {
	if rank := ladder.reached(m.qualifying(policy, t)); rank > m.rank {
		m.rank, m.until = rank, policy.Validity.After(t, policy.Zone)
	}
}

// modeled is a program with its model: 1 point per 1.00 that qualifies, and 3 on top that don't.
type modeled struct {
	*loyaltytest.World
	ladder thresholds
	policy tiers.Policy
	all    []*model
}

func (w *modeled) purchase(r *rapid.T, m *model) {
	total := rapid.Int64Range(0, 9000).Draw(r, "total")
	late := time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 30, 364, 366, 500}).Draw(r, "days late")) * 24 * time.Hour
	recorded := w.Purchase(m.member, string(amount(total)), func(input *loyalty.RecordPurchaseInput) {
		input.OccurredAt = input.OccurredAt.Add(-late)
	})
	at, now := recorded.Activity.OccurredAt, recorded.Activity.RecordedAt
	m.review(w.ladder, w.policy, now)
	sold := &modelPurchase{recorded: recorded, total: total}
	grant := func(points, qualifying int64) {
		if points > 0 {
			sold.awards = append(sold.awards, &modelAward{lot: m.credit(points, at, nil), points: points, qualifying: qualifying})
			m.earned = append(m.earned, modelPoints{qualifying, at})
		}
	}
	if total > 0 {
		grant(total/100, total/100)
		grant(3, 0)
	}
	m.sold = append(m.sold, sold)
	m.rise(w.ladder, w.policy, now)
}

func (w *modeled) comeBack(r *rapid.T, m *model) {
	open := slices.DeleteFunc(slices.Clone(m.sold), func(sold *modelPurchase) bool { return sold.returned == sold.total })
	if len(open) == 0 {
		return
	}
	sold := rapid.SampledFrom(open).Draw(r, "purchase")
	worth := rapid.Int64Range(1, sold.total-sold.returned).Draw(r, "worth")
	now := w.Return(sold.recorded, byEuros(amount(worth))).Activity.RecordedAt
	m.review(w.ladder, w.policy, now)
	sold.returned += worth
	for _, award := range sold.awards {
		owed := award.points*sold.returned/sold.total - award.back
		qualifying := award.qualifying*sold.returned/sold.total - award.backOfQualifying
		award.back += owed
		award.backOfQualifying += qualifying
		m.earned = append(m.earned, modelPoints{-qualifying, sold.recorded.Activity.OccurredAt})
		own := min(owed, award.lot.left)
		award.lot.left -= own
		if missing := m.debit(owed-own, now); missing > 0 {
			m.debts = append(m.debts, missing)
		}
	}
}

func (w *modeled) adjust(r *rapid.T, m *model) {
	input := loyalty.AdjustPointsInput{
		Member: loyaltytest.Ref(m.member), Reason: "A test", IdempotencyKey: w.Key(),
		Points: rapid.Int64Range(-150, 150).Filter(func(points int64) bool { return points != 0 }).Draw(r, "points"),
	}
	if input.Points > 0 && rapid.Bool().Draw(r, "expires") {
		input.ExpiresAt = pointer(w.Now().AddDate(0, 0, rapid.IntRange(1, 60).Draw(r, "days")))
	}
	available := m.available(w.Now())
	posted, err := w.Service.AdjustPoints(w.Admin, input)
	if -input.Points > available {
		if problems, ok := problem.UserErrors(err); !ok || told(problems)[0] != "INSUFFICIENT_POINTS points" {
			r.Fatalf("%d of %d points: %v", -input.Points, available, err)
		}
		return
	}
	if err != nil {
		r.Fatal(err)
	}
	m.review(w.ladder, w.policy, posted.Entry.RecordedAt)
	if input.Points > 0 {
		m.credit(input.Points, posted.Entry.RecordedAt, input.ExpiresAt)
	} else {
		m.debit(-input.Points, posted.Entry.RecordedAt)
	}
}

// wait lets time pass: a little, much, or to just before or behind what happens next.
func (w *modeled) wait(r *rapid.T, m *model) {
	instants := []time.Time{
		w.Now().Add(time.Duration(rapid.IntRange(1, 1000).Draw(r, "hours")) * time.Hour),
		w.Now().AddDate(0, 0, rapid.IntRange(300, 800).Draw(r, "days")),
	}
	if m.rank > 0 {
		instants = append(instants, m.until)
	}
	for _, lot := range m.lots {
		if lot.left > 0 && lot.expires != nil {
			instants = append(instants, *lot.expires)
		}
	}
	to := rapid.SampledFrom(instants).Draw(r, "to").Add(time.Duration(rapid.IntRange(-1, 1).Draw(r, "by")) * 10 * time.Millisecond)
	if to.After(w.Now()) {
		w.Clock.Set(to)
	}
}

func (w *modeled) addTier() {
	last := w.ladder[len(w.ladder)-1]
	w.ladder = append(w.ladder, last+90)
	w.Clock.Advance(time.Second)
	now := w.Now()
	w.Tier(fmt.Sprintf("Tier %d", len(w.ladder)-1), len(w.ladder)-1, last+90)
	for _, m := range w.all {
		m.review(w.ladder[:len(w.ladder)-1], w.policy, now)
		m.rise(w.ladder, w.policy, now.Add(time.Second))
	}
}

// agree compares what is read with the model.
func (w *modeled) agree(r *rapid.T, m *model) {
	now := w.Now()
	m.review(w.ladder, w.policy, now)
	balance, standing := w.Balance(m.member), w.Standing(m.member)
	if balance.Available != m.available(now) || balance.Debt != m.debt() {
		r.Fatalf("%d available and %d owed, the model has %d and %d", balance.Available, balance.Debt, m.available(now), m.debt())
	}
	if standing.Tier.Rank != m.rank || standing.QualifyingPoints != m.qualifying(w.policy, now) {
		r.Fatalf("rank %d with %d points, the model has %d with %d", standing.Tier.Rank, standing.QualifyingPoints, m.rank, m.qualifying(w.policy, now))
	}
	if until := standing.ValidUntil; (until != nil) != (m.rank > 0) || until != nil && until.Sub(m.until).Abs() > time.Millisecond {
		r.Fatalf("valid until %v, the model has %v", until, m.until)
	}
	var lots []int64
	if err := w.DB.Select(w.Admin, &lots, `
		select remaining from lots where member_id = $1 and open and (expires_at is null or expires_at > $2) order by expires_at, earned_at, sequence`,
		m.member.ID, now); err != nil {
		r.Fatal(err)
	}
	var expected []int64
	for _, lot := range m.spendable(now) {
		expected = append(expected, lot.left)
	}
	if !slices.Equal(lots, expected) {
		r.Fatalf("lots %v, the model has %v", lots, expected)
	}
}

func TestModel(t *testing.T) {
	t.Parallel()
	w := &modeled{World: loyaltytest.New(t), ladder: thresholds{0, 50, 160}, policy: tiers.DefaultPolicy(time.UTC)}
	w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) { input.Priority = 1 })
	w.Rule(loyaltytest.Fixed(3), func(input *loyalty.EarningRuleInput) { input.Qualifying = false })
	w.Tier("Tier 1", 1, 50)
	w.Tier("Tier 2", 2, 160)
	rapid.Check(t, func(r *rapid.T) {
		w.Clock.Advance(time.Minute)
		w.all = []*model{{member: w.Enroll()}, {member: w.Enroll()}}
		for range rapid.IntRange(10, 20).Draw(r, "steps") {
			w.Clock.Advance(time.Second)
			m := rapid.SampledFrom(w.all).Draw(r, "member")
			switch rapid.IntRange(0, 7).Draw(r, "step") {
			case 0, 1, 2:
				w.purchase(r, m)
			case 3:
				w.comeBack(r, m)
			case 4, 5:
				w.adjust(r, m)
			case 6:
				w.wait(r, m)
			default:
				if len(w.ladder) < 6 && rapid.IntRange(0, 15).Draw(r, "add a tier") == 0 {
					w.addTier()
				}
			}
			w.agree(r, m)
		}
		for _, m := range w.all {
			w.agree(r, m)
		}
	})
	clean(t, w.World)
}

package loyalty_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reward"
	"regulars/loyalty/tiers"
)

// modeled is a program with its model.
type modeled struct {
	*loyaltytest.World
	*modelProgram
	rewards *reward.Service
	catalog []*reward.Reward
	rules   []modelRule
	people  []*person
	waiting []*modelWaiting
	kept    []reading
}

// reading is what was answered about a member.
type reading struct {
	person   *person
	at       time.Time
	Balance  lots.Balance
	Standing *loyalty.TierStanding
	Expiring []lots.Expiration
}

// read asks what a member owns and where it stands, at an instant, nil: now.
func (w *modeled) read(r *rapid.T, p *person, asOf *time.Time) reading {
	seen := reading{person: p, at: w.Now()}
	if asOf != nil {
		seen.at = *asOf
	}
	balances, err := w.Service.Balances(w.Admin, ids(p.Member), asOf)
	if err != nil {
		r.Fatal(err)
	}
	standings, err := w.Service.Standings(w.Admin, ids(p.Member), asOf)
	if err != nil {
		r.Fatal(err)
	}
	expiring, err := w.Service.Expirations(w.Admin, ids(p.Member), asOf)
	if err != nil {
		r.Fatal(err)
	}
	seen.Balance, seen.Standing, seen.Expiring = balances[p.ID].Balance, standings[p.ID], expiring[p.ID].Expiring(tenYears)
	return seen
}

func (s reading) compare(r *rapid.T, what string, now reading) {
	if difference := cmp.Diff(s, now, cmp.FilterPath(func(path cmp.Path) bool {
		return path.String() == "person" || path.String() == "at"
	}, cmp.Ignore())); difference != "" {
		r.Fatalf("%s, at %s: %s", what, s.at, difference)
	}
}

// later is what the member owns now, which nothing may have posted.
func (w *modeled) later(p *person) *purse {
	then := p.clone()
	then.run(w.Now())
	return then
}

// matches compares what was read of a member with what the model has at that instant if nothing new is recorded.
func (s reading) matches(r *rapid.T, what string) {
	then, standing := s.person.clone(), s.person.career
	then.run(s.at)
	standing.review(s.at)
	balance := then.balance()
	lapses, _ := then.run(tenYears.After(s.at, standing.program.zone))
	for _, one := range []struct {
		what      string
		got, want any
	}{
		{"balance", s.Balance, balance},
		{"expirations", s.Expiring, append([]lots.Expiration{}, lapses...)},
		{"rank", s.Standing.Tier.Rank, standing.rank},
		{"qualifying points", s.Standing.QualifyingPoints, standing.qualifying(s.at)},
	} {
		if difference := cmp.Diff(one.want, one.got); difference != "" {
			r.Fatalf("%s, %s, the model first: %s", what, one.what, difference)
		}
	}
	if until := s.Standing.ValidUntil; (until != nil) != (standing.rank > 0) || until != nil && !until.Equal(standing.until) {
		r.Fatalf("%s, valid until %v, the model has %v", what, until, standing.until)
	}
}

// agree compares what is read of a member, and what was posted, with the model.
func (w *modeled) agree(r *rapid.T, p *person) {
	seen := w.read(r, p, nil)
	seen.matches(r, "now")
	if rapid.Bool().Draw(r, "keep") {
		w.kept = append(w.kept, seen)
	}
	histories, err := w.Service.Histories(w.Admin, ids(p.Member), ledger.Filter{}, pointer(100), nil)
	if err != nil {
		r.Fatal(err)
	}
	var history []line
	for _, edge := range slices.Backward(histories[p.ID].Edges) {
		history = append(history, line{edge.Node.Kind, edge.Node.Points, edge.Node.BalanceAfter})
	}
	if difference := cmp.Diff(p.history[max(len(p.history)-100, 0):], history); difference != "" {
		r.Fatalf("history, the model first: %s", difference)
	}
	w.lotsAgree(r, p)
}

type openLot struct {
	Remaining int64      `db:"remaining"`
	Available *time.Time `db:"available_at"`
	Expires   *time.Time `db:"expires_at"`
}

func (w *modeled) lotsAgree(r *rapid.T, p *person) {
	var open, expected []openLot
	if err := w.DB.Select(w.Admin, &open, `
		select remaining, available_at, expires_at from lots where member_id = $1 and open
		order by expires_at, earned_at, sequence`, p.ID); err != nil {
		r.Fatal(err)
	}
	orNil := func(t time.Time) *time.Time {
		if t == never {
			return nil
		}
		return &t
	}
	slices.SortStableFunc(p.free, burns)
	for i, lot := range p.free {
		if i == 0 || p.free[i-1] != lot {
			expected = append(expected, openLot{Available: orNil(lot.available), Expires: orNil(lot.expires)})
		}
		expected[len(expected)-1].Remaining++
	}
	if difference := cmp.Diff(expected, open); difference != "" {
		r.Fatalf("open lots, the model first: %s", difference)
	}
}

// swept notes of whom anything was recorded since an instant, which posted what the clock had done.
func (w *modeled) swept(r *rapid.T, since time.Time, then func(*person, time.Time)) {
	for _, p := range w.people {
		accounts, err := ledger.AccountsTx(w.Admin, w.DB, []id.Member{p.ID})
		if err != nil {
			r.Fatal(err)
		}
		if !accounts[0].RecordedAt.Before(since) {
			then(p, p.record(since))
		}
	}
}

// expire runs the body of the job.
func (w *modeled) expire(r *rapid.T, _ *person) {
	for runs := 0; ; runs++ {
		members, err := w.Service.ExpirePoints(w.Admin, 3)
		if err != nil {
			r.Fatal(err)
		}
		if members == 0 {
			break
		}
		if runs == 1000 {
			r.Fatal("the job does not end")
		}
	}
	w.swept(r, w.Now(), func(*person, time.Time) {})
	for _, p := range w.people {
		then := p.clone()
		// Months are not of one length, and clocks are changed: a member that idles is found within some days.
		if then.idle.After(w.Now().AddDate(0, 0, -4)) {
			then.idle = never
		}
		if _, due := then.run(w.Now()); due {
			r.Fatal("the job left something over")
		}
	}
}

// addTier puts a tier between two others, or on top.
func (w *modeled) addTier(r *rapid.T, _ *person) {
	rank := rapid.IntRange(1, 99).Draw(r, "rank")
	below, above := int64(0), int64(300)
	for other, threshold := range w.ladder().thresholds {
		switch {
		case other == rank:
			return
		case other < rank:
			below = max(below, threshold)
		default:
			above = min(above, threshold)
		}
	}
	if above-below < 2 {
		return
	}
	since := w.Now()
	w.newTier(r, rank, rapid.Int64Range(below+1, above-1).Draw(r, "threshold"))
	// The ladder counts from its own instant on, also where something was recorded of the member at that very one.
	w.swept(r, since, func(p *person, _ time.Time) { p.rise(since) })
}

func (w *modeled) newTier(r interface{ Fatal(...any) }, rank int, threshold int64) {
	next := modelLadder{w.Now(), map[int]int64{rank: threshold}}
	maps.Copy(next.thresholds, w.ladder().thresholds)
	if _, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{Name: fmt.Sprintf("Tier %d", rank), Rank: rank, Threshold: threshold}); err != nil {
		r.Fatal(err)
	}
	w.ladders = append(w.ladders, next)
}

// instants are what the clock will come to: all that is planned for a member, or any other.
func (w *modeled) instants(r *rapid.T, p *person) time.Time {
	instants := []time.Time{
		w.Now().Add(time.Duration(rapid.IntRange(1, 1000).Draw(r, "hours")) * time.Hour),
		w.Now().AddDate(0, 0, rapid.SampledFrom([]int{14, 30, 200, 400}).Draw(r, "days")),
		p.idle,
	}
	if p.rank > 0 {
		instants = append(instants, p.until)
	}
	for _, lot := range p.free {
		instants = append(instants, lot.available, lot.expires)
	}
	for _, hold := range p.holds {
		instants = append(instants, hold.ends)
	}
	instants = slices.DeleteFunc(instants, func(t time.Time) bool { return t.After(w.Now().AddDate(2, 0, 0)) })
	at := rapid.SampledFrom(instants).Draw(r, "to").Add(time.Duration(rapid.IntRange(-1, 1).Draw(r, "by")) * 10 * time.Millisecond)
	if at.Before(w.Now()) {
		return w.Now()
	}
	return at
}

// wait lets time pass: a little, much, or to just before, to or behind what happens next.
func (w *modeled) wait(r *rapid.T, p *person) {
	w.Clock.Set(w.instants(r, p))
}

// foresee asks what will be and goes there: that is what it is then, whatever was posted on the way.
func (w *modeled) foresee(r *rapid.T, p *person) {
	at := w.instants(r, p)
	promised := w.read(r, p, &at)
	promised.matches(r, "promised")
	if rapid.Bool().Draw(r, "sweep on the way") {
		w.Clock.Set(w.Now().Add(at.Sub(w.Now()) / 2).Truncate(time.Microsecond))
		w.expire(r, p)
	}
	w.Clock.Set(at)
	promised.compare(r, "promised", w.read(r, p, nil))
}

// remember asks again what was answered before.
func (w *modeled) remember(r *rapid.T, kept []reading) {
	for _, one := range kept {
		one.compare(r, "answered before", w.read(r, one.person, &one.at))
	}
}

// step does something with a member.
func (w *modeled) step(r *rapid.T, p *person) {
	name := rapid.SampledFrom([]string{
		"purchase", "purchase", "purchase", "return", "return", "return first", "confirm", "cancel pending", "adjust", "adjust", "undo",
		"hold", "hold", "capture", "capture", "release", "refund", "refund", "redeem", "cancel redemption", "change policy", "expire", "add tier",
		"wait", "wait", "wait", "foresee", "foresee",
	}).Draw(r, "step")
	map[string]func(*rapid.T, *person){
		"purchase": w.purchase, "return": w.comeBack, "return first": w.comeBackFirst, "confirm": w.confirm, "cancel pending": w.cancelPending,
		"adjust": w.adjust, "undo": w.undo, "hold": w.hold, "capture": w.capture, "release": w.release, "refund": w.refund,
		"redeem": w.redeem, "cancel redemption": w.cancelRedemption, "change policy": w.changePolicy, "expire": w.expire, "add tier": w.addTier,
		"wait": w.wait, "foresee": w.foresee,
	}[name](r, p)
}

func (w *modeled) enroll() *person {
	made := &person{Member: w.Enroll(), purse: &purse{now: w.Now(), lapsed: map[*modelLot]int{}}, career: career{program: w.modelProgram}}
	made.hear(w.Now())
	return made
}

// newModeled is a program in a zone: a purchase gives points at once, more after the time for returns, which lapse, and some
// that are confirmed or not.
func newModeled(t *testing.T, zone string) *modeled {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	w := &modeled{
		World: loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: zone}),
		modelProgram: &modelProgram{
			zone: location, standing: tiers.DefaultPolicy(location),
			policies: []modelPolicy{{returns: lots.MayGoNegative, expiry: loyalty.ExpiryPolicy{Mode: lots.Never}}},
			ladders:  []modelLadder{{thresholds: map[int]int64{0: 0}}},
		},
		rules: []modelRule{
			{every: 100, qualifying: true},
			{every: 300, pending: &value.Period{Days: 14}, lives: &value.Period{Days: 30}},
			{every: 500, qualifying: true, confirmed: true},
		},
	}
	for i, rule := range w.rules {
		w.Rule(w.PerAmount(1, string(amount(rule.every))), func(input *loyalty.EarningRuleInput) {
			input.Priority, input.Qualifying, input.ExpiresAfter = -i, rule.qualifying, rule.lives
			if rule.pending != nil || rule.confirmed {
				input.Pending = &loyalty.PendingInput{For: rule.pending}
			}
			if rule.confirmed {
				input.Pending.UntilConfirmed = pointer(true)
			}
		})
	}
	w.newTier(t, 40, 50)
	w.newTier(t, 80, 160)
	w.rewards = reward.New(w.DB, w.Service)
	for _, cost := range []int64{7, 40} {
		made, err := w.rewards.CreateReward(w.Admin, reward.CreateRewardInput{Name: "A reward", Kind: reward.Voucher, Cost: cost})
		if err != nil {
			t.Fatal(err)
		}
		w.catalog = append(w.catalog, made)
	}
	return w
}

// life is some weeks or years of two members. It begins in the first year after a leap year, so that one that is repeated
// falls on the same days.
func (w *modeled) life(r *rapid.T) {
	year := w.Now().Year() + 1
	for year%4 != 1 {
		year++
	}
	w.Clock.Set(time.Date(year, 1, 1+rapid.IntRange(0, 364).Draw(r, "starts"), 9, 0, 0, 0, time.UTC))
	w.policies, w.ladders = w.policies[len(w.policies)-1:], w.ladders[len(w.ladders)-1:]
	w.waiting, w.kept = nil, nil
	w.people = []*person{w.enroll(), w.enroll()}
	for range rapid.IntRange(12, 24).Draw(r, "steps") {
		// Much happens to one, so that things meet; the other one shows that it happens to nobody else.
		p := w.people[rapid.SampledFrom([]int{0, 0, 0, 1}).Draw(r, "member")]
		w.Clock.Advance(time.Millisecond)
		w.step(r, p)
		w.Clock.Advance(time.Millisecond)
		w.agree(r, p)
	}
	w.Clock.Advance(time.Millisecond)
	for _, p := range w.people {
		w.agree(r, p)
	}
	w.remember(r, w.kept)
}

// However members live, they own what the model says, at each instant, and what was once answered about an instant stays true.
// Three times as many lives are led as -rapid.checks says.
func TestModel(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"UTC", "Europe/Berlin", "America/Los_Angeles"} {
		t.Run(zone, func(t *testing.T) {
			t.Parallel()
			w := newModeled(t, zone)
			rapid.Check(t, w.life)
			clean(t, w.World)
		})
	}
}

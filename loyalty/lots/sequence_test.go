package lots_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/loyalty/lots"
)

// horizon is how many instants ahead anything can be planned: behind it, the clock changes nothing.
const horizon = 12

func tick(n int) time.Time { return start.Add(time.Duration(n) * instant) }

func tickOrNil(n int) *time.Time {
	if n == never {
		return nil
	}
	return pointer(tick(n))
}

// spread names the lot of each point.
func spread(draws ...lots.Draw) []int64 {
	var each []int64
	for _, one := range draws {
		each = append(each, slices.Repeat([]int64{one.Lot}, int(one.Points))...)
	}
	return each
}

func lotsOf(points []point) []int64 {
	var each []int64
	for _, p := range points {
		each = append(each, p.lot)
	}
	return each
}

// sequence is a member's life, in the core and in the model.
type sequence struct {
	*rapid.T
	core  lots.Holding
	model model
	paid  []string
	last  int64 // the number given last
	// lapsed is what lapsed of each lot and no reversal counted yet.
	lapsed map[int64]int64
	debits []debit
	// entries is the sum of all that was posted, gone what left each lot for good, debts what each debt was.
	entries int64
	gone    map[int64]int64
	debts   int64
}

// debit is points that were spent and can be given back.
type debit struct {
	draws  []lots.Draw
	points []point
}

func (s *sequence) number() int64 {
	s.last++
	return s.last
}

func (s *sequence) between(name string, least, most int) int {
	return rapid.IntRange(least, most).Draw(s.T, name)
}

// soon draws an instant that is so far ahead, or none.
func (s *sequence) soon(name string, ahead ...int) int {
	if drawn := rapid.SampledFrom(ahead).Draw(s.T, name); drawn != never {
		return s.model.now + drawn
	}
	return never
}

func (s *sequence) equal(name string, want, got any) {
	if !reflect.DeepEqual(want, got) {
		s.Fatalf("%s: %v, the model has %v", name, got, want)
	}
}

func (s *sequence) leave(draws []lots.Draw) {
	for _, one := range draws {
		s.gone[one.Lot] += one.Points
		s.entries -= one.Points
	}
}

func (s *sequence) pay(payments []lots.Payment) {
	for _, one := range payments {
		s.gone[one.Lot] += one.Points
		for range one.Points {
			s.paid = append(s.paid, fmt.Sprint(one.Debt, one.Lot))
		}
	}
}

// happen takes in what the clock did.
func (s *sequence) happen(events []lots.Event) {
	for _, event := range events {
		s.pay(event.Paid)
		if event.Lapsed != nil {
			s.lapsed[event.Lapsed.Lot] += event.Lapsed.Points
			s.leave([]lots.Draw{*event.Lapsed})
		}
	}
}

// settle lets the clock do what it does at once.
func (s *sequence) settle() {
	s.happen(s.core.Advance(tick(s.model.now)))
	s.model.look()
}

func (s *sequence) credit(*rapid.T) {
	p := point{
		lot: s.number(), earned: s.model.now - s.between("earned before", 0, 2),
		available: s.soon("available", 0, 0, 0, 0, -1, 1, 4, never), expires: s.soon("expires", never, never, 0, 1, 3, 6, 9, horizon),
	}
	points := s.between("points", 1, 6)
	s.entries += int64(points)
	s.pay(s.core.Credit(lots.Lot{
		Sequence: p.lot, Points: int64(points), Remaining: int64(points), EarnedAt: tick(p.earned),
		AvailableAt: tickOrNil(p.available), ExpiresAt: tickOrNil(p.expires),
	}, tick(s.model.now)))
	s.model.credit(p, points)
	s.settle()
}

// some draws a number of points to spend: a few, all there are, or one too many.
func (s *sequence) some() int {
	available := int(s.model.balance().Available)
	return max(rapid.SampledFrom([]int{1, 2, 5, available - 1, available, available, available + 1}).Draw(s.T, "points"), 1)
}

func (s *sequence) take(*rapid.T) {
	wanted := s.some()
	draws, missing := s.core.Take(int64(wanted), tick(s.model.now))
	points := s.model.take(wanted, s.model.spendable)
	s.equal("missing", int64(wanted-len(points)), missing)
	s.spend(draws, points)
}

func (s *sequence) spend(draws []lots.Draw, points []point) {
	s.equal("drawn", lotsOf(points), spread(draws...))
	s.leave(draws)
	if len(points) > 0 {
		s.debits = append(s.debits, debit{draws, points})
	}
}

// restore gives a part of a debit back, or all of it: what was taken last first.
func (s *sequence) restore(*rapid.T) {
	if len(s.debits) == 0 {
		return
	}
	one := &s.debits[s.between("debit", 0, len(s.debits)-1)]
	keeps := s.between("keeps", 0, len(one.points))
	back := lots.Last(one.draws, int64(len(one.points)-keeps))
	one.draws, _ = lots.Split(one.draws, int64(keeps))
	for _, draw := range back {
		s.gone[draw.Lot] -= draw.Points
		s.entries += draw.Points
	}
	s.pay(s.core.Restore(back, tick(s.model.now)))
	s.model.giveBack(one.points[keeps:])
	one.points = one.points[:keeps]
	s.settle()
}

func (s *sequence) reserve(*rapid.T) {
	number, points, ends := s.number(), s.some(), s.model.now+s.between("ends in", 1, horizon)
	missing := s.core.Reserve(number, int64(points), tick(ends), tick(s.model.now))
	s.equal("missing", int64(s.model.reserve(number, points, ends)), missing)
}

// capture takes a part of a hold, all of it, or nothing, which releases it.
func (s *sequence) capture(*rapid.T) {
	if len(s.model.holds) == 0 {
		return
	}
	number := s.model.holds[s.between("hold", 0, len(s.model.holds)-1)].number
	hold, _ := s.core.Hold(number)
	wanted := s.between("points", 0, int(hold.Points()))
	captured, paid := s.core.Capture(number, int64(wanted), tick(s.model.now))
	s.pay(paid)
	s.spend(captured, s.model.capture(number, wanted))
	s.settle()
}

func (s *sequence) reverse(*rapid.T) {
	if len(s.core.Lots) == 0 {
		return
	}
	of := s.core.Lots[s.between("lot", 0, len(s.core.Lots)-1)]
	wanted := rapid.SampledFrom([]int{int(of.Points), 1, max(int(of.Points)-1, 1)}).Draw(s.T, "points")
	policy := rapid.SampledFrom([]lots.ReturnPolicy{lots.MayGoNegative, lots.WithinBalance, lots.OnlyPending}).Draw(s.T, "policy")
	number, byHand, reverse := s.number(), rapid.Bool().Draw(s.T, "given by hand"), s.core.Reverse
	if byHand {
		reverse = s.core.Undo
	}
	made := reverse(of.Sequence, int64(wanted), s.lapsed[of.Sequence], policy, tick(s.model.now))
	own, others, lapsed, shortfall, owed := s.model.reverse(number, of.Sequence, wanted, policy, byHand)
	s.equal("own", lotsOf(own), spread(made.Own...))
	s.equal("others", lotsOf(others), spread(made.Others...))
	s.equal("lapsed, shortfall and owed", []int64{int64(lapsed), int64(shortfall), int64(owed)}, []int64{made.Lapsed, made.Shortfall, made.Owed})
	s.lapsed[of.Sequence] -= made.Lapsed
	s.leave(slices.Concat(made.Own, made.Others))
	if made.Owed > 0 {
		s.core.Owe(number, made.Owed)
		s.entries -= made.Owed
		s.debts += made.Owed
	}
}

// confirm makes the points of a lot spendable that waited for it; it may lapse from then on at another time.
func (s *sequence) confirm(*rapid.T) {
	i := slices.IndexFunc(s.core.Lots, func(lot lots.Lot) bool { return lot.AvailableAt == nil })
	if i < 0 {
		return
	}
	expires := s.soon("expires", never, 1, 6, horizon)
	s.core.Lots[i].AvailableAt, s.core.Lots[i].ExpiresAt = pointer(tick(s.model.now)), tickOrNil(expires)
	s.model.confirm(s.core.Lots[i].Sequence, expires)
	s.settle()
}

func (s *sequence) hear(*rapid.T) {
	s.model.idle = s.soon("idle", never, never, never, 1, 6, horizon)
	s.core.Idle = tickOrNil(s.model.idle)
}

// readAgain has the rows in another order, as a database may.
func (s *sequence) readAgain(t *rapid.T) {
	s.core.Lots = rapid.Permutation(s.core.Lots).Draw(t, "lots")
	s.core.Holds = rapid.Permutation(s.core.Holds).Draw(t, "holds")
	s.core.Debts = rapid.Permutation(s.core.Debts).Draw(t, "debts")
}

// wait lets time pass: to just before, to, or to just behind something that is planned, or anywhere. In one step or in two is
// the same.
func (s *sequence) wait(*rapid.T) {
	instants := []int{s.model.now + s.between("later", 1, horizon), s.model.idle}
	for _, p := range s.model.points {
		instants = append(instants, p.available, p.expires)
	}
	for _, hold := range s.model.holds {
		instants = append(instants, hold.ends)
	}
	instants = slices.DeleteFunc(instants, func(n int) bool { return n == never || n < s.model.now })
	slices.Sort(instants)
	next := instants[:min(len(instants), 3)]
	to := max(rapid.SampledFrom(next).Draw(s.T, "to")+rapid.SampledFrom([]int{0, -1, 1}).Draw(s.T, "by"), s.model.now)
	before := s.core.Clone()
	events := before.Advance(tick(s.between("by way of", s.model.now, to)))
	events = append(events, before.Advance(tick(to))...)
	foreseen := s.core.Balance(tick(to))
	due := s.core.Due(tick(to))
	once := s.core.Advance(tick(to))
	if due != (len(once) > 0) || s.core.Due(tick(to)) {
		s.Fatalf("due: %v before and %v after what happened: %v", due, s.core.Due(tick(to)), once)
	}
	s.equal("events in two steps", once, events)
	s.equal("lots in two steps", s.core, before)
	s.equal("what was foreseen", s.core.Balance(tick(to)), foreseen)
	s.happen(once)
	s.model.runTo(to)
}

// agree compares the core with the model, now and as both foresee what will be.
func (s *sequence) agree(*rapid.T) {
	s.present()
	s.future()
	s.conserve()
}

func (s *sequence) present() {
	remaining, held := map[int64]int64{}, map[int64][]point{}
	for _, p := range s.model.points {
		if p.hold == 0 {
			remaining[p.lot]++
		} else {
			held[p.hold] = append(held[p.hold], p)
		}
	}
	s.equal("left", remaining, left(s.core))
	s.equal("open holds", len(s.model.holds), len(s.core.Holds))
	for _, hold := range s.core.Holds {
		slices.SortStableFunc(held[hold.Sequence], burns)
		s.equal("held", lotsOf(held[hold.Sequence]), spread(hold.Draws...))
	}
	owed := map[int64]int64{}
	for _, number := range s.model.owed {
		owed[number]++
	}
	for _, one := range s.core.Debts {
		s.equal("owed", owed[one.Sequence], one.Remaining)
	}
	s.equal("paid", s.model.paid, s.paid)
}

func (s *sequence) future() {
	now := s.model.now
	until := now + s.between("foreseen", 1, horizon)
	then := s.model.clone()
	var expirations []lots.Expiration
	for {
		if then.now == now || then.now == until {
			s.equal(fmt.Sprintf("balance in %d", then.now-now), then.balance(), s.core.Balance(tick(then.now)))
		}
		if then.now == until {
			break
		}
		before := len(then.lapsed)
		then.runTo(then.now + 1)
		if points := len(then.lapsed) - before; points > 0 {
			expirations = append(expirations, lots.Expiration{Points: int64(points), At: tick(then.now)})
		}
	}
	s.equal("expirations", expirations, s.core.Expirations(tick(now), tick(until)))

	// The next change leaves out that the member idles.
	then = s.model.clone()
	then.idle = never
	change := never
	for before := then.balance(); change == never && then.now < now+horizon; {
		then.runTo(then.now + 1)
		if then.balance() != before {
			change = then.now
		}
	}
	s.equal("next change", tickOrNil(change), s.core.NextChange(tick(now)))
}

// conserve has every point of a lot be there, set aside or gone for good, and everything that was posted add up.
func (s *sequence) conserve() {
	there := map[int64]int64{}
	for _, hold := range s.core.Holds {
		for _, one := range hold.Draws {
			there[one.Lot] += one.Points
		}
	}
	for _, lot := range s.core.Lots {
		if lot.Remaining < 0 || lot.Remaining+there[lot.Sequence]+s.gone[lot.Sequence] != lot.Points {
			s.Fatalf("lot %d was %d: %d left, %d held, %d gone", lot.Sequence, lot.Points, lot.Remaining, there[lot.Sequence], s.gone[lot.Sequence])
		}
	}
	balance := s.core.Balance(tick(s.model.now))
	s.equal("owned", s.entries, balance.Owned())
	s.equal("owed and paid", s.debts, balance.Debt+int64(len(s.paid)))
	if balance.Debt > 0 && balance.Available+balance.Pending > 0 {
		s.Fatalf("owes and owns: %+v", balance)
	}
}

func TestSequences_AgreeWithTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := &sequence{T: t, model: model{idle: never}, lapsed: map[int64]int64{}, gone: map[int64]int64{}}
		t.Repeat(map[string]func(*rapid.T){
			"": s.agree, "credit": s.credit, "credit again": s.credit, "take": s.take, "restore": s.restore, "reserve": s.reserve,
			"reserve again": s.reserve, "capture": s.capture, "reverse": s.reverse, "reverse again": s.reverse, "confirm": s.confirm, "hear": s.hear,
			"read again": s.readAgain, "wait": s.wait,
		})
	})
}

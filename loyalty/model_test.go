package loyalty_test

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// never is after everything.
var never = time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)

// modelLot is points that came together.
type modelLot struct {
	number    int
	earned    time.Time
	available time.Time // never: once it is confirmed
	expires   time.Time // never: only if the member is idle
}

// modelHold is points that are set aside.
type modelHold struct {
	ends   time.Time
	points []*modelLot
}

// line is an entry of the history.
type line struct {
	Kind                 ledger.Kind
	Points, BalanceAfter int64
}

// purse is what a member should own, point by point: each point is the lot with which it came. Nothing is cached, and the
// clock goes from one instant at which something is due to the next.
type purse struct {
	now time.Time
	// free are points that nothing sets aside, holds are open ones in the order in which they were placed.
	free  []*modelLot
	holds []*modelHold
	owed  int
	// idle is when everything lapses that has no expiry of its own.
	idle time.Time
	// lapsed is how many points of a lot lapsed that no reversal has counted.
	lapsed  map[*modelLot]int
	made    int
	history []line
}

func (p *purse) clone() *purse {
	then := *p
	then.free, then.holds, then.history = slices.Clone(p.free), slices.Clone(p.holds), slices.Clone(p.history)
	then.lapsed = maps.Clone(p.lapsed)
	return &then
}

// post adds an entry.
func (p *purse) post(kind ledger.Kind, points int) {
	var before int64
	if len(p.history) > 0 {
		before = p.history[len(p.history)-1].BalanceAfter
	}
	p.history = append(p.history, line{kind, int64(points), before + int64(points)})
}

func (p *purse) expiry(lot *modelLot) time.Time {
	if lot.expires == never {
		return p.idle
	}
	return lot.expires
}

func (p *purse) there(lot *modelLot) bool { return p.now.Before(p.expiry(lot)) }

func (p *purse) pending(lot *modelLot) bool { return p.now.Before(lot.available) }

func (p *purse) spendable(lot *modelLot) bool { return p.there(lot) && !p.pending(lot) }

// burns is the order in which points are taken.
func burns(a, b *modelLot) int {
	return cmp.Or(a.expires.Compare(b.expires), a.earned.Compare(b.earned), cmp.Compare(a.number, b.number))
}

// take takes points away, as many as there are, in burn order.
func (p *purse) take(wanted int, may func(*modelLot) bool) (taken []*modelLot) {
	slices.SortStableFunc(p.free, burns)
	p.free = slices.DeleteFunc(p.free, func(lot *modelLot) bool {
		takes := len(taken) < wanted && may(lot)
		if takes {
			taken = append(taken, lot)
		}
		return takes
	})
	return taken
}

// run lets the clock go on to an instant and everything happen that is due by then, the earliest first; of what is due at once,
// points lapse before holds end. It returns what lapsed, and whether anything happened.
func (p *purse) run(to time.Time) (lapsed []lots.Expiration, happened bool) {
	for {
		at := never
		var lot *modelLot
		for _, one := range p.free {
			if due := p.expiry(one); due.Before(at) || lot != nil && due.Equal(at) && burns(one, lot) < 0 {
				at, lot = due, one
			}
		}
		var hold *modelHold
		for _, one := range p.holds {
			if one.ends.Before(at) {
				at, hold = one.ends, one
			}
		}
		if at.After(to) || at == never {
			p.now = to
			return lapsed, happened
		}
		if at.After(p.now) {
			p.now = at
		}
		happened = true
		if hold != nil {
			p.end(hold, 0)
			continue
		}
		gone := len(p.take(len(p.free), func(one *modelLot) bool { return one == lot }))
		p.lapsed[lot] += gone
		p.post(ledger.Expiry, -gone)
		if last := len(lapsed) - 1; last >= 0 && lapsed[last].At.Equal(p.now) {
			lapsed[last].Points += int64(gone)
		} else {
			lapsed = append(lapsed, lots.Expiration{Points: int64(gone), At: p.now})
		}
	}
}

// pay pays what is owed with whatever is there.
func (p *purse) pay() {
	p.owed -= len(p.take(p.owed, p.there))
}

func (p *purse) credit(kind ledger.Kind, points int, lot modelLot) *modelLot {
	p.made++
	lot.number = p.made
	p.post(kind, points)
	p.giveBack(slices.Repeat([]*modelLot{&lot}, points))
	p.run(p.now)
	return &lot
}

func (p *purse) giveBack(points []*modelLot) {
	p.free = append(p.free, points...)
	p.pay()
}

// debit takes points that can be spent; false: there are not that many.
func (p *purse) debit(kind ledger.Kind, points int) ([]*modelLot, bool) {
	if points > int(p.balance().Available) {
		return nil, false
	}
	p.post(kind, -points)
	return p.take(points, p.spendable), true
}

// restore gives points back that were taken.
func (p *purse) restore(kind ledger.Kind, points []*modelLot) {
	p.post(kind, len(points))
	p.giveBack(points)
	p.run(p.now)
}

// hold sets points aside that can be spent; nil: there are not that many.
func (p *purse) hold(points int, ends time.Time) *modelHold {
	if points > int(p.balance().Available) {
		return nil
	}
	placed := &modelHold{ends: ends, points: p.take(points, p.spendable)}
	p.holds = append(p.holds, placed)
	return placed
}

func (p *purse) open(hold *modelHold) bool { return slices.Contains(p.holds, hold) }

// end ends an open hold: it takes some of its points for good, those that burn first, and gives the rest back.
func (p *purse) end(hold *modelHold, captured int) []*modelLot {
	p.holds = slices.DeleteFunc(p.holds, func(one *modelHold) bool { return one == hold })
	if captured > 0 {
		p.post(ledger.Redemption, -captured)
	}
	p.giveBack(hold.points[captured:])
	return hold.points[:captured]
}

// reverse takes points of a lot back: what is left of it, what has lapsed of it, then what the policy says.
func (p *purse) reverse(lot *modelLot, points int, policy lots.ReturnPolicy, byHand bool) {
	own := func(one *modelLot) bool {
		return one == lot && (byHand || policy != lots.OnlyPending || p.pending(one))
	}
	taken := len(p.take(points, own))
	counted := min(points-taken, p.lapsed[lot])
	p.lapsed[lot] -= counted
	missing := points - taken - counted
	if policy != lots.OnlyPending {
		others := len(p.take(missing, p.spendable))
		others += len(p.take(missing-others, p.there))
		taken += others
		missing -= others
	}
	if policy == lots.MayGoNegative {
		p.owed += missing
		taken += missing
	}
	p.post(ledger.Reversal, -taken)
}

func (p *purse) balance() lots.Balance {
	balance := lots.Balance{Debt: int64(p.owed)}
	for _, lot := range p.free {
		if p.pending(lot) {
			balance.Pending++
		} else {
			balance.Available++
		}
	}
	for _, hold := range p.holds {
		balance.Held += int64(len(hold.points))
	}
	return balance
}

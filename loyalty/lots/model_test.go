package lots_test

import (
	"cmp"
	"flag"
	"fmt"
	"math"
	"slices"
	"testing"

	"regulars/loyalty/lots"
)

// TestMain has rapid make 10,000 sequences where nothing else is said; -rapid.checks says something else, and -rapid.steps
// how long they are.
func TestMain(m *testing.M) {
	if err := flag.Set("rapid.checks", "10000"); err != nil {
		panic(err)
	}
	m.Run()
}

// The model is what a member owns, point by point. Its clock goes from one instant to the next, and at each one it looks at
// every point. An instant is the number of microseconds since the start; never is after all of them.
const never = math.MaxInt

type point struct {
	lot                        int64
	earned, available, expires int
	hold                       int64 // 0: none sets it aside
}

type modelHold struct {
	number int64
	ends   int
}

type model struct {
	now, idle int
	points    []point
	holds     []modelHold // in the order of their numbers
	owed      []int64     // the debt's number, for each point that is owed, oldest first
	lapsed    []int64     // the lot's number, for each point that lapsed and that no reversal counted yet
	paid      []string    // the debt and the lot of each point that paid
}

func (m model) clone() model {
	m.points, m.holds, m.owed = slices.Clone(m.points), slices.Clone(m.holds), slices.Clone(m.owed)
	m.lapsed, m.paid = slices.Clone(m.lapsed), slices.Clone(m.paid)
	return m
}

func (m *model) expired(p point) bool {
	if p.expires == never {
		return m.now >= m.idle
	}
	return m.now >= p.expires
}

func (m *model) pending(p point) bool { return m.now < p.available }

// free tells whether a point is there at all: nothing sets it aside, and it has not lapsed.
func (m *model) free(p point) bool { return p.hold == 0 && !m.expired(p) }

func (m *model) spendable(p point) bool { return m.free(p) && !m.pending(p) }

func burns(a, b point) int {
	return cmp.Or(cmp.Compare(a.expires, b.expires), cmp.Compare(a.earned, b.earned), cmp.Compare(a.lot, b.lot))
}

// take takes points away one by one, each time the one that burns first of those that may be taken.
func (m *model) take(wanted int, may func(point) bool) (taken []point) {
	for len(taken) < wanted {
		first := -1
		for i, p := range m.points {
			if may(p) && (first < 0 || burns(p, m.points[first]) < 0) {
				first = i
			}
		}
		if first < 0 {
			break
		}
		taken = append(taken, m.points[first])
		m.points = slices.Delete(m.points, first, first+1)
	}
	return taken
}

func (m *model) pay() {
	for len(m.owed) > 0 {
		paying := m.take(1, m.free)
		if len(paying) == 0 {
			return
		}
		m.paid = append(m.paid, fmt.Sprint(m.owed[0], paying[0].lot))
		m.owed = m.owed[1:]
	}
}

func (m *model) credit(p point, points int) {
	m.points = append(m.points, slices.Repeat([]point{p}, points)...)
	m.pay()
}

func (m *model) giveBack(points []point) {
	for _, p := range points {
		p.hold = 0
		m.points = append(m.points, p)
	}
	m.pay()
}

func (m *model) reserve(number int64, points, ends int) (missing int) {
	before := m.clone()
	reserved := m.take(points, m.spendable)
	if missing := points - len(reserved); missing > 0 {
		*m = before
		return missing
	}
	for _, p := range reserved {
		p.hold = number
		m.points = append(m.points, p)
	}
	m.holds = append(m.holds, modelHold{number, ends})
	return 0
}

func (m *model) capture(number int64, points int) (captured []point) {
	held := func(p point) bool { return p.hold == number }
	captured = m.take(points, held)
	m.giveBack(m.take(never, held))
	m.holds = slices.DeleteFunc(m.holds, func(hold modelHold) bool { return hold.number == number })
	return captured
}

func (m *model) reverse(number, ofLot int64, points int, policy lots.ReturnPolicy, byHand bool) (own, others []point, lapsed, shortfall, owed int) {
	own = m.take(points, func(p point) bool {
		return p.lot == ofLot && m.free(p) && (m.pending(p) || byHand || policy != lots.OnlyPending)
	})
	points -= len(own)
	for points > 0 && slices.Contains(m.lapsed, ofLot) {
		i := slices.Index(m.lapsed, ofLot)
		m.lapsed = slices.Delete(m.lapsed, i, i+1)
		lapsed++
		points--
	}
	if policy == lots.OnlyPending {
		return own, nil, lapsed, points, 0
	}
	others = m.take(points, m.spendable)
	others = append(others, m.take(points-len(others), m.free)...)
	points -= len(others)
	if policy == lots.WithinBalance {
		return own, others, lapsed, points, 0
	}
	m.owed = append(m.owed, slices.Repeat([]int64{number}, points)...)
	return own, others, lapsed, 0, points
}

func (m *model) confirm(ofLot int64, expires int) {
	for i := range m.points {
		if m.points[i].lot == ofLot {
			m.points[i].available, m.points[i].expires = m.now, expires
		}
	}
}

// look does what the clock does at this very instant.
func (m *model) look() {
	for _, hold := range slices.Clone(m.holds) {
		if m.now >= hold.ends {
			m.capture(hold.number, 0)
		}
	}
	for _, p := range m.take(never, func(p point) bool { return p.hold == 0 && m.expired(p) }) {
		m.lapsed = append(m.lapsed, p.lot)
	}
}

func (m *model) runTo(to int) {
	for m.now < to {
		m.now++
		m.look()
	}
}

func (m *model) balance() lots.Balance {
	balance := lots.Balance{Debt: int64(len(m.owed))}
	for _, p := range m.points {
		switch {
		case p.hold != 0:
			balance.Held++
		case m.pending(p):
			balance.Pending++
		default:
			balance.Available++
		}
	}
	return balance
}

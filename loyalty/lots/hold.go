package lots

import (
	"cmp"
	"slices"
	"time"
)

// Reserve sets points aside until endsAt, taken at t in burn order, as the hold of that number. It returns how many points
// were missing; then it has changed nothing.
func (h *Holding) Reserve(sequence, points int64, endsAt, t time.Time) (missing int64) {
	then := h.Clone()
	draws, missing := then.Take(points, t)
	if missing > 0 {
		return missing
	}
	then.Holds = append(then.Holds, Hold{Sequence: sequence, EndsAt: endsAt, Draws: draws})
	*h = then
	return 0
}

// Hold returns an open hold; false if there is none of that number.
func (h *Holding) Hold(sequence int64) (Hold, bool) {
	i := slices.IndexFunc(h.Holds, func(hold Hold) bool { return hold.Sequence == sequence })
	if i < 0 {
		return Hold{}, false
	}
	return h.Holds[i], true
}

// Capture ends an open hold at t: it takes points of it for good, in burn order, and gives the rest back.
func (h *Holding) Capture(sequence, points int64, t time.Time) (captured []Draw, paid []Payment) {
	hold, _ := h.Hold(sequence)
	h.Holds = slices.DeleteFunc(h.Holds, func(one Hold) bool { return one.Sequence == sequence })
	captured, rest := Split(hold.Draws, points)
	return captured, h.Restore(rest, t)
}

// Split parts draws after so many points.
func Split(draws []Draw, points int64) (first, rest []Draw) {
	for _, one := range draws {
		taken := min(points, one.Points)
		if taken > 0 {
			first = append(first, Draw{Lot: one.Lot, Points: taken})
		}
		if left := one.Points - taken; left > 0 {
			rest = append(rest, Draw{Lot: one.Lot, Points: left})
		}
		points -= taken
	}
	return first, rest
}

// Event is what the clock alone did to a holding: exactly one of Lapsed and Ended is set.
type Event struct {
	At time.Time
	// Lapsed is what was left of a lot when it expired.
	Lapsed *Draw
	// Ended is a hold that ended, with the debts that its points paid.
	Ended *Hold
	Paid  []Payment
}

// Advance lets the clock run to t: lots lapse, and holds end and give back their points. It returns what happened, in order.
func (h *Holding) Advance(t time.Time) []Event {
	slices.SortFunc(h.Holds, func(a, b Hold) int {
		return cmp.Or(a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.Sequence, b.Sequence))
	})
	var events []Event
	for len(h.Holds) > 0 && !t.Before(h.Holds[0].EndsAt) {
		ended := h.Holds[0]
		events = append(events, h.lapse(ended.EndsAt)...)
		h.Holds = slices.Delete(slices.Clone(h.Holds), 0, 1)
		event := Event{At: ended.EndsAt, Ended: &ended}
		event.Paid = h.Restore(ended.Draws, ended.EndsAt)
		events = append(events, event)
	}
	return append(events, h.lapse(t)...)
}

// Due tells whether Advance has anything to do by t.
func (h *Holding) Due(t time.Time) bool {
	return slices.ContainsFunc(h.Holds, func(hold Hold) bool { return !t.Before(hold.EndsAt) }) ||
		slices.ContainsFunc(h.Lots, func(lot Lot) bool { return lot.Remaining > 0 && h.Expired(lot, t) })
}

// lapse takes all that remains of the lots that have expired at t, in the order in which they did.
func (h *Holding) lapse(t time.Time) []Event {
	slices.SortFunc(h.Lots, Compare)
	var events []Event
	for i := range h.Lots {
		if lot := &h.Lots[i]; lot.Remaining > 0 && h.Expired(*lot, t) {
			events = append(events, Event{At: *h.expiry(*lot), Lapsed: &Draw{Lot: lot.Sequence, Points: lot.Remaining}})
			lot.Remaining = 0
		}
	}
	slices.SortStableFunc(events, func(a, b Event) int { return a.At.Compare(b.At) })
	return events
}

// Last are the last points of draws, those that were taken last first: what is given back in part comes from there.
func Last(draws []Draw, points int64) []Draw {
	backwards := slices.Clone(draws)
	slices.Reverse(backwards)
	last, _ := Split(backwards, points)
	return last
}

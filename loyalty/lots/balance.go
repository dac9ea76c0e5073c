package lots

import (
	"slices"
	"time"
)

// Balance is what a holding is worth at one instant: Available can be spent, Pending only later; Held is set aside, Debt
// is owed. What has lapsed counts nowhere.
type Balance struct {
	Available int64
	Pending   int64
	Held      int64
	Debt      int64
}

// Owned is all points that the member owns, less what it owes.
func (b Balance) Owned() int64 { return b.Available + b.Pending + b.Held - b.Debt }

// Balance returns what the holding is worth at t, which is what the clock has made of it by then; see Advance.
func (h *Holding) Balance(t time.Time) Balance {
	then := h.Clone()
	then.Advance(t)
	var balance Balance
	for _, lot := range then.Lots {
		if lot.Pending(t) {
			balance.Pending += lot.Remaining
		} else {
			balance.Available += lot.Remaining
		}
	}
	for _, hold := range then.Holds {
		balance.Held += hold.Points()
	}
	for _, debt := range then.Debts {
		balance.Debt += debt.Remaining
	}
	return balance
}

// Expiration is points that lapse at one instant.
type Expiration struct {
	Points int64
	At     time.Time
}

// Expirations lists what lapses after t and until then if nothing else happens, by instant, earliest first. What open holds
// give back to lapsed lots lapses at their end.
func (h *Holding) Expirations(t, until time.Time) []Expiration {
	then := h.Clone()
	then.Advance(t)
	var expirations []Expiration
	end := t
	for _, event := range then.Advance(until) {
		if event.Ended != nil {
			end = event.At
			continue
		}
		at := event.At
		if at.Before(end) {
			at = end
		}
		if last := len(expirations) - 1; last >= 0 && expirations[last].At.Equal(at) {
			expirations[last].Points += event.Lapsed.Points
			continue
		}
		expirations = append(expirations, Expiration{Points: event.Lapsed.Points, At: at})
	}
	return expirations
}

// NextChange is the earliest instant later than t at which the clock alone changes the balance, but for the member being
// idle; nil if it never does.
func (h *Holding) NextChange(t time.Time) *time.Time {
	var next *time.Time
	consider := func(at *time.Time) {
		if at != nil && at.After(t) && (next == nil || at.Before(*next)) {
			next = at
		}
	}
	for _, lot := range h.Lots {
		if lot.Remaining > 0 {
			consider(lot.AvailableAt)
			consider(lot.ExpiresAt)
		}
	}
	for _, hold := range h.Holds {
		consider(&hold.EndsAt)
	}
	return next
}

// Reversal is how an accrual is taken back: Own and Others are what was drawn from its own lot and from others, Lapsed is
// what had lapsed of it already, Shortfall what is given up and Owed what becomes a debt.
type Reversal struct {
	Own, Others             []Draw
	Lapsed, Shortfall, Owed int64
}

// Taken is how many points the reversal takes from what the member owns.
func (r Reversal) Taken() int64 {
	taken := r.Owed
	for _, one := range slices.Concat(r.Own, r.Others) {
		taken += one.Points
	}
	return taken
}

// Reverse takes points of the accrual back at t whose lot has that number, and of which lapsed points expired that no
// reversal has counted yet: first from that lot, pending or not; what has lapsed of it counts as taken back. What is then
// missing was spent, and is dealt with by policy.
func (h *Holding) Reverse(sequence, points, lapsed int64, policy ReturnPolicy, t time.Time) Reversal {
	return h.reverse(points, lapsed, policy, t, func(lot Lot) bool {
		return lot.Sequence == sequence && !h.Expired(lot, t) && (policy != OnlyPending || lot.Pending(t))
	})
}

// Undo takes points back that were given by hand, as Reverse does, but whatever the policy all that is left of their lot:
// they were never earned.
func (h *Holding) Undo(sequence, points, lapsed int64, policy ReturnPolicy, t time.Time) Reversal {
	return h.reverse(points, lapsed, policy, t, func(lot Lot) bool { return lot.Sequence == sequence && !h.Expired(lot, t) })
}

func (h *Holding) reverse(points, lapsed int64, policy ReturnPolicy, t time.Time, own func(Lot) bool) Reversal {
	var made Reversal
	made.Own, points = h.take(points, own)
	made.Lapsed = min(points, lapsed)
	points -= made.Lapsed
	if policy == OnlyPending {
		made.Shortfall = points
		return made
	}
	made.Others, points = h.Take(points, t)
	if points > 0 {
		// Owing and owning go together only for what holds set aside.
		pending, missing := h.take(points, func(lot Lot) bool { return !h.Expired(lot, t) })
		made.Others, points = append(made.Others, pending...), missing
	}
	if policy == WithinBalance {
		made.Shortfall = points
	} else {
		made.Owed = points
	}
	return made
}

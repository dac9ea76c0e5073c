// Package lots is the burn order: which points a debit takes, and when they lapse. It is pure; every spending, expiry
// and correction uses it, so that all of them agree.
//
// The order is published: what expires first is taken first, lots that never expire last; among those that expire
// together the one earned first, then the one with the lower sequence number.
package lots

import (
	"cmp"
	"slices"
	"time"
)

// Lot is points that came together and lapse together.
type Lot struct {
	// Sequence is the number of the entry that created the lot.
	Sequence int64 `db:"sequence"`
	// Points is what the lot was, Remaining what is left of it.
	Points    int64 `db:"points"`
	Remaining int64 `db:"remaining"`
	// EarnedAt is when the fact happened that earned the points.
	EarnedAt time.Time `db:"earned_at"`
	// AvailableAt and ExpiresAt bound the time in which the points can be spent: [AvailableAt, ExpiresAt); nil: for ever.
	AvailableAt time.Time  `db:"available_at"`
	ExpiresAt   *time.Time `db:"expires_at"`
}

// Draw is points taken from one lot.
type Draw struct {
	Lot    int64
	Points int64
}

// Spendable tells whether what remains of the lot can be spent at t.
func (l Lot) Spendable(t time.Time) bool {
	return l.Remaining > 0 && !t.Before(l.AvailableAt) && !l.Expired(t)
}

// Pending tells whether the lot can be spent only later than t.
func (l Lot) Pending(t time.Time) bool {
	return l.Remaining > 0 && t.Before(l.AvailableAt)
}

// Expired tells whether the lot has lapsed at t.
func (l Lot) Expired(t time.Time) bool {
	return l.ExpiresAt != nil && !t.Before(*l.ExpiresAt)
}

// Compare is the burn order.
func Compare(a, b Lot) int {
	switch {
	case a.ExpiresAt == nil && b.ExpiresAt != nil:
		return 1
	case a.ExpiresAt != nil && b.ExpiresAt == nil:
		return -1
	case a.ExpiresAt != nil && !a.ExpiresAt.Equal(*b.ExpiresAt):
		return a.ExpiresAt.Compare(*b.ExpiresAt)
	}
	return cmp.Or(a.EarnedAt.Compare(b.EarnedAt), cmp.Compare(a.Sequence, b.Sequence))
}

// Available is what can be spent of the lots at t.
func Available(all []Lot, t time.Time) int64 {
	return sum(all, func(lot Lot) bool { return lot.Spendable(t) })
}

// Pending is what can be spent of the lots only later than t.
func Pending(all []Lot, t time.Time) int64 {
	return sum(all, func(lot Lot) bool { return lot.Pending(t) })
}

func sum(all []Lot, counts func(Lot) bool) int64 {
	var points int64
	for _, lot := range all {
		if counts(lot) {
			points += lot.Remaining
		}
	}
	return points
}

// Take takes points from the lots that can be spent at t, in burn order, and lowers their Remaining. It returns what was
// taken from which lot, and how many points were missing. It leaves the lots sorted in burn order.
func Take(all []Lot, points int64, t time.Time) (draws []Draw, missing int64) {
	slices.SortFunc(all, Compare)
	for i := range all {
		if points == 0 {
			break
		}
		if all[i].Spendable(t) {
			draw := take(&all[i], points)
			draws = append(draws, draw)
			points -= draw.Points
		}
	}
	return draws, points
}

// TakeFrom takes points from the one lot with that sequence number, pending or not, as long as it has not lapsed at t;
// none if there is no such lot or nothing is left of it.
func TakeFrom(all []Lot, sequence, points int64, t time.Time) (draws []Draw, missing int64) {
	for i := range all {
		if all[i].Sequence == sequence && all[i].Remaining > 0 && !all[i].Expired(t) && points > 0 {
			draw := take(&all[i], points)
			return []Draw{draw}, points - draw.Points
		}
	}
	return nil, points
}

// Lapse takes all that remains of the lots that have expired at t, in burn order, which is the order in which they did.
func Lapse(all []Lot, t time.Time) []Draw {
	slices.SortFunc(all, Compare)
	var draws []Draw
	for i := range all {
		if all[i].Remaining > 0 && all[i].Expired(t) {
			draws = append(draws, take(&all[i], all[i].Remaining))
		}
	}
	return draws
}

func take(lot *Lot, points int64) Draw {
	taken := min(points, lot.Remaining)
	lot.Remaining -= taken
	return Draw{Lot: lot.Sequence, Points: taken}
}

// Expiration is points that lapse at one instant.
type Expiration struct {
	Points int64
	At     time.Time
}

// Expirations lists what lapses after t and until then, by instant, earliest first.
func Expirations(all []Lot, t, until time.Time) []Expiration {
	slices.SortFunc(all, Compare)
	var expirations []Expiration
	for _, lot := range all {
		if lot.Remaining == 0 || lot.ExpiresAt == nil || lot.Expired(t) || lot.ExpiresAt.After(until) {
			continue
		}
		if last := len(expirations) - 1; last >= 0 && expirations[last].At.Equal(*lot.ExpiresAt) {
			expirations[last].Points += lot.Remaining
			continue
		}
		expirations = append(expirations, Expiration{Points: lot.Remaining, At: *lot.ExpiresAt})
	}
	return expirations
}

// NextExpiry is the earliest instant at which any of the lots lapses; nil if none ever does.
func NextExpiry(all []Lot) *time.Time {
	var next *time.Time
	for _, lot := range all {
		if lot.Remaining > 0 && lot.ExpiresAt != nil && (next == nil || lot.ExpiresAt.Before(*next)) {
			next = lot.ExpiresAt
		}
	}
	return next
}

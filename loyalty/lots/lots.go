// Package lots is what a member owns and what becomes of it: which points are taken first, when they can be spent, when
// they lapse, and what holds set aside. It is pure; every spending, expiry and correction uses it, so that all of them
// agree, and reading what will be is the same as posting it.
//
// The burn order is published: what expires first is taken first, lots that never expire last; among those that expire
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
	// AvailableAt is from when the points can be spent; nil: not before they are confirmed.
	AvailableAt *time.Time `db:"available_at"`
	// ExpiresAt is from when they cannot be any more; nil: never, unless the member is idle.
	ExpiresAt *time.Time `db:"expires_at"`
}

// Draw is points taken from one lot.
type Draw struct {
	Lot    int64 `db:"lot_sequence"`
	Points int64 `db:"points"`
}

// Debt is what a debit could not find in any lot.
type Debt struct {
	// Sequence is the number of the debiting entry.
	Sequence  int64 `db:"sequence"`
	Points    int64 `db:"points"`
	Remaining int64 `db:"remaining"`
}

// Payment is points of a lot that paid a debt.
type Payment struct {
	Debt   int64
	Lot    int64
	Points int64
}

// Hold is points set aside until it ends; Draws say of which lots, in burn order.
type Hold struct {
	// Sequence is the hold's number among the member's rows.
	Sequence int64
	EndsAt   time.Time
	Draws    []Draw
}

// Points is how many points the hold sets aside.
func (h Hold) Points() int64 {
	var points int64
	for _, one := range h.Draws {
		points += one.Points
	}
	return points
}

// Pending tells whether the lot can be spent only later than t.
func (l Lot) Pending(t time.Time) bool {
	return l.AvailableAt == nil || t.Before(*l.AvailableAt)
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

// Holding is what one member owns at one instant. It leaves its lots in burn order.
type Holding struct {
	Lots []Lot
	// Holds are the open ones.
	Holds []Hold
	Debts []Debt
	// Idle is when everything lapses that has no expiry of its own, since nothing was heard of the member; nil: it does not.
	Idle *time.Time
}

// Clone returns a holding that shares nothing with h that either changes.
func (h *Holding) Clone() Holding {
	return Holding{Lots: slices.Clone(h.Lots), Holds: slices.Clone(h.Holds), Debts: slices.Clone(h.Debts), Idle: h.Idle}
}

// expiry is when a lot lapses; nil: never.
func (h *Holding) expiry(lot Lot) *time.Time {
	if lot.ExpiresAt != nil {
		return lot.ExpiresAt
	}
	return h.Idle
}

// Expired tells whether the lot has lapsed at t.
func (h *Holding) Expired(lot Lot, t time.Time) bool {
	at := h.expiry(lot)
	return at != nil && !t.Before(*at)
}

func (h *Holding) spendable(lot Lot, t time.Time) bool {
	return lot.Remaining > 0 && !lot.Pending(t) && !h.Expired(lot, t)
}

// Credit adds a lot at t and pays debts from it, the oldest first, unless it has lapsed already.
func (h *Holding) Credit(lot Lot, t time.Time) []Payment {
	h.Lots = append(h.Lots, lot)
	return h.settle(t)
}

// Take takes points from the lots that can be spent at t, in burn order. It returns what was taken from which lot, and how
// many points were missing.
func (h *Holding) Take(points int64, t time.Time) (draws []Draw, missing int64) {
	return h.take(points, func(lot Lot) bool { return h.spendable(lot, t) })
}

func (h *Holding) take(points int64, from func(Lot) bool) (draws []Draw, missing int64) {
	slices.SortFunc(h.Lots, Compare)
	for i := range h.Lots {
		if points == 0 {
			break
		}
		if h.Lots[i].Remaining > 0 && from(h.Lots[i]) {
			draw := Draw{Lot: h.Lots[i].Sequence, Points: min(points, h.Lots[i].Remaining)}
			h.Lots[i].Remaining -= draw.Points
			draws = append(draws, draw)
			points -= draw.Points
		}
	}
	return draws, points
}

// Restore puts points back into the lots from which they were drawn, and pays debts from those that have not lapsed at t.
// All of the lots must be there.
func (h *Holding) Restore(draws []Draw, t time.Time) []Payment {
	for _, one := range draws {
		i := slices.IndexFunc(h.Lots, func(lot Lot) bool { return lot.Sequence == one.Lot })
		h.Lots[i].Remaining += one.Points
	}
	return h.settle(t)
}

// settle pays debts, the oldest first, from whatever lots have not lapsed at t, in burn order. Pending points pay, too: a
// member never owes and owns at once, but for what holds set aside.
func (h *Holding) settle(t time.Time) []Payment {
	slices.SortFunc(h.Debts, func(a, b Debt) int { return cmp.Compare(a.Sequence, b.Sequence) })
	var payments []Payment
	for i := range h.Debts {
		debt := &h.Debts[i]
		if debt.Remaining == 0 {
			continue
		}
		draws, missing := h.take(debt.Remaining, func(lot Lot) bool { return !h.Expired(lot, t) })
		debt.Remaining = missing
		for _, one := range draws {
			payments = append(payments, Payment{Debt: debt.Sequence, Lot: one.Lot, Points: one.Points})
		}
	}
	return payments
}

// Owe adds a debt.
func (h *Holding) Owe(sequence, points int64) {
	h.Debts = append(h.Debts, Debt{Sequence: sequence, Points: points, Remaining: points})
}

package backtest

import (
	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Results is what a backtest found. All points are gross: what returns took back counts on neither side.
type Results struct {
	// MembersAffected is how many members would have got more points or fewer.
	MembersAffected int `json:"membersAffected"`
	// PointsIssued is what the rules would have issued, PointsActual what they did, and DraftPoints what of the former the draft
	// alone would have.
	PointsIssued int64 `json:"pointsIssued"`
	PointsActual int64 `json:"pointsActual"`
	DraftPoints  int64 `json:"draftPoints"`
	// Undecided is how many facts the draft's condition could not be decided about, which earn nothing by it.
	Undecided int `json:"undecided"`
	// Cost is PointsIssued at the program's cost of a point, ActualCost PointsActual; nil if it has none.
	Cost       *value.Money `json:"cost"`
	ActualCost *value.Money `json:"actualCost"`
	// ByDay are the days of the program's calendar on which points were issued or would have been, in order.
	ByDay     []Day              `json:"byDay"`
	TierMoves []loyalty.TierMove `json:"tierMoves"`
	Winners   Side               `json:"winners"`
	Losers    Side               `json:"losers"`
}

// Day is what was issued, and would have been, for what occurred on a day.
type Day struct {
	Date   value.Date `json:"date"`
	Points int64      `json:"points"`
	Actual int64      `json:"actual"`
}

// Side is the members who would have got more points, or fewer.
type Side struct {
	Count int `json:"count"`
	// Points is by how many, in all; never negative.
	Points int64 `json:"points"`
	// Examples are those whose difference is largest, 10 at most.
	Examples []Example `json:"examples"`
}

// Example is a member with what it would have got and what it got.
type Example struct {
	Member uuid.UUID `json:"member"`
	Would  int64     `json:"would"`
	Actual int64     `json:"actual"`
}

// MemberID is the member's id.
func (e Example) MemberID() id.Member { return id.Member(e.Member) }

// found is something of what came out, nothing before the backtest has succeeded.
func found[T any](b *Backtest, of func(*Results) T) T {
	var nothing T
	if b.results == nil {
		return nothing
	}
	return of(b.results)
}

// MembersAffected is that of Results.
func (b *Backtest) MembersAffected() *int {
	return found(b, func(r *Results) *int { return &r.MembersAffected })
}

// PointsIssued is that of Results.
func (b *Backtest) PointsIssued() *int64 {
	return found(b, func(r *Results) *int64 { return &r.PointsIssued })
}

// PointsActual is that of Results.
func (b *Backtest) PointsActual() *int64 {
	return found(b, func(r *Results) *int64 { return &r.PointsActual })
}

// DraftPoints is that of Results.
func (b *Backtest) DraftPoints() *int64 {
	return found(b, func(r *Results) *int64 { return &r.DraftPoints })
}

// Undecided is that of Results.
func (b *Backtest) Undecided() *int {
	return found(b, func(r *Results) *int { return &r.Undecided })
}

// ActualCost is that of Results.
func (b *Backtest) ActualCost() *value.Money {
	return found(b, func(r *Results) *value.Money { return r.ActualCost })
}

// Cost is that of Results.
func (b *Backtest) Cost() *value.Money {
	return found(b, func(r *Results) *value.Money { return r.Cost })
}

// ByDay is that of Results.
func (b *Backtest) ByDay() []Day { return found(b, func(r *Results) []Day { return r.ByDay }) }

// TierMoves is that of Results.
func (b *Backtest) TierMoves() []loyalty.TierMove {
	return found(b, func(r *Results) []loyalty.TierMove { return r.TierMoves })
}

// Winners is that of Results.
func (b *Backtest) Winners() *Side { return found(b, func(r *Results) *Side { return &r.Winners }) }

// Losers is that of Results.
func (b *Backtest) Losers() *Side { return found(b, func(r *Results) *Side { return &r.Losers }) }

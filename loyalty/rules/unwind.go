package rules

import (
	"regulars/internal/value"
)

// Reversed is how much of an award is taken back in all when what has been returned is worth returned of the basis on
// which points were granted: points x returned / basis, rounded down, so that the whole takes back exactly the whole.
// A basis of 0 takes back nothing.
func Reversed(points, returned, basis int64) int64 {
	if basis == 0 {
		return 0
	}
	// returned is at most basis, so the result is at most points.
	reversed, _ := value.MultiplyDivide(points, min(returned, basis), basis, value.Floor)
	return reversed
}

// Counted is what an award by amount was computed on, beside what was carried over.
func (o Outcome) Counted() int64 { return o.Basis - o.Paid + o.Discount }

// CameBack is how much of the basis of an award for lines has come back when lines is what came back of those, and amount what
// came back of the whole purchase, worth total, without saying of which lines: of that the award bears its share.
func (o Outcome) CameBack(lines, amount, total int64) int64 {
	return min(max(lines, 0)+Reversed(o.Basis, amount, total), o.Basis)
}

// Uncarry says what an award that carries over loses when what has come back of its basis grows from before to after: the
// points of the steps by which the member's running amount gets shorter, as far as limits had granted them, and the remainder
// that is left over then, of carried before.
func (p PerAmount) Uncarry(outcome Outcome, carried, before, after int64) (points, remainder int64) {
	counted := outcome.Counted()
	remainder = carried - (Reversed(counted, after, outcome.Basis) - Reversed(counted, before, outcome.Basis))
	if remainder >= 0 {
		return 0, remainder
	}
	steps := (-remainder + p.Every - 1) / p.Every
	points = steps * p.Points
	if outcome.Desired > 0 {
		points, _ = value.MultiplyDivide(points, outcome.Granted, outcome.Desired, value.Floor)
	}
	return points, remainder + steps*p.Every
}

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

// Uncarry says what is lost when what has come back of the basis of an award that carries over grows from before to after: the
// points of the steps by which the member's running amount gets shorter, whether or not limits had granted them, and the
// remainder that is left over then, of carried before.
func (p PerAmount) Uncarry(outcome Outcome, carried, before, after int64) (lost, remainder int64) {
	counted := outcome.Counted()
	remainder = carried - (Reversed(counted, after, outcome.Basis) - Reversed(counted, before, outcome.Basis))
	if remainder >= 0 {
		return 0, remainder
	}
	steps := (-remainder + p.Every - 1) / p.Every
	return steps * p.Points, remainder + steps*p.Every
}

// Absorb says how many of lost points an award bears that has borne absorbed before, at most what it desired, and how many of
// those it has to give back: by the share that limits had granted, rounded down over all of them together.
func (o Outcome) Absorb(absorbed, lost int64) (takes, owed int64) {
	takes = min(lost, o.Desired-absorbed)
	return takes, Reversed(o.Granted, absorbed+takes, o.Desired) - Reversed(o.Granted, absorbed, o.Desired)
}

package rules

import (
	"regulars/internal/value"
)

// eligible is the part of a purchase that an award is computed on.
type eligible struct {
	// net is what was to pay for it, paid what of that was paid with points and does not count, discount what was taken off and
	// does.
	net, paid, discount int64
	// lines are its lines; nil: the purchase as a whole.
	lines []int
}

func (e eligible) amount() int64 { return e.net - e.paid + e.discount }

// count works out what of the purchase counts, and tells whether anything does.
func (j *judgment) count(one *candidate) bool {
	fact, version, outcome := j.input.fact, one.version, &one.outcome
	counted := eligible{net: fact.Total.Minor}
	if version.lineCondition != nil {
		counted = eligible{}
		for i := range fact.Lines {
			holds, err := version.lineCondition.holdsLine(j.input, i)
			if err != nil {
				outcome.Reason, outcome.Detail = ConditionFailed, err.Error()
				return false
			}
			if holds {
				counted.lines = append(counted.lines, i+1)
				counted.net += fact.Lines[i].Amount
			}
		}
		if counted.lines == nil {
			outcome.Reason = NoSuchLine
			return false
		}
		// Lines may miss the total by their rounding, and by lines that are worth less than nothing.
		counted.net = min(counted.net, fact.Total.Minor)
	}
	// Nothing can come back of what was worth nothing.
	if counted.net <= 0 {
		outcome.Reason = WorthNothing
		return false
	}
	if !version.Basis.PaidWithPoints && fact.Paid > 0 {
		// Points pay every line by its share.
		counted.paid, _ = value.MultiplyDivide(fact.Paid, max(counted.net, 0), fact.Total.Minor, value.Floor)
	}
	if version.Basis.BeforeDiscounts {
		counted.discount = discounts(fact.Lines, counted.lines)
	}
	if counted.amount() <= 0 {
		outcome.Reason = PaidWithPoints
		if counted.paid == 0 {
			outcome.Reason = WorthNothing
		}
		return false
	}
	one.eligible = counted
	return true
}

// discounts are what was taken off lines, by number; nil: all.
func discounts(lines []Line, numbers []int) int64 {
	var sum int64
	if numbers == nil {
		for _, line := range lines {
			sum += line.Discount
		}
	}
	for _, number := range numbers {
		sum += lines[number-1].Discount
	}
	return sum
}

package rules

import (
	"regulars/internal/value"
)

// Million is what multipliers are counted in.
const Million = 1_000_000

// Evaluation is what a fact earned, and why: every rule that was considered, in the order of priority, then the multiplier of
// the member's tier.
type Evaluation struct {
	Points     int64
	Qualifying int64
	Outcomes   []Outcome
}

// Evaluate asks every published rule with the fact's trigger, given what rules remember, which it does not change.
//
// The base is what ADD rules with fixed or per-amount awards grant, after their limits. A multiplier m adds (m - 1) x base,
// rounded down once; several multipliers add up, and that of the member's tier with them. All ADD rules that match count. Of
// BEST_OF rules only the one counts that grants most, then the first. The first EXCLUSIVE rule that grants anything silences
// all others, but the base if it multiplies that. What is paid with points earns nothing unless the rule's basis says so, nor
// does a purchase of 0.
//
// Awards whose sum would exceed value.MaximumPoints are refused as a whole: the second result is false.
func (s *Set) Evaluate(member Member, fact Fact, memory Memory) (Evaluation, bool) {
	serving := s.Serving(fact)
	asked := &judgment{
		set: s, memory: memory, input: &input{member: member, fact: fact, zone: s.zone, leapOnMarch1: s.leapOnMarch1}, candidates: make([]*candidate, len(serving)),
	}
	candidates := make([]candidate, len(serving))
	for i, version := range serving {
		candidates[i] = candidate{version: version, outcome: Outcome{Rule: version.Rule, Version: version.Number}}
		asked.candidates[i] = &candidates[i]
	}
	for _, one := range asked.candidates {
		if one.matched = asked.consider(one); one.matched && one.version.Award.Multiplier == nil && !asked.awardBase(one) {
			return Evaluation{}, false
		}
	}
	base, fits := asked.base()
	if !fits {
		return Evaluation{}, false
	}
	for _, one := range asked.candidates {
		if one.matched && one.version.Award.Multiplier != nil && !asked.raise(one, base) {
			return Evaluation{}, false
		}
	}
	exclusive := asked.stack()
	evaluation := Evaluation{Outcomes: make([]Outcome, 0, len(asked.candidates)+1)}
	for _, one := range asked.candidates {
		if !one.excluded && one.matched {
			asked.complete(one)
		}
		evaluation.Outcomes = append(evaluation.Outcomes, one.outcome)
	}
	if bonus, ok := asked.tierBonus(base); !ok {
		return Evaluation{}, false
	} else if bonus != nil && !exclusive {
		evaluation.Outcomes = append(evaluation.Outcomes, *bonus)
	}
	for _, outcome := range evaluation.Outcomes {
		evaluation.Points += outcome.Granted
		evaluation.Qualifying += outcome.Qualifying
		if evaluation.Points > value.MaximumPoints {
			return Evaluation{}, false
		}
	}
	return evaluation, true
}

// judgment is one fact being judged.
type judgment struct {
	set        *Set
	memory     Memory
	input      *input
	candidates []*candidate
}

// candidate is a version that may award the fact.
type candidate struct {
	version *Version
	outcome Outcome
	// matched: it would award; excluded: another one was preferred.
	matched, excluded bool
	// eligible is what of the purchase it counts.
	eligible eligible
	// remainder is what it would carry on.
	remainder *int64
}

// consider tells whether the rule applies to the fact, and notes in its outcome why it does not.
func (j *judgment) consider(one *candidate) bool {
	fact, version, outcome := j.input.fact, one.version, &one.outcome
	if reason, rests := j.set.lives[version.Rule].rests(fact.OccurredAt); rests {
		outcome.Status, outcome.Reason = NotInSchedule, reason
		return false
	}
	outcome.Status = NotMatched
	if !version.serves(fact.OccurredAt, j.set.zone) {
		outcome.Status, outcome.Reason = NotInSchedule, OutsideSchedule
		return false
	}
	if version.Award.PerAmount != nil && fact.Total == nil {
		outcome.Reason = NotAboutMoney
		return false
	}
	if version.condition != nil {
		holds, err := version.condition.holds(j.input)
		if err != nil {
			outcome.Reason, outcome.Detail = ConditionFailed, err.Error()
			return false
		}
		if !holds {
			outcome.Reason = ConditionFalse
			return false
		}
	}
	if fact.Total == nil {
		return true
	}
	return j.count(one)
}

// awardBase gives a fixed or per-amount award; false: more than can be counted.
func (j *judgment) awardBase(one *candidate) bool {
	if fixed := one.version.Award.Fixed; fixed != nil {
		one.outcome.Reason = ByFixed
		j.grant(one, *fixed)
		return true
	}
	per := one.version.Award.PerAmount
	one.outcome.Reason = ByAmount
	amount := one.eligible.amount()
	if per.CarryRemainder {
		one.outcome.Carried = j.memory.Carried[per.Step(one.version.Rule)]
		amount += one.outcome.Carried
		rest := amount % per.Every
		one.remainder = &rest
	}
	steps, _ := value.MultiplyDivide(amount, 1, per.Every, per.Rounding)
	if steps > value.MaximumPoints/per.Points {
		return false
	}
	if j.grant(one, steps*per.Points); steps == 0 {
		one.outcome.Reason = BelowOneStep
	}
	return true
}

// base is what multipliers multiply; false: more than can be counted.
func (j *judgment) base() (int64, bool) {
	var base int64
	for _, one := range j.candidates {
		if one.matched && one.version.Award.Multiplier == nil && one.version.Stacking == Add {
			if base += one.outcome.Granted; base > value.MaximumPoints {
				return 0, false
			}
		}
	}
	return base, true
}

// raise gives what a multiplier adds to the base; false: more than can be counted.
func (j *judgment) raise(one *candidate, base int64) bool {
	points, ok := multiplied(base, *one.version.Award.Multiplier)
	if !ok {
		return false
	}
	one.outcome.Reason = ByMultiplier
	if j.grant(one, points); points == 0 {
		one.outcome.Reason = NothingToRaise
	}
	return true
}

func multiplied(base, multiplier int64) (int64, bool) {
	points, ok := value.MultiplyDivide(base, multiplier-Million, Million, value.Floor)
	return points, ok && points <= value.MaximumPoints
}

// grant gives points as far as limits and the budget go.
func (j *judgment) grant(one *candidate, points int64) {
	outcome := &one.outcome
	outcome.Status, outcome.Desired, outcome.Granted = Applied, points, points
	if points == 0 {
		outcome.Status = NotMatched
		return
	}
	granted, limit, budget := one.version.cut(j.set, points, j.input.fact.OccurredAt, j.memory)
	if granted == points {
		return
	}
	outcome.Granted, outcome.Limit = granted, limit
	outcome.Status, outcome.Reason = Limited, OverLimit
	if budget {
		outcome.Status, outcome.Reason = OutOfBudget, OverBudget
	}
}

// stack lets rules give way to others, and tells whether one silences all others.
func (j *judgment) stack() (exclusive bool) {
	var first, best *candidate
	for _, one := range j.candidates {
		if !one.matched || one.outcome.Granted == 0 {
			continue
		}
		switch {
		case one.version.Stacking == Exclusive && first == nil:
			first = one
		case one.version.Stacking == BestOf && (best == nil || one.outcome.Granted > best.outcome.Granted):
			best = one
		}
	}
	for _, one := range j.candidates {
		isBase := one.version.Stacking == Add && one.version.Award.Multiplier == nil
		switch {
		case !one.matched || one == first:
		case first != nil && !(isBase && first.version.Award.Multiplier != nil):
			one.yield(first, Silenced)
		case first == nil && one.version.Stacking == BestOf && best != nil && one != best:
			one.yield(best, NotBest)
		}
	}
	return first != nil
}

func (c *candidate) yield(to *candidate, reason Reason) {
	c.excluded = true
	if c.outcome.Desired == 0 {
		return
	}
	c.outcome.Status, c.outcome.Reason, c.outcome.Granted, c.outcome.Limit = Excluded, reason, 0, nil
	c.outcome.By, c.outcome.ByVersion = &to.version.Rule, to.version.Number
}

// complete notes what the award stands on.
func (j *judgment) complete(one *candidate) {
	outcome := &one.outcome
	if one.version.Qualifying {
		outcome.Qualifying = outcome.Granted
	}
	if j.input.fact.Total == nil || outcome.Granted == 0 && one.remainder == nil {
		return
	}
	outcome.Basis, outcome.Paid, outcome.Discount = one.eligible.net, one.eligible.paid, one.eligible.discount
	outcome.Lines, outcome.Remainder = one.eligible.lines, one.remainder
}

// tierBonus is what the member's tier adds to the base, nil for nothing. It does not count towards tiers. It stands on the
// rule of the base that was considered first and granted anything, and matures with that.
func (j *judgment) tierBonus(base int64) (*Outcome, bool) {
	member := j.input.member
	if member.Multiplier == nil || base == 0 {
		return nil, true
	}
	points, ok := multiplied(base, *member.Multiplier)
	if !ok || points == 0 {
		return nil, ok
	}
	bonus := &Outcome{Tier: &member.TierID, Status: Applied, Reason: ByTier, Desired: points, Granted: points}
	if total := j.input.fact.Total; total != nil {
		bonus.Basis, bonus.Paid = total.Minor, j.input.fact.Paid
	}
	for _, one := range j.candidates {
		if one.matched && one.version.Award.Multiplier == nil && one.version.Stacking == Add && one.outcome.Granted > 0 {
			bonus.By, bonus.ByVersion = &one.version.Rule, one.version.Number
			break
		}
	}
	return bonus, true
}

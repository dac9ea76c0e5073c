package rules

import (
	"regulars/internal/value"
)

// Million is what multipliers are counted in.
const Million = 1_000_000

// Evaluation is what a fact earned, and why: every rule that was considered, in the order of priority.
type Evaluation struct {
	Points     int64
	Qualifying int64
	Outcomes   []Outcome
}

// Evaluate asks every published rule with the fact's trigger. The base is what rules with fixed or per-amount awards
// grant; a multiplier m then adds (m - 1) x base, rounded down once; several multipliers add up. What is paid with
// points earns nothing, nor does a purchase of 0. Awards whose sum would exceed value.MaximumPoints are refused as a whole: the second result is false.
func (s *Set) Evaluate(member Member, fact Fact) (Evaluation, bool) {
	serving := s.serving(fact)
	evaluation := Evaluation{Outcomes: make([]Outcome, len(serving))}
	input := &input{member: member, fact: fact, zone: s.zone}
	matched := make([]bool, len(serving))
	var base int64
	for i, version := range serving {
		outcome := &evaluation.Outcomes[i]
		*outcome = Outcome{Rule: version.Rule, Version: version.Number}
		matched[i] = s.consider(version, input, outcome)
		if matched[i] && version.Award.Multiplier == nil {
			grant(outcome, version, awardBase(outcome, version, fact))
			base += outcome.Granted
		}
		if base > value.MaximumPoints {
			return Evaluation{}, false
		}
	}
	for i, version := range serving {
		outcome := &evaluation.Outcomes[i]
		if matched[i] && version.Award.Multiplier != nil {
			points, ok := value.MultiplyDivide(base, *version.Award.Multiplier-Million, Million, value.Floor)
			if !ok || points > value.MaximumPoints {
				return Evaluation{}, false
			}
			outcome.Reason = ByMultiplier
			grant(outcome, version, points)
			if points == 0 {
				outcome.Reason = NothingToRaise
			}
		}
		if fact.Total != nil && outcome.Granted > 0 {
			outcome.Basis, outcome.Paid = fact.Total.Minor, fact.Paid
		}
		evaluation.Points += outcome.Granted
		evaluation.Qualifying += outcome.Qualifying
		if evaluation.Points > value.MaximumPoints {
			return Evaluation{}, false
		}
	}
	return evaluation, true
}

// consider tells whether the rule applies to the fact, and notes in outcome why it does not.
func (s *Set) consider(version *Version, input *input, outcome *Outcome) bool {
	fact := input.fact
	if reason, rests := s.lives[version.Rule].rests(fact.OccurredAt); rests {
		outcome.Status, outcome.Reason = NotInSchedule, reason
		return false
	}
	switch {
	case version.StartsAt != nil && fact.OccurredAt.Before(*version.StartsAt),
		version.EndsAt != nil && !fact.OccurredAt.Before(*version.EndsAt):
		outcome.Status, outcome.Reason = NotInSchedule, OutsideSchedule
		return false
	case fact.Total != nil && fact.Total.Minor == 0:
		outcome.Status, outcome.Reason = NotMatched, WorthNothing
		return false
	case fact.Total != nil && fact.Total.Minor == fact.Paid:
		outcome.Status, outcome.Reason = NotMatched, PaidWithPoints
		return false
	case version.Award.PerAmount != nil && fact.Total == nil:
		outcome.Status, outcome.Reason = NotMatched, NotAboutMoney
		return false
	}
	if version.condition == nil {
		return true
	}
	holds, err := version.condition.holds(input)
	switch {
	case err != nil:
		outcome.Status, outcome.Reason, outcome.Detail = NotMatched, ConditionFailed, err.Error()
	case !holds:
		outcome.Status, outcome.Reason = NotMatched, ConditionFalse
	}
	return holds
}

func awardBase(outcome *Outcome, version *Version, fact Fact) int64 {
	if version.Award.Fixed != nil {
		outcome.Reason = ByFixed
		return *version.Award.Fixed
	}
	award := version.Award.PerAmount
	outcome.Reason = ByAmount
	steps, _ := value.MultiplyDivide(fact.Total.Minor-fact.Paid, 1, award.Every, award.Rounding)
	if steps == 0 {
		outcome.Reason = BelowOneStep
		return 0
	}
	// What does not fit is larger than any sum of points may be; the caller refuses it.
	if steps > value.MaximumPoints/award.Points {
		return value.MaximumPoints + 1
	}
	return steps * award.Points
}

func grant(outcome *Outcome, version *Version, points int64) {
	outcome.Status = Applied
	if points == 0 {
		outcome.Status = NotMatched
	}
	outcome.Desired, outcome.Granted = points, points
	if version.Qualifying {
		outcome.Qualifying = points
	}
}

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

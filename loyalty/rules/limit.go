package rules

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// Scope says whose awards a limit counts.
type Scope string

// The scopes of limits.
const (
	// MemberScope: each member's own.
	MemberScope Scope = "MEMBER"
	// ProgramScope: those of all members together.
	ProgramScope Scope = "PROGRAM"
)

// LimitPeriod is how long a limit counts before it begins anew, in the program's calendar and by when facts occurred.
type LimitPeriod string

// The periods of limits. A week starts on Monday.
const (
	Day      LimitPeriod = "DAY"
	Week     LimitPeriod = "WEEK"
	Month    LimitPeriod = "MONTH"
	Year     LimitPeriod = "YEAR"
	Lifetime LimitPeriod = "LIFETIME"
)

// Limit bounds what a rule awards within a period: Points, or how many Times it does; exactly one of them is set.
type Limit struct {
	Scope  Scope       `json:"scope"`
	Period LimitPeriod `json:"period"`
	Points *int64      `json:"points,omitempty"`
	Times  *int        `json:"times,omitempty"`
}

// Counter names what a rule has awarded within one window of a limit: the one that begins on Start, for LIFETIME on the first
// day of all. A member's and the program's counters are kept apart.
type Counter struct {
	Rule   id.Rule     `db:"rule_id"`
	Scope  Scope       `db:"scope"`
	Period LimitPeriod `db:"period"`
	Start  value.Date  `db:"starts_on"`
}

// Usage is what was awarded, less what was taken back.
type Usage struct {
	Points int64 `db:"points"`
	Times  int64 `db:"times"`
}

// Memory is what rules remember from one fact to the next: of the member, and what all members share. What is not in it is 0.
type Memory struct {
	Member  map[Counter]Usage
	Program map[Counter]Usage
	// Carried is, of rules that carry over, the amount in minor units that has not made a full step yet.
	Carried map[Step]int64
}

// Step is what a rule that carries over gives for every full amount. Where a later version gives something else, amounts begin
// anew: what was carried over at one price is not paid at another.
type Step struct {
	Rule   id.Rule `db:"rule_id"`
	Points int64   `db:"points"`
	Every  int64   `db:"every"`
}

// Step is that of a rule.
func (p PerAmount) Step(rule id.Rule) Step { return Step{Rule: rule, Points: p.Points, Every: p.Every} }

func (m Memory) used(counter Counter) Usage {
	if counter.Scope == ProgramScope {
		return m.Program[counter]
	}
	return m.Member[counter]
}

func (m Memory) add(counter Counter, points, times int64) {
	counters := m.Member
	if counter.Scope == ProgramScope {
		counters = m.Program
	}
	usage := counters[counter]
	counters[counter] = Usage{Points: usage.Points + points, Times: usage.Times + times}
}

// firstDay is the start of what never starts anew.
var firstDay = value.Date{Year: 1, Month: time.January, Day: 1}

// start is the first day of the period that t lies in, t in the program's zone.
func (p LimitPeriod) start(t time.Time) value.Date {
	year, month, day := t.Date()
	if year < 1 {
		return firstDay
	}
	switch p {
	case Day:
		return value.DateOf(t)
	case Week:
		monday := day - (int(t.Weekday())+6)%7
		return value.DateOf(time.Date(year, month, monday, 12, 0, 0, 0, time.UTC))
	case Month:
		return value.Date{Year: year, Month: month, Day: 1}
	case Year:
		return value.Date{Year: year, Month: time.January, Day: 1}
	case Lifetime:
	}
	return firstDay
}

// Span is what counters of a rule there are.
type Span struct {
	Scope  Scope
	Period LimitPeriod
}

// Spans are those of a version's limits and budget, each once.
func (v *Version) Spans() []Span {
	var spans []Span
	for _, limit := range v.Limits {
		spans = append(spans, Span{limit.Scope, limit.Period})
	}
	if v.Budget != nil {
		spans = append(spans, Span{ProgramScope, Lifetime})
	}
	slices.SortFunc(spans, func(a, b Span) int { return cmp.Or(cmp.Compare(a.Scope, b.Scope), cmp.Compare(a.Period, b.Period)) })
	return slices.Compact(spans)
}

// Counts tells whether a rule has such counters.
func (s *Set) Counts(rule id.Rule, wanted Span) bool { return slices.Contains(s.spans[rule], wanted) }

// Steps are those of the rule's versions that carry over, each once.
func (s *Set) Steps(rule id.Rule) []Step {
	var steps []Step
	for _, version := range s.version[rule] {
		if per := version.Award.PerAmount; per != nil && per.CarryRemainder && !slices.Contains(steps, per.Step(rule)) {
			steps = append(steps, per.Step(rule))
		}
	}
	return steps
}

// Counters are what counts an award of the rule for a fact that occurred at t. A rule counts what any of its published versions
// limits, whichever of them awards.
func (s *Set) Counters(rule id.Rule, t time.Time) []Counter {
	spans := s.spans[rule]
	if len(spans) == 0 {
		return nil
	}
	local := t.In(s.zone)
	counters := make([]Counter, len(spans))
	for i, one := range spans {
		counters[i] = Counter{Rule: rule, Scope: one.Scope, Period: one.Period, Start: one.Period.start(local)}
	}
	return counters
}

// Remember adds to memory what a fact was granted, so that the next one is judged by it.
func (s *Set) Remember(fact Fact, evaluation Evaluation, memory Memory) {
	for _, outcome := range evaluation.Outcomes {
		if outcome.Remainder != nil {
			version, _ := s.Version(outcome.Rule, outcome.Version)
			memory.Carried[version.Award.PerAmount.Step(outcome.Rule)] = *outcome.Remainder
		}
		if outcome.Granted > 0 {
			s.Count(outcome.Rule, fact.OccurredAt, outcome.Granted, 1, memory)
		}
	}
}

// Count adds points and times that a rule awarded for a fact which occurred at t, or takes them away.
func (s *Set) Count(rule id.Rule, t time.Time, points, times int64, memory Memory) {
	for _, counter := range s.Counters(rule, t) {
		memory.add(counter, points, times)
	}
}

// Forget drops the counters of windows that were over before t, for whoever judges facts in the order in which they occurred and
// remembers many members. Clocks may be turned back over midnight, so a window counts as open for some hours more.
func (s *Set) Forget(memory Memory, t time.Time) {
	const turned = 3 * time.Hour
	now, earlier := t.In(s.zone), t.Add(-turned).In(s.zone)
	over := func(counter Counter, _ Usage) bool {
		return counter.Start != counter.Period.start(now) && counter.Start.Before(counter.Period.start(earlier))
	}
	maps.DeleteFunc(memory.Member, over)
	maps.DeleteFunc(memory.Program, over)
}

// cut is what of an award limits and the budget leave, and by which of them; of several the one that leaves least.
func (v *Version) cut(s *Set, desired int64, occurredAt time.Time, memory Memory) (granted int64, by *Limit, budget bool) {
	granted = desired
	local := occurredAt.In(s.zone)
	for i := range v.Limits {
		limit := &v.Limits[i]
		used := memory.used(Counter{Rule: v.Rule, Scope: limit.Scope, Period: limit.Period, Start: limit.Period.start(local)})
		left := granted
		switch {
		case limit.Points != nil:
			left = max(*limit.Points-used.Points, 0)
		case used.Times >= int64(*limit.Times):
			left = 0
		}
		if left < granted {
			granted, by = left, limit
		}
	}
	if v.Budget != nil {
		used := memory.used(Counter{Rule: v.Rule, Scope: ProgramScope, Period: Lifetime, Start: firstDay})
		if left := max(*v.Budget-used.Points, 0); left < granted {
			granted, by, budget = left, nil, true
		}
	}
	return granted, by, budget
}

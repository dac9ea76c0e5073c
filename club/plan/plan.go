// Package plan says on which dates an event takes place: its first date, the rule of those behind it (RFC 5545), the dates
// left out and those added. It is pure: no clock, no database.
//
// A plan is made of times on the wall. A rule steps from wall to wall, so that an event at seven in the evening stays there
// when clocks change; dates that the calendar does not have, such as a 31st of June, are left out, not moved.
package plan

import (
	"slices"
	"strconv"
	"time"

	"github.com/teambition/rrule-go"

	"regulars/internal/problem"
	"regulars/internal/value"
)

// MaximumDates is how many dates a plan that ends can have.
const MaximumDates = 1200

// reach is how many years behind its first date a plan can go on.
const reach = 100

// Input is a plan as an organizer gives it.
type Input struct {
	Zone *time.Location
	// StartsAt is the first date.
	StartsAt value.LocalDateTime
	// Recurrence is the rule of the dates; nil: StartsAt is the only one.
	Recurrence *string
	// Excluded are dates of the rule that are left out, Added those beside it.
	Excluded []value.LocalDateTime
	Added    []value.LocalDateTime
}

// Date is a date of a plan.
type Date struct {
	Local value.LocalDateTime
	// Added tells whether it is there beside the rule.
	Added bool
}

// Plan is when an event takes place.
type Plan struct {
	zone     *time.Location
	start    value.LocalDateTime
	rule     *rrule.ROption // in walls, as if they were in UTC; nil: no rule
	excluded map[value.LocalDateTime]bool
	added    []value.LocalDateTime // in order
}

// New returns a plan of at least one date.
//
// Problems: INVALID_RECURRENCE, with the field at fault, for a rule that is malformed, repeats more often than daily or lacks
// the first date; for more than MaximumDates dates, except of a rule without an end; for an excluded date that the rule does
// not have or an added one that is there already.
func New(input Input) (*Plan, error) {
	p := &Plan{zone: input.Zone, start: input.StartsAt, excluded: map[value.LocalDateTime]bool{}}
	if input.Recurrence != nil {
		rule, err := parse(*input.Recurrence, input.Zone)
		if err != nil {
			return nil, invalid("recurrence", "%s", err)
		}
		rule.Dtstart = wall(input.StartsAt)
		if _, err := rrule.NewRRule(*rule); err != nil {
			return nil, invalid("recurrence", "The rule is out of range: %s.", err)
		}
		p.rule = rule
	}
	if len(input.Excluded) > MaximumDates || len(input.Added) > MaximumDates {
		return nil, invalid("recurrence", "At most %d dates can be left out or added.", MaximumDates)
	}
	if err := p.except(input); err != nil {
		return nil, err
	}
	if dates, more := p.Dates(nil, p.end(), MaximumDates); more && !p.Endless() {
		return nil, invalid("recurrence", "The plan has more than %d dates. Give it an earlier end, or none: then its dates are made ahead as time goes on.", MaximumDates)
	} else if len(dates) == 0 {
		return nil, invalid("recurrence", "The plan has no date at all.")
	}
	if p.rule != nil && p.rule.Count > 0 {
		if found := p.count(); found < p.rule.Count {
			return nil, invalid("recurrence", "Only %d of %d dates lie within %d years.", found, p.rule.Count, reach)
		}
	}
	return p, nil
}

// maximumWalk is how many dates of a rule are looked at for those that are left out or added: plans are made again and again.
const maximumWalk = 10 * MaximumDates

// except takes over the dates left out and added.
func (p *Plan) except(input Input) error {
	var problems problem.Problems
	last := input.StartsAt
	for _, date := range input.Excluded {
		p.excluded[date] = true
		if date.Compare(last) > 0 {
			last = date
		}
	}
	for _, date := range input.Added {
		if date.Compare(last) > 0 {
			last = date
		}
	}
	by := map[value.LocalDateTime]bool{}
	if end := p.end(); last.Compare(end) > 0 {
		return invalid("recurrence", "A plan goes on for at most %d years.", reach)
	}
	for date := range p.walk {
		if date.Compare(last) > 0 {
			break
		}
		if by[date] = true; len(by) > maximumWalk {
			return invalid("recurrence", "Dates are left out or added within the first %d of the rule.", maximumWalk)
		}
	}
	if !by[input.StartsAt] {
		return invalid("startsAt", "The first date is none of the rule's: start on one of them.")
	}
	for i, date := range input.Excluded {
		if !by[date] {
			problems.Add(problem.InvalidRecurrence, []string{"excludedDates", strconv.Itoa(i)}, "The rule has no date %s.", date)
		}
	}
	for i, date := range input.Added {
		if by[date] && !p.excluded[date] || slices.Contains(p.added, date) {
			problems.Add(problem.InvalidRecurrence, []string{"addedDates", strconv.Itoa(i)}, "The date %s is there already.", date)
		}
		p.added = append(p.added, date)
	}
	slices.SortFunc(p.added, value.LocalDateTime.Compare)
	return problems.Err()
}

// Endless tells whether the rule has no end.
func (p *Plan) Endless() bool {
	return p.rule != nil && p.rule.Count == 0 && p.rule.Until.IsZero()
}

// end is where every plan ends.
func (p *Plan) end() value.LocalDateTime {
	return value.LocalDateTimeOf(wall(p.start).AddDate(reach, 0, 0))
}

// Dates returns the plan's dates behind one, nil: from the first on, up to another, in order and at most limit; more tells
// whether there are others among them.
func (p *Plan) Dates(behind *value.LocalDateTime, upTo value.LocalDateTime, limit int) (dates []Date, more bool) {
	take := func(date Date) bool {
		if behind != nil && date.Local.Compare(*behind) <= 0 {
			return true
		}
		if date.Local.Compare(upTo) > 0 {
			return false
		}
		if len(dates) == limit {
			more = true
			return false
		}
		dates = append(dates, date)
		return true
	}
	added := p.added
	for local := range p.walk {
		for len(added) > 0 && added[0].Compare(local) < 0 {
			if !take(Date{added[0], true}) {
				return dates, more
			}
			added = added[1:]
		}
		if !p.excluded[local] && !take(Date{local, false}) {
			return dates, more
		}
	}
	for _, local := range added {
		if !take(Date{local, true}) {
			break
		}
	}
	return dates, more
}

// Excluded returns the dates of the rule that are left out, in order.
func (p *Plan) Excluded() []value.LocalDateTime {
	var dates []value.LocalDateTime
	for date := range p.excluded {
		dates = append(dates, date)
	}
	slices.SortFunc(dates, value.LocalDateTime.Compare)
	return dates
}

// walk yields the dates of the rule in order, excluded ones too.
func (p *Plan) walk(yield func(value.LocalDateTime) bool) {
	if p.rule == nil {
		yield(p.start)
		return
	}
	bounded := *p.rule
	// A rule that has no date would be followed to the end of time.
	if end := wall(p.end()); bounded.Until.IsZero() || bounded.Until.After(end) {
		bounded.Until = end
	}
	rule, err := rrule.NewRRule(bounded)
	if err != nil {
		return
	}
	next := rule.Iterator()
	for at, ok := next(); ok; at, ok = next() {
		if !yield(value.LocalDateTimeOf(at)) {
			return
		}
	}
}

// count is how many dates the rule has, at most as many as its COUNT says.
func (p *Plan) count() int {
	found := 0
	for range p.walk {
		found++
	}
	return found
}

func wall(local value.LocalDateTime) time.Time { return local.In(time.UTC) }

func invalid(field, format string, arguments ...any) error {
	return problem.At(problem.InvalidRecurrence, []string{field}, format, arguments...)
}

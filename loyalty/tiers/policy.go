package tiers

import (
	"time"

	"regulars/internal/value"
)

// Period says which qualifying points count together.
type Period string

// The periods.
const (
	// Rolling counts what qualified in the last months.
	Rolling Period = "ROLLING"
	// CalendarYear counts what qualified since the year began.
	CalendarYear Period = "CALENDAR_YEAR"
	// MembershipYear counts what qualified since the last day on which the member had joined that many whole years ago.
	MembershipYear Period = "MEMBERSHIP_YEAR"
	// Lifetime counts all that ever qualified.
	Lifetime Period = "LIFETIME"
)

// Start says from when on a tier is held that was reached.
type Start string

// The starts.
const (
	// AtOnce is with the fact that reaches the tier.
	AtOnce Start = "AT_ONCE"
	// NextPeriod is when the next year of the period begins; of periods that are no years, the next month.
	NextPeriod Start = "NEXT_PERIOD"
)

// Downgrade says what becomes of a tier that ran out and is not reached any more.
type Downgrade string

// The downgrades.
const (
	// Requalify leads to the tier that is reached.
	Requalify Downgrade = "REQUALIFY"
	// OneStep leads to the next lower tier, or to the one that is reached if that is higher.
	OneStep Downgrade = "ONE_STEP"
	// NeverDown keeps the tier.
	NeverDown Downgrade = "NEVER"
)

// Policy says how qualifying points are counted and how long a tier lasts. Periods follow the program's calendar.
type Policy struct {
	// Since is from when on decisions are made by it; the first one always was in force.
	Since  time.Time
	Period Period
	// Months is how many Rolling looks back.
	Months int
	// Validity is how long a tier lasts at least. With a period of years, it lasts to the end of the year in which that ends.
	Validity  value.Period
	Start     Start
	Downgrade Downgrade
	// Grace is how long after its end a tier is kept in which it can still be reached.
	Grace value.Period
	Zone  *time.Location
}

// DefaultPolicy counts the last 12 months and keeps a tier for 12 months from reaching it.
func DefaultPolicy(zone *time.Location) Policy {
	return Policy{Period: Rolling, Months: 12, Validity: value.Months(12), Start: AtOnce, Downgrade: Requalify, Zone: zone}
}

// CountsAfter is where the window ends that is open at t, for a member that joined then: points count that qualify later
// than it. Points that have stopped counting never count again: on a day that a rolling window's first month does not
// have, all days of that are over.
func (p Policy) CountsAfter(t, joined time.Time) time.Time {
	switch p.Period {
	case Lifetime:
		return time.Time{}
	case CalendarYear, MembershipYear:
		return p.begins(t, joined).Add(-time.Microsecond)
	case Rolling:
	}
	local := p.once(t).In(p.Zone)
	year, month, day := local.Date()
	first := time.Date(year, month-time.Month(p.Months), 1, 0, 0, 0, 0, time.UTC)
	if last := first.AddDate(0, 1, -1).Day(); day > last {
		return p.shows(time.Date(first.Year(), first.Month(), last+1, 0, 0, 0, 0, time.UTC)).Add(-time.Microsecond)
	}
	hour, minute, second := local.Clock()
	return p.shows(time.Date(first.Year(), first.Month(), day, hour, minute, second, local.Nanosecond(), time.UTC))
}

// shows is when clocks show what is told as UTC; where they never do, just before they skip it.
func (p Policy) shows(told time.Time) time.Time {
	year, month, day := told.Date()
	hour, minute, second := told.Clock()
	at := time.Date(year, month, day, hour, minute, second, told.Nanosecond(), p.Zone)
	_, offset := at.Zone()
	shown := at.Add(time.Duration(offset) * time.Second).UTC()
	begun, ended := at.ZoneBounds()
	switch {
	case shown.After(told):
		at = begun.Add(-time.Microsecond)
	case shown.Before(told):
		at = ended.Add(-time.Microsecond)
	}
	return at.UTC()
}

// once is t or, when clocks show a time that they have shown before since they were put back, the last instant before that:
// windows never go back.
func (p Policy) once(t time.Time) time.Time {
	local := t.In(p.Zone)
	begun, _ := local.ZoneBounds()
	if begun.IsZero() {
		return t
	}
	last := begun.Add(-time.Microsecond)
	_, now := local.Zone()
	_, before := last.In(p.Zone).Zone()
	if back := time.Duration(before-now) * time.Second; local.Sub(begun) < back {
		return last
	}
	return t
}

// unsure is how much earlier than by the calendar points may stop counting around changes of clocks, at most.
const unsure = 3 * time.Hour

// changes tells whether clocks are changed around t.
func (p Policy) changes(t time.Time) bool {
	begun, ended := t.In(p.Zone).ZoneBounds()
	return !begun.IsZero() && t.Sub(begun) < unsure || !ended.IsZero() && ended.Sub(t) < unsure
}

// CountsUntil is an instant until which points that qualified at t surely count; nil: for ever.
func (p Policy) CountsUntil(t, joined time.Time) *time.Time {
	var until time.Time
	switch p.Period {
	case Lifetime:
		return nil
	case CalendarYear, MembershipYear:
		until = p.next(t, joined)
	case Rolling:
		until = value.Months(p.Months).After(t, p.Zone)
		if p.changes(t) || p.changes(until) {
			until = until.Add(-unsure)
		}
	}
	return &until
}

// ReviewsAfter is where the window of a decision at t ends about whether a tier is kept. With a period of years it counts the
// last whole year and what has come since: nobody falls at the beginning of a year for having nothing in it yet.
func (p Policy) ReviewsAfter(t, joined time.Time) time.Time {
	if !p.yearly() {
		return p.CountsAfter(t, joined)
	}
	return p.begins(p.begins(t, joined).Add(-time.Microsecond), joined).Add(-time.Microsecond)
}

// Starts is when a tier that is reached at t begins to be held.
func (p Policy) Starts(t, joined time.Time) time.Time {
	switch {
	case p.Start == AtOnce:
		return t
	case p.yearly():
		return p.next(t, joined)
	}
	year, month, _ := t.In(p.Zone).Date()
	return time.Date(year, month+1, 1, 0, 0, 0, 0, p.Zone).UTC()
}

// Deadline is until when what is recorded at t counts towards the next tier; nil: that has no end of its own.
func (p Policy) Deadline(t, joined time.Time) *time.Time {
	if !p.yearly() {
		return nil
	}
	until := p.next(t, joined)
	return &until
}

// ends is until when a tier is valid that is held from t on; amid tells that t lies in the middle of a period, in which
// it was reached, and not at the end of one.
func (p Policy) ends(t, joined time.Time, amid bool) time.Time {
	end := p.Validity.After(t, p.Zone)
	if !p.yearly() {
		return end
	}
	if amid {
		end = end.Add(time.Microsecond)
	}
	if begun := p.begins(end, joined); begun.Equal(end) {
		return end
	}
	return p.next(end, joined)
}

func (p Policy) yearly() bool { return p.Period == CalendarYear || p.Period == MembershipYear }

// begins is when the year began that holds t.
func (p Policy) begins(t, joined time.Time) time.Time {
	year := t.In(p.Zone).Year()
	if first := p.first(year, joined); !first.After(t) {
		return first
	}
	return p.first(year-1, joined)
}

// next is when the year begins that follows the one that holds t.
func (p Policy) next(t, joined time.Time) time.Time {
	year := t.In(p.Zone).Year()
	if first := p.first(year, joined); first.After(t) {
		return first
	}
	return p.first(year+1, joined)
}

// first is the instant at which a year begins: midnight of its first day, or of the last one of its month if it does not
// have it.
func (p Policy) first(year int, joined time.Time) time.Time {
	month, day := time.January, 1
	if p.Period == MembershipYear {
		_, month, day = joined.In(p.Zone).Date()
		if last := time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day(); day > last {
			day = last
		}
	}
	return time.Date(year, month, day, 0, 0, 0, 0, p.Zone).UTC()
}

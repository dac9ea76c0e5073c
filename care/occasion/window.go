package occasion

import (
	"time"

	"regulars/internal/value"
)

// lasting is how long what happened to a member is worth telling.
const lasting = 72 * time.Hour

// Home is where a member lives, and where it lived before.
type Home struct {
	Zone *time.Location
	// Earlier is where it lived until Moved; nil: always here.
	Earlier *time.Location
	Moved   time.Time
}

// Terms are when a campaign says something: at SendAt on the member's clocks, on the day that lies Offset from the occasion. An
// offset with hours counts from the instant, whatever the clocks show.
type Terms struct {
	SendAt value.LocalTime
	Offset value.Offset
}

// Window is when something is said, [From, To).
type Window struct {
	// Day is on which it is to be said where the member lives; DayEnds is when that day is over.
	Day     value.Date
	DayEnds time.Time
	From    time.Time
	To      time.Time
}

// Due tells whether it can be said at t, Late whether it is too late then.
func (w Window) Due(t time.Time) bool { return !t.Before(w.From) && t.Before(w.To) }

// Late tells whether it is too late at t.
func (w Window) Late(t time.Time) bool { return !t.Before(w.To) }

// OnDay is the window of what is celebrated on a day: from the time at which it is said to the end of the day on which that is.
// A member that moved after that time does not lose the rest of the day that it had where it lived before.
func (t Terms) OnDay(date value.Date, home Home) Window {
	day := t.Day(date)
	window := t.on(day, home.Zone)
	window.To = window.DayEnds
	if home.Earlier != nil && home.Moved.After(window.From) {
		if ends := midnight(day, home.Earlier); ends.After(window.To) {
			window.To = ends
		}
	}
	return window
}

// Of is the window of what has happened to the member at an instant: at SendAt, or at once if it is later, for three days.
func (t Terms) Of(at time.Time, home Home) Window {
	window := t.from(at, home)
	if t.Offset.Period == (value.Period{}) && at.After(window.From) {
		window.From = at
	}
	window.To = window.From.Add(lasting)
	if window.To.Before(window.DayEnds) {
		window.To = window.DayEnds
	}
	return window
}

// Until is the window of what lies ahead of the member at an instant: it is over then.
func (t Terms) Until(at time.Time, home Home) Window {
	window := t.from(at, home)
	window.To = at
	return window
}

func (t Terms) from(at time.Time, home Home) Window {
	moved := t.Offset.From(at, home.Zone)
	window := t.on(value.DateOf(moved.In(home.Zone)), home.Zone)
	if t.Offset.Period.Clock != 0 {
		window.From = moved
	}
	return window
}

func (t Terms) on(day value.Date, zone *time.Location) Window {
	return Window{
		Day: day, DayEnds: midnight(day, zone),
		From: value.LocalDateTime{Year: day.Year, Month: day.Month, Day: day.Day, Hour: int(t.SendAt) / 60, Minute: int(t.SendAt) % 60}.In(zone).UTC(),
	}
}

// Day is the day on which is said what is about an occasion on a date.
func (t Terms) Day(date value.Date) value.Date {
	return value.DateOf(t.Offset.From(noon(date), time.UTC))
}

// Date is the date of an occasion that is spoken of on a day, where the offset has whole days alone.
func (t Terms) Date(day value.Date) value.Date {
	back := value.Offset{Period: t.Offset.Period, Before: !t.Offset.Before}
	return value.DateOf(back.From(noon(day), time.UTC))
}

// midnight is when a day is over.
func midnight(day value.Date, zone *time.Location) time.Time {
	next := AddDays(day, 1)
	return value.LocalDateTime{Year: next.Year, Month: next.Month, Day: next.Day}.In(zone).UTC()
}

func noon(day value.Date) time.Time {
	return time.Date(day.Year, day.Month, day.Day, 12, 0, 0, 0, time.UTC)
}

// AddDays returns the date so many days later.
func AddDays(date value.Date, days int) value.Date {
	return value.DateOf(noon(date).AddDate(0, 0, days))
}

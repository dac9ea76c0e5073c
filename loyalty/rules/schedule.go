package rules

import (
	"slices"
	"strings"
	"time"

	"regulars/internal/value"
)

// Weekday is a day of the week by its name in English capitals, e.g. MONDAY.
type Weekday string

func weekday(day time.Weekday) Weekday { return Weekday(strings.ToUpper(day.String())) }

// Window is a part of the week in which a rule serves: on Days, from From until Until by the clock of the program's zone. A
// window that ends no later than it starts ends on the day after.
type Window struct {
	Days  []Weekday       `json:"days"`
	From  value.LocalTime `json:"from"`
	Until value.LocalTime `json:"until"`
}

// serves tells whether the version's schedule has a fact that occurred at t. Clocks decide: an hour that is repeated when
// summer ends counts twice, one that is skipped never.
func (v *Version) serves(t time.Time, zone *time.Location) bool {
	if v.StartsAt != nil && t.Before(*v.StartsAt) || v.EndsAt != nil && !t.Before(*v.EndsAt) {
		return false
	}
	if len(v.Windows) == 0 {
		return true
	}
	local := t.In(zone)
	today, yesterday := weekday(local.Weekday()), weekday((local.Weekday()+6)%7)
	minute := value.LocalTime(local.Hour()*60 + local.Minute())
	return slices.ContainsFunc(v.Windows, func(window Window) bool {
		begun := slices.Contains(window.Days, today) && window.From <= minute
		if window.From < window.Until {
			return begun && minute < window.Until
		}
		return begun || slices.Contains(window.Days, yesterday) && minute < window.Until
	})
}

package lots

import (
	"time"

	"regulars/internal/value"
)

// ReturnPolicy says what happens to points that a return takes back and that were spent.
type ReturnPolicy string

// The return policies.
const (
	// MayGoNegative owes what is missing; the next accrual pays it first.
	MayGoNegative ReturnPolicy = "MAY_GO_NEGATIVE"
	// WithinBalance gives up what the member does not own.
	WithinBalance ReturnPolicy = "WITHIN_BALANCE"
	// OnlyPending takes back only what cannot be spent yet.
	OnlyPending ReturnPolicy = "ONLY_PENDING"
)

// ExpiryMode says how points lapse.
type ExpiryMode string

// The modes of expiry.
const (
	Never           ExpiryMode = "NEVER"
	AfterEarning    ExpiryMode = "AFTER_EARNING"
	AfterActivation ExpiryMode = "AFTER_ACTIVATION"
	OnDate          ExpiryMode = "ON_DATE"
	Inactivity      ExpiryMode = "INACTIVITY"
)

// PeriodUnit is a part of the calendar to whose end an expiry is rounded up.
type PeriodUnit string

// The units of rounding.
const (
	Month PeriodUnit = "MONTH"
	Year  PeriodUnit = "YEAR"
)

// Expiry is a program's policy of expiry, in force from Since on.
type Expiry struct {
	Mode ExpiryMode
	// After is how long points live, or how long nothing may be heard of a member.
	After value.Period
	// RoundUpTo makes what lapses within a month or year lapse when that is over; empty: no rounding.
	RoundUpTo PeriodUnit
	// On is the last day on which points count, of this year and, for points earned later, of the years that follow.
	On    value.Date
	Since time.Time
}

// ExpiresAt is when points lapse that were earned at one instant and can be spent from another on, in the program's zone;
// nil: they do not, or that is not known before they are activated, at nil.
func (e Expiry) ExpiresAt(earned time.Time, activated *time.Time, zone *time.Location) *time.Time {
	switch e.Mode {
	case AfterEarning:
		return e.after(earned, zone)
	case AfterActivation:
		if activated != nil {
			return e.after(*activated, zone)
		}
	case OnDate:
		for year := max(e.On.Year, earned.In(zone).Year()); ; year++ {
			if end := e.endOf(year, zone); earned.Before(end) {
				return &end
			}
		}
	case Never, Inactivity:
	}
	return nil
}

// endOf is when the day is over on which points count last, in that year; a month that is shorter ends it.
func (e Expiry) endOf(year int, zone *time.Location) time.Time {
	last := time.Date(year, e.On.Month+1, 0, 0, 0, 0, 0, time.UTC).Day()
	return time.Date(year, e.On.Month, min(e.On.Day, last)+1, 0, 0, 0, 0, zone).UTC()
}

func (e Expiry) after(from time.Time, zone *time.Location) *time.Time {
	at := e.After.After(from, zone)
	// The end of a period is the beginning of the next one; what lapses at that very instant is not moved on.
	local := at.Add(-time.Microsecond).In(zone)
	switch e.RoundUpTo {
	case Month:
		at = time.Date(local.Year(), local.Month()+1, 1, 0, 0, 0, 0, zone).UTC()
	case Year:
		at = time.Date(local.Year()+1, time.January, 1, 0, 0, 0, 0, zone).UTC()
	}
	return &at
}

// stretch is a policy of expiry with the instant at which another one took its place; nil: it is in force.
type stretch struct {
	Expiry
	until *time.Time
}

// stretches puts versions together that say the same of expiry.
func stretches(policies []Expiry) []stretch {
	var list []stretch
	for _, policy := range policies {
		if last := len(list) - 1; last >= 0 {
			again := policy
			again.Since = list[last].Since
			if again == list[last].Expiry {
				continue
			}
			list[last].until = &policy.Since
		}
		list = append(list, stretch{Expiry: policy})
	}
	return list
}

// strikes is when a member becomes idle of whom something was last heard at that instant; false: the policy is over by then.
func (s stretch) strikes(heard time.Time, zone *time.Location) (time.Time, bool) {
	if heard.Before(s.Since) {
		heard = s.Since
	}
	at := *s.after(heard, zone)
	return at, s.until == nil || at.Before(*s.until)
}

// Idle is when a member of whom something was last heard at that instant becomes idle under the policies, which stand in
// the order in which they came into force; nil: it does not. A policy counts from its own beginning at the earliest, so
// that a new one takes nothing at once, and up to the beginning of the next one.
func Idle(policies []Expiry, heard time.Time, zone *time.Location) *time.Time {
	for _, policy := range stretches(policies) {
		if policy.Mode != Inactivity {
			continue
		}
		if at, ok := policy.strikes(heard, zone); ok {
			return &at
		}
	}
	return nil
}

// IdleSince is an instant: whoever was not heard of later is idle at t under the policies. Nil: nobody need be. Months are not
// of one length and clocks are changed, so that back and forth is not the same: others may have been idle for some days.
func IdleSince(policies []Expiry, t time.Time, zone *time.Location) *time.Time {
	var latest *time.Time
	for _, policy := range stretches(policies) {
		if policy.Mode != Inactivity {
			continue
		}
		if first, ok := policy.strikes(policy.Since, zone); !ok || first.After(t) {
			continue
		}
		end := t
		if policy.until != nil && policy.until.Before(t) {
			end = *policy.until
		}
		since := policy.After.Before(end, zone).Add(-2 * time.Hour)
		if latest == nil || since.After(*latest) {
			latest = &since
		}
	}
	return latest
}

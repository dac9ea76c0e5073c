package club

import (
	"context"
	"strconv"
	"strings"
	"time"

	"regulars/club/plan"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Bounds of events.
const (
	maximumName        = 200
	maximumDescription = 10_000
	maximumVenue       = 500
	maximumSeats       = 1_000_000
	maximumPerBooking  = 1000
	maximumWindows     = 20
	maximumDays        = 31 // that a date takes
	maximumTerm        = 2  // years of anything before the start
	maximumAhead       = 10 // years
	maximumBack        = 1  // years
)

// zone is the event's, whose name was checked when it was given.
func (e *Event) zone() (*time.Location, error) {
	return value.ParseZone(e.TimeZone)
}

// plan is when the event takes place.
func (e *Event) plan() (*plan.Plan, error) {
	zone, err := e.zone()
	if err != nil {
		return nil, err
	}
	return plan.New(plan.Input{Zone: zone, StartsAt: e.StartsLocal, Recurrence: e.Recurrence, Excluded: e.ExcludedDates, Added: e.AddedDates})
}

// normalize brings what is said of an event, its dates aside, into the form in which it is kept, and checks it.
func (s *Service) normalize(ctx context.Context, e *Event) (problems problem.Problems, err error) {
	if e.Name = strings.TrimSpace(e.Name); !loyalty.Within(e.Name, maximumName) {
		problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumName)
	}
	if e.Description = trimmed(e.Description); e.Description != nil && !loyalty.Within(*e.Description, maximumDescription) {
		problems.Add(problem.InvalidName, []string{"description"}, "A description has at most %d characters.", maximumDescription)
	}
	e.Venue = checkVenue(&problems, e.Venue)
	checkCapacity(&problems, e.Capacity)
	checkDuration(&problems, e.Duration)
	if len(e.BookingWindows) == 0 {
		e.BookingWindows = nil
	}
	terms := func(field, format string, arguments ...any) {
		problems.Add(problem.InvalidBookingTerms, []string{field}, format, arguments...)
	}
	if e.SeatsPerBooking < 1 || e.SeatsPerBooking > maximumPerBooking {
		terms("seatsPerBooking", "A booking has from 1 seat to %d.", maximumPerBooking)
	}
	if e.AttendancePoints != nil && (*e.AttendancePoints < 1 || *e.AttendancePoints > value.MaximumPoints) {
		problems.Add(problem.InvalidPoints, []string{"attendancePoints"}, "Attendance gives from 1 point to %d, or none.", int64(value.MaximumPoints))
	}
	for _, term := range []struct {
		field string
		of    *value.Period
	}{
		{"bookingClosesBefore", e.BookingClosesBefore},
		{"cancelClosesBefore", e.CancelClosesBefore},
		{"offerValidFor", &e.OfferValidFor},
		{"checkInOpensBefore", &e.CheckInOpensBefore},
	} {
		if term.of != nil && !within(*term.of) {
			terms(term.field, "This is at most %d years.", maximumTerm)
		}
	}
	if e.OfferValidFor == (value.Period{}) {
		terms("offerValidFor", "An offer is good for more than nothing.")
	}
	if len(e.BookingWindows) > maximumWindows {
		terms("bookingWindows", "There are at most %d booking windows.", maximumWindows)
		return problems, nil
	}
	err = s.checkWindows(ctx, &problems, e.BookingWindows)
	return problems, err
}

func (s *Service) checkWindows(ctx context.Context, problems *problem.Problems, windows BookingWindows) error {
	seen := map[id.Tier]bool{}
	for i, window := range windows {
		at := []string{"bookingWindows", strconv.Itoa(i)}
		var of id.Tier
		if window.MinTierID != nil {
			of = *window.MinTierID
			tier, err := s.loyalty.Tier(ctx, of)
			if err != nil {
				return err
			}
			if tier == nil {
				problems.Add(problem.InvalidBookingTerms, append(at, "minTierId"), "There is no such tier.")
			}
		}
		if seen[of] {
			problems.Add(problem.InvalidBookingTerms, append(at, "minTierId"), "This tier has a window already.")
		}
		seen[of] = true
		if !within(window.OpensBefore) {
			problems.Add(problem.InvalidBookingTerms, append(at, "opensBefore"), "This is at most %d years.", maximumTerm)
		}
	}
	return nil
}

func within(term value.Period) bool {
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	return !term.After(from, time.UTC).After(from.AddDate(maximumTerm, 0, 0))
}

func trimmed(text *string) *string {
	if text == nil || strings.TrimSpace(*text) == "" {
		return nil
	}
	cut := strings.TrimSpace(*text)
	return &cut
}

func checkVenue(problems *problem.Problems, venue *string) *string {
	kept := trimmed(venue)
	if kept != nil && !loyalty.Within(*kept, maximumVenue) {
		problems.Add(problem.InvalidName, []string{"venue"}, "A venue has at most %d characters.", maximumVenue)
	}
	return kept
}

func checkCapacity(problems *problem.Problems, capacity *int) {
	if capacity != nil && (*capacity < 1 || *capacity > maximumSeats) {
		problems.Add(problem.InvalidCapacity, []string{"capacity"}, "A capacity is from 1 to %d; without one there is no limit.", maximumSeats)
	}
}

// checkDuration refuses what calendars cannot say: they know no months.
func checkDuration(problems *problem.Problems, duration value.Period) {
	from := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	ends := duration.After(from, time.UTC)
	if duration.Years+duration.Months > 0 || !ends.After(from) || ends.After(from.AddDate(0, 0, maximumDays)) {
		problems.Add(problem.InvalidDuration, []string{"duration"}, "A date takes more than nothing and at most %d days, in days, hours, minutes and seconds.", maximumDays)
	}
}

// checkStart refuses a start that is not to be meant.
func checkStart(problems *problem.Problems, at, now time.Time) {
	if at.Before(now.AddDate(-maximumBack, 0, 0)) || at.After(now.AddDate(maximumAhead, 0, 0)) {
		problems.Add(problem.InvalidTime, []string{"startsAt"}, "The first date is at most %d year back and %d years ahead.", maximumBack, maximumAhead)
	}
}

func checkReason(reason string) (string, error) {
	reason = strings.TrimSpace(reason)
	if !loyalty.Within(reason, loyalty.MaximumReason) {
		return "", problem.At(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", loyalty.MaximumReason)
	}
	return reason, nil
}

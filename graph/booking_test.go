package graph_test

import (
	"fmt"
	"strings"
	"testing"
)

// What the app shows of a list of dates does not ask the database for each of them.
func TestBookings_AskedTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ask(t, "ADMIN", `mutation { enrollMember(input: {externalId: "ada", idempotencyKey: "ada"}) { member { id } } }`)
	s.ask(t, "ORGANIZER", `mutation { createEvent(input: {name: "Daily", timeZone: "UTC", startsAt: "2026-03-02T18:00", duration: "PT1H", recurrence: "FREQ=DAILY;COUNT=100", capacity: 1}) { event { id } } }`)
	s.ask(t, "ORGANIZER", `mutation { publishEvent(input: {eventId: "{{evt_1}}"}) { event { status } } }`)
	shown := s.ask(t, "MEMBER ada", `{ events { nodes { occurrences(first: 100) { nodes { id } } } } }`)
	for i := range strings.Count(shown, `"id"`) {
		s.ask(t, "MEMBER ada", fmt.Sprintf(`mutation { book(input: {occurrenceId: "{{occ_%d}}", idempotencyKey: "%d"}) { userErrors { code } } }`, i+1, i))
	}
	asked := func(first int) int64 {
		t.Helper()
		before := s.readings.Load()
		answer := s.ask(t, "MEMBER ada", fmt.Sprintf(`{ events(first: 1) { nodes { name occurrences(first: %d) { nodes {
			id startsAt seatsTaken bookable { can code } viewerBooking { status waitlistPosition member { displayName } tier { name } occurrence { id } } } } } } }`, first))
		if got := strings.Count(answer, `"CONFIRMED"`); got != first {
			t.Fatalf("%d bookings are shown, not %d", got, first)
		}
		return s.readings.Load() - before
	}
	// A long list is loaded in a few parts.
	if few, many := asked(2), asked(100); many > few+40 {
		t.Errorf("2 dates ask for the time %d times, 100 dates %d times", few, many)
	}
}

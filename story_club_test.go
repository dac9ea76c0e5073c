package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/internal/actor"
)

var (
	eventForm   = regexp.MustCompile(`evt_[0-9a-z]{26}`)
	dateForm    = regexp.MustCompile(`occ_[0-9a-z]{26}`)
	bookingForm = regexp.MustCompile(`bkg_[0-9a-z]{26}`)
	runForm     = regexp.MustCompile(`run_[0-9a-z]{26}`)
)

// evening is a club that is looked at from all sides, under a clock that is stepped.
type evening struct {
	*booted
	t     *testing.T
	clock *clock
}

// ask sends an operation; staff are called by their role, members by their names.
func (e *evening) ask(who, document string) string {
	e.t.Helper()
	role, subject := actor.Role(who), "staff:"+strings.ToLower(who)
	if strings.ToLower(who) == who {
		role, subject = actor.Member, who
	}
	token, err := e.issuer.Token(role, subject, time.Hour, e.clock.read())
	if err != nil {
		e.t.Fatal(err)
	}
	body, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		e.t.Fatal(err)
	}
	status, answer := post(e.t, e.URL(), token, string(body))
	if status != http.StatusOK || strings.Contains(answer, `"errors"`) {
		e.t.Fatalf("%s\nis answered %d: %s", document, status, answer)
	}
	return answer
}

// tell asks and expects parts of the answer, which it returns.
func (e *evening) tell(who, document string, parts ...string) string {
	e.t.Helper()
	answer := e.ask(who, document)
	for _, part := range parts {
		if !strings.Contains(answer, part) {
			e.t.Errorf("%s\nis answered %s\nwhich lacks %s", document, answer, part)
		}
	}
	return answer
}

// wait asks until the jobs have done their work.
func (e *evening) wait(who, document, done string) {
	e.t.Helper()
	for {
		answer := e.ask(who, document)
		if strings.Contains(answer, done) {
			return
		}
		if e.t.Context().Err() != nil {
			e.t.Fatalf("%s\nis answered %s, and never %s", document, answer, done)
		}
	}
}

func (e *evening) later(by time.Duration) {
	e.clock.mutex.Lock()
	defer e.clock.mutex.Unlock()
	e.clock.now = e.clock.now.Add(by)
}

// book books for a member by itself and returns the booking.
func (e *evening) book(member, date string, parts ...string) string {
	e.t.Helper()
	return bookingForm.FindString(e.tell(member, fmt.Sprintf(`mutation { book(input: {occurrenceId: %q, idempotencyKey: %q})
		{ booking { id status waitlistPosition waitlistReason } userErrors { code } } }`, date, member+date), parts...))
}

func (e *evening) status(booking string) string {
	return fmt.Sprintf(`{ node(id: %q) { ... on Booking { status } } }`, booking)
}

// calendar is what the member's own calendar shows.
func (e *evening) calendar(member string) string {
	e.t.Helper()
	var answer struct {
		Data struct {
			Viewer struct{ Member struct{ CalendarURL string } }
		}
	}
	if err := json.Unmarshal([]byte(e.ask(member, `{ viewer { member { calendarUrl } } }`)), &answer); err != nil {
		e.t.Fatal(err)
	}
	status, _, feed := fetch(e.t, answer.Data.Viewer.Member.CalendarURL, "")
	if status != http.StatusOK {
		e.t.Fatalf("the calendar of %s answers %d", member, status)
	}
	// Long lines are folded.
	return strings.ReplaceAll(feed, "\r\n ", "")
}

func (e *evening) shows(member string, parts ...string) {
	e.t.Helper()
	feed := e.calendar(member)
	for _, part := range parts {
		if !strings.Contains(feed, part) {
			e.t.Errorf("the calendar of %s lacks %s:\n%s", member, part, feed)
		}
	}
}

// An organizer plans a weekly series, members book, move up the waiting list and come, a scanner without a network tells of it
// two days late, points follow who came, and everybody's calendar follows all of it.
func TestStory_Club(t *testing.T) {
	t.Parallel()
	e := &evening{t: t, clock: &clock{now: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)}}
	e.booted = boot(t, settings(t), e.clock.read)

	rule := ruleForm.FindString(e.ask("MARKETER", `mutation { createEarningRule(input: {name: "Thanks for coming", trigger: "CHECK_IN", award: {fixed: 20}})
		{ rule { id } userErrors { code } } }`))
	e.tell("MARKETER", fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { userErrors { code } } }`, rule), `"userErrors":[]`)
	for _, member := range []string{"ada", "ben", "cleo", "dora"} {
		e.tell(member, fmt.Sprintf(`mutation { enrollMember(input: {displayName: %q, idempotencyKey: "1"}) { member { id } userErrors { code } } }`, member), `mem_`)
	}

	// A series in a minute: Tuesdays at seven, two seats.
	event := eventForm.FindString(e.tell("ORGANIZER", `mutation { createEvent(input: {name: "Tea evening", timeZone: "Europe/Berlin", startsAt: "2026-03-10T19:00",
		duration: "PT2H", recurrence: "FREQ=WEEKLY;COUNT=4", capacity: 2, offerValidFor: "PT6H"}) { event { id } userErrors { code message } } }`, `"userErrors":[]`))
	dates := dateForm.FindAllString(e.tell("ORGANIZER", fmt.Sprintf(`mutation { publishEvent(input: {eventId: %q}) { event { status occurrences { nodes { id startsAt } } } } }`, event),
		`"PUBLISHED"`, `"2026-03-24T18:00:00Z"`, `"2026-03-31T17:00:00Z"`), -1)
	first, second := dates[0], dates[1]
	e.tell("ada", `{ events { nodes { name occurrences(first: 1) { nodes { startsAt bookable { can } viewerBooking { id } } } } } }`, `"Tea evening"`, `"can":true`, `"viewerBooking":null`)

	adas := e.book("ada", first, `"CONFIRMED"`)
	bens := e.book("ben", first, `"CONFIRMED"`)
	e.later(time.Hour)
	cleos := e.book("cleo", first, `"WAITLISTED"`, `"waitlistPosition":1`)
	e.later(time.Hour)
	doras := e.book("dora", first, `"WAITLISTED"`, `"waitlistPosition":2`, "Place 2 of 2: waiting since 2 March 2026, 12:00.")
	e.tell("ORGANIZER", fmt.Sprintf(`{ node(id: %q) { ... on Occurrence { seatsTaken waitlisted waitlist { member { displayName } waitlistReason } } } }`, first),
		`"seatsTaken":2,"waitlisted":2`, `"cleo"`, `"dora"`)

	// A seat comes free: it is held for who is next, and for the one behind when that one does not answer.
	e.tell("ada", fmt.Sprintf(`mutation { cancelBooking(input: {bookingId: %q}) { booking { status } } }`, adas), `"CANCELED_BY_MEMBER"`)
	e.tell("cleo", fmt.Sprintf(`{ node(id: %q) { ... on Booking { status offerExpiresAt } } }`, cleos), `"OFFERED","offerExpiresAt":"2026-03-02T17:00:00Z"`)
	e.tell("dora", fmt.Sprintf(`{ node(id: %q) { ... on Booking { status waitlistPosition } } }`, doras), `"WAITLISTED","waitlistPosition":1`)
	e.later(7 * time.Hour)
	e.tell("cleo", e.status(cleos), `"OFFER_EXPIRED"`)
	e.wait("dora", e.status(doras), `"OFFERED"`)
	e.tell("dora", fmt.Sprintf(`mutation { acceptOffer(input: {bookingId: %q}) { booking { status } userErrors { code } } }`, doras), `"CONFIRMED"`)
	e.tell("ORGANIZER", fmt.Sprintf(`{ node(id: %q) { ... on Occurrence { seatsTaken waitlisted } } }`, first), `"seatsTaken":2,"waitlisted":0`)

	// An hour later than planned: nobody loses a seat, and calendars follow.
	e.shows("ben", "UID:"+first+"@regulars", "DTSTART;TZID=Europe/Berlin:20260310T190000", "SEQUENCE:0", "STATUS:CONFIRMED")
	e.tell("ORGANIZER", fmt.Sprintf(`mutation { editOccurrences(input: {occurrenceId: %q, scope: THIS, startsAt: "2026-03-10T20:00"}) { occurrences { startsAt } userErrors { code } } }`, first),
		`"2026-03-10T19:00:00Z"`)
	e.tell("ben", fmt.Sprintf(`{ node(id: %q) { ... on Booking { status reconfirmationRequestedAt } } }`, bens), `"CONFIRMED","reconfirmationRequestedAt":"2026`)
	e.tell("ben", fmt.Sprintf(`mutation { reconfirmBooking(input: {bookingId: %q}) { booking { status reconfirmationRequestedAt } } }`, bens), `"CONFIRMED","reconfirmationRequestedAt":null`)
	e.shows("ben", "UID:"+first+"@regulars", "DTSTART;TZID=Europe/Berlin:20260310T200000", "SEQUENCE:1")
	e.book("ada", second, `"CONFIRMED"`)
	e.tell("ada", `{ events(filter: {bookedOnly: true}) { totalCount nodes { name } } }`, `"totalCount":1`)

	// At the door: one scanner has a network, the other has none.
	e.clock.mutex.Lock()
	e.clock.now = time.Date(2026, 3, 10, 18, 50, 0, 0, time.UTC)
	e.clock.mutex.Unlock()
	scan := func(member, booking, nonce string, at time.Time, offline bool) string {
		var answer struct {
			Data struct{ Node struct{ Ticket string } }
		}
		if err := json.Unmarshal([]byte(e.ask(member, fmt.Sprintf(`{ node(id: %q) { ... on Booking { ticket } } }`, booking))), &answer); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`mutation { checkIn(input: {ticket: %q, occurrenceId: %q, scannedAt: %q, nonce: %q, offline: %t}) { result replayed booking { status } userErrors { code } } }`,
			answer.Data.Node.Ticket, first, at.Format(time.RFC3339), nonce, offline)
	}
	arrival := scan("ben", bens, "door 1, scan 1", e.clock.read(), false)
	e.tell("ORGANIZER", arrival, `"result":"ADMITTED","replayed":false`)
	e.tell("ORGANIZER", arrival, `"result":"ADMITTED","replayed":true`)
	e.tell("ORGANIZER", fmt.Sprintf(`{ node(id: %q) { ... on Occurrence { door { expected arrived } } } }`, first), `"expected":2,"arrived":1`)
	offline := scan("dora", doras, "door 2, scan 1", e.clock.read().Add(5*time.Minute), true)
	points := func(member, want string) {
		t.Helper()
		e.tell(member, `{ viewer { member { points { available } } } }`, `"available":`+want+`}`)
	}
	points("ben", "0")

	// It is over: the job says who came, and the rule thanks them.
	e.later(4 * time.Hour)
	e.wait("ben", `{ viewer { member { points { available } } } }`, `"available":20}`)
	e.tell("ben", e.status(bens), `"ATTENDED"`)
	e.tell("dora", e.status(doras), `"NO_SHOW"`)
	points("dora", "0")
	e.later(2 * 24 * time.Hour)
	e.tell("ORGANIZER", offline, `"result":"ADMITTED"`, `"ATTENDED"`)
	points("dora", "20")

	// It was not Ben: what he got is taken back, and says why.
	e.tell("ORGANIZER", fmt.Sprintf(`mutation { correctAttendance(input: {bookingId: %q, attended: false, reason: "A friend with his phone"}) { booking { status } userErrors { code } } }`, bens), `"NO_SHOW"`)
	points("ben", "0")
	e.tell("ben", `{ viewer { member { pointsHistory { nodes { points title } } } } }`, `{"points":-20,`, `{"points":20,"title":"Thanks for coming"}`)

	// The next one does not take place.
	e.tell("ORGANIZER", fmt.Sprintf(`mutation { cancelOccurrence(input: {occurrenceId: %q, reason: "No heating"}) { occurrence { status } userErrors { code } } }`, second), `"CANCELED"`)
	e.tell("ada", `{ viewer { member { bookings { nodes { status reason } } } } }`, `{"status":"CANCELED_BY_HOST","reason":"No heating"}`)
	e.shows("ada", "STATUS:CANCELLED") //nolint:misspell // RFC 5545 writes it so.
	e.later(31 * 24 * time.Hour)
	if feed := e.calendar("ada"); strings.Contains(feed, "BEGIN:VEVENT") {
		t.Errorf("after a month the calendar still shows it:\n%s", feed)
	}

	e.run("check-books")
}

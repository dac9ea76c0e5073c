package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const booked = `(input: {occurrenceId: "<booked>", member: {id: "<member>"}, idempotencyKey: "book"})`

// fillBookings makes an event of the organizer's, and ada's bookings of its dates: one of which everything can be said, and one for
// each thing that can be done again without changing anything.
func (w *world) fillBookings(t *testing.T, db *postgres.DB, do func(caller, string, string) string, keep func(string, string, string) string, ada, admin caller) {
	t.Helper()
	const date, booking = `occ_\w+`, `bkg_\w+`
	organizer := w.callers[slices.IndexFunc(w.callers, func(who caller) bool { return who.name == "ORGANIZER" })]
	events := map[string]string{}
	open := func(name string, in time.Duration, more string) string {
		t.Helper()
		made := do(organizer, fmt.Sprintf(`createEvent(input: {name: %q, timeZone: "UTC", startsAt: %q, duration: "P1D", capacity: 2,
			checkInOpensBefore: "P30D"%s})`, name, time.Now().UTC().Add(in).Format("2006-01-02T15:04"), more), "event { id occurrences { nodes { id } } }")
		found := keep("<unused>", date, made)
		events[name] = keep("<unused>", `evt_\w+`, made)
		do(organizer, `publishEvent(input: {eventId: "`+events[name]+`"})`, "event { id }")
		return found
	}
	book := func(who caller, occurrence string) string {
		t.Helper()
		return keep("<unused>", booking, do(who, fmt.Sprintf(`book(input: {occurrenceId: %q, idempotencyKey: %q})`, occurrence, occurrence), "booking { id }"))
	}
	const week = 7 * 24 * time.Hour

	w.things["<room>"] = open("A tasting", week, "")
	w.things["<booking>"] = book(ada, w.things["<room>"])
	keep("<ticket>", `eyJ[^"]+`, w.ask(t, ada, `{ node(id: "<booking>") { ... on Booking { ticket } } }`, nil))
	full := open("A full one", week, "")
	do(admin, `enrollMember(input: {externalId: "guest", idempotencyKey: "guest"})`, "member { id }")
	do(admin, fmt.Sprintf(`book(input: {occurrenceId: %q, member: {externalId: "guest"}, seats: 2, idempotencyKey: "full"})`, full), "booking { id }")
	w.things["<waiting>"] = book(ada, full)
	w.things["<canceled booking>"] = book(ada, open("Another", week, ""))
	do(ada, `cancelBooking(input: {bookingId: "<canceled booking>", reason: "Ill"})`, "booking { id }")
	w.things["<unmoved>"] = book(ada, open("A quiet one", week, ""))
	w.things["<declined booking>"] = book(ada, open("An exclusive one", week, ", requiresApproval: true"))
	do(organizer, `declineBooking(input: {bookingId: "<declined booking>", note: "Next time"})`, "booking { id }")
	w.things["<completed>"] = open("One under way", -time.Hour, "")
	w.things["<attended>"] = book(ada, w.things["<completed>"])
	do(organizer, `completeOccurrence(input: {occurrenceId: "<completed>"})`, "occurrence { id }")
	do(organizer, `correctAttendance(input: {bookingId: "<attended>", attended: true, reason: "Seen"})`, "booking { id }")

	// Staff is one person in all roles here: what one booked is a replay for the others.
	filled := []string{w.things["<booking>"]}
	staffs := open("Booked by staff", week, "")
	own := open("Booked by ada", week, "")
	w.things["<booked>"] = own
	filled = append(filled, keep("<unused>", booking, do(ada, `book`+booked, "booking { id }")))
	w.things["<booked>"] = staffs
	filled = append(filled, keep("<unused>", booking, do(admin, `book`+booked, "booking { id }")))
	for i, who := range w.callers {
		if who.name == owner {
			if who.things == nil {
				w.callers[i].things = map[string]string{}
			}
			w.callers[i].things["<booked>"] = own
		}
	}
	// Nobody can book them any more, whoever asks; one opens later.
	for _, event := range events {
		do(organizer, `updateEvent(input: {eventId: "`+event+`", bookingWindows: [{minTierId: "<platinum>", opensBefore: "P1D"}]})`, "event { id }")
	}
	open("A later one", week, `, bookingWindows: [{opensBefore: "PT1H"}]`)
	for _, one := range filled {
		if _, err := db.Exec(t.Context(), `
			update bookings set reason = 'Welcome', offer_expires_at = $2, reconfirmation_requested_at = $2, checked_in_at = $2 where id = $1`,
			id.ParseBooking(one), time.Now().UTC().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
}

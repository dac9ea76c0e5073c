package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// A change that everybody who may can repeat.
const newPlace = `(input: {occurrenceId: "<date>", scope: THIS, venue: "The bar <n>"})`

// fillEvents makes events of the organizer's: one that is canceled, of which everything can be said, and one that goes on; and
// for whoever may, some to use up. On a date of the one that goes on seats are taken.
func (w *world) fillEvents(t *testing.T, db *postgres.DB, do func(caller, string, string) string, keep func(string, string, string) string) {
	t.Helper()
	const event, date = `evt_\w+`, `occ_\w+`
	organizer := w.callers[slices.IndexFunc(w.callers, func(who caller) bool { return who.name == "ORGANIZER" })]
	create := func(as caller, name string) string {
		t.Helper()
		next := time.Now().UTC().AddDate(0, 0, 7).Format("2006-01-02T15:04")
		return do(as, fmt.Sprintf(`createEvent(input: {name: %q, description: "Five coffees", timeZone: "Europe/Berlin", startsAt: %q, duration: "PT2H",
			recurrence: "FREQ=WEEKLY;COUNT=2", venue: "The roastery", capacity: 12, bookingWindows: [{minTierId: "<platinum>", opensBefore: "P7D"}],
			bookingClosesBefore: "PT1H", cancelClosesBefore: "P1D", attendancePoints: 5})`, name, next),
			"event { id occurrences { nodes { id } } }")
	}
	publish := func(as caller, name string) {
		t.Helper()
		do(as, `publishEvent(input: {eventId: "`+name+`"})`, "event { id }")
	}
	made := create(organizer, "Canceled")
	keep("<event>", event, made)
	keep("<date>", date, made)
	publish(organizer, "<event>")
	do(organizer, `editOccurrences(input: {occurrenceId: "<date>", scope: ALL, startsAt: "`+time.Now().UTC().AddDate(0, 0, 8).Format("2006-01-02T15:04")+`"})`, "occurrences { id }")
	do(organizer, `cancelEvent(input: {eventId: "<event>", reason: "Rain"})`, "event { id }")
	w.things["<ended>"] = w.things["<event>"]

	made = create(organizer, "Going on")
	keep("<template>", event, made)
	crowded := keep("<date>", date, made)
	publish(organizer, "<template>")
	if _, err := db.Exec(t.Context(), `update occurrences set seats_taken = 3 where id = $1`, id.ParseOccurrence(crowded)); err != nil {
		t.Fatal(err)
	}
	for i, who := range w.callers {
		if who.name != "ORGANIZER" && who.name != "ADMIN" {
			continue
		}
		things := map[string]string{}
		if who.things != nil {
			things = who.things
		}
		things["<rained off>"] = keep("<unused>", date, create(who, "To use up"))
		things["<over>"] = keep("<unused>", event, create(who, "To use up as well"))
		w.callers[i].things = things
	}
}

package jobs

import (
	"context"
	"strings"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// The timetable looks after a club: offers go on to who waits next, what is over is completed and gives its points, and a series
// goes on.
func TestTimetable_Club(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(loyaltytest.Fixed(10), func(input *loyalty.EarningRuleInput) { input.Trigger = "CHECK_IN" })
	events := club.New(w.DB, w.Service, identity.NewSigningKeys(w.DB))
	host := actor.With(t.Context(), actor.Actor{Caller: "test|host", Roles: []actor.Role{actor.Organizer}})
	starts, err := value.ParseLocalDateTime(w.Now().UTC().Add(72 * time.Hour).Format("2006-01-02T15:04"))
	must(t, err)
	weekly, capacity, hours := "FREQ=WEEKLY", 1, value.Period{Clock: 2 * time.Hour}
	made, err := events.CreateEvent(host, club.CreateEventInput{
		Name: "Tasting", TimeZone: "UTC", StartsAt: starts, Duration: hours, Recurrence: &weekly, Capacity: &capacity, Waitlist: true,
		SeatsPerBooking: 1, OfferValidFor: value.Period{Clock: 12 * time.Hour}, CheckInOpensBefore: value.Period{Clock: 1 * time.Hour},
	})
	must(t, err)
	_, err = events.PublishEvent(host, made.ID)
	must(t, err)
	dates, err := events.Occurrences(host, []id.Event{made.ID}, nil, nil, pointer(1), nil)
	must(t, err)
	first := dates[made.ID].Nodes[0].ID
	book := func(name string) (context.Context, *club.Booking) {
		t.Helper()
		w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = &name })
		w.Clock.Advance(time.Second)
		answer, err := events.Book(w.As(actor.Member, name), club.BookInput{OccurrenceID: first, Seats: 1, IdempotencyKey: w.Key()})
		must(t, err)
		return w.As(actor.Member, name), answer.Booking
	}
	ada, leaves := book("ada")
	_, lets := book("ben")
	cleo, comes := book("cleo")
	_, err = events.CancelBooking(ada, club.CancelBookingInput{BookingID: leaves.ID})
	must(t, err)

	r := whole(t, w)
	posted := func(job string, processed int) {
		t.Helper()
		turn(t, r)
		last, err := r.Runs(w.Admin, pointer(1), nil, &job)
		must(t, err)
		if run := last.Nodes[0]; run.Status != Succeeded || run.Processed != processed {
			t.Errorf("%s: %s, %d done, want %d", job, run.Status, run.Processed, processed)
		}
	}
	became := func(booking *club.Booking, want club.BookingStatus) *club.Booking {
		t.Helper()
		found, err := events.Booking(w.Admin, booking.ID)
		must(t, err)
		if found.Status != want {
			t.Errorf("it is %s, want %s", found.Status, want)
		}
		return found
	}
	became(lets, club.Offered)
	w.Clock.Advance(12*time.Hour + time.Minute)
	posted("post-lapsed-offers", 1)
	became(lets, club.OfferExpired)
	became(comes, club.Offered)
	_, err = events.AcceptOffer(cleo, comes.ID)
	must(t, err)

	w.Clock.Set(starts.In(time.UTC))
	shown := became(comes, club.Confirmed)
	tickets, err := events.Tickets(cleo, []*club.Booking{shown})
	must(t, err)
	_, err = events.CheckIn(host, club.CheckInInput{Ticket: *tickets[shown], OccurrenceID: first, ScannedAt: w.Now(), Nonce: "1"})
	must(t, err)
	w.Clock.Advance(2*time.Hour + 5*time.Minute)
	// One date, and one attendance.
	posted("complete-occurrences", 2)
	became(comes, club.Attended)
	if balance := w.Balance(&loyalty.Member{ID: comes.Member}); balance.Available != 10 {
		t.Errorf("coming gave %d points", balance.Available)
	}
	w.Clock.Advance(7 * 24 * time.Hour)
	posted("complete-occurrences", 1)
	posted("add-occurrences", 1)
	posted("check-books", 3)

	statement(t, w, `update occurrences set seats_taken = 0 where id = $1`, first)
	run := complete(t, w, r, "check-books")
	if run.Status != Failed || !strings.Contains(*run.Error, "(SEAT 1)") {
		t.Errorf("%+v", run)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package club_test

import (
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/value"
	"regulars/loyalty"
)

// What had lapsed is told to the next also when it comes to light by something that was told before.
func TestEnter_ToldByReplays(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]func(*house, *loyalty.Member, club.BookInput, club.CheckInInput) error{
		"a booking told again": func(h *house, member *loyalty.Member, booked club.BookInput, _ club.CheckInInput) error {
			_, err := h.club.Book(h.as(member), booked)
			return err
		},
		"a scan told again": func(h *house, _ *loyalty.Member, _ club.BookInput, scanned club.CheckInInput) error {
			_, err := h.club.CheckIn(h.door, scanned)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			occurrence := h.date(1)
			first, second, third := h.enroll("a"), h.enroll("b"), h.enroll("c")
			booked := club.BookInput{OccurrenceID: occurrence, Seats: 1, IdempotencyKey: "k"}
			answer, err := h.club.Book(h.as(first), booked)
			h.must(err)
			scanned := club.CheckInInput{Ticket: "x", OccurrenceID: occurrence, ScannedAt: h.Now(), Nonce: "n"}
			_, err = h.club.CheckIn(h.door, scanned)
			h.must(err)
			h.book(second, occurrence, 1, club.Waitlisted)
			last := h.book(third, occurrence, 1, club.Waitlisted)
			h.cancel(first, answer.Booking)
			h.Clock.Advance(25 * time.Hour)
			h.must(again(h, first, booked, scanned))
			var told int
			h.must(h.DB.Get(h.Admin, &told, `
				select count(*) from notices where type = 'booking.changed' and payload ->> 'booking' = $1 and payload ->> 'status' = 'OFFERED'`,
				last.ID.String()))
			if told != 1 || h.status(last) != club.Offered {
				t.Errorf("the next is %s and was told %d times", h.status(last), told)
			}
		})
	}
}

// Who was let in before the date was moved has not come to what takes place then.
func TestMoved_LetInBefore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, booking, ticket := h.started("ada", func(d *date) { d.points = 50 })
	h.checkIn(ticket, occurrence)
	_, err := h.club.EditOccurrences(h.host, club.EditOccurrencesInput{
		OccurrenceID: occurrence, Scope: club.This, StartsAt: wallAt(h.Now().Add(7 * 24 * time.Hour)),
	})
	h.must(err)
	h.Clock.Advance(9 * 24 * time.Hour)
	_, err = h.club.CompleteOccurrence(h.host, occurrence)
	h.must(err)
	if status := h.status(booking); status != club.NoShow {
		t.Errorf("it is %s", status)
	}
}

// New terms of an event end offers that they do not let stand, and offer the seats that they do.
func TestUpdateEvent_Terms(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(1)
	event := h.occurrence(occurrence).EventID
	first, second := h.enroll("a"), h.enroll("b")
	held := h.book(first, occurrence, 1, club.Confirmed)
	waiting := h.book(second, occurrence, 1, club.Waitlisted)
	closes := func(before *value.Period) {
		t.Helper()
		_, err := h.club.UpdateEvent(h.host, event, func(one *club.Event) { one.BookingClosesBefore = before })
		h.must(err)
	}
	early := value.Period{Clock: h.occurrence(occurrence).StartsAt.Sub(h.Now()) - time.Hour}
	closes(&early)
	h.Clock.Advance(2 * time.Hour)
	_, err := h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: held.ID})
	h.must(err)
	if status := h.status(waiting); status != club.Waitlisted {
		t.Errorf("once booking is over who waits is %s", status)
	}
	closes(nil)
	if status := h.status(waiting); status != club.Offered {
		t.Errorf("once booking is open again who waits is %s", status)
	}
	soon := value.Period{Clock: h.occurrence(occurrence).StartsAt.Sub(h.Now()) - time.Hour}
	closes(&soon)
	h.Clock.Advance(2 * time.Hour)
	if _, err := h.club.AcceptOffer(h.as(second), waiting.ID); err == nil {
		t.Error("an offer stands after booking was over")
	}
}

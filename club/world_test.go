package club_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// host is who organizes the events of these tests.
const host = "test|host"

// house is a program with a club.
type house struct {
	*loyaltytest.World
	club *club.Service
	keys *identity.SigningKeys
	host context.Context
	door context.Context
	t    testing.TB
}

func newHouse(t testing.TB) *house {
	t.Helper()
	return within(t, loyaltytest.New(t))
}

func within(t testing.TB, world *loyaltytest.World) *house {
	t.Helper()
	h := &house{World: world, keys: identity.NewSigningKeys(world.DB), t: t}
	h.club = club.New(world.DB, world.Service, h.keys)
	h.host = actor.With(t.Context(), actor.Actor{Caller: host, Roles: []actor.Role{actor.Organizer}})
	h.door = actor.With(t.Context(), actor.Actor{Caller: "client:door", Scopes: []actor.Scope{actor.CheckInWrite}})
	return h
}

// date is what a test says of an occurrence and its event.
type date struct {
	in, lasts                  time.Duration
	capacity                   *int
	approval, noWaitlist       bool
	windows                    club.BookingWindows
	closesBefore, cancelBefore *string
	seatsPerBooking, points    int
	eventStatus                string
}

// date makes an occurrence that begins in a week and lasts two hours, as far as edits say nothing else.
func (h *house) date(capacity int, edits ...func(*date)) id.Occurrence {
	h.t.Helper()
	one := date{in: 7 * 24 * time.Hour, lasts: 2 * time.Hour, seatsPerBooking: 4, eventStatus: "PUBLISHED"}
	if capacity > 0 {
		one.capacity = &capacity
	}
	for _, edit := range edits {
		edit(&one)
	}
	event, occurrence := id.New[id.Event](), id.New[id.Occurrence]()
	starts := h.Now().Add(one.in).UTC().Truncate(time.Microsecond)
	var points *int
	if one.points > 0 {
		points = &one.points
	}
	h.exec(`
		insert into events (id, owner, name, status, time_zone, starts_local, duration, capacity, booking_windows, requires_approval, waitlist,
			seats_per_booking, booking_closes_before, cancel_closes_before, offer_valid_for, check_in_opens_before, attendance_points,
			created_at, changed_at, published_at)
		values ($1, $2, 'Tasting', $3, 'UTC', $4::timestamptz at time zone 'UTC', 'PT2H', $5, $6, $7, $8, $9, $10, $11, 'PT24H', 'PT1H', $12, $13, $13, $13)`,
		event, host, one.eventStatus, starts, one.capacity, one.windows, one.approval, !one.noWaitlist, one.seatsPerBooking, one.closesBefore,
		one.cancelBefore, points, h.Now())
	h.exec(`
		insert into occurrences (id, event_id, planned_local, added, part, starts_local, starts_at, ends_at, duration, capacity, status, sequence, changed_at)
		values ($1, $2, $3::timestamptz at time zone 'UTC', false, 0, $3::timestamptz at time zone 'UTC', $3, $4, 'PT2H', $5, 'SCHEDULED', 0, $6)`,
		occurrence, event, starts, starts.Add(one.lasts), one.capacity, h.Now())
	return occurrence
}

func (h *house) exec(statement string, arguments ...any) {
	h.t.Helper()
	if _, err := h.DB.Exec(h.Admin, statement, arguments...); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

// enroll makes a member who can call.
func (h *house) enroll(name string) *loyalty.Member {
	h.t.Helper()
	return h.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID, input.DisplayName = &name, &name })
}

// as is the context of the member's own calls.
func (h *house) as(member *loyalty.Member) context.Context {
	return h.As(actor.Member, *member.ExternalID)
}

// book books for a member by itself and expects the status.
func (h *house) book(member *loyalty.Member, occurrence id.Occurrence, seats int, want club.BookingStatus) *club.Booking {
	h.t.Helper()
	answer, err := h.tryBook(member, occurrence, seats)
	h.must(err)
	equal(h.t, "status", want, answer.Booking.Status)
	return answer.Booking
}

func (h *house) tryBook(member *loyalty.Member, occurrence id.Occurrence, seats int) (*club.BookingAnswer, error) {
	return h.club.Book(h.as(member), club.BookInput{OccurrenceID: occurrence, Seats: seats, IdempotencyKey: h.Key()})
}

// cancel cancels by the member itself.
func (h *house) cancel(member *loyalty.Member, booking *club.Booking) {
	h.t.Helper()
	_, err := h.club.CancelBooking(h.as(member), club.CancelBookingInput{BookingID: booking.ID})
	h.must(err)
}

// status is what the booking is now.
func (h *house) status(booking *club.Booking) club.BookingStatus {
	h.t.Helper()
	return h.read(booking).Status
}

func (h *house) read(booking *club.Booking) *club.Booking {
	h.t.Helper()
	read, err := h.club.Booking(h.Admin, booking.ID)
	h.must(err)
	return read
}

// seats returns what the occurrence counts as taken and as waiting.
func (h *house) seats(occurrence id.Occurrence) [2]int {
	h.t.Helper()
	var counts struct {
		Taken   int `db:"seats_taken"`
		Waiting int `db:"waitlisted"`
	}
	h.must(h.DB.Get(h.Admin, &counts, `select seats_taken, waitlisted from occurrences where id = $1`, occurrence))
	return [2]int{counts.Taken, counts.Waiting}
}

// occurrence reads what bookings go by.
func (h *house) occurrence(wanted id.Occurrence) *club.Occurrence {
	h.t.Helper()
	var found club.Occurrence
	h.must(h.DB.Get(h.Admin, &found, `
		select id, event_id, starts_at, ends_at, capacity, seats_taken, waitlisted, status from occurrences where id = $1`, wanted))
	return &found
}

// ticket is what the member shows at the door.
func (h *house) ticket(member *loyalty.Member, booking *club.Booking) string {
	h.t.Helper()
	one := h.read(booking)
	tickets, err := h.club.Tickets(h.as(member), []*club.Booking{one})
	h.must(err)
	if tickets[one] == nil {
		h.t.Fatalf("%s has no ticket", one.ID)
	}
	return *tickets[one]
}

// checkIn shows a ticket now, as far as edits say nothing else.
func (h *house) checkIn(ticket string, occurrence id.Occurrence, edits ...func(*club.CheckInInput)) *club.CheckInAnswer {
	h.t.Helper()
	input := club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence, ScannedAt: h.Now(), Nonce: h.Key()}
	for _, edit := range edits {
		edit(&input)
	}
	answer, err := h.club.CheckIn(h.door, input)
	h.must(err)
	return answer
}

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: %s", what, diff)
	}
}

// refused expects problems, each as its code and the last step of its path.
func refused(t testing.TB, what string, err error, want ...string) {
	t.Helper()
	var got []string
	problems, told := problem.UserErrors(err)
	if err != nil && !told {
		t.Fatalf("%s: %v", what, err)
	}
	for _, one := range problems {
		var input problem.InputError
		if !errors.As(one, &input) {
			t.Fatalf("%s: %v", what, one)
		}
		last := ""
		if len(input.Path) > 0 {
			last = input.Path[len(input.Path)-1]
		}
		got = append(got, fmt.Sprintf("%s %s", input.Code, last))
	}
	equal(t, what, want, got)
}

func pointer[T any](value T) *T { return &value }

func loyaltyFixed(points int64) loyalty.AwardInput { return loyaltytest.Fixed(points) }

// wallAt is what clocks in UTC show at t.
func wallAt(t time.Time) *value.LocalDateTime {
	local := value.LocalDateTimeOf(t.UTC())
	return &local
}

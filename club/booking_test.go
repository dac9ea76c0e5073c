package club_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Complaint 5: of 200 who want the last seat at the same instant one has it; all others wait, and nobody is met by an error.
func TestBook_Complaint5_LastSeat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Clock.Tick(time.Microsecond)
	const crowd = 200
	occurrence := h.date(1)
	members := make([]*loyalty.Member, crowd)
	for i := range members {
		members[i] = h.enroll(fmt.Sprint("guest", i))
	}
	var confirmed, waiting atomic.Int64
	var group sync.WaitGroup
	for _, member := range members {
		group.Go(func() {
			answer, err := h.tryBook(member, occurrence, 1)
			switch {
			case err != nil:
				t.Error(err)
			case answer.Booking.Status == club.Confirmed:
				confirmed.Add(1)
			case answer.Booking.Status == club.Waitlisted:
				waiting.Add(1)
			}
		})
	}
	group.Wait()
	equal(t, "confirmed and waiting", [2]int64{1, crowd - 1}, [2]int64{confirmed.Load(), waiting.Load()})
	equal(t, "counted", [2]int{1, crowd - 1}, h.seats(occurrence))
}

// Even a program that miscounts cannot oversell: the database refuses.
func TestBook_Complaint5_CounterIsChecked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(2)
	h.book(h.enroll("ada"), occurrence, 2, club.Confirmed)
	if _, err := h.DB.Exec(h.Admin, `update occurrences set seats_taken = 3 where id = $1`, occurrence); err == nil {
		t.Error("three of two seats can be taken")
	}
}

// A retry is the same booking, also if both come at once; under another key there is still one booking.
func TestBook_Idempotent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, ada := h.date(10), h.enroll("ada")
	input := club.BookInput{OccurrenceID: occurrence, Seats: 2, IdempotencyKey: "once"}
	var group sync.WaitGroup
	made := make([]id.Booking, 8)
	for i := range made {
		group.Go(func() {
			answer, err := h.club.Book(h.as(ada), input)
			if err != nil {
				t.Error(err)
				return
			}
			made[i] = answer.Booking.ID
		})
	}
	group.Wait()
	for _, one := range made {
		equal(t, "booking", made[0], one)
	}
	_, err := h.tryBook(ada, occurrence, 1)
	refused(t, "twice", err, "ALREADY_BOOKED occurrenceId")
	input.Seats = 1
	_, err = h.club.Book(h.as(ada), input)
	refused(t, "another input", err, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	equal(t, "counted", [2]int{2, 0}, h.seats(occurrence))
}

func TestBook_Refused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.enroll("ada")
	canceled, draft := h.date(5), h.date(5, func(d *date) { d.eventStatus = "DRAFT" })
	h.exec(`update occurrences set status = 'CANCELED', canceled_at = $2, cancel_reason = 'Rain' where id = $1`, canceled, h.Now())
	full := h.date(1, func(d *date) { d.noWaitlist = true })
	h.book(h.enroll("bob"), full, 1, club.Confirmed)
	for name, one := range map[string]struct {
		occurrence id.Occurrence
		seats      int
		want       string
	}{
		"no such occurrence":   {id.New[id.Occurrence](), 1, "UNKNOWN_OCCURRENCE occurrenceId"},
		"a draft":              {draft, 1, "UNKNOWN_OCCURRENCE occurrenceId"},
		"canceled":             {canceled, 1, "EVENT_CANCELED occurrenceId"},
		"over":                 {h.date(5, func(d *date) { d.in = -3 * time.Hour }), 1, "EVENT_OVER occurrenceId"},
		"closed":               {h.date(5, func(d *date) { d.in, d.closesBefore = time.Hour, pointer("PT2H") }), 1, "NOT_OPEN occurrenceId"},
		"no seats":             {h.date(5), 0, "INVALID_SEATS seats"},
		"too many seats":       {h.date(50), 5, "INVALID_SEATS seats"},
		"more than there are":  {h.date(2), 3, "INVALID_SEATS seats"},
		"full without waiting": {full, 1, "FULLY_BOOKED occurrenceId"},
		"full and begun":       {h.full(func(d *date) { d.in = -time.Hour }), 1, "FULLY_BOOKED occurrenceId"},
	} {
		_, err := h.tryBook(ada, one.occurrence, one.seats)
		refused(t, name, err, one.want)
	}
	_, err := h.club.Book(h.As(actor.Member, "stranger"), club.BookInput{OccurrenceID: h.date(1), Seats: 1, IdempotencyKey: "1"})
	refused(t, "no member", err, "UNKNOWN_MEMBER member")
	if _, err := h.club.Book(h.host, club.BookInput{}); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a host books for members: %v", err)
	}
}

// full makes an occurrence whose one seat is taken.
func (h *house) full(edits ...func(*date)) id.Occurrence {
	h.t.Helper()
	occurrence := h.date(1, edits...)
	h.book(h.enroll("full"+h.Key()), occurrence, 1, club.Confirmed)
	return occurrence
}

// Each tier books from its own window on; below all of them nobody does. What one is told beforehand is what booking answers.
func TestBook_Windows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gold := h.Tier("Gold", 1, 100)
	occurrence := h.date(10, func(d *date) {
		d.windows = club.BookingWindows{
			{MinTierID: &gold.ID, OpensBefore: value.Period{Days: 3}}, {OpensBefore: value.Period{Days: 1}},
		}
	})
	only := h.date(10, func(d *date) {
		d.windows = club.BookingWindows{{MinTierID: &gold.ID, OpensBefore: value.Period{Days: 30}}}
	})
	h.Rule(loyaltyFixed(100))
	ada, bob := h.enroll("ada"), h.enroll("bob")
	h.Purchase(ada, "1")
	starts := h.occurrence(occurrence).StartsAt
	try := func(what string, member *loyalty.Member, wanted id.Occurrence, want ...string) {
		t.Helper()
		one := h.occurrence(wanted)
		told, err := h.club.Bookabilities(h.as(member), []*club.Occurrence{one})
		h.must(err)
		answer, err := h.tryBook(member, wanted, 1)
		refused(t, what, err, want...)
		equal(t, what+", told", err == nil, told[one].Can)
		if err == nil {
			h.cancel(member, answer.Booking)
		} else {
			equal(t, what+", code", want[0], string(*told[one].Code)+" occurrenceId")
		}
	}
	h.Clock.Set(starts.AddDate(0, 0, -3).Add(-time.Microsecond))
	try("gold, too early", ada, occurrence, "NOT_OPEN occurrenceId")
	try("basic, too low", bob, only, "TIER_TOO_LOW occurrenceId")
	try("gold alone", ada, only)
	h.Clock.Set(starts.AddDate(0, 0, -3))
	try("gold", ada, occurrence)
	try("basic, too early", bob, occurrence, "NOT_OPEN occurrenceId")
	told, err := h.club.Bookabilities(h.as(bob), []*club.Occurrence{h.occurrence(occurrence)})
	h.must(err)
	for _, one := range told {
		equal(t, "opens", starts.AddDate(0, 0, -1), *one.OpensAt)
	}
	h.Clock.Set(starts.AddDate(0, 0, -1))
	try("basic", bob, occurrence)
}

// A tier whose members book earlier opens them what is for everybody by that much earlier, and not what is for a tier.
func TestBook_EarlyBooking(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	silver := h.Tier("Silver", 1, 100)
	h.Clock.Advance(time.Second)
	if _, err := h.Service.CreateTier(h.Admin, loyalty.TierInput{Name: "Gold", Rank: 2, Threshold: 200, EarlyBooking: &value.Period{Days: 2}}); err != nil {
		t.Fatal(err)
	}
	h.Rule(loyaltyFixed(100))
	ada, bob := h.enroll("ada"), h.enroll("bob")
	h.Purchase(ada, "1")
	h.Purchase(ada, "1")
	h.Purchase(bob, "1")
	everybody := h.date(10, func(d *date) { d.windows = club.BookingWindows{{OpensBefore: value.Period{Days: 3}}} })
	tiered := h.date(10, func(d *date) {
		d.windows = club.BookingWindows{{MinTierID: &silver.ID, OpensBefore: value.Period{Days: 3}}}
	})
	starts := h.occurrence(everybody).StartsAt
	opens := func(member *loyalty.Member, wanted id.Occurrence, days int) {
		t.Helper()
		one := h.occurrence(wanted)
		told, err := h.club.Bookabilities(h.as(member), []*club.Occurrence{one})
		h.must(err)
		equal(t, "opens", one.StartsAt.AddDate(0, 0, -days), *told[one].OpensAt)
	}
	opens(ada, everybody, 5)
	opens(bob, everybody, 3)
	opens(ada, tiered, 3)
	h.Clock.Set(starts.AddDate(0, 0, -5))
	h.book(ada, everybody, 1, club.Confirmed)
	_, err := h.tryBook(bob, everybody, 1)
	refused(t, "the others", err, "NOT_OPEN occurrenceId")
}

// A host approves: the request has no seat until then, and a place in the line as of its own time if there is none by then.
func TestBook_Approval(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(1, func(d *date) { d.approval = true })
	ada, bob, eve := h.enroll("ada"), h.enroll("bob"), h.enroll("eve")
	first := h.book(ada, occurrence, 1, club.Requested)
	second := h.book(bob, occurrence, 1, club.Requested)
	third := h.book(eve, occurrence, 1, club.Requested)
	equal(t, "before", [2]int{0, 0}, h.seats(occurrence))
	review := func(do func(club.ReviewBookingInput) (*club.BookingAnswer, error), booking *club.Booking, want club.BookingStatus, replayed bool) {
		t.Helper()
		answer, err := do(club.ReviewBookingInput{BookingID: booking.ID})
		h.must(err)
		equal(t, "status", want, answer.Booking.Status)
		equal(t, "replayed", replayed, answer.Replayed)
	}
	approve := func(input club.ReviewBookingInput) (*club.BookingAnswer, error) {
		return h.club.ApproveBooking(h.host, input)
	}
	decline := func(input club.ReviewBookingInput) (*club.BookingAnswer, error) {
		return h.club.DeclineBooking(h.host, input)
	}
	review(approve, second, club.Confirmed, false)
	review(approve, second, club.Confirmed, true)
	h.Clock.Advance(time.Hour)
	review(approve, first, club.Waitlisted, false)
	review(decline, third, club.Declined, false)
	review(decline, third, club.Declined, true)
	equal(t, "after", [2]int{1, 1}, h.seats(occurrence))
	equal(t, "waiting since", first.BookedAt, *h.read(first).WaitingSince)
	_, err := h.club.ApproveBooking(h.host, club.ReviewBookingInput{BookingID: first.ID})
	refused(t, "no seat", err, "FULLY_BOOKED bookingId")
	_, err = h.club.ApproveBooking(h.host, club.ReviewBookingInput{BookingID: third.ID})
	refused(t, "declined", err, "BOOKING_ENDED bookingId")
	h.book(eve, occurrence, 1, club.Requested)
	other := actor.With(t.Context(), actor.Actor{Caller: "test|other", Roles: []actor.Role{actor.Organizer}})
	_, err = h.club.ApproveBooking(other, club.ReviewBookingInput{BookingID: first.ID})
	refused(t, "another host", err, "UNKNOWN_BOOKING bookingId")
	_, err = h.club.ApproveBooking(h.as(ada), club.ReviewBookingInput{BookingID: first.ID})
	refused(t, "the member", err, "UNKNOWN_BOOKING bookingId")
}

// Members cancel until the deadline; a host, and support for them, at any time before the end.
func TestCancel_Deadline(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(9, func(d *date) { d.cancelBefore = pointer("P1D") })
	ada, bob, eve := h.enroll("ada"), h.enroll("bob"), h.enroll("eve")
	first, second := h.book(ada, occurrence, 1, club.Confirmed), h.book(bob, occurrence, 1, club.Confirmed)
	third := h.book(eve, occurrence, 1, club.Confirmed)
	h.Clock.Set(h.occurrence(occurrence).StartsAt.AddDate(0, 0, -1).Add(-time.Microsecond))
	h.cancel(ada, first)
	h.Clock.Advance(time.Microsecond)
	_, err := h.club.CancelBooking(h.as(bob), club.CancelBookingInput{BookingID: second.ID})
	refused(t, "late", err, "CANCEL_CLOSED bookingId")
	_, err = h.club.CancelBooking(h.as(ada), club.CancelBookingInput{BookingID: second.ID})
	refused(t, "another's", err, "UNKNOWN_BOOKING bookingId")
	_, err = h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: second.ID, Reason: pointer("Too loud")})
	h.must(err)
	_, err = h.club.CancelBooking(h.As(actor.Support, "desk"), club.CancelBookingInput{BookingID: third.ID})
	h.must(err)
	equal(t, "statuses", []club.BookingStatus{club.CanceledByMember, club.CanceledByHost, club.CanceledByMember},
		[]club.BookingStatus{h.status(first), h.status(second), h.status(third)})
	equal(t, "counted", [2]int{0, 0}, h.seats(occurrence))
	answer, err := h.club.CancelBooking(h.as(ada), club.CancelBookingInput{BookingID: first.ID})
	h.must(err)
	equal(t, "again", true, answer.Replayed)
}

// The table of who comes is for a spreadsheet, which takes nothing in it for a formula; a host sees names, tiers and the end of a
// card's number, nothing else of anybody, and nothing of events of others.
func TestAttendees(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.occurrence(h.date(3))
	ada, bob := h.enroll("=Ada"), h.enroll(`Bob, "the" builder`)
	first, second := h.book(ada, occurrence.ID, 2, club.Confirmed), h.book(bob, occurrence.ID, 2, club.Waitlisted)
	table, err := h.club.AttendeeTable(h.host, occurrence)
	h.must(err)
	equal(t, "table", "booking,name,tier,seats,status,booked at,checked in at\r\n"+
		first.ID.String()+",'=Ada,Member,2,CONFIRMED,2025-01-06T09:00:00Z,\r\n"+
		second.ID.String()+",\"Bob, \"\"the\"\" builder\",Member,2,WAITLISTED,2025-01-06T09:00:00Z,\r\n", *table)
	for name, ctx := range map[string]context.Context{
		"another host": actor.With(t.Context(), actor.Actor{Caller: "test|other", Roles: []actor.Role{actor.Organizer}}), "host": h.host, "door": h.door,
		"another member": h.as(bob),
	} {
		attendees, err := h.club.Attendees(ctx, []*club.Booking{first})
		h.must(err)
		sees := name == "host" || name == "door"
		if equal(t, name, sees, attendees[first] != nil); !sees {
			continue
		}
		got := attendees[first]
		equal(t, name, []any{"=Ada", true, "********" + ada.Number[8:]}, []any{*got.DisplayName, got.ExternalID == nil && got.Email == nil, got.Number})
	}
}

// A member's own list has what it has booked, by the first date that it did, and not what it let go.
func TestEvents_BookedOnly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.enroll("ada")
	late := h.date(1, func(d *date) { d.in = 20 * 24 * time.Hour })
	soon, left, full := h.date(1), h.date(1), h.full()
	h.book(ada, late, 1, club.Confirmed)
	h.book(ada, soon, 1, club.Confirmed)
	h.cancel(ada, h.book(ada, left, 1, club.Confirmed))
	h.book(ada, full, 1, club.Waitlisted)
	h.date(1)
	listed := func(ctx context.Context, filter club.EventFilter, want ...id.Occurrence) {
		t.Helper()
		filter.BookedOnly = true
		got, wanted := []id.Event{}, []id.Event{}
		for after, more := (*string)(nil), true; more; {
			found, err := h.club.Events(ctx, filter, pointer(1), after)
			h.must(err)
			for _, one := range found.Nodes {
				got = append(got, one.ID)
			}
			total, err := found.Total(ctx)
			h.must(err)
			equal(t, "total", len(want), total)
			after, more = found.PageInfo.EndCursor, found.PageInfo.HasNextPage
		}
		for _, one := range want {
			wanted = append(wanted, h.occurrence(one).EventID)
		}
		equal(t, "events", wanted, got)
	}
	listed(h.as(ada), club.EventFilter{}, soon, full, late)
	from := h.Now().Add(10 * 24 * time.Hour)
	listed(h.as(ada), club.EventFilter{From: &from}, late)
	listed(h.as(h.enroll("ben")), club.EventFilter{})
	listed(h.host, club.EventFilter{})
}

package club_test

import (
	"sync"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/id"
)

// Complaint 5: two approvals for one seat. Of hosts that approve at once one gives it, and the other party waits.
func TestApproveBooking_Complaint5_OneSeat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Clock.Tick(time.Microsecond)
	occurrence := h.date(1, func(d *date) { d.approval = true })
	var asked []*club.Booking
	for range 8 {
		asked = append(asked, h.book(h.enroll("asks"+h.Key()), occurrence, 1, club.Requested))
	}
	var group sync.WaitGroup
	for _, one := range asked {
		group.Go(func() {
			if _, err := h.club.ApproveBooking(h.host, club.ReviewBookingInput{BookingID: one.ID}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	became := map[club.BookingStatus]int{}
	for _, status := range h.statuses(asked...) {
		became[status]++
	}
	equal(t, "became", map[club.BookingStatus]int{club.Confirmed: 1, club.Waitlisted: 7}, became)
	h.clean()
}

// Complaint 6: who canceled is offered a seat again.
func TestPromotion_Complaint6_CanceledIsNotAsked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, members, bookings := three(h)
	h.cancel(members[1], bookings[1])
	h.cancel(members[0], bookings[0])
	equal(t, "in line", []club.BookingStatus{club.CanceledByMember, club.CanceledByMember, club.Offered}, h.statuses(bookings...))
	h.clean()
}

// Complaint 6: the seat of who was offered one and turned it down, or was removed, stays blocked.
func TestPromotion_Complaint6_NoSeatStaysBlocked(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, members, bookings := three(h)
	h.cancel(members[0], bookings[0])
	h.cancel(members[1], bookings[1])
	equal(t, "next", club.Offered, h.status(bookings[2]))
	_, err := h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: bookings[2].ID})
	h.must(err)
	equal(t, "taken and waiting", [2]int{0, 0}, h.seats(occurrence))
	h.book(h.enroll("next"), occurrence, 1, club.Confirmed)
	h.clean()
}

// Complaint 6: bookings and their people are deleted when lists are tidied up. None ever is, whatever becomes of it.
func TestBookings_Complaint6_NoneDisappears(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, members, bookings := three(h)
	for i, one := range bookings {
		h.cancel(members[i], one)
	}
	if _, err := h.DB.Exec(h.Admin, `delete from bookings where occurrence_id = $1`, occurrence); err == nil {
		t.Error("they can be deleted")
	}
	one := h.occurrence(occurrence)
	listed, err := h.club.Bookings(h.host, []*club.Occurrence{one}, nil, nil, nil)
	h.must(err)
	equal(t, "listed", 3, len(listed[one].Nodes))
}

// Complaint 7: who comes to one date of a series is on the lists of others, or of all. A booking is of one date.
func TestBookings_Complaint7_OfOneDate(t *testing.T) {
	t.Parallel()
	c := open(t)
	h := within(t, c.World)
	event := c.event("2025-03-24T19:00", "FREQ=WEEKLY;COUNT=3")
	dates := c.dates(event)
	ada, ben := h.enroll("ada"), h.enroll("ben")
	h.book(ada, dates[0].ID, 1, club.Confirmed)
	h.book(ben, dates[0].ID, 1, club.Confirmed)
	h.book(ada, dates[1].ID, 2, club.Confirmed)
	lists, err := h.club.Bookings(h.Admin, dates, nil, nil, nil)
	h.must(err)
	for i, want := range []int{2, 1, 0} {
		equal(t, "on the list", want, len(lists[dates[i]].Nodes))
	}
	mine, err := h.club.ViewerBookings(h.as(ben), []id.Occurrence{dates[0].ID, dates[1].ID, dates[2].ID})
	h.must(err)
	equal(t, "of one date", 1, len(mine))
	equal(t, "seats of the second", [2]int{2, 0}, h.seats(dates[1].ID))
}

// Complaint 9: who comes before the door opens is let in, or gets points before the end. Neither is so.
func TestCheckIn_Complaint9_NotTooEarly(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, ada := h.date(1), h.enroll("ada")
	ticket := h.ticket(ada, h.book(ada, occurrence, 1, club.Confirmed))
	starts := h.occurrence(occurrence).StartsAt
	for _, step := range []struct {
		at   time.Time
		want club.CheckInResult
	}{{starts.Add(-time.Hour - time.Microsecond), club.TooEarly}, {starts.Add(-time.Hour), club.Admitted}, {starts, club.AlreadyIn}} {
		h.Clock.Set(step.at)
		equal(t, "result", step.want, h.checkIn(ticket, occurrence).Result)
		equal(t, "points before the end", int64(0), h.available(ada.ID))
	}
}

// Complaint 10: who did not come cannot register again, or counts as one who came. It books the next one as everybody does, and
// is listed as what it is.
func TestBook_Complaint10_AfterNoShow(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.enroll("ada")
	missed := h.date(1, func(d *date) { d.in = time.Hour })
	booking := h.book(ada, missed, 1, club.Confirmed)
	h.Clock.Advance(4 * time.Hour)
	_, err := h.club.CompleteOccurrence(h.host, missed)
	h.must(err)
	h.book(ada, h.date(1), 1, club.Confirmed)
	one := h.occurrence(missed)
	for only, want := range map[club.BookingStatus]int{club.NoShow: 1, club.Attended: 0} {
		listed, err := h.club.Bookings(h.host, []*club.Occurrence{one}, []club.BookingStatus{only}, nil, nil)
		h.must(err)
		equal(t, string(only), want, len(listed[one].Nodes))
	}
	equal(t, "status", club.NoShow, h.status(booking))
	h.clean()
}

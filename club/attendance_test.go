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
	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/reconcile"
)

type ruleInput = loyalty.EarningRuleInput

// room fills an occurrence with so many, of whom each second one is checked in, and lets it begin.
func (h *house) room(many int, edits ...func(*date)) (id.Occurrence, []*club.Booking) {
	h.t.Helper()
	occurrence := h.date(many, append([]func(*date){func(d *date) { d.in = 30 * time.Minute }}, edits...)...)
	bookings := make([]*club.Booking, many)
	for i := range bookings {
		member := h.enroll("guest" + h.Key())
		bookings[i] = h.book(member, occurrence, 1, club.Confirmed)
		if i%2 == 0 {
			equal(h.t, "result", club.Admitted, h.checkIn(h.ticket(member, bookings[i]), occurrence).Result)
		}
	}
	h.Clock.Advance(40 * time.Minute)
	return occurrence, bookings
}

// Complaint 9 and 10: points come with the end, for those who came, once; who did not come is told so and gets none.
func TestComplete_Complaint9_PointsAtTheEnd(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, bookings := h.room(5, func(d *date) { d.points = 7 })
	late := h.date(3)
	_, err := h.club.CompleteOccurrence(h.host, late)
	refused(t, "before the start", err, "NOT_STARTED occurrenceId")
	equal(t, "before the end", int64(0), h.available(bookings[0].Member))
	for range 2 {
		completed, err := h.club.CompleteOccurrence(h.host, occurrence)
		h.must(err)
		equal(t, "status", club.Completed, completed.Status)
	}
	for i, booking := range bookings {
		want, points := club.Attended, int64(17)
		if i%2 == 1 {
			want, points = club.NoShow, 0
		}
		equal(t, "status", want, h.status(booking))
		equal(t, "points", points, h.available(booking.Member))
	}
	equal(t, "seats stay as they were", [2]int{5, 0}, h.seats(occurrence))
	h.clean()
}

// clean expects books without a difference.
func (h *house) clean() {
	h.t.Helper()
	equal(h.t, "differences", []reconcile.Difference{}, h.differences())
}

func (h *house) differences() []reconcile.Difference {
	h.t.Helper()
	report, err := reconcile.Check(h.Admin, h.DB, nil, club.CheckBooks)
	h.must(err)
	return report.Differences
}

// fuse is a context that ends when it has been asked for so often.
type fuse struct {
	context.Context
	left atomic.Int64
	blow context.CancelFunc
}

func newFuse(parent context.Context, left int) *fuse {
	made := &fuse{}
	made.Context, made.blow = context.WithCancel(parent)
	made.left.Store(int64(left))
	return made
}

func (f *fuse) Done() <-chan struct{} {
	if f.left.Add(-1) < 0 {
		f.blow()
	}
	return f.Context.Done()
}

func (f *fuse) Err() error {
	f.Done()
	return f.Context.Err()
}

// Complaint 9: points stay when the attendance goes. A correction gives or takes back, whatever was said before and how often; the audit has who and why.
func TestCorrectAttendance_Complaint9_ReversesAndAdds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, bookings := h.room(2, func(d *date) { d.points = 7 })
	correct := func(booking *club.Booking, attended bool) error {
		_, err := h.club.CorrectAttendance(h.host, club.CorrectAttendanceInput{BookingID: booking.ID, Attended: attended, Reason: "Seen"})
		return err
	}
	refused(t, "too early", correct(bookings[0], false), "NOT_COMPLETED bookingId")
	_, err := h.club.CompleteOccurrence(h.host, occurrence)
	h.must(err)
	for i, one := range []struct {
		booking  int
		attended bool
		want     int64
	}{{0, true, 17}, {0, false, 0}, {0, false, 0}, {0, true, 17}, {0, false, 0}, {1, true, 17}, {1, false, 0}} {
		h.Clock.Advance(time.Second)
		h.must(correct(bookings[one.booking], one.attended))
		equal(t, fmt.Sprint("points after ", i), one.want, h.available(bookings[one.booking].Member))
	}
	var facts int
	h.must(h.DB.Get(h.Admin, &facts, `select count(*) from activities where source = 'club' and member_id = $1`, bookings[0].Member))
	equal(t, "facts", 2, facts)
	var audited int
	h.must(h.DB.Get(h.Admin, &audited, `
		select count(*) from changes where action = 'correctAttendance' and actor = $1 and after ->> 'reason' = 'Seen'`, host))
	equal(t, "audited", 5, audited)
	_, err = h.club.CorrectAttendance(h.host, club.CorrectAttendanceInput{BookingID: bookings[0].ID, Attended: true})
	refused(t, "no reason", err, "REASON_REQUIRED reason")
	_, err = h.club.CorrectAttendance(h.As("ORGANIZER", "other"), club.CorrectAttendanceInput{BookingID: bookings[0].ID, Attended: true, Reason: "x"})
	refused(t, "another host", err, "UNKNOWN_BOOKING bookingId")
	h.clean()
}

// What was spent of a corrected attendance is owed, as with a return.
func TestCorrectAttendance_Spent(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, bookings := h.room(1, func(d *date) { d.points = 7 })
	_, err := h.club.CompleteOccurrence(h.host, occurrence)
	h.must(err)
	member := bookings[0].Member
	_, err = h.Service.AdjustPoints(h.Admin, loyalty.AdjustPointsInput{
		Member: loyalty.MemberRef{ID: &member}, Points: -15, Reason: "Spent", IdempotencyKey: h.Key(),
	})
	h.must(err)
	_, err = h.club.CorrectAttendance(h.host, club.CorrectAttendanceInput{BookingID: bookings[0].ID, Reason: "Somebody else came"})
	h.must(err)
	balances, err := h.Service.Balances(h.Admin, []id.Member{member}, nil)
	h.must(err)
	equal(t, "debt", int64(15), balances[member].Debt)
	h.clean()
}

// Recording stops where it is killed, at any statement; what is left is done by the next run, and nothing twice.
func TestAward_KilledAnywhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	const guests = 9
	occurrence, bookings := h.room(guests, func(d *date) { d.points = 7 })
	kills := 0
	for length := 1; ; length += 1 + length/8 {
		ctx := newFuse(h.host, length)
		_, err := h.club.CompleteOccurrence(ctx, occurrence)
		ctx.blow()
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		kills++
	}
	if kills < 5 {
		t.Errorf("killed %d times only", kills)
	}
	done, err := h.club.AwardAttendance(h.Admin, 200)
	h.must(err)
	equal(t, "left", 0, done)
	for i, booking := range bookings {
		want := int64(17)
		if i%2 == 1 {
			want = 0
		}
		equal(t, "points", want, h.available(booking.Member))
	}
	h.clean()
}

// Several runs at once, and corrections among them, record each attendance once.
func TestAward_RunsBesideOneAnother(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Clock.Tick(time.Microsecond)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, bookings := h.room(20, func(d *date) { d.points = 7 })
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := h.club.CompleteOccurrence(h.host, occurrence); err != nil {
				t.Error(err)
			}
			if _, err := h.club.AwardAttendance(h.Admin, 200); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for i := range 4 {
		for _, attended := range []bool{false, true} {
			group.Go(func() {
				_, err := h.club.CorrectAttendance(h.host, club.CorrectAttendanceInput{BookingID: bookings[i].ID, Attended: attended, Reason: "Seen"})
				if err != nil {
					t.Error(err)
				}
			})
		}
	}
	group.Wait()
	_, err := h.club.AwardAttendance(h.Admin, 200)
	h.must(err)
	for _, booking := range bookings {
		want := int64(0)
		if h.status(booking) == club.Attended {
			want = 17
		}
		equal(t, "points", want, h.available(booking.Member))
	}
	h.clean()
}

// What has ended is completed by the job.
func TestCompleteEnded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, bookings := h.room(2)
	over, others := h.room(2)
	h.exec(`update events set status = 'CANCELED', canceled_at = $2, cancel_reason = 'The end'
		where id = (select event_id from occurrences where id = $1)`, over, h.Now())
	done, err := h.club.CompleteEnded(h.Admin, 100)
	h.must(err)
	equal(t, "before the end", 0, done)
	h.Clock.Advance(2 * time.Hour)
	for _, want := range []int{1, 1, 0} {
		done, err = h.club.CompleteEnded(h.Admin, 1)
		h.must(err)
		equal(t, "completed", want, done)
	}
	recorded, err := h.club.AwardAttendance(h.Admin, 200)
	h.must(err)
	equal(t, "recorded", 2, recorded)
	equal(t, "statuses", []club.BookingStatus{club.Attended, club.NoShow}, h.statuses(bookings...))
	equal(t, "statuses in an event that ended later", []club.BookingStatus{club.Attended, club.NoShow}, h.statuses(others...))
}

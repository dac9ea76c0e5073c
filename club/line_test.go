package club_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// lapse runs the job after the clock has moved on.
func (h *house) lapse(by time.Duration) {
	h.t.Helper()
	h.Clock.Advance(by)
	_, err := h.club.PostLapsedOffers(h.Admin, 100)
	h.must(err)
}

func (h *house) accept(member *loyalty.Member, booking *club.Booking) error {
	_, err := h.club.AcceptOffer(h.as(member), booking.ID)
	return err
}

func (h *house) statuses(bookings ...*club.Booking) []club.BookingStatus {
	h.t.Helper()
	statuses := make([]club.BookingStatus, len(bookings))
	for i, one := range bookings {
		statuses[i] = h.status(one)
	}
	return statuses
}

// three is a full occurrence for which two wait, and who has its seat.
func three(h *house, edits ...func(*date)) (occurrence id.Occurrence, members []*loyalty.Member, bookings []*club.Booking) {
	h.t.Helper()
	occurrence = h.date(1, edits...)
	for i, want := range []club.BookingStatus{club.Confirmed, club.Waitlisted, club.Waitlisted} {
		members = append(members, h.enroll("m"+h.Key()))
		bookings = append(bookings, h.book(members[i], occurrence, 1, want))
		h.Clock.Advance(time.Minute)
	}
	return occurrence, members, bookings
}

// Complaint 6: one seat is offered to one, the first in line, whoever freed it and however.
func TestPromotion_Complaint6_AnyFreedSeatOnce(t *testing.T) {
	t.Parallel()
	for name, free := range map[string]func(*house, id.Occurrence, []*loyalty.Member, []*club.Booking){
		"the member cancels": func(h *house, _ id.Occurrence, members []*loyalty.Member, bookings []*club.Booking) {
			h.cancel(members[0], bookings[0])
		},
		"a host removes": func(h *house, _ id.Occurrence, _ []*loyalty.Member, bookings []*club.Booking) {
			_, err := h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: bookings[0].ID})
			h.must(err)
		},
		"there is one seat more": func(h *house, occurrence id.Occurrence, _ []*loyalty.Member, _ []*club.Booking) {
			_, err := h.club.EditOccurrences(h.host, club.EditOccurrencesInput{
				OccurrenceID: occurrence, Scope: club.This, Capacity: club.Setting[int]{Given: true, Value: pointer(2)},
			})
			h.must(err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			occurrence, members, bookings := three(h)
			free(h, occurrence, members, bookings)
			equal(t, "in line", []club.BookingStatus{club.Offered, club.Waitlisted}, h.statuses(bookings[1:]...))
		})
	}
}

// Complaint 6: an offer that lapses, or that is turned down, is the next one's; who let it lapse is not asked again, and who wants
// to can book anew.
func TestPromotion_Complaint6_LapsedAndDeclinedOffers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, members, bookings := three(h)
	h.cancel(members[0], bookings[0])
	offered := h.read(bookings[1])
	equal(t, "a day to answer", 24*time.Hour, offered.OfferExpiresAt.Sub(h.Now()))
	h.Clock.Set(offered.OfferExpiresAt.Add(-time.Microsecond))
	equal(t, "before", []club.BookingStatus{club.Offered, club.Waitlisted}, h.statuses(bookings[1:]...))
	h.Clock.Advance(time.Microsecond)
	equal(t, "by the clock", []club.BookingStatus{club.OfferExpired, club.Waitlisted}, h.statuses(bookings[1:]...))
	refused(t, "accepted too late", h.accept(members[1], bookings[1]), "OFFER_EXPIRED bookingId")
	h.lapse(0)
	equal(t, "posted", []club.BookingStatus{club.OfferExpired, club.Offered}, h.statuses(bookings[1:]...))
	again := h.book(members[1], occurrence, 1, club.Waitlisted)
	h.cancel(members[2], bookings[2])
	equal(t, "turned down", []club.BookingStatus{club.OfferExpired, club.CanceledByMember, club.Offered}, h.statuses(bookings[1], bookings[2], again))
	h.must(h.accept(members[1], again))
	h.must(h.accept(members[1], again))
	equal(t, "counted", [2]int{1, 0}, h.seats(occurrence))
}

// Complaint 6: a seat that came free by the clock is not had by who happens to come before the job: who waits comes first.
func TestPromotion_Complaint6_NobodySlipsIn(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, members, bookings := three(h)
	h.cancel(members[0], bookings[0])
	h.Clock.Set(*h.read(bookings[1]).OfferExpiresAt)
	h.book(h.enroll("late"), occurrence, 1, club.Waitlisted)
	equal(t, "in line", []club.BookingStatus{club.OfferExpired, club.Offered}, h.statuses(bookings[1:]...))
}

// Complaint 6: nobody is offered anything once it has begun or booking is over, and no offer stands beyond that.
func TestPromotion_Complaint6_NeverAfterTheStart(t *testing.T) {
	t.Parallel()
	for name, closes := range map[string]*string{"start": nil, "deadline": pointer("PT3H")} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			occurrence, members, bookings := three(h, func(d *date) { d.closesBefore = closes })
			until := h.occurrence(occurrence).StartsAt
			if closes != nil {
				until = until.Add(-3 * time.Hour)
			}
			h.Clock.Set(until.Add(-20 * time.Minute))
			h.cancel(members[0], bookings[0])
			equal(t, "a quarter of an hour", until.Add(-5*time.Minute), *h.read(bookings[1]).OfferExpiresAt)
			h.lapse(16 * time.Minute)
			equal(t, "the rest", until, *h.read(bookings[2]).OfferExpiresAt)
			h.lapse(4 * time.Minute)
			equal(t, "over", []club.BookingStatus{club.OfferExpired, club.OfferExpired}, h.statuses(bookings[1:]...))
			other, others, waiting := three(h, func(d *date) { d.in = time.Hour })
			h.Clock.Set(h.occurrence(other).StartsAt)
			_, err := h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: waiting[0].ID})
			h.must(err)
			equal(t, "nobody is asked", []club.BookingStatus{club.Waitlisted, club.Waitlisted}, h.statuses(waiting[1:]...))
			_, err = h.club.ApproveBooking(h.host, club.ReviewBookingInput{BookingID: waiting[2].ID})
			h.must(err)
			equal(t, "a host lets in", club.Confirmed, h.status(waiting[2]))
			_ = others
		})
	}
}

// Complaint 6: a party that does not fit is passed over and keeps its place; it is not split, and has its turn when it fits.
func TestPromotion_Complaint6_Groups(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(3)
	ada, bob := h.enroll("ada"), h.enroll("bob")
	first, second := h.book(ada, occurrence, 2, club.Confirmed), h.book(bob, occurrence, 1, club.Confirmed)
	group := h.book(h.enroll("group"), occurrence, 2, club.Waitlisted)
	h.Clock.Advance(time.Minute)
	single := h.book(h.enroll("single"), occurrence, 1, club.Waitlisted)
	h.Clock.Advance(time.Minute)
	last := h.book(h.enroll("last"), occurrence, 1, club.Waitlisted)
	h.cancel(bob, second)
	equal(t, "one seat", []club.BookingStatus{club.Waitlisted, club.Offered, club.Waitlisted}, h.statuses(group, single, last))
	h.cancel(ada, first)
	equal(t, "two seats", []club.BookingStatus{club.Offered, club.Offered, club.Waitlisted}, h.statuses(group, single, last))
	equal(t, "counted", [2]int{3, 1}, h.seats(occurrence))
}

// The rank is by tier, waiting time and no-shows, and is explained to the member; the host sees the line in that order.
// Complaint 10: who does not come waits longer next time, but is not shut out.
func TestLine_Complaint10_RankIsExplained(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Tier("Gold", 1, 100)
	h.Rule(loyaltyFixed(100))
	names := []string{"plain", "gold", "missed"}
	members := make([]*loyalty.Member, len(names))
	for i, name := range names {
		members[i] = h.enroll(name)
	}
	h.Purchase(members[1], "1")
	missed := h.date(1, func(d *date) { d.in = time.Hour })
	h.book(members[2], missed, 1, club.Confirmed)
	h.Clock.Advance(4 * time.Hour)
	_, err := h.club.CompleteOccurrence(h.host, missed)
	h.must(err)

	occurrence := h.full()
	late := h.book(members[2], occurrence, 1, club.Waitlisted)
	h.Clock.Advance(12 * time.Hour)
	plain := h.book(members[0], occurrence, 1, club.Waitlisted)
	h.Clock.Advance(12 * time.Hour)
	gold := h.book(members[1], occurrence, 1, club.Waitlisted)

	one := h.occurrence(occurrence)
	lines, err := h.club.Lines(h.host, []*club.Occurrence{one})
	h.must(err)
	var order []id.Booking
	for _, booking := range *lines[one] {
		order = append(order, booking.ID)
	}
	equal(t, "order", []id.Booking{gold.ID, plain.ID, late.ID}, order)
	said := func(member *loyalty.Member, booking *club.Booking) string {
		t.Helper()
		booking = h.read(booking)
		places, err := h.club.Places(h.as(member), []*club.Booking{booking})
		h.must(err)
		return places[booking].Reason
	}
	for _, one := range []struct {
		got, begins, ends string
	}{
		{said(members[1], gold), "Place 1 of 3: waiting since 7 January 2025", "; Gold counts as a day of waiting more."},
		{said(members[0], plain), "Place 2 of 3: waiting since 7 January 2025", "."},
		{said(members[2], late), "Place 3 of 3: waiting since 6 January 2025", "; one event missed in the last year: 2 days of waiting less."},
	} {
		if !strings.HasPrefix(one.got, one.begins) || !strings.HasSuffix(one.got, one.ends) {
			t.Errorf("%q", one.got)
		}
	}
}

// Complaint 7: what is moved keeps its bookings and asks whether they still hold; no answer loses nothing, and who cannot come
// cancels until the start.
func TestMoved_Complaint7_KeepsBookings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence := h.date(2, func(d *date) { d.cancelBefore = pointer("P3D") })
	ada, bob := h.enroll("ada"), h.enroll("bob")
	first, second := h.book(ada, occurrence, 1, club.Confirmed), h.book(bob, occurrence, 1, club.Confirmed)
	waiting := h.book(h.enroll("eve"), occurrence, 1, club.Waitlisted)
	starts := h.occurrence(occurrence).StartsAt
	_, err := h.club.EditOccurrences(h.host, club.EditOccurrencesInput{
		OccurrenceID: occurrence, Scope: club.This, StartsAt: wallAt(starts.AddDate(0, 0, -5)),
	})
	h.must(err)
	equal(t, "statuses", []club.BookingStatus{club.Confirmed, club.Confirmed, club.Waitlisted}, h.statuses(first, second, waiting))
	equal(t, "asked", true, h.read(first).ReconfirmationRequestedAt != nil && h.read(waiting).ReconfirmationRequestedAt == nil)
	for _, replayed := range []bool{false, true} {
		answer, err := h.club.ReconfirmBooking(h.as(ada), first.ID)
		h.must(err)
		equal(t, "again", replayed, answer.Replayed)
	}
	equal(t, "answered", true, h.read(first).ReconfirmationRequestedAt == nil)
	_, err = h.club.CancelBooking(h.as(ada), club.CancelBookingInput{BookingID: first.ID})
	refused(t, "confirmed anew", err, "CANCEL_CLOSED bookingId")
	h.cancel(bob, second)
	equal(t, "next", club.Offered, h.status(waiting))
	equal(t, "notices", 3, h.told(`booking.moved`))
}

// told counts notices of a type.
func (h *house) told(kind string) int {
	h.t.Helper()
	var count int
	h.must(h.DB.Get(h.Admin, &count, `select count(*) from notices where type = $1`, kind))
	return count
}

// What does not take place has no bookings that live, and whoever had one is told.
func TestCanceledOccurrence(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, _, bookings := three(h)
	before := h.told("booking.changed")
	_, err := h.club.CancelOccurrence(h.host, occurrence, "Rain")
	h.must(err)
	equal(t, "statuses", []club.BookingStatus{club.CanceledByHost, club.CanceledByHost, club.CanceledByHost}, h.statuses(bookings...))
	equal(t, "counted", [2]int{0, 0}, h.seats(occurrence))
	equal(t, "told", 3, h.told("booking.changed")-before)
	equal(t, "reason", "Rain", *h.read(bookings[2]).Reason)
	h.Clock.Advance(30 * 24 * time.Hour)
	_, err = h.club.CompleteOccurrence(h.host, occurrence)
	refused(t, "completed", err, "EVENT_CANCELED occurrenceId")
	done, err := h.club.CompleteEnded(h.Admin, 100)
	h.must(err)
	equal(t, "completed by the job", 0, done)
}

// calendarToken is the secret of the member's calendar.
func (h *house) calendarToken(member *loyalty.Member) string {
	h.t.Helper()
	urls, err := h.club.CalendarURLs(h.as(member), []id.Member{member.ID})
	h.must(err)
	if urls[member.ID] == nil {
		return ""
	}
	_, token, _ := strings.Cut(*urls[member.ID], "/calendar/member/")
	return strings.TrimSuffix(token, ".ics")
}

// The address can be asked for at any time, by its member alone. Each one is good until the member wants another, and keys
// that are rotated end none before they are retired.
func TestCalendarURLs_Secret(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, ben := h.enroll("ada"), h.enroll("ben")
	serves := func(what, token string, want bool) {
		t.Helper()
		feed, err := h.club.MemberFeed(t.Context(), token)
		h.must(err)
		equal(t, what, want, feed != nil)
	}
	change := func(active bool) {
		t.Helper()
		_, err := h.club.SetCalendarLink(h.as(ada), club.SetCalendarLinkInput{Active: active})
		h.must(err)
	}
	first := h.calendarToken(ada)
	equal(t, "asked again", first, h.calendarToken(ada))
	serves("the first", first, true)
	for what, ctx := range map[string]context.Context{"a member": h.as(ben), "an admin": h.Admin, "a host": h.host} {
		urls, err := h.club.CalendarURLs(ctx, []id.Member{ada.ID})
		h.must(err)
		equal(t, what+" is told", 0, len(urls))
	}
	rotated, err := h.keys.Rotate(h.Admin)
	h.must(err)
	another := h.calendarToken(ada)
	equal(t, "the same behind a rotation", false, first == another)
	serves("from before the rotation", first, true)
	serves("from after the rotation", another, true)
	change(true)
	serves("replaced", first, false)
	serves("replaced", another, false)
	second := h.calendarToken(ada)
	serves("the second", second, true)
	change(false)
	equal(t, "ended", "", h.calendarToken(ada))
	serves("ended", second, false)
	change(true)
	serves("ended before", second, false)
	third := h.calendarToken(ada)
	serves("the third", third, true)
	for what, token := range map[string]string{"a forged one": third[:len(third)-2] + "xx", "nonsense": "nonsense", "none": ""} {
		serves(what, token, false)
	}
	ticket := h.ticket(ben, h.book(ben, h.date(1), 1, club.Confirmed))
	serves("a ticket", ticket, false)
	_, err = h.keys.Rotate(h.Admin)
	h.must(err)
	h.must(h.keys.Retire(h.Admin, rotated.ID))
	serves("of a retired key", third, false)
	serves("told anew", h.calendarToken(ada), true)
}

// A member's calendar has what it comes to, and for a while what does not take place; not what it waits for, canceled, or was
// removed from.
func TestMemberFeed_Bookings(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.enroll("ada")
	token := h.calendarToken(ada)
	comes, rained, left, removed, waits := h.date(1), h.date(1), h.date(1), h.date(1), h.full()
	h.book(ada, comes, 1, club.Confirmed)
	h.book(ada, rained, 1, club.Confirmed)
	h.cancel(ada, h.book(ada, left, 1, club.Confirmed))
	_, err := h.club.CancelBooking(h.host, club.CancelBookingInput{BookingID: h.book(ada, removed, 1, club.Confirmed).ID})
	h.must(err)
	h.book(ada, waits, 1, club.Waitlisted)
	_, err = h.club.CancelOccurrence(h.host, rained, "Rain")
	h.must(err)
	shown := func(wanted ...id.Occurrence) {
		t.Helper()
		feed, err := h.club.MemberFeed(t.Context(), token)
		h.must(err)
		for _, one := range []id.Occurrence{comes, rained, left, removed, waits} {
			equal(t, one.String(), slices.Contains(wanted, one), strings.Contains(string(feed), one.String()) || strings.Contains(string(feed), h.occurrence(one).EventID.String()))
		}
	}
	shown(comes, rained)
	h.Clock.Advance(31 * 24 * time.Hour)
	shown(comes)
}

// The jobs' bodies are for admins.
func TestJobs_Access(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for name, body := range map[string]func(context.Context, int) (int, error){
		"offers": h.club.PostLapsedOffers, "completion": h.club.CompleteEnded, "attendance": h.club.AwardAttendance,
	} {
		if _, err := body(h.host, 1); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s runs for a host: %v", name, err)
		}
	}
}

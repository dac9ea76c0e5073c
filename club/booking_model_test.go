package club_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// TestModel runs random operations of members, hosts, the door and the jobs, with jumps of the clock, on two occurrences, and
// holds them after each to what bookings promise: seats taken are seats held, never more than there are; nobody waits while a
// seat is free that fits; no booking disappears; a status follows from the one before by the table; and a booking says the same
// to whoever reads it, posted or not.
func TestModel(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	gold := h.Tier("Gold", 1, 100)
	h.Rule(loyaltyFixed(100))
	members := make([]*loyalty.Member, 6)
	for i := range members {
		members[i] = h.enroll(fmt.Sprint("member", i))
	}
	h.Purchase(members[0], "1")
	if h.Standing(members[0]).Tier.ID != gold.ID {
		t.Fatal("nobody is gold")
	}
	rapid.Check(t, func(t *rapid.T) {
		m := &model{house: h, T: t, members: members, known: map[id.Booking]club.BookingStatus{}}
		for range 2 {
			capacity := rapid.IntRange(1, 5).Draw(t, "capacity")
			m.dates = append(m.dates, h.date(capacity, func(d *date) {
				d.in = time.Duration(rapid.IntRange(1, 80).Draw(t, "hours")) * time.Hour
				d.approval, d.points = rapid.Bool().Draw(t, "approval"), 5
				if rapid.Bool().Draw(t, "closes") {
					d.closesBefore = pointer("PT3H")
				}
			}))
		}
		for range rapid.IntRange(5, 30).Draw(t, "steps") {
			m.step()
			m.check()
		}
	})
	h.clean()
}

type model struct {
	*house
	*rapid.T
	members  []*loyalty.Member
	dates    []id.Occurrence
	bookings []*club.Booking
	known    map[id.Booking]club.BookingStatus
}

// let takes an answer: what can be acted on is an outcome like others.
func (m *model) let(what string, err error) bool {
	if err == nil {
		return true
	}
	if _, told := problem.UserErrors(err); !told {
		m.T.Fatalf("%s: %v", what, err)
	}
	m.Logf("%s: %v", what, err)
	return false
}

func (m *model) step() {
	booking := func() (*club.Booking, *loyalty.Member) {
		one := rapid.SampledFrom(m.bookings).Draw(m.T, "booking")
		return one, m.members[slices.IndexFunc(m.members, func(who *loyalty.Member) bool { return who.ID == one.Member })]
	}
	date := rapid.SampledFrom(m.dates).Draw(m.T, "date")
	operations := []string{"book", "book", "book", "wait", "lapse", "capacity"}
	if len(m.bookings) > 0 {
		operations = append(operations, "cancel", "accept", "approve", "decline", "remove", "move", "reconfirm", "check in", "complete", "correct", "cancel date")
	}
	operation := rapid.SampledFrom(operations).Draw(m.T, "operation")
	switch operation {
	case "book":
		who := rapid.SampledFrom(m.members).Draw(m.T, "who")
		answer, err := m.tryBook(who, date, rapid.IntRange(1, 3).Draw(m.T, "seats"))
		if m.let(operation, err) {
			m.bookings = append(m.bookings, answer.Booking)
			m.known[answer.Booking.ID] = answer.Booking.Status
		}
	case "wait":
		m.Clock.Advance(time.Duration(rapid.IntRange(1, 600).Draw(m.T, "minutes")) * time.Minute)
	case "lapse":
		_, err := m.club.PostLapsedOffers(m.Admin, 100)
		m.let(operation, err)
	case "capacity":
		capacity := rapid.IntRange(1, 6).Draw(m.T, "new capacity")
		_, err := m.club.EditOccurrences(m.host, club.EditOccurrencesInput{
			OccurrenceID: date, Scope: club.This, Capacity: club.Setting[int]{Given: true, Value: &capacity},
		})
		m.letEdit(operation, err)
	case "cancel":
		one, who := booking()
		_, err := m.club.CancelBooking(m.as(who), club.CancelBookingInput{BookingID: one.ID})
		m.let(operation, err)
	case "accept":
		one, who := booking()
		_, err := m.club.AcceptOffer(m.as(who), one.ID)
		m.let(operation, err)
	case "reconfirm":
		one, who := booking()
		_, err := m.club.ReconfirmBooking(m.as(who), one.ID)
		m.let(operation, err)
	case "approve":
		one, _ := booking()
		_, err := m.club.ApproveBooking(m.host, club.ReviewBookingInput{BookingID: one.ID})
		m.let(operation, err)
	case "decline":
		one, _ := booking()
		_, err := m.club.DeclineBooking(m.host, club.ReviewBookingInput{BookingID: one.ID})
		m.let(operation, err)
	case "remove":
		one, _ := booking()
		_, err := m.club.CancelBooking(m.host, club.CancelBookingInput{BookingID: one.ID})
		m.let(operation, err)
	case "move":
		local := m.occurrence(date).StartsAt.Add(time.Duration(rapid.IntRange(-20, 20).Draw(m.T, "by")) * time.Hour)
		_, err := m.club.EditOccurrences(m.host, club.EditOccurrencesInput{OccurrenceID: date, Scope: club.This, StartsAt: wallAt(local)})
		m.letEdit(operation, err)
	case "check in":
		one, who := booking()
		one = m.read(one)
		tickets, err := m.club.Tickets(m.as(who), []*club.Booking{one})
		m.let(operation, err)
		if ticket := tickets[one]; ticket != nil {
			input := club.CheckInInput{Ticket: *ticket, OccurrenceID: date, Nonce: m.Key(), Offline: true}
			if rapid.Bool().Draw(m.T, "at the start") {
				input.ScannedAt = m.occurrence(date).StartsAt
			}
			_, err = m.club.CheckIn(m.door, input)
			m.let(operation, err)
		}
	case "complete":
		_, err := m.club.CompleteOccurrence(m.host, date)
		m.let(operation, err)
	case "correct":
		one, _ := booking()
		_, err := m.club.CorrectAttendance(m.host, club.CorrectAttendanceInput{
			BookingID: one.ID, Attended: rapid.Bool().Draw(m.T, "attended"), Reason: "Seen",
		})
		m.let(operation, err)
	case "cancel date":
		if rapid.IntRange(0, 9).Draw(m.T, "really") == 0 {
			_, err := m.club.CancelOccurrence(m.host, date, "Rain")
			m.let(operation, err)
		}
	}
}

func (m *model) letEdit(what string, err error) { m.let(what, err) }

func (m *model) check() {
	for _, date := range m.dates {
		occurrence := m.occurrence(date)
		pages, err := m.club.Bookings(m.host, []*club.Occurrence{occurrence}, nil, pointer(100), nil)
		if err != nil {
			m.T.Fatal(err)
		}
		var held, lapsed, waiting int
		smallest := 0
		posted := m.posted(date)
		live := map[id.Member]int{}
		for _, one := range pages[occurrence].Nodes {
			before, known := m.known[one.ID]
			if !known {
				m.T.Fatalf("%s came from nowhere", one.ID)
			}
			if !follows(before, one.Status) {
				m.T.Fatalf("%s was %s and is %s", one.ID, before, one.Status)
			}
			m.known[one.ID] = one.Status
			if one.Status.Holds() {
				held += one.Seats
			}
			if one.Status.Live() {
				live[one.Member]++
			}
			if one.Status == club.OfferExpired && posted[one.ID] == club.Offered {
				lapsed += one.Seats
			}
			if one.Status == club.Offered && !one.OfferExpiresAt.After(m.Now()) || one.Status == club.Offered && one.OfferExpiresAt.After(occurrence.StartsAt) {
				m.T.Fatalf("an offer stands until %s, at %s, of what starts at %s", one.OfferExpiresAt, m.Now(), occurrence.StartsAt)
			}
			if one.Status == club.Waitlisted {
				waiting++
				if smallest == 0 || one.Seats < smallest {
					smallest = one.Seats
				}
			}
		}
		for member, count := range live {
			if count > 1 {
				m.T.Fatalf("%s has %d live bookings", member, count)
			}
		}
		if occurrence.SeatsTaken != held+lapsed || occurrence.Waitlisted != waiting {
			m.T.Fatalf("%d seats and %d who wait are counted, not %d + %d lapsed, and %d", occurrence.SeatsTaken, occurrence.Waitlisted, held, lapsed, waiting)
		}
		if held > *occurrence.Capacity {
			m.T.Fatalf("%d of %d seats are held", held, *occurrence.Capacity)
		}
		if m.offering(date, occurrence) && waiting > 0 && lapsed == 0 && smallest <= *occurrence.Capacity-held {
			m.T.Fatalf("a party of %d waits while %d of %d seats are held", smallest, held, *occurrence.Capacity)
		}
	}
	for _, one := range m.bookings {
		if _, err := m.club.Booking(m.Admin, one.ID); err != nil {
			m.T.Fatal(err)
		}
	}
	m.attendance()
}

// attendance expects of each booking a fact that counts if it was attended, and none else.
func (m *model) attendance() {
	var wrong []string
	if err := m.DB.Select(m.Admin, &wrong, `
		select b.id || ' ' || b.status
		from bookings b
		left join attendances a on a.booking_id = b.id and a.status = 'RECORDED'
		where (b.status = 'ATTENDED') <> (a.booking_id is not null)`); err != nil {
		m.T.Fatal(err)
	}
	if len(wrong) > 0 {
		m.T.Fatalf("attended and not recorded, or the other way: %v", wrong)
	}
}

// posted are the statuses as they are kept.
func (m *model) posted(date id.Occurrence) map[id.Booking]club.BookingStatus {
	var rows []struct {
		ID     id.Booking         `db:"id"`
		Status club.BookingStatus `db:"status"`
	}
	if err := m.DB.Select(m.Admin, &rows, `select id, status from bookings where occurrence_id = $1`, date); err != nil {
		m.T.Fatal(err)
	}
	posted := map[id.Booking]club.BookingStatus{}
	for _, row := range rows {
		posted[row.ID] = row.Status
	}
	return posted
}

// offering tells whether freed seats are offered now.
func (m *model) offering(date id.Occurrence, occurrence *club.Occurrence) bool {
	var closes *string
	if err := m.DB.Get(context.Background(), &closes, `
		select e.booking_closes_before from occurrences o join events e on e.id = o.event_id where o.id = $1`, date); err != nil {
		m.T.Fatal(err)
	}
	until := occurrence.StartsAt
	if closes != nil {
		until = until.Add(-3 * time.Hour)
	}
	return occurrence.Status == club.Scheduled && m.Now().Before(until)
}

// follows tells whether a status can come of another by any way through the table.
func follows(from, to club.BookingStatus) bool {
	seen := map[club.BookingStatus]bool{from: true}
	for open := []club.BookingStatus{from}; len(open) > 0; open = open[1:] {
		for _, next := range club.Outcomes(open[0]) {
			if !seen[next] {
				seen[next] = true
				open = append(open, next)
			}
		}
	}
	return seen[to]
}

package club

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

const (
	bookingColumns = `id, occurrence_id, member_id, seats, status, booked_at, booked_by, changed_at, waiting_since, offer_expires_at,
		reconfirmation_requested_at, checked_in_at, reason`
	// roomColumns are those of an occurrence that matter to bookings, termColumns those of its event.
	roomColumns = `id, event_id, starts_at, ends_at, capacity, seats_taken, waitlisted, status, canceled_at, completed_at`
	termColumns = `id, owner, name, status, time_zone, booking_windows, requires_approval, waitlist, seats_per_booking,
		booking_closes_before, cancel_closes_before, offer_valid_for, check_in_opens_before, attendance_points`
	// live is the condition of the index that holds a member's one live booking.
	live = `status in ('REQUESTED', 'CONFIRMED', 'WAITLISTED', 'OFFERED', 'ATTENDED', 'NO_SHOW')`
)

// lockedRoom is an occurrence with whether an offer has lapsed there that was not posted.
type lockedRoom struct {
	Occurrence
	Lapsed bool `db:"lapsed"`
}

func lockRooms(ctx context.Context, tx *postgres.Tx, wanted []id.Occurrence) ([]lockedRoom, error) {
	var rooms []lockedRoom
	err := tx.Select(ctx, &rooms, `
		select `+roomColumns+`, exists (
			select from bookings b where b.occurrence_id = o.id and b.status = 'OFFERED' and b.offer_expires_at <= $2) as lapsed
		from occurrences o
		where id = any($1::uuid[])
		order by id
		for update`, pq.StringArray(id.Texts(wanted)), tx.Now)
	return rooms, err
}

func selectTerms(ctx context.Context, q postgres.Runner, rooms []lockedRoom) (map[id.Event]*Event, error) {
	occurrences := make([]*Occurrence, len(rooms))
	for i := range rooms {
		occurrences[i] = &rooms[i].Occurrence
	}
	return selectTermsOf(ctx, q, occurrences)
}

// selectTermsOf reads what the events of the occurrences say of booking.
func selectTermsOf(ctx context.Context, q postgres.Runner, occurrences []*Occurrence) (map[id.Event]*Event, error) {
	wanted := make([]id.Event, len(occurrences))
	for i, one := range occurrences {
		wanted[i] = one.EventID
	}
	var rows []*Event
	err := q.Select(ctx, &rows, `select `+termColumns+` from events where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	events := make(map[id.Event]*Event, len(rows))
	for _, row := range rows {
		events[row.ID] = row
	}
	return events, err
}

func selectZones(ctx context.Context, q postgres.Runner, wanted []id.Occurrence) (map[id.Occurrence]string, error) {
	var rows []struct {
		ID   id.Occurrence `db:"id"`
		Zone string        `db:"time_zone"`
	}
	err := q.Select(ctx, &rows, `
		select o.id, e.time_zone
		from occurrences o
		join events e on e.id = o.event_id
		where o.id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	zones := make(map[id.Occurrence]string, len(rows))
	for _, row := range rows {
		zones[row.ID] = row.Zone
	}
	return zones, err
}

// selectRoomOf finds the occurrence of a booking; the zero id for that of none.
func selectRoomOf(ctx context.Context, q postgres.Runner, booking id.Booking) (id.Occurrence, error) {
	var found id.Occurrence
	err := q.Get(ctx, &found, `select occurrence_id from bookings where id = $1`, booking)
	if errors.Is(err, sql.ErrNoRows) {
		return id.Occurrence{}, nil
	}
	return found, err
}

func selectBookings(ctx context.Context, q postgres.Runner, wanted []id.Booking) ([]*Booking, error) {
	var bookings []*Booking
	err := q.Select(ctx, &bookings, `select `+bookingColumns+` from bookings where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return bookings, err
}

// selectLive returns the member's live booking; nil for none.
func selectLive(ctx context.Context, q postgres.Runner, occurrence id.Occurrence, member id.Member) (*Booking, error) {
	var bookings []*Booking
	err := q.Select(ctx, &bookings, `
		select `+bookingColumns+` from bookings where occurrence_id = $1 and member_id = $2 and `+live, occurrence, member)
	if err != nil || len(bookings) == 0 {
		return nil, err
	}
	return bookings[0], nil
}

// selectInRoom returns the bookings of an occurrence that have one of the statuses, in the order in which they were made.
func selectInRoom(ctx context.Context, q postgres.Runner, occurrence id.Occurrence, statuses ...BookingStatus) ([]*Booking, error) {
	var bookings []*Booking
	err := q.Select(ctx, &bookings, `
		select `+bookingColumns+` from bookings where occurrence_id = $1 and status = any($2::text[]) order by id`,
		occurrence, statusArray(statuses))
	return bookings, err
}

func statusArray(statuses []BookingStatus) pq.StringArray {
	texts := make(pq.StringArray, len(statuses))
	for i, status := range statuses {
		texts[i] = string(status)
	}
	return texts
}

// selectLatest returns of each occurrence the member's live booking, else its last one.
func selectLatest(ctx context.Context, q postgres.Runner, member id.Member, wanted []id.Occurrence) (map[id.Occurrence]*Booking, error) {
	var rows []*Booking
	err := q.Select(ctx, &rows, `
		select distinct on (occurrence_id) `+bookingColumns+`
		from bookings
		where member_id = $1 and occurrence_id = any($2::uuid[])
		order by occurrence_id, `+live+` desc, id desc`, member, pq.StringArray(id.Texts(wanted)))
	latest := make(map[id.Occurrence]*Booking, len(rows))
	for _, row := range rows {
		latest[row.OccurrenceID] = row
	}
	return latest, err
}

func selectWaiting(ctx context.Context, q postgres.Runner, wanted []id.Occurrence) ([]*Booking, error) {
	var bookings []*Booking
	err := q.Select(ctx, &bookings, `
		select `+bookingColumns+` from bookings where occurrence_id = any($1::uuid[]) and status = 'WAITLISTED'`,
		pq.StringArray(id.Texts(wanted)))
	return bookings, err
}

// countMissed counts how often each member has not come since an instant.
func countMissed(ctx context.Context, q postgres.Runner, members []id.Member, since time.Time) (map[id.Member]int, error) {
	var rows []struct {
		Member id.Member `db:"member_id"`
		Missed int       `db:"missed"`
	}
	err := q.Select(ctx, &rows, `
		select b.member_id, count(*) as missed
		from bookings b
		join occurrences o on o.id = b.occurrence_id
		where b.member_id = any($1::uuid[]) and b.status = 'NO_SHOW' and o.starts_at >= $2
		group by b.member_id`, pq.StringArray(id.Texts(members)), since)
	missed := make(map[id.Member]int, len(rows))
	for _, row := range rows {
		missed[row.Member] = row.Missed
	}
	return missed, err
}

// selectLapsed returns occurrences in which offers have lapsed that were not posted.
func selectLapsed(ctx context.Context, q postgres.Runner, t time.Time, limit int) ([]id.Occurrence, error) {
	var lapsed []id.Occurrence
	err := q.Select(ctx, &lapsed, `
		select distinct occurrence_id
		from (select occurrence_id from bookings where status = 'OFFERED' and offer_expires_at <= $1 order by offer_expires_at limit $2) as due`,
		t, limit)
	return lapsed, err
}

// updateCounters changes what the occurrence counts of its bookings.
func updateCounters(ctx context.Context, tx *postgres.Tx, occurrence id.Occurrence, taken, waiting int) error {
	_, err := tx.Exec(ctx, `
		update occurrences set seats_taken = seats_taken + $2, waitlisted = waitlisted + $3 where id = $1`, occurrence, taken, waiting)
	if postgres.Constraint(err) == "occurrences_seats" {
		return problem.At(problem.FullyBooked, []string{"occurrenceId"}, "Not that many seats are free.")
	}
	return err
}

func insertBookings(ctx context.Context, tx *postgres.Tx, added []*Booking) error {
	err := postgres.ExecRows(ctx, tx, added, `
		insert into bookings (id, occurrence_id, member_id, seats, status, booked_at, booked_by, changed_at, waiting_since)
		select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::timestamptz[], $7::text[], $8::timestamptz[],
			$9::timestamptz[])`,
		func(b *Booking) any { return b.ID },
		func(b *Booking) any { return b.OccurrenceID },
		func(b *Booking) any { return b.Member },
		func(b *Booking) any { return b.Seats },
		func(b *Booking) any { return string(b.Status) },
		func(b *Booking) any { return b.BookedAt },
		func(b *Booking) any { return b.BookedBy },
		func(b *Booking) any { return b.ChangedAt },
		func(b *Booking) any { return b.WaitingSince })
	if postgres.Constraint(err) == "bookings_live" {
		return problem.At(problem.AlreadyBooked, []string{"occurrenceId"}, "There is a booking already.")
	}
	return err
}

func updateBookings(ctx context.Context, tx *postgres.Tx, changed []*Booking) error {
	return postgres.ExecRows(ctx, tx, changed, `
		update bookings b
		set status = given.status, changed_at = given.changed_at, waiting_since = given.waiting_since,
			offer_expires_at = given.offer_expires_at, reconfirmation_requested_at = given.reconfirmation_requested_at,
			checked_in_at = given.checked_in_at, reason = given.reason
		from unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[],
			$8::text[])
			as given (id, status, changed_at, waiting_since, offer_expires_at, reconfirmation_requested_at, checked_in_at, reason)
		where b.id = given.id`,
		func(b *Booking) any { return b.ID },
		func(b *Booking) any { return string(b.Status) },
		func(b *Booking) any { return b.ChangedAt },
		func(b *Booking) any { return b.WaitingSince },
		func(b *Booking) any { return b.OfferExpiresAt },
		func(b *Booking) any { return b.ReconfirmationRequestedAt },
		func(b *Booking) any { return b.CheckedInAt },
		func(b *Booking) any { return b.Reason })
}

// selectBooked returns the occurrences that a member comes or came to, and those with such a booking that were canceled since.
func selectBooked(ctx context.Context, q postgres.Runner, member id.Member, since time.Time) ([]id.Occurrence, error) {
	var booked []id.Occurrence
	err := q.Select(ctx, &booked, `
		select distinct b.occurrence_id
		from bookings b
		join occurrences o on o.id = b.occurrence_id
		where b.member_id = $1 and (b.status in ('CONFIRMED', 'ATTENDED', 'NO_SHOW')
			or b.status = 'CANCELED_BY_HOST' and o.status = 'CANCELED' and b.changed_at >= $2)`, member, since)
	return booked, err
}

package club

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// stood is the status at $2 of a booking b, as the API tells it.
const stood = `case when b.status = 'OFFERED' and b.offer_expires_at <= $2 then 'OFFER_EXPIRED' else b.status end`

type listedBooking struct {
	Of string `db:"of_id"`
	Booking
}

func gather(rows []*listedBooking) map[string][]*Booking {
	listed := map[string][]*Booking{}
	for _, row := range rows {
		listed[row.Of] = append(listed[row.Of], &row.Booking)
	}
	return listed
}

func rowsOf(of []owner) pq.StringArray {
	rows := make(pq.StringArray, len(of))
	for i, one := range of {
		rows[i] = one.row
	}
	return rows
}

// wantedStatuses is null for all.
func wantedStatuses(statuses []BookingStatus) any {
	if statuses == nil {
		return nil
	}
	return statusArray(statuses)
}

func listBookings(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time, after id.Booking, limit int) (map[string][]*Booking, error) {
	var rows []*listedBooking
	err := q.Select(ctx, &rows, `
		select wanted.id::text as of_id, page.*
		from unnest($1::uuid[]) as wanted (id)
		cross join lateral (
			select `+bookingColumns+`
			from bookings b
			where b.occurrence_id = wanted.id and ($3::text[] is null or `+stood+` = any($3::text[])) and b.id > $4
			order by b.id
			limit $5) as page`, rowsOf(of), t, wantedStatuses(statuses), after, limit)
	return gather(rows), err
}

func listMemberBookings(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time, after id.Booking, limit int) (map[string][]*Booking, error) {
	var rows []*listedBooking
	err := q.Select(ctx, &rows, `
		select wanted.id::text as of_id, page.*
		from unnest($1::uuid[]) as wanted (id)
		cross join lateral (
			select `+bookingColumns+`
			from bookings b
			where b.member_id = wanted.id and ($3::text[] is null or `+stood+` = any($3::text[]))
				and ($4 = '00000000-0000-0000-0000-000000000000'::uuid or b.id < $4)
			order by b.id desc
			limit $5) as page`, rowsOf(of), t, wantedStatuses(statuses), after, limit)
	return gather(rows), err
}

type countedBookings struct {
	Of    string `db:"of_id"`
	Count int    `db:"count"`
}

func sumUp(rows []countedBookings) map[string]int {
	counts := make(map[string]int, len(rows))
	for _, row := range rows {
		counts[row.Of] = row.Count
	}
	return counts
}

func countBookings(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time) (map[string]int, error) {
	var rows []countedBookings
	err := q.Select(ctx, &rows, `
		select b.occurrence_id::text as of_id, count(*) as count
		from bookings b
		where b.occurrence_id = any($1::uuid[]) and ($3::text[] is null or `+stood+` = any($3::text[]))
		group by b.occurrence_id`, rowsOf(of), t, wantedStatuses(statuses))
	return sumUp(rows), err
}

func countMemberBookings(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time) (map[string]int, error) {
	var rows []countedBookings
	err := q.Select(ctx, &rows, `
		select b.member_id::text as of_id, count(*) as count
		from bookings b
		where b.member_id = any($1::uuid[]) and ($3::text[] is null or `+stood+` = any($3::text[]))
		group by b.member_id`, rowsOf(of), t, wantedStatuses(statuses))
	return sumUp(rows), err
}

// selectRooms reads what of the occurrences matters to bookings.
func selectRooms(ctx context.Context, q postgres.Runner, wanted []id.Occurrence) (map[id.Occurrence]*Occurrence, error) {
	var rows []*Occurrence
	err := q.Select(ctx, &rows, `select `+roomColumns+` from occurrences where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	rooms := make(map[id.Occurrence]*Occurrence, len(rows))
	for _, row := range rows {
		rooms[row.ID] = row
	}
	return rooms, err
}

// selectLapsedSeats sums up the seats of offers that have lapsed and were not posted.
func selectLapsedSeats(ctx context.Context, q postgres.Runner, wanted []id.Occurrence, t time.Time) (map[id.Occurrence]int, error) {
	var rows []struct {
		Occurrence id.Occurrence `db:"occurrence_id"`
		Seats      int           `db:"seats"`
	}
	err := q.Select(ctx, &rows, `
		select occurrence_id, sum(seats) as seats
		from bookings
		where occurrence_id = any($1::uuid[]) and status = 'OFFERED' and offer_expires_at <= $2
		group by occurrence_id`, pq.StringArray(id.Texts(wanted)), t)
	lapsed := make(map[id.Occurrence]int, len(rows))
	for _, row := range rows {
		lapsed[row.Occurrence] = row.Seats
	}
	return lapsed, err
}

// selectMet returns those of the members who booked an event of the organizer's, or any.
func selectMet(ctx context.Context, q postgres.Runner, members []id.Member, any bool, organizer string) ([]id.Member, error) {
	var met []id.Member
	err := q.Select(ctx, &met, `
		select distinct b.member_id
		from bookings b
		join occurrences o on o.id = b.occurrence_id
		join events e on e.id = o.event_id
		where b.member_id = any($1::uuid[]) and ($2::boolean or $3::text <> '' and (e.owner = $3 or exists (
			select from event_organizers x where x.event_id = e.id and x.organizer = $3)))`,
		pq.StringArray(id.Texts(members)), any, organizer)
	return met, err
}

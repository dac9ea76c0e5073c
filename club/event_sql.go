package club

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const (
	eventColumns = `id, owner, name, description, status, time_zone, starts_local, recurrence, excluded_dates, added_dates,
		materialized_to, shift_seconds, duration, venue, capacity, sequence, part, booking_windows, requires_approval, waitlist,
		seats_per_booking, booking_closes_before, cancel_closes_before, offer_valid_for, check_in_opens_before, attendance_points,
		created_at, changed_at, published_at, canceled_at, cancel_reason`
	// $1 and $2 are the caller's sight: whether it sees all, and as whom it organizes. What was published stays to be seen.
	eventInSight = `($1::boolean or published_at is not null or ($2::text <> '' and (owner = $2 or exists (
		select from event_organizers where event_organizers.event_id = events.id and organizer = $2))))`
)

func insertEvent(ctx context.Context, tx *postgres.Tx, e *Event) error {
	_, err := tx.Exec(ctx, `
		insert into events (`+eventColumns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9::timestamp[], $10::timestamp[], $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
			$21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31)`,
		e.ID, e.Owner, e.Name, e.Description, e.Status, e.TimeZone, e.StartsLocal, e.Recurrence, e.ExcludedDates, e.AddedDates,
		e.MaterializedTo, e.ShiftSeconds, e.Duration, e.Venue, e.Capacity, e.Sequence, e.Part, e.BookingWindows, e.RequiresApproval,
		e.Waitlist, e.SeatsPerBooking, e.BookingClosesBefore, e.CancelClosesBefore, e.OfferValidFor, e.CheckInOpensBefore,
		e.AttendancePoints, e.CreatedAt, e.ChangedAt, e.PublishedAt, e.CanceledAt, e.CancelReason)
	return err
}

// updateEvent keeps what can change of an event.
func updateEvent(ctx context.Context, tx *postgres.Tx, e *Event) error {
	_, err := tx.Exec(ctx, `
		update events set name = $2, description = $3, status = $4, shift_seconds = $5, duration = $6, venue = $7, capacity = $8,
			sequence = $9, part = $10, booking_windows = $11, requires_approval = $12, waitlist = $13, seats_per_booking = $14,
			booking_closes_before = $15, cancel_closes_before = $16, offer_valid_for = $17, check_in_opens_before = $18,
			attendance_points = $19, changed_at = $20, published_at = $21, canceled_at = $22, cancel_reason = $23
		where id = $1`,
		e.ID, e.Name, e.Description, e.Status, e.ShiftSeconds, e.Duration, e.Venue, e.Capacity, e.Sequence, e.Part, e.BookingWindows,
		e.RequiresApproval, e.Waitlist, e.SeatsPerBooking, e.BookingClosesBefore, e.CancelClosesBefore, e.OfferValidFor,
		e.CheckInOpensBefore, e.AttendancePoints, e.ChangedAt, e.PublishedAt, e.CanceledAt, e.CancelReason)
	return err
}

func updateMaterialized(ctx context.Context, tx *postgres.Tx, e *Event) error {
	_, err := tx.Exec(ctx, `update events set materialized_to = $2 where id = $1`, e.ID, e.MaterializedTo)
	return err
}

// lockEvents reads events that nobody changes until the transaction ends; absent ones are left out.
func lockEvents(ctx context.Context, tx *postgres.Tx, wanted []id.Event) ([]*Event, error) {
	var events []*Event
	err := tx.Select(ctx, &events, `select `+eventColumns+` from events where id = any($1::uuid[]) order by id for update`,
		pq.StringArray(id.Texts(wanted)))
	return events, err
}

// lockDue locks events behind one whose dates are occurrences up to less than a horizon.
func lockDue(ctx context.Context, tx *postgres.Tx, horizon time.Time, behind id.Event, limit int) ([]*Event, error) {
	var events []*Event
	err := tx.Select(ctx, &events, `
		select `+eventColumns+` from events
		where materialized_to < $1 and status <> 'CANCELED' and id > $2
		order by id limit $3 for update`, horizon, behind, limit)
	return events, err
}

// selectEvents reads those of the events that the caller sees.
func selectEvents(ctx context.Context, q postgres.Runner, seen sight, wanted []id.Event) ([]*Event, error) {
	var events []*Event
	err := q.Select(ctx, &events, `select `+eventColumns+` from events where `+eventInSight+` and id = any($3::uuid[])`,
		seen.all, seen.organizer, pq.StringArray(id.Texts(wanted)))
	return events, err
}

// listed is an event in a list, with the first of its dates there.
type listed struct {
	Event
	First time.Time `db:"first"`
}

const matching = `
	from events
	cross join lateral (
		select min(starts_at) as first from occurrences
		where event_id = events.id and ($3::timestamptz is null or ends_at > $3) and ($4::timestamptz is null or starts_at < $4)
			and ($6::uuid is null or exists (
				select from bookings
				where occurrence_id = occurrences.id and member_id = $6 and bookings.` + live + `
					and (bookings.status <> 'OFFERED' or offer_expires_at > $7::timestamptz)))) as dates
	where ` + eventInSight + ` and first is not null and events.status = any($5::text[])`

// asked is what a list of events is asked for: booked is whose bookings it shows, nil: all events.
type asked struct {
	EventFilter
	sight  sight
	booked *id.Member
	now    time.Time
}

func (a asked) arguments(more ...any) []any {
	return append([]any{a.sight.all, a.sight.organizer, a.From, a.To, statuses(a.Status), a.booked, a.now}, more...)
}

// selectMatching reads events that the caller sees and the filter lets through, by the first of their dates there, behind one.
func selectMatching(ctx context.Context, q postgres.Runner, wanted asked, behind eventKey, limit int) ([]*listed, error) {
	var events []*listed
	err := q.Select(ctx, &events, `
		select `+eventColumns+`, first`+matching+` and ($8::timestamptz is null or (first, id) > ($8, $9))
		order by first, id limit $10`, wanted.arguments(behind.first, behind.id, limit)...)
	return events, err
}

func countMatching(ctx context.Context, q postgres.Runner, wanted asked) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*)`+matching, wanted.arguments()...)
	return count, err
}

func statuses(given []EventStatus) pq.StringArray {
	if given == nil {
		given = []EventStatus{Draft, Published}
	}
	texts := make(pq.StringArray, len(given))
	for i, one := range given {
		texts[i] = string(one)
	}
	return texts
}

// selectShared tells which of the events are shared with an organizer.
func selectShared(ctx context.Context, q postgres.Runner, organizer string, wanted []id.Event) (map[id.Event]bool, error) {
	var found []id.Event
	err := q.Select(ctx, &found, `select event_id from event_organizers where organizer = $1 and event_id = any($2::uuid[])`,
		organizer, pq.StringArray(id.Texts(wanted)))
	shared := make(map[id.Event]bool, len(found))
	for _, one := range found {
		shared[one] = true
	}
	return shared, err
}

func selectOrganizers(ctx context.Context, q postgres.Runner, wanted []id.Event) (map[id.Event][]string, error) {
	var rows []struct {
		Event     id.Event `db:"event_id"`
		Organizer string   `db:"organizer"`
	}
	err := q.Select(ctx, &rows, `
		select event_id, organizer from event_organizers where event_id = any($1::uuid[]) order by event_id, organizer`,
		pq.StringArray(id.Texts(wanted)))
	shared := make(map[id.Event][]string, len(wanted))
	for _, one := range wanted {
		shared[one] = []string{}
	}
	for _, row := range rows {
		shared[row.Event] = append(shared[row.Event], row.Organizer)
	}
	return shared, err
}

func insertOrganizer(ctx context.Context, tx *postgres.Tx, event id.Event, organizer, by string) (int64, error) {
	return tx.Exec(ctx, `
		insert into event_organizers (event_id, organizer, shared_at, shared_by) values ($1, $2, $3, $4) on conflict do nothing`,
		event, organizer, tx.Now, by)
}

func deleteOrganizer(ctx context.Context, tx *postgres.Tx, event id.Event, organizer string) (int64, error) {
	return tx.Exec(ctx, `delete from event_organizers where event_id = $1 and organizer = $2`, event, organizer)
}

package club

import (
	"context"
	"database/sql"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

const occurrenceColumns = `id, event_id, planned_local, added, part, starts_local, starts_at, ends_at, duration, venue, capacity,
	seats_taken, waitlisted, status, sequence, own_start, own_duration, own_venue, own_capacity, moved_at, changed_at, canceled_at,
	cancel_reason, completed_at`

func insertOccurrences(ctx context.Context, tx *postgres.Tx, rows []*Occurrence) error {
	return postgres.ExecRows(ctx, tx, rows, `
		insert into occurrences (id, event_id, planned_local, added, part, starts_local, starts_at, ends_at, duration, venue, capacity,
			status, sequence, changed_at)
		select * from unnest($1::uuid[], $2::uuid[], $3::timestamp[], $4::boolean[], $5::int[], $6::timestamp[], $7::timestamptz[],
			$8::timestamptz[], $9::text[], $10::text[], $11::int[], $12::text[], $13::int[], $14::timestamptz[])`,
		func(o *Occurrence) any { return o.ID }, func(o *Occurrence) any { return o.EventID },
		func(o *Occurrence) any { return o.PlannedLocal }, func(o *Occurrence) any { return o.Added },
		func(o *Occurrence) any { return o.Part }, func(o *Occurrence) any { return o.StartsLocal },
		func(o *Occurrence) any { return o.StartsAt }, func(o *Occurrence) any { return o.EndsAt },
		func(o *Occurrence) any { return o.Duration }, func(o *Occurrence) any { return o.Venue },
		func(o *Occurrence) any { return o.Capacity }, func(o *Occurrence) any { return string(o.Status) },
		func(o *Occurrence) any { return o.Sequence }, func(o *Occurrence) any { return o.ChangedAt })
}

// updateOccurrences keeps what an organizer can change of occurrences. Their seats are not its business.
func updateOccurrences(ctx context.Context, tx *postgres.Tx, rows []*Occurrence) error {
	return postgres.ExecRows(ctx, tx, rows, `
		update occurrences set part = given.part, starts_local = given.starts_local, starts_at = given.starts_at, ends_at = given.ends_at,
			duration = given.duration, venue = given.venue, capacity = given.capacity, status = given.status, sequence = given.sequence,
			own_start = given.own_start, own_duration = given.own_duration, own_venue = given.own_venue,
			own_capacity = given.own_capacity, moved_at = given.moved_at, changed_at = given.changed_at,
			canceled_at = given.canceled_at, cancel_reason = given.cancel_reason
		from unnest($1::uuid[], $2::int[], $3::timestamp[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::int[],
			$9::text[], $10::int[], $11::boolean[], $12::boolean[], $13::boolean[], $14::boolean[], $15::timestamptz[],
			$16::timestamptz[], $17::timestamptz[], $18::text[])
			as given (id, part, starts_local, starts_at, ends_at, duration, venue, capacity, status, sequence, own_start, own_duration,
				own_venue, own_capacity, moved_at, changed_at, canceled_at, cancel_reason)
		where occurrences.id = given.id`,
		func(o *Occurrence) any { return o.ID }, func(o *Occurrence) any { return o.Part },
		func(o *Occurrence) any { return o.StartsLocal }, func(o *Occurrence) any { return o.StartsAt },
		func(o *Occurrence) any { return o.EndsAt }, func(o *Occurrence) any { return o.Duration },
		func(o *Occurrence) any { return o.Venue }, func(o *Occurrence) any { return o.Capacity },
		func(o *Occurrence) any { return string(o.Status) }, func(o *Occurrence) any { return o.Sequence },
		func(o *Occurrence) any { return o.OwnStart }, func(o *Occurrence) any { return o.OwnDuration },
		func(o *Occurrence) any { return o.OwnVenue }, func(o *Occurrence) any { return o.OwnCapacity },
		func(o *Occurrence) any { return o.MovedAt }, func(o *Occurrence) any { return o.ChangedAt },
		func(o *Occurrence) any { return o.CanceledAt }, func(o *Occurrence) any { return o.CancelReason })
}

// selectLastPlanned returns the last date of the event's plan that is an occurrence, nil: none is, and how many lie ahead.
func selectLastPlanned(ctx context.Context, tx *postgres.Tx, event id.Event, now time.Time) (*value.LocalDateTime, int, error) {
	var row struct {
		Last  sql.Null[value.LocalDateTime] `db:"last"`
		Ahead int                           `db:"ahead"`
	}
	err := tx.Get(ctx, &row, `
		select max(planned_local) as last, count(*) filter (where starts_at > $2) as ahead from occurrences where event_id = $1`, event, now)
	if err != nil || !row.Last.Valid {
		return nil, 0, err
	}
	return &row.Last.V, row.Ahead, nil
}

// selectEventOf returns the event of an occurrence; none if there is no such occurrence.
func selectEventOf(ctx context.Context, q postgres.Runner, occurrence id.Occurrence) ([]id.Event, error) {
	var events []id.Event
	err := q.Select(ctx, &events, `select event_id from occurrences where id = $1`, occurrence)
	return events, err
}

// lockOccurrences reads all occurrences of an event, in the order of their ids, each of which nobody books or changes until
// the transaction ends.
func lockOccurrences(ctx context.Context, tx *postgres.Tx, event id.Event) ([]*Occurrence, error) {
	var rows []*Occurrence
	err := tx.Select(ctx, &rows, `select `+occurrenceColumns+` from occurrences where event_id = $1 order by id for update`, event)
	return rows, err
}

// lockOccurrence reads one that nobody books or changes until the transaction ends.
func lockOccurrence(ctx context.Context, tx *postgres.Tx, wanted id.Occurrence) (*Occurrence, error) {
	var row Occurrence
	err := tx.Get(ctx, &row, `select `+occurrenceColumns+` from occurrences where id = $1 for update`, wanted)
	return &row, err
}

// touchOccurrences raises the sequence of an event's occurrences that are not over.
func touchOccurrences(ctx context.Context, tx *postgres.Tx, event *Event) error {
	_, err := tx.Exec(ctx, `
		update occurrences set sequence = $2, changed_at = $3 where event_id = $1 and status = 'SCHEDULED' and ends_at > $3`,
		event.ID, event.Sequence, tx.Now)
	return err
}

// selectAsked finds the dates of an event that are yet to come and that somebody waits for or is offered.
func selectAsked(ctx context.Context, tx *postgres.Tx, event id.Event) ([]id.Occurrence, error) {
	var found []id.Occurrence
	err := tx.Select(ctx, &found, `
		select id from occurrences
		where event_id = $1 and status = 'SCHEDULED' and starts_at > $2 and (waitlisted > 0 or exists (
			select from bookings where bookings.occurrence_id = occurrences.id and bookings.status = 'OFFERED'))
		order by id`, event, tx.Now)
	return found, err
}

// selectOccurrences reads those of the occurrences whose events the caller sees.
func selectOccurrences(ctx context.Context, q postgres.Runner, seen sight, wanted []id.Occurrence) ([]*Occurrence, error) {
	var rows []*Occurrence
	err := q.Select(ctx, &rows, `
		select `+occurrenceColumns+` from occurrences
		where id = any($3::uuid[]) and exists (select from events where events.id = event_id and `+eventInSight+`)`,
		seen.all, seen.organizer, pq.StringArray(id.Texts(wanted)))
	return rows, err
}

// selectListed reads occurrences of events, each one's in the order of their starts, behind one and in [from, to).
func selectListed(ctx context.Context, q postgres.Runner, events []id.Event, from, to *time.Time, behind occurrenceKey, limit int) ([]*Occurrence, error) {
	var rows []*Occurrence
	err := q.Select(ctx, &rows, `
		select `+occurrenceColumns+`
		from unnest($1::uuid[]) as wanted (of_event)
		cross join lateral (
			select `+occurrenceColumns+` from occurrences
			where event_id = wanted.of_event and ($2::timestamptz is null or ends_at > $2) and ($3::timestamptz is null or starts_at < $3)
				and ($4::timestamptz is null or (starts_at, id) > ($4, $5))
			order by starts_at, id
			limit $6) as listed
		order by event_id, starts_at, id`,
		pq.StringArray(id.Texts(events)), from, to, behind.startsAt, behind.id, limit)
	return rows, err
}

func countListed(ctx context.Context, q postgres.Runner, event id.Event, from, to *time.Time) (int, error) {
	var count int
	err := q.Get(ctx, &count, `
		select count(*) from occurrences
		where event_id = $1 and ($2::timestamptz is null or ends_at > $2) and ($3::timestamptz is null or starts_at < $3)`, event, from, to)
	return count, err
}

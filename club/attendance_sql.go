package club

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// insertAttendances notes attendances to be recorded, each with the next number of its booking. Their occurrence is locked.
func insertAttendances(ctx context.Context, tx *postgres.Tx, made []attendance) error {
	return postgres.ExecRows(ctx, tx, made, `
		insert into attendances (booking_id, number, occurrence_id, member_id, occurred_at, points, expires_at, status)
		select given.booking_id, 1 + (select count(*) from attendances a where a.booking_id = given.booking_id),
			given.occurrence_id, given.member_id, given.occurred_at, given.points, given.expires_at, 'DUE'
		from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::timestamptz[], $5::bigint[], $6::timestamptz[])
			as given (booking_id, occurrence_id, member_id, occurred_at, points, expires_at)`,
		func(a attendance) any { return a.Booking },
		func(a attendance) any { return a.OccurrenceID },
		func(a attendance) any { return a.Member },
		func(a attendance) any { return a.OccurredAt },
		func(a attendance) any { return a.Points },
		func(a attendance) any { return a.ExpiresAt })
}

// revokeAttendance has what the booking's last attendance gave taken back.
func revokeAttendance(ctx context.Context, tx *postgres.Tx, booking id.Booking) error {
	_, err := tx.Exec(ctx, `
		update attendances set status = 'REVOKING' where booking_id = $1 and status in ('DUE', 'RECORDED')`, booking)
	return err
}

func selectOpenAttendances(ctx context.Context, q postgres.Runner, occurrence *id.Occurrence, limit int) ([]attendance, error) {
	var open []attendance
	err := q.Select(ctx, &open, `
		select a.booking_id, a.number, a.occurrence_id, a.member_id, a.occurred_at, a.points, a.expires_at, a.status, a.activity_sequence,
			a.adjustment_id, a.refusal, b.seats, o.event_id
		from attendances a
		join bookings b on b.id = a.booking_id
		join occurrences o on o.id = a.occurrence_id
		where a.status in ('DUE', 'REVOKING') and ($1::uuid is null or a.occurrence_id = $1)
		order by a.occurrence_id, a.booking_id, a.number
		limit $2`, occurrence, limit)
	return open, err
}

// updateAttendances notes what became of attendances. One that was corrected while it was recorded is to be taken back still.
func updateAttendances(ctx context.Context, q postgres.Runner, done []attendance) error {
	return postgres.ExecRows(ctx, q, done, `
		update attendances a
		set status = case when a.status = 'REVOKING' and given.status = 'RECORDED' then a.status else given.status end,
			activity_sequence = given.activity_sequence, adjustment_id = given.adjustment_id, refusal = given.refusal
		from unnest($1::uuid[], $2::int[], $3::text[], $4::bigint[], $5::uuid[], $6::text[])
			as given (booking_id, number, status, activity_sequence, adjustment_id, refusal)
		where a.booking_id = given.booking_id and a.number = given.number and a.status in ('DUE', 'REVOKING')`,
		func(a attendance) any { return a.Booking },
		func(a attendance) any { return a.Number },
		func(a attendance) any { return a.Status },
		func(a attendance) any { return a.ActivitySequence },
		func(a attendance) any { return a.AdjustmentID },
		func(a attendance) any { return a.Refusal })
}

func updateCompleted(ctx context.Context, tx *postgres.Tx, occurrence id.Occurrence) error {
	_, err := tx.Exec(ctx, `update occurrences set status = 'COMPLETED', completed_at = $2, changed_at = $2 where id = $1`, occurrence, tx.Now)
	return err
}

// selectEnded returns occurrences that are over and were not completed.
func selectEnded(ctx context.Context, q postgres.Runner, t time.Time, limit int) ([]id.Occurrence, error) {
	var ended []id.Occurrence
	err := q.Select(ctx, &ended, `
		select o.id
		from occurrences o
		join events e on e.id = o.event_id
		where o.status = 'SCHEDULED' and o.ends_at <= $1 and e.status <> 'DRAFT'
		order by o.ends_at
		limit $2`, t, limit)
	return ended, err
}

func selectCompleted(ctx context.Context, q postgres.Runner, wanted id.Occurrence) (*Occurrence, error) {
	var found Occurrence
	err := q.Get(ctx, &found, `select `+occurrenceColumns+` from occurrences where id = $1`, wanted)
	return &found, err
}

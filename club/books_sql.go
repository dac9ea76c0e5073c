package club

import (
	"context"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

// Each statement lists what differs; one snapshot is read by all of them.
const (
	wrongSeats = `
		select null::uuid as booking_id, o.id as occurrence_id, null::uuid as member_id, checked.what, checked.expected, checked.found
		from occurrences o
		left join (
			select occurrence_id, coalesce(sum(seats) filter (where status in ('CONFIRMED', 'OFFERED', 'ATTENDED', 'NO_SHOW')), 0) as held,
				count(*) filter (where status = 'WAITLISTED') as waiting
			from bookings
			group by occurrence_id) as b on b.occurrence_id = o.id
		cross join lateral (values
			('seats taken', coalesce(b.held, 0)::text, o.seats_taken::text, coalesce(b.held, 0) <> o.seats_taken),
			('bookings that wait', coalesce(b.waiting, 0)::text, o.waitlisted::text, coalesce(b.waiting, 0) <> o.waitlisted),
			('seats of bookings that hold them', 'at most ' || o.capacity, b.held::text, b.held > o.capacity)
		) as checked (what, expected, found, differs)
		where checked.differs
		order by o.id, checked.what`

	wrongBookings = `
		select b.id as booking_id, null::uuid as occurrence_id, b.member_id, checked.what, checked.expected, checked.found
		from bookings b
		left join occurrences o on o.id = b.occurrence_id
		left join members m on m.id = b.member_id
		cross join lateral (values
			('occurrence', 'one', 'none', o.id is null),
			('member', 'one', 'none', m.id is null),
			('status in an occurrence that is ' || o.status,
				case o.status when 'SCHEDULED' then 'none of who came or did not'
					when 'COMPLETED' then 'none that is open' else 'none that is live' end,
				b.status,
				case o.status
					when 'SCHEDULED' then b.status in ('ATTENDED', 'NO_SHOW')
					when 'COMPLETED' then b.status in ('REQUESTED', 'CONFIRMED', 'WAITLISTED', 'OFFERED')
					else b.status in ('REQUESTED', 'CONFIRMED', 'WAITLISTED', 'OFFERED', 'ATTENDED', 'NO_SHOW') end)
		) as checked (what, expected, found, differs)
		where checked.differs
		order by b.id, checked.what`

	doubleBookings = `
		select null::uuid as booking_id, occurrence_id, member_id, 'live bookings of the member' as what, 'at most 1' as expected,
			count(*)::text as found
		from bookings
		where ` + live + `
		group by occurrence_id, member_id
		having count(*) > 1
		order by occurrence_id, member_id`

	wrongCheckIns = `
		select b.id as booking_id, null::uuid as occurrence_id, b.member_id, checked.what, checked.expected, checked.found
		from bookings b
		left join (
			select booking_id, count(*) filter (where result = 'ADMITTED') as admitted
			from scans
			where booking_id is not null
			group by booking_id) as s on s.booking_id = b.id
		cross join lateral (values
			('scans that let its holder in', case when b.checked_in_at is null then '0' else '1' end, coalesce(s.admitted, 0)::text,
				coalesce(s.admitted, 0) <> case when b.checked_in_at is null then 0 else 1 end),
			('checked in at', 'the time of a scan', b.checked_in_at::text, b.checked_in_at is not null and not exists (
				select from scans where booking_id = b.id and result in ('ADMITTED', 'ALREADY_IN') and scanned_at = b.checked_in_at))
		) as checked (what, expected, found, differs)
		where checked.differs
		order by b.id, checked.what`

	// One that was refused is the attendance of who came, and nothing of who did not.
	wrongAttendances = `
		select coalesce(b.id, a.booking_id) as booking_id, null::uuid as occurrence_id, coalesce(b.member_id, a.member_id) as member_id,
			'attendances that stand' as what, case when b.status = 'ATTENDED' then '1' else '0' end as expected,
			(coalesce(a.standing, 0) + case when b.status = 'ATTENDED' and a.refused then 1 else 0 end)::text as found
		from bookings b
		full join (
			select booking_id, min(member_id::text)::uuid as member_id, count(*) filter (where status in ('DUE', 'RECORDED')) as standing,
				(array_agg(status order by number desc))[1] = 'REFUSED' as refused
			from attendances
			group by booking_id) as a on a.booking_id = b.id
		where coalesce(a.standing, 0) + case when b.status = 'ATTENDED' and a.refused then 1 else 0 end
			<> case when b.status = 'ATTENDED' then 1 else 0 end
		order by 1`

	wrongFacts = `
		select a.booking_id, null::uuid as occurrence_id, a.member_id, 'fact of attendance ' || a.number as what,
			'CHECK_IN of club at ' || a.occurred_at as expected,
			coalesce(f.type || ' of ' || f.source || ' at ' || f.occurred_at, 'none') as found
		from attendances a
		left join activities f on f.member_id = a.member_id and f.sequence = a.activity_sequence
		where (a.status = 'RECORDED' or a.activity_sequence is not null)
			and (f.type, f.source, f.occurred_at) is distinct from ('CHECK_IN', 'club', a.occurred_at)
		order by a.booking_id, a.number`

	doubleFacts = `
		select min(booking_id::text)::uuid as booking_id, null::uuid as occurrence_id, member_id,
			'attendances of fact ' || activity_sequence as what, '1' as expected, count(*)::text as found
		from attendances
		where activity_sequence is not null
		group by member_id, activity_sequence
		having count(*) > 1
		order by 1`

	// What was taken back of an award counts with what had lapsed of it and with what the member could not give back.
	wrongPoints = `
		select a.booking_id, null::uuid as occurrence_id, a.member_id, checked.what, checked.expected, checked.found
		from attendances a
		left join adjustments p on p.id = a.adjustment_id and p.member_id = a.member_id
		left join lateral (
			select coalesce(sum(e.points), 0) - coalesce(sum((
				select sum(r.lapsed + r.shortfall - r.points) from entries r
				where r.member_id = e.member_id and r.reverses = e.sequence and r.kind = 'REVERSAL')), 0) as points
			from entries e
			where e.member_id = a.member_id and e.activity_sequence = a.activity_sequence and e.kind = 'ACCRUAL') as remaining on true
		cross join lateral (values
			('points given without a rule', coalesce(a.points, 0)::text, coalesce(p.points, 0)::text,
				a.status = 'RECORDED' and a.refusal is null and coalesce(a.points, 0) <> coalesce(p.points, 0)),
			('points given without a rule that stand', '0', p.points::text, a.status = 'REVOKED' and p.points is not null and p.reversed_at is null),
			('points left of the fact', '0', remaining.points::text, a.status = 'REVOKED' and remaining.points <> 0)
		) as checked (what, expected, found, differs)
		where checked.differs
		order by a.booking_id, a.number, checked.what`
)

func selectDiscrepancies(ctx context.Context, q postgres.Runner, statement string) ([]discrepancy, error) {
	var found []discrepancy
	err := q.Select(ctx, &found, statement)
	return found, err
}

// strayFact is a fact that no attendance has.
type strayFact struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	ExternalID string    `db:"external_id"`
}

func selectStrays(ctx context.Context, q postgres.Runner) ([]strayFact, error) {
	var strays []strayFact
	err := q.Select(ctx, &strays, `
		select f.member_id, f.sequence, f.external_id
		from activities f
		left join attendances a on a.member_id = f.member_id and a.activity_sequence = f.sequence
		where f.source = $1 and f.type = $2 and a.booking_id is null
		order by f.member_id, f.sequence`, loyalty.ClubSource, attendanceType)
	return strays, err
}

// isDue tells whether an attendance is on its way into the books.
func isDue(ctx context.Context, q postgres.Runner, booking id.Booking, number int, member id.Member) (bool, error) {
	var due bool
	err := q.Get(ctx, &due, `
		select exists (
			select from attendances
			where booking_id = $1 and number = $2 and member_id = $3 and activity_sequence is null and status in ('DUE', 'REVOKING'))`,
		booking, number, member)
	return due, err
}

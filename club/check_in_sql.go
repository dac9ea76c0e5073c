package club

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

func insertScan(ctx context.Context, tx *postgres.Tx, scan *Scan) error {
	_, err := tx.Exec(ctx, `
		insert into scans (id, occurrence_id, booking_id, result, offline, scanned_at, recorded_at, scanned_by)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		scan.ID, scan.OccurrenceID, scan.BookingID, scan.Result, scan.Offline, scan.ScannedAt, scan.RecordedAt, scan.ScannedBy)
	return err
}

func selectScan(ctx context.Context, q postgres.Runner, wanted id.Scan) (Scan, error) {
	var scan Scan
	err := q.Get(ctx, &scan, `
		select id, occurrence_id, booking_id, result, offline, scanned_at, recorded_at, scanned_by from scans where id = $1`, wanted)
	return scan, err
}

func countDoors(ctx context.Context, q postgres.Runner, wanted []id.Occurrence) (map[id.Occurrence]Door, error) {
	var rows []struct {
		Occurrence id.Occurrence `db:"occurrence_id"`
		Door
	}
	err := q.Select(ctx, &rows, `
		select occurrence_id, sum(seats) as expected, coalesce(sum(seats) filter (where checked_in_at is not null), 0) as arrived
		from bookings
		where occurrence_id = any($1::uuid[]) and status in ('CONFIRMED', 'ATTENDED', 'NO_SHOW')
		group by occurrence_id`, pq.StringArray(id.Texts(wanted)))
	doors := make(map[id.Occurrence]Door, len(rows))
	for _, row := range rows {
		doors[row.Occurrence] = row.Door
	}
	return doors, err
}

package care

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/postgres"
	"regulars/internal/value"
)

// booked is what is booked, as a message tells of it.
type booked struct {
	Booking uuid.UUID `db:"id"`
	Status  string    `db:"status"`
	// Expected tells whether the member is to come and the event to take place, which begins at StartsAt.
	Expected    bool                `db:"expected"`
	StartsAt    time.Time           `db:"starts_at"`
	Name        string              `db:"name"`
	Venue       *string             `db:"venue"`
	StartsLocal value.LocalDateTime `db:"starts_local"`
}

func selectBooked(ctx context.Context, tx *postgres.Tx, wanted []uuid.UUID) (map[uuid.UUID]booked, error) {
	ids := make([]string, len(wanted))
	for i, one := range wanted {
		ids[i] = one.String()
	}
	var rows []booked
	err := tx.Select(ctx, &rows, `
		select bookings.id, bookings.status, events.name, coalesce(occurrences.venue, events.venue) as venue, occurrences.starts_local,
			occurrences.starts_at, bookings.status = 'CONFIRMED' and occurrences.status = 'SCHEDULED' and events.status = 'PUBLISHED' as expected
		from bookings
		join occurrences on occurrences.id = bookings.occurrence_id
		join events on events.id = occurrences.event_id
		where bookings.id = any($1::uuid[])`, pq.StringArray(ids))
	found := make(map[uuid.UUID]booked, len(rows))
	for _, one := range rows {
		found[one.Booking] = one
	}
	return found, err
}

package club

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// selectFeed reads events that were published, have a date that ends behind an instant, and were not canceled before another.
func selectFeed(ctx context.Context, q postgres.Runner, endsAfter, canceledAfter time.Time) ([]*Event, error) {
	var events []*Event
	err := q.Select(ctx, &events, `
		select `+eventColumns+` from events
		where published_at is not null and (canceled_at is null or canceled_at >= $2) and exists (
			select from occurrences where event_id = events.id and ends_at > $1)
		order by id`, endsAfter, canceledAfter)
	return events, err
}

// selectPlanned reads all occurrences of events, each one's in the order of its plan.
func selectPlanned(ctx context.Context, q postgres.Runner, events []id.Event) ([]*Occurrence, error) {
	var rows []*Occurrence
	err := q.Select(ctx, &rows, `
		select `+occurrenceColumns+` from occurrences where event_id = any($1::uuid[]) order by event_id, planned_local`,
		pq.StringArray(id.Texts(events)))
	return rows, err
}

// upsertLink ends the member's address, and makes another one if that is to be active.
func upsertLink(ctx context.Context, tx *postgres.Tx, member id.Member, active bool) error {
	_, err := tx.Exec(ctx, `
		insert into calendar_links (member_id, generation, active, changed_at) values ($1, 1, $2, $3)
		on conflict (member_id) do update
		set generation = calendar_links.generation + 1, active = excluded.active, changed_at = excluded.changed_at`, member, active, tx.Now)
	return err
}

// selectLink returns what the member's address is: the first one unless it changed that.
func selectLink(ctx context.Context, q postgres.Runner, member id.Member) (link, error) {
	own := link{Member: member, Active: true}
	err := q.Get(ctx, &own, `select member_id, generation, active from calendar_links where member_id = $1`, member)
	if errors.Is(err, sql.ErrNoRows) {
		return own, nil
	}
	return own, err
}

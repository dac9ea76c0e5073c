package club

import (
	"context"
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

func upsertLink(ctx context.Context, tx *postgres.Tx, member id.Member, hash []byte) error {
	_, err := tx.Exec(ctx, `
		insert into calendar_links (member_id, token_hash, created_at) values ($1, $2, $3)
		on conflict (member_id) do update set token_hash = excluded.token_hash, created_at = excluded.created_at`, member, hash, tx.Now)
	return err
}

func deleteLink(ctx context.Context, tx *postgres.Tx, member id.Member) error {
	_, err := tx.Exec(ctx, `delete from calendar_links where member_id = $1`, member)
	return err
}

// selectLinked returns whose link has a token of this hash; none if there is no such link.
func selectLinked(ctx context.Context, q postgres.Runner, hash []byte) ([]id.Member, error) {
	var members []id.Member
	err := q.Select(ctx, &members, `select member_id from calendar_links where token_hash = $1`, hash)
	return members, err
}

package audit

import (
	"context"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const (
	entryColumns = `id, at, actor, action, object, before, after`
	// $1 is the caller's sight.
	inSight = `($1::text[] is null or split_part(object, '_', 1) = any($1))`
)

func insert(ctx context.Context, tx *postgres.Tx, entry Entry) error {
	_, err := tx.Exec(ctx, `insert into changes (`+entryColumns+`) values ($1, $2, $3, $4, $5, $6, $7)`,
		entry.ID, entry.At, entry.Actor, entry.Action, entry.Object, entry.Before, entry.After)
	return err
}

func selectEntry(ctx context.Context, q postgres.Runner, seen sight, wanted id.AuditEntry) (*Entry, error) {
	var entry Entry
	err := q.Get(ctx, &entry, `select `+entryColumns+` from changes where `+inSight+` and id = $2`, pq.StringArray(seen), wanted)
	return &entry, err
}

// selectEntries reads on behind after, from the newest if that is the zero id.
func selectEntries(ctx context.Context, q postgres.Runner, seen sight, of *string, after id.AuditEntry, limit int) ([]*Entry, error) {
	if after == (id.AuditEntry{}) {
		after = id.AuditEntry(uuid.Max)
	}
	var entries []*Entry
	if of == nil {
		err := q.Select(ctx, &entries, `
			select `+entryColumns+` from changes where `+inSight+` and id < $2
			order by id desc limit $3`, pq.StringArray(seen), after, limit)
		return entries, err
	}
	err := q.Select(ctx, &entries, `
		select `+entryColumns+` from changes where `+inSight+` and id < $2 and object = $4
		order by id desc limit $3`, pq.StringArray(seen), after, limit, *of)
	return entries, err
}

func countEntries(ctx context.Context, q postgres.Runner, seen sight, of *string) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from changes where `+inSight+` and object = coalesce($2, object)`, pq.StringArray(seen), of)
	return count, err
}

package care

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/postgres"
)

func deleteMessages(ctx context.Context, tx *postgres.Tx, before time.Time, limit int) (int64, error) {
	return tx.Exec(ctx, `
		delete from messages where (member_id, id) in (
			select member_id, id from messages where created_at < $1 and due_at is null order by created_at limit $2)`, before, limit)
}

// deleteHappenings names the occasions, by which the index leads.
func deleteHappenings(ctx context.Context, tx *postgres.Tx, occasions []Occasion, before time.Time, limit int) (int64, error) {
	return tx.Exec(ctx, `
		delete from happenings where (member_id, occasion, subject) in (
			select member_id, occasion, subject from happenings where occasion = any($1) and at < $2 limit $3)`,
		pq.Array(occasions), before, limit)
}

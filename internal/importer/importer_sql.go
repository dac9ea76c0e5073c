package importer

import (
	"context"

	"regulars/internal/postgres"
)

// lockSource takes the lock on imports from a source until tx ends, however long nothing happens in it; false if another
// transaction has it.
func lockSource(ctx context.Context, tx *postgres.Tx, source string) (bool, error) {
	if _, err := tx.Exec(ctx, `set local idle_in_transaction_session_timeout = 0`); err != nil {
		return false, err
	}
	var free bool
	err := tx.Get(ctx, &free, `select pg_try_advisory_xact_lock(hashtextextended('import ' || $1, 0))`, source)
	return free, err
}

// analyze tells PostgreSQL how the tables have grown: until it knows, it reads all of them for what an index would find.
func analyze(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `analyze`)
	return err
}

package demo

import (
	"context"

	"regulars/internal/postgres"
)

// The advisory lock of builds; any number that no other lock has.
const lockKey = 7_262_078

// lockBuild waits until no other build runs and keeps others waiting until tx ends, however long nothing happens in it.
func lockBuild(ctx context.Context, tx *postgres.Tx) error {
	if _, err := tx.Exec(ctx, `set local idle_in_transaction_session_timeout = 0`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, lockKey)
	return err
}

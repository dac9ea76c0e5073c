package postgres

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jmoiron/sqlx"
)

// Tx is an open transaction and a [Runner]. It is for one goroutine.
type Tx struct {
	*sqlx.Tx
	// Now is the transaction's one instant, in UTC and cut to microseconds, so
	// that it reads back from the database as it was written.
	Now time.Time
}

const maxRetries = 3

// InTx runs work in a READ COMMITTED transaction and commits if it returns nil.
// If work fails or panics, or ctx has ended by then, everything is rolled back
// before InTx returns.
//
// A serialization failure or deadlock (40001, 40P01) runs the whole of work
// again, at most three times and with a new Tx.Now, so work must leave nothing
// behind outside of the transaction. The error of work is returned as it is.
func (db *DB) InTx(ctx context.Context, work func(tx *Tx) error) error {
	return db.attempts(ctx, sql.TxOptions{Isolation: sql.LevelReadCommitted}, work)
}

// InSnapshot runs work in a REPEATABLE READ, READ ONLY transaction: every
// statement in it sees the same state of the database.
func (db *DB) InSnapshot(ctx context.Context, work func(tx *Tx) error) error {
	return db.attempts(ctx, sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}, work)
}

func (db *DB) attempts(ctx context.Context, options sql.TxOptions, work func(tx *Tx) error) error {
	for retry := 0; ; retry++ {
		err := db.attempt(ctx, options, work)
		if retry == maxRetries || !retryable(err) {
			return err
		}
		pause := time.NewTimer(time.Duration(1+rand.IntN(10<<retry)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

func (db *DB) attempt(ctx context.Context, options sql.TxOptions, work func(tx *Tx) error) error {
	// The context bounds the wait for a connection but not the transaction:
	// database/sql would roll back behind our back when it ends, and InTx would
	// return while the transaction still holds its locks.
	opening, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	stop := context.AfterFunc(ctx, cancel)
	begun, err := db.pool.BeginTxx(opening, &options)
	stop()
	if err != nil {
		return fmt.Errorf("begin: %w", cmp.Or(ctx.Err(), err))
	}

	committing := false
	defer func() {
		if !committing {
			// An error here means that the connection is gone, and the
			// transaction with it.
			_ = begun.Rollback()
		}
	}()

	if err := ctx.Err(); err != nil {
		return err
	}
	tx := &Tx{Tx: begun, Now: db.Now().UTC().Truncate(time.Microsecond)}
	if db.fence != nil && !options.ReadOnly {
		if err := db.fence(ctx, tx); err != nil {
			return err
		}
	}
	if err := work(tx); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	committing = true
	if err := begun.Commit(); err != nil {
		return fmt.Errorf("commit: %w", sent(err))
	}
	return nil
}

package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
)

// Options changes how [Open] opens a database. The zero value is what the
// server uses.
type Options struct {
	// Now is the clock of DB.Now and of every Tx.Now. Nil means time.Now.
	Now func() time.Time
	// MaxConnections bounds the pool. 0 means 16.
	MaxConnections int
}

// DB is a pool of connections to one PostgreSQL database. It is safe for
// concurrent use and is a [Runner]: each statement run on it is its own
// transaction.
type DB struct {
	// Now is the clock. It answers in any zone; Tx.Now is it in UTC.
	Now func() time.Time

	pool *sqlx.DB
}

// Open connects to the database that dataSource names, which is a URL
// (postgres://…) or a list of key=value pairs as lib/pq reads them, and proves
// the connection with a round trip. Sessions run in UTC and call themselves
// "regulars" unless dataSource gives another application_name.
//
// It migrates nothing; see [DB.Migrate].
func Open(ctx context.Context, dataSource string, options Options) (*DB, error) {
	config, err := pq.NewConfig(dataSource)
	if err != nil {
		return nil, fmt.Errorf("data source: %w", err)
	}
	if config.ApplicationName == "" {
		config.ApplicationName = "regulars"
	}
	if config.Runtime == nil {
		config.Runtime = map[string]string{}
	}
	config.Runtime["timezone"] = "UTC"

	limit := options.MaxConnections
	if limit == 0 {
		limit = 16
	}
	now := options.Now
	if now == nil {
		now = time.Now
	}

	pool := sqlx.NewDb(sql.OpenDB(connector{config: config}), "postgres")
	pool.SetMaxOpenConns(limit)
	pool.SetMaxIdleConns(limit)
	pool.SetConnMaxIdleTime(5 * time.Minute)

	db := &DB{Now: now, pool: pool}
	if err := db.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return db, nil
}

// Close closes every connection. Statements that run are waited for.
func (db *DB) Close() error {
	return db.pool.Close()
}

// Ping proves with a round trip that the database answers.
func (db *DB) Ping(ctx context.Context) error {
	if _, err := db.Exec(ctx, "select 1"); err != nil {
		return fmt.Errorf("reach the database: %w", err)
	}
	return nil
}

// WithClock returns a DB over the same connections that takes its instants
// from now. Closing either closes both.
func (db *DB) WithClock(now func() time.Time) *DB {
	return &DB{Now: now, pool: db.pool}
}

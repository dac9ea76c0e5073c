package postgres

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
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

	pool      *sqlx.DB
	connector connector
	fence     func(ctx context.Context, tx *Tx) error // nil lets everything through
}

// ErrDataSource is returned by [Open] for a data source that cannot be read. Its
// sentence does not repeat the data source.
var ErrDataSource = errors.New("the data source is malformed")

// ErrEncoding is returned by [Open] for a database that cannot hold every text.
var ErrEncoding = errors.New("the database's encoding is not UTF8; make one with encoding UTF8")

// Open connects to the database that dataSource names, which is a URL
// (postgres://…) or a list of key=value pairs as lib/pq reads them, and proves
// the connection with a round trip. Sessions run in UTC and call themselves
// "regulars" unless dataSource gives another application_name.
//
// It migrates nothing; see [DB.Migrate].
func Open(ctx context.Context, dataSource string, options Options) (*DB, error) {
	config, err := pq.NewConfig(dataSource)
	if err != nil {
		// The error of a URL repeats it, with the password in it.
		if wrong := new(url.Error); errors.As(err, &wrong) {
			err = wrong.Err
		}
		return nil, fmt.Errorf("%w: %w", ErrDataSource, err)
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

	db := open(connector{config: config}, limit, now)
	var encoding string
	err = db.Get(ctx, &encoding, "show server_encoding")
	switch {
	case err != nil:
		err = fmt.Errorf("reach the database: %w", err)
	case encoding != "UTF8":
		err = ErrEncoding
	default:
		return db, nil
	}
	db.Close()
	return nil, err
}

func open(connector connector, limit int, now func() time.Time) *DB {
	pool := sqlx.NewDb(sql.OpenDB(connector), "postgres")
	pool.SetMaxOpenConns(limit)
	pool.SetMaxIdleConns(limit)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return &DB{Now: now, pool: pool, connector: connector}
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
	return &DB{Now: now, pool: db.pool, connector: db.connector, fence: db.fence}
}

// Fenced returns a DB over the same connections whose transactions ask fence
// first: those of InTx begin with it, and go no further where it returns an
// error. Snapshots and statements that run without a transaction do not ask.
// Closing either closes both.
func (db *DB) Fenced(fence func(ctx context.Context, tx *Tx) error) *DB {
	return &DB{Now: db.Now, pool: db.pool, connector: db.connector, fence: fence}
}

// Apart returns a DB of the same database and clock with at most so many
// connections of its own, for what must not wait while db's are all taken. It
// opens them when they are needed. Closing it closes these alone.
func (db *DB) Apart(connections int) *DB {
	return open(db.connector, connections, db.Now)
}

package postgres

import (
	"context"
	"database/sql/driver"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// lockSpace keeps the locks of [DB.TryLock] apart from other advisory locks.
const lockSpace = 731_087_193

// lockTime bounds how long a connection that holds a lock may take to answer.
const lockTime = 5 * time.Second

// Lock is an advisory lock of the database, held by a connection of its own.
// The server frees it when that connection or the program is gone, which
// [Lock.Alive] tells. It is safe for concurrent use.
type Lock struct {
	session *sqlx.Conn
	name    string
}

// TryLock takes the lock of that name and keeps one of db's connections for it;
// nil if somebody else holds it, in this program or another. It waits for a free
// connection, never for the lock.
func (db *DB) TryLock(ctx context.Context, name string) (*Lock, error) {
	session, err := db.pool.Connx(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, translate(ctx, err))
	}
	taken := &Lock{session: session, name: name}
	var locked bool
	if err := session.GetContext(ctx, &locked, `select pg_try_advisory_lock($1, hashtext($2))`, lockSpace, name); err != nil {
		// Nobody knows whether the server took it.
		taken.abandon()
		return nil, fmt.Errorf("lock %s: %w", name, translate(ctx, err))
	}
	if !locked {
		return nil, session.Close()
	}
	return taken, nil
}

// Alive proves with a round trip that the connection is there, and the lock with
// it. It asks also after the end of ctx: a statement that is cut short takes
// its connection along.
func (l *Lock) Alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockTime)
	defer cancel()
	_, err := l.session.ExecContext(ctx, "select 1")
	return translate(ctx, err)
}

// Release frees the lock, also after the end of ctx.
func (l *Lock) Release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lockTime)
	defer cancel()
	if _, err := l.session.ExecContext(ctx, `select pg_advisory_unlock($1, hashtext($2))`, lockSpace, l.name); err != nil {
		l.abandon()
		return
	}
	_ = l.session.Close()
}

// abandon drops the connection, and with it whatever it holds.
func (l *Lock) abandon() {
	_ = l.session.Raw(func(any) error { return driver.ErrBadConn })
	_ = l.session.Close()
}

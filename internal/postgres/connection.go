package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/lib/pq"
)

// connector opens connections that prepare each statement once.
//
// The statements are kept with their connection and not as a sql.Stmt over the
// pool: preparing through the pool takes a second connection, and as many
// transactions as there are connections would wait for one another for ever.
type connector struct {
	config pq.Config
}

func (c connector) Driver() driver.Driver { return pq.Driver{} }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	dialer := &dialer{}
	inner, err := pq.NewConnectorConfig(c.config)
	if err != nil {
		return nil, err
	}
	inner.Dialer(dialer)
	opened, err := inner.Connect(ctx)
	if err != nil {
		return nil, err
	}
	open, ok := opened.(driverConnection)
	if !ok {
		return nil, fmt.Errorf("unexpected connection type %T", opened)
	}
	dialer.opened = true
	return &connection{driverConnection: open, socket: dialer.last, statements: map[string]statement{}}, nil
}

// dialer remembers the socket that the connection was opened on: lib/pq does not
// give it away. Later it only dials to cancel statements, from goroutines that
// nothing keeps apart.
type dialer struct {
	net.Dialer
	last   net.Conn
	opened bool
}

func (d *dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	socket, err := d.Dialer.DialContext(ctx, network, address)
	if !d.opened {
		d.last = socket
	}
	return socket, err
}

func (d *dialer) DialTimeout(network, address string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return d.DialContext(ctx, network, address)
}

// driverConnection is what lib/pq's connection is to database/sql.
type driverConnection interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

type statement interface {
	driver.StmtExecContext
	driver.StmtQueryContext
}

// maxStatements bounds the statements kept for a connection. SQL is never built
// from input, so a program that gets there has a bug; it gets slower, not worse.
const maxStatements = 512

// connection is one session. Like every driver.Conn it is used by one goroutine
// at a time, so its statements need no lock.
type connection struct {
	driverConnection
	socket     net.Conn
	statements map[string]statement
}

// BeginTx begins without a watch over ctx: lib/pq's would throw the connection
// away when ctx ends, and the statements watch over theirs.
func (c *connection) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	return c.driverConnection.BeginTx(context.WithoutCancel(ctx), options)
}

// ResetSession runs before a connection from the pool is used again. It refuses
// one whose server has gone, while nothing is sent yet and another connection
// can still be taken without a risk.
func (c *connection) ResetSession(ctx context.Context) error {
	if stale(c.socket) {
		return driver.ErrBadConn
	}
	return c.driverConnection.ResetSession(ctx)
}

func (c *connection) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	prepared, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if prepared == nil {
		rows, err := c.driverConnection.QueryContext(ctx, query, args)
		return rows, sent(err)
	}
	rows, err := prepared.QueryContext(ctx, args)
	return rows, c.ran(query, err)
}

func (c *connection) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	prepared, err := c.prepared(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if prepared == nil {
		result, err := c.driverConnection.ExecContext(ctx, query, args)
		return result, sent(err)
	}
	result, err := prepared.ExecContext(ctx, args)
	return result, c.ran(query, err)
}

// prepared returns the statement of query, and nil if it is to run unprepared:
// one without arguments takes a single round trip anyway and may be a script.
func (c *connection) prepared(ctx context.Context, query string, args []driver.NamedValue) (statement, error) {
	if !c.IsValid() {
		return nil, driver.ErrBadConn
	}
	if len(args) == 0 {
		return nil, nil
	}
	if kept, ok := c.statements[query]; ok {
		return kept, nil
	}
	if len(c.statements) >= maxStatements {
		return nil, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	kept, ok := prepared.(statement)
	if !ok {
		return nil, fmt.Errorf("unexpected statement type %T", prepared)
	}
	c.statements[query] = kept
	return kept, nil
}

// ran forgets a statement that the server will not run again.
func (c *connection) ran(query string, err error) error {
	if failure, ok := errors.AsType[*pq.Error](err); ok && outdated(failure) {
		delete(c.statements, query)
	}
	return sent(err)
}

// sent keeps database/sql from repeating a statement that the server may have
// run: lib/pq reports any lost connection as driver.ErrBadConn, which means
// "not sent, try another" to database/sql. The pool drops the connection all the
// same, for it is no longer valid.
func sent(err error) error {
	if errors.Is(err, driver.ErrBadConn) {
		return errConnectionLost
	}
	return err
}

package postgres

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Runner runs SQL statements; both *DB and *Tx are one. Parameters are written
// $1, $2, … and a slice becomes an array. A statement with arguments is
// prepared once for each connection and reused, so its text must be a constant
// and must name the columns it reads.
//
// When ctx ends in mid-statement the server stops the statement and the error
// is context.Canceled or context.DeadlineExceeded by errors.Is.
type Runner interface {
	// Get scans the first row into dest, a pointer to a struct with db tags or
	// to a scalar. It returns sql.ErrNoRows when there is none.
	Get(ctx context.Context, dest any, query string, args ...any) error
	// Select scans all rows into dest, a pointer to a slice. No row is no error.
	Select(ctx context.Context, dest any, query string, args ...any) error
	// Exec runs a statement and returns how many rows it affected.
	Exec(ctx context.Context, query string, args ...any) (int64, error)
	// Rows streams a result. The caller closes it, and in a transaction runs
	// no other statement before.
	Rows(ctx context.Context, query string, args ...any) (*sqlx.Rows, error)
}

var (
	_ Runner = (*DB)(nil)
	_ Runner = (*Tx)(nil)
)

// Get implements [Runner] in a transaction of its own.
func (db *DB) Get(ctx context.Context, dest any, query string, args ...any) error {
	return translate(ctx, db.pool.GetContext(ctx, dest, query, args...))
}

// Select implements [Runner] in a transaction of its own.
func (db *DB) Select(ctx context.Context, dest any, query string, args ...any) error {
	return translate(ctx, db.pool.SelectContext(ctx, dest, query, args...))
}

// Exec implements [Runner] in a transaction of its own.
func (db *DB) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return exec(ctx, db.pool, query, args)
}

// Rows implements [Runner] in a transaction of its own.
func (db *DB) Rows(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	rows, err := db.pool.QueryxContext(ctx, query, args...)
	return rows, translate(ctx, err)
}

// Get implements [Runner] in the transaction.
func (tx *Tx) Get(ctx context.Context, dest any, query string, args ...any) error {
	return translate(ctx, tx.GetContext(ctx, dest, query, args...))
}

// Select implements [Runner] in the transaction.
func (tx *Tx) Select(ctx context.Context, dest any, query string, args ...any) error {
	return translate(ctx, tx.SelectContext(ctx, dest, query, args...))
}

// Exec implements [Runner] in the transaction.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return exec(ctx, tx, query, args)
}

// Rows implements [Runner] in the transaction.
func (tx *Tx) Rows(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	rows, err := tx.QueryxContext(ctx, query, args...)
	return rows, translate(ctx, err)
}

func exec(ctx context.Context, on sqlx.ExecerContext, query string, args []any) (int64, error) {
	result, err := on.ExecContext(ctx, query, args...)
	if err != nil {
		return 0, translate(ctx, err)
	}
	return result.RowsAffected()
}

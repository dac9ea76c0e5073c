package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"

	"github.com/lib/pq"
)

// errConnectionLost is what a statement answers when its connection broke after
// the statement was sent: nobody knows whether the server ran it, so it must
// not be repeated blindly.
var errConnectionLost = errors.New("connection to the database lost in mid-statement")

const (
	serializationFailure  = "40001"
	deadlockDetected      = "40P01"
	queryCanceled         = "57014"
	undefinedStatement    = "26000"
	featureNotSupported   = "0A000"
	integrityViolation    = "23"
	revalidateCachedQuery = "RevalidateCachedQuery"
)

// Constraint returns the name of the constraint or unique index that err
// reports as violated, and "" if err is no such violation. Callers turn the
// name into a problem beside the statement that caused it.
func Constraint(err error) string {
	if failure, ok := errors.AsType[*pq.Error](err); ok && failure.Code.Class() == integrityViolation {
		return failure.Constraint
	}
	return ""
}

// translate makes an error caused by the end of ctx say so: PostgreSQL and
// lib/pq report a statement that was stopped, not why.
func translate(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || errors.Is(err, ctx.Err()) {
		return err
	}
	failure, ok := errors.AsType[*pq.Error](err)
	// A statement that was stopped just as it ended takes its connection from the next one.
	if (ok && failure.Code == queryCanceled) || errors.Is(err, errConnectionLost) || errors.Is(err, driver.ErrBadConn) {
		return fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return err
}

// retryable tells whether the server rolled the transaction back for a reason
// that may be gone at the next attempt.
func retryable(err error) bool {
	failure, ok := errors.AsType[*pq.Error](err)
	return ok && (failure.Code == serializationFailure || failure.Code == deadlockDetected || outdated(failure))
}

// outdated tells whether a prepared statement no longer fits the schema, which
// a migration beside a running server can cause. Preparing it anew helps.
func outdated(failure *pq.Error) bool {
	return failure.Code == undefinedStatement ||
		(failure.Code == featureNotSupported && failure.Routine == revalidateCachedQuery)
}

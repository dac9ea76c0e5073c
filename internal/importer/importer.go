// Package importer takes files of purchases and of members into the program.
//
// It records through package loyalty what a file says, under keys that the same file gives again: an import that was
// stopped, by whatever, is started again and goes on where it was, and one that was finished records nothing new. What
// cannot be taken is rejected with its line and its reason, and keeps nothing else from being taken.
package importer

import (
	"context"
	"fmt"

	"regulars/internal/postgres"
	"regulars/loyalty"
)

// Stage is a part of an import that takes its time.
type Stage string

// The stages, in the order in which an import goes through them.
const (
	Reading    Stage = "reading"
	Enrolling  Stage = "enrolling"
	Purchasing Stage = "purchases"
	Returning  Stage = "returns"
)

// Importer imports into one database, on behalf of the caller of the context, who must be an admin or of support.
type Importer struct {
	// DB has a program.
	DB      *postgres.DB
	Service *loyalty.Service
	// Progress is told how much of a stage is done: bytes of the file, members or orders.
	Progress func(stage Stage, done, total int64)
}

// batch is how many orders or members one transaction records: enough to be quick, few enough that nobody at a till
// notices.
const batch = 250

// alone runs work while no other import from the same source runs: two of them could match the same return to different
// purchases. Like all work in a transaction, it may be run again from its start.
func (i *Importer) alone(ctx context.Context, source string, work func() error) error {
	return i.DB.InTx(ctx, func(tx *postgres.Tx) error {
		// This transaction does nothing but hold the lock; work has its own ones.
		free, err := lockSource(ctx, tx, source)
		if err != nil {
			return err
		}
		if !free {
			return fmt.Errorf("another import from the source %q is running; wait until it has ended", source)
		}
		return work()
	})
}

package outbox

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// Notice tells others what happened.
type Notice struct {
	// ID rises in the order in which notices are read. It is given by PutTx; a consumer knows by it what it has had before.
	ID int64
	// Member is whom it is about; the zero id: nobody.
	Member id.Member
	// RecordedAt is the instant of the transaction that put it.
	RecordedAt time.Time
	Payload    Payload
}

// PutTx writes notices into the transaction of their cause. Only Member and Payload are read of them. The caller has locked
// the accounts of all their members before; each member's are read in the order in which they stand here.
func PutTx(ctx context.Context, tx *postgres.Tx, notices []Notice) error {
	rows := make([]row, len(notices))
	for i, notice := range notices {
		encoded, err := json.Marshal(notice.Payload)
		if err != nil {
			return fmt.Errorf("encode a notice: %w", err)
		}
		rows[i].Type, rows[i].Version = notice.Payload.shape()
		rows[i].Payload, rows[i].RecordedAt = string(encoded), tx.Now
		if notice.Member != (id.Member{}) {
			rows[i].Member = &notice.Member
		}
	}
	return insert(ctx, tx, rows)
}

// Consume gives work at most limit notices that the consumer has not had, oldest first, and returns how many they were. It
// does not call work where there are none, or where the consumer is at work elsewhere: then it returns 0 at once. A
// consumer that is new begins with the oldest notice that is kept.
//
// The consumer's place moves on in the transaction in which work runs: what work does in it is done exactly once for each
// notice, anything else at least once. If work fails, its error comes back and the same notices come again. work may put
// notices. While it writes, or has written and goes on, it delays what other consumers read.
//
// A notice whose type or version this program does not know is an error: it waits for the program that does.
func Consume(ctx context.Context, db *postgres.DB, consumer string, limit int, work func(ctx context.Context, tx *postgres.Tx, notices []Notice) error) (int, error) {
	// The fence is set in a transaction of its own, which ends at once: work may take long, and fences of others wait for it.
	open := false
	if err := db.InTx(ctx, func(tx *postgres.Tx) error {
		var err error
		open, err = fence(ctx, tx, consumer)
		return err
	}); err != nil || !open {
		return 0, err
	}
	count := 0
	err := db.InTx(ctx, func(tx *postgres.Tx) error {
		notices, place, err := next(ctx, tx, consumer, limit)
		count = len(notices)
		if err != nil || place == 0 {
			return err
		}
		if count > 0 {
			if err := work(ctx, tx, notices); err != nil {
				return err
			}
		}
		return updatePlace(ctx, tx, consumer, place)
	})
	if err != nil {
		return 0, err
	}
	return count, nil
}

// fence sets the consumer's fence if it has read everything up to the last one, and tells whether there may be something
// to read now.
func fence(ctx context.Context, tx *postgres.Tx, consumer string) (bool, error) {
	if mine, err := lock(ctx, tx, consumer); err != nil || !mine {
		return false, err
	}
	place, err := selectPlace(ctx, tx, consumer)
	if err != nil {
		return false, err
	}
	if place.Fence > place.ReadTo && !place.Foreign {
		return true, nil
	}
	// This comes before the transaction has a number: see the package's comment.
	last, err := selectLast(ctx, tx)
	if err != nil || last <= place.ReadTo {
		return false, err
	}
	return true, upsertFence(ctx, tx, consumer, last)
}

// next returns the notices that come next and the place behind them; no place if the consumer is at work elsewhere or the
// fence is not settled.
func next(ctx context.Context, tx *postgres.Tx, consumer string, limit int) ([]Notice, int64, error) {
	if mine, err := lock(ctx, tx, consumer); err != nil || !mine {
		return nil, 0, err
	}
	place, err := selectSettled(ctx, tx, consumer)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	rows, err := selectNotices(ctx, tx, place, limit)
	if err != nil {
		return nil, 0, err
	}
	notices := make([]Notice, len(rows))
	for i, row := range rows {
		if notices[i], err = row.notice(); err != nil {
			return nil, 0, err
		}
	}
	if len(rows) == limit {
		return notices, rows[limit-1].ID, nil
	}
	// Ids of transactions that were rolled back are missing for ever.
	return notices, place.Fence, nil
}

// How many notices one statement of Prune looks at.
const pruneBatch = 1000

// Prune deletes notices that were recorded before an instant and that every consumer has had, and returns how many. It
// works in short transactions; what they have deleted stays deleted if a later one fails.
//
// A consumer that reads no more keeps notices for ever, until its row of notice_consumers is deleted.
func Prune(ctx context.Context, db *postgres.DB, before time.Time) (int, error) {
	for deleted := 0; ; {
		var count int64
		err := db.InTx(ctx, func(tx *postgres.Tx) (err error) {
			count, err = deleteRead(ctx, tx, before, pruneBatch)
			return err
		})
		if err != nil || count == 0 {
			return deleted, err
		}
		deleted += int(count)
	}
}

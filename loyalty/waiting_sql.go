package loyalty

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// waitingReturn is a return whose purchase has not come yet.
type waitingReturn struct {
	Hash         uuid.UUID       `db:"hash"`
	PurchaseHash uuid.UUID       `db:"purchase_hash"`
	Source       string          `db:"source"`
	ExternalID   string          `db:"external_id"`
	OccurredAt   time.Time       `db:"occurred_at"`
	Amount       *int64          `db:"amount"`
	Encoded      json.RawMessage `db:"lines"`
	Lines        []returnedQuantity
	RecordedAt   time.Time `db:"recorded_at"`
}

// touchActivityKeys takes keys and gives them back: whoever else is taking one has it then, and whoever wants one later waits
// for this transaction. It returns the keys that nobody has.
func touchActivityKeys(ctx context.Context, tx *postgres.Tx, keys []uuid.UUID) (map[uuid.UUID]bool, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	keys = slices.Clone(keys)
	slices.SortFunc(keys, id.Compare)
	var free []uuid.UUID
	if err := tx.Select(ctx, &free, `
		insert into activity_keys (hash, input_hash)
		select hash, hash from unnest($1::uuid[]) as touched (hash)
		on conflict (hash) do nothing
		returning hash`, pq.StringArray(id.Texts(slices.Compact(keys)))); err != nil {
		return nil, err
	}
	touched := make(map[uuid.UUID]bool, len(free))
	for _, key := range free {
		touched[key] = true
	}
	_, err := tx.Exec(ctx, `delete from activity_keys where hash = any($1::uuid[])`, pq.StringArray(id.Texts(free)))
	return touched, err
}

// insertWaiting keeps returns until their purchases come.
func insertWaiting(ctx context.Context, tx *postgres.Tx, returns []*fact) error {
	return postgres.ExecRows(ctx, tx, returns, `
		insert into waiting_returns (hash, purchase_hash, source, external_id, purchase_source, purchase_external_id, occurred_at,
			amount, lines, recorded_at)
		select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[],
			$8::bigint[], $9::jsonb[], $10::timestamptz[])`,
		func(f *fact) any { return f.key },
		func(f *fact) any { return f.returning.purchaseKey },
		func(f *fact) any { return f.source },
		func(f *fact) any { return f.externalID },
		func(f *fact) any { return f.returning.purchaseSource },
		func(f *fact) any { return f.returning.purchaseExternalID },
		func(f *fact) any { return f.occurredAt },
		func(f *fact) any { return f.returning.amount },
		func(f *fact) any {
			// Texts and numbers cannot fail to encode.
			lines, _ := json.Marshal(f.returning.lines)
			return string(lines)
		},
		func(*fact) any { return tx.Now },
	)
}

// takeWaiting removes the returns that wait for purchases and returns them, in the order in which they happened.
func takeWaiting(ctx context.Context, tx *postgres.Tx, purchases map[uuid.UUID]*Activity) ([]waitingReturn, error) {
	if len(purchases) == 0 {
		return nil, nil
	}
	var taken []waitingReturn
	if err := tx.Select(ctx, &taken, `
		delete from waiting_returns where purchase_hash = any($1::uuid[])
		returning hash, purchase_hash, source, external_id, occurred_at, amount, lines, recorded_at`,
		pq.StringArray(id.Texts(slices.Collect(maps.Keys(purchases))))); err != nil {
		return nil, err
	}
	slices.SortFunc(taken, func(a, b waitingReturn) int {
		return cmp.Or(a.OccurredAt.Compare(b.OccurredAt), a.RecordedAt.Compare(b.RecordedAt), id.Compare(a.Hash, b.Hash))
	})
	for i := range taken {
		if err := json.Unmarshal(taken[i].Encoded, &taken[i].Lines); err != nil {
			return nil, err
		}
	}
	return taken, nil
}

func listWaiting(ctx context.Context, q postgres.Runner, behind uuid.UUID, limit int) ([]*WaitingReturn, error) {
	var waiting []*WaitingReturn
	err := q.Select(ctx, &waiting, `
		select hash, source, external_id, purchase_source, purchase_external_id, occurred_at, recorded_at, amount
		from waiting_returns where hash > $1 order by hash limit $2`, behind, limit)
	return waiting, err
}

// findWaiting returns a return that waits, nil if none of that id does.
func findWaiting(ctx context.Context, q postgres.Runner, wanted id.WaitingReturn) (*WaitingReturn, error) {
	var found WaitingReturn
	err := q.Get(ctx, &found, `
		select hash, source, external_id, purchase_source, purchase_external_id, occurred_at, recorded_at, amount
		from waiting_returns where hash = $1`, wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &found, err
}

func countWaiting(ctx context.Context, q postgres.Runner) (int, error) {
	var waiting int
	err := q.Get(ctx, &waiting, `select count(*) from waiting_returns`)
	return waiting, err
}

package idempotency

import (
	"context"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

type row struct {
	Scope     uuid.UUID `db:"hash"`
	InputHash uuid.UUID `db:"input_hash"`
	Result    uuid.UUID `db:"result"`
	Request   Request   `db:"-"`
}

func insert(ctx context.Context, tx *postgres.Tx, rows []row) error {
	return postgres.ExecRows(ctx, tx, rows, `
		insert into idempotency_keys (hash, caller, operation, key, input_hash, result, recorded_at)
		select * from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::timestamptz[])
		on conflict (hash) do nothing`,
		func(r row) any { return r.Scope },
		func(r row) any { return r.Request.Caller },
		func(r row) any { return r.Request.Operation },
		func(r row) any { return r.Request.Key },
		func(r row) any { return r.InputHash },
		func(r row) any { return r.Result },
		func(row) any { return tx.Now },
	)
}

func find(ctx context.Context, tx *postgres.Tx, rows []row) (map[uuid.UUID]row, error) {
	scopes := make([]uuid.UUID, len(rows))
	for i, one := range rows {
		scopes[i] = one.Scope
	}
	var found []row
	if err := tx.Select(ctx, &found, `select hash, input_hash, result from idempotency_keys where hash = any($1::uuid[])`,
		pq.StringArray(id.Texts(scopes))); err != nil {
		return nil, err
	}
	byScope := make(map[uuid.UUID]row, len(found))
	for _, one := range found {
		byScope[one.Scope] = one
	}
	return byScope, nil
}

func remove(ctx context.Context, tx *postgres.Tx, rows []row) error {
	return postgres.ExecRows(ctx, tx, rows, `
		delete from idempotency_keys using unnest($1::uuid[], $2::uuid[]) as refused (hash, result)
		where idempotency_keys.hash = refused.hash and idempotency_keys.result = refused.result`,
		func(r row) any { return r.Scope },
		func(r row) any { return r.Result },
	)
}

package identity

import (
	"context"
	"crypto/ed25519"
	"time"

	"regulars/internal/postgres"
)

func selectSigningKeys(ctx context.Context, q postgres.Runner) ([]SigningKey, error) {
	var rows []struct {
		ID        string     `db:"id"`
		CreatedAt time.Time  `db:"created_at"`
		RetiredAt *time.Time `db:"retired_at"`
		Public    []byte     `db:"public"`
		Seed      []byte     `db:"private"`
	}
	err := q.Select(ctx, &rows, `
		select id, created_at, retired_at, public, private
		from signing_keys
		order by created_at desc, private is null, id`)
	keys := make([]SigningKey, len(rows))
	for i, row := range rows {
		keys[i] = SigningKey{ID: row.ID, CreatedAt: row.CreatedAt, RetiredAt: row.RetiredAt, public: row.Public}
		if row.Seed != nil {
			keys[i].private = ed25519.NewKeyFromSeed(row.Seed)
		}
	}
	return keys, err
}

// lockSigningKeys keeps others from changing keys or making one.
func lockSigningKeys(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, `lock table signing_keys in exclusive mode`)
	return err
}

// insertSigningKey adds the key unless another one signs.
func insertSigningKey(ctx context.Context, q postgres.Runner, key SigningKey) error {
	_, err := q.Exec(ctx, `insert into signing_keys (id, created_at, public, private) values ($1, $2, $3, $4) on conflict do nothing`,
		key.ID, key.CreatedAt, []byte(key.public), key.private.Seed())
	return err
}

func forgetPrivate(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, `update signing_keys set private = null where private is not null`)
	return err
}

func retireSigningKey(ctx context.Context, tx *postgres.Tx, id string) error {
	_, err := tx.Exec(ctx, `update signing_keys set retired_at = $2 where id = $1`, id, tx.Now)
	return err
}

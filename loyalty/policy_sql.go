package loyalty

import (
	"context"
	"time"

	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

// policyRow is one version of the program's policies of points.
type policyRow struct {
	Version int               `db:"version"`
	Since   time.Time         `db:"since"`
	Return  lots.ReturnPolicy `db:"return_policy"`
	ExpiryPolicy
}

// selectPolicies reads all versions, oldest first.
func selectPolicies(ctx context.Context, q postgres.Runner) ([]policyRow, error) {
	var rows []policyRow
	err := q.Select(ctx, &rows, `
		select version, since, return_policy, expiry_mode, expiry_after, expiry_round_up_to, expiry_on
		from policies order by version`)
	return rows, err
}

func insertPolicy(ctx context.Context, tx *postgres.Tx, row policyRow) error {
	_, err := tx.Exec(ctx, `
		insert into policies (version, since, return_policy, expiry_mode, expiry_after, expiry_round_up_to, expiry_on)
		values ($1, $2, $3, $4, $5, $6, $7)`,
		row.Version, row.Since, row.Return, row.Mode, row.After, row.RoundUpTo, row.On)
	return err
}

// selectRecordedUntil is when anything was recorded last of anybody; nil: nobody is there.
func selectRecordedUntil(ctx context.Context, q postgres.Runner) (*time.Time, error) {
	var until *time.Time
	err := q.Get(ctx, &until, `select max(recorded_at) from accounts`)
	return until, err
}

package loyalty

import (
	"context"

	"regulars/internal/postgres"
)

// selectCaps reads the caps, support's first.
func selectCaps(ctx context.Context, q postgres.Runner) ([]AdjustmentCap, error) {
	var caps []AdjustmentCap
	err := q.Select(ctx, &caps, `select role, points_per_day from adjustment_caps order by role desc`)
	return caps, err
}

func replaceCaps(ctx context.Context, tx *postgres.Tx, caps []AdjustmentCap) error {
	if _, err := tx.Exec(ctx, `delete from adjustment_caps`); err != nil {
		return err
	}
	return postgres.ExecRows(ctx, tx, caps, `
		insert into adjustment_caps (role, points_per_day) select * from unnest($1::text[], $2::bigint[])`,
		func(c AdjustmentCap) any { return string(c.Role) },
		func(c AdjustmentCap) any { return c.PointsPerDay },
	)
}

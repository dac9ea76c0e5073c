package loyalty

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/tiers"
)

// selectLadder reads the newest version of the ladder.
func selectLadder(ctx context.Context, q postgres.Runner) (tiers.Ladder, error) {
	var rows []struct {
		Version int `db:"version"`
		tiers.Tier
		Listed pq.StringArray `db:"benefits"`
	}
	if err := q.Select(ctx, &rows, `
		select version, tier_id, name, rank, threshold, benefits
		from ladder_tiers
		where version = (select max(version) from ladders)
		order by rank`); err != nil {
		return tiers.Ladder{}, err
	}
	var ladder tiers.Ladder
	for _, row := range rows {
		row.Tier.Benefits = append([]string{}, row.Listed...)
		ladder.Version = row.Version
		ladder.Tiers = append(ladder.Tiers, row.Tier)
	}
	return ladder, nil
}

func insertLadder(ctx context.Context, tx *postgres.Tx, ladder tiers.Ladder) error {
	if _, err := tx.Exec(ctx, `insert into ladders (version, created_at) values ($1, $2)`, ladder.Version, tx.Now); err != nil {
		return err
	}
	for _, tier := range ladder.Tiers {
		if _, err := tx.Exec(ctx, `
			insert into ladder_tiers (version, tier_id, name, rank, threshold, benefits) values ($1, $2, $3, $4, $5, $6)`,
			ladder.Version, tier.ID, tier.Name, tier.Rank, tier.Threshold, pq.StringArray(append([]string{}, tier.Benefits...))); err != nil {
			return err
		}
	}
	return nil
}

func selectUnfinishedLadders(ctx context.Context, q postgres.Runner) ([]int, error) {
	var versions []int
	err := q.Select(ctx, &versions, `select version from ladders where promoted_at is null order by version`)
	return versions, err
}

func lockLadder(ctx context.Context, tx *postgres.Tx, version int) error {
	_, err := tx.Exec(ctx, `select from ladders where version = $1 for update`, version)
	return err
}

// selectPromotable lists the next members, in order, that may reach a tier which that version added. What an account has
// cached of qualifying points is never less than what counts now: points leave the window as time passes, and nothing
// else changes them without writing the account.
func selectPromotable(ctx context.Context, tx *postgres.Tx, version, limit int) ([]id.Member, error) {
	var members []id.Member
	err := tx.Select(ctx, &members, `
		with added as (
			select min(threshold) as threshold
			from ladder_tiers
			where version = $1 and tier_id not in (select tier_id from ladder_tiers where version = $1 - 1)
		)
		select member_id
		from accounts
		where member_id > coalesce((select promoted_until from ladders where version = $1), '00000000-0000-0000-0000-000000000000')
			and qualifying >= (select threshold from added)
		order by member_id
		limit $2`, version, limit)
	return members, err
}

func advanceLadder(ctx context.Context, tx *postgres.Tx, version int, last *id.Member, finished bool) error {
	_, err := tx.Exec(ctx, `
		update ladders set promoted_until = coalesce($2, promoted_until), promoted_at = case when $3 then $4::timestamptz end
		where version = $1 and promoted_at is null`, version, last, finished, tx.Now)
	return err
}

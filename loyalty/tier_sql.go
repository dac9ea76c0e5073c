package loyalty

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/tiers"
)

// selectLadders reads all versions of the ladder, oldest first.
func selectLadders(ctx context.Context, q postgres.Runner) ([]tiers.Ladder, error) {
	var rows []struct {
		Version   int       `db:"version"`
		CreatedAt time.Time `db:"created_at"`
		tiers.Tier
		Listed pq.StringArray `db:"benefits"`
	}
	if err := q.Select(ctx, &rows, `
		select version, created_at, tier_id, name, rank, threshold, benefits
		from ladders join ladder_tiers using (version)
		order by version, rank`); err != nil {
		return nil, err
	}
	var ladders []tiers.Ladder
	for _, row := range rows {
		if last := len(ladders) - 1; last < 0 || ladders[last].Version != row.Version {
			ladders = append(ladders, tiers.Ladder{Version: row.Version, CreatedAt: row.CreatedAt})
		}
		row.Tier.Benefits = append([]string{}, row.Listed...)
		last := &ladders[len(ladders)-1]
		last.Tiers = append(last.Tiers, row.Tier)
	}
	return ladders, nil
}

func insertLadder(ctx context.Context, tx *postgres.Tx, ladder tiers.Ladder) error {
	if _, err := tx.Exec(ctx, `insert into ladders (version, created_at) values ($1, $2)`, ladder.Version, tx.Now); err != nil {
		return err
	}
	for _, tier := range ladder.Tiers {
		if _, err := tx.Exec(ctx, `
			insert into ladder_tiers (version, tier_id, name, rank, threshold, benefits) values ($1, $2, $3, $4, $5, $6)`,
			ladder.Version, tier.ID, tier.Name, tier.Rank, tier.Threshold, pq.StringArray(append([]string{}, tier.Benefits...))); err != nil {
			return tierTaken(err)
		}
	}
	return nil
}

// tierTaken makes a problem of a tier that is too much like another one.
func tierTaken(err error) error {
	switch postgres.Constraint(err) {
	case "ladder_tiers_name":
		return problem.At(problem.InvalidTiers, []string{"name"}, "There is a tier of this name.")
	case "ladder_tiers_rank":
		return problem.At(problem.InvalidTiers, []string{"rank"}, "Another tier has this rank.")
	case "ladder_tiers_threshold":
		return problem.At(problem.InvalidTiers, []string{"threshold"}, "Another tier has this threshold.")
	}
	return err
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

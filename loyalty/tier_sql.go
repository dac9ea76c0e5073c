package loyalty

import (
	"context"
	"database/sql"
	"errors"
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
		Version      int        `db:"version"`
		CreatedAt    time.Time  `db:"created_at"`
		Mode         tiers.Mode `db:"mode"`
		ProtectUntil *time.Time `db:"protect_until"`
		tiers.Tier
		Listed pq.StringArray `db:"benefits"`
	}
	if err := q.Select(ctx, &rows, `
		select version, created_at, mode, protect_until, tier_id, name, rank, threshold, benefits, multiplier, early_booking
		from ladders join ladder_tiers using (version)
		order by version, rank`); err != nil {
		return nil, err
	}
	var ladders []tiers.Ladder
	for _, row := range rows {
		if row.Version == 1 {
			// The first one always was in force.
			row.CreatedAt = time.Time{}
		}
		if last := len(ladders) - 1; last < 0 || ladders[last].Version != row.Version {
			ladders = append(ladders, tiers.Ladder{Version: row.Version, CreatedAt: row.CreatedAt, Mode: row.Mode, ProtectUntil: row.ProtectUntil})
		}
		row.Tier.Benefits = append([]string{}, row.Listed...)
		last := &ladders[len(ladders)-1]
		last.Tiers = append(last.Tiers, row.Tier)
	}
	return ladders, nil
}

// insertLadder keeps a version; moves tells that it may move members.
func insertLadder(ctx context.Context, tx *postgres.Tx, ladder tiers.Ladder, moves bool) error {
	if _, err := tx.Exec(ctx, `
		insert into ladders (version, created_at, mode, protect_until, promoted_at)
		values ($1, $2, $3, $4, case when not $5 then $6::timestamptz end)`,
		ladder.Version, ladder.CreatedAt, ladder.Mode, ladder.ProtectUntil, moves, tx.Now); err != nil {
		return err
	}
	for _, tier := range ladder.Tiers {
		if _, err := tx.Exec(ctx, `
			insert into ladder_tiers (version, tier_id, name, rank, threshold, benefits, multiplier, early_booking)
			values ($1, $2, $3, $4, $5, $6, $7, $8)`,
			ladder.Version, tier.ID, tier.Name, tier.Rank, tier.Threshold, pq.StringArray(append([]string{}, tier.Benefits...)),
			tier.Multiplier, tier.EarlyBooking); err != nil {
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

// unfinished is a version of the ladder with which not all members are done, and how far it has come.
type unfinished struct {
	Version int        `db:"version"`
	Until   *id.Member `db:"promoted_until"`
}

// After is the last member who is done.
func (u unfinished) After() id.Member {
	if u.Until == nil {
		return id.Member{}
	}
	return *u.Until
}

// lockUnfinished locks the oldest version with which not all are done, nil if there is none: replicas take turns.
func lockUnfinished(ctx context.Context, tx *postgres.Tx) (*unfinished, error) {
	var found unfinished
	err := tx.Get(ctx, &found, `
		select version, promoted_until from ladders where promoted_at is null order by version limit 1 for update`)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &found, err
}

// selectReached lists the next members, in order, that a version of the ladder may move and of whom that is not posted. What an
// account has cached of qualifying points since the policy began is never less than what counts now: points leave the window
// as time passes, and nothing else changes them without writing the account.
func selectReached(ctx context.Context, q postgres.Runner, next tiers.Ladder, since time.Time, found reach, after id.Member, limit int) ([]id.Member, error) {
	var members []id.Member
	err := q.Select(ctx, &members, `
		select member_id
		from accounts
		left join unnest($3::uuid[], $4::bigint[], $5::boolean[]) as reached (tier_id, lift, falls)
			on reached.tier_id = coalesce(accounts.tier_earned_id, accounts.tier_id)
		where member_id > $1 and ladder_version < $2 and (
			reached.tier_id is null or falls or qualifying >= lift or lift < 9223372036854775807 and recorded_at < $6
			or review_at <= $7 or tier_coming_id = any($8::uuid[]) or tier_floor_id = any($8::uuid[])
			or ladder_version < (select min(version) from ladders where promoted_at is null and version < $2))
		order by member_id
		limit $9`,
		after, next.Version, pq.StringArray(id.Texts(found.tiers)), pq.Int64Array(found.lifts), pq.BoolArray(found.falls), since,
		next.CreatedAt, pq.StringArray(id.Texts(found.removed)), limit)
	return members, err
}

// selectMoved adds those whose move with a version of the ladder is posted.
func selectMoved(ctx context.Context, q postgres.Runner, version int, into tally) error {
	var rows []struct {
		From    id.Tier        `db:"from_tier_id"`
		To      id.Tier        `db:"to_tier_id"`
		Members int            `db:"members"`
		Sample  pq.StringArray `db:"sample"`
	}
	if err := q.Select(ctx, &rows, `
		select from_tier_id, to_tier_id, count(*) as members, (array_agg(member_id::text order by member_id))[1:$2] as sample
		from tier_moves
		where reason = 'LADDER_CHANGED' and ladder_version = $1 and from_tier_id <> to_tier_id
		group by from_tier_id, to_tier_id`, version, sampled); err != nil {
		return err
	}
	for _, row := range rows {
		posted := &TierMove{Members: row.Members}
		for _, text := range row.Sample {
			var member id.Member
			if err := member.Scan(text); err != nil {
				return err
			}
			posted.SampleIDs = append(posted.SampleIDs, member)
		}
		into[[2]id.Tier{row.From, row.To}] = posted
	}
	return nil
}

func advanceLadder(ctx context.Context, tx *postgres.Tx, version int, last *id.Member, finished bool) error {
	_, err := tx.Exec(ctx, `
		update ladders set promoted_until = coalesce($2, promoted_until), promoted_at = case when $3 then $4::timestamptz end
		where version = $1 and promoted_at is null`, version, last, finished, tx.Now)
	return err
}

// selectToReview lists members whose standing the clock has changed by the transaction's instant.
func selectToReview(ctx context.Context, tx *postgres.Tx, limit int) ([]id.Member, error) {
	var members []id.Member
	err := tx.Select(ctx, &members, `select member_id from accounts where review_at <= $1 order by review_at limit $2`, tx.Now, limit)
	return members, err
}

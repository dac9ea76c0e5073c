package ledger

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// Opening is the account of a new member, which has held its first tier since it joined.
type Opening struct {
	Member        id.Member
	TierID        id.Tier
	TierSince     time.Time
	LadderVersion int
}

// OpenTx opens accounts, which hold nothing. Each has given out one sequence number, 1, for the move to its first tier.
func OpenTx(ctx context.Context, tx *postgres.Tx, openings []Opening) error {
	return postgres.ExecRows(ctx, tx, openings, `
		insert into accounts (member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, joined_at, tier_id, tier_since,
			ladder_version, qualifying)
		select member_id, 1, recorded_at, recorded_at, 0, 0, 0, 0, tier_since, tier_id, tier_since, ladder_version, 0
		from unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::timestamptz[], $5::int[])
			as opened (member_id, recorded_at, tier_id, tier_since, ladder_version)`,
		func(o Opening) any { return o.Member },
		func(Opening) any { return tx.Now },
		func(o Opening) any { return o.TierID },
		func(o Opening) any { return o.TierSince },
		func(o Opening) any { return o.LadderVersion },
	)
}

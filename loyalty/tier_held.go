package loyalty

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// HeldTiersTx returns which tiers those of the members hold at the transaction's instant that have an account, and the ladder
// that these are steps of. A tier that has run out is not held. It locks nothing.
func (s *Service) HeldTiersTx(ctx context.Context, tx *postgres.Tx, members []id.Member) (map[id.Member]tiers.Tier, tiers.Ladder, error) {
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, tiers.Ladder{}, err
	}
	accounts, err := ledger.AccountsTx(ctx, tx, members)
	if err != nil {
		return nil, tiers.Ladder{}, err
	}
	standings, err := review(ctx, tx, book, accounts, func(id.Member) time.Time { return tx.Now }, nil)
	held := make(map[id.Member]tiers.Tier, len(standings))
	for member, standing := range standings {
		held[member] = standing.Tier
	}
	return held, book.ladder, err
}

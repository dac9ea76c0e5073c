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
	standings, book, err := s.heldTx(ctx, tx, members)
	if err != nil {
		return nil, tiers.Ladder{}, err
	}
	held := make(map[id.Member]tiers.Tier, len(standings))
	for member, standing := range standings {
		held[member] = standing.Tier
	}
	return held, book.ladder, nil
}

// HeldTier is a tier that a member holds.
type HeldTier struct {
	tiers.Tier
	// Until is until when, as far as is known; nil: without end.
	Until *time.Time
}

// HeldUntilTx is HeldTiersTx for who tells members until when they hold their tiers.
func (s *Service) HeldUntilTx(ctx context.Context, tx *postgres.Tx, members []id.Member) (map[id.Member]HeldTier, error) {
	standings, book, err := s.heldTx(ctx, tx, members)
	if err != nil {
		return nil, err
	}
	held := make(map[id.Member]HeldTier, len(standings))
	for member, standing := range standings {
		described := shown(book.status.Policy(), standing)
		held[member] = HeldTier{described.Tier, described.ValidUntil}
	}
	return held, nil
}

func (s *Service) heldTx(ctx context.Context, tx *postgres.Tx, members []id.Member) (map[id.Member]tiers.Standing, *rulebook, error) {
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	accounts, err := ledger.AccountsTx(ctx, tx, members)
	if err != nil {
		return nil, nil, err
	}
	standings, err := review(ctx, tx, book, accounts, func(id.Member) time.Time { return tx.Now }, nil)
	return standings, book, err
}

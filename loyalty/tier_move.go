package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// move is one line of a member's tier history. It never changes.
type move struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	At         time.Time `db:"at"`
	RecordedAt time.Time `db:"recorded_at"`
	// From is nil for the first one.
	From   *id.Tier     `db:"from_tier_id"`
	Reason tiers.Reason `db:"reason"`
	tiers.Record
}

// standings keeps the tiers of a batch's accounts while facts are recorded.
type standings struct {
	book  *rulebook
	batch *ledger.Batch
	moves []move
}

// openStandings brings the standings of members up to date before anything new is recorded of them.
func openStandings(ctx context.Context, tx *postgres.Tx, book *rulebook, batch *ledger.Batch, members []id.Member) (*standings, error) {
	kept := &standings{book: book, batch: batch}
	accounts := make([]*ledger.Account, len(members))
	for i, member := range members {
		accounts[i] = batch.Account(member)
	}
	book.distrust(accounts, func(account *ledger.Account) time.Time { return batch.RecordedBefore(account.Member) })
	held, err := review(ctx, tx, book, accounts, batch.Instant, func(made decision) {
		kept.move(made.member, made.before.Tier, made.after, made.reason, made.at, batch.Next(made.member))
	})
	if err != nil {
		return nil, fmt.Errorf("review standings: %w", err)
	}
	for _, account := range accounts {
		// Changes of the ladder that moved nothing are decided now, too.
		account.LadderVersion = held[account.Member].LadderVersion
	}
	if err := refresh(ctx, tx, book, accounts, batch.Instant); err != nil {
		return nil, fmt.Errorf("count qualifying points: %w", err)
	}
	return kept, nil
}

// count adds to the member's qualifying points, or takes away, and raises its tier at t if they reach a higher one.
func (s *standings) count(member id.Member, points int64, qualifiesAt, t time.Time) {
	account := s.batch.Account(member)
	count(account, s.book.status.Policy(), points, qualifiesAt, t)
	before := s.standing(member)
	if after, rose := s.book.status.Rise(before, account.Qualifying, t); rose {
		s.move(member, before.Tier, after, tiers.Reached, t, t)
	}
}

// standing is where the member stands now. Reviews have made sure that there are its tiers.
func (s *standings) standing(member id.Member) tiers.Standing {
	account := s.batch.Account(member)
	standing, _ := s.book.status.Standing(account.Standing(), account.TierSince, account.JoinedAt)
	return standing
}

// tier is what the member holds now.
func (s *standings) tier(member id.Member) tiers.Tier { return s.standing(member).Tier }

// move notes a decision.
func (s *standings) move(member id.Member, from tiers.Tier, to tiers.Standing, reason tiers.Reason, at, recordedAt time.Time) {
	s.batch.Account(member).SetStanding(to.Record(), to.Since, to.DueAt())
	s.moves = append(s.moves, move{
		Member: member, Sequence: s.batch.Number(member), At: at, RecordedAt: recordedAt, From: &from.ID, Reason: reason, Record: to.Record(),
	})
}

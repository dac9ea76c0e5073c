package loyalty

import (
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// TierStanding is where a member stands at one instant.
type TierStanding struct {
	Tier  tiers.Tier
	Since time.Time
	// ValidUntil is when the tier runs out unless it is earned again; nil: never.
	ValidUntil *time.Time
	// GraceUntil is until when it is kept beyond that, in which it can still be earned; nil: not at all.
	GraceUntil *time.Time
	// Coming is a tier that was reached and is held from a later instant on, nil for none.
	Coming *ComingTier
	// Floor is the tier that was given by hand, nil for none.
	Floor *TierFloor
	// QualifyingPoints counts in the current qualification period.
	QualifyingPoints int64
	// Next is the tier above, nil at the top.
	Next *TierGap
	// Keep is what is missing to keep the tier at its next review, nil if nothing is.
	Keep *TierGap
}

// ComingTier is a tier that is held from an instant on.
type ComingTier struct {
	Tier tiers.Tier
	At   time.Time
}

// TierFloor is a tier below which a member does not fall, until an instant.
type TierFloor struct {
	Tier  tiers.Tier
	Until time.Time
}

// TierGap is how many qualifying points are missing for a tier, and by when; nil: no deadline.
type TierGap struct {
	Tier    tiers.Tier
	Missing int64
	By      *time.Time
}

// Standings says where those of the members stand that exist and that the caller may see, at asOf, nil: now: whoever works
// with members sees all, a member itself. Tiers that ran out are not held, and tiers that changed are held as they are now,
// whether or not anything posted that; before a member existed it stood at the bottom.
func (s *Service) Standings(ctx context.Context, wanted []id.Member, asOf *time.Time) (map[id.Member]*TierStanding, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	return s.AcquaintanceStandings(ctx, seen.filter(wanted), asOf)
}

// AcquaintanceStandings says where those of the members stand that exist, at asOf, nil: now. It does not authorize.
func (s *Service) AcquaintanceStandings(ctx context.Context, wanted []id.Member, asOf *time.Time) (map[id.Member]*TierStanding, error) {
	standings := make(map[id.Member]*TierStanding, len(wanted))
	err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		accounts, err := ledger.AccountsTx(ctx, tx, wanted)
		if err != nil {
			return err
		}
		t := tx.Now
		if asOf == nil {
			if t.Before(book.begins()) {
				t = book.begins()
			}
			return stand(ctx, tx, book, accounts, t, standings)
		}
		t = asOf.UTC().Truncate(time.Microsecond)
		// What was recorded later is not known yet then, nor tiers that came later.
		then := book.at(t)
		past := slices.DeleteFunc(slices.Clone(accounts), func(account *ledger.Account) bool { return !t.Before(account.RecordedAt) })
		if err := standingsAt(ctx, tx, then, past); err != nil {
			return err
		}
		return stand(ctx, tx, then, accounts, t, standings)
	})
	return standings, err
}

// stand says where the members of accounts stand at t.
func stand(ctx context.Context, tx *postgres.Tx, book *rulebook, accounts []*ledger.Account, t time.Time, into map[id.Member]*TierStanding) error {
	book.distrust(accounts, func(account *ledger.Account) time.Time { return account.RecordedAt })
	at := func(id.Member) time.Time { return t }
	held, err := review(ctx, tx, book, accounts, at, nil)
	if err != nil {
		return err
	}
	return describe(ctx, tx, book, accounts, held, t, into)
}

// standingsAt sets the tiers of accounts to what was recorded by then.
func standingsAt(ctx context.Context, tx *postgres.Tx, book *rulebook, accounts []*ledger.Account) error {
	members := make([]id.Member, len(accounts))
	byMember := make(map[id.Member]*ledger.Account, len(accounts))
	for i, account := range accounts {
		members[i], byMember[account.Member] = account.Member, account
		account.SetStanding(tiers.Enroll(book.ladder, account.JoinedAt).Record(), *book.known, nil)
		// What is cached is of later.
		account.QualifyingUntil = &time.Time{}
	}
	moves, err := selectMoves(ctx, tx, members)
	if err != nil {
		return err
	}
	for _, moved := range moves {
		if moved.RecordedAt.After(*book.known) {
			continue
		}
		account := byMember[moved.Member]
		since := account.TierSince
		if moved.From == nil || *moved.From != moved.Held {
			since = moved.At
		}
		account.SetStanding(moved.Record, since, nil)
	}
	return nil
}

func (s sight) filter(wanted []id.Member) []id.Member {
	var visible []id.Member
	for _, member := range wanted {
		if s.of(member) {
			visible = append(visible, member)
		}
	}
	return visible
}

// describe completes standings at t with what is missing.
func describe(ctx context.Context, tx *postgres.Tx, book *rulebook, accounts []*ledger.Account, held map[id.Member]tiers.Standing, t time.Time, into map[id.Member]*TierStanding) error {
	if err := refresh(ctx, tx, book, accounts, func(id.Member) time.Time { return t }); err != nil {
		return err
	}
	policy := book.status.Policy()
	var keeping []window
	for _, account := range accounts {
		standing := held[account.Member]
		described := shown(policy, standing)
		described.QualifyingPoints = account.Qualifying
		highest := standing.Tier
		if standing.Coming != nil && standing.Coming.Tier.Rank > highest.Rank {
			highest = standing.Coming.Tier
		}
		if next, ok := book.ladder.Above(highest); ok {
			described.Next = &TierGap{Tier: next, Missing: tiers.Missing(next, account.Qualifying), By: policy.Deadline(t, standing.Joined)}
		}
		if described.ValidUntil != nil {
			keeping = append(keeping, window{Member: account.Member, After: policy.ReviewsAfter(*described.ValidUntil, standing.Joined), Known: book.known})
		}
		into[account.Member] = described
	}
	kept, err := countQualifying(ctx, tx, keeping)
	if err != nil {
		return err
	}
	for i, asked := range keeping {
		described := into[asked.Member]
		if missing := tiers.Missing(described.Tier, kept[i].Points); missing > 0 {
			described.Keep = &TierGap{Tier: described.Tier, Missing: missing, By: described.ValidUntil}
			if described.GraceUntil != nil {
				described.Keep.By = described.GraceUntil
			}
		}
	}
	return nil
}

// shown is a standing as it is told: a tier that never falls has no end.
func shown(policy tiers.Policy, standing tiers.Standing) *TierStanding {
	if policy.Downgrade == tiers.NeverDown {
		standing.ValidUntil, standing.GraceUntil = nil, nil
	}
	described := &TierStanding{Tier: standing.Tier, Since: standing.Since, ValidUntil: standing.Until()}
	if described.ValidUntil != nil && described.ValidUntil == standing.ValidUntil {
		described.GraceUntil = standing.GraceUntil
	}
	if standing.Coming != nil {
		described.Coming = &ComingTier{Tier: standing.Coming.Tier, At: standing.Coming.At}
	}
	if standing.Floor != nil {
		described.Floor = &TierFloor{Tier: standing.Floor.Tier, Until: standing.Floor.Until}
	}
	return described
}

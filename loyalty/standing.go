package loyalty

import (
	"context"
	"fmt"
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
	// QualifyingPoints counts in the current qualification period.
	QualifyingPoints int64
	// Next is the tier above, nil at the top.
	Next *TierGap
	// Keep is what is missing to keep the tier at its next review, nil if nothing is.
	Keep *TierGap
}

// TierGap is how many qualifying points are missing for a tier, and by when; nil: no deadline.
type TierGap struct {
	Tier    tiers.Tier
	Missing int64
	By      *time.Time
}

// move is one line of a member's tier history. It never changes.
type move struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"sequence"`
	At         time.Time `db:"at"`
	RecordedAt time.Time `db:"recorded_at"`
	// From is nil for the first one.
	From          *id.Tier     `db:"from_tier_id"`
	To            id.Tier      `db:"to_tier_id"`
	Reason        tiers.Reason `db:"reason"`
	LadderVersion int          `db:"ladder_version"`
	ValidUntil    *time.Time   `db:"valid_until"`
}

// window asks for a member's qualifying points that qualified later than After and were recorded by Known; nil: all of them.
type window struct {
	Member id.Member
	After  time.Time
	Known  *time.Time
}

// counted is the answer to a window: the sum, and when the earliest of them qualified; nil for none.
type counted struct {
	Member   id.Member  `db:"member_id"`
	Points   int64      `db:"points"`
	Earliest *time.Time `db:"earliest"`
}

// Standings says where those of the members stand that exist and that the caller may see, at asOf, nil: now: whoever works
// with members sees all, a member itself. Tiers that ran out are not held, whether or not anything posted that; before a
// member existed it stood at the bottom.
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
	at := func(id.Member) time.Time { return t }
	held, err := review(ctx, tx, book, accounts, at, nil)
	if err != nil {
		return err
	}
	return describe(ctx, tx, book, accounts, held, at, into)
}

// standingsAt sets the tiers of accounts to what was recorded by then.
func standingsAt(ctx context.Context, tx *postgres.Tx, book *rulebook, accounts []*ledger.Account) error {
	members := make([]id.Member, len(accounts))
	byMember := make(map[id.Member]*ledger.Account, len(accounts))
	for i, account := range accounts {
		members[i], byMember[account.Member] = account.Member, account
		account.TierID, account.TierSince, account.TierValidUntil = book.ladder.Base().ID, *book.known, nil
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
		if moved.From == nil || *moved.From != moved.To {
			account.TierSince = moved.At
		}
		account.TierID, account.TierValidUntil = moved.To, moved.ValidUntil
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

// describe completes standings with what is missing.
func describe(ctx context.Context, tx *postgres.Tx, book *rulebook, accounts []*ledger.Account, held map[id.Member]tiers.Standing, at func(id.Member) time.Time, into map[id.Member]*TierStanding) error {
	if err := refresh(ctx, tx, book, accounts, at); err != nil {
		return err
	}
	var keeping []window
	for _, account := range accounts {
		standing := held[account.Member]
		described := &TierStanding{
			Tier: standing.Tier, Since: standing.Since, ValidUntil: standing.ValidUntil, QualifyingPoints: account.Qualifying,
		}
		if next, ok := book.ladder.Above(standing.Tier); ok {
			described.Next = &TierGap{Tier: next, Missing: tiers.Missing(next, account.Qualifying)}
		}
		if standing.ValidUntil != nil {
			keeping = append(keeping, window{Member: account.Member, After: book.policy.CountsAfter(*standing.ValidUntil), Known: book.known})
		}
		into[account.Member] = described
	}
	kept, err := countQualifying(ctx, tx, keeping)
	if err != nil {
		return err
	}
	for _, asked := range keeping {
		described := into[asked.Member]
		if missing := tiers.Missing(described.Tier, kept[asked.Member].Points); missing > 0 {
			described.Keep = &TierGap{Tier: described.Tier, Missing: missing, By: described.ValidUntil}
		}
	}
	return nil
}

// review brings standings up to date with the clock: a tier that has run out by the member's instant is decided anew as
// of the instant at which it did, by the ladder of then, and again if the new one has run out since. Each decision is
// reported to moved, unless that is nil, in order. It changes no account.
func review(ctx context.Context, q postgres.Runner, book *rulebook, accounts []*ledger.Account, at func(id.Member) time.Time, moved func(id.Member, tiers.Standing, tiers.Standing, tiers.Reason)) (map[id.Member]tiers.Standing, error) {
	held := make(map[id.Member]tiers.Standing, len(accounts))
	var over []window
	for _, account := range accounts {
		tier, ok := book.ladder.Tier(account.TierID)
		if !ok {
			return nil, fmt.Errorf("account %s has tier %s, which the ladder has not", account.Member, account.TierID)
		}
		standing := tiers.Standing{Tier: tier, Since: account.TierSince, ValidUntil: account.TierValidUntil}
		held[account.Member] = standing
		if standing.Over(at(account.Member)) {
			over = append(over, window{Member: account.Member, After: book.policy.CountsAfter(*standing.ValidUntil), Known: book.known})
		}
	}
	for len(over) > 0 {
		points, err := countQualifying(ctx, q, over)
		if err != nil {
			return nil, err
		}
		var again []window
		for _, asked := range over {
			before := held[asked.Member]
			after, reason := tiers.Review(before, tiers.InForce(book.ladders, *before.ValidUntil), book.policy, points[asked.Member].Points)
			held[asked.Member] = after
			if moved != nil {
				moved(asked.Member, before, after, reason)
			}
			if after.Over(at(asked.Member)) {
				again = append(again, window{Member: asked.Member, After: book.policy.CountsAfter(*after.ValidUntil), Known: book.known})
			}
		}
		over = again
	}
	return held, nil
}

// refresh counts the qualifying points of accounts anew where the clock has passed what is cached.
func refresh(ctx context.Context, q postgres.Runner, book *rulebook, accounts []*ledger.Account, at func(id.Member) time.Time) error {
	var stale []window
	for _, account := range accounts {
		if t := at(account.Member); !account.QualifyingHolds(t) {
			stale = append(stale, window{Member: account.Member, After: book.policy.CountsAfter(t), Known: book.known})
		}
	}
	if len(stale) == 0 {
		return nil
	}
	points, err := countQualifying(ctx, q, stale)
	if err != nil {
		return err
	}
	for _, account := range accounts {
		if account.QualifyingHolds(at(account.Member)) {
			continue
		}
		now := points[account.Member]
		account.Qualifying, account.QualifyingUntil = now.Points, nil
		if now.Earliest != nil {
			until := book.policy.CountsUntil(*now.Earliest)
			account.QualifyingUntil = &until
		}
	}
	return nil
}

// count adds points that qualified at qualifiesAt, or takes them away, as far as they count at t.
func count(account *ledger.Account, policy tiers.Policy, points int64, qualifiesAt, t time.Time) {
	if points == 0 || !qualifiesAt.After(policy.CountsAfter(t)) {
		return
	}
	account.Qualifying += points
	if until := policy.CountsUntil(qualifiesAt); account.QualifyingUntil == nil || until.Before(*account.QualifyingUntil) {
		account.QualifyingUntil = &until
	}
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
	if _, err := review(ctx, tx, book, accounts, batch.Instant, func(member id.Member, before, after tiers.Standing, reason tiers.Reason) {
		end := *before.ValidUntil
		kept.move(member, tiers.InForce(book.ladders, end), before.Tier, after, reason, end, batch.Next(member))
	}); err != nil {
		return nil, fmt.Errorf("review standings: %w", err)
	}
	if err := refresh(ctx, tx, book, accounts, batch.Instant); err != nil {
		return nil, fmt.Errorf("count qualifying points: %w", err)
	}
	return kept, nil
}

// count adds to the member's qualifying points, or takes away, and raises its tier at t if they reach a higher one.
func (s *standings) count(member id.Member, points int64, qualifiesAt, t time.Time) {
	account := s.batch.Account(member)
	count(account, s.book.policy, points, qualifiesAt, t)
	s.rise(member, t, tiers.Reached)
}

// rise raises the member's tier at t if its qualifying points reach a higher one.
func (s *standings) rise(member id.Member, t time.Time, reason tiers.Reason) {
	account := s.batch.Account(member)
	before := s.tier(member)
	standing := tiers.Standing{Tier: before, Since: account.TierSince, ValidUntil: account.TierValidUntil}
	if after, rose := tiers.Rise(standing, s.book.ladder, s.book.policy, account.Qualifying, t); rose {
		s.move(member, s.book.ladder, before, after, reason, t, t)
	}
}

// tier is what the member holds now. Reviews have made sure that the ladder has it.
func (s *standings) tier(member id.Member) tiers.Tier {
	tier, _ := s.book.ladder.Tier(s.batch.Account(member).TierID)
	return tier
}

// move notes a decision that was made by the ladder.
func (s *standings) move(member id.Member, ladder tiers.Ladder, from tiers.Tier, to tiers.Standing, reason tiers.Reason, at, recordedAt time.Time) {
	account := s.batch.Account(member)
	account.TierID, account.TierSince, account.TierValidUntil = to.Tier.ID, to.Since, to.ValidUntil
	account.LadderVersion = ladder.Version
	s.moves = append(s.moves, move{
		Member: member, Sequence: s.batch.Number(member), At: at, RecordedAt: recordedAt, From: &from.ID, To: to.Tier.ID,
		Reason: reason, LadderVersion: ladder.Version, ValidUntil: to.ValidUntil,
	})
}

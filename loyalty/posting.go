package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// Posting is a transaction that posts to the books. Rules, tiers and policies do not change until it ends.
type Posting struct {
	*ledger.Batch
	tx        *postgres.Tx
	book      *rulebook
	standings *standings
	gifts     []*ledger.Adjustment
}

// PostTx begins a posting. It takes the program's lock, which comes before all others.
func (s *Service) PostTx(ctx context.Context, tx *postgres.Tx) (*Posting, error) {
	book, err := s.share(ctx, tx)
	if err != nil {
		return nil, err
	}
	return &Posting{tx: tx, book: book}, nil
}

// Open locks the accounts of members, brings points and tiers up to date and loads what they hold. Members without an account
// are left out. It is called once.
func (p *Posting) Open(ctx context.Context, members []id.Member) error {
	var err error
	if p.Batch, err = ledger.Lock(ctx, p.tx, p.book.terms, members); err != nil {
		return err
	}
	if p.standings, err = openStandings(ctx, p.tx, p.book, p.Batch, members); err != nil {
		return err
	}
	return p.Load(ctx, members)
}

// Tier is what the member holds.
func (p *Posting) Tier(member id.Member) tiers.Tier { return p.standings.tier(member) }

// Ladder is the tiers that are in force.
func (p *Posting) Ladder() tiers.Ladder { return p.book.ladder }

// Zone is where the program counts days and periods.
func (p *Posting) Zone() *time.Location { return p.book.zone }

// giver is the caller of gifts: it tells them from what people adjust.
var giver = actor.System("care").Caller

// Gift is points that the program gives a member by itself.
type Gift struct {
	Member id.Member
	Points int64
	// Reason is what staff reads of it.
	Reason string
	// ExpiresAt is when the points lapse, later than now; nil: never.
	ExpiresAt *time.Time
}

// Give posts a gift to a member that is open, as an adjustment: it does not count towards tiers. It returns the adjustment, and
// false where the member would have more points than can be counted.
func (p *Posting) Give(gift Gift) (*ledger.Adjustment, bool) {
	if !p.Fits(gift.Member, gift.Points) {
		return nil, false
	}
	now := p.Next(gift.Member)
	given := &ledger.Adjustment{
		ID: id.New[id.Adjustment](), Member: gift.Member, Points: gift.Points, Reason: gift.Reason, ExpiresAt: gift.ExpiresAt,
		RequestedBy: giver, RequestedAt: now, Status: ledger.AdjustmentPosted,
	}
	entry := p.Credit(ledger.Entry{
		Member: gift.Member, Kind: ledger.Adjusted, Points: gift.Points, OccurredAt: now, RecordedAt: now, AdjustmentID: &given.ID,
		QualifiesAt: now, AvailableAt: &now, ExpiresAt: gift.ExpiresAt,
	})
	given.EntrySequence = &entry.Sequence
	p.gifts = append(p.gifts, given)
	return given, true
}

// Write writes what was posted. The posting is done with then.
func (p *Posting) Write(ctx context.Context) error {
	if err := p.Batch.Write(ctx); err != nil {
		return err
	}
	if err := ledger.InsertAdjustmentsTx(ctx, p.tx, p.gifts...); err != nil {
		return fmt.Errorf("write gifts: %w", err)
	}
	if err := insertMoves(ctx, p.tx, p.standings.moves); err != nil {
		return fmt.Errorf("write tier moves: %w", err)
	}
	return nil
}

// SubjectTx finds the member for whom the caller asks for something: the one that ref names or, without a ref, the caller
// itself. It is UNKNOWN_MEMBER at path alike for one that does not exist and one that the caller may not see. What the
// member may do is checked by whoever asks.
func (s *Service) SubjectTx(ctx context.Context, tx *postgres.Tx, caller actor.Actor, ref *MemberRef, path ...string) (*Member, error) {
	var found id.Member
	seen, err := s.sight(ctx, tx, caller)
	if err != nil {
		return nil, err
	}
	if ref == nil {
		found = seen.own
	} else {
		refs := []MemberRef{*ref}
		if err := s.MayGuess(caller, guesses(refs)); err != nil {
			return nil, err
		}
		members, err := resolve(ctx, tx, refs)
		if err != nil {
			return nil, err
		}
		s.guessed(caller, refs, members)
		found = members[0]
	}
	rows, err := selectMembers(ctx, tx, []id.Member{found})
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 || !seen.of(found) {
		return nil, unknownMember(path...)
	}
	return &rows[0], nil
}

// MaySpend returns MEMBER_SUSPENDED at path for a member that must not spend.
func (m *Member) MaySpend(path ...string) error {
	if m.Status != Active {
		return problem.At(problem.MemberSuspended, path, "The member is suspended: it earns points and cannot spend them.")
	}
	return nil
}

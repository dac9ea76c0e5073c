package loyalty

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// Bounds of the ladder.
const (
	maximumRank     = 1000
	maximumBenefits = 50
)

// How many members one transaction promotes: enough to be quick, few enough that nobody at a till notices.
const promotionBatch = 500

// TierInput is a tier. Benefits are for people to read.
type TierInput struct {
	Name      string
	Rank      int
	Threshold int64
	Benefits  []string
}

// Tiers returns the ladder from the lowest tier up. For every role and ProgramRead.
func (s *Service) Tiers(ctx context.Context) ([]tiers.Tier, error) {
	if _, err := actor.Require(ctx, programReaders...); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return book.ladder.Tiers, nil
}

// Tier returns a tier by its id, nil if there is none. For everybody who has signed in: whoever works with members comes
// across tiers in where they stand.
func (s *Service) Tier(ctx context.Context, wanted id.Tier) (*tiers.Tier, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	if tier, ok := book.ladder.Tier(wanted); ok {
		return &tier, nil
	}
	return nil, nil
}

// CreateTier adds a tier to the ladder above the lowest one, and promotes the members that reach it already, in batches:
// it answers when all are promoted; a promotion that was interrupted goes on when the program starts again. For
// marketers and admins.
//
// Problems: INVALID_NAME, INVALID_POINTS, INVALID_TIERS if ranks and thresholds would not rise together or the name
// stands twice.
func (s *Service) CreateTier(ctx context.Context, input TierInput) (*tiers.Tier, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	made := tiers.Tier{ID: id.New[id.Tier](), Name: strings.TrimSpace(input.Name), Rank: input.Rank, Threshold: input.Threshold, Benefits: input.Benefits}
	var ladder tiers.Ladder
	if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return err
		}
		ladders, err := selectLadders(ctx, tx)
		if err != nil {
			return err
		}
		before := ladders[len(ladders)-1]
		if ladder, err = extend(before, made); err != nil {
			return err
		}
		if err := insertLadder(ctx, tx, ladder); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "createTier", Object: made.ID.String(), After: made})
	}); err != nil {
		return nil, err
	}
	// The tier stands now; a caller that has gone does not stop what follows from it.
	return &made, s.promote(context.WithoutCancel(ctx), ladder.Version)
}

// extend returns the next version of the ladder, with the tier in its place.
func extend(ladder tiers.Ladder, tier tiers.Tier) (tiers.Ladder, error) {
	var problems problem.Problems
	if !Within(tier.Name, maximumName) {
		problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumName)
	}
	if tier.Threshold < 1 || tier.Threshold > value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"threshold"}, "A threshold is 1 to %d points.", value.MaximumPoints)
	}
	if tier.Rank < 1 || tier.Rank > maximumRank {
		problems.Add(problem.InvalidTiers, []string{"rank"}, "A rank is 1 to %d; rank 0 is %q, which everybody has.", maximumRank, ladder.Base().Name)
	}
	if len(tier.Benefits) > maximumBenefits || slices.ContainsFunc(tier.Benefits, func(one string) bool { return !Within(one, maximumValue) }) {
		problems.Add(problem.InvalidTiers, []string{"benefits"}, "At most %d benefits of 1 to %d characters are kept.", maximumBenefits, maximumValue)
	}
	for _, other := range ladder.Tiers {
		if other.Rank != tier.Rank && cmp.Compare(other.Rank, tier.Rank) != cmp.Compare(other.Threshold, tier.Threshold) {
			problems.Add(problem.InvalidTiers, []string{"threshold"}, "Thresholds rise with ranks: %q has rank %d and threshold %d.", other.Name, other.Rank, other.Threshold)
		}
	}
	extended := tiers.Ladder{Version: ladder.Version + 1, Tiers: append(slices.Clone(ladder.Tiers), tier)}
	slices.SortFunc(extended.Tiers, func(a, b tiers.Tier) int { return cmp.Compare(a.Rank, b.Rank) })
	return extended, problems.Err()
}

// FinishPromotions goes on with promotions that were interrupted. The program calls it, for nobody in particular, when
// it starts.
func (s *Service) FinishPromotions(ctx context.Context) error {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return err
	}
	versions, err := selectUnfinishedLadders(ctx, s.db)
	if err != nil {
		return err
	}
	for _, version := range versions {
		if err := s.promote(ctx, version); err != nil {
			return err
		}
	}
	return nil
}

// promote raises members that reach a tier which is new in that version of the ladder, in the order of their ids.
func (s *Service) promote(ctx context.Context, version int) error {
	for finished := false; !finished; {
		if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
			var err error
			finished, err = s.promoteBatch(ctx, tx, version)
			return err
		}); err != nil {
			return fmt.Errorf("promote members to ladder %d: %w", version, err)
		}
	}
	return nil
}

func (s *Service) promoteBatch(ctx context.Context, tx *postgres.Tx, version int) (finished bool, err error) {
	if err := program.Share(ctx, tx, s.db.Now); err != nil {
		return false, err
	}
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return false, err
	}
	// Replicas that promote at once take turns.
	if err := lockLadder(ctx, tx, version); err != nil {
		return false, err
	}
	members, err := selectPromotable(ctx, tx, version, promotionBatch)
	if err != nil {
		return false, err
	}
	batch, err := ledger.Lock(ctx, tx, book.terms, members)
	if err != nil {
		return false, err
	}
	raised, err := openStandings(ctx, tx, book, batch, members)
	if err != nil {
		return false, err
	}
	for _, member := range members {
		raised.rise(member, batch.Next(member), tiers.LadderChanged)
	}
	if err := batch.Write(ctx); err != nil {
		return false, err
	}
	if err := insertMoves(ctx, tx, raised.moves); err != nil {
		return false, err
	}
	finished = len(members) < promotionBatch
	var last *id.Member
	if len(members) > 0 {
		last = &members[len(members)-1]
	}
	return finished, advanceLadder(ctx, tx, version, last, finished)
}

package loyalty

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty/ledger"
	"regulars/loyalty/tiers"
)

// TierChangeInput is the ladder as it shall be.
type TierChangeInput struct {
	// Tiers are matched by id, else by name; those that are left out are removed.
	Tiers []TierInput
	Mode  tiers.Mode
	// ExpectedVersion is the version of the ladder that the caller started from; nil: whatever is newest.
	ExpectedVersion *int
}

// ApplyTierChangeInput is the ladder as it shall be, and what becomes of the members that there are.
type ApplyTierChangeInput struct {
	Tiers []TierInput
	Mode  tiers.Mode
	// ProtectUntil is before when nobody falls; nil: no such promise is made. It goes with NOW.
	ProtectUntil *time.Time
	// ExpectedVersion is the version of the ladder that the caller started from; nil: whatever is newest.
	ExpectedVersion *int
}

// expectLadder returns a conflict if the ladder is not the one that the caller started from.
func expectLadder(ladder tiers.Ladder, expected *int) error {
	if expected == nil || *expected == ladder.Version {
		return nil
	}
	return problem.ConflictError{
		Code: problem.EditConflict, Message: "Someone else was faster; start again from the newest ladder.",
		Path: []string{"input", "expectedVersion"}, CurrentVersion: ladder.Version, Changes: []problem.RuleFieldChange{},
	}
}

// TierMove is how many members go from one tier to another.
type TierMove struct {
	From    string
	To      string
	Members int
	// SampleIDs are some of them.
	SampleIDs []id.Member
}

// TierChange is a ladder that was changed, and who moved.
type TierChange struct {
	Tiers []tiers.Tier
	Moves []TierMove
}

// sampled is how many members of a move are named.
const sampled = 10

// tallyBatch is how many members are looked at together to say who moves.
const tallyBatch = 1000

// PreviewTierChange says who would move at once if the ladder were changed like this now, without protection. With AT_NEXT_REVIEW
// that is only whoever holds a tier that is removed; NOW tells whom the change concerns. It moves nobody. For marketers and admins.
//
// Problems: INVALID_NAME, INVALID_POINTS, INVALID_DURATION, INVALID_TIERS, EDIT_CONFLICT.
func (s *Service) PreviewTierChange(ctx context.Context, input TierChangeInput) ([]TierMove, error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Admin); err != nil {
		return nil, err
	}
	var moves []TierMove
	err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		if err := expectLadder(book.ladder, input.ExpectedVersion); err != nil {
			return err
		}
		next, err := ladderOf(book.ladder, input.Tiers)
		if err != nil {
			return err
		}
		next.Mode = input.Mode
		if next.CreatedAt, err = newSince(ctx, tx, book.ladder.CreatedAt); err != nil {
			return err
		}
		made := tally{}
		if err := made.count(ctx, tx, book, next); err != nil {
			return err
		}
		moves = made.moves(book.status.With(next))
		return nil
	})
	return moves, err
}

// ApplyTierChange changes the ladder. With NOW, members that reach a higher tier hold it from when the policy says, and those whose tier asks for
// more than they have, or is removed, go to the one that they reach, as far as the policy lowers anybody; nobody whose
// tier asks for no more than before falls. With a protection, nobody falls before it ends, and who would have fallen is reviewed
// then. AT_NEXT_REVIEW leaves everybody where they are until their next fact or review. Either way a tier that is removed is
// held by nobody: with AT_NEXT_REVIEW or a protection its members go to the next lower one, or to a higher one that they reach.
// It answers who moved; what tells of that is posted in batches, some of them before it answers, the rest by
// RecalculateTiers. For marketers and admins.
//
// Problems: INVALID_NAME, INVALID_POINTS, INVALID_DURATION, INVALID_TIERS, INVALID_DATE, EDIT_CONFLICT.
func (s *Service) ApplyTierChange(ctx context.Context, input ApplyTierChangeInput) (*TierChange, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var next tiers.Ladder
	if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return err
		}
		ladders, err := selectLadders(ctx, tx)
		if err != nil {
			return err
		}
		before := ladders[len(ladders)-1]
		if err := expectLadder(before, input.ExpectedVersion); err != nil {
			return err
		}
		if next, err = ladderOf(before, input.Tiers); err != nil {
			return err
		}
		if err := input.protect(&next, tx.Now); err != nil {
			return err
		}
		next.Mode = input.Mode
		if next.CreatedAt, err = newSince(ctx, tx, before.CreatedAt); err != nil {
			return err
		}
		if err := insertLadder(ctx, tx, next, reaches(before, next).anybody()); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "applyTierChange", Object: "program", Before: map[string]any{"tiers": before.Tiers},
			After: map[string]any{"tiers": next.Tiers, "mode": next.Mode, "protectUntil": next.ProtectUntil},
		})
	}); err != nil {
		return nil, err
	}
	// The ladder stands now; a caller that has gone does not stop what follows from it.
	ctx = context.WithoutCancel(ctx)
	if err := s.promote(ctx, promptBatches); err != nil {
		return nil, err
	}
	moves, err := s.moved(ctx, next.Version)
	return &TierChange{Tiers: next.Tiers, Moves: moves}, err
}

// protect promises that nobody falls before an instant; what was promised before stays so.
func (i ApplyTierChangeInput) protect(next *tiers.Ladder, now time.Time) error {
	if i.ProtectUntil == nil {
		return nil
	}
	until := i.ProtectUntil.UTC().Truncate(time.Microsecond)
	switch {
	case i.Mode != tiers.Now:
		return problem.At(problem.InvalidDate, []string{"protectUntil"}, "Only NOW moves anybody who could be protected.")
	case !until.After(now) || until.After(now.AddDate(maximumWait, 0, 0)):
		return problem.At(problem.InvalidDate, []string{"protectUntil"}, "A protection ends in the future, at most %d years ahead.", maximumWait)
	}
	if next.ProtectUntil == nil || until.After(*next.ProtectUntil) {
		next.ProtectUntil = &until
	}
	return nil
}

// moved says who moved with a version of the ladder: those of whom it is posted, and those of whom it will be.
func (s *Service) moved(ctx context.Context, version int) ([]TierMove, error) {
	var moves []TierMove
	err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		made := tally{}
		if err := selectMoved(ctx, tx, version, made); err != nil {
			return err
		}
		then := *book
		then.status = book.status.At(book.status.Version(version).CreatedAt.Add(-time.Microsecond))
		then.ladder = then.status.Ladder()
		if err := made.count(ctx, tx, &then, book.status.Version(version)); err != nil {
			return err
		}
		moves = made.moves(then.status.With(book.status.Version(version)))
		return nil
	})
	return moves, err
}

// reach says whom a version of the ladder may move: members by the tiers that they have earned.
type reach struct {
	// Tiers are all that a member may have; of each, Lifts is how many qualifying points may raise, and Falls whether it asks for more
	// or is not there any more.
	tiers   []id.Tier
	lifts   []int64
	falls   []bool
	removed []id.Tier
}

// reaches is the reach of a version of the ladder, after the one before it.
func reaches(before, next tiers.Ladder) reach {
	var found reach
	for _, tier := range before.Tiers {
		now, left := next.Tier(tier.ID)
		lift := int64(math.MaxInt64)
		if above, ok := next.Above(now); left && ok && next.Mode == tiers.Now {
			lift = above.Threshold
		}
		found.tiers = append(found.tiers, tier.ID)
		found.lifts = append(found.lifts, lift)
		found.falls = append(found.falls, !left || next.Mode == tiers.Now && now.Threshold > tier.Threshold)
		if !left {
			found.removed = append(found.removed, tier.ID)
		}
	}
	return found
}

// anybody tells whether the version can move anybody at all.
func (r reach) anybody() bool {
	return len(r.removed) > 0 || slices.Contains(r.falls, true) ||
		slices.ContainsFunc(r.lifts, func(lift int64) bool { return lift < math.MaxInt64 })
}

// tally counts members by the tiers between which they move.
type tally map[[2]id.Tier]*TierMove

func (t tally) add(from, to id.Tier, member id.Member) {
	if from == to {
		return
	}
	key := [2]id.Tier{from, to}
	if t[key] == nil {
		t[key] = &TierMove{SampleIDs: []id.Member{}}
	}
	t[key].Members++
	if len(t[key].SampleIDs) < sampled {
		t[key].SampleIDs = append(t[key].SampleIDs, member)
	}
}

// moves are the counts, from the highest tier that is left down.
func (t tally) moves(terms tiers.Terms) []TierMove {
	type ranked struct {
		from, to int
		TierMove
	}
	list := make([]ranked, 0, len(t))
	for key, counted := range t {
		before := terms.Ladders[max(len(terms.Ladders)-2, 0)]
		from, _ := terms.Tier(before.Version, key[0])
		to, _ := terms.Tier(terms.Ladder().Version, key[1])
		counted.From, counted.To = from.Name, to.Name
		list = append(list, ranked{from.Rank, to.Rank, *counted})
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.from, a.from), cmp.Compare(b.to, a.to), cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To))
	})
	moves := make([]TierMove, len(list))
	for i, one := range list {
		moves[i] = one.TierMove
	}
	return moves
}

// count adds those who move with the next version of the ladder and of whom that is not posted.
func (t tally) count(ctx context.Context, tx *postgres.Tx, book *rulebook, next tiers.Ladder) error {
	then := *book
	then.status, then.ladder = book.status.With(next), next
	found := reaches(book.ladder, next)
	at := func(id.Member) time.Time { return next.CreatedAt }
	for after := (id.Member{}); ; {
		members, err := selectReached(ctx, tx, next, book.status.Policy().Since, found, after, tallyBatch)
		if err != nil || len(members) == 0 {
			return err
		}
		accounts, err := ledger.AccountsTx(ctx, tx, members)
		if err != nil {
			return err
		}
		then.distrust(accounts, func(account *ledger.Account) time.Time { return account.RecordedAt })
		if _, err := review(ctx, tx, &then, accounts, at, func(made decision) {
			if made.after.LadderVersion == next.Version && made.before.LadderVersion < next.Version {
				t.add(made.before.Tier.ID, made.after.Tier.ID, made.member)
			}
		}); err != nil {
			return err
		}
		after = members[len(members)-1]
	}
}

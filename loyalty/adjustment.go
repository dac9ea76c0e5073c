package loyalty

import (
	"context"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
)

// MaximumReason bounds a reason, in characters.
const MaximumReason = 500

// AdjustPointsInput is points given or taken by hand.
type AdjustPointsInput struct {
	Member MemberRef
	// Points is signed and not 0.
	Points int64
	Reason string
	// ExpiresAt is when points that are given lapse; nil: never.
	ExpiresAt      *time.Time
	IdempotencyKey string
}

// AdjustmentPosted answers an adjustment.
type AdjustmentPosted struct {
	Adjustment *ledger.Adjustment
	Entry      *ledger.Entry
	MemberID   id.Member
	Replayed   bool
}

// AdjustPoints gives a member points, or takes them in burn order. They don't count towards tiers. For support,
// admins and PointsAdjust.
//
// Problems: UNKNOWN_MEMBER, INVALID_POINTS, REASON_REQUIRED, INVALID_DATE, INVALID_IDEMPOTENCY_KEY,
// INSUFFICIENT_POINTS, IDEMPOTENCY_KEY_REUSED.
func (s *Service) AdjustPoints(ctx context.Context, input AdjustPointsInput) (*AdjustmentPosted, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.PointsAdjust)
	if err != nil {
		return nil, err
	}
	if input.ExpiresAt != nil {
		expiresAt := input.ExpiresAt.UTC().Truncate(time.Microsecond)
		input.ExpiresAt = &expiresAt
	}
	refs := []MemberRef{input.Member}
	if err := s.mayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	var posted *AdjustmentPosted
	var found []id.Member
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := program.Share(ctx, tx, s.db.Now); err != nil {
			return err
		}
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		if found, err = resolve(ctx, tx, refs); err != nil {
			return err
		}
		if err := input.check(found[0]); err != nil {
			return err
		}
		adjustment := &ledger.Adjustment{
			ID: id.New[id.Adjustment](), Member: found[0], Points: input.Points, Reason: input.Reason, RequestedBy: caller.Caller,
		}
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "adjustPoints", Key: input.IdempotencyKey,
			Input: map[string]any{
				"member": adjustment.Member.String(), "points": input.Points, "reason": input.Reason, "expiresAt": input.ExpiresAt,
			},
		}}, []id.Adjustment{adjustment.ID})
		if err != nil {
			return err
		}
		switch claim := claims[0]; {
		case claim.Problem != nil:
			return claim.Problem
		case claim.Replayed:
			posted, err = readAdjustment(ctx, tx, claim.Made)
		default:
			posted, err = adjust(ctx, tx, book, adjustment, input.ExpiresAt)
		}
		return err
	})
	s.guessed(caller, refs, found)
	return posted, err
}

func (i AdjustPointsInput) check(member id.Member) error {
	var problems problem.Problems
	if member == (id.Member{}) {
		problems = append(problems, unknownMember("member"))
	}
	if i.Points == 0 || i.Points > value.MaximumPoints || i.Points < -value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"points"}, "Give or take at least 1 point and at most %d.", int64(value.MaximumPoints))
	}
	if !within(i.Reason, MaximumReason) {
		problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
	}
	if i.ExpiresAt != nil && i.Points < 0 {
		problems.Add(problem.InvalidDate, []string{"expiresAt"}, "Only points that are given can expire.")
	}
	idempotency.Check(&problems, i.IdempotencyKey)
	return problems.Err()
}

func adjust(ctx context.Context, tx *postgres.Tx, book *rulebook, adjustment *ledger.Adjustment, expiresAt *time.Time) (*AdjustmentPosted, error) {
	members := []id.Member{adjustment.Member}
	batch, err := ledger.Lock(ctx, tx, members)
	if err != nil {
		return nil, err
	}
	standings, err := openStandings(ctx, tx, book, batch, members)
	if err != nil {
		return nil, err
	}
	if err := batch.Load(ctx, members); err != nil {
		return nil, err
	}
	if !batch.Fits(adjustment.Member, adjustment.Points) {
		return nil, problem.At(problem.InvalidPoints, []string{"points"}, "The member would have more points than can be counted.")
	}
	adjustment.RequestedAt = batch.Next(adjustment.Member)
	// A replay may well come later than that, so it is not asked of the input.
	if expiresAt != nil && !expiresAt.After(adjustment.RequestedAt) {
		return nil, problem.At(problem.InvalidDate, []string{"expiresAt"}, "Points that are given can only expire later than now.")
	}
	entry := ledger.Entry{
		Member: adjustment.Member, Kind: ledger.Adjusted, Points: adjustment.Points, OccurredAt: adjustment.RequestedAt,
		RecordedAt: adjustment.RequestedAt, AdjustmentID: &adjustment.ID, QualifiesAt: adjustment.RequestedAt, ExpiresAt: expiresAt,
	}
	if entry.Points > 0 {
		entry = batch.Credit(entry)
	} else {
		taken, ok := batch.Debit(entry)
		if !ok {
			return nil, insufficient(-entry.Points, batch.Available(adjustment.Member, adjustment.RequestedAt), "points")
		}
		entry = taken
	}
	adjustment.EntrySequence = entry.Sequence
	if err := batch.Write(ctx); err != nil {
		return nil, err
	}
	if err := insertMoves(ctx, tx, standings.moves); err != nil {
		return nil, err
	}
	if err := ledger.InsertAdjustmentTx(ctx, tx, *adjustment); err != nil {
		return nil, err
	}
	return &AdjustmentPosted{Adjustment: adjustment, Entry: &entry, MemberID: adjustment.Member}, nil
}

func insufficient(required, available int64, path ...string) problem.InsufficientPointsError {
	return problem.InsufficientPointsError{
		Code: problem.InsufficientPoints, Message: "The member has not that many points to spend.",
		Path: append([]string{"input"}, path...), Required: required, Available: available,
	}
}

func readAdjustment(ctx context.Context, tx *postgres.Tx, wanted id.Adjustment) (*AdjustmentPosted, error) {
	adjustments, err := ledger.AdjustmentsTx(ctx, tx, []id.Adjustment{wanted})
	if err != nil {
		return nil, err
	}
	entries, err := ledger.EntriesTx(ctx, tx, []id.Entry{adjustments[0].EntryID()})
	if err != nil {
		return nil, err
	}
	return &AdjustmentPosted{Adjustment: adjustments[0], Entry: entries[0], MemberID: adjustments[0].Member, Replayed: true}, nil
}

// Adjustment returns an adjustment by its id, nil if there is none or the caller may not see it. Support, admins
// and PointsAdjust see all; nobody else does, since reasons are for staff.
func (s *Service) Adjustment(ctx context.Context, wanted id.Adjustment) (*ledger.Adjustment, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	adjustments, err := ledger.AdjustmentsTx(ctx, s.db, []id.Adjustment{wanted})
	if err != nil || len(adjustments) == 0 || !caller.Has(actor.Support, actor.Admin, actor.PointsAdjust) {
		return nil, err
	}
	return adjustments[0], nil
}

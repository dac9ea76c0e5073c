package loyalty

import (
	"context"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

// ReverseAdjustmentInput is an adjustment to be taken back.
type ReverseAdjustmentInput struct {
	AdjustmentID   id.Adjustment
	Reason         string
	IdempotencyKey string
}

// ReverseAdjustment takes an adjustment back, once and whole. Points that it took return to their lots with the expiry that they
// had, and what has lapsed meanwhile lapses at once. Of points that it gave, what is left of their lot is taken, what of it
// has lapsed counts as taken back, and what was spent is dealt with by the program's policy of returns. It counts against
// the caller's cap of the day as adjusting does, unless it takes back what the caller gave or took alone. For support,
// admins and PointsAdjust.
//
// Problems: UNKNOWN_ADJUSTMENT, NOT_POSTED, ALREADY_REVERSED, CAP_EXCEEDED, REASON_REQUIRED, INVALID_POINTS,
// INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) ReverseAdjustment(ctx context.Context, input ReverseAdjustmentInput) (*AdjustmentPosted, error) {
	caller, err := actor.Require(ctx, adjusters...)
	if err != nil {
		return nil, err
	}
	if err := input.check(); err != nil {
		return nil, err
	}
	var answer *AdjustmentPosted
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		allowed, err := posting.allow(ctx, caller)
		if err != nil {
			return err
		}
		one, err := posting.adjustment(ctx, input.AdjustmentID)
		if err != nil {
			return err
		}
		operation := uuid.Must(uuid.NewV7())
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "reverseAdjustment", Key: input.IdempotencyKey,
			Input: map[string]any{"adjustment": input.AdjustmentID.String(), "reason": input.Reason},
		}}, []uuid.UUID{operation})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return claims[0].Problem
		case claims[0].Replayed:
			answer, err = readReversal(ctx, tx, input.AdjustmentID)
			return err
		}
		if err := posting.Open(ctx, []id.Member{one.Member}); err != nil {
			return err
		}
		// Only now does nobody change it any more.
		if one, err = posting.adjustment(ctx, input.AdjustmentID); err != nil {
			return err
		}
		if err := posting.mayReverse(ctx, one, caller, allowed); err != nil {
			return err
		}
		before := adjustmentState(one)
		entry, err := posting.reverse(ctx, one, operation)
		if err != nil {
			return err
		}
		one.ReversedAt, one.ReversedBy, one.ReversalReason, one.ReversalSequence = &entry.RecordedAt, &caller.Caller, &input.Reason, &entry.Sequence
		if err := ledger.ReverseAdjustmentTx(ctx, tx, one); err != nil {
			return err
		}
		answer = &AdjustmentPosted{Adjustment: one, Entry: entry, MemberID: one.Member}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "reverseAdjustment", Object: one.ID.String(), Before: before, After: adjustmentState(one),
		})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func readReversal(ctx context.Context, tx *postgres.Tx, wanted id.Adjustment) (*AdjustmentPosted, error) {
	adjustments, err := ledger.AdjustmentsTx(ctx, tx, []id.Adjustment{wanted})
	if err != nil {
		return nil, err
	}
	found := adjustments[0]
	entry, err := entryOf(ctx, tx, found.Member, found.ReversalSequence)
	return &AdjustmentPosted{Adjustment: found, Entry: entry, MemberID: found.Member, Replayed: true}, err
}

func (i ReverseAdjustmentInput) check() error {
	var problems problem.Problems
	if !Within(i.Reason, MaximumReason) {
		problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
	}
	idempotency.Check(&problems, i.IdempotencyKey)
	return problems.Err()
}

// mayReverse tells whether there is anything to take back, and whether the caller may do it without a second person.
func (p *Posting) mayReverse(ctx context.Context, one *ledger.Adjustment, caller actor.Actor, allowed allowance) error {
	path := []string{"adjustmentId"}
	switch {
	case one.Status != ledger.AdjustmentPosted:
		return problem.At(problem.NotPosted, path, "The adjustment has moved nothing that could be taken back.")
	case one.ReversedAt != nil:
		return problem.At(problem.AlreadyReversed, path, "The adjustment was taken back before.")
	case one.Alone() && one.RequestedBy == caller.Caller:
		return nil
	}
	covered, err := allowed.covers(ctx, p.tx, one.Points, p.Instant(one.Member), p.book.zone)
	if err == nil && !covered {
		err = problem.At(problem.CapExceeded, path, "That is more than you may move today; somebody with a greater cap can take it back.")
	}
	return err
}

// reverse posts and writes the entry that takes an adjustment back.
func (p *Posting) reverse(ctx context.Context, one *ledger.Adjustment, operation uuid.UUID) (*ledger.Entry, error) {
	if !p.Fits(one.Member, -one.Points) {
		return nil, problem.At(problem.InvalidPoints, []string{"adjustmentId"}, "The member would have more points than can be counted.")
	}
	made, err := entryOf(ctx, p.tx, one.Member, one.EntrySequence)
	if err != nil {
		return nil, err
	}
	now := p.Next(one.Member)
	entry := ledger.Entry{
		Member: one.Member, Kind: ledger.Reversal, OccurredAt: now, RecordedAt: now, QualifiesAt: now, AdjustmentID: &one.ID,
		ReversesSequence: one.EntrySequence, OperationID: &operation,
	}
	if one.Points > 0 {
		if err := p.LoadLapsed(ctx, []*ledger.Entry{made}); err != nil {
			return nil, err
		}
		entry = p.Reverse(entry, one.Points)
		return &entry, p.Write(ctx)
	}
	drawn, err := ledger.DrawnTx(ctx, p.tx, made.ID())
	if err != nil {
		return nil, err
	}
	if err := p.LoadLots(ctx, one.Member, drawn); err != nil {
		return nil, err
	}
	entry.Points = -one.Points
	entry = p.Restore(entry, drawn)
	return &entry, p.Write(ctx)
}

package loyalty

import (
	"context"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
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

// AdjustmentPosted answers an adjustment: Entry is what it posted, or what took it back; nil while it waits.
type AdjustmentPosted struct {
	Adjustment *ledger.Adjustment
	Entry      *ledger.Entry
	MemberID   id.Member
	Replayed   bool
}

// AdjustPoints gives a member points, or takes them in burn order. They don't count towards tiers. What lies above the
// caller's cap of the day waits for a second person, and has moved nothing until then. For support, admins and PointsAdjust.
//
// Problems: UNKNOWN_MEMBER, INVALID_POINTS, REASON_REQUIRED, INVALID_DATE, INVALID_IDEMPOTENCY_KEY,
// INSUFFICIENT_POINTS, IDEMPOTENCY_KEY_REUSED.
func (s *Service) AdjustPoints(ctx context.Context, input AdjustPointsInput) (*AdjustmentPosted, error) {
	caller, err := actor.Require(ctx, adjusters...)
	if err != nil {
		return nil, err
	}
	if input.ExpiresAt != nil {
		expiresAt := input.ExpiresAt.UTC().Truncate(time.Microsecond)
		input.ExpiresAt = &expiresAt
	}
	refs := []MemberRef{input.Member}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	var posted *AdjustmentPosted
	var found []id.Member
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		allowed, err := posting.allow(ctx, caller)
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
			ID: id.New[id.Adjustment](), Member: found[0], Points: input.Points, Reason: input.Reason, ExpiresAt: input.ExpiresAt,
			RequestedBy: caller.Caller,
		}
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "adjustPoints", Key: input.IdempotencyKey,
			Input: map[string]any{
				"member": adjustment.Member.String(), "points": input.Points, "reason": input.Reason, "expiresAt": input.ExpiresAt,
			},
		}}, []id.Adjustment{adjustment.ID})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return claims[0].Problem
		case claims[0].Replayed:
			posted, err = readAdjustment(ctx, tx, claims[0].Made)
			return err
		}
		if posted, err = posting.adjust(ctx, adjustment, allowed); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "adjustPoints", Object: adjustment.ID.String(), After: adjustmentState(adjustment),
		})
	})
	s.guessed(caller, refs, found)
	if err != nil {
		return nil, err
	}
	return posted, nil
}

func (i AdjustPointsInput) check(member id.Member) error {
	var problems problem.Problems
	if member == (id.Member{}) {
		problems = append(problems, unknownMember("member"))
	}
	if i.Points == 0 || i.Points > value.MaximumPoints || i.Points < -value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"points"}, "Give or take at least 1 point and at most %d.", int64(value.MaximumPoints))
	}
	if !Within(i.Reason, MaximumReason) {
		problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
	}
	if i.ExpiresAt != nil && i.Points < 0 {
		problems.Add(problem.InvalidDate, []string{"expiresAt"}, "Only points that are given can expire.")
	}
	idempotency.Check(&problems, i.IdempotencyKey)
	return problems.Err()
}

// adjust posts a new adjustment if the allowance covers it; else it waits.
func (p *Posting) adjust(ctx context.Context, adjustment *ledger.Adjustment, allowed allowance) (*AdjustmentPosted, error) {
	if err := p.Open(ctx, []id.Member{adjustment.Member}); err != nil {
		return nil, err
	}
	adjustment.RequestedAt = p.Instant(adjustment.Member)
	// A replay may well come later than that, so it is not asked of the input.
	if adjustment.ExpiresAt != nil && !adjustment.ExpiresAt.After(adjustment.RequestedAt) {
		return nil, problem.At(problem.InvalidDate, []string{"expiresAt"}, "Points that are given can only expire later than now.")
	}
	posted := &AdjustmentPosted{Adjustment: adjustment, MemberID: adjustment.Member}
	covered, err := allowed.covers(ctx, p.tx, adjustment.Points, adjustment.RequestedAt, p.book.zone)
	if err != nil {
		return nil, err
	}
	if !covered {
		adjustment.Status = ledger.AdjustmentWaiting
		return posted, ledger.InsertAdjustmentsTx(ctx, p.tx, adjustment)
	}
	if posted.Entry, err = p.move(ctx, adjustment, "points"); err != nil {
		return nil, err
	}
	return posted, ledger.InsertAdjustmentsTx(ctx, p.tx, adjustment)
}

// move moves the points of an adjustment now, and writes that; path leads to the field to blame if it cannot.
func (p *Posting) move(ctx context.Context, adjustment *ledger.Adjustment, path string) (*ledger.Entry, error) {
	if !p.Fits(adjustment.Member, adjustment.Points) {
		return nil, problem.At(problem.InvalidPoints, []string{path}, "The member would have more points than can be counted.")
	}
	now := p.Next(adjustment.Member)
	entry := ledger.Entry{
		Member: adjustment.Member, Kind: ledger.Adjusted, Points: adjustment.Points, OccurredAt: now, RecordedAt: now,
		AdjustmentID: &adjustment.ID, QualifiesAt: now,
	}
	if entry.Points > 0 {
		entry.AvailableAt, entry.ExpiresAt = &now, adjustment.ExpiresAt
		p.Hear(adjustment.Member, now)
		entry = p.Credit(entry)
	} else {
		taken, ok := p.Debit(entry)
		if !ok {
			return nil, insufficient(-entry.Points, p.Available(adjustment.Member, now), path)
		}
		entry = taken
	}
	adjustment.Status, adjustment.EntrySequence = ledger.AdjustmentPosted, &entry.Sequence
	return &entry, p.Write(ctx)
}

// adjustmentState is what the audit keeps of an adjustment.
func adjustmentState(a *ledger.Adjustment) map[string]any {
	return map[string]any{"member": a.Member.String(), "points": a.Points, "status": a.Status, "reversed": a.ReversedAt != nil}
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
	found := adjustments[0]
	entry, err := entryOf(ctx, tx, found.Member, found.EntrySequence)
	return &AdjustmentPosted{Adjustment: found, Entry: entry, MemberID: found.Member, Replayed: true}, err
}

// entryOf reads an entry of the member by its number; nil for none.
func entryOf(ctx context.Context, tx *postgres.Tx, member id.Member, sequence *int64) (*ledger.Entry, error) {
	if sequence == nil {
		return nil, nil
	}
	entries, err := ledger.EntriesTx(ctx, tx, []id.Entry{{Member: member, Sequence: *sequence}})
	if err != nil {
		return nil, err
	}
	return entries[0], nil
}

package loyalty

import (
	"context"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// maximumHold bounds how long points are set aside.
var maximumHold = value.Period{Days: 30}

// redeemers may move what members spend.
var redeemers = []actor.Grant{actor.Support, actor.Admin, actor.PointsRedeem}

// HoldPointsInput is points to be set aside.
type HoldPointsInput struct {
	Member MemberRef
	Points int64
	// Reason is for staff, e.g. the till's number.
	Reason string
	// ExpiresIn is after which time the hold ends by itself.
	ExpiresIn      *value.Period
	IdempotencyKey string
}

// CaptureHoldInput is a hold to be captured: Points of it, nil: all. PurchaseSource and PurchaseExternalID name the sale.
type CaptureHoldInput struct {
	HoldID             id.Hold
	Points             *int64
	PurchaseSource     *string
	PurchaseExternalID *string
	IdempotencyKey     string
}

// RefundCaptureInput is points of a captured hold to be given back.
type RefundCaptureInput struct {
	HoldID         id.Hold
	Points         int64
	Reason         string
	IdempotencyKey string
}

// HoldAnswer answers what was done with a hold: Entry is what it posted, nil: nothing.
type HoldAnswer struct {
	Hold     *ledger.Hold
	Entry    *ledger.Entry
	Replayed bool
}

// defaultHold is how long a hold lasts if nothing is said.
var defaultHold = value.Period{Clock: 15 * time.Minute}

// HoldPoints sets points of a member aside in burn order until the hold is captured or released, or ends by itself. For
// support, admins and PointsRedeem.
//
// Problems: UNKNOWN_MEMBER, MEMBER_SUSPENDED, INVALID_POINTS, INSUFFICIENT_POINTS, REASON_REQUIRED, INVALID_DURATION,
// INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) HoldPoints(ctx context.Context, input HoldPointsInput) (*HoldAnswer, error) {
	caller, err := actor.Require(ctx, redeemers...)
	if err != nil {
		return nil, err
	}
	if input.ExpiresIn == nil {
		input.ExpiresIn = &defaultHold
	}
	var answer *HoldAnswer
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		member, err := s.SubjectTx(ctx, tx, caller, &input.Member, "member")
		if err != nil {
			return err
		}
		if err := input.check(posting, tx.Now); err != nil {
			return err
		}
		wanted := id.New[id.Hold]()
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "holdPoints", Key: input.IdempotencyKey, Input: map[string]any{
				"member": member.ID.String(), "points": input.Points, "reason": input.Reason, "expiresIn": input.ExpiresIn.String(),
			},
		}}, []id.Hold{wanted})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return claims[0].Problem
		case claims[0].Replayed:
			answer, err = readHold(ctx, tx, claims[0].Made)
			return err
		}
		if err := member.MaySpend("member"); err != nil {
			return err
		}
		if err := posting.Open(ctx, []id.Member{member.ID}); err != nil {
			return err
		}
		now := posting.Next(member.ID)
		posting.Hear(member.ID, now)
		hold, ok := posting.Place(ledger.Hold{
			ID: wanted, Member: member.ID, Points: input.Points, Reason: input.Reason, PlacedBy: caller.Caller, PlacedAt: now,
			EndsAt: input.ExpiresIn.After(now, posting.book.zone),
		})
		if !ok {
			return insufficient(input.Points, posting.Available(member.ID, now), "points")
		}
		answer = &HoldAnswer{Hold: hold}
		if err := posting.Write(ctx); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "holdPoints", Object: hold.ID.String(), After: holdState(hold),
		})
	})
	if err != nil {
		return nil, err
	}
	answer.Hold.See(s.now())
	return answer, nil
}

func (i HoldPointsInput) check(posting *Posting, now time.Time) error {
	var problems problem.Problems
	if i.Points < 1 || i.Points > value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"points"}, "Hold at least 1 point and at most %d.", int64(value.MaximumPoints))
	}
	if !Within(i.Reason, MaximumReason) {
		problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
	}
	if ends := i.ExpiresIn.After(now, posting.book.zone); !ends.After(now) || ends.After(maximumHold.After(now, posting.book.zone)) {
		problems.Add(problem.InvalidDuration, []string{"expiresIn"}, "A hold lasts more than nothing and at most 30 days.")
	}
	idempotency.Check(&problems, i.IdempotencyKey)
	return problems.Err()
}

func readHold(ctx context.Context, tx *postgres.Tx, wanted id.Hold) (*HoldAnswer, error) {
	holds, err := ledger.HoldsTx(ctx, tx, []id.Hold{wanted})
	if err != nil {
		return nil, err
	}
	return &HoldAnswer{Hold: holds[0], Replayed: true}, nil
}

// CaptureHold takes points of an open hold for good and gives the rest of it back. For support, admins and PointsRedeem.
//
// Problems: UNKNOWN_HOLD, HOLD_ENDED, INVALID_POINTS, CAPTURE_EXCEEDS_HOLD, INVALID_SOURCE, INVALID_IDEMPOTENCY_KEY,
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) CaptureHold(ctx context.Context, input CaptureHoldInput) (*HoldAnswer, error) {
	check := func(hold *ledger.Hold) error {
		var problems problem.Problems
		if input.Points != nil && *input.Points < 1 {
			problems.Add(problem.InvalidPoints, []string{"points"}, "Capture at least 1 point; release the hold to take none.")
		}
		if input.Points != nil && *input.Points > hold.Points {
			problems.Add(problem.CaptureExceedsHold, []string{"points"}, "The hold has only %d points.", hold.Points)
		}
		if input.PurchaseSource != nil && !Within(*input.PurchaseSource, maximumSource) {
			problems.Add(problem.InvalidSource, []string{"purchaseSource"}, "A source has 1 to %d characters.", maximumSource)
		}
		if input.PurchaseExternalID != nil && !Within(*input.PurchaseExternalID, maximumExternalID) {
			problems.Add(problem.InvalidSource, []string{"purchaseExternalId"}, "An external id has 1 to %d characters.", maximumExternalID)
		}
		if (input.PurchaseSource == nil) != (input.PurchaseExternalID == nil) {
			problems.Add(problem.InvalidSource, []string{"purchaseExternalId"}, "Name the sale by its source and its external id, or not at all.")
		}
		return problems.Err()
	}
	return s.onHold(ctx, input.HoldID, idempotency.Request{
		Operation: "captureHold", Key: input.IdempotencyKey, Input: map[string]any{
			"hold": input.HoldID.String(), "points": input.Points, "source": input.PurchaseSource, "externalId": input.PurchaseExternalID,
		},
	}, "", check, func(posting *Posting, hold *ledger.Hold, operation uuid.UUID) (*ledger.Entry, error) {
		points := hold.Points
		if input.Points != nil {
			points = *input.Points
		}
		now := posting.Next(hold.Member)
		posting.Hear(hold.Member, now)
		hold.PurchaseSource, hold.PurchaseExternalID = input.PurchaseSource, input.PurchaseExternalID
		entry, ok := posting.Capture(hold, ledger.Entry{
			Member: hold.Member, Kind: ledger.Redemption, Points: -points, OccurredAt: now, RecordedAt: now, QualifiesAt: now,
			OperationID: &operation,
		})
		if !ok {
			return nil, holdEnded()
		}
		return &entry, nil
	})
}

// ReleaseHold ends an open hold and gives its points back. Releasing one that was released or has ended changes nothing.
// For support, admins and PointsRedeem. Problems: UNKNOWN_HOLD; HOLD_ENDED for one that was captured.
func (s *Service) ReleaseHold(ctx context.Context, wanted id.Hold) (*HoldAnswer, error) {
	unasked := func(*ledger.Hold) error { return nil }
	return s.onHold(ctx, wanted, idempotency.Request{Operation: "releaseHold"}, "", unasked, func(posting *Posting, hold *ledger.Hold, _ uuid.UUID) (*ledger.Entry, error) {
		switch {
		// Only now is it known for sure.
		case hold.Status == ledger.HoldCaptured:
			return nil, holdEnded()
		case hold.Status == ledger.HoldOpen && !posting.Release(hold, posting.Next(hold.Member)):
			hold.Status = ledger.HoldExpired
		}
		return nil, nil
	})
}

// RefundCapture gives points back that were captured of a hold, those taken last first, with the expiry that they had; what
// has lapsed meanwhile lapses at once. For support, admins and PointsRedeem.
//
// Problems: UNKNOWN_HOLD, INVALID_POINTS, REASON_REQUIRED, CAPTURE_EXCEEDS_HOLD if that many are not left of what was
// captured, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) RefundCapture(ctx context.Context, input RefundCaptureInput) (*HoldAnswer, error) {
	check := func(*ledger.Hold) error {
		var problems problem.Problems
		if input.Points < 1 {
			problems.Add(problem.InvalidPoints, []string{"points"}, "Give back at least 1 point.")
		}
		if !Within(input.Reason, MaximumReason) {
			problems.Add(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
		}
		return problems.Err()
	}
	return s.onHold(ctx, input.HoldID, idempotency.Request{
		Operation: "refundCapture", Key: input.IdempotencyKey,
		Input: map[string]any{"hold": input.HoldID.String(), "points": input.Points, "reason": input.Reason},
	}, input.Reason, check, func(posting *Posting, hold *ledger.Hold, operation uuid.UUID) (*ledger.Entry, error) {
		return posting.giveBack(ctx, hold, input.Points, operation)
	})
}

func (p *Posting) giveBack(ctx context.Context, hold *ledger.Hold, points int64, operation uuid.UUID) (*ledger.Entry, error) {
	exceeded := problem.At(problem.CaptureExceedsHold, []string{"points"}, "Not that many points are left of what was captured.")
	if hold.EntrySequence == nil {
		return nil, exceeded
	}
	drawn, err := ledger.DrawnTx(ctx, p.tx, id.Entry{Member: hold.Member, Sequence: *hold.EntrySequence})
	if err != nil {
		return nil, err
	}
	entry, ok, err := p.Return(ctx, ledger.Entry{
		Member: hold.Member, Points: points, ReversesSequence: hold.EntrySequence, HoldSequence: &hold.Sequence, OperationID: &operation,
	}, drawn)
	if !ok && err == nil {
		err = exceeded
	}
	return entry, err
}

// Return posts a REDEMPTION_CANCEL that gives points back which a redemption took, those taken last first; drawn is what is
// left of it. It returns false if that is less.
func (p *Posting) Return(ctx context.Context, entry ledger.Entry, drawn []lots.Draw) (*ledger.Entry, bool, error) {
	given := lots.Last(drawn, entry.Points)
	var points int64
	for _, one := range given {
		points += one.Points
	}
	if points < entry.Points {
		return nil, false, nil
	}
	if err := p.LoadLots(ctx, entry.Member, given); err != nil {
		return nil, false, err
	}
	now := p.Next(entry.Member)
	entry.Kind, entry.OccurredAt, entry.RecordedAt, entry.QualifiesAt = ledger.RedemptionCancel, now, now, now
	entry = p.Restore(entry, given)
	return &entry, true, nil
}

// onHold does work with a hold, once: request, unless it has no input, is remembered. What it is asked for may be wrong
// whatever became of the hold: that says check. The audit keeps what it did, and reason if there is one.
func (s *Service) onHold(ctx context.Context, wanted id.Hold, request idempotency.Request, reason string,
	check func(*ledger.Hold) error, work func(*Posting, *ledger.Hold, uuid.UUID) (*ledger.Entry, error),
) (*HoldAnswer, error) {
	caller, err := actor.Require(ctx, redeemers...)
	if err != nil {
		return nil, err
	}
	var answer *HoldAnswer
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		holds, err := ledger.HoldsTx(ctx, tx, []id.Hold{wanted})
		if err != nil {
			return err
		}
		if len(holds) == 0 {
			return problem.At(problem.UnknownHold, []string{"holdId"}, "There is no such hold.")
		}
		operation := uuid.Must(uuid.NewV7())
		if request.Input != nil {
			var problems problem.Problems
			if idempotency.Check(&problems, request.Key); len(problems) > 0 {
				return problems
			}
			request.Caller = caller.Caller
			claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{request}, []uuid.UUID{operation})
			switch {
			case err != nil:
				return err
			case claims[0].Problem != nil:
				return claims[0].Problem
			case claims[0].Replayed:
				answer, err = replayHold(ctx, tx, holds[0], claims[0].Made)
				return err
			}
		}
		if err := check(holds[0]); err != nil {
			return err
		}
		if err := posting.Open(ctx, []id.Member{holds[0].Member}); err != nil {
			return err
		}
		// Only now does nobody change it any more.
		if holds, err = ledger.HoldsTx(ctx, tx, []id.Hold{wanted}); err != nil {
			return err
		}
		before := holdState(holds[0])
		entry, err := work(posting, holds[0], operation)
		if err != nil {
			return err
		}
		answer = &HoldAnswer{Hold: holds[0], Entry: entry}
		if err := posting.Write(ctx); err != nil {
			return err
		}
		after := holdState(holds[0])
		if entry != nil {
			after["entry"], after["moved"] = entry.ID().String(), entry.Points
		}
		if reason != "" {
			after["reason"] = reason
		}
		// Nobody does it that a hold ends by itself.
		if entry == nil && (after["status"] == before["status"] || after["status"] == ledger.HoldExpired) {
			return nil
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: request.Operation, Object: wanted.String(), Before: before, After: after})
	})
	if err != nil {
		return nil, err
	}
	answer.Hold.See(s.now())
	return answer, nil
}

// holdState is what the audit keeps of a hold.
func holdState(h *ledger.Hold) map[string]any {
	return map[string]any{"member": h.Member.String(), "points": h.Points, "status": h.Status, "captured": h.Captured}
}

func replayHold(ctx context.Context, tx *postgres.Tx, hold *ledger.Hold, operation uuid.UUID) (*HoldAnswer, error) {
	entry, err := ledger.EntryOfOperationTx(ctx, tx, hold.Member, operation)
	return &HoldAnswer{Hold: hold, Entry: entry, Replayed: true}, err
}

func holdEnded() error {
	return problem.At(problem.HoldEnded, []string{"holdId"}, "The hold is over.")
}

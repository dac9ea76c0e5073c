package loyalty

import (
	"context"
	"strings"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

// ApproveAdjustment moves the points of an adjustment that waits, by what the member owns now; if that is not possible, it
// goes on waiting. Whoever approves has agreed to it whatever their own cap, and it counts against nobody's. Approving it
// again answers the same. note, if any, is for staff. For support and admins, but never the one who asked for it.
//
// Problems: UNKNOWN_ADJUSTMENT, SELF_APPROVAL, NOT_WAITING, REASON_REQUIRED for a note that is too long, INSUFFICIENT_POINTS,
// INVALID_POINTS, INVALID_DATE if the points would have lapsed by now.
func (s *Service) ApproveAdjustment(ctx context.Context, wanted id.Adjustment, note *string) (*AdjustmentPosted, error) {
	return s.reviewAdjustment(ctx, wanted, note, "approveAdjustment", ledger.AdjustmentPosted, func(posting *Posting, one *ledger.Adjustment) (*ledger.Entry, error) {
		if one.ExpiresAt != nil && !one.ExpiresAt.After(posting.Instant(one.Member)) {
			return nil, problem.At(problem.InvalidDate, []string{"adjustmentId"}, "The points would have lapsed by now: decline it.")
		}
		return posting.move(ctx, one, "adjustmentId")
	})
}

// DeclineAdjustment ends an adjustment that waits; it moves nothing. Declining it again answers the same. note, if any, is for
// staff. For support and admins, but never the one who asked for it.
//
// Problems: UNKNOWN_ADJUSTMENT, SELF_APPROVAL, NOT_WAITING, REASON_REQUIRED for a note that is too long.
func (s *Service) DeclineAdjustment(ctx context.Context, wanted id.Adjustment, note *string) (*AdjustmentPosted, error) {
	return s.reviewAdjustment(ctx, wanted, note, "declineAdjustment", ledger.AdjustmentDeclined, func(*Posting, *ledger.Adjustment) (*ledger.Entry, error) {
		return nil, nil
	})
}

// reviewAdjustment lets a second person decide about an adjustment, once: decide does what follows from it.
func (s *Service) reviewAdjustment(ctx context.Context, wanted id.Adjustment, note *string, action string, decision ledger.AdjustmentStatus,
	decide func(*Posting, *ledger.Adjustment) (*ledger.Entry, error),
) (*AdjustmentPosted, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	if note != nil && strings.TrimSpace(*note) == "" {
		note = nil
	}
	if note != nil && !Within(*note, MaximumReason) {
		return nil, problem.At(problem.ReasonRequired, []string{"note"}, "A note has at most %d characters.", MaximumReason)
	}
	var answer *AdjustmentPosted
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, one, err := s.openAdjustment(ctx, tx, wanted)
		if err != nil {
			return err
		}
		switch {
		case one.RequestedBy == caller.Caller:
			return problem.At(problem.SelfApproval, []string{"adjustmentId"}, "Somebody else decides about what you asked for.")
		case one.Status == decision && one.ReviewedBy != nil && *one.ReviewedBy == caller.Caller:
			answer, err = readAdjustment(ctx, tx, wanted)
			return err
		case one.Status != ledger.AdjustmentWaiting:
			return problem.At(problem.NotWaiting, []string{"adjustmentId"}, "The adjustment is %s already.", strings.ToLower(string(one.Status)))
		}
		before := adjustmentState(one)
		now := posting.Instant(one.Member)
		entry, err := decide(posting, one)
		if err != nil {
			return err
		}
		one.Status, one.ReviewedAt, one.ReviewedBy, one.Note = decision, &now, &caller.Caller, note
		if err := ledger.ReviewAdjustmentTx(ctx, tx, one); err != nil {
			return err
		}
		answer = &AdjustmentPosted{Adjustment: one, Entry: entry, MemberID: one.Member}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: action, Object: wanted.String(), Before: before, After: adjustmentState(one),
		})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// openAdjustment opens a posting for the member of an adjustment: from then on nobody else changes either.
func (s *Service) openAdjustment(ctx context.Context, tx *postgres.Tx, wanted id.Adjustment) (*Posting, *ledger.Adjustment, error) {
	posting, err := s.PostTx(ctx, tx)
	if err != nil {
		return nil, nil, err
	}
	one, err := posting.adjustment(ctx, wanted)
	if err != nil {
		return nil, nil, err
	}
	if err := posting.Open(ctx, []id.Member{one.Member}); err != nil {
		return nil, nil, err
	}
	one, err = posting.adjustment(ctx, wanted)
	return posting, one, err
}

// adjustment reads an adjustment as it is now; it is UNKNOWN_ADJUSTMENT if there is none.
func (p *Posting) adjustment(ctx context.Context, wanted id.Adjustment) (*ledger.Adjustment, error) {
	found, err := ledger.AdjustmentsTx(ctx, p.tx, []id.Adjustment{wanted})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, problem.At(problem.UnknownAdjustment, []string{"adjustmentId"}, "There is no such adjustment.")
	}
	return found[0], nil
}

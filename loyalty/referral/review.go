package referral

import (
	"context"
	"strings"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// Approve lets a referral that is under review go on: it is QUALIFIED, and rewarded moments later unless its referrer's month is
// full. Signals that show up afterwards can hold it again. Approving it again answers the same. note, if any, is for staff. For
// support and admins, but not who is one of the two.
//
// Problems: UNKNOWN_REFERRAL, SELF_APPROVAL, NOT_UNDER_REVIEW, REASON_REQUIRED for a note that is too long.
func (s *Service) Approve(ctx context.Context, wanted id.Referral, note *string) (*Referral, error) {
	return s.review(ctx, wanted, note, "approveReferral", func(one *Referral) bool {
		return one.Status == Qualified || one.Status == Rewarded
	}, func(one *Referral, _ *loyalty.Posting) { one.Status, one.Due = Qualified, true })
}

// Reject ends a referral that is under review: nobody gets anything. Rejecting it again answers the same. note, if any, is for
// staff. For support and admins, but not who is one of the two.
//
// Problems: UNKNOWN_REFERRAL, SELF_APPROVAL, NOT_UNDER_REVIEW, REASON_REQUIRED for a note that is too long.
func (s *Service) Reject(ctx context.Context, wanted id.Referral, note *string) (*Referral, error) {
	return s.review(ctx, wanted, note, "rejectReferral", func(one *Referral) bool {
		return one.Status == Rejected && *one.Reason == Reviewed
	}, func(one *Referral, posting *loyalty.Posting) {
		reason, now := Reviewed, posting.Instant(one.Referrer)
		one.Status, one.Reason, one.RejectedAt, one.Due = Rejected, &reason, &now, false
	})
}

// review lets somebody decide about a referral, once; done tells that the caller has decided the same before.
func (s *Service) review(ctx context.Context, wanted id.Referral, note *string, action string, done func(*Referral) bool, decide func(*Referral, *loyalty.Posting)) (*Referral, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	if note != nil && strings.TrimSpace(*note) == "" {
		note = nil
	}
	if note != nil && !loyalty.Within(*note, loyalty.MaximumReason) {
		return nil, problem.At(problem.ReasonRequired, []string{"note"}, "A note has at most %d characters.", loyalty.MaximumReason)
	}
	own, err := s.loyalty.Viewer(ctx)
	if err != nil {
		return nil, err
	}
	var reviewed *Referral
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.loyalty.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		found, err := lockReferral(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.At(problem.UnknownReferral, []string{"referralId"}, "There is no such referral.")
		}
		reviewed = found[0]
		switch {
		case own != nil && (own.ID == reviewed.Referrer || own.ID == reviewed.Referee):
			return problem.At(problem.SelfApproval, []string{"referralId"}, "Somebody else decides about a referral of your own.")
		case done(reviewed) && reviewed.ReviewedBy != nil && *reviewed.ReviewedBy == caller.Caller:
			return nil
		case reviewed.Status != UnderReview:
			return problem.At(problem.NotUnderReview, []string{"referralId"}, "The referral is %s.", strings.ToLower(string(reviewed.Status)))
		}
		if err := posting.Open(ctx, []id.Member{reviewed.Referrer}); err != nil {
			return err
		}
		before := map[string]any{"status": reviewed.Status}
		now := posting.Instant(reviewed.Referrer)
		reviewed.ReviewedAt, reviewed.ReviewedBy, reviewed.Note = &now, &caller.Caller, note
		decide(reviewed, posting)
		if err := updateReferral(ctx, tx, reviewed); err != nil {
			return err
		}
		if err := posting.Write(ctx); err != nil {
			return err
		}
		if err := reviewed.tell(ctx, tx, posting); err != nil {
			return err
		}
		after := map[string]any{"status": reviewed.Status, "signals": reviewed.Signals}
		if note != nil {
			after["note"] = *note
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: action, Object: wanted.String(), Before: before, After: after})
	})
	if err != nil {
		return nil, err
	}
	return reviewed, nil
}

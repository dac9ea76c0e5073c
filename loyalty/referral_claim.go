package loyalty

import (
	"context"
	"errors"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// ClaimReferralInput names who invited a member that joined before; without MemberID the member is the caller itself.
type ClaimReferralInput struct {
	MemberID *id.Member
	// Code is that of whoever invited it; case, spaces and hyphens do not matter.
	Code string
}

var errUnknownReferralCode = errors.New("no member has the referral code")

// ClaimReferral says after the enrollment who invited a member: within the time that the referral policy of when it joined
// gives for a purchase, or 30 days if there was none. Saying the same again changes nothing. A code that nobody has costs a
// guess, unless its check character is wrong: then it tells nothing. Support and admins do so for anybody, a member for itself.
//
// Problems: UNKNOWN_MEMBER, UNKNOWN_REFERRAL_CODE, SELF_REFERRAL, ALREADY_REFERRED, CIRCULAR_REFERRAL, REFERRAL_TOO_LATE.
func (s *Service) ClaimReferral(ctx context.Context, input ClaimReferralInput) (*Member, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	code, ok := value.ParseCode(input.Code, referralCodeLength)
	if !ok {
		return nil, unknownReferralCode("code")
	}
	if err := s.MayGuess(caller, 1); err != nil {
		return nil, err
	}
	var ref *MemberRef
	if input.MemberID != nil {
		ref = &MemberRef{ID: input.MemberID}
	}
	var member *Member
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		// Two claims that each look harmless could make a circle together.
		if err := lockReferrals(ctx, tx); err != nil {
			return err
		}
		member, err = s.SubjectTx(ctx, tx, caller, ref, "memberId")
		if err != nil {
			return err
		}
		referrers, err := membersOfCodes(ctx, tx, []string{code})
		if err != nil {
			return err
		}
		referrer, ok := referrers[code]
		if !ok {
			return errUnknownReferralCode
		}
		if member.ReferredBy != nil && *member.ReferredBy == referrer {
			return nil
		}
		if err := mayRefer(ctx, tx, posting.book, referrer, member); err != nil {
			return err
		}
		return posting.refer(ctx, caller, referrer, member)
	})
	if errors.Is(err, errUnknownReferralCode) {
		s.Charge(caller, 1)
		return nil, unknownReferralCode("code")
	}
	if err != nil {
		return nil, err
	}
	return member, nil
}

// mayRefer tells why the member cannot say that the referrer invited it.
func mayRefer(ctx context.Context, tx *postgres.Tx, book *rulebook, referrer id.Member, member *Member) error {
	if referrer == member.ID {
		return problem.At(problem.SelfReferral, []string{"code"}, "This is the member's own code.")
	}
	if member.ReferredBy != nil {
		return problem.At(problem.AlreadyReferred, []string{"memberId"}, "Somebody else has referred the member.")
	}
	within := defaultReferralWithin
	if policy := book.referralsAt(member.JoinedAt); policy != nil {
		within = policy.Within
	}
	if !tx.Now.Before(within.After(member.JoinedAt, book.zone)) {
		return problem.At(problem.ReferralTooLate, []string{"memberId"}, "The member joined too long ago to say who invited it.")
	}
	circular, err := descends(ctx, tx, referrer, member.ID)
	if err != nil {
		return err
	}
	if circular {
		return problem.At(problem.CircularReferral, []string{"code"}, "The member has invited them itself, or invited who did.")
	}
	return nil
}

// refer notes who invited the member. The caller holds the lock of referrals.
func (p *Posting) refer(ctx context.Context, caller actor.Actor, referrer id.Member, member *Member) error {
	if err := p.Open(ctx, []id.Member{member.ID}); err != nil {
		return err
	}
	policy := member.refer(referrer, p.book)
	if err := updateReferred(ctx, p.tx, member); err != nil {
		return err
	}
	if err := p.Write(ctx); err != nil {
		return err
	}
	if err := outbox.PutTx(ctx, p.tx, []outbox.Notice{member.referred(p.tx.Now, policy)}); err != nil {
		return err
	}
	return audit.RecordTx(ctx, p.tx, caller, audit.Change{
		Action: "claimReferral", Object: member.ID.String(), Before: map[string]any{"referredBy": nil},
		After: map[string]any{"referredBy": referrer.String()},
	})
}

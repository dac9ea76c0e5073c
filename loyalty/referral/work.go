package referral

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

const (
	// consumer is under which name the service reads notices.
	consumer = "referrals"
	// heardAtOnce is how many notices one transaction reads, judgedAtOnce how many referrals one call of Work takes a step with.
	heardAtOnce  = 1000
	judgedAtOnce = 100
)

// Work reads notices that it has not read and takes one step with each of some referrals that are due, and returns how many
// notices and steps that were: 0 when nothing is left to do. Any number of callers may work at the same time, and each may be
// stopped at any instant; the next one goes on. A referral that fails keeps no other from its step. For admins.
func (s *Service) Work(ctx context.Context) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	done, err := outbox.Consume(ctx, s.db, consumer, heardAtOnce, hear)
	if err != nil {
		return 0, fmt.Errorf("read what happened to referrals: %w", err)
	}
	due, err := selectDue(ctx, s.db, judgedAtOnce)
	if err != nil {
		return done, err
	}
	var failures []error
	for _, one := range due {
		stepped, err := s.step(ctx, one)
		if stepped {
			done++
		}
		if err != nil {
			failures = append(failures, fmt.Errorf("judge %s: %w", one, err))
		}
	}
	return done, errors.Join(failures...)
}

// hear begins referrals and makes those due of which something was told.
func hear(ctx context.Context, tx *postgres.Tx, notices []outbox.Notice) error {
	var begun []*Referral
	var bought, returned []id.Member
	for _, notice := range notices {
		switch told := notice.Payload.(type) {
		case outbox.MemberReferred:
			begun = append(begun, &Referral{
				Referrer: told.Referrer, ID: id.New[id.Referral](), Referee: notice.Member, Status: Joined, PolicyVersion: told.Policy,
				ReferredAt: told.ReferredAt, Due: true,
			})
		case outbox.ReferredPurchased:
			bought = append(bought, notice.Member)
		case outbox.ReferredReturned:
			returned = append(returned, notice.Member)
		}
	}
	if err := insertReferrals(ctx, tx, begun); err != nil {
		return err
	}
	// Another purchase changes nothing once one counts; if that one comes back, all are looked at again.
	if err := touchReferrals(ctx, tx, bought, []Status{Joined}); err != nil {
		return err
	}
	return touchReferrals(ctx, tx, returned, []Status{Joined, Qualified, UnderReview, Rewarded})
}

// step takes one step with a referral that is due; false if somebody else does, or has.
func (s *Service) step(ctx context.Context, wanted id.Referral) (stepped bool, err error) {
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		stepped = false
		posting, err := s.loyalty.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		found, err := lockDue(ctx, tx, wanted)
		if err != nil || len(found) == 0 {
			return err
		}
		stepped = true
		made := &stepping{tx: tx, posting: posting, Referral: found[0]}
		return made.take(ctx)
	})
	return stepped && err == nil, err
}

// stepping is a step under way, in its transaction.
type stepping struct {
	*Referral
	tx      *postgres.Tx
	posting *loyalty.Posting
	policy  *loyalty.ReferralPolicy
}

func (s *stepping) take(ctx context.Context) error {
	if s.PolicyVersion != nil {
		s.policy = s.posting.ReferralPolicy(*s.PolicyVersion)
	}
	request := idempotency.Request{Caller: actor.System(consumer).Caller, Operation: "rewardReferral", Key: s.key()}
	rewarding := s.Status == Qualified
	if rewarding {
		// The row's lock and its status see to it already; the key says so for ever.
		claims, err := idempotency.Claim(ctx, s.tx, []idempotency.Request{request}, []id.Referral{s.ID})
		if err != nil {
			return err
		}
		if claims[0].Replayed {
			return fmt.Errorf("it was rewarded before under the key %s", request.Key)
		}
	}
	if err := s.posting.Open(ctx, []id.Member{s.Referrer, s.Referee}); err != nil {
		return err
	}
	seen, err := s.see(ctx)
	if err != nil {
		return err
	}
	decided := s.next(seen)
	if rewarding && decided.status != Rewarded {
		if err := idempotency.Release(ctx, s.tx, []idempotency.Request{request}, []id.Referral{s.ID}); err != nil {
			return err
		}
	}
	if err := s.follow(ctx, seen, decided); err != nil {
		return err
	}
	if err := s.posting.Write(ctx); err != nil {
		return err
	}
	return updateReferral(ctx, s.tx, s.Referral)
}

// key is the idempotency key of the referral's reward: another one after points were taken back.
func (r *Referral) key() string {
	if r.TakenBack == 0 {
		return "referral:" + r.ID.String()
	}
	return fmt.Sprintf("referral:%s:%d", r.ID, r.TakenBack)
}

// see gathers what the referral is judged by, under the locks of both members.
func (s *stepping) see(ctx context.Context) (sight, error) {
	seen := sight{policy: s.policy}
	if s.policy == nil || s.Status == Rejected {
		return seen, nil
	}
	var err error
	if seen.sales, err = selectSales(ctx, s.tx, s.Referee); err != nil {
		return seen, err
	}
	switch s.Status {
	case Joined, UnderReview:
		// Without a purchase that counts there is nothing to hold back.
		if seen.first() == nil {
			break
		}
		if seen.shown, err = look(ctx, s.tx, s.Referral); err != nil {
			return seen, err
		}
		seen.household, err = liveTogether(ctx, s.tx, s.Referrer, s.Referee)
	case Qualified:
		seen.overflows = !s.posting.Fits(s.Referrer, s.policy.ReferrerPoints) || !s.posting.Fits(s.Referee, s.policy.RefereePoints)
		if s.policy.MaxPerMonth != nil {
			from, to := month(*s.QualifiedAt, s.posting.Zone())
			var rewarded int
			rewarded, err = countRewarded(ctx, s.tx, s.Referral, from, to)
			seen.full = rewarded >= *s.policy.MaxPerMonth
		}
	case Rewarded, Rejected:
	}
	return seen, err
}

// month is that of an instant in a zone, [from, to).
func month(t time.Time, zone *time.Location) (from, to time.Time) {
	year, of, _ := t.In(zone).Date()
	return time.Date(year, of, 1, 0, 0, 0, 0, zone), time.Date(year, of+1, 1, 0, 0, 0, 0, zone)
}

// follow does what was decided.
func (s *stepping) follow(ctx context.Context, seen sight, decided step) error {
	// Whoever looked at it before has not seen what is new.
	if known := s.Signals.with(seen.shown); len(known) > len(s.Signals) {
		s.Signals, s.ReviewedAt, s.ReviewedBy, s.Note = known, nil, nil, nil
	}
	s.Due = false
	if decided.status == s.Status {
		return nil
	}
	switch decided.status {
	case Joined:
		if s.Status == Rewarded {
			if err := s.takeBack(ctx); err != nil {
				return err
			}
			s.TakenBack++
		}
		s.QualifiedAt, s.PurchaseSequence = nil, nil
		// There may be another purchase that counts.
		s.Due = true
	case Qualified, UnderReview:
		if decided.by != nil {
			s.QualifiedAt, s.PurchaseSequence = &decided.by.OccurredAt, &decided.by.Sequence
		}
		s.Due = decided.status == Qualified
	case Rewarded:
		s.reward()
	case Rejected:
		now := s.posting.Instant(s.Referrer)
		s.Reason, s.RejectedAt = &decided.reason, &now
	}
	s.Status = decided.status
	return s.tell(ctx, s.tx, s.posting)
}

// tell puts a notice of what became of the referral. The referrer's account is locked.
func (r *Referral) tell(ctx context.Context, tx *postgres.Tx, posting *loyalty.Posting) error {
	return outbox.PutTx(ctx, tx, []outbox.Notice{{Member: r.Referrer, Payload: outbox.ReferralChanged{
		Referral: r.ID, Status: string(r.Status), At: posting.Instant(r.Referrer),
	}}})
}

// operation is under what the ledger knows the entries of the referral.
func (r *Referral) operation() *uuid.UUID {
	operation := uuid.UUID(r.ID)
	return &operation
}

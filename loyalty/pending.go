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

// ConfirmActivity makes the points spendable that a fact awarded until confirmed; they lapse as counted from now. For
// support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_ACTIVITY, NOT_PENDING if nothing of it waits to be confirmed, INVALID_IDEMPOTENCY_KEY,
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) ConfirmActivity(ctx context.Context, wanted id.Activity, key string) (*Recorded, error) {
	request := idempotency.Request{Operation: "confirmActivity", Key: key, Input: map[string]any{"activity": wanted.String()}}
	return s.onPending(ctx, wanted, request, nil, func(tx *postgres.Tx, posting *Posting, caller actor.Actor, awards []*ledger.Entry, _ uuid.UUID) (bool, error) {
		reversed, err := ledger.ReversedTx(ctx, tx, awards)
		if err != nil {
			return false, err
		}
		now := posting.Next(wanted.Member)
		expiry := map[int64]*time.Time{}
		for _, award := range awards {
			if award.AvailableAt == nil && award.Points+reversed[award.ID()].Points > 0 && posting.Pending(award, now) {
				var after *value.Period
				if award.Rule != nil {
					by, _ := posting.book.rules.Version(*award.Rule, *award.RuleVersion)
					after = by.ExpiresAfter
				}
				// A policy that counts from earning has set the expiry already.
				if expiry[award.Sequence] = award.ExpiresAt; award.ExpiresAt == nil {
					expiry[award.Sequence] = posting.book.lapses(after, award.OccurredAt, award.RecordedAt, &now)
				}
			}
		}
		if !posting.Confirm(wanted, expiry, caller.Caller, now) {
			return false, nil
		}
		return true, audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "confirmActivity", Object: wanted.String(), Before: map[string]any{"confirmed": false}, After: map[string]any{"confirmed": true},
		})
	})
}

// CancelPending takes back what a fact awarded that cannot be spent yet, qualifying points with it. What can be spent already
// stays. For support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_ACTIVITY, NOT_PENDING if nothing of it is pending, REASON_REQUIRED, INVALID_IDEMPOTENCY_KEY,
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) CancelPending(ctx context.Context, wanted id.Activity, reason, key string) (*Recorded, error) {
	request := idempotency.Request{
		Operation: "cancelPending", Key: key, Input: map[string]any{"activity": wanted.String(), "reason": reason},
	}
	return s.onPending(ctx, wanted, request, reasoned(reason), func(tx *postgres.Tx, posting *Posting, caller actor.Actor, awards []*ledger.Entry, operation uuid.UUID) (bool, error) {
		points, err := posting.takeAll(ctx, tx, wanted.Member, operation, awards, posting.Pending)
		if err != nil || points == 0 {
			return false, err
		}
		return true, audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "cancelPending", Object: wanted.String(), Before: map[string]any{"pending": points},
			After: map[string]any{"pending": 0, "reason": reason},
		})
	})
}

// reasoned checks that a reason is given.
func reasoned(reason string) func() error {
	return func() error {
		if !Within(reason, MaximumReason) {
			return problem.At(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", MaximumReason)
		}
		return nil
	}
}

// takeAll takes back all that is left of those of a member's awards that may be, qualifying points and what rules have counted with
// it, and returns how many points that is.
func (p *Posting) takeAll(ctx context.Context, tx *postgres.Tx, member id.Member, operation uuid.UUID, awards []*ledger.Entry, may func(*ledger.Entry, time.Time) bool) (int64, error) {
	reversed, err := ledger.ReversedTx(ctx, tx, awards)
	if err != nil {
		return 0, err
	}
	if err := p.LoadLapsed(ctx, awards); err != nil {
		return 0, err
	}
	memories, err := openMemories(ctx, tx, p.book.rules, recallAwards(awards), nil, true)
	if err != nil {
		return 0, err
	}
	now := p.Next(member)
	var points int64
	for _, award := range awards {
		// What of it paid a debt is taken back as well.
		left, qualifying := award.Points+reversed[award.ID()].Points, award.Qualifying+reversed[award.ID()].Qualifying
		if left == 0 || !may(award, now) {
			continue
		}
		p.Reverse(ledger.Entry{
			Member: award.Member, Kind: ledger.Reversal, OccurredAt: now, RecordedAt: now, ActivitySequence: award.ActivitySequence,
			ReversesSequence: &award.Sequence, Rule: award.Rule, RuleVersion: award.RuleVersion, Qualifying: -qualifying,
			QualifiesAt: award.QualifiesAt, OperationID: &operation,
		}, left)
		p.standings.count(award.Member, -qualifying, award.QualifiesAt, now)
		memories.forget(award, left, true)
		points += left
	}
	return points, memories.write(ctx, tx)
}

// onPending does work with what a fact awarded, once, and answers the fact with what its awards are then. work returns false
// if there was nothing to do.
func (s *Service) onPending(ctx context.Context, wanted id.Activity, request idempotency.Request, check func() error,
	work func(*postgres.Tx, *Posting, actor.Actor, []*ledger.Entry, uuid.UUID) (bool, error),
) (*Recorded, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.PurchasesWrite)
	if err != nil {
		return nil, err
	}
	var answer Recorded
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		found, err := selectActivities(ctx, tx, []id.Activity{wanted})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return problem.At(problem.UnknownActivity, []string{"activityId"}, "There is no such fact.")
		}
		var problems problem.Problems
		if idempotency.Check(&problems, request.Key); len(problems) > 0 {
			return problems
		}
		if check != nil {
			if err := check(); err != nil {
				return err
			}
		}
		request.Caller = caller.Caller
		operation := uuid.Must(uuid.NewV7())
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{request}, []uuid.UUID{operation})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return claims[0].Problem
		case !claims[0].Replayed:
			if err := posting.Open(ctx, []id.Member{wanted.Member}); err != nil {
				return err
			}
			awards, err := awardsTx(ctx, tx, wanted)
			if err != nil {
				return err
			}
			made := make([]lots.Draw, len(awards))
			for i, award := range awards {
				made[i] = lots.Draw{Lot: award.Sequence}
			}
			if err := posting.LoadLots(ctx, wanted.Member, made); err != nil {
				return err
			}
			done, err := work(tx, posting, caller, awards, operation)
			if err != nil {
				return err
			}
			if !done {
				return problem.At(problem.NotPending, []string{"activityId"}, "Nothing of its points is pending in that way.")
			}
			if err := posting.Write(ctx); err != nil {
				return err
			}
		}
		earlier, err := readBack(ctx, tx, posting.book, []id.Activity{wanted})
		answer = earlier[wanted]
		answer.Replayed = &claims[0].Replayed
		return err
	})
	return &answer, err
}

// awardsTx are the entries by which rules awarded points for a fact.
func awardsTx(ctx context.Context, tx *postgres.Tx, wanted id.Activity) ([]*ledger.Entry, error) {
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, []id.Activity{wanted})
	var awards []*ledger.Entry
	for _, entry := range entries {
		if entry.Kind == ledger.Accrual {
			awards = append(awards, entry)
		}
	}
	return awards, err
}

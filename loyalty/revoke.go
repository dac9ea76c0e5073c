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
	"regulars/loyalty/ledger"
)

// RevokeActivity takes back all that is left of what a fact awarded which turned out not to be so, qualifying points with it.
// Points come first from the lots that it made; what has lapsed of them counts as taken back, and what was spent is dealt
// with by the program's policy of returns. What limits counted of it is free again. The fact stays. Of purchases that is what
// returns are for. For support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_ACTIVITY for a purchase or return as well, REASON_REQUIRED, INVALID_IDEMPOTENCY_KEY,
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) RevokeActivity(ctx context.Context, wanted id.Activity, reason, key string) (*Recorded, error) {
	request := idempotency.Request{
		Operation: "revokeActivity", Key: key, Input: map[string]any{"activity": wanted.String(), "reason": reason},
	}
	return s.onPending(ctx, wanted, request, reasoned(reason), func(tx *postgres.Tx, posting *Posting, caller actor.Actor, awards []*ledger.Entry, operation uuid.UUID) (bool, error) {
		facts, err := selectActivities(ctx, tx, []id.Activity{wanted})
		if err != nil {
			return false, err
		}
		if facts[0].Type == typePurchase || facts[0].Type == typeReturn {
			return false, problem.At(problem.UnknownActivity, []string{"activityId"}, "A purchase is taken back by a return.")
		}
		points, err := posting.takeAll(ctx, tx, wanted.Member, operation, awards, func(*ledger.Entry, time.Time) bool { return true })
		if err != nil {
			return false, err
		}
		return true, audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "revokeActivity", Object: wanted.String(), Before: map[string]any{"points": points},
			After: map[string]any{"points": 0, "reason": reason},
		})
	})
}

// LapsesTx says when points lapse that are earned at an instant and can be spent at once, by the policy that is in force now;
// nil: never, as far as is known.
func (s *Service) LapsesTx(ctx context.Context, tx *postgres.Tx, earned time.Time) (*time.Time, error) {
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, err
	}
	policy, _ := book.terms.At(tx.Now).InForce()
	return policy.ExpiresAt(earned, &earned, book.zone), nil
}

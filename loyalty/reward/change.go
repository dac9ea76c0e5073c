package reward

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
)

// changeRedemption does work with the redemption that find finds, once, under its member's lock.
func (s *Service) changeRedemption(ctx context.Context, find func(context.Context, *postgres.Tx) (*Redemption, error), request idempotency.Request,
	work func(*postgres.Tx, *loyalty.Posting, *Redemption, uuid.UUID) error,
) (*Answer, error) {
	var answer *Answer
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.loyalty.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		named, err := find(ctx, tx)
		if err != nil {
			return err
		}
		operation := uuid.Must(uuid.NewV7())
		_, replayed, err := claim(ctx, tx, request, operation)
		if err != nil {
			return err
		}
		if replayed {
			answer, err = replay(ctx, tx, named.ID)
			return err
		}
		if err := posting.Open(ctx, []id.Member{named.Member}); err != nil {
			return err
		}
		// Only now does nobody change it any more.
		redemptions, err := selectRedemptions(ctx, tx, []id.Redemption{named.ID})
		if err != nil {
			return err
		}
		answer = &Answer{Redemption: redemptions[0].at(posting.Instant(named.Member))}
		return work(tx, posting, answer.Redemption, operation)
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// claim remembers a request under its key. It answers what the request makes, or made the first time.
func claim(ctx context.Context, tx *postgres.Tx, request idempotency.Request, wanted uuid.UUID) (made uuid.UUID, replayed bool, err error) {
	var problems problem.Problems
	if idempotency.Check(&problems, request.Key); len(problems) > 0 {
		return made, false, problems
	}
	claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{request}, []uuid.UUID{wanted})
	if err != nil {
		return made, false, err
	}
	if claims[0].Problem != nil {
		return made, false, claims[0].Problem
	}
	return claims[0].Made, claims[0].Replayed, nil
}

func replay(ctx context.Context, tx *postgres.Tx, wanted id.Redemption) (*Answer, error) {
	redemptions, err := selectRedemptions(ctx, tx, []id.Redemption{wanted})
	if err != nil {
		return nil, err
	}
	return &Answer{Redemption: redemptions[0].at(tx.Now), Replayed: true}, nil
}

// tell puts a notice of what became of the redemption.
func (r *Redemption) tell(ctx context.Context, tx *postgres.Tx, status outbox.RedemptionStatus, at time.Time) error {
	return outbox.PutTx(ctx, tx, []outbox.Notice{{
		Member: r.Member, Payload: outbox.RedemptionChanged{Redemption: r.Sequence, Status: status, At: at},
	}})
}

// cancel gives back what an open redemption took.
func cancel(ctx context.Context, tx *postgres.Tx, posting *loyalty.Posting, redemption *Redemption, operation uuid.UUID, caller actor.Actor, reason string) error {
	drawn, err := ledger.DrawnTx(ctx, tx, redemption.EntryID())
	if err != nil {
		return err
	}
	var points int64
	for _, one := range drawn {
		points += one.Points
	}
	entry, ok, err := posting.Return(ctx, ledger.Entry{
		Member: redemption.Member, Points: points, ReversesSequence: &redemption.Sequence, OperationID: &operation,
	}, drawn)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("cancel %s: its points cannot be given back", redemption.ID)
	}
	if err := posting.Write(ctx); err != nil {
		return err
	}
	redemption.CanceledAt, redemption.CanceledBy, redemption.CancelReason = &entry.RecordedAt, &caller.Caller, &reason
	redemption.CancelSequence = &entry.Sequence
	before := redemption.Status
	redemption.at(entry.RecordedAt)
	if redemption.FromSupply {
		if err := giveToSupply(ctx, tx, redemption.RewardID); err != nil {
			return err
		}
	}
	if err := updateRedemption(ctx, tx, redemption); err != nil {
		return err
	}
	if err := redemption.tell(ctx, tx, outbox.RedemptionCanceled, entry.RecordedAt); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, caller, audit.Change{
		Action: "cancelRedemption", Object: redemption.ID.String(), Before: map[string]any{"status": before},
		After: map[string]any{"status": redemption.Status, "reason": reason},
	})
}

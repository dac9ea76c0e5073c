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
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
)

// redeemers may move what members spend; a member may redeem for itself.
var redeemers = []actor.Grant{actor.Support, actor.Admin, actor.PointsRedeem}

// RedemptionStatus says what became of a redemption.
type RedemptionStatus string

// The statuses of redemptions.
const (
	Issued   RedemptionStatus = "ISSUED"
	Used     RedemptionStatus = "USED"
	Canceled RedemptionStatus = "CANCELED"
	Expired  RedemptionStatus = "EXPIRED"
)

// Redemption is one reward that a member had.
type Redemption struct {
	ID     id.Redemption `db:"id"`
	Member id.Member     `db:"member_id"`
	// Sequence is the number of the entry that paid for it.
	Sequence int64     `db:"sequence"`
	RewardID id.Reward `db:"reward_id"`
	// RewardName is what the reward was called then.
	RewardName string `db:"reward_name"`
	// FromSupply tells whether one was taken from the reward's stock.
	FromSupply bool `db:"from_supply"`
	// VoucherCode is nil for what is no voucher.
	VoucherCode *string   `db:"voucher_code"`
	RedeemedAt  time.Time `db:"redeemed_at"`
	RedeemedBy  string    `db:"redeemed_by"`
	// ExpiresAt is from when the voucher cannot be used any more; nil: never.
	ExpiresAt    *time.Time `db:"expires_at"`
	UsedAt       *time.Time `db:"used_at"`
	UsedBy       *string    `db:"used_by"`
	CanceledAt   *time.Time `db:"canceled_at"`
	CanceledBy   *string    `db:"canceled_by"`
	CancelReason *string    `db:"cancel_reason"`
	// CancelSequence is the entry that gave the points back.
	CancelSequence *int64 `db:"cancel_sequence"`
	// Status is by the clock of when it was read.
	Status RedemptionStatus `db:"-"`
}

// IsNode marks the redemption as one of the API's nodes.
func (Redemption) IsNode() {}

// Owner returns the member that redeemed.
func (r *Redemption) Owner() id.Member { return r.Member }

// EntryID is the id of the entry that paid for it.
func (r *Redemption) EntryID() id.Entry { return id.Entry{Member: r.Member, Sequence: r.Sequence} }

func (r *Redemption) at(t time.Time) *Redemption {
	switch {
	case r.CanceledAt != nil:
		r.Status = Canceled
	case r.UsedAt != nil:
		r.Status = Used
	case r.ExpiresAt != nil && !t.Before(*r.ExpiresAt):
		r.Status = Expired
	default:
		r.Status = Issued
	}
	return r
}

// RedeemInput is a reward that a member wants; without Member it is the caller itself.
type RedeemInput struct {
	Member         *loyalty.MemberRef
	RewardID       id.Reward
	IdempotencyKey string
}

// CancelInput is a redemption to be undone.
type CancelInput struct {
	RedemptionID id.Redemption
	// Reason is for staff.
	Reason         string
	IdempotencyKey string
}

// Answer answers what was done with a redemption.
type Answer struct {
	Redemption *Redemption
	Replayed   bool
}

// RedeemReward gives a member a reward for points, taken in burn order; one of kind VOUCHER comes with a code. Support, admins
// and PointsRedeem do so for anybody, a member for itself.
//
// Problems: UNKNOWN_MEMBER, MEMBER_SUSPENDED, UNKNOWN_REWARD, NOT_AVAILABLE, REWARD_SOLD_OUT, TIER_TOO_LOW, LIMIT_REACHED,
// INSUFFICIENT_POINTS, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) RedeemReward(ctx context.Context, input RedeemInput) (*Answer, error) {
	caller, err := actor.Require(ctx, append([]actor.Grant{actor.Member}, redeemers...)...)
	if err != nil {
		return nil, err
	}
	var answer *Answer
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		posting, err := s.loyalty.PostTx(ctx, tx)
		if err != nil {
			return err
		}
		member, err := s.loyalty.SubjectTx(ctx, tx, caller, input.Member, "member")
		if err != nil {
			return err
		}
		wanted := id.New[id.Redemption]()
		made, replayed, err := claim(ctx, tx, idempotency.Request{
			Caller: caller.Caller, Operation: "redeemReward", Key: input.IdempotencyKey,
			Input: map[string]any{"member": member.ID.String(), "reward": input.RewardID.String()},
		}, uuid.UUID(wanted))
		if err != nil {
			return err
		}
		if replayed {
			answer, err = replay(ctx, tx, id.Redemption(made))
			return err
		}
		redeemed, err := s.redeem(ctx, tx, posting, member, input.RewardID, Redemption{ID: wanted, RedeemedBy: caller.Caller})
		if err != nil {
			return err
		}
		answer = &Answer{Redemption: redeemed}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "redeemReward", Object: wanted.String(), After: map[string]any{
			"member": member.ID.String(), "reward": input.RewardID.String(), "entry": redeemed.EntryID().String(), "status": redeemed.Status,
		}})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// redeem posts a redemption of which who asked and its id are known.
func (s *Service) redeem(ctx context.Context, tx *postgres.Tx, posting *loyalty.Posting, member *loyalty.Member, wanted id.Reward, made Redemption) (*Redemption, error) {
	if err := member.MaySpend("member"); err != nil {
		return nil, err
	}
	if err := posting.Open(ctx, []id.Member{member.ID}); err != nil {
		return nil, err
	}
	rewards, err := selectRewards(ctx, tx, []id.Reward{wanted})
	if err != nil {
		return nil, err
	}
	if len(rewards) == 0 {
		return nil, unknownReward()
	}
	had, err := selectHad(ctx, tx, member.ID, rewards)
	if err != nil {
		return nil, err
	}
	now := posting.Next(member.ID)
	posting.Hear(member.ID, now)
	one := rewards[0]
	who := &buyer{
		tier: posting.Tier(member.ID), available: posting.Available(member.ID, now), had: had[one.ID],
		qualifying: posting.Account(member.ID).Qualifying,
	}
	if refused := one.judge(who, posting.Ladder(), now, posting.Zone()); refused != nil {
		return nil, refused.problem(one.Cost, who.available)
	}
	operation := uuid.UUID(made.ID)
	entry, ok := posting.Debit(ledger.Entry{
		Member: member.ID, Kind: ledger.Redemption, Points: -one.Cost, OccurredAt: now, RecordedAt: now, QualifiesAt: now,
		OperationID: &operation,
	})
	if !ok {
		return nil, fmt.Errorf("redeem %s: %d points were available and are not", one.ID, who.available)
	}
	if err := posting.Write(ctx); err != nil {
		return nil, err
	}
	made.Member, made.Sequence, made.RewardID, made.RewardName, made.RedeemedAt = member.ID, entry.Sequence, one.ID, one.Name, now
	if one.Kind == Voucher {
		code := value.NewCode(codeLength)
		made.VoucherCode = &code
		if one.VoucherValidFor != nil {
			until := one.VoucherValidFor.After(now, posting.Zone())
			made.ExpiresAt = &until
		}
	}
	// Many want the same reward: it is locked last and not for long.
	if made.FromSupply = one.Stock != nil; made.FromSupply {
		taken, err := takeFromSupply(ctx, tx, one.ID)
		if err != nil {
			return nil, err
		}
		if !taken {
			return nil, soldOut().problem(one.Cost, who.available)
		}
	}
	if err := insertRedemption(ctx, tx, &made); err != nil {
		return nil, err
	}
	return made.at(now), made.tell(ctx, tx, outbox.RedemptionIssued, now)
}

// CancelRedemption undoes a redemption: its points come back to the lots that they were taken from, with the expiry that they
// had, so that what has lapsed meanwhile lapses at once; one more of the reward is in stock; a voucher is worth nothing any
// more. One that has expired can be canceled, one that was used cannot. For support, admins and PointsRedeem.
//
// Problems: UNKNOWN_REDEMPTION, ALREADY_CANCELED, ALREADY_USED, REASON_REQUIRED, INVALID_IDEMPOTENCY_KEY,
// IDEMPOTENCY_KEY_REUSED.
func (s *Service) CancelRedemption(ctx context.Context, input CancelInput) (*Answer, error) {
	caller, err := actor.Require(ctx, redeemers...)
	if err != nil {
		return nil, err
	}
	if !loyalty.Within(input.Reason, loyalty.MaximumReason) {
		return nil, problem.At(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", loyalty.MaximumReason)
	}
	find := func(ctx context.Context, tx *postgres.Tx) (*Redemption, error) {
		found, err := selectRedemptions(ctx, tx, []id.Redemption{input.RedemptionID})
		if err != nil {
			return nil, err
		}
		if len(found) == 0 {
			return nil, problem.At(problem.UnknownRedemption, []string{"redemptionId"}, "There is no such redemption.")
		}
		return found[0], nil
	}
	return s.changeRedemption(ctx, find, idempotency.Request{
		Caller: caller.Caller, Operation: "cancelRedemption", Key: input.IdempotencyKey,
		Input: map[string]any{"redemption": input.RedemptionID.String(), "reason": input.Reason},
	}, func(tx *postgres.Tx, posting *loyalty.Posting, redemption *Redemption, operation uuid.UUID) error {
		switch {
		case redemption.CanceledAt != nil:
			return problem.At(problem.AlreadyCanceled, []string{"redemptionId"}, "The redemption was canceled before.")
		case redemption.UsedAt != nil:
			return problem.At(problem.AlreadyUsed, []string{"redemptionId"}, "The voucher was used; the redemption cannot be canceled any more.")
		}
		return cancel(ctx, tx, posting, redemption, operation, caller, input.Reason)
	})
}

package reward

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/idempotency"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// A voucher's code is 14 random characters, 68 bits that nobody guesses, and one that checks them.
const codeLength = 15

// UseInput is a voucher to be used.
type UseInput struct {
	// Code is as the member shows it; case, spaces and hyphens do not matter.
	Code           string
	IdempotencyKey string
}

var errUnknownCode = errors.New("no voucher has the code")

// UseVoucher marks a voucher as used, once. A code that no voucher has costs a guess, unless its check character is wrong:
// then it tells nothing. For support, admins and PointsRedeem.
//
// Problems: UNKNOWN_CODE, ALREADY_USED, ALREADY_CANCELED, EXPIRED, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) UseVoucher(ctx context.Context, input UseInput) (*Answer, error) {
	caller, err := actor.Require(ctx, redeemers...)
	if err != nil {
		return nil, err
	}
	unknown := problem.At(problem.UnknownCode, []string{"code"}, "No voucher has this code.")
	code, ok := value.ParseCode(input.Code, codeLength)
	if !ok {
		return nil, unknown
	}
	if err := s.loyalty.MayGuess(caller, 1); err != nil {
		return nil, err
	}
	find := func(ctx context.Context, tx *postgres.Tx) (*Redemption, error) {
		found, err := selectRedemptionOfCode(ctx, tx, code)
		if err == nil && len(found) == 0 {
			return nil, errUnknownCode
		}
		if err != nil {
			return nil, err
		}
		return found[0], nil
	}
	answer, err := s.changeRedemption(ctx, find, idempotency.Request{
		Caller: caller.Caller, Operation: "useVoucher", Key: input.IdempotencyKey, Input: map[string]any{"code": code},
	}, func(tx *postgres.Tx, posting *loyalty.Posting, redemption *Redemption, _ uuid.UUID) error {
		now := posting.Next(redemption.Member)
		switch redemption.at(now).Status {
		case Canceled:
			return problem.At(problem.AlreadyCanceled, []string{"code"}, "The voucher was canceled.")
		case Used:
			return problem.At(problem.AlreadyUsed, []string{"code"}, "The voucher was used before.")
		case Expired:
			return problem.At(problem.Expired, []string{"code"}, "The voucher has expired.")
		case Issued:
		}
		redemption.UsedAt, redemption.UsedBy = &now, &caller.Caller
		redemption.at(now)
		if err := posting.Write(ctx); err != nil {
			return err
		}
		if err := updateRedemption(ctx, tx, redemption); err != nil {
			return err
		}
		if err := redemption.tell(ctx, tx, outbox.RedemptionUsed, now); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "useVoucher", Object: redemption.ID.String(), Before: map[string]any{"status": Issued},
			After: map[string]any{"status": redemption.Status},
		})
	})
	if errors.Is(err, errUnknownCode) {
		s.loyalty.Charge(caller, 1)
		return nil, unknown
	}
	return answer, err
}

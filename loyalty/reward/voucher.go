package reward

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/idempotency"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// A voucher's code is 14 random characters, 68 bits, and one that checks them, in groups for people to read aloud: no 0 and O,
// no 1, I and L, no B beside the 8, no U beside the V. That leaves 29 characters. 29 is a prime, so that one character of the
// code that was misread, or two that were swapped, wherever they stand, never make another code.
const (
	alphabet   = "23456789ACDEFGHJKMNPQRSTVWXYZ"
	codeLength = 15
	codeGroup  = 5
)

// newCode makes a code that nobody can guess.
func newCode() string {
	code := make([]byte, 0, codeLength)
	random := make([]byte, 1)
	// What lies beyond the last multiple of 29 would make some characters likelier than others.
	const fair = 256 - 256%len(alphabet)
	for len(code) < codeLength-1 {
		// It never fails.
		_, _ = rand.Read(random)
		if int(random[0]) < fair {
			code = append(code, alphabet[int(random[0])%len(alphabet)])
		}
	}
	return grouped(string(append(code, checkCharacter(string(code)))))
}

// checkCharacter makes the sum of all characters, each times its place, a multiple of 29.
func checkCharacter(code string) byte {
	sum := 0
	for i := range len(code) {
		sum += (i + 1) * strings.IndexByte(alphabet, code[i])
	}
	for candidate := range len(alphabet) {
		if (sum+codeLength*candidate)%len(alphabet) == 0 {
			return alphabet[candidate]
		}
	}
	panic("every place is prime to the size of the alphabet")
}

func grouped(code string) string {
	return code[:codeGroup] + "-" + code[codeGroup:2*codeGroup] + "-" + code[2*codeGroup:]
}

// parseCode reads a code as people type it: in any case, grouped or not. It returns false for what cannot be one.
func parseCode(text string) (string, bool) {
	var plain strings.Builder
	for _, character := range strings.ToUpper(text) {
		switch {
		case character == ' ' || character == '-':
		case character > 0x7f || !strings.ContainsRune(alphabet, character) || plain.Len() == codeLength:
			return "", false
		default:
			plain.WriteRune(character)
		}
	}
	code := plain.String()
	if len(code) != codeLength || checkCharacter(code[:codeLength-1]) != code[codeLength-1] {
		return "", false
	}
	return grouped(code), true
}

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
	code, ok := parseCode(input.Code)
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

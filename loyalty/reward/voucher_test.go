package reward_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/problem"
	"regulars/internal/ratelimit"
	"regulars/internal/value"
	"regulars/loyalty/reward"
)

func TestUse_Once(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 100)
	redemption := s.redeem(ada, s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(1) }))
	till := actor.With(t.Context(), actor.Actor{Caller: "till", Scopes: []actor.Scope{actor.PointsRedeem}})
	typed := reward.UseInput{Code: " " + strings.ToLower(strings.ReplaceAll(*redemption.VoucherCode, "-", " ")), IdempotencyKey: "1"}
	used, err := s.rewards.UseVoucher(till, typed)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", reward.Used, used.Redemption.Status)
	typed.Code = *redemption.VoucherCode
	replayed, err := s.rewards.UseVoucher(till, typed)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "replay", &reward.Answer{Redemption: used.Redemption, Replayed: true}, replayed)
	_, err = s.use(redemption)
	refused(t, "again", err, "ALREADY_USED code")
	_, err = s.cancel(redemption)
	refused(t, "cancel", err, "ALREADY_USED redemptionId")
	_, err = s.rewards.UseVoucher(till, reward.UseInput{Code: *s.redeem(ada, s.offer()).VoucherCode, IdempotencyKey: "1"})
	refused(t, "the key for another voucher", err, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	s.available(ada, 80)
}

func TestUse_ExpiresByTheClock(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 100)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.VoucherValidFor = &value.Period{Days: 1} })
	inTime, late := s.redeem(ada, coffee), s.redeem(ada, coffee)
	s.Clock.Set(inTime.ExpiresAt.Add(-time.Microsecond))
	if _, err := s.use(inTime); err != nil {
		t.Errorf("a microsecond before its end: %v", err)
	}
	s.Clock.Set(*late.ExpiresAt)
	read, err := s.rewards.Redemption(s.Admin, late.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status at its end", reward.Expired, read.Status)
	_, err = s.use(late)
	refused(t, "at its end", err, "EXPIRED code")
	// What was used stays used.
	s.Clock.Advance(time.Hour)
	if read, err = s.rewards.Redemption(s.Admin, inTime.ID); err != nil {
		t.Fatal(err)
	}
	equal(t, "status of what was used", reward.Used, read.Status)
	s.available(ada, 80)
}

func TestUse_GuessesCost(t *testing.T) {
	t.Parallel()
	s := open(t)
	const stock = 3
	guarded := s.Service.WithGuesses(ratelimit.New(1, time.Minute, stock, s.Clock.Now), nil)
	rewards := reward.New(s.DB, guarded)
	code := *s.redeem(s.rich("ada", 100), s.offer()).VoucherCode
	mallory := s.As(actor.Support, "mallory")
	use := func(code string) error {
		_, err := rewards.UseVoucher(mallory, reward.UseInput{Code: code, IdempotencyKey: s.Key()})
		return err
	}
	// A typing error is told by the check character, and costs nothing.
	wrong := "2" + code[1:]
	if wrong == code {
		wrong = "3" + code[1:]
	}
	for _, typo := range []string{wrong, "", "0", code + "2", "ÄÖÜ", "\x00"} {
		for range stock + 1 {
			refused(t, typo, use(typo), "UNKNOWN_CODE code")
		}
	}
	for range stock {
		refused(t, "a guess", use("22222-22222-22222"), "UNKNOWN_CODE code")
	}
	for what, guess := range map[string]string{"a wrong guess": "22222-22222-22222", "a right one": code} {
		var failure problem.Failure
		if err := use(guess); !errors.As(err, &failure) || failure.Code != problem.CodeRateLimited {
			t.Errorf("%s without guesses is answered %v", what, err)
		}
	}
	s.Clock.Advance(time.Minute)
	if err := use(code); err != nil {
		t.Errorf("a minute later: %v", err)
	}
}

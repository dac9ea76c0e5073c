package reward_test

import (
	"context"
	"errors"
	"regexp"
	"testing"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reward"
)

var noFilter = ledger.Filter{}

func TestRedeem(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 25)
	coffee := s.offer(func(input *reward.CreateRewardInput) {
		input.Stock, input.VoucherValidFor = pointer(2), &value.Period{Months: 1}
	})
	got := s.redeem(ada, coffee)
	s.available(ada, 15)
	equal(t, "status", reward.Issued, got.Status)
	equal(t, "lapses", time.Date(2025, time.February, 6, 9, 0, 0, 0, time.UTC), got.ExpiresAt.Truncate(time.Second))
	equal(t, "stock", 1, s.stock(coffee))
	if !regexp.MustCompile(`^[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{5}$`).MatchString(*got.VoucherCode) {
		t.Errorf("the code is %q", *got.VoucherCode)
	}
	entries, err := s.Service.Entries(s.Admin, []id.Entry{got.EntryID()})
	if err != nil {
		t.Fatal(err)
	}
	entry := entries[got.EntryID()]
	equal(t, "entry", []any{ledger.Redemption, int64(-10), uuid.UUID(got.ID)}, []any{entry.Kind, entry.Points, *entry.OperationID})
	product := s.redeem(ada, s.offer(func(input *reward.CreateRewardInput) { input.Kind = reward.Product }))
	if product.VoucherCode != nil || product.ExpiresAt != nil {
		t.Errorf("a product has the code %v until %v", product.VoucherCode, product.ExpiresAt)
	}
	s.available(ada, 5)
}

// C20: what is redeemed is no spend for tiers, takes none away, and is never charged to points that are not there.
func TestRedeem_C20_LeavesTiersAlone(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Rule(s.PerAmount(1, "1.00"))
	s.Tier("Silver", 1, 50)
	ada := s.Enroll()
	s.Purchase(ada, "60.00")
	before := s.Standing(ada)
	redemption := s.redeem(ada, s.offer(func(input *reward.CreateRewardInput) { input.Cost = 60 }))
	equal(t, "standing after redeeming", before, s.Standing(ada))
	_, err := s.rewards.RedeemReward(s.Admin, s.input(ada, s.offer()))
	refused(t, "with nothing left", err, "INSUFFICIENT_POINTS rewardId 0 of 10")
	if _, err := s.cancel(redemption); err != nil {
		t.Fatal(err)
	}
	equal(t, "standing after the cancel", before, s.Standing(ada))
	s.available(ada, 60)
}

func TestRedeem_Refused(t *testing.T) {
	t.Parallel()
	s := open(t)
	silver := s.Tier("Silver", 1, 50)
	ada := s.rich("ada", 25)
	with := func(edit func(*reward.CreateRewardInput)) reward.RedeemInput { return s.input(ada, s.offer(edit)) }
	from, until := s.Now().Add(time.Minute), s.Now()
	archived := s.offer()
	if _, err := s.rewards.ArchiveReward(s.Admin, archived.ID); err != nil {
		t.Fatal(err)
	}
	for want, input := range map[string]reward.RedeemInput{
		"INSUFFICIENT_POINTS rewardId 25 of 26":  with(func(input *reward.CreateRewardInput) { input.Cost = 26 }),
		"REWARD_SOLD_OUT rewardId":               with(func(input *reward.CreateRewardInput) { input.Stock = pointer(0) }),
		"TIER_TOO_LOW rewardId":                  with(func(input *reward.CreateRewardInput) { input.MinTierID = &silver.ID }),
		"NOT_AVAILABLE rewardId":                 with(func(input *reward.CreateRewardInput) { input.AvailableFrom = &from }),
		"UNKNOWN_REWARD rewardId":                s.input(ada, &reward.Reward{ID: id.New[id.Reward]()}),
		"UNKNOWN_MEMBER member":                  s.input(&loyalty.Member{ID: id.New[id.Member]()}, archived),
		"INVALID_IDEMPOTENCY_KEY idempotencyKey": {Member: pointer(loyaltytest.Ref(ada)), RewardID: archived.ID},
	} {
		_, err := s.rewards.RedeemReward(s.Admin, input)
		refused(t, want, err, want)
	}
	for what, input := range map[string]reward.RedeemInput{
		"archived": s.input(ada, archived),
		"over":     with(func(input *reward.CreateRewardInput) { input.AvailableUntil = &until }),
	} {
		_, err := s.rewards.RedeemReward(s.Admin, input)
		refused(t, what, err, "NOT_AVAILABLE rewardId")
	}
	suspended := s.input(ada, s.offer())
	if _, err := s.Service.SuspendMember(s.Admin, ada.ID, "A test"); err != nil {
		t.Fatal(err)
	}
	_, err := s.rewards.RedeemReward(s.Admin, suspended)
	refused(t, "suspended", err, "MEMBER_SUSPENDED member")
	s.available(ada, 25)
	// A refusal burns no key.
	if _, err := s.Service.ReinstateMember(s.Admin, ada.ID, "A test"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.rewards.RedeemReward(s.Admin, suspended); err != nil {
		t.Errorf("reinstated: %v", err)
	}
	s.available(ada, 15)
}

func TestRedeem_WindowIsHalfOpen(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 100)
	from := s.Now().Add(time.Hour)
	until := from.Add(time.Hour)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.AvailableFrom, input.AvailableUntil = &from, &until })
	for _, one := range []struct {
		at  time.Time
		can bool
	}{
		{from.Add(-time.Microsecond), false}, {from, true}, {until.Add(-time.Microsecond), true}, {until, false},
	} {
		s.Clock.Set(one.at)
		_, err := s.rewards.RedeemReward(s.Admin, s.input(ada, coffee))
		if one.can && err != nil {
			t.Errorf("at %s: %v", one.at, err)
		}
		if !one.can {
			refused(t, one.at.String(), err, "NOT_AVAILABLE rewardId")
		}
	}
	s.available(ada, 80)
}

func TestRedeem_Replay(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 25)
	coffee, mug := s.offer(), s.offer()
	input := s.input(ada, coffee)
	first, err := s.rewards.RedeemReward(s.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	again, err := s.rewards.RedeemReward(s.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "replayed", []bool{false, true}, []bool{first.Replayed, again.Replayed})
	equal(t, "redemption", first.Redemption, again.Redemption)
	input.RewardID = mug.ID
	_, err = s.rewards.RedeemReward(s.Admin, input)
	refused(t, "another reward", err, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	s.available(ada, 15)
}

func TestRedeem_Access(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, eve := s.rich("ada", 100), s.rich("eve", 100)
	coffee := s.offer()
	own := reward.RedeemInput{RewardID: coffee.ID, IdempotencyKey: s.Key()}
	answer, err := s.rewards.RedeemReward(s.As(actor.Member, "ada"), own)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "who redeemed", ada.ID, answer.Redemption.Member)
	if _, err := s.rewards.RedeemReward(s.As(actor.Member, "ada"), s.input(ada, coffee)); err != nil {
		t.Errorf("a member that names itself: %v", err)
	}
	_, err = s.rewards.RedeemReward(s.As(actor.Member, "ada"), s.input(eve, coffee))
	refused(t, "another member", err, "UNKNOWN_MEMBER member")
	_, err = s.rewards.RedeemReward(s.As(actor.Member, "nobody"), own)
	refused(t, "no member", err, "UNKNOWN_MEMBER member")
	_, err = s.rewards.RedeemReward(s.As(actor.Support, "support"), own)
	refused(t, "support that names nobody", err, "UNKNOWN_MEMBER member")
	till := actor.With(t.Context(), actor.Actor{Caller: "till", Scopes: []actor.Scope{actor.PointsRedeem}})
	if _, err := s.rewards.RedeemReward(till, s.input(eve, coffee)); err != nil {
		t.Errorf("a till: %v", err)
	}
	for what, ctx := range map[string]context.Context{
		"a marketer": s.As(actor.Marketer, "m"), "an organizer": s.As(actor.Organizer, "o"),
	} {
		if _, err := s.rewards.RedeemReward(ctx, s.input(ada, coffee)); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s redeems: %v", what, err)
		}
	}
	for what, ctx := range map[string]context.Context{"a member": s.As(actor.Member, "ada"), "a marketer": s.As(actor.Marketer, "m")} {
		if _, err := s.rewards.CancelRedemption(ctx, reward.CancelInput{RedemptionID: answer.Redemption.ID, Reason: "x", IdempotencyKey: "x"}); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s cancels: %v", what, err)
		}
		if _, err := s.rewards.UseVoucher(ctx, reward.UseInput{Code: *answer.Redemption.VoucherCode, IdempotencyKey: "x"}); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s uses vouchers: %v", what, err)
		}
	}
	for who, want := range map[string]int{"ada": 2, "eve": 0, "nobody": 0} {
		pages, err := s.rewards.Redemptions(s.As(actor.Member, who), []id.Member{ada.ID}, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		seen := 0
		if pages[ada.ID] != nil {
			seen = len(pages[ada.ID].Nodes)
		}
		equal(t, who+" sees of ada", want, seen)
		one, err := s.rewards.Redemption(s.As(actor.Member, who), answer.Redemption.ID)
		if err != nil || (one != nil) != (want > 0) {
			t.Errorf("%s sees a redemption of ada: %v, %v", who, one, err)
		}
	}
}

func TestRedemptions_List(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 100)
	coffee := s.offer()
	var made []id.Redemption
	for range 5 {
		made = append([]id.Redemption{s.redeem(ada, coffee).ID}, made...)
	}
	var seen []id.Redemption
	var after *string
	for range 3 {
		pages, err := s.rewards.Redemptions(s.Admin, []id.Member{ada.ID}, pointer(2), after)
		if err != nil {
			t.Fatal(err)
		}
		page := pages[ada.ID]
		for _, one := range page.Nodes {
			seen = append(seen, one.ID)
		}
		after = page.PageInfo.EndCursor
		total, err := page.Total(s.Admin)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "total", 5, total)
	}
	equal(t, "newest first", made, seen)
}

// C9: the points of a canceled redemption come back exactly once, to the lots that they were taken from.
func TestCancel_C9_ReturnsPointsOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.Enroll()
	soon, late := s.Now().Add(24*time.Hour), s.Now().Add(48*time.Hour)
	for _, at := range []*time.Time{&late, &soon} {
		s.Adjust(ada, 10, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = at })
	}
	expiring := func() []loyalty.PointsExpiration {
		t.Helper()
		found, err := s.Service.Expirations(s.Admin, []id.Member{ada.ID}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return found[ada.ID].Expiring(value.Period{Days: 9})
	}
	before := expiring()
	coffee := s.offer(func(input *reward.CreateRewardInput) {
		input.Cost, input.Stock, input.PerMemberLimit = 15, pointer(1), pointer(1)
	})
	redemption := s.redeem(ada, coffee)
	equal(t, "expiring after redeeming", []loyalty.PointsExpiration{{Points: 5, At: late}}, expiring())
	input := reward.CancelInput{RedemptionID: redemption.ID, Reason: "A test", IdempotencyKey: s.Key()}
	canceled, err := s.rewards.CancelRedemption(s.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", reward.Canceled, canceled.Redemption.Status)
	replayed, err := s.rewards.CancelRedemption(s.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "replay", &reward.Answer{Redemption: canceled.Redemption, Replayed: true}, replayed)
	_, err = s.cancel(redemption)
	refused(t, "again", err, "ALREADY_CANCELED redemptionId")
	_, err = s.use(redemption)
	refused(t, "use", err, "ALREADY_CANCELED code")
	equal(t, "expiring after the cancel", before, expiring())
	equal(t, "stock", 1, s.stock(coffee))
	equal(t, "history", []string{"REDEMPTION_CANCEL +15", "REDEMPTION -15", "ADJUSTMENT +10", "ADJUSTMENT +10"}, s.history(ada))
	s.available(ada, 20)
	// The limit and the stock are free again.
	s.redeem(ada, coffee)
	s.available(ada, 5)
}

func TestCancel_WhatHasLapsedLapsesAtOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.rich("ada", 5)
	soon := s.Now().Add(24 * time.Hour)
	s.Adjust(ada, 10, func(input *loyalty.AdjustPointsInput) { input.ExpiresAt = &soon })
	redemption := s.redeem(ada, s.offer(func(input *reward.CreateRewardInput) {
		input.Cost, input.VoucherValidFor = 12, &value.Period{Days: 1}
	}))
	s.Clock.Set(*redemption.ExpiresAt)
	if _, err := s.cancel(redemption); err != nil {
		t.Fatalf("an expired voucher cannot be canceled: %v", err)
	}
	equal(t, "history", []string{"EXPIRY -10", "REDEMPTION_CANCEL +12", "REDEMPTION -12", "ADJUSTMENT +10", "ADJUSTMENT +5"}, s.history(ada))
	s.available(ada, 5)
}

// What a return of spent points left owing is paid from what a cancel gives back.
func TestCancel_PaysDebt(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Rule(s.PerAmount(1, "1.00"))
	ada := s.Enroll()
	bought := s.Purchase(ada, "30.00")
	redemption := s.redeem(ada, s.offer(func(input *reward.CreateRewardInput) { input.Cost = 30 }))
	s.Return(bought)
	equal(t, "debt", 30, s.Balance(ada).Debt)
	if _, err := s.cancel(redemption); err != nil {
		t.Fatal(err)
	}
	equal(t, "debt after the cancel", 0, s.Balance(ada).Debt)
	s.available(ada, 0)
}

func TestCancel_Refused(t *testing.T) {
	t.Parallel()
	s := open(t)
	redemption := s.redeem(s.rich("ada", 100), s.offer())
	for want, input := range map[string]reward.CancelInput{
		"UNKNOWN_REDEMPTION redemptionId":        {RedemptionID: id.New[id.Redemption](), Reason: "x", IdempotencyKey: "x"},
		"REASON_REQUIRED reason":                 {RedemptionID: redemption.ID, Reason: " ", IdempotencyKey: "x"},
		"INVALID_IDEMPOTENCY_KEY idempotencyKey": {RedemptionID: redemption.ID, Reason: "x"},
	} {
		_, err := s.rewards.CancelRedemption(s.Admin, input)
		refused(t, want, err, want)
	}
}

// What a member is told beforehand is what it is answered when it redeems.
func TestRedeemable_AgreesWithRedeem(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Rule(s.PerAmount(1, "1.00"))
	silver := s.Tier("Silver", 1, 50)
	ada := s.rich("ada", 15)
	s.Purchase(ada, "20.00")
	once := s.offer(func(input *reward.CreateRewardInput) { input.PerMemberLimit = pointer(1) })
	s.redeem(ada, once)
	from := s.Now().Add(time.Hour)
	for _, one := range []struct {
		reward  *reward.Reward
		code    string
		missing int64
	}{
		{s.offer(), "", 0},
		{once, "LIMIT_REACHED", 0},
		{s.offer(func(input *reward.CreateRewardInput) { input.Cost = 40 }), "INSUFFICIENT_POINTS", 25},
		{s.offer(func(input *reward.CreateRewardInput) { input.MinTierID = &silver.ID }), "TIER_TOO_LOW", 30},
		{s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(0) }), "REWARD_SOLD_OUT", 0},
		{s.offer(func(input *reward.CreateRewardInput) { input.AvailableFrom = &from }), "NOT_AVAILABLE", 0},
	} {
		answers, err := s.rewards.Redeemabilities(s.As(actor.Member, "ada"), []*reward.Reward{one.reward})
		if err != nil {
			t.Fatal(err)
		}
		told := answers[one.reward]
		_, err = s.rewards.RedeemReward(s.As(actor.Member, "ada"), reward.RedeemInput{RewardID: one.reward.ID, IdempotencyKey: s.Key()})
		if told.Can {
			equal(t, "code", one.code, "")
			if err != nil {
				t.Errorf("can be had, but: %v", err)
			}
			continue
		}
		var missing int64
		if told.Missing != nil {
			missing = *told.Missing
		}
		equal(t, one.code, []any{one.code, one.missing}, []any{string(*told.Code), missing})
		problems, ok := problem.UserErrors(err)
		if !ok || problems[0].Error() != one.code+": "+*told.Reason {
			t.Errorf("told %q, but redeeming is answered %v", *told.Reason, err)
		}
	}
	answers, err := s.rewards.Redeemabilities(s.As(actor.Member, "nobody"), []*reward.Reward{once})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "no member", problem.UnknownMember, *answers[once].Code)
}

// Others are told of each change once, in order.
func TestRedemption_Notices(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, coffee := s.rich("ada", 100), s.offer()
	used, canceled := s.redeem(ada, coffee), s.redeem(ada, coffee)
	if _, err := s.use(used); err != nil {
		t.Fatal(err)
	}
	if _, err := s.use(used); err == nil {
		t.Error("a voucher is used twice")
	}
	if _, err := s.cancel(canceled); err != nil {
		t.Fatal(err)
	}
	var told []outbox.RedemptionChanged
	if _, err := outbox.Consume(s.Admin, s.DB, "test", 100, func(_ context.Context, _ *postgres.Tx, notices []outbox.Notice) error {
		for _, one := range notices {
			if changed, ok := one.Payload.(outbox.RedemptionChanged); ok && one.Member == ada.ID {
				changed.At = time.Time{}
				told = append(told, changed)
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	equal(t, "notices", []outbox.RedemptionChanged{
		{Redemption: used.Sequence, Status: outbox.RedemptionIssued},
		{Redemption: canceled.Sequence, Status: outbox.RedemptionIssued},
		{Redemption: used.Sequence, Status: outbox.RedemptionUsed},
		{Redemption: canceled.Sequence, Status: outbox.RedemptionCanceled},
	}, told)
}

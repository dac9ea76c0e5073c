package reward_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/reward"
)

// shop is a program with a catalog.
type shop struct {
	*loyaltytest.World
	rewards *reward.Service
	t       *testing.T
}

func open(t *testing.T) *shop {
	t.Helper()
	w := loyaltytest.New(t)
	return &shop{World: w, rewards: reward.New(w.DB, w.Service), t: t}
}

// rich enrolls a member with so many points that never lapse; who is its external id.
func (s *shop) rich(who string, points int64) *loyalty.Member {
	s.t.Helper()
	member := s.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = &who })
	s.Adjust(member, points)
	return member
}

// offer adds a voucher for 10 points to the catalog, as far as edits say nothing else.
func (s *shop) offer(edits ...func(*reward.CreateRewardInput)) *reward.Reward {
	s.t.Helper()
	input := reward.CreateRewardInput{Name: "A coffee", Kind: reward.Voucher, Cost: 10}
	for _, edit := range edits {
		edit(&input)
	}
	made, err := s.rewards.CreateReward(s.Admin, input)
	if err != nil {
		s.t.Fatal(err)
	}
	return made
}

func (s *shop) input(member *loyalty.Member, wanted *reward.Reward) reward.RedeemInput {
	ref := loyaltytest.Ref(member)
	return reward.RedeemInput{Member: &ref, RewardID: wanted.ID, IdempotencyKey: s.Key()}
}

func (s *shop) redeem(member *loyalty.Member, wanted *reward.Reward) *reward.Redemption {
	s.t.Helper()
	answer, err := s.rewards.RedeemReward(s.Admin, s.input(member, wanted))
	if err != nil {
		s.t.Fatal(err)
	}
	return answer.Redemption
}

func (s *shop) cancel(redemption *reward.Redemption) (*reward.Answer, error) {
	return s.rewards.CancelRedemption(s.Admin, reward.CancelInput{
		RedemptionID: redemption.ID, Reason: "A test", IdempotencyKey: s.Key(),
	})
}

func (s *shop) use(redemption *reward.Redemption) (*reward.Answer, error) {
	return s.rewards.UseVoucher(s.Admin, reward.UseInput{Code: *redemption.VoucherCode, IdempotencyKey: s.Key()})
}

func (s *shop) stock(wanted *reward.Reward) int {
	s.t.Helper()
	found, err := s.rewards.RewardsByID(s.Admin, []id.Reward{wanted.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	return *found[wanted.ID].Stock
}

// available wants the member to have so many points to spend, and the books to agree.
func (s *shop) available(member *loyalty.Member, want int64) {
	s.t.Helper()
	equal(s.t, "available", want, s.Balance(member).Available)
	report, err := reconcile.Check(s.Admin, s.DB, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, difference := range report.Differences {
		s.t.Error(difference)
	}
}

func (s *shop) history(member *loyalty.Member) []string {
	s.t.Helper()
	histories, err := s.Service.Histories(s.Admin, []id.Member{member.ID}, noFilter, nil, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var lines []string
	for _, entry := range histories[member.ID].Nodes {
		lines = append(lines, fmt.Sprintf("%s %+d", entry.Kind, entry.Points))
	}
	return lines
}

// refused wants err to hold exactly these problems, each "CODE path/below/input".
func refused(t *testing.T, what string, err error, want ...string) {
	t.Helper()
	problems, ok := problem.UserErrors(err)
	if !ok {
		t.Fatalf("%s: got the error %v, want %v", what, err, want)
	}
	var got []string
	for _, one := range problems {
		switch one := one.(type) {
		case problem.InputError:
			got = append(got, strings.TrimSpace(string(one.Code)+" "+strings.Join(one.Path[1:], "/")))
		case problem.InsufficientPointsError:
			got = append(got, fmt.Sprintf("%s %s %d of %d", one.Code, strings.Join(one.Path[1:], "/"), one.Available, one.Required))
		}
	}
	equal(t, what, want, got)
}

func equal[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s: %s", what, difference)
	}
}

func pointer[T any](value T) *T { return &value }

func TestRewards_Life(t *testing.T) {
	t.Parallel()
	s := open(t)
	made := s.offer(func(input *reward.CreateRewardInput) { input.Name, input.Stock = "  A coffee ", pointer(3) })
	equal(t, "name", "A coffee", made.Name)
	s.redeem(s.rich("ada", 100), made)
	changed, err := s.rewards.UpdateReward(s.Admin, made.ID, func(one *reward.Reward) { one.Stock, one.Cost = pointer(7), 12 })
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "stock and cost", []int{7, 12}, []int{*changed.Stock, int(changed.Cost)})
	equal(t, "stock", 7, s.stock(made))
	_, err = s.rewards.UpdateReward(s.Admin, made.ID, func(one *reward.Reward) { one.Cost = 0 })
	refused(t, "for nothing", err, "INVALID_POINTS cost")
	_, err = s.rewards.UpdateReward(s.Admin, id.New[id.Reward](), func(*reward.Reward) {})
	refused(t, "an absent one", err, "UNKNOWN_REWARD rewardId")
	archived, err := s.rewards.ArchiveReward(s.Admin, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Hour)
	again, err := s.rewards.ArchiveReward(s.Admin, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "archived at", archived.ArchivedAt, again.ArchivedAt)
	var changes []string
	if err := s.DB.Select(s.Admin, &changes, `
		select concat_ws(' ', action, before ->> 'stock', after ->> 'stock', after ->> 'archivedAt')
		from changes where object = $1 and after ->> 'reward' = object order by id`, made.ID.String()); err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", []string{
		"createReward 3", "updateReward 2 7", "archiveReward 7 7 " + archived.ArchivedAt.Format(time.RFC3339Nano),
	}, changes)
	for _, role := range []actor.Role{actor.Member, actor.Organizer, actor.Support} {
		if _, err := s.rewards.CreateReward(s.As(role, "x"), reward.CreateRewardInput{}); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s makes rewards: %v", role, err)
		}
		if _, err := s.rewards.ArchiveReward(s.As(role, "x"), made.ID); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s archives rewards: %v", role, err)
		}
	}
}

func TestRewards_Invalid(t *testing.T) {
	t.Parallel()
	s := open(t)
	now := s.Now()
	for want, edit := range map[string]func(*reward.CreateRewardInput){
		"INVALID_NAME name":              func(input *reward.CreateRewardInput) { input.Name = " " },
		"INVALID_POINTS cost":            func(input *reward.CreateRewardInput) { input.Cost = value.MaximumPoints + 1 },
		"INVALID_REWARD stock":           func(input *reward.CreateRewardInput) { input.Stock = pointer(-1) },
		"INVALID_REWARD perMemberLimit":  func(input *reward.CreateRewardInput) { input.PerMemberLimit = pointer(0) },
		"INVALID_REWARD minTierId":       func(input *reward.CreateRewardInput) { input.MinTierID = pointer(id.New[id.Tier]()) },
		"INVALID_REWARD availableUntil":  func(input *reward.CreateRewardInput) { input.AvailableFrom, input.AvailableUntil = &now, &now },
		"INVALID_REWARD voucherValidFor": func(input *reward.CreateRewardInput) { input.VoucherValidFor = &value.Period{} },
	} {
		input := reward.CreateRewardInput{Name: "A coffee", Kind: reward.Voucher, Cost: 10}
		edit(&input)
		_, err := s.rewards.CreateReward(s.Admin, input)
		refused(t, want, err, want)
	}
	_, err := s.rewards.CreateReward(s.Admin, reward.CreateRewardInput{
		Name: "A mug", Kind: reward.Product, Cost: -1, VoucherValidFor: &value.Period{Days: 1},
	})
	refused(t, "a product", err, "INVALID_POINTS cost", "INVALID_REWARD voucherValidFor")
}

func names(rewards []*reward.Reward) []string {
	list := []string{}
	for _, one := range rewards {
		list = append(list, one.Name)
	}
	return list
}

func TestRewards_List(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.rich("ada", 25)
	named := func(name string, kind reward.Kind, cost int64) *reward.Reward {
		return s.offer(func(input *reward.CreateRewardInput) { input.Name, input.Kind, input.Cost = name, kind, cost })
	}
	for i := range 120 {
		named(fmt.Sprint(i), reward.Product, int64(10+i))
	}
	named("coffee", reward.Voucher, 25)
	gone := named("gone", reward.Voucher, 1)
	if _, err := s.rewards.ArchiveReward(s.Admin, gone.ID); err != nil {
		t.Fatal(err)
	}
	ada := s.As(actor.Member, "ada")
	list := func(ctx context.Context, filter reward.Filter, first int, after *string) *reward.Connection {
		t.Helper()
		page, err := s.rewards.Rewards(ctx, filter, &first, after)
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	total := func(ctx context.Context, page *reward.Connection) int {
		t.Helper()
		count, err := page.Total(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	all := list(ada, reward.Filter{}, 100, nil)
	equal(t, "all", []int{100, 121}, []int{len(all.Nodes), total(ada, all)})
	equal(t, "the rest", 21, len(list(ada, reward.Filter{}, 100, all.PageInfo.EndCursor).Nodes))
	can := list(ada, reward.Filter{RedeemableOnly: true}, 16, nil)
	equal(t, "what ada can have", 17, total(ada, can))
	equal(t, "more", true, can.PageInfo.HasNextPage)
	equal(t, "behind them", []string{"coffee"}, names(list(ada, reward.Filter{RedeemableOnly: true}, 16, can.PageInfo.EndCursor).Nodes))
	equal(t, "vouchers", []string{"coffee"}, names(list(ada, reward.Filter{Kind: pointer(reward.Voucher)}, 9, nil).Nodes))
	equal(t, "archived", []string{"gone"}, names(list(ada, reward.Filter{Archived: true}, 9, nil).Nodes))
	equal(t, "what anybody can have", 121, total(s.Admin, list(s.Admin, reward.Filter{RedeemableOnly: true}, 9, nil)))
	if _, err := s.rewards.Rewards(ada, reward.Filter{}, nil, pointer("nonsense")); err == nil {
		t.Error("a cursor of nothing is taken")
	}
}

package reward_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/reward"
)

const crowd = 64

// rush lets a crowd do something at once and counts who was let. The others must be refused for the one reason.
func rush(t *testing.T, size int, reason problem.Code, do func(int) error) int {
	t.Helper()
	var group sync.WaitGroup
	var let atomic.Int64
	for i := range size {
		group.Go(func() {
			err := do(i)
			if err == nil {
				let.Add(1)
				return
			}
			problems, ok := problem.UserErrors(err)
			if !ok {
				t.Error(err)
				return
			}
			switch one := problems[0].(type) {
			case problem.InputError:
				if one.Code != reason {
					t.Error(err)
				}
			case problem.InsufficientPointsError:
				if one.Code != reason {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	return int(let.Load())
}

func TestRace_LastOfTheStock(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	const left = 10
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(left) })
	members := make([]*loyalty.Member, crowd)
	for i := range members {
		members[i] = s.rich(fmt.Sprint(i), 10)
	}
	had := rush(t, crowd, problem.RewardSoldOut, func(i int) error {
		_, err := s.rewards.RedeemReward(s.Admin, s.input(members[i], coffee))
		return err
	})
	equal(t, "had, and left", []int{left, 0}, []int{had, s.stock(coffee)})
	var rest int64
	for _, member := range members {
		rest += s.Balance(member).Available
	}
	equal(t, "points left", int64(crowd-left)*10, rest)
	s.available(members[0], s.Balance(members[0]).Available)
}

// C14: parallel requests never spend the same points twice.
func TestRace_C14_LastPoints(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	ada := s.rich("ada", 35)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(crowd) })
	had := rush(t, crowd, problem.InsufficientPoints, func(int) error {
		_, err := s.rewards.RedeemReward(s.Admin, s.input(ada, coffee))
		return err
	})
	equal(t, "had, and left", []int{3, crowd - 3}, []int{had, s.stock(coffee)})
	s.available(ada, 5)
}

func TestRace_Limit(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	ada := s.rich("ada", 1000)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.PerMemberLimit = pointer(2) })
	had := rush(t, crowd/2, problem.LimitReached, func(int) error {
		_, err := s.rewards.RedeemReward(s.Admin, s.input(ada, coffee))
		return err
	})
	equal(t, "had", 2, had)
	s.available(ada, 980)
}

// Of retries under one key one redeems, and all are answered the same code.
func TestRace_SameKey(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	ada := s.rich("ada", 1000)
	input := s.input(ada, s.offer())
	codes := make([]string, 8)
	rush(t, len(codes), "", func(i int) error {
		answer, err := s.rewards.RedeemReward(s.Admin, input)
		if err == nil {
			codes[i] = *answer.Redemption.VoucherCode
		}
		return err
	})
	for _, code := range codes {
		equal(t, "code", codes[0], code)
	}
	s.available(ada, 990)
}

// Of uses and cancels of one voucher at once exactly one wins.
func TestRace_CancelOrUse(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	ada := s.rich("ada", 1000)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(100) })
	canceled := 0
	const rounds = 10
	for range rounds {
		redemption := s.redeem(ada, coffee)
		var won, back atomic.Int64
		var group sync.WaitGroup
		for i := range 8 {
			group.Go(func() {
				do := s.use
				if i%2 == 0 {
					do = s.cancel
				}
				_, err := do(redemption)
				if err == nil {
					won.Add(1)
					if i%2 == 0 {
						back.Add(1)
					}
				} else if _, told := problem.UserErrors(err); !told {
					t.Error(err)
				}
			})
		}
		group.Wait()
		equal(t, "winners", 1, won.Load())
		canceled += int(back.Load())
	}
	equal(t, "stock", 100-rounds+canceled, s.stock(coffee))
	s.available(ada, 1000-10*int64(rounds-canceled))
}

// Redeeming, canceling, and changing the stock at once lose nothing.
func TestRace_StockChanges(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	coffee := s.offer(func(input *reward.CreateRewardInput) { input.Stock = pointer(5) })
	members := make([]*loyalty.Member, 8)
	for i := range members {
		members[i] = s.rich(fmt.Sprint(i), 1000)
	}
	rush(t, crowd, problem.RewardSoldOut, func(i int) error {
		if i%8 == 7 {
			_, err := s.rewards.UpdateReward(s.Admin, coffee.ID, func(one *reward.Reward) {
				if one.Stock = pointer(5); i%16 == 7 {
					one.Stock = nil
				}
			})
			return err
		}
		answer, err := s.rewards.RedeemReward(s.Admin, s.input(members[i%8], coffee))
		if err == nil && i%2 == 0 {
			_, err = s.cancel(answer.Redemption)
		}
		return err
	})
	s.available(members[7], 1000)
}

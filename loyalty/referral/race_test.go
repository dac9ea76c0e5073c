package referral_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"regulars/loyalty"
	"regulars/loyalty/referral"
)

const crowd = 64

// Both sides are rewarded exactly once however many work at the same time, are stopped or lose their connections between, and
// while tills go on recording. Members refer one another, so that each is on both sides.
func TestRace_ExactlyOnce(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	members := []*loyalty.Member{s.member("ada")}
	for i := range 40 {
		// Five at most within a day are no signal.
		members = append(members, s.invited(members[i/5]))
	}
	for _, member := range members[1:20] {
		s.Purchase(member, "10.00")
	}
	ctx, stop := context.WithTimeout(s.Admin, time.Minute)
	defer stop()
	var working, recording sync.WaitGroup
	rest := slices.Clone(members[20:])
	recording.Go(func() {
		for _, member := range rest {
			// A till whose connection is lost tells it again.
			input := []loyalty.RecordPurchaseInput{s.PurchaseInput(member, "10.00")}
			for {
				if _, err := s.Service.RecordPurchases(s.Admin, input); err == nil {
					break
				} else if ctx.Err() != nil {
					t.Error(err)
					return
				}
			}
		}
	})
	recorded := make(chan struct{})
	for i := range crowd {
		working.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-recorded:
					if round > 2 {
						return
					}
				default:
				}
				// Half of them are stopped somewhere.
				once, cancel := context.WithCancel(ctx)
				if i%2 == 0 {
					time.AfterFunc(time.Duration(rand.IntN(20))*time.Millisecond, cancel)
				}
				if _, err := s.referrals.Work(once); err != nil && i%2 > 0 && ctx.Err() == nil {
					t.Logf("some connections are lost: %v", err)
				}
				cancel()
			}
		})
	}
	for range 5 {
		if _, err := s.DB.Exec(ctx, `
			select pg_terminate_backend(pid) from pg_stat_activity
			where datname = current_database() and pid <> pg_backend_pid() and query like '%referral%'`); err != nil {
			t.Error(err)
		}
	}
	recording.Wait()
	close(recorded)
	working.Wait()
	// What a lost connection had begun may be under way for a moment, and holds back what was told after it.
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for rewarded := 0; rewarded < 40 && ctx.Err() == nil; <-again.C {
		s.work()
		if err := s.DB.Get(ctx, &rewarded, `select count(*) from referrals where status = 'REWARDED'`); err != nil {
			t.Fatal(err)
		}
	}
	for i, member := range members {
		want := int64(20)
		if i == 0 {
			want = 0
		}
		if i < 8 {
			want += 5 * 50
		}
		s.owns(fmt.Sprintf("points of member %d", i), []int64{want}, member)
	}
	s.clean()
}

// The cap of a referrer holds however many of its referrals qualify at the same time.
func TestRace_MonthlyLimit(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.MaxPerMonth = pointer(3) })
	s.Clock.Tick(time.Millisecond)
	ada := s.member("ada")
	var guests []*loyalty.Member
	for range 12 {
		guests = append(guests, s.invited(ada))
		s.Clock.Advance(6 * time.Hour)
	}
	for _, guest := range guests {
		s.Purchase(guest, "10.00")
	}
	var working sync.WaitGroup
	for range crowd {
		working.Go(func() {
			for range 10 {
				if _, err := s.referrals.Work(s.Admin); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	full := 0
	for _, one := range s.of(ada) {
		if one.Reason != nil && *one.Reason == referral.MonthlyLimit {
			full++
		}
	}
	equal(t, "rewarded, and beyond the limit", []int{3, 9}, []int{s.summary(ada).Rewarded, full})
	s.owns("points", []int64{150}, ada)
	s.clean()
}

// A reward and a return at the same time: whichever comes first, the points are gone at the end, and taken back once.
func TestRace_ReturnMeetsReward(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Clock.Tick(time.Millisecond)
	ada := s.member("ada")
	bob := s.invited(ada)
	for range 5 {
		bought := s.Purchase(bob, "10.00")
		var working sync.WaitGroup
		for range 8 {
			working.Go(func() {
				for range 5 {
					if _, err := s.referrals.Work(s.Admin); err != nil {
						t.Error(err)
					}
				}
			})
		}
		s.Return(bought)
		working.Wait()
		equal(t, "status", "JOINED", s.statuses(ada))
		s.owns("points", []int64{0, 0}, ada, bob)
	}
	s.clean()
}

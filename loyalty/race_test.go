package loyalty_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// busy is a program in which time goes on.
func busy(t *testing.T) *loyaltytest.World {
	t.Helper()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Clock.Tick(time.Millisecond)
	return w
}

// Two tills that post the same receipt at once record it once, and get the same answer.
func TestRace_SameReceipt(t *testing.T) {
	t.Parallel()
	w := busy(t)
	member := w.Enroll()
	for range 10 {
		input := w.PurchaseInput(member, "10.00")
		answers := make([]loyalty.Recorded, 4)
		var group sync.WaitGroup
		for i := range answers {
			group.Go(func() {
				got, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input})
				if err != nil || len(got[0].UserErrors) > 0 {
					t.Errorf("%v %v", got, err)
					return
				}
				answers[i] = got[0]
			})
		}
		group.Wait()
		first := 0
		for i := range answers {
			if answers[i].Replayed != nil && !*answers[i].Replayed {
				first++
			}
			answers[i].Replayed = answers[0].Replayed
			equal(t, "answer", answers[0], answers[i])
		}
		equal(t, "recorded", 1, first)
	}
	equal(t, "balance", 100, w.Balance(member).Available)
	clean(t, w)
}

// Another transaction that holds the member makes a purchase wait, and the purchase goes through when it is done.
func TestRace_Waits(t *testing.T) {
	t.Parallel()
	w := busy(t)
	member := w.Enroll()
	done := make(chan error, 1)
	err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
		if _, err := tx.Exec(w.Admin, `select from accounts where member_id = $1 for update`, member.ID); err != nil {
			return err
		}
		input := w.PurchaseInput(member, "10.00")
		go func() {
			_, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input})
			done <- err
		}()
		deadline := time.Now().Add(10 * time.Second)
		for blocked := 0; blocked == 0; {
			if time.Now().After(deadline) {
				t.Fatal("the purchase does not wait for the account")
			}
			if err := w.DB.Get(w.Admin, &blocked, `
				select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	equal(t, "balance", 10, w.Balance(member).Available)
	clean(t, w)
}

// Many clients on one member: nothing is lost, nothing is spent twice, and the books agree.
func TestRace_OneMember(t *testing.T) {
	t.Parallel()
	w := busy(t)
	w.Tier("Silver", 1, 300)
	member := w.Enroll()
	sold := make([]loyalty.Recorded, 8)
	for i := range sold {
		sold[i] = w.Purchase(member, "30.00")
	}
	var group sync.WaitGroup
	for i := range 64 {
		group.Go(func() {
			var err error
			switch i % 4 {
			case 0:
				_, err = w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{w.PurchaseInput(member, "10.00")})
			case 1:
				_, err = w.Service.RecordReturns(w.Admin, []loyalty.RecordReturnInput{w.ReturnInput(sold[i%8], byEuros("3.33"))})
			default:
				_, err = w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{
					Member: loyaltytest.Ref(member), Points: map[int]int64{2: 7, 3: -60}[i%4], Reason: "A test", IdempotencyKey: w.Key(),
				})
			}
			if _, refused := problem.UserErrors(err); err != nil && !refused {
				t.Error(err)
			}
		})
	}
	group.Wait()
	clean(t, w)
	balance := w.Balance(member)
	if balance.Available > 0 && balance.Debt > 0 {
		t.Errorf("%d can be spent while %d is owed", balance.Available, balance.Debt)
	}
}

// Spenders never take more than there is.
func TestRace_DoubleSpending(t *testing.T) {
	t.Parallel()
	w := busy(t)
	member := w.Enroll()
	w.Adjust(member, 100)
	var spent sync.Map
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			posted, err := w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{
				Member: loyaltytest.Ref(member), Points: -30, Reason: "A test", IdempotencyKey: w.Key(),
			})
			if err == nil {
				spent.Store(i, posted)
				return
			}
			if problems, ok := problem.UserErrors(err); !ok || told(problems)[0] != "INSUFFICIENT_POINTS points" {
				t.Error(err)
			}
		})
	}
	group.Wait()
	count := 0
	spent.Range(func(any, any) bool { count++; return true })
	equal(t, "spent", []int64{3, 10}, []int64{int64(count), w.Balance(member).Available})
	clean(t, w)
}

// Slices over the same members in different order do not lock each other out.
func TestRace_Slices(t *testing.T) {
	t.Parallel()
	w := busy(t)
	members := make([]*loyalty.Member, 12)
	for i := range members {
		members[i] = w.Enroll()
	}
	shared := make([]loyalty.RecordPurchaseInput, len(members))
	for i, member := range members {
		shared[i] = w.PurchaseInput(member, "1.00")
	}
	const clients, rounds = 8, 5
	var group sync.WaitGroup
	for client := range clients {
		random := rand.New(rand.NewPCG(uint64(client), 0))
		group.Go(func() {
			for range rounds {
				var inputs []loyalty.RecordPurchaseInput
				for _, i := range random.Perm(len(members)) {
					inputs = append(inputs, w.PurchaseInput(members[i], "2.00"), shared[i])
				}
				answers, err := w.Service.RecordPurchases(w.Admin, inputs)
				if err != nil {
					t.Error(err)
					return
				}
				for _, answer := range answers {
					if len(answer.UserErrors) > 0 {
						t.Error(answer.UserErrors)
					}
				}
			}
		})
	}
	group.Wait()
	for _, member := range members {
		equal(t, "balance", 1+2*clients*rounds, w.Balance(member).Available)
	}
	clean(t, w)
}

// Rules and tiers change while purchases run: each purchase sees all of a change or none of it.
func TestRace_ChangesWhilePurchasesRun(t *testing.T) {
	t.Parallel()
	w := busy(t)
	members := make([]*loyalty.Member, 6)
	for i := range members {
		members[i] = w.Enroll()
	}
	var stop sync.WaitGroup
	changed := make(chan struct{})
	for client := range 4 {
		stop.Go(func() {
			for round := 0; ; round++ {
				select {
				case <-changed:
					return
				default:
				}
				answers, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{
					w.PurchaseInput(members[(client+round)%len(members)], "9.00"), w.PurchaseInput(members[round%len(members)], "4.00"),
				})
				if err != nil || len(answers[0].UserErrors) > 0 {
					t.Error(answers, err)
					return
				}
			}
		})
	}
	for i := range 6 {
		w.Tier(fmt.Sprintf("Tier %d", i), i+1, int64(40*(i+1)))
		draft, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(int64(i+1))))
		if err == nil {
			_, err = w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, nil)
		}
		if err != nil {
			t.Error(err)
		}
		w.Enroll()
	}
	close(changed)
	stop.Wait()
	clean(t, w)
	for _, member := range members {
		reached := w.Standing(member)
		if reached.Next != nil && reached.Next.Missing == 0 {
			t.Errorf("%s is reached, but %s is held", reached.Next.Tier.Name, reached.Tier.Name)
		}
	}
}

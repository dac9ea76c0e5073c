package loyalty_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reward"
)

// A history has so many operations, of so many callers.
const (
	historyLength  = 96
	historyCallers = 8
)

// operation is something that somebody asks for: thing is the number of the operation that made what it is about, its own if it
// makes something.
type operation struct {
	kind   string
	thing  int
	points int64
}

// outcome is what came of it: the code of a problem, with how many points could be spent if those are too few; else what the
// member owned after an entry, or its balance.
type outcome struct {
	problem   problem.Code
	available int64
	owned     int64
	balance   lots.Balance
}

// account is a member's points as they are if everybody asks one after the other. No point lapses and none is pending.
type account struct {
	available, held, debt int64
	// left is what can be taken or given back of each thing; gone tells that it is over: captured, released, canceled.
	left     [historyLength]int64
	captured [historyLength]bool
	gone     [historyLength]bool
}

func (a *account) owned() int64 { return a.available + a.held - a.debt }

func (a *account) give(points int64) {
	paid := min(points, a.debt)
	a.debt -= paid
	a.available += points - paid
}

func (a *account) spend(points int64) bool {
	if points > a.available {
		return false
	}
	a.available -= points
	return true
}

// do says what must come of an operation, and what the account is then.
func (a account) do(asked operation) (outcome, account) {
	before, left := a, a.left[asked.thing]
	refuse := func(code problem.Code) (outcome, account) {
		refused := outcome{problem: code}
		if code == problem.InsufficientPoints {
			refused.available = before.available
		}
		return refused, before
	}
	switch asked.kind {
	case "balance":
		return outcome{balance: lots.Balance{Available: a.available, Held: a.held, Debt: a.debt}}, a
	case "purchase":
		a.give(asked.points)
		a.left[asked.thing] = asked.points
	case "return":
		if left == 0 {
			return refuse(problem.ReturnExceedsPurchase)
		}
		a.left[asked.thing] = 0
		taken := min(left, a.available)
		a.available -= taken
		a.debt += left - taken
	case "adjust":
		if asked.points > 0 {
			a.give(asked.points)
		} else if !a.spend(-asked.points) {
			return refuse(problem.InsufficientPoints)
		}
	case "redeem":
		if !a.spend(asked.points) {
			return refuse(problem.InsufficientPoints)
		}
		a.left[asked.thing] = asked.points
	case "cancel":
		if left == 0 {
			return refuse(problem.AlreadyCanceled)
		}
		a.left[asked.thing] = 0
		a.give(left)
	case "hold":
		if !a.spend(asked.points) {
			return refuse(problem.InsufficientPoints)
		}
		a.held += asked.points
		a.left[asked.thing] = asked.points
		return outcome{}, a
	case "capture":
		if a.gone[asked.thing] {
			return refuse(problem.HoldEnded)
		}
		a.gone[asked.thing], a.captured[asked.thing], a.left[asked.thing] = true, true, asked.points
		a.held -= left
		a.give(left - asked.points)
	case "release":
		if a.captured[asked.thing] {
			return refuse(problem.HoldEnded)
		}
		if !a.gone[asked.thing] {
			a.gone[asked.thing] = true
			a.held -= left
			a.give(left)
		}
		return outcome{}, a
	case "refund":
		if !a.captured[asked.thing] || asked.points > left {
			return refuse(problem.CaptureExceedsHold)
		}
		a.left[asked.thing] -= asked.points
		a.give(asked.points)
	}
	return outcome{owned: a.owned()}, a
}

var oneAfterTheOther = porcupine.Model{
	Init: func() any { return account{} },
	Step: func(state, input, output any) (bool, any) {
		expected, after := state.(account).do(input.(operation))
		return expected == output.(outcome), after
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v: %+v", input, output) },
	DescribeState: func(state any) string {
		a := state.(account)
		return fmt.Sprintf("%d available, %d held, %d owed", a.available, a.held, a.debt)
	},
}

// rush is many callers that ask for points of one member at once, and what they heard.
type rush struct {
	*loyaltytest.World
	t       *testing.T
	rewards *reward.Service
	reward  *reward.Reward
	member  *loyalty.Member

	clock, number atomic.Int64
	mutex         sync.Mutex
	made          map[string][]thing
	history       []porcupine.Operation
}

// thing is what an operation made: a purchase, a hold or a redemption.
type thing struct {
	operation
	purchase   loyalty.Recorded
	hold       id.Hold
	redemption id.Redemption
}

// makers are the operations by what it takes to ask for them; empty: nothing.
var makers = map[string]string{
	"balance": "", "purchase": "", "adjust": "", "redeem": "", "hold": "",
	"return": "purchase", "cancel": "redeem", "capture": "hold", "release": "hold", "refund": "hold",
}

// choose draws what to ask for.
func (h *rush) choose(number int) (operation, thing) {
	kinds := []string{"balance", "purchase", "purchase", "return", "adjust", "adjust", "redeem", "cancel", "hold", "hold", "capture", "release", "refund"}
	kind := kinds[rand.IntN(len(kinds))]
	asked := operation{kind: kind, thing: number, points: 1 + rand.Int64N(40)}
	if makers[kind] == "" {
		switch {
		case kind == "adjust" && rand.IntN(2) == 0:
			asked.points = -asked.points
		case kind == "redeem":
			asked.points = h.reward.Cost
		}
		return asked, thing{}
	}
	h.mutex.Lock()
	defer h.mutex.Unlock()
	things := h.made[makers[kind]]
	if len(things) == 0 {
		return operation{kind: "purchase", thing: number, points: asked.points}, thing{}
	}
	// What was made last is what others want as well.
	about := things[max(len(things)-1-rand.IntN(3), 0)]
	asked.thing = about.thing
	if kind == "capture" {
		asked.points = 1 + rand.Int64N(about.points)
	}
	return asked, about
}

// call asks for one thing and keeps what came of it.
func (h *rush) call(caller, number int) {
	asked, about := h.choose(number)
	key := h.Key()
	called := h.clock.Add(1)
	got, made := h.ask(asked, about, key)
	returned := h.clock.Add(1)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.history = append(h.history, porcupine.Operation{ClientId: caller, Input: asked, Call: called, Output: got, Return: returned})
	if got.problem == "" {
		made.operation = asked
		h.made[asked.kind] = append(h.made[asked.kind], made)
	}
}

func (h *rush) ask(asked operation, about thing, key string) (got outcome, made thing) {
	ref := loyaltytest.Ref(h.member)
	var err error
	switch asked.kind {
	case "balance":
		var balances map[id.Member]*loyalty.PointsBalance
		if balances, err = h.Service.Balances(h.Admin, ids(h.member), nil); err == nil {
			got.balance = balances[h.member.ID].Balance
		}
	case "purchase":
		var recorded []loyalty.Recorded
		recorded, err = h.Service.RecordPurchases(h.Admin, []loyalty.RecordPurchaseInput{h.PurchaseInput(h.member, string(amount(100*asked.points)))})
		made.purchase, got.owned = h.recorded(recorded, &err)
	case "return":
		var recorded []loyalty.Recorded
		recorded, err = h.Service.RecordReturns(h.Admin, []loyalty.RecordReturnInput{h.ReturnInput(about.purchase)})
		_, got.owned = h.recorded(recorded, &err)
	case "adjust":
		var posted *loyalty.AdjustmentPosted
		if posted, err = h.Service.AdjustPoints(h.Admin, loyalty.AdjustPointsInput{Member: ref, Points: asked.points, Reason: "A test", IdempotencyKey: key}); err == nil {
			got.owned = posted.Entry.BalanceAfter
		}
	case "redeem", "cancel":
		var answer *reward.Answer
		if asked.kind == "redeem" {
			answer, err = h.rewards.RedeemReward(h.Admin, reward.RedeemInput{Member: &ref, RewardID: h.reward.ID, IdempotencyKey: key})
		} else {
			answer, err = h.rewards.CancelRedemption(h.Admin, reward.CancelInput{RedemptionID: about.redemption, Reason: "A test", IdempotencyKey: key})
		}
		if err == nil {
			made.redemption = answer.Redemption.ID
			got.owned = h.after(answer.Redemption)
		}
	default:
		var answer *loyalty.HoldAnswer
		switch asked.kind {
		case "hold":
			answer, err = h.Service.HoldPoints(h.Admin, loyalty.HoldPointsInput{
				Member: ref, Points: asked.points, Reason: "A test", ExpiresIn: &value.Period{Days: 30}, IdempotencyKey: key,
			})
		case "capture":
			answer, err = h.Service.CaptureHold(h.Admin, loyalty.CaptureHoldInput{HoldID: about.hold, Points: &asked.points, IdempotencyKey: key})
		case "release":
			answer, err = h.Service.ReleaseHold(h.Admin, about.hold)
		case "refund":
			answer, err = h.Service.RefundCapture(h.Admin, loyalty.RefundCaptureInput{HoldID: about.hold, Points: asked.points, Reason: "A test", IdempotencyKey: key})
		}
		if err == nil {
			made.hold = answer.Hold.ID
			if answer.Entry != nil {
				got.owned = answer.Entry.BalanceAfter
			}
		}
	}
	if err != nil {
		got.problem, got.available = h.refused(err)
	}
	return got, made
}

// recorded is the answer to one fact, and what the member owned after it.
func (h *rush) recorded(answers []loyalty.Recorded, err *error) (loyalty.Recorded, int64) {
	if *err == nil && len(answers[0].UserErrors) > 0 {
		*err = problem.Problems(answers[0].UserErrors)
	}
	if *err != nil {
		return loyalty.Recorded{}, 0
	}
	return answers[0], answers[0].Entries[len(answers[0].Entries)-1].BalanceAfter
}

// after is what the member owned after a redemption, or after its cancel.
func (h *rush) after(redemption *reward.Redemption) int64 {
	sequence := redemption.Sequence
	if redemption.CancelSequence != nil {
		sequence = *redemption.CancelSequence
	}
	wanted := id.Entry{Member: redemption.Member, Sequence: sequence}
	entries, err := h.Service.Entries(h.Admin, []id.Entry{wanted})
	if err != nil {
		h.t.Error(err)
		return 0
	}
	return entries[wanted].BalanceAfter
}

func (h *rush) refused(err error) (problem.Code, int64) {
	if problems, ok := problem.UserErrors(err); ok {
		switch one := problems[0].(type) {
		case problem.InsufficientPointsError:
			return one.Code, one.Available
		case problem.InputError:
			return one.Code, 0
		}
	}
	h.t.Error(err)
	return "INTERNAL", 0
}

// Whatever callers ask for at once, what each hears is what it would hear if all had asked one after the other.
func TestLinearizable(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	rewards := reward.New(w.DB, w.Service)
	prize, err := rewards.CreateReward(w.Admin, reward.CreateRewardInput{Name: "A prize", Kind: reward.Product, Cost: 15})
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		h := &rush{World: w, t: t, rewards: rewards, reward: prize, member: w.Enroll(), made: map[string][]thing{}}
		var group sync.WaitGroup
		for caller := range historyCallers {
			group.Go(func() {
				for number := int(h.number.Add(1)) - 1; number < historyLength; number = int(h.number.Add(1)) - 1 {
					h.call(caller, number)
				}
			})
		}
		group.Wait()
		linearizable(t, h.history)
	}
	clean(t, w)
}

// linearizable wants what was heard to be possible; else a picture of it is kept.
func linearizable(t *testing.T, history []porcupine.Operation) {
	t.Helper()
	result, information := porcupine.CheckOperationsVerbose(oneAfterTheOther, history, time.Minute)
	if result == porcupine.Ok {
		return
	}
	// A folder of the test would go with it.
	picture, err := os.CreateTemp(os.TempDir(), "history-*.html")
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if err := porcupine.Visualize(oneAfterTheOther, information, picture); err != nil {
		t.Error(err)
	}
	t.Fatalf("%s: nobody could have asked one after the other; see %s", result, picture.Name())
}

// The check itself refuses what must not be: points that are spent twice, and a balance that is older than what was answered
// before it was asked for.
func TestLinearizable_Refuses(t *testing.T) {
	t.Parallel()
	history := []porcupine.Operation{
		{Input: operation{kind: "purchase", thing: 0, points: 100}, Call: 1, Output: outcome{owned: 100}, Return: 2},
		{Input: operation{kind: "adjust", thing: 1, points: -60}, Call: 3, Output: outcome{owned: 40}, Return: 6},
		{Input: operation{kind: "hold", thing: 2, points: 60}, Call: 4, Output: outcome{problem: problem.InsufficientPoints, available: 40}, Return: 5},
	}
	for _, test := range []struct {
		name string
		last porcupine.Operation
		want bool
	}{
		{"what is", porcupine.Operation{Input: operation{kind: "balance"}, Call: 7, Output: outcome{balance: lots.Balance{Available: 40}}, Return: 8}, true},
		{"too old", porcupine.Operation{Input: operation{kind: "balance"}, Call: 7, Output: outcome{balance: lots.Balance{Available: 100}}, Return: 8}, false},
		{"too many", porcupine.Operation{Input: operation{kind: "hold", thing: 3, points: 60}, Call: 3, Output: outcome{}, Return: 8}, false},
	} {
		equal(t, test.name, test.want, porcupine.CheckOperations(oneAfterTheOther, append(slices.Clone(history), test.last)))
	}
}

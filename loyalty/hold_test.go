package loyalty_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

func balance(t *testing.T, w *loyaltytest.World, member *loyalty.Member, what string, want lots.Balance) {
	t.Helper()
	equal(t, what, want, w.Balance(member).Balance)
}

func TestHold_ReservesAtOnce(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100)
	hold := w.Hold(member, 60)
	balance(t, w, member, "held", lots.Balance{Available: 40, Held: 60})
	_, err := w.Service.HoldPoints(w.Admin, loyalty.HoldPointsInput{Member: loyaltytest.Ref(member), Points: 41, Reason: "A test", IdempotencyKey: w.Key()})
	refused(t, "more than is left", err, "INSUFFICIENT_POINTS points")
	_, err = w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{
		Member: loyaltytest.Ref(member), Points: -41, Reason: "A test", IdempotencyKey: w.Key(),
	})
	refused(t, "what is held cannot be taken", err, "INSUFFICIENT_POINTS points")

	answer := w.Capture(hold, func(input *loyalty.CaptureHoldInput) {
		input.Points, input.PurchaseSource, input.PurchaseExternalID = pointer(int64(50)), pointer("till"), pointer("receipt-1")
	})
	equal(t, "status", ledger.HoldCaptured, answer.Hold.Status)
	equal(t, "sale", "receipt-1", *answer.Hold.PurchaseExternalID)
	equal(t, "entry", int64(-50), answer.Entry.Points)
	balance(t, w, member, "the rest is back", lots.Balance{Available: 50})

	released := w.Hold(member, 20)
	for range 2 {
		gone, err := w.Service.ReleaseHold(w.Admin, released.ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "released", ledger.HoldReleased, gone.Hold.Status)
	}
	balance(t, w, member, "all is back", lots.Balance{Available: 50})
	_, err = w.Service.CaptureHold(w.Admin, loyalty.CaptureHoldInput{HoldID: released.ID, IdempotencyKey: w.Key()})
	refused(t, "captured after its release", err, "HOLD_ENDED holdId")
	_, err = w.Service.ReleaseHold(w.Admin, hold.ID)
	refused(t, "released after its capture", err, "HOLD_ENDED holdId")
	clean(t, w)
}

// C11: a checkout that is abandoned holds points for ever, and the member ends below nothing.
func TestHold_C11_EndsByItself(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100, expires(w.Now().Add(10*time.Minute)))
	w.Adjust(member, 30)
	hold := w.Hold(member, 110)
	w.Clock.Set(hold.EndsAt.Add(-time.Microsecond))
	balance(t, w, member, "capturable although its lot has expired", lots.Balance{Available: 20, Held: 110})
	w.Clock.Set(hold.EndsAt)
	balance(t, w, member, "over, and what had expired is gone", lots.Balance{Available: 30})
	_, err := w.Service.CaptureHold(w.Admin, loyalty.CaptureHoldInput{HoldID: hold.ID, IdempotencyKey: w.Key()})
	refused(t, "captured at its end", err, "HOLD_ENDED holdId")
	seen, err := w.Service.Hold(w.Admin, hold.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status, read by the clock", ledger.HoldExpired, seen.Status)
	w.Adjust(member, 1)
	balance(t, w, member, "posted", lots.Balance{Available: 31})
	clean(t, w)
}

func TestHold_CaptureOfAnExpiredLot(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100, expires(w.Now().Add(10*time.Minute)))
	hold := w.Hold(member, 80)
	w.Clock.Advance(12 * time.Minute)
	answer := w.Capture(hold, func(input *loyalty.CaptureHoldInput) { input.Points = pointer(int64(30)) })
	equal(t, "taken", int64(-30), answer.Entry.Points)
	balance(t, w, member, "what was given back had expired", lots.Balance{})
	clean(t, w)
}

// C9: points come back once, and with the expiry that they had.
func TestHold_C9_RefundedOnce(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	first, second := w.Now().AddDate(0, 0, 10), w.Now().AddDate(0, 0, 20)
	w.Adjust(member, 40, expires(first))
	w.Adjust(member, 40, expires(second))
	hold := w.Hold(member, 60)
	w.Capture(hold)
	input := loyalty.RefundCaptureInput{HoldID: hold.ID, Points: 30, Reason: "Not delivered", IdempotencyKey: w.Key()}
	for i := range 2 {
		answer, err := w.Service.RefundCapture(w.Admin, input)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "given back", int64(30), answer.Entry.Points)
		equal(t, "replayed", i == 1, answer.Replayed)
	}
	balance(t, w, member, "back once", lots.Balance{Available: 50})
	owned, err := w.Service.Expirations(w.Admin, ids(member), nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "what was taken last is back first", []loyalty.PointsExpiration{{Points: 10, At: first}, {Points: 40, At: second}},
		owned[member.ID].Expiring(value.Period{Days: 30}))
	input.IdempotencyKey, input.Points = w.Key(), 31
	_, err = w.Service.RefundCapture(w.Admin, input)
	refused(t, "more than was captured", err, "CAPTURE_EXCEEDS_HOLD points")
	w.Clock.Set(first)
	input.Points = 30
	if _, err = w.Service.RefundCapture(w.Admin, input); err != nil {
		t.Fatal(err)
	}
	balance(t, w, member, "what had expired meanwhile expired again", lots.Balance{Available: 40})
	clean(t, w)
}

func TestHold_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("ann") })
	w.Adjust(member, 100)
	for what, test := range map[string]struct {
		edit func(*loyalty.HoldPointsInput)
		want []string
	}{
		"nothing":    {func(i *loyalty.HoldPointsInput) { i.Points = 0 }, []string{"INVALID_POINTS points"}},
		"no reason":  {func(i *loyalty.HoldPointsInput) { i.Reason = "" }, []string{"REASON_REQUIRED reason"}},
		"no time":    {func(i *loyalty.HoldPointsInput) { i.ExpiresIn = &value.Period{} }, []string{"INVALID_DURATION expiresIn"}},
		"too long":   {func(i *loyalty.HoldPointsInput) { i.ExpiresIn = &value.Period{Days: 31} }, []string{"INVALID_DURATION expiresIn"}},
		"no key":     {func(i *loyalty.HoldPointsInput) { i.IdempotencyKey = "" }, []string{"INVALID_IDEMPOTENCY_KEY idempotencyKey"}},
		"no such":    {func(i *loyalty.HoldPointsInput) { i.Member = loyalty.MemberRef{Number: pointer("1")} }, []string{"UNKNOWN_MEMBER member"}},
		"everything": {func(i *loyalty.HoldPointsInput) { i.Points = 101 }, []string{"INSUFFICIENT_POINTS points"}},
	} {
		input := loyalty.HoldPointsInput{Member: loyaltytest.Ref(member), Points: 1, Reason: "A test", IdempotencyKey: w.Key()}
		test.edit(&input)
		_, err := w.Service.HoldPoints(w.Admin, input)
		refused(t, what, err, test.want...)
	}
	if _, err := w.Service.HoldPoints(w.As(actor.Member, "ann"), loyalty.HoldPointsInput{Member: loyaltytest.Ref(member), Points: 1, Reason: "x", IdempotencyKey: "k"}); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a member held its own points: %v", err)
	}
	if _, err := w.Service.SuspendMember(w.Admin, member.ID, "A test"); err != nil {
		t.Fatal(err)
	}
	_, err := w.Service.HoldPoints(w.Admin, loyalty.HoldPointsInput{Member: loyaltytest.Ref(member), Points: 1, Reason: "x", IdempotencyKey: w.Key()})
	refused(t, "of a suspended member", err, "MEMBER_SUSPENDED member")
	balance(t, w, member, "nothing was held", lots.Balance{Available: 100})
	clean(t, w)
}

// C14: parallel requests spend the same points twice.
func TestHold_C14_NeverOverdrawn(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100)
	var captured atomic.Int64
	var group sync.WaitGroup
	for i := range 32 {
		key := w.Key()
		group.Go(func() {
			answer, err := w.Service.HoldPoints(w.Admin, loyalty.HoldPointsInput{Member: loyaltytest.Ref(member), Points: 7, Reason: "A test", IdempotencyKey: key})
			if err != nil {
				if _, ok := problem.UserErrors(err); !ok {
					t.Error(err)
				}
				return
			}
			switch i % 3 {
			case 0:
				_, err = w.Service.ReleaseHold(w.Admin, answer.Hold.ID)
			default:
				var taken *loyalty.HoldAnswer
				taken, err = w.Service.CaptureHold(w.Admin, loyalty.CaptureHoldInput{HoldID: answer.Hold.ID, IdempotencyKey: key})
				if err == nil {
					captured.Add(-taken.Entry.Points)
				}
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	balance(t, w, member, "what is left", lots.Balance{Available: 100 - captured.Load()})
	clean(t, w)
}

package loyalty_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

func reverseAs(ctx context.Context, w *loyaltytest.World, of *loyalty.AdjustmentPosted) (*loyalty.AdjustmentPosted, error) {
	return w.Service.ReverseAdjustment(ctx, loyalty.ReverseAdjustmentInput{AdjustmentID: of.Adjustment.ID, Reason: "A mistake", IdempotencyKey: w.Key()})
}

func reverse(t *testing.T, w *loyaltytest.World, of *loyalty.AdjustmentPosted) *ledger.Entry {
	t.Helper()
	reversed, err := reverseAs(w.Admin, w, of)
	if err != nil {
		t.Fatal(err)
	}
	return reversed.Entry
}

// expirations are what lapses of the member within ten years.
func expirations(t *testing.T, w *loyaltytest.World, member *loyalty.Member) []loyalty.PointsExpiration {
	t.Helper()
	open, err := w.Service.Expirations(w.Admin, []id.Member{member.ID}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return open[member.ID].Expiring(tenYears)
}

func TestReverseAdjustment_RestoresWhatItTook(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	start := w.Now()
	first, second := start.AddDate(0, 0, 10), start.AddDate(0, 0, 20)
	w.Adjust(member, 30, expires(second))
	w.Adjust(member, 20, expires(first))
	w.Adjust(member, 5)
	taken := w.Adjust(member, -40)
	equal(t, "left", []loyalty.PointsExpiration{{Points: 10, At: second}}, expirations(t, w, member))
	entry := reverse(t, w, taken)
	equal(t, "entry", []any{ledger.Reversal, int64(40), int64(55), &taken.Entry.Sequence},
		[]any{entry.Kind, entry.Points, entry.BalanceAfter, entry.ReversesSequence})
	equal(t, "as before", []loyalty.PointsExpiration{{Points: 20, At: first}, {Points: 30, At: second}}, expirations(t, w, member))
	clean(t, w)

	taken = w.Adjust(member, -55)
	w.Clock.Set(first)
	reverse(t, w, taken)
	equal(t, "what has lapsed meanwhile lapses at once", 35, w.Balance(member).Available)
	clean(t, w)
}

func TestReverseAdjustment_TakesWhatItGave(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		policy lots.ReturnPolicy
		// of 100 given with another 20 there before: after 90 of the 100 were spent; and so with the rest, too.
		partly, wholly lots.Balance
		shortfall      []int64
	}{
		{lots.MayGoNegative, lots.Balance{Debt: 70}, lots.Balance{Debt: 100}, []int64{0, 0}},
		{lots.WithinBalance, lots.Balance{}, lots.Balance{}, []int64{70, 100}},
		{lots.OnlyPending, lots.Balance{Available: 20}, lots.Balance{}, []int64{90, 100}},
	} {
		w := loyaltytest.New(t)
		change(t, w, loyalty.ProgramEdit{ReturnPolicy: &test.policy})
		w.Clock.Advance(time.Second)
		soon := w.Now().AddDate(0, 0, 1)
		untouched, spent, gone := w.Enroll(), w.Enroll(), w.Enroll()
		for i, member := range []*loyalty.Member{untouched, spent, gone} {
			w.Adjust(member, 20)
			given := w.Adjust(member, 100, expires(soon))
			if i > 0 {
				w.Adjust(member, map[int]int64{1: -90, 2: -120}[i])
			}
			entry := reverse(t, w, given)
			if i > 0 {
				equal(t, string(test.policy)+": shortfall", test.shortfall[i-1], entry.Shortfall)
			}
		}
		equal(t, string(test.policy)+": untouched", lots.Balance{Available: 20}, w.Balance(untouched).Balance)
		equal(t, string(test.policy)+": partly spent", test.partly, w.Balance(spent).Balance)
		equal(t, string(test.policy)+": wholly spent", test.wholly, w.Balance(gone).Balance)
		clean(t, w)
	}
}

// What has lapsed of points that are taken back counts as taken back: nobody pays for it once more.
func TestReverseAdjustment_C6_Lapsed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	given := w.Adjust(member, 100, expires(w.Now().AddDate(0, 0, 1)))
	w.Adjust(member, -60)
	w.Adjust(member, 80)
	w.Clock.Advance(24 * time.Hour)
	entry := reverse(t, w, given)
	equal(t, "taken, lapsed", []int64{-60, 40}, []int64{entry.Points, entry.Lapsed})
	equal(t, "left", 20, w.Balance(member).Available)
	clean(t, w)
}

// C9: points come back exactly once.
func TestReverseAdjustment_C9_Once(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 100)
	taken := w.Adjust(member, -40)
	input := loyalty.ReverseAdjustmentInput{AdjustmentID: taken.Adjustment.ID, Reason: "A mistake", IdempotencyKey: "once"}
	first, err := w.Service.ReverseAdjustment(w.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	again, err := w.Service.ReverseAdjustment(w.Admin, input)
	if err != nil || !again.Replayed {
		t.Fatal(again, err)
	}
	again.Replayed = false
	equal(t, "the replay", first, again)
	_, err = reverseAs(w.Admin, w, taken)
	refused(t, "once more", err, "ALREADY_REVERSED adjustmentId")
	input.Reason = "Another one"
	_, err = w.Service.ReverseAdjustment(w.Admin, input)
	refused(t, "other input", err, "IDEMPOTENCY_KEY_REUSED idempotencyKey")
	input.Reason, input.IdempotencyKey = " ", ""
	_, err = w.Service.ReverseAdjustment(w.Admin, input)
	refused(t, "no reason, no key", err, "REASON_REQUIRED reason", "INVALID_IDEMPOTENCY_KEY idempotencyKey")
	input = loyalty.ReverseAdjustmentInput{AdjustmentID: id.New[id.Adjustment](), Reason: "A mistake", IdempotencyKey: "none"}
	_, err = w.Service.ReverseAdjustment(w.Admin, input)
	refused(t, "none", err, "UNKNOWN_ADJUSTMENT adjustmentId")
	equal(t, "balance", 100, w.Balance(member).Available)
	clean(t, w)
}

func TestReverseAdjustment_Fits(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := rich(t, w)
	taken := w.Adjust(member, -10)
	w.Adjust(member, 10)
	_, err := reverseAs(w.Admin, w, taken)
	refused(t, "more than can be counted", err, "INVALID_POINTS adjustmentId")
	clean(t, w)
}

// Whoever has a cap takes back no more than it, but for what it moved alone.
func TestReverseAdjustment_Cap(t *testing.T) {
	t.Parallel()
	w, member := capped(t)
	ann, bob := w.As(actor.Support, "ann"), w.As(actor.Support, "bob")
	approved := adjust(ann, t, w, member, -900)
	if _, err := w.Service.ApproveAdjustment(bob, approved.Adjustment.ID, nil); err != nil {
		t.Fatal(err)
	}
	_, err := reverseAs(ann, w, approved)
	refused(t, "what a second person had to approve", err, "CAP_EXCEEDED adjustmentId")
	own := adjust(ann, t, w, member, 300)
	if _, err := reverseAs(ann, w, own); err != nil {
		t.Errorf("what one moved alone: %v", err)
	}
	equal(t, "that does not count once more", ledger.AdjustmentPosted, adjust(ann, t, w, member, 200).Adjustment.Status)
	admins := w.Adjust(member, 300)
	_, err = reverseAs(ann, w, admins)
	refused(t, "the cap is used up", err, "CAP_EXCEEDED adjustmentId")
	if _, err := reverseAs(bob, w, admins); err != nil {
		t.Errorf("within the cap: %v", err)
	}
	equal(t, "and it counts", ledger.AdjustmentWaiting, adjust(bob, t, w, member, 201).Adjustment.Status)
	equal(t, "no more than once", ledger.AdjustmentPosted, adjust(bob, t, w, member, 200).Adjustment.Status)
	if _, err := reverseAs(w.As(actor.Admin, "eve"), w, approved); err != nil {
		t.Errorf("by somebody without a cap: %v", err)
	}
	clean(t, w)
}

// Several take the same back at once, and have all read that nobody has done it yet before the first one goes on.
func TestRace_ReverseAdjustment(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	w.Adjust(member, 1000)
	made := []*loyalty.AdjustmentPosted{w.Adjust(member, 50), w.Adjust(member, -70)}
	results := make([]error, 6)
	var group sync.WaitGroup
	if err := w.DB.InTx(w.Admin, func(tx *postgres.Tx) error {
		if _, err := tx.Exec(w.Admin, `select from accounts where member_id = $1 for update`, member.ID); err != nil {
			return err
		}
		for i := range results {
			group.Go(func() { _, results[i] = reverseAs(w.Admin, w, made[i%len(made)]) })
		}
		deadline := time.Now().Add(10 * time.Second)
		for blocked := 0; blocked < len(results); {
			if time.Now().After(deadline) {
				t.Fatal("they do not all wait for the account")
			}
			if err := w.DB.Get(w.Admin, &blocked, `
				select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	group.Wait()
	done := 0
	for _, err := range results {
		if err == nil {
			done++
			continue
		}
		refused(t, "too late", err, "ALREADY_REVERSED adjustmentId")
	}
	equal(t, "done, balance", []int64{2, 1000}, []int64{int64(done), w.Balance(member).Available})
	clean(t, w)
}

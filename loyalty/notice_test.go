package loyalty_test

import (
	"context"
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

// heard reads all notices that a consumer has not had, by member.
func heard(t *testing.T, w *loyaltytest.World, consumer string) map[id.Member][]outbox.Payload {
	t.Helper()
	told := map[id.Member][]outbox.Payload{}
	for {
		count, err := outbox.Consume(w.Admin, w.DB, consumer, 100, func(_ context.Context, _ *postgres.Tx, notices []outbox.Notice) error {
			for _, notice := range notices {
				told[notice.Member] = append(told[notice.Member], notice.Payload)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if count == 0 {
			return told
		}
	}
}

func TestNotices(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), livesFor(value.Period{Days: 60}))
	gold := w.Tier("Gold", 1, 50)
	member := w.Enroll()
	bought := w.Purchase(member, "60.00")
	ends := bought.Activity.OccurredAt.AddDate(0, 0, 60)
	w.Adjust(member, -10)
	hold := w.Hold(member, 15)
	captured := w.Capture(hold)
	told := heard(t, w, "test")[member.ID]
	entry := bought.Entries[0]
	want := []outbox.Payload{
		outbox.PointsEarned{Entry: entry.Sequence, Points: 60, OccurredAt: entry.OccurredAt, AvailableAt: entry.AvailableAt, ExpiresAt: &ends},
		outbox.PointsRedeemed{Entry: captured.Entry.Sequence, Points: 15, OccurredAt: captured.Entry.OccurredAt},
	}
	if len(told) != 5 {
		t.Fatalf("told %+v", told)
	}
	if joined, ok := told[0].(outbox.TierChanged); !ok || joined.From != nil {
		t.Errorf("joining: %+v", told[0])
	}
	told = told[1:]
	equal(t, "earned", want[0], told[0])
	if moved, ok := told[1].(outbox.TierChanged); !ok || moved.To != gold.ID || moved.Reason != "REACHED" {
		t.Errorf("the tier: %+v", told[1])
	}
	if taken, ok := told[2].(outbox.PointsTaken); !ok || taken.Points != 10 {
		t.Errorf("taken by hand: %+v", told[2])
	}
	equal(t, "redeemed", want[1], told[3])
	if _, err := w.Service.RefundCapture(w.Admin, loyalty.RefundCaptureInput{HoldID: hold.ID, Points: 5, Reason: "Back", IdempotencyKey: w.Key()}); err != nil {
		t.Fatal(err)
	}
	w.Return(bought, byEuros("1.00"))
	told = heard(t, w, "test")[member.ID]
	if back, ok := told[0].(outbox.PointsRestored); !ok || back.Points != 5 {
		t.Errorf("given back: %+v", told[0])
	}
	if taken, ok := told[1].(outbox.PointsTaken); !ok || taken.Points != 1 || len(told) != 2 {
		t.Errorf("after a return: %+v", told)
	}

	// A refusal tells nothing.
	if _, err := w.Service.AdjustPoints(w.Admin, loyalty.AdjustPointsInput{Member: loyaltytest.Ref(member), Points: -1000, Reason: "x", IdempotencyKey: w.Key()}); err == nil {
		t.Fatal("1000 points were taken")
	}
	equal(t, "after a refusal", 0, len(heard(t, w, "test")))
}

// What lapses at one instant is announced once, however often the job runs and in however small batches.
func TestNotices_OfWhatExpiresSoon(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	soon, later, far := w.Now().AddDate(0, 0, 20), w.Now().AddDate(0, 0, 25), w.Now().AddDate(0, 0, 40)
	members := []*loyalty.Member{w.Enroll(), w.Enroll(), w.Enroll()}
	for _, member := range members {
		w.Adjust(member, 30, expires(soon))
		w.Adjust(member, 12, expires(soon))
		w.Adjust(member, 5, expires(later))
		w.Adjust(member, 7, expires(far))
	}
	// What is held lapses with its lot as well.
	w.Hold(members[0], 20, func(input *loyalty.HoldPointsInput) { input.ExpiresIn = &value.Period{Days: 2} })
	heard(t, w, "test")
	month := value.Period{Days: 30}
	run := func() int {
		t.Helper()
		all := 0
		for {
			count, err := w.Service.AnnounceExpiries(w.Admin, month, 1)
			if err != nil {
				t.Fatal(err)
			}
			if count == 0 {
				return all
			}
			all += count
		}
	}
	equal(t, "announced", 6, run())
	equal(t, "announced again", 0, run())
	told := heard(t, w, "test")
	for _, member := range members {
		equal(t, "told", []outbox.Payload{outbox.PointsExpiring{Points: 42, ExpiresAt: soon}, outbox.PointsExpiring{Points: 5, ExpiresAt: later}},
			told[member.ID])
	}
	w.Adjust(members[0], 3, expires(later))
	equal(t, "more that lapses with what was announced", 0, run())
	w.Clock.Advance(15 * 24 * time.Hour)
	equal(t, "what has come near meanwhile", 3, run())
	told = heard(t, w, "test")
	for _, member := range members {
		last := told[member.ID][len(told[member.ID])-1]
		equal(t, "told", outbox.Payload(outbox.PointsExpiring{Points: 7, ExpiresAt: far}), last)
	}
	clean(t, w)
}

// The job posts what has lapsed in batches, can end after any of them, and goes on where it ended.
func TestExpirePoints_InBatches(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	ends := w.Now().AddDate(0, 0, 10)
	var members []*loyalty.Member
	for range 5 {
		member := w.Enroll()
		w.Adjust(member, 30, expires(ends))
		w.Adjust(member, 8)
		members = append(members, member)
	}
	w.Hold(members[0], 38)
	w.Clock.Set(ends)
	for _, want := range []int{2, 2, 1, 0} {
		count, err := w.Service.ExpirePoints(w.Admin, 2)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "members of a batch", want, count)
		for _, member := range members {
			equal(t, "available, posted or not", int64(8), w.Balance(member).Available)
		}
		clean(t, w)
	}
	history := entriesOf(t, w, members[0])
	equal(t, "what lapsed", line{ledger.Expiry, -30, 8}, history[len(history)-1])
}

// Members are told before everything lapses since they were not heard of: once, and again when they were heard of meanwhile.
func TestNotices_OfIdleness(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Inactivity, After: &value.Period{Days: 90}})
	member := w.Enroll()
	w.Adjust(member, 10)
	w.Adjust(member, 4, expires(w.Now().AddDate(0, 0, 200)))
	lastHeard := w.Now()
	heard(t, w, "test")
	month := value.Period{Days: 30}
	announce := func() int {
		t.Helper()
		count, err := w.Service.AnnounceExpiries(w.Admin, month, 10)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	equal(t, "too early", 0, announce())
	w.Clock.Set(lastHeard.AddDate(0, 0, 61))
	equal(t, "a month before", 1, announce())
	equal(t, "again", 0, announce())
	equal(t, "told", []outbox.Payload{outbox.PointsExpiring{Points: 10, ExpiresAt: firstLapse(t, w, member)}}, heard(t, w, "test")[member.ID])
	w.Adjust(member, 1)
	equal(t, "heard of meanwhile", 0, announce())
	w.Clock.Advance(61 * 24 * time.Hour)
	equal(t, "and then no more", 1, announce())
	clean(t, w)
}

// firstLapse is when the first of what the member owns lapses, as the API tells it.
func firstLapse(t *testing.T, w *loyaltytest.World, member *loyalty.Member) time.Time {
	t.Helper()
	owned, err := w.Service.Expirations(w.Admin, ids(member), nil)
	if err != nil {
		t.Fatal(err)
	}
	return owned[member.ID].Expiring(value.Period{Days: 60})[0].At
}

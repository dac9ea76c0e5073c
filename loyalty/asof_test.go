package loyalty_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
)

// What was answered about an instant stays the answer, although nothing was recorded of the member since then and much else
// has changed.
func TestAsOf_WhatChangedSince(t *testing.T) {
	t.Parallel()
	for name, happen := range map[string]func(*loyaltytest.World, *loyalty.Member){
		"nothing idles any more": func(w *loyaltytest.World, _ *loyalty.Member) {
			expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Never})
		},
		"a tier came between": func(w *loyaltytest.World, _ *loyalty.Member) { w.Tier("Silver", 1, 50) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := loyaltytest.New(t)
			expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Inactivity, After: &value.Period{Days: 300}})
			w.Rule(w.PerAmount(1, "1.00"))
			w.Tier("Gold", 2, 100)
			member := w.Enroll()
			w.Purchase(member, "10.00")
			w.Clock.Advance(24 * time.Hour)
			at := w.Now()
			before := answeredAt(t, w, member, nil)
			w.Clock.Advance(24 * time.Hour)
			happen(w, member)
			if difference := cmp.Diff(before, answeredAt(t, w, member, &at)); difference != "" {
				t.Error(difference)
			}
			clean(t, w)
		})
	}
}

// What a member was answered stays so after a write that had nothing to do for it long after.
func TestAsOf_AWriteInVain(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	w.Purchase(member, "10.00")
	hold := w.Hold(member, 1)
	release := func() {
		t.Helper()
		if _, err := w.Service.ReleaseHold(w.Admin, hold.ID); err != nil {
			t.Fatal(err)
		}
	}
	release()
	w.Clock.Advance(24 * time.Hour)
	at := w.Now()
	before := answeredAt(t, w, member, nil)
	w.Clock.Advance(400 * 24 * time.Hour)
	release()
	if difference := cmp.Diff(before, answeredAt(t, w, member, &at)); difference != "" {
		t.Error(difference)
	}
	clean(t, w)
}

type seenAt struct {
	Balance  lots.Balance
	Standing *loyalty.TierStanding
	Expiring []loyalty.PointsExpiration
}

// answeredAt is what a reader is told of the member at an instant, nil: now.
func answeredAt(t *testing.T, w *loyaltytest.World, member *loyalty.Member, asOf *time.Time) seenAt {
	t.Helper()
	balances, err := w.Service.Balances(w.Admin, ids(member), asOf)
	if err != nil {
		t.Fatal(err)
	}
	standings, err := w.Service.Standings(w.Admin, ids(member), asOf)
	if err != nil {
		t.Fatal(err)
	}
	expiring, err := w.Service.Expirations(w.Admin, ids(member), asOf)
	if err != nil {
		t.Fatal(err)
	}
	return seenAt{balances[member.ID].Balance, standings[member.ID], expiring[member.ID].Expiring(tenYears)}
}

// Every instant that a DateTime can be is answered, also where the year before it is none.
func TestAsOf_EndsOfTime(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Tier("Gold", 2, 100)
	member := w.Enroll()
	w.Purchase(member, "150.00")
	now := answeredAt(t, w, member, nil)
	if now.Standing.Tier.Name != "Gold" || now.Standing.QualifyingPoints != 150 {
		t.Fatalf("the member stands at %+v", now.Standing)
	}
	for at, available := range map[string]int64{
		"0001-01-01T00:00:00Z": 0,
		"0001-12-31T23:59:59Z": 0,
		"9999-12-31T23:59:59Z": 150,
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			asOf, err := time.Parse(time.RFC3339, at)
			if err != nil {
				t.Fatal(err)
			}
			seen := answeredAt(t, w, member, &asOf)
			if seen.Balance.Available != available {
				t.Errorf("%d points, not %d", seen.Balance.Available, available)
			}
			if seen.Standing.Tier.Rank != 0 || seen.Standing.QualifyingPoints != 0 {
				t.Errorf("the member stands at %+v", seen.Standing)
			}
		})
	}
}

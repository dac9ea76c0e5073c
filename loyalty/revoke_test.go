package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

func visits(input *loyalty.EarningRuleInput) { input.Trigger = "CHECK_IN" }

func revoke(t *testing.T, w *loyaltytest.World, fact loyalty.Recorded, key string) []int64 {
	t.Helper()
	revoked, err := w.Service.RevokeActivity(w.Admin, fact.Activity.ID(), "It was somebody else", key)
	if err != nil {
		t.Fatal(err)
	}
	return points(*revoked)
}

// What turned out not to be so gives back what limits and budgets counted of it, points and times, in its window, once.
func TestRevokeActivity_Limits(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(loyaltytest.Fixed(10), visits, bounded(timesPer(rules.MemberScope, rules.Month, 1)), priority(2))
	w.Rule(loyaltytest.Fixed(8), visits, bounded(pointsPer(rules.MemberScope, rules.Month, 12)), priority(1))
	w.Rule(loyaltytest.Fixed(5), visits, budget(5))
	member := w.Enroll()
	first := w.Activity(member, "CHECK_IN")
	equal(t, "the first", []int64{10, 8, 5}, points(first))
	equal(t, "the second", []int64{4}, points(w.Activity(member, "CHECK_IN")))
	equal(t, "used up", nil, points(w.Activity(member, "CHECK_IN")))
	w.Clock.Advance(40 * 24 * time.Hour)
	key := w.Key()
	for range 2 {
		revoke(t, w, first, key)
		equal(t, "left", int64(4), w.Balance(member).Available)
	}
	revoke(t, w, first, w.Key())
	equal(t, "again, by another key", int64(4), w.Balance(member).Available)
	equal(t, "free in its month, and of the budget", []int64{10, 8, 5}, points(w.Activity(member, "CHECK_IN", func(input *loyalty.RecordActivityInput) {
		input.OccurredAt = first.Activity.OccurredAt
	})))
	equal(t, "of this month", []int64{10, 8}, points(w.Activity(member, "CHECK_IN")))
	clean(t, w)
}

// Spent, lapsed or canceled before: what is left of an award goes, and the books agree.
func TestRevokeActivity_WhatIsLeft(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Tier("Silver", 1, 10)
	w.Rule(loyaltytest.Fixed(10), visits)
	until := true
	w.Rule(loyaltytest.Fixed(6), visits, func(input *loyalty.EarningRuleInput) { input.Pending = &loyalty.PendingInput{UntilConfirmed: &until} })
	member := w.Enroll()
	spent := w.Activity(member, "CHECK_IN")
	equal(t, "tier", "Silver", w.Standing(member).Tier.Name)
	w.Adjust(member, -10)
	if _, err := w.Service.CancelPending(w.Admin, spent.Activity.ID(), "Not sure", w.Key()); err != nil {
		t.Fatal(err)
	}
	revoke(t, w, spent, w.Key())
	equal(t, "a debt", int64(10), w.Balance(member).Debt)
	equal(t, "qualifying", int64(0), w.Standing(member).QualifyingPoints)
	bought := w.Purchase(member, "1.00")
	for what, wanted := range map[string]id.Activity{"a purchase": bought.Activity.ID(), "none": {Member: member.ID, Sequence: 99}} {
		_, err := w.Service.RevokeActivity(w.Admin, wanted, "x", w.Key())
		refused(t, what, err, "UNKNOWN_ACTIVITY activityId")
	}
	_, err := w.Service.RevokeActivity(w.Admin, spent.Activity.ID(), "", w.Key())
	refused(t, "no reason", err, "REASON_REQUIRED reason")
	clean(t, w)
}

package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// sentences are what a member's history tells, newest first.
func sentences(t *testing.T, w *loyaltytest.World, member *loyalty.Member) []string {
	t.Helper()
	var list []string
	for _, line := range history(t, w, member) {
		list = append(list, line.Sentence)
	}
	return list
}

// Each line of a history says what happened and why.
func TestTierHistories_Sentences(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	policy(t, w, loyalty.TierPolicyInput{Period: tiers.Rolling, Downgrade: pointer(tiers.OneStep)})
	member := w.Enroll()
	w.Clock.Set(time.Date(2025, 3, 1, 12, 0, 0, 0, time.UTC))
	w.Purchase(member, "500.00")
	w.Clock.Advance(time.Hour)
	until := time.Date(2025, 9, 1, 0, 0, 0, 0, time.UTC)
	give(t, w, member, "Gold", &until)
	w.Clock.Set(until)
	w.Purchase(member, "1.00")
	w.Clock.Set(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC))
	recalculate(t, w, 1)
	w.Clock.Advance(time.Hour)
	protect := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 1, 200), step("Gold", 2, 500)), Mode: tiers.Now, ProtectUntil: &protect})
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Gold", 2, 500)), Mode: tiers.AtNextReview})
	policy(t, w, loyalty.TierPolicyInput{Period: tiers.Rolling, Start: pointer(tiers.NextPeriod), Downgrade: pointer(tiers.NeverDown)})
	w.Purchase(member, "600.00")
	w.Clock.Set(time.Date(2027, 4, 2, 0, 0, 0, 0, time.UTC))
	recalculate(t, w, 1)
	give(t, w, member, "Gold", pointer(w.Now().Add(time.Hour)))
	give(t, w, member, "", nil)
	equal(t, "sentences", []string{
		"What our team had given was taken back: Gold", "Gold given by our team until 2027-04-02", "Gold is kept: nobody is lowered", "Gold began",
		"Reached Gold, which begins on 2026-04-01", "The tiers changed: Member instead of Silver",
		"Silver is kept until 2026-04-01, although the points no longer reach it", "The points did not reach the tier again when it ran out: Silver",
		"What our team had given ended: Gold", "Gold given by our team until 2025-09-01", "Reached Gold", "Joined with Member",
	}, sentences(t, w, member))
	clean(t, w)
}

// A page leads to the next, and nobody reads the history of another.
func TestTierHistories_Pages(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("ada") })
	w.Purchase(member, "100.00")
	w.Purchase(member, "400.00")
	var seen []int64
	var after *string
	for {
		pages, err := w.Service.TierHistories(w.As(actor.Member, "ada"), ids(member), pointer(2), after)
		if err != nil {
			t.Fatal(err)
		}
		found := pages[member.ID]
		for _, edge := range found.Edges {
			seen = append(seen, edge.Node.ID.Sequence)
		}
		if !found.PageInfo.HasNextPage {
			break
		}
		after = found.PageInfo.EndCursor
	}
	lines := history(t, w, member)
	equal(t, "lines", []int64{lines[0].ID.Sequence, lines[1].ID.Sequence, 1}, seen)
	foreign, err := w.Service.TierHistories(w.As(actor.Member, "eve"), ids(member), nil, nil)
	if err != nil || len(foreign) != 0 {
		t.Errorf("another member reads %v, %v", foreign, err)
	}
	for _, test := range []struct {
		who   string
		moved id.TierMove
		found bool
	}{
		{"ada", lines[0].ID, true}, {"eve", lines[0].ID, false}, {"ada", id.TierMove{Member: member.ID, Sequence: 2}, false},
	} {
		line, err := w.Service.TierHistoryEntry(w.As(actor.Member, test.who), test.moved)
		if err != nil || (line != nil) != test.found {
			t.Errorf("%s finds %v, %v", test.who, line, err)
		}
	}
}

// However far ahead somebody asks, under a policy that never lets a tier go, there is an answer.
func TestAsOf_TiersForEver(t *testing.T) {
	t.Parallel()
	for name, input := range map[string]loyalty.TierPolicyInput{
		"never down": {Period: tiers.Rolling, Downgrade: pointer(tiers.NeverDown), Validity: &value.Period{Months: 1}},
		"lifetime":   {Period: tiers.Lifetime},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ladder(t)
			policy(t, w, input)
			member := w.Enroll()
			w.Purchase(member, "100.00")
			far := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
			equal(t, "then", "Silver", answeredAt(t, w, member, &far).Standing.Tier.Name)
		})
	}
}

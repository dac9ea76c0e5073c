package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// give gives the member the tier of that name until an instant; no name takes back.
func give(t *testing.T, w *loyaltytest.World, member *loyalty.Member, name string, until *time.Time) {
	t.Helper()
	input := loyalty.SetTierFloorInput{MemberID: member.ID, Until: until, Reason: "A test"}
	steps, err := w.Service.Tiers(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	for _, tier := range steps {
		if tier.Name == name {
			input.TierID = &tier.ID
		}
	}
	if _, err := w.Service.SetTierFloor(w.Admin, input); err != nil {
		t.Fatal(err)
	}
}

func TestSetTierFloor(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll()
	until := w.Now().AddDate(2, 0, 0)
	w.Clock.Advance(time.Hour)
	given := w.Now()
	give(t, w, member, "Gold", &until)
	found := w.Standing(member)
	if found.Tier.Name != "Gold" || !found.Since.Equal(given) || !found.ValidUntil.Equal(until) || found.Floor == nil || !found.Floor.Until.Equal(until) ||
		found.Keep == nil || found.Keep.Missing != 500 {
		t.Fatalf("stands at %+v", found)
	}
	w.Clock.Advance(time.Hour)
	w.Purchase(member, "150.00")
	equal(t, "earns beneath", "Gold", w.Standing(member).Tier.Name)
	w.Clock.Advance(300 * 24 * time.Hour)
	w.Purchase(member, "450.00")
	equal(t, "earned by itself", "Gold", w.Standing(member).Tier.Name)
	w.Clock.Set(until.Add(-time.Microsecond))
	equal(t, "to the last instant", "Gold", w.Standing(member).Tier.Name)
	w.Clock.Set(until)
	equal(t, "what it earned has run out as well", "Member", w.Standing(member).Tier.Name)
	if done := recalculate(t, w, 10); done != 1 {
		t.Errorf("the job looked at %d", done)
	}
	equal(t, "posted", "Member", w.Standing(member).Tier.Name)
	clean(t, w)

	changed := changes(t, w, "setTierFloor")
	if len(changed) != 1 || changed[0].Object != member.ID.String() {
		t.Errorf("the audit has %v", changed)
	}
}

// What was given is taken back, and whoever earned more keeps it.
func TestSetTierFloor_Cleared(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	until := w.Now().AddDate(0, 6, 0)
	low, high := w.Enroll(), w.Enroll()
	w.Purchase(high, "500.00")
	for _, member := range []*loyalty.Member{low, high} {
		give(t, w, member, "Silver", &until)
		give(t, w, member, "Silver", &until)
	}
	equal(t, "given", []string{"Silver", "Gold"}, holders(w, low, high))
	give(t, w, low, "", nil)
	give(t, w, high, "", nil)
	give(t, w, low, "", nil)
	equal(t, "taken back", []string{"Member", "Gold"}, holders(w, low, high))
	equal(t, "audit: what changed nothing is no change", 4, len(changes(t, w, "setTierFloor")))
	clean(t, w)
}

// A floor of a tier that is removed goes to the next lower one.
func TestSetTierFloor_TierRemoved(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll()
	until := w.Now().AddDate(0, 6, 0)
	give(t, w, member, "Gold", &until)
	w.Clock.Advance(time.Second)
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 1, 100)), Mode: tiers.Now})
	found := w.Standing(member)
	if found.Tier.Name != "Silver" || found.Floor == nil || !found.Floor.Until.Equal(until) {
		t.Errorf("stands at %+v", found)
	}
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(), Mode: tiers.AtNextReview})
	if found = w.Standing(member); found.Tier.Name != "Member" || found.Floor != nil {
		t.Errorf("stands at %+v", found)
	}
	clean(t, w)
}

func TestSetTierFloor_Refused(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll()
	found, err := w.Service.Tiers(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	base, gold, unknown := found[0].ID, found[2].ID, id.New[id.Tier]()
	soon, past, far := w.Now().AddDate(0, 1, 0), w.Now(), w.Now().AddDate(101, 0, 0)
	for _, test := range []struct {
		name  string
		input loyalty.SetTierFloorInput
		want  []string
	}{
		{"nobody", loyalty.SetTierFloorInput{MemberID: id.New[id.Member](), TierID: &gold, Until: &soon, Reason: "x"}, []string{"UNKNOWN_MEMBER memberId"}},
		{"no reason", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &gold, Until: &soon}, []string{"REASON_REQUIRED reason"}},
		{"no end", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &gold, Reason: "x"}, []string{"INVALID_DATE until"}},
		{"over", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &gold, Until: &past, Reason: "x"}, []string{"INVALID_DATE until"}},
		{"too far", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &gold, Until: &far, Reason: "x"}, []string{"INVALID_DATE until"}},
		{"an end of nothing", loyalty.SetTierFloorInput{MemberID: member.ID, Until: &soon, Reason: "x"}, []string{"INVALID_DATE until"}},
		{"the lowest", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &base, Until: &soon, Reason: "x"}, []string{"INVALID_TIERS tierId"}},
		{"unknown", loyalty.SetTierFloorInput{MemberID: member.ID, TierID: &unknown, Until: &soon, Reason: "x"}, []string{"INVALID_TIERS tierId"}},
	} {
		_, err := w.Service.SetTierFloor(w.Admin, test.input)
		refused(t, test.name, err, test.want...)
	}
}

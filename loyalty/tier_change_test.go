package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// steps are a ladder as it shall be, from the lowest tier up.
func steps(more ...loyalty.TierInput) []loyalty.TierInput {
	return append([]loyalty.TierInput{{Name: "Member"}}, more...)
}

func step(name string, rank int, threshold int64) loyalty.TierInput {
	return loyalty.TierInput{Name: name, Rank: rank, Threshold: threshold}
}

// preview is who would move, as "from to: members".
func preview(t *testing.T, w *loyaltytest.World, mode tiers.Mode, ladder []loyalty.TierInput) []loyalty.TierMove {
	t.Helper()
	moves, err := w.Service.PreviewTierChange(w.Admin, loyalty.TierChangeInput{Tiers: ladder, Mode: mode})
	if err != nil {
		t.Fatal(err)
	}
	return moves
}

func apply(t *testing.T, w *loyaltytest.World, input loyalty.ApplyTierChangeInput) *loyalty.TierChange {
	t.Helper()
	w.Clock.Advance(time.Second)
	changed, err := w.Service.ApplyTierChange(w.Admin, input)
	if err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	return changed
}

// holders are the names of the tiers that members hold.
func holders(w *loyaltytest.World, members ...*loyalty.Member) []string {
	names := make([]string, len(members))
	for i, member := range members {
		names[i] = w.Standing(member).Tier.Name
	}
	return names
}

// crowd is a member for each number of points.
func crowd(w *loyaltytest.World, totals ...string) []*loyalty.Member {
	members := make([]*loyalty.Member, len(totals))
	for i, total := range totals {
		members[i] = w.Enroll()
		w.Purchase(members[i], total)
	}
	return members
}

// What a preview says is what the edit does, in either mode; and what is read at once is what is posted.
func TestApplyTierChange_AsPreviewed(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		mode   tiers.Mode
		ladder []loyalty.TierInput
		want   []string
	}{
		"nothing": {tiers.Now, steps(step("Silver", 1, 100), step("Gold", 2, 500)), []string{"Member", "Silver", "Silver", "Gold", "Gold"}},
		"raised":  {tiers.Now, steps(step("Silver", 1, 200), step("Gold", 2, 700)), []string{"Member", "Member", "Silver", "Silver", "Gold"}},
		"raised, at next review": {tiers.AtNextReview, steps(step("Silver", 1, 200), step("Gold", 2, 700)),
			[]string{"Member", "Silver", "Silver", "Gold", "Gold"}},
		"lowered":      {tiers.Now, steps(step("Silver", 1, 50), step("Gold", 2, 300)), []string{"Silver", "Silver", "Gold", "Gold", "Gold"}},
		"gold removed": {tiers.Now, steps(step("Silver", 1, 100)), []string{"Member", "Silver", "Silver", "Silver", "Silver"}},
		"silver removed, at next review": {tiers.AtNextReview, steps(step("Gold", 2, 500)),
			[]string{"Member", "Member", "Member", "Gold", "Gold"}},
		"one put between": {tiers.Now, steps(step("Silver", 1, 100), step("Ruby", 2, 300), step("Gold", 3, 700)),
			[]string{"Member", "Silver", "Ruby", "Ruby", "Gold"}},
		"all removed": {tiers.Now, steps(), []string{"Member", "Member", "Member", "Member", "Member"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ladder(t)
			members := crowd(w, "60.00", "150.00", "350.00", "600.00", "800.00")
			w.Clock.Advance(time.Hour)
			before := holders(w, members...)
			promised := preview(t, w, test.mode, test.ladder)
			equal(t, "a preview moves nobody", before, holders(w, members...))
			changed := apply(t, w, loyalty.ApplyTierChangeInput{Tiers: test.ladder, Mode: test.mode})
			equal(t, "moves", promised, changed.Moves)
			equal(t, "held", test.want, holders(w, members...))
			moved := 0
			for i := range before {
				if before[i] != test.want[i] {
					moved++
				}
			}
			counted := 0
			for _, one := range changed.Moves {
				counted += one.Members
				equal(t, "sample", one.Members, len(one.SampleIDs))
			}
			equal(t, "counted", moved, counted)
			clean(t, w)
			// Nothing is left for the job, and whoever does something next stands where it stood.
			if done, err := w.Service.RecalculateTiers(w.Admin, 100); done != 0 || err != nil {
				t.Errorf("the job looked at %d members: %v", done, err)
			}
			for _, member := range members {
				w.Adjust(member, 1)
			}
			equal(t, "held later", test.want, holders(w, members...))
			clean(t, w)
		})
	}
}

// C18: a change of settings drops members silently. Here it is previewed, protected for as long as was promised, and each who
// moves is told.
func TestApplyTierChange_C18_NobodyIsDroppedSilently(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	members := crowd(w, "150.00", "600.00")
	w.Clock.Advance(time.Hour)
	raised := steps(step("Silver", 1, 200), step("Gold", 2, 700))
	equal(t, "preview", 2, len(preview(t, w, tiers.Now, raised)))
	protect := w.Now().AddDate(0, 3, 0)
	changed := apply(t, w, loyalty.ApplyTierChangeInput{Tiers: raised, Mode: tiers.Now, ProtectUntil: &protect})
	equal(t, "nobody moves", []loyalty.TierMove{}, changed.Moves)
	equal(t, "protected", []string{"Silver", "Gold"}, holders(w, members...))
	found := w.Standing(members[1])
	if found.ValidUntil == nil || !found.ValidUntil.Equal(protect) || found.Keep == nil || found.Keep.Missing != 100 || !found.Keep.By.Equal(protect) {
		t.Errorf("is not told what is missing: %+v", found)
	}
	equal(t, "told before", 2, tierNotices(t, w, "test", members[1]))
	w.Clock.Set(protect.Add(-time.Microsecond))
	equal(t, "to the last instant", []string{"Silver", "Gold"}, holders(w, members...))
	// Adding a tier breaks no promise.
	w.Clock.Set(protect.Add(-time.Hour))
	w.Tier("Platinum", 3, 5000)
	equal(t, "after another change", []string{"Silver", "Gold"}, holders(w, members...))
	w.Clock.Set(protect)
	equal(t, "then", []string{"Member", "Silver"}, holders(w, members...))
	recalculate(t, w, 1)
	equal(t, "told", 1, tierNotices(t, w, "test", members[1]))
	clean(t, w)
}

// tierNotices are how many notices a member was given of its tier, since the consumer asked last.
func tierNotices(t *testing.T, w *loyaltytest.World, consumer string, member *loyalty.Member) (count int) {
	t.Helper()
	for _, payload := range heard(t, w, consumer)[member.ID] {
		if _, ok := payload.(outbox.TierChanged); ok {
			count++
		}
	}
	return count
}

// recalculate runs the job with batches of a size until nobody is left, and returns how many members it looked at.
func recalculate(t *testing.T, w *loyaltytest.World, limit int) (total int) {
	t.Helper()
	for {
		done, err := w.Service.RecalculateTiers(w.Admin, limit)
		if err != nil {
			t.Fatal(err)
		}
		if done == 0 {
			return total
		}
		total += done
	}
}

// What was answered before an edit stays the answer for then, and what was promised comes true.
func TestApplyTierChange_AsOf(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := crowd(w, "600.00")[0]
	w.Clock.Advance(time.Hour)
	at := w.Now()
	before := w.Standing(member)
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 1, 100), step("Gold", 2, 900)), Mode: tiers.Now})
	between := w.Now()
	second := w.Standing(member)
	equal(t, "fell", "Silver", second.Tier.Name)
	w.Clock.Advance(time.Hour)
	apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Basic", 1, 50)), Mode: tiers.AtNextReview})
	w.Purchase(member, "1.00")
	for what, test := range map[string]struct {
		at   time.Time
		want *loyalty.TierStanding
	}{"before": {at, before}, "between": {between, second}} {
		found, err := w.Service.Standings(w.Admin, ids(member), &test.at)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, what, test.want, found[member.ID])
	}
	equal(t, "now", "Basic", w.Standing(member).Tier.Name)
	clean(t, w)
}

// A tier that is renamed by its id is the same one; one of another name is another one.
func TestApplyTierChange_Rename(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := crowd(w, "150.00")[0]
	since := w.Standing(member).Since
	silver := w.Standing(member).Tier.ID
	renamed := step("Sterling", 1, 100)
	renamed.ID = &silver
	changed := apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(renamed, step("gold", 2, 500)), Mode: tiers.Now})
	equal(t, "moves", []loyalty.TierMove{}, changed.Moves)
	found := w.Standing(member)
	equal(t, "name", "Sterling", found.Tier.Name)
	if !found.Since.Equal(since) || found.Tier.ID != silver {
		t.Errorf("holds another tier: %+v", found)
	}
	equal(t, "next", "gold", found.Next.Tier.Name)
	clean(t, w)
}

func TestApplyTierChange_Refused(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	unknown, soon, past := id.New[id.Tier](), w.Now().AddDate(0, 1, 0), w.Now().AddDate(0, -1, 0)
	twice := step("Silver", 2, 600)
	if found, err := w.Service.Tiers(w.Admin); err != nil {
		t.Fatal(err)
	} else {
		twice.ID = &found[1].ID
	}
	foreign := step("X", 3, 900)
	foreign.ID = &unknown
	bad := step("Silver", 1, 100)
	bad.Multiplier, bad.EarlyBooking = pointer(value.Decimal("0.5")), &value.Period{Years: 101}
	for _, test := range []struct {
		name  string
		input loyalty.ApplyTierChangeInput
		want  []string
	}{
		{"no tiers", loyalty.ApplyTierChangeInput{Mode: tiers.Now}, []string{"INVALID_TIERS tiers"}},
		{"the lowest one removed", loyalty.ApplyTierChangeInput{Tiers: []loyalty.TierInput{step("Silver", 1, 100)}, Mode: tiers.Now}, []string{"INVALID_TIERS tiers"}},
		{"the lowest one raised", loyalty.ApplyTierChangeInput{Tiers: []loyalty.TierInput{step("Member", 1, 10)}, Mode: tiers.Now}, []string{"INVALID_TIERS tiers/0/rank"}},
		{"unknown", loyalty.ApplyTierChangeInput{Tiers: steps(foreign), Mode: tiers.Now}, []string{"INVALID_TIERS tiers/1/id"}},
		{"twice", loyalty.ApplyTierChangeInput{Tiers: steps(step("Argent", 1, 50), twice, twice), Mode: tiers.Now}, []string{
			"INVALID_TIERS tiers/3/id", "INVALID_TIERS tiers/3/name", "INVALID_TIERS tiers/3/threshold"}},
		{"does not rise", loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 1, 100), step("Gold", 2, 90)), Mode: tiers.Now}, []string{"INVALID_TIERS tiers/2/threshold"}},
		{"a second lowest one", loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 0, 0)), Mode: tiers.Now}, []string{
			"INVALID_TIERS tiers/1/rank", "INVALID_TIERS tiers/1/threshold"}},
		{"benefits out of range", loyalty.ApplyTierChangeInput{Tiers: steps(bad), Mode: tiers.Now}, []string{
			"INVALID_TIERS tiers/1/multiplier", "INVALID_DURATION tiers/1/earlyBooking"}},
		{"protection at next review", loyalty.ApplyTierChangeInput{Tiers: steps(), Mode: tiers.AtNextReview, ProtectUntil: &soon}, []string{"INVALID_DATE protectUntil"}},
		{"protection of the past", loyalty.ApplyTierChangeInput{Tiers: steps(), Mode: tiers.Now, ProtectUntil: &past}, []string{"INVALID_DATE protectUntil"}},
	} {
		_, err := w.Service.ApplyTierChange(w.Admin, test.input)
		refused(t, test.name, err, test.want...)
	}
	found, err := w.Service.Tiers(w.Admin)
	if err != nil || len(found) != 3 {
		t.Errorf("%v %v", found, err)
	}
}

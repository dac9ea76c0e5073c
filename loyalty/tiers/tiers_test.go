package tiers_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

var (
	base   = tiers.Tier{ID: id.New[id.Tier](), Name: "Member"}
	silver = tiers.Tier{ID: id.New[id.Tier](), Name: "Silver", Rank: 1, Threshold: 100}
	gold   = tiers.Tier{ID: id.New[id.Tier](), Name: "Gold", Rank: 5, Threshold: 500}
	ladder = tiers.Ladder{Version: 1, Tiers: []tiers.Tier{base, silver, gold}}
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.UTC()
}

func berlin(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// under is the ladder with a policy that an edit made of the default one.
func under(zone *time.Location, edit func(*tiers.Policy)) tiers.Terms {
	policy := tiers.DefaultPolicy(zone)
	if edit != nil {
		edit(&policy)
	}
	return tiers.Terms{Ladders: []tiers.Ladder{ladder}, Policies: []tiers.Policy{policy}}
}

func TestLadder(t *testing.T) {
	t.Parallel()
	for qualifying, want := range map[int64]tiers.Tier{-1: base, 0: base, 99: base, 100: silver, 499: silver, 500: gold, 1 << 52: gold} {
		if got := ladder.For(qualifying); got.ID != want.ID {
			t.Errorf("%d points reach %s, want %s", qualifying, got.Name, want.Name)
		}
	}
	if above, ok := ladder.Above(base); !ok || above.ID != silver.ID {
		t.Errorf("above the base: %v", above)
	}
	if above, ok := ladder.Above(gold); ok {
		t.Errorf("above the top: %v", above)
	}
	for _, test := range []struct{ of, want tiers.Tier }{{gold, silver}, {silver, base}, {base, base}} {
		if got := ladder.Below(test.of); got.ID != test.want.ID {
			t.Errorf("below %s is %s", test.of.Name, got.Name)
		}
	}
	if _, ok := ladder.Tier(id.New[id.Tier]()); ok {
		t.Error("the ladder has a tier that was never added")
	}
	if missing := tiers.Missing(gold, 120); missing != 380 {
		t.Errorf("%d are missing", missing)
	}
	if missing := tiers.Missing(silver, 120); missing != 0 {
		t.Errorf("%d are missing of a tier that is reached", missing)
	}
}

func TestTier_Factor(t *testing.T) {
	t.Parallel()
	half := int64(1_500_000)
	if factor := (tiers.Tier{Multiplier: &half}).Factor(); factor == nil || *factor != value.Decimal("1.5") {
		t.Errorf("the multiplier is %v", factor)
	}
	if factor := gold.Factor(); factor != nil {
		t.Errorf("the multiplier of none is %v", *factor)
	}
}

// What was known at an instant is what was made by then.
func TestTerms_At(t *testing.T) {
	t.Parallel()
	second := tiers.Ladder{Version: 2, CreatedAt: at(t, "2025-05-01T00:00:00Z"), Tiers: ladder.Tiers}
	terms := under(time.UTC, nil).With(second)
	terms.Policies = append(terms.Policies, tiers.Policy{Since: at(t, "2025-06-01T00:00:00Z"), Period: tiers.Lifetime, Zone: time.UTC})
	for text, want := range map[string]struct {
		version int
		period  tiers.Period
	}{
		"0001-01-01T00:00:00Z": {1, tiers.Rolling}, "2025-04-30T23:59:59Z": {1, tiers.Rolling},
		"2025-05-01T00:00:00Z": {2, tiers.Rolling}, "2025-06-01T00:00:00Z": {2, tiers.Lifetime},
	} {
		if then := terms.At(at(t, text)); then.Ladder().Version != want.version || then.Policy().Period != want.period {
			t.Errorf("at %s: ladder %d, %s", text, then.Ladder().Version, then.Policy().Period)
		}
	}
}

package tiers_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/id"
	"regulars/loyalty/tiers"
)

var (
	base   = tiers.Tier{ID: id.New[id.Tier](), Name: "Member"}
	silver = tiers.Tier{ID: id.New[id.Tier](), Name: "Silver", Rank: 1, Threshold: 100}
	gold   = tiers.Tier{ID: id.New[id.Tier](), Name: "Gold", Rank: 5, Threshold: 500}
	ladder = tiers.Ladder{Version: 3, Tiers: []tiers.Tier{base, silver, gold}}
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

func TestRise(t *testing.T) {
	t.Parallel()
	policy := tiers.DefaultPolicy(time.UTC)
	now := at(t, "2025-03-10T10:00:00Z")
	until := at(t, "2026-03-10T10:00:00Z")
	standing := tiers.Standing{Tier: base, Since: at(t, "2024-01-01T00:00:00Z")}
	if after, rose := tiers.Rise(standing, ladder, policy, 99, now); rose || !cmp.Equal(after, standing) {
		t.Errorf("99 points: %v", after)
	}
	after, rose := tiers.Rise(standing, ladder, policy, 600, now)
	if difference := cmp.Diff(tiers.Standing{Tier: gold, Since: now, ValidUntil: &until}, after); !rose || difference != "" {
		t.Errorf("straight to the top: %s", difference)
	}
	if again, rose := tiers.Rise(after, ladder, policy, 100, now.AddDate(0, 1, 0)); rose || !cmp.Equal(again, after) {
		t.Errorf("it fell: %v", again)
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	policy := tiers.DefaultPolicy(time.UTC)
	since, end := at(t, "2024-03-10T10:00:00Z"), at(t, "2025-03-10T10:00:00Z")
	next := at(t, "2026-03-10T10:00:00Z")
	held := tiers.Standing{Tier: silver, Since: since, ValidUntil: &end}
	if held.Over(end.Add(-time.Microsecond)) || !held.Over(end) || (tiers.Standing{Tier: base}).Over(end) {
		t.Error("a standing is over from its end on, and one without end never")
	}
	for name, test := range map[string]struct {
		qualifying int64
		want       tiers.Standing
		reason     tiers.Reason
	}{
		"kept":   {100, tiers.Standing{Tier: silver, Since: since, ValidUntil: &next}, tiers.Requalified},
		"higher": {500, tiers.Standing{Tier: gold, Since: end, ValidUntil: &next}, tiers.Requalified},
		"lapsed": {99, tiers.Standing{Tier: base, Since: end}, tiers.Lapsed},
	} {
		got, reason := tiers.Review(held, ladder, policy, test.qualifying)
		if difference := cmp.Diff(test.want, got); difference != "" || reason != test.reason {
			t.Errorf("%s: %s %s", name, reason, difference)
		}
	}
}

func TestPolicy_Calendar(t *testing.T) {
	t.Parallel()
	policy := tiers.DefaultPolicy(berlin(t))
	for _, test := range []struct{ name, at, after, until string }{
		{"an ordinary day", "2025-06-10T12:00:00Z", "2024-06-10T12:00:00Z", "2026-06-10T12:00:00Z"},
		{"winter a year ago, summer now", "2025-03-30T12:00:00Z", "2024-03-30T13:00:00Z", "2026-03-30T12:00:00Z"},
		{"summer a year ago, winter now", "2025-10-26T13:00:00Z", "2024-10-26T12:00:00Z", "2026-10-26T13:00:00Z"},
		{"29 February", "2024-02-29T12:00:00Z", "2023-02-28T22:59:59.999999Z", "2025-02-28T12:00:00Z"},
		{"28 February after it", "2025-02-28T12:00:00Z", "2024-02-28T12:00:00Z", "2026-02-28T12:00:00Z"},
		{"1 March after it", "2024-03-01T12:00:00Z", "2023-03-01T12:00:00Z", "2025-03-01T12:00:00Z"},
	} {
		if got := policy.CountsAfter(at(t, test.at)); !got.Equal(at(t, test.after)) {
			t.Errorf("%s: counts after %s, want %s", test.name, got, test.after)
		}
		if got := policy.CountsUntil(at(t, test.at)); !got.Equal(at(t, test.until)) {
			t.Errorf("%s: counts until %s, want %s", test.name, got, test.until)
		}
	}
}

// What has stopped counting never counts again, and nothing stops before it is said to.
func TestPolicy_Monotonous(t *testing.T) {
	t.Parallel()
	policy := tiers.DefaultPolicy(time.UTC)
	start := at(t, "2023-01-01T00:00:00Z")
	rapid.Check(t, func(t *rapid.T) {
		instant := func(name string) time.Time {
			return start.Add(time.Duration(rapid.Int64Range(0, 4*366*24*3600).Draw(t, name)) * time.Second)
		}
		earlier, later, qualified := instant("earlier"), instant("later"), instant("qualified")
		if later.Before(earlier) {
			earlier, later = later, earlier
		}
		if policy.CountsAfter(later).Before(policy.CountsAfter(earlier)) {
			t.Errorf("the window goes back between %s and %s", earlier, later)
		}
		if until := policy.CountsUntil(qualified); !qualified.After(policy.CountsAfter(until.Add(-time.Microsecond))) {
			t.Errorf("what qualified at %s has stopped counting before %s", qualified, until)
		}
	})
}

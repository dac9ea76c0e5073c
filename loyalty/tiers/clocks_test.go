package tiers_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/loyalty/tiers"
)

// Where clocks are changed, points that have stopped counting never count again, and count as long as is said.
func TestPolicy_Clocks(t *testing.T) {
	t.Parallel()
	zones := []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Santiago", "Asia/Gaza", "UTC"}
	rapid.Check(t, func(t *rapid.T) {
		zone, err := time.LoadLocation(rapid.SampledFrom(zones).Draw(t, "zone"))
		if err != nil {
			t.Fatal(err)
		}
		policy := tiers.DefaultPolicy(zone)
		policy.Months = rapid.SampledFrom([]int{1, 6, 12, 120}).Draw(t, "months")
		at := time.Date(rapid.IntRange(2008, 2030).Draw(t, "year"), 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(0, 366*48).Draw(t, "half hours")) * 30 * time.Minute)
		// Half of all windows end where clocks are changed.
		if begun, _ := at.In(zone).ZoneBounds(); !begun.IsZero() && rapid.Bool().Draw(t, "at a change") {
			at = begun.AddDate(0, policy.Months*rapid.IntRange(0, 1).Draw(t, "later"), 0)
		}
		before := policy.CountsAfter(at.Add(-30*time.Hour), at)
		for step := -30 * time.Hour; step <= 30*time.Hour; step += 15 * time.Minute {
			now := at.Add(step)
			after := policy.CountsAfter(now, at)
			if after.Before(before) {
				t.Fatalf("at %s the window goes back from %s to %s", now, before, after)
			}
			before = after
			if until := policy.CountsUntil(now, at); !policy.CountsAfter(until.Add(-time.Microsecond), at).Before(now) {
				t.Fatalf("what qualified at %s counts until %s, but the window ends at %s by then", now, until, policy.CountsAfter(*until, at))
			}
		}
	})
}

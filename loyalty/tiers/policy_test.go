package tiers_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/loyalty/tiers"
)

func TestPolicy_Rolling(t *testing.T) {
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
		if got := policy.CountsAfter(at(t, test.at), time.Time{}); !got.Equal(at(t, test.after)) {
			t.Errorf("%s: counts after %s, want %s", test.name, got, test.after)
		}
		if got := policy.CountsUntil(at(t, test.at), time.Time{}); !got.Equal(at(t, test.until)) {
			t.Errorf("%s: counts until %s, want %s", test.name, got, test.until)
		}
	}
}

// Years begin at midnight of the program's zone, whatever its clocks do; a day that a year does not have is the month's last.
func TestPolicy_Years(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, joined string
		period       tiers.Period
		at           string
		// From which instant on points count at it, until when those that qualify at it do, and from when on a review counts.
		counts, until, reviews string
	}{
		{"calendar, summer", "2020-05-05T10:00:00Z", tiers.CalendarYear, "2025-07-01T12:00:00Z",
			"2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z", "2023-12-31T23:00:00Z"},
		{"calendar, the first instant", "2020-05-05T10:00:00Z", tiers.CalendarYear, "2024-12-31T23:00:00Z",
			"2024-12-31T23:00:00Z", "2025-12-31T23:00:00Z", "2023-12-31T23:00:00Z"},
		{"calendar, new year in London", "2020-05-05T10:00:00Z", tiers.CalendarYear, "2024-12-31T22:59:59.999999Z",
			"2023-12-31T23:00:00Z", "2024-12-31T23:00:00Z", "2022-12-31T23:00:00Z"},
		{"membership, the day before", "2020-07-10T20:00:00Z", tiers.MembershipYear, "2025-07-09T21:59:59Z",
			"2024-07-09T22:00:00Z", "2025-07-09T22:00:00Z", "2023-07-09T22:00:00Z"},
		{"membership, the day", "2020-07-10T20:00:00Z", tiers.MembershipYear, "2025-07-09T22:00:00Z",
			"2025-07-09T22:00:00Z", "2026-07-09T22:00:00Z", "2024-07-09T22:00:00Z"},
		{"membership, joined at night in winter", "2020-01-10T23:30:00Z", tiers.MembershipYear, "2025-01-10T23:00:00Z",
			"2025-01-10T23:00:00Z", "2026-01-10T23:00:00Z", "2024-01-10T23:00:00Z"},
		{"membership, joined on a leap day, in an ordinary year", "2024-02-29T12:00:00Z", tiers.MembershipYear, "2026-02-28T12:00:00Z",
			"2026-02-27T23:00:00Z", "2027-02-27T23:00:00Z", "2025-02-27T23:00:00Z"},
		{"membership, joined on a leap day, the day before the next", "2024-02-29T12:00:00Z", tiers.MembershipYear, "2028-02-28T12:00:00Z",
			"2027-02-27T23:00:00Z", "2028-02-28T23:00:00Z", "2026-02-27T23:00:00Z"},
		{"membership, before it began", "2024-07-10T20:00:00Z", tiers.MembershipYear, "2024-07-01T12:00:00Z",
			"2023-07-09T22:00:00Z", "2024-07-09T22:00:00Z", "2022-07-09T22:00:00Z"},
		{"membership, the day on which clocks change", "2020-03-30T10:00:00Z", tiers.MembershipYear, "2025-03-30T12:00:00Z",
			"2025-03-29T23:00:00Z", "2026-03-29T22:00:00Z", "2024-03-29T23:00:00Z"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			policy := tiers.Policy{Period: test.period, Zone: berlin(t)}
			joined, now := at(t, test.joined), at(t, test.at)
			if got := policy.CountsAfter(now, joined); !got.Equal(at(t, test.counts).Add(-time.Microsecond)) {
				t.Errorf("counts after %s", got)
			}
			if got := policy.CountsUntil(now, joined); !got.Equal(at(t, test.until)) {
				t.Errorf("counts until %s", got)
			}
			if got := policy.ReviewsAfter(now, joined); !got.Equal(at(t, test.reviews).Add(-time.Microsecond)) {
				t.Errorf("a review counts after %s", got)
			}
			if got := policy.Deadline(now, joined); !got.Equal(at(t, test.until)) {
				t.Errorf("the deadline is %s", got)
			}
		})
	}
}

func TestPolicy_Lifetime(t *testing.T) {
	t.Parallel()
	policy := tiers.Policy{Period: tiers.Lifetime, Zone: time.UTC}
	now := at(t, "2025-07-01T12:00:00Z")
	if after, until, deadline := policy.CountsAfter(now, now), policy.CountsUntil(now, now), policy.Deadline(now, now); !after.IsZero() || until != nil || deadline != nil {
		t.Errorf("counts after %s until %v, by %v", after, until, deadline)
	}
}

func TestPolicy_Starts(t *testing.T) {
	t.Parallel()
	now, joined := "2025-10-26T12:00:00Z", "2021-12-24T10:00:00Z"
	for period, want := range map[tiers.Period]string{
		tiers.Rolling: "2025-10-31T23:00:00Z", tiers.Lifetime: "2025-10-31T23:00:00Z",
		tiers.CalendarYear: "2025-12-31T23:00:00Z", tiers.MembershipYear: "2025-12-23T23:00:00Z",
	} {
		policy := tiers.Policy{Period: period, Start: tiers.NextPeriod, Zone: berlin(t)}
		if got := policy.Starts(at(t, now), at(t, joined)); !got.Equal(at(t, want)) {
			t.Errorf("%s: begins at %s, want %s", period, got, want)
		}
		policy.Start = tiers.AtOnce
		if got := policy.Starts(at(t, now), at(t, joined)); !got.Equal(at(t, now)) {
			t.Errorf("%s: begins at %s, want at once", period, got)
		}
	}
}

// What has stopped counting never counts again, nothing stops before it is said to, and a year begins before what it holds.
func TestPolicy_Monotonous(t *testing.T) {
	t.Parallel()
	start := at(t, "2023-01-01T00:00:00Z")
	for _, period := range []tiers.Period{tiers.Rolling, tiers.CalendarYear, tiers.MembershipYear, tiers.Lifetime} {
		for _, name := range []string{"UTC", "Europe/Berlin", "America/Sao_Paulo"} {
			t.Run(fmt.Sprintf("%s/%s", period, name), func(t *testing.T) {
				t.Parallel()
				zone, err := time.LoadLocation(name)
				if err != nil {
					t.Fatal(err)
				}
				rapid.Check(t, func(r *rapid.T) {
					policy := tiers.Policy{Period: period, Months: rapid.IntRange(1, 36).Draw(r, "months"), Zone: zone}
					instant := func(name string) time.Time {
						return start.Add(time.Duration(rapid.Int64Range(0, 4*366*24*3600).Draw(r, name)) * time.Second)
					}
					earlier, later, qualified, joined := instant("earlier"), instant("later"), instant("qualified"), instant("joined")
					if later.Before(earlier) {
						earlier, later = later, earlier
					}
					if policy.CountsAfter(later, joined).Before(policy.CountsAfter(earlier, joined)) {
						r.Errorf("the window goes back between %s and %s", earlier, later)
					}
					if policy.ReviewsAfter(earlier, joined).After(policy.CountsAfter(earlier, joined)) {
						r.Errorf("a review at %s counts less than a rise", earlier)
					}
					until := policy.CountsUntil(qualified, joined)
					if until != nil && !qualified.After(policy.CountsAfter(until.Add(-time.Microsecond), joined)) {
						r.Errorf("what qualified at %s has stopped counting before %s", qualified, until)
					}
				})
			})
		}
	}
}

package lots_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"regulars/internal/value"
	"regulars/loyalty/lots"
)

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

// at reads an instant; "" is none.
func at(t *testing.T, text string) *time.Time {
	t.Helper()
	if text == "" {
		return nil
	}
	parsed, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		t.Fatal(err)
	}
	return pointer(parsed.UTC())
}

func TestExpiresAt(t *testing.T) {
	t.Parallel()
	year := value.Period{Years: 1}
	month := value.Months(1)
	earning := func(after value.Period, unit lots.PeriodUnit) lots.Expiry {
		return lots.Expiry{Mode: lots.AfterEarning, After: after, RoundUpTo: unit}
	}
	activation := lots.Expiry{Mode: lots.AfterActivation, After: month}
	onDate := func(year int, month time.Month, day int) lots.Expiry {
		return lots.Expiry{Mode: lots.OnDate, On: value.Date{Year: year, Month: month, Day: day}}
	}
	for _, test := range []struct {
		name                    string
		policy                  lots.Expiry
		earned, activated, want string
	}{
		{"never", lots.Expiry{Mode: lots.Never, After: year}, "2025-03-10T10:00:00+01:00", "2025-03-10T10:00:00+01:00", ""},
		{"inactivity, which no lot knows", lots.Expiry{Mode: lots.Inactivity, After: year}, "2025-03-10T10:00:00+01:00", "2025-03-10T10:00:00+01:00", ""},

		{"after earning", earning(month, ""), "2025-01-31T10:00:00+01:00", "2025-06-01T00:00:00+02:00", "2025-02-28T10:00:00+01:00"},
		{"after earning, into summer time", earning(month, ""), "2025-03-10T10:00:00+01:00", "", "2025-04-10T10:00:00+02:00"},
		{"after earning, into winter time", earning(month, ""), "2025-10-10T10:00:00+02:00", "", "2025-11-10T10:00:00+01:00"},
		{"after earning, on a leap day", earning(year, ""), "2024-02-29T10:00:00+01:00", "", "2025-02-28T10:00:00+01:00"},
		{"after activation", activation, "2025-01-01T10:00:00+01:00", "2025-01-31T12:00:00+01:00", "2025-02-28T12:00:00+01:00"},
		{"after activation, which is not known", activation, "2025-01-01T10:00:00+01:00", "", ""},

		{"to the end of the month", earning(month, lots.Month), "2025-02-10T10:00:00+01:00", "", "2025-04-01T00:00:00+02:00"},
		{"to the end of the month in which clocks go back", earning(month, lots.Month), "2025-09-10T10:00:00+02:00", "", "2025-11-01T00:00:00+01:00"},
		{"to the end of December", earning(month, lots.Month), "2025-11-30T23:59:59.999999+01:00", "", "2026-01-01T00:00:00+01:00"},
		{"at the very end of a month, it stays", earning(month, lots.Month), "2025-03-01T00:00:00+01:00", "", "2025-04-01T00:00:00+02:00"},
		{"just before the end of a month", earning(month, lots.Month), "2025-02-28T23:59:59.999999+01:00", "", "2025-04-01T00:00:00+02:00"},
		{"just behind the end of a month", earning(month, lots.Month), "2025-03-01T00:00:00.000001+01:00", "", "2025-05-01T00:00:00+02:00"},
		{"the month is the zone's", earning(month, lots.Month), "2025-06-30T22:30:00Z", "", "2025-08-31T22:00:00Z"},
		{"to the end of the year", earning(year, lots.Year), "2025-02-10T10:00:00+01:00", "", "2027-01-01T00:00:00+01:00"},
		{"at the very end of a year, it stays", earning(year, lots.Year), "2025-01-01T00:00:00+01:00", "", "2026-01-01T00:00:00+01:00"},
		{"just before the end of a year", earning(year, lots.Year), "2024-12-31T23:59:59.999999+01:00", "", "2026-01-01T00:00:00+01:00"},
		{"just behind the end of a year", earning(year, lots.Year), "2025-01-01T00:00:00.000001+01:00", "", "2027-01-01T00:00:00+01:00"},
		{"the year is the zone's", earning(year, lots.Year), "2025-12-31T23:30:00Z", "", "2027-12-31T23:00:00Z"},
		{
			"after activation, rounded", lots.Expiry{Mode: lots.AfterActivation, After: month, RoundUpTo: lots.Month},
			"2025-01-01T10:00:00+01:00", "2025-02-10T12:00:00+01:00", "2025-04-01T00:00:00+02:00",
		},

		{"on a date", onDate(2026, time.June, 30), "2025-03-10T10:00:00+01:00", "", "2026-07-01T00:00:00+02:00"},
		{"on a date that is years ahead", onDate(2030, time.June, 30), "2025-03-10T10:00:00+01:00", "", "2030-07-01T00:00:00+02:00"},
		{"on that very day", onDate(2026, time.June, 30), "2026-06-30T23:59:59.999999+02:00", "", "2026-07-01T00:00:00+02:00"},
		{"when that day is over", onDate(2026, time.June, 30), "2026-07-01T00:00:00+02:00", "", "2027-07-01T00:00:00+02:00"},
		{"years later", onDate(2026, time.June, 30), "2029-02-01T10:00:00+01:00", "", "2029-07-01T00:00:00+02:00"},
		{"on the last day of the year", onDate(2025, time.December, 31), "2026-01-01T00:00:00+01:00", "", "2027-01-01T00:00:00+01:00"},
		{"the date is the zone's", onDate(2025, time.December, 31), "2025-12-31T23:30:00Z", "", "2026-12-31T23:00:00Z"},
		{"on 29 February", onDate(2024, time.February, 29), "2024-02-29T10:00:00+01:00", "", "2024-03-01T00:00:00+01:00"},
		{"on 29 February of a year without it", onDate(2024, time.February, 29), "2024-03-01T00:00:00+01:00", "", "2025-03-01T00:00:00+01:00"},
		{"on 29 February of the next leap year", onDate(2024, time.February, 29), "2027-03-01T00:00:00+01:00", "", "2028-03-01T00:00:00+01:00"},
		{"on 28 February of a leap year", onDate(2024, time.February, 28), "2028-02-28T10:00:00+01:00", "", "2028-02-29T00:00:00+01:00"},
	} {
		got := test.policy.ExpiresAt(*at(t, test.earned), at(t, test.activated), berlin(t))
		same(t, test.name, at(t, test.want), got)
	}
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	got := onDate(2025, time.December, 31).ExpiresAt(*at(t, "2026-01-01T04:30:00Z"), nil, newYork)
	same(t, "the date is the zone's, west of Greenwich", at(t, "2026-01-01T05:00:00Z"), got)
}

func TestIdle(t *testing.T) {
	t.Parallel()
	since := func(mode lots.ExpiryMode, months int, from string) lots.Expiry {
		policy := lots.Expiry{Mode: mode, After: value.Months(months)}
		if from != "" {
			policy.Since = *at(t, from)
		}
		return policy
	}
	never := since(lots.Never, 0, "")
	half := since(lots.Inactivity, 6, "2025-01-01T00:00:00+01:00")
	rounded := half
	rounded.RoundUpTo = lots.Month
	for _, test := range []struct {
		name        string
		policies    []lots.Expiry
		heard, want string
	}{
		{"no policy", nil, "2025-03-10T10:00:00+01:00", ""},
		{"points that never lapse", []lots.Expiry{never}, "2025-03-10T10:00:00+01:00", ""},
		{"points that lapse by themselves", []lots.Expiry{never, since(lots.AfterEarning, 6, "2025-01-01T00:00:00+01:00")}, "2025-03-10T10:00:00+01:00", ""},
		{"heard under the policy", []lots.Expiry{never, half}, "2025-03-10T10:00:00+01:00", "2025-09-10T10:00:00+02:00"},
		{"rounded to the end of the month", []lots.Expiry{never, rounded}, "2025-03-10T10:00:00+01:00", "2025-10-01T00:00:00+02:00"},
		{"a new policy takes nothing at once", []lots.Expiry{never, half}, "2020-03-10T10:00:00+01:00", "2025-07-01T00:00:00+02:00"},
		{
			"a policy that ended before it struck takes nothing",
			[]lots.Expiry{never, half, since(lots.Never, 0, "2025-09-10T09:59:59+02:00")}, "2025-03-10T10:00:00+01:00", "",
		},
		{
			"nor one that ended when it would have",
			[]lots.Expiry{never, half, since(lots.Never, 0, "2025-09-10T10:00:00+02:00")}, "2025-03-10T10:00:00+01:00", "",
		},
		{
			"a policy that struck before it ended",
			[]lots.Expiry{never, half, since(lots.Never, 0, "2025-09-10T10:00:00.000001+02:00")}, "2025-03-10T10:00:00+01:00", "2025-09-10T10:00:00+02:00",
		},
		{
			"a member that was heard after the policy ended",
			[]lots.Expiry{never, half, since(lots.Never, 0, "2025-09-10T10:00:00+02:00")}, "2026-03-10T10:00:00+01:00", "",
		},
		{
			"a shorter one that follows counts from its own beginning",
			[]lots.Expiry{never, half, since(lots.Inactivity, 1, "2025-08-01T00:00:00+02:00")}, "2025-03-10T10:00:00+01:00", "2025-09-01T00:00:00+02:00",
		},
		{
			"a longer one that follows counts from its own beginning, too",
			[]lots.Expiry{never, half, since(lots.Inactivity, 12, "2025-08-01T00:00:00+02:00")}, "2025-03-10T10:00:00+01:00", "2026-08-01T00:00:00+02:00",
		},
		{
			"heard under the one that follows",
			[]lots.Expiry{never, half, since(lots.Inactivity, 12, "2025-08-01T00:00:00+02:00")}, "2025-08-02T00:00:00+02:00", "2026-08-02T00:00:00+02:00",
		},
		{
			"the same once more, since something else changed",
			[]lots.Expiry{never, half, since(lots.Inactivity, 6, "2025-08-01T00:00:00+02:00")}, "2025-03-10T10:00:00+01:00", "2025-09-10T10:00:00+02:00",
		},
		{
			"one after a time without",
			[]lots.Expiry{never, half, since(lots.OnDate, 0, "2025-04-01T00:00:00+02:00"), since(lots.Inactivity, 3, "2026-01-01T00:00:00+01:00")},
			"2025-03-10T10:00:00+01:00", "2026-04-01T00:00:00+02:00",
		},
		{
			"what struck first has struck",
			[]lots.Expiry{never, half, since(lots.Inactivity, 3, "2026-01-01T00:00:00+01:00")}, "2025-03-10T10:00:00+01:00", "2025-09-10T10:00:00+02:00",
		},
	} {
		same(t, test.name, at(t, test.want), lots.Idle(test.policies, *at(t, test.heard), berlin(t)))
	}
}

// Whoever was not heard of since is idle, under whichever policy; whoever becomes idle under the policy in force is
// found within some days.
func TestIdleSince(t *testing.T) {
	t.Parallel()
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		hours := func(name string, most int) time.Duration {
			return time.Duration(rapid.IntRange(0, most).Draw(t, name)) * time.Hour
		}
		policies := []lots.Expiry{{Mode: lots.Never}}
		last := start
		for range rapid.IntRange(1, 4).Draw(t, "policies") {
			last = last.Add(hours("later", 3000))
			policies = append(policies, lots.Expiry{
				Mode:  rapid.SampledFrom([]lots.ExpiryMode{lots.Inactivity, lots.Inactivity, lots.Never}).Draw(t, "mode"),
				After: rapid.SampledFrom([]value.Period{{Days: 30}, {Months: 1}, {Days: 90}}).Draw(t, "after"), Since: last,
			})
		}
		now := last.Add(hours("now", 5000))
		since := lots.IdleSince(policies, now, zone)
		if since != nil {
			heard := since.Add(-hours("heard before", 3000))
			if idle := lots.Idle(policies, heard, zone); idle == nil || idle.After(now) {
				t.Fatalf("heard at %s, before %s, it is idle at %v, later than %s", heard, since, idle, now)
			}
		}
		current := policies[len(policies)-1:]
		heard := last.Add(hours("heard since", 5000))
		if idle := lots.Idle(current, heard, zone); idle != nil && !idle.AddDate(0, 0, 4).After(now) && (since == nil || heard.After(*since)) {
			t.Fatalf("heard at %s, it is idle at %s, and only those are found that were heard before %v", heard, idle, since)
		}
	})
}

// Points lapse after they were earned, and not before their period is over; rounded, at the beginning of the zone's next
// month or year, or right behind the date. Those earned days later at the same time of day never lapse before them. (Within
// a day that does not hold: 28 January 23:00 and 31 January 01:00 both lead to 28 February, each at its own time of day.)
func FuzzExpiresAt(f *testing.F) {
	// A month that ends early, the end of a year, both changes of the clocks, 29 February.
	f.Add(int64(1738281600), uint16(1), uint8(0), uint8(1), uint8(0), uint16(0), uint8(0), uint16(59))
	f.Add(int64(1735685999), uint16(31), uint8(1), uint8(0), uint8(0), uint16(0), uint8(1), uint16(365))
	f.Add(int64(1761438600), uint16(200), uint8(0), uint8(5), uint8(3), uint16(7), uint8(2), uint16(59))
	f.Add(int64(1743294600), uint16(1), uint8(4), uint8(0), uint8(0), uint16(90), uint8(1), uint16(59))
	f.Fuzz(func(t *testing.T, second int64, later uint16, years, months, days uint8, minutes uint16, unit uint8, on uint16) {
		zone := berlin(t)
		earned := time.Unix(second%(1<<33), 0).In(zone)
		then := earned.AddDate(0, 0, int(later))
		// A period of the calendar: the hour that comes twice is value's matter.
		policy := lots.Expiry{
			Mode: lots.AfterEarning, RoundUpTo: []lots.PeriodUnit{"", lots.Month, lots.Year}[unit%3],
			After: value.Period{Years: int(years), Months: int(months), Days: int(days) + 1, Clock: time.Duration(minutes) * time.Minute},
		}
		exactly := policy
		exactly.RoundUpTo = ""
		at, whole := *policy.ExpiresAt(earned, nil, zone), *exactly.ExpiresAt(earned, nil, zone)
		if !whole.After(earned) || at.Before(whole) {
			t.Errorf("earned at %s, over at %s, lapses at %s", earned, whole, at)
		}
		if most := map[lots.PeriodUnit]int{lots.Month: 32, lots.Year: 367}[policy.RoundUpTo]; at.After(whole.AddDate(0, 0, most)) {
			t.Errorf("over at %s, but lapses at %s", whole, at)
		}
		local := at.In(zone)
		if policy.RoundUpTo != "" && (local.Day() != 1 || local.Format(time.TimeOnly) != "00:00:00" || policy.RoundUpTo == lots.Year && local.YearDay() != 1) {
			t.Errorf("lapses at %s, which ends no %s", local, policy.RoundUpTo)
		}
		if next := *policy.ExpiresAt(then, nil, zone); next.Before(at) {
			t.Errorf("earned at %s, lapses at %s; earned at %s, lapses at %s", earned, at, then, next)
		}

		date := lots.Expiry{Mode: lots.OnDate, On: value.DateOf(time.Date(2024, time.January, 1+int(on), 0, 0, 0, 0, time.UTC))}
		last, next := *date.ExpiresAt(earned, nil, zone), *date.ExpiresAt(then, nil, zone)
		if !last.After(earned) || last.In(zone).Format(time.TimeOnly) != "00:00:00" || last.In(zone).Year() < date.On.Year || next.Before(last) {
			t.Errorf("until %s; earned at %s, lapses at %s; earned at %s, lapses at %s", date.On, earned, last, then, next)
		}
		if from := max(date.On.Year, earned.Year()); last.In(zone).Year() > from+1 {
			t.Errorf("until %s; earned at %s, lapses only at %s", date.On, earned, last)
		}
	})
}

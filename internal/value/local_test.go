package value_test

import (
	"testing"
	"time"

	"regulars/internal/value"
)

// Times on the wall are read as RFC 5545 says, also where clocks skip them or show them twice.
func TestLocalDateTime_In(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		local, zone, want string
		once              bool
	}{
		{"2026-12-05T19:00", "Europe/Berlin", "2026-12-05T18:00:00Z", true},
		{"2026-07-05T19:00:30", "Europe/Berlin", "2026-07-05T17:00:30Z", true},
		// Skipped: with the offset from before the gap.
		{"2026-03-29T02:30", "Europe/Berlin", "2026-03-29T01:30:00Z", false},
		{"2026-03-29T02:00", "Europe/Berlin", "2026-03-29T01:00:00Z", false},
		{"2026-03-29T03:00", "Europe/Berlin", "2026-03-29T01:00:00Z", true},
		{"2026-03-08T02:30", "America/New_York", "2026-03-08T07:30:00Z", false},
		// Shown twice: the first.
		{"2026-10-25T02:30", "Europe/Berlin", "2026-10-25T00:30:00Z", false},
		{"2026-10-25T03:00", "Europe/Berlin", "2026-10-25T02:00:00Z", true},
		{"2026-11-01T01:30", "America/New_York", "2026-11-01T05:30:00Z", false},
		{"2026-04-05T01:45", "Australia/Lord_Howe", "2026-04-04T14:45:00Z", false},
		// A day that was not there at all.
		{"2011-12-30T12:00", "Pacific/Apia", "2011-12-30T22:00:00Z", false},
		{"2026-01-01T00:00", "UTC", "2026-01-01T00:00:00Z", true},
	} {
		zone, err := time.LoadLocation(test.zone)
		if err != nil {
			t.Fatal(err)
		}
		read, err := value.ParseLocalDateTime(test.local)
		if err != nil {
			t.Fatal(err)
		}
		if got := read.In(zone).UTC().Format(time.RFC3339); got != test.want {
			t.Errorf("%s in %s is %s, want %s", test.local, test.zone, got, test.want)
		}
		if once := read.OnceIn(zone); once != test.once {
			t.Errorf("%s in %s is shown once: %t", test.local, test.zone, once)
		}
	}
}

// Over two years of zones with all kinds of changes, what a wall shows leads back to the first instant at which it does.
func TestLocalDateTime_In_EveryHalfHour(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca", "Asia/Kathmandu", "Pacific/Apia"} {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		first, twice := map[value.LocalDateTime]time.Time{}, map[value.LocalDateTime]bool{}
		for at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() < 2028; at = at.Add(30 * time.Minute) {
			shown := value.LocalDateTimeOf(at.In(zone))
			if _, ok := first[shown]; !ok {
				first[shown] = at
			} else {
				twice[shown] = true
			}
		}
		for shown, at := range first {
			if once := !twice[shown]; shown.OnceIn(zone) != once {
				t.Errorf("%s in %s is shown once: %t", shown, name, once)
			}
			if got := shown.In(zone); !got.Equal(at) {
				t.Errorf("%s in %s is %s, want %s", shown, name, got, at)
			}
		}
	}
}

func TestParseLocalDateTime(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "2026-12-05", "2026-12-05 19:00", "2026-12-05T19", "2026-02-30T19:00", "2026-12-05T24:00", "2026-12-05T19:00Z", "2026-12-05T19:00:00.5", "2026-12-05T1:00:00"} {
		if read, err := value.ParseLocalDateTime(text); err == nil {
			t.Errorf("%q is read as %s", text, read)
		}
	}
}

package occasion_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care/occasion"
	"regulars/internal/value"
)

// year lists the holidays of a country in a year.
func year(country string, number int) []string {
	var found []string
	for at := time.Date(number, 1, 1, 0, 0, 0, 0, time.UTC); at.Year() == number; at = at.AddDate(0, 0, 1) {
		for _, day := range occasion.HolidaysOn(country, value.DateOf(at)) {
			found = append(found, day.Date.String()[5:]+" "+day.Name)
		}
	}
	return found
}

func TestHolidays(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		country string
		year    int
		want    []string
	}{
		{"US", 2026, []string{"01-01 new-year", "04-05 easter", "07-04 national-day", "11-26 thanksgiving", "12-25 christmas-day"}},
		{"CA", 2027, []string{"01-01 new-year", "03-28 easter", "07-01 national-day", "10-11 thanksgiving", "12-25 christmas-day"}},
		{"CN", 2027, []string{"01-01 new-year", "02-06 lunar-new-year", "06-09 dragon-boat", "09-15 mid-autumn", "10-01 national-day"}},
		// New moons near midnight: the year begins on different days.
		{"KR", 2027, []string{"01-01 new-year", "02-07 lunar-new-year", "09-15 mid-autumn", "10-03 national-day", "12-25 christmas-day"}},
		{"VN", 2030, []string{"01-01 new-year", "02-02 lunar-new-year", "09-02 national-day"}},
		{"GR", 2027, []string{"01-01 new-year", "03-25 national-day", "05-02 easter", "12-25 christmas-day"}},
		{"NL", 2031, []string{"01-01 new-year", "04-13 easter", "04-26 national-day", "12-25 christmas-day"}},
		{"IN", 2026, []string{"01-01 new-year", "01-26 republic-day", "08-15 national-day", "11-08 diwali"}},
		{"TR", 2026, []string{"01-01 new-year", "03-20 eid-al-fitr", "05-27 eid-al-adha", "10-29 national-day"}},
		// Behind a list there is nothing, rather than a guess.
		{"SA", 2050, []string{"09-23 national-day"}},
		{"", 2026, nil},
		{"AQ", 2026, nil},
	} {
		if diff := cmp.Diff(test.want, year(test.country, test.year)); diff != "" {
			t.Errorf("%s in %d (-want +got):\n%s", test.country, test.year, diff)
		}
	}
}

func TestTitle(t *testing.T) {
	t.Parallel()
	day := occasion.HolidaysOn("CN", date("2026-02-17"))[0]
	for locale, want := range map[string]string{
		"zh-Hans-CN": "春节", "zh": "春节", "zh-TW": "春节", "en-GB": "Lunar New Year", "fr": "Lunar New Year", "": "Lunar New Year", "nonsense!": "Lunar New Year",
	} {
		if got := day.Title(locale); got != want {
			t.Errorf("in %q: %q", locale, got)
		}
	}
}

func TestHolidayNames(t *testing.T) {
	t.Parallel()
	names := occasion.HolidayNames()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("%v", names)
	}
	for _, name := range []string{"christmas-day", "lunar-new-year", "diwali", "thanksgiving"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among %s", name, strings.Join(names, ", "))
		}
	}
}

// TestCountry: the locale first, then the zone; a language alone is no country.
func TestCountry(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ locale, zone, want string }{
		{"en-GB", "Europe/Berlin", "GB"},
		{"zh-Hans-CN", "America/New_York", "CN"},
		{"en", "Europe/Berlin", "DE"},
		{"zh-Hant", "Asia/Taipei", "TW"},
		{"de", "Europe/Oslo", "NO"},
		{"es-419", "America/Bogota", "CO"},
		{"en-001", "Asia/Kolkata", "IN"},
		{"", "Asia/Shanghai", "CN"},
		{"nonsense!", "Asia/Tokyo", "JP"},
		{"en-UK", "Etc/UTC", "GB"},
		{"en", "UTC", ""},
		{"en", "Asia/Calcutta", ""},
		{"en", "", ""},
	} {
		if got := occasion.Country(test.locale, test.zone); got != test.want {
			t.Errorf("%q in %q: %q, want %q", test.locale, test.zone, got, test.want)
		}
	}
}

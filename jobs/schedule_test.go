package jobs

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata"

	"github.com/google/go-cmp/cmp"
)

func in(t *testing.T, spec, zone string) schedule {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	times, err := parseSchedule(spec, location)
	if err != nil {
		t.Fatal(err)
	}
	return times
}

func at(text string) time.Time {
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return parsed
}

// A time that clocks leave out or show twice is one time to run.
func TestSchedule_WhenClocksAreMoved(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		spec, zone, from, to string
		want                 []string
	}{
		"the hour is left out":         {"30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-31T00:00:00Z", []string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		"the hour comes twice":         {"30 2 * * *", "Europe/Berlin", "2026-10-24T00:00:00Z", "2026-10-27T00:00:00Z", []string{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		"its neighbors":                {"30 1,3 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T03:00:00Z", []string{"2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z"}},
		"many in the hour left out":    {"*/20 2 * * *", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T23:00:00Z", []string{"2026-03-29T01:00:00Z"}},
		"many in the hour twice":       {"*/20 2 * * *", "Europe/Berlin", "2026-10-24T22:00:00Z", "2026-10-25T22:00:00Z", []string{"2026-10-25T00:00:00Z", "2026-10-25T00:20:00Z", "2026-10-25T00:40:00Z"}},
		"every hour has its turn":      {"15 * * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", "2026-10-25T03:00:00Z", []string{"2026-10-24T23:15:00Z", "2026-10-25T00:15:00Z", "2026-10-25T01:15:00Z", "2026-10-25T02:15:00Z"}},
		"every hour that there is":     {"15 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z", []string{"2026-03-29T00:15:00Z", "2026-03-29T01:15:00Z", "2026-03-29T02:15:00Z"}},
		"half an hour":                 {"15 2 * * *", "Australia/Lord_Howe", "2026-10-02T20:00:00Z", "2026-10-05T00:00:00Z", []string{"2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z"}},
		"midnight is left out":         {"0 0 * * *", "America/Asuncion", "2023-09-30T12:00:00Z", "2023-10-02T12:00:00Z", []string{"2023-10-01T04:00:00Z", "2023-10-02T03:00:00Z"}},
		"a day is left out":            {"0 12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", "2011-12-31T12:00:00Z", []string{"2011-12-29T22:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T22:00:00Z"}},
		"29 February":                  {"0 6 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2033-01-01T00:00:00Z", []string{"2028-02-29T06:00:00Z", "2032-02-29T06:00:00Z"}},
		"by name, in a zone without":   {"@daily", "Asia/Kolkata", "2026-03-28T00:00:00Z", "2026-03-30T00:00:00Z", []string{"2026-03-28T18:30:00Z", "2026-03-29T18:30:00Z"}},
		"a weekday beside a date":      {"0 0 1 * 1", "UTC", "2026-06-01T00:00:00Z", "2026-06-09T00:00:00Z", []string{"2026-06-08T00:00:00Z"}},
		"nothing, since it is off":     {"off", "UTC", "2026-01-01T00:00:00Z", "2033-01-01T00:00:00Z", nil},
		"from between the two of them": {"30 2 * * *", "Europe/Berlin", "2026-10-25T00:45:00Z", "2026-10-25T12:00:00Z", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			times := in(t, one.spec, one.zone)
			var got []string
			for next := times.next(at(one.from)); !next.IsZero() && !next.After(at(one.to)); next = times.next(next) {
				got = append(got, next.UTC().Format(time.RFC3339))
			}
			if difference := cmp.Diff(one.want, got); difference != "" {
				t.Error(difference)
			}
			want := ""
			if len(one.want) > 0 {
				want = one.want[len(one.want)-1]
			}
			last := ""
			if found := times.last(at(one.from), at(one.to)); !found.IsZero() {
				last = found.UTC().Format(time.RFC3339)
			}
			if last != want {
				t.Errorf("the last one is %q, want %q", last, want)
			}
		})
	}
}

// Each time of a year is found from wherever one looks, in order and none twice.
func TestSchedule_Next_FromAnywhere(t *testing.T) {
	t.Parallel()
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"} {
		for spec, most := range map[string]int{"30 2 * * *": 365, "45 * * * *": 365 * 24, "10,50 1-3 * * *": 365 * 6} {
			times := in(t, spec, zone)
			from := at("2026-01-01T00:00:00Z")
			count := 0
			for next := times.next(from); next.Before(from.AddDate(1, 0, 0)); next = times.next(next) {
				count++
				for _, before := range []time.Duration{time.Nanosecond, time.Minute, 9 * time.Minute} {
					if again := times.next(next.Add(-before)); !again.Equal(next) {
						t.Fatalf("%s in %s: after %s comes %s, want %s", spec, zone, next.Add(-before), again, next)
					}
				}
			}
			if count > most+1 || count < most-4 {
				t.Errorf("%s in %s: it fires %d times a year, want %d, but for a few at changes of the clocks", spec, zone, count, most)
			}
		}
	}
}

// A long outage of a job that runs every minute is looked through quickly, and has a last time.
func TestSchedule_Last(t *testing.T) {
	t.Parallel()
	times := in(t, "* * * * *", "Europe/Berlin")
	if last := times.last(at("2020-01-01T00:00:00Z"), at("2026-05-04T12:00:30Z")); !last.Equal(at("2026-05-04T12:00:00Z")) {
		t.Errorf("the last one is %s", last)
	}
	if last := times.last(at("2026-05-04T12:00:00Z"), at("2026-05-04T12:00:59Z")); !last.IsZero() {
		t.Errorf("between two of them there is %s", last)
	}
}

func TestSchedule_Words(t *testing.T) {
	t.Parallel()
	for spec, want := range map[string]string{
		"5 3 * * *": "daily at 03:05", "5 * * * *": "hourly at :05", "* * * * *": "every minute", "off": "only when asked for",
		"*/5 * * * *": "every 5 minutes", "*/7 * * * *": "*/7 * * * *", "*/5 1 * * *": "*/5 1 * * *", "0 0 1 * *": "0 0 1 * *", "@daily": "@daily", "0 0,12 * * *": "0 0,12 * * *",
	} {
		if got := in(t, spec, "UTC").words(); got != want {
			t.Errorf("%s is %q in words, want %q", spec, got, want)
		}
	}
}

func TestSpecs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Specs{
		"": {}, "expire-points=30 3 * * *;check-books=off": {"expire-points": "30 3 * * *", "check-books": "off"},
		" check-books = 0  4 * * 0 ; ": {"check-books": "0 4 * * 0"},
	} {
		var got Specs
		if err := got.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q is refused: %v", text, err)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%q: %s", text, difference)
		}
	}
	for text, sentence := range map[string]string{
		"expire-points":                          "is not like",
		"expire-point=off":                       `no job is called "expire-point"; there are expire-points, `,
		"check-books=off;check-books=0 4 * * *":  "twice",
		"check-books=":                           "check-books: ",
		"check-books=0 25 * * *":                 "above maximum",
		"check-books=0 4 30 2 *":                 "never fires",
		"check-books=0 4 * *":                    "expected exactly 5 fields",
		"check-books=@every 1h":                  "no fixed times",
		"check-books=TZ=Europe/Berlin 0 4 * * *": "the zone is the program's",
		"check-books=TZ=0":                       "the zone is the program's",
	} {
		var got Specs
		if err := got.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), sentence) {
			t.Errorf("%q: %v, want something with %q", text, err, sentence)
		}
	}
}

func TestTimetable(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, one := range timetable {
		if known[one.name] || one.description == "" || one.deadline <= 0 || one.do == nil {
			t.Errorf("a job of the timetable is not complete, or there twice: %q", one.name)
		}
		known[one.name] = true
		in(t, one.spec, "UTC")
	}
}

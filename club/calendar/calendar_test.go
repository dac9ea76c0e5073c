package calendar_test

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/club/calendar"
	"regulars/internal/value"
)

func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return found
}

func entry(zone *time.Location, year int) calendar.Entry {
	return calendar.Entry{
		UID: "1", Changed: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Summary: "Cupping", Zone: zone,
		Start: value.LocalDateTime{Year: year, Month: 5, Day: 1, Hour: 19}, Duration: value.Period{Clock: time.Hour},
	}
}

// Whatever a text holds, its lines are at most 75 bytes long, end where characters end, and read back as they were but for
// what no text can hold.
func TestWrite_AnyText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		one := entry(time.UTC, 2026)
		one.Summary = rapid.String().Draw(t, "summary")
		one.Description = rapid.StringOfN(rapid.SampledFrom([]rune("aä€😀\\;,:\n\" ")), 0, 300, -1).Draw(t, "description")
		body := string(calendar.Calendar{Name: one.Summary, Entries: []calendar.Entry{one}}.Write())
		for line := range strings.SplitSeq(strings.TrimSuffix(body, "\r\n"), "\r\n") {
			if len(line) > 75 || !utf8.ValidString(line) || strings.ContainsAny(line, "\r\n") {
				t.Fatalf("%q", line)
			}
		}
		parsed, err := ics.ParseCalendar(strings.NewReader(body))
		if err != nil {
			t.Fatal(err, body)
		}
		if got := parsed.Events()[0].GetProperty(ics.ComponentPropertyDescription); one.Description != "" && (got == nil || got.Value != one.Description) {
			t.Fatalf("%q is read as %v", one.Description, got)
		}
	})
}

// A zone says what its clocks show in the years used, and a half-hour, a change by half an hour, and none at all are no trouble.
func TestWrite_Zones(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"UTC":                 {"STANDARD 19700101T000000 +0000 +0000 UTC"},
		"Asia/Kathmandu":      {"STANDARD 19860101T000000 +0530 +0545 +0545"},
		"Europe/Berlin":       {"STANDARD 20251026T030000 +0200 +0100 CET", "DAYLIGHT 20260329T020000 +0100 +0200 CEST"},
		"Australia/Lord_Howe": {"DAYLIGHT 20251005T020000 +1030 +1100 +11", "STANDARD 20260405T020000 +1100 +1030 +1030"},
	} {
		body := calendar.Calendar{Entries: []calendar.Entry{entry(zone(name), 2026)}}.Write()
		parsed, err := ics.ParseCalendar(strings.NewReader(string(body)))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, one := range parsed.Timezones()[0].Components {
			kind, properties := "", []ics.IANAProperty(nil)
			switch one := one.(type) {
			case *ics.Standard:
				kind, properties = "STANDARD", one.Properties
			case *ics.Daylight:
				kind, properties = "DAYLIGHT", one.Properties
			}
			for _, wanted := range []string{"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME"} {
				for _, property := range properties {
					if property.IANAToken == wanted {
						kind += " " + property.Value
					}
				}
			}
			got = append(got, kind)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s: %s\n%s", name, difference, body)
		}
	}
}

// A zone that a rule without an end uses is told up to when the calendar says.
func TestWrite_EndlessZone(t *testing.T) {
	t.Parallel()
	one := entry(zone("Europe/Berlin"), 2026)
	one.Rule = "FREQ=WEEKLY"
	body := string(calendar.Calendar{Entries: []calendar.Entry{one}, Through: time.Date(2029, 1, 1, 0, 0, 0, 0, time.UTC)}.Write())
	if !strings.Contains(body, "RDATE:20290325T020000") || strings.Contains(body, "RDATE:2032") || strings.Contains(body, "UNTIL") {
		t.Error(body)
	}
}

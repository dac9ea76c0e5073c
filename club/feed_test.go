package club_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	ics "github.com/arran4/golang-ical"
	"github.com/google/go-cmp/cmp"
	"github.com/teambition/rrule-go"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/value"
)

const canceled = "STATUS:" + string(ics.ObjectStatusCancelled)

// tester is what fails: a test, or one of its many rounds.
type tester interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}

// expand reads a feed with another library, and expands its series: what a calendar shows, each date as its start, its
// length, its place and whether it was canceled.
func expand(t tester, body []byte, until time.Time) []string {
	t.Helper()
	parsed, err := ics.ParseCalendar(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	text := func(event *ics.VEvent, name ics.ComponentProperty) string {
		if property := event.GetProperty(name); property != nil {
			return property.Value
		}
		return ""
	}
	instant := func(property *ics.IANAProperty) time.Time {
		if at, err := time.Parse("20060102T150405Z", property.Value); err == nil {
			return at
		}
		zone, err := time.LoadLocation(property.ICalParameters["TZID"][0])
		if err != nil {
			t.Fatal(err)
		}
		local, err := time.Parse("20060102T150405", property.Value)
		if err != nil {
			t.Fatal(err)
		}
		return value.LocalDateTimeOf(local).In(zone)
	}
	shown := map[string]string{}
	show := func(event *ics.VEvent, key string, at time.Time) {
		line := fmt.Sprint(at.UTC().Format(time.RFC3339), " ", text(event, ics.ComponentPropertyDuration), " ", text(event, ics.ComponentPropertyLocation))
		if text(event, ics.ComponentPropertyStatus) == string(ics.ObjectStatusCancelled) {
			line += " canceled"
		}
		shown[key] = line
	}
	for _, event := range parsed.Events() {
		begin, uid := instant(event.GetProperty(ics.ComponentPropertyDtStart)), text(event, ics.ComponentPropertyUniqueId)
		if event.GetProperty(ics.ComponentPropertyRecurrenceId) != nil {
			continue
		}
		rule := text(event, ics.ComponentPropertyRrule)
		if rule == "" {
			if shown[uid] != "" {
				t.Fatalf("%s is there twice", uid)
			}
			show(event, uid, begin)
			continue
		}
		zone, _ := time.LoadLocation(event.GetProperty(ics.ComponentPropertyDtStart).ICalParameters["TZID"][0])
		option, err := rrule.StrToROption(rule)
		if err != nil {
			t.Fatal(err)
		}
		floating := func(at time.Time) time.Time { return value.LocalDateTimeOf(at.In(zone)).In(time.UTC) }
		option.Dtstart = floating(begin)
		if option.Until.IsZero() {
			option.Until = until
		}
		option.Until = floating(option.Until)
		expanded, err := rrule.NewRRule(*option)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for _, property := range event.GetProperties(ics.ComponentPropertyExdate) {
			left = append(left, property.Value)
		}
		for _, at := range expanded.All() {
			if written := at.Format("20060102T150405"); !slices.Contains(left, written) {
				show(event, uid+written, value.LocalDateTimeOf(at).In(zone))
			}
		}
	}
	for _, event := range parsed.Events() {
		if other := event.GetProperty(ics.ComponentPropertyRecurrenceId); other != nil {
			key := text(event, ics.ComponentPropertyUniqueId) + other.Value
			if shown[key] == "" {
				t.Fatalf("%s is about a date that is not there", key)
			}
			show(event, key, instant(event.GetProperty(ics.ComponentPropertyDtStart)))
		}
	}
	lines := make([]string, 0, len(shown))
	for _, line := range shown {
		lines = append(lines, line)
	}
	slices.Sort(lines)
	return lines
}

// follow compares what a calendar shows of an event with its occurrences. What was canceled more than 30 days ago is left out.
func follow(t tester, c *clubhouse, event *club.Event, dates []*club.Occurrence) {
	t.Helper()
	body, err := c.club.EventFeed(c.Admin, event.ID)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	last := c.Now()
	for _, one := range dates {
		place := ""
		if one.Venue != nil {
			place = *one.Venue
		}
		clock := one.EndsAt.Sub(one.StartsAt)
		line := fmt.Sprintf("%s PT%dH%dM%dS %s", one.StartsAt.UTC().Format(time.RFC3339), int(clock.Hours()), int(clock.Minutes())%60, int(clock.Seconds())%60, place)
		if one.Status == club.OccurrenceCanceled {
			if one.CanceledAt.Before(c.Now().AddDate(0, 0, -30)) {
				continue
			}
			line += " canceled"
		}
		want = append(want, line)
		if one.StartsAt.After(last) {
			last = one.StartsAt
		}
	}
	slices.Sort(want)
	got := expand(t, body, last)
	// What a rule without an end shows behind the last occurrence will be one.
	got = slices.DeleteFunc(got, func(line string) bool { return line > last.UTC().Format(time.RFC3339)+"~" })
	if difference := cmp.Diff(want, got); difference != "" {
		t.Fatalf("the calendar shows something else: %s\n%s", difference, body)
	}
}

// of returns the lines of the properties in a feed, folded ones in one.
func of(body []byte, names ...string) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.ReplaceAll(string(body), "\r\n ", ""), "\r\n") {
		for _, name := range names {
			if strings.HasPrefix(line, name+":") || strings.HasPrefix(line, name+";") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// A calendar that follows a series sees it move and end: the same UID, a SEQUENCE that rises, RECURRENCE-ID for a date that
// moved.
// Complaint 8: UIDs change with every export.
func TestEventFeed_Complaint8_KeepsUIDs(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-03-24T19:00", "FREQ=WEEKLY;COUNT=4")
	dates := c.dates(event)
	read := func(want ...string) {
		t.Helper()
		follow(t, c, event, c.dates(event))
		body, err := c.club.EventFeed(t.Context(), event.ID)
		c.must(err)
		again, err := c.club.EventFeed(t.Context(), event.ID)
		c.must(err)
		if !bytes.Equal(body, again) {
			t.Error("it is another one each time")
		}
		got := of(body, "UID", "SEQUENCE", "RECURRENCE-ID", "DTSTART;TZID=Europe/Berlin", "RRULE", "EXDATE", "STATUS")
		for i, line := range got {
			got[i] = strings.ReplaceAll(strings.ReplaceAll(line, event.ID.String(), "evt"), ";TZID=Europe/Berlin", "")
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Error(difference)
		}
	}
	read("UID:evt@regulars", "SEQUENCE:0", "DTSTART:20250324T190000", "RRULE:FREQ=WEEKLY;UNTIL=20250414T170000Z", "STATUS:CONFIRMED")
	c.edit(dates[1], club.This, club.EditOccurrencesInput{StartsAt: start("2025-04-01T20:00")})
	read("UID:evt@regulars", "SEQUENCE:1", "DTSTART:20250324T190000", "RRULE:FREQ=WEEKLY;UNTIL=20250414T170000Z", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:1", "RECURRENCE-ID:20250331T190000", "DTSTART:20250401T200000", "STATUS:CONFIRMED")
	_, err := c.club.CancelOccurrence(c.organizer, dates[2].ID, "Rain")
	c.must(err)
	read("UID:evt@regulars", "SEQUENCE:2", "DTSTART:20250324T190000", "RRULE:FREQ=WEEKLY;UNTIL=20250414T170000Z", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:2", "RECURRENCE-ID:20250331T190000", "DTSTART:20250401T200000", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:2", "RECURRENCE-ID:20250407T190000", "DTSTART:20250407T190000", canceled)
	c.edit(dates[0], club.All, club.EditOccurrencesInput{StartsAt: start("2025-03-25T18:00")})
	read("UID:evt@regulars", "SEQUENCE:3", "DTSTART:20250325T180000", "RRULE:FREQ=WEEKLY;UNTIL=20250415T160000Z", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:3", "RECURRENCE-ID:20250401T180000", "DTSTART:20250401T200000", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:3", "RECURRENCE-ID:20250408T180000", "DTSTART:20250407T190000", canceled)
	c.edit(dates[3], club.ThisAndFollowing, club.EditOccurrencesInput{Venue: venue("The bar")})
	c.Clock.Advance(31 * 24 * time.Hour)
	read("UID:evt@regulars", "SEQUENCE:4", "DTSTART:20250325T180000", "RRULE:FREQ=WEEKLY;UNTIL=20250401T160000Z", "STATUS:CONFIRMED",
		"UID:evt@regulars", "SEQUENCE:4", "RECURRENCE-ID:20250401T180000", "DTSTART:20250401T200000", "STATUS:CONFIRMED",
		"UID:evt-1@regulars", "SEQUENCE:4", "DTSTART:20250415T180000", "RRULE:FREQ=WEEKLY;UNTIL=20250415T160000Z", "STATUS:CONFIRMED")
}

// Complaint 8: canceled events stay in calendars. They are told for 30 days that an event was canceled.
func TestClubFeed_Complaint8_CanceledGoes(t *testing.T) {
	t.Parallel()
	c := open(t)
	series := c.event("2025-03-03T19:00", "FREQ=WEEKLY")
	once := c.event("2025-03-04T19:00", "")
	c.draft("2025-03-05T19:00", "")
	statuses := func(want ...string) {
		t.Helper()
		body, err := c.club.ClubFeed(t.Context())
		c.must(err)
		if difference := cmp.Diff(want, of(body, "STATUS")); difference != "" {
			t.Error(difference)
		}
	}
	statuses("STATUS:CONFIRMED", "STATUS:CONFIRMED")
	for _, event := range []*club.Event{series, once} {
		_, err := c.club.CancelEvent(c.organizer, event.ID, "Rain")
		c.must(err)
	}
	statuses(canceled, canceled)
	c.Clock.Advance(30 * 24 * time.Hour)
	statuses(canceled, canceled)
	c.Clock.Advance(time.Second)
	statuses()
}

// Complaint 8: times without a zone are read as UTC. Every time names its zone, and the feed says what its clocks show.
func TestFeed_Complaint8_TellsZones(t *testing.T) {
	t.Parallel()
	c := open(t)
	c.event("2025-02-01T19:00", "")
	c.event("2025-11-02T01:30", "", func(i *club.CreateEventInput) { i.TimeZone = "America/New_York" })
	body, err := c.club.ClubFeed(t.Context())
	c.must(err)
	for _, line := range of(body, "DTSTART") {
		// Those of the zones themselves are of their clocks.
		if !strings.Contains(line, ";TZID=") && !strings.HasSuffix(line, "Z") && !strings.Contains(string(body), line+"\r\nTZOFFSETFROM") &&
			!strings.Contains(string(body), line+"\r\nRDATE") {
			t.Errorf("%s has no zone", line)
		}
	}
	if difference := cmp.Diff([]string{"DTSTART;TZID=Europe/Berlin:20250201T190000", "DTSTART:20251102T053000Z"}, slices.DeleteFunc(of(body, "DTSTART"), func(line string) bool {
		return !strings.Contains(line, "TZID") && !strings.HasSuffix(line, "Z")
	})); difference != "" {
		t.Error(difference)
	}
	if difference := cmp.Diff([]string{"TZID:America/New_York", "TZID:Europe/Berlin"}, of(body, "TZID")); difference != "" {
		t.Error(difference)
	}
}

// Nothing is told of drafts and of what is not there.
func TestFeeds_OfNothing(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.draft("2025-02-01T19:00", "")
	for _, wanted := range []id.Event{draft.ID, {}} {
		if body, err := c.club.EventFeed(c.organizer, wanted); body != nil || err != nil {
			t.Errorf("%s, %v", body, err)
		}
	}
	for _, wanted := range []id.Occurrence{c.dates(draft)[0].ID, {}} {
		if body, err := c.club.OccurrenceFile(c.organizer, wanted); body != nil || err != nil {
			t.Errorf("%s, %v", body, err)
		}
	}
	if body, err := c.club.MemberFeed(t.Context(), ""); body != nil || err != nil {
		t.Errorf("%s, %v", body, err)
	}
}

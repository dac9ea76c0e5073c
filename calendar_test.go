package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
)

// appointment is a date as a calendar shows it.
type appointment struct {
	StartsAt string `json:"startsAt"`
	EndsAt   string `json:"endsAt"`
	Venue    string `json:"venue"`
	Summary  string `json:"summary"`
	Canceled bool   `json:"canceled"`
}

// readCalendar lets calendars of others read a feed: see clients/calendar/calendar.mjs.
func readCalendar(t *testing.T, feed, until string) []appointment {
	t.Helper()
	reader := exec.CommandContext(t.Context(), "node", "calendar.mjs", until)
	reader.Dir = "clients/calendar"
	reader.Stdin = strings.NewReader(feed)
	var messages bytes.Buffer
	reader.Stderr = &messages
	output, err := reader.Output()
	if err != nil {
		t.Fatalf("%v: was the reader of calendars fetched, by `make calendar`, which needs npm?\n%s\n%s", err, messages.String(), feed)
	}
	var shown []appointment
	if err := json.Unmarshal(output, &shown); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return shown
}

// fetch asks for a feed that the caller has under a tag, empty for none.
func fetch(t *testing.T, url, tag string) (int, http.Header, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if tag != "" {
		request.Header.Set("If-None-Match", tag)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header, body.String()
}

// host organizes events of a booted program.
type host struct {
	*booted
	organizer string
}

// ask sends an operation of the organizer's and reads the answer's data into one of that form.
func (h *host) ask(t *testing.T, operation string, into any) {
	t.Helper()
	encoded, err := json.Marshal(map[string]string{"query": operation})
	if err != nil {
		t.Fatal(err)
	}
	status, body := post(t, h.URL(), h.organizer, string(encoded))
	if status != http.StatusOK || strings.Contains(body, `"errors"`) || strings.Contains(body, `"code"`) {
		t.Fatalf("%s\nis answered %d: %s", operation, status, body)
	}
	if err := json.Unmarshal([]byte(body), &struct{ Data any }{into}); err != nil {
		t.Fatal(err)
	}
}

// series is an event as the API shows it.
type series struct {
	ID, Name, CalendarURL string
	Occurrences           struct {
		Nodes []struct {
			ID, StartsAt, EndsAt, Status, CalendarURL string
			Venue                                     *string
		}
	}
}

func (h *host) plan(t *testing.T, name, startsAt, recurrence string) *series {
	t.Helper()
	var made struct{ CreateEvent struct{ Event series } }
	h.ask(t, fmt.Sprintf(`mutation { createEvent(input: {name: %q, timeZone: "Europe/Berlin", startsAt: %q, duration: "PT90M", recurrence: %q}) { event { id } userErrors { code } } }`,
		name, startsAt, recurrence), &made)
	h.ask(t, fmt.Sprintf(`mutation { publishEvent(input: {eventId: %q}) { userErrors { code } } }`, made.CreateEvent.Event.ID), &struct{}{})
	return h.read(t, made.CreateEvent.Event.ID)
}

func (h *host) read(t *testing.T, event string) *series {
	t.Helper()
	var read struct{ Node series }
	h.ask(t, fmt.Sprintf(`{ node(id: %q) { ... on Event { id name calendarUrl occurrences(first: 100) { nodes { id startsAt endsAt venue status calendarUrl } } } } }`, event), &read)
	return &read.Node
}

// follow compares what a calendar that subscribed shows of an event with what the API says of its dates.
func (h *host) follow(t *testing.T, event string) string {
	t.Helper()
	told := h.read(t, event)
	_, _, feed := fetch(t, told.CalendarURL, "")
	var want []appointment
	for _, one := range told.Occurrences.Nodes {
		shown := appointment{StartsAt: one.StartsAt, EndsAt: one.EndsAt, Summary: told.Name, Canceled: one.Status == "CANCELED"}
		if one.Venue != nil {
			shown.Venue = *one.Venue
		}
		want = append(want, shown)
	}
	got := readCalendar(t, feed, time.Now().AddDate(3, 0, 0).UTC().Format(time.RFC3339))
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("a calendar shows something else: %s\n%s", difference, feed)
	}
	return feed
}

// A calendar of others follows a series over changes of clocks, a moved date, a canceled one, and the rest of it that goes its
// own way, until all of it is canceled.
func TestCalendar_Follows(t *testing.T) {
	t.Parallel()
	h := &host{booted: boot(t, settings(t), time.Now)}
	h.organizer = h.token(t, actor.Organizer, "carol")
	monday := time.Now().UTC().AddDate(0, 0, 14)
	monday = monday.AddDate(0, 0, -(int(monday.Weekday())+6)%7)
	name := `Käse, Wein; und "Brot" \ ` + strings.Repeat("ä", 60)
	made := h.plan(t, name, monday.Format(time.DateOnly)+"T19:00", "FREQ=WEEKLY;BYDAY=MO,TH;COUNT=60")
	h.follow(t, made.ID)
	dates := made.Occurrences.Nodes
	for _, change := range []string{
		fmt.Sprintf(`editOccurrences(input: {occurrenceId: %q, scope: THIS, startsAt: %q, venue: "Zum Löwen, 1. Stock"})`, dates[2].ID, monday.AddDate(0, 0, 8).Format(time.DateOnly)+"T20:15"),
		fmt.Sprintf(`cancelOccurrence(input: {occurrenceId: %q, reason: "Rain"})`, dates[4].ID),
		fmt.Sprintf(`editOccurrences(input: {occurrenceId: %q, scope: THIS_AND_FOLLOWING, startsAt: %q, duration: "PT2H"})`, dates[10].ID, monday.AddDate(0, 0, 36).Format(time.DateOnly)+"T18:00"),
		fmt.Sprintf(`editOccurrences(input: {occurrenceId: %q, scope: ALL, venue: "The bar"})`, dates[0].ID),
		fmt.Sprintf(`cancelEvent(input: {eventId: %q, reason: "Rain"})`, made.ID),
	} {
		h.ask(t, `mutation { `+change+` { userErrors { code } } }`, &struct{}{})
		h.follow(t, made.ID)
	}
}

// Times that clocks skip or show twice are shown by calendars of others when they take place here.
func TestCalendar_WhereClocksChange(t *testing.T) {
	t.Parallel()
	h := &host{booted: boot(t, settings(t), time.Now)}
	h.organizer = h.token(t, actor.Organizer, "carol")
	sunday := time.Now().UTC().AddDate(0, 0, 7)
	sunday = sunday.AddDate(0, 0, (7-int(sunday.Weekday()))%7)
	h.follow(t, h.plan(t, "Night owls", sunday.Format(time.DateOnly)+"T02:30", "FREQ=WEEKLY;COUNT=60").ID)
}

// Feeds are kept as they are until something changes; a member's is told to whoever knows its address until that is replaced
// or revoked.
func TestCalendar_Addresses(t *testing.T) {
	t.Parallel()
	h := &host{booted: boot(t, settings(t), time.Now)}
	h.organizer = h.token(t, actor.Organizer, "carol")
	made := h.plan(t, "Cupping", time.Now().UTC().AddDate(0, 0, 14).Format(time.DateOnly)+"T19:00", "FREQ=DAILY;COUNT=3")
	club := h.URL() + "/calendar/club.ics"
	for address, kept := range map[string]string{club: "public, max-age=300", made.CalendarURL: "public, max-age=300", made.Occurrences.Nodes[0].CalendarURL: "public, max-age=300"} {
		status, header, body := fetch(t, address, "")
		tag := header.Get("ETag")
		if status != http.StatusOK || header.Get("Content-Type") != "text/calendar; charset=utf-8" || header.Get("Cache-Control") != kept || !strings.HasPrefix(body, "BEGIN:VCALENDAR\r\n") {
			t.Errorf("%s answers %d, %v: %s", address, status, header, body)
		}
		for _, has := range []string{tag, "W/" + tag, `"other", ` + tag, "*"} {
			if status, again, rest := fetch(t, address, has); status != http.StatusNotModified || rest != "" || again.Get("ETag") != tag {
				t.Errorf("%s answers who has it %d: %s", address, status, rest)
			}
		}
		h.ask(t, fmt.Sprintf(`mutation { updateEvent(input: {eventId: %q, name: %q}) { userErrors { code } } }`, made.ID, "Tasting at "+address), &struct{}{})
		if status, changed, _ := fetch(t, address, tag); status != http.StatusOK || changed.Get("ETag") == tag {
			t.Errorf("%s answers %d where something changed", address, status)
		}
	}

	member := &host{booted: h.booted, organizer: h.token(t, actor.Member, "ada")}
	member.ask(t, `mutation { enrollMember(input: {idempotencyKey: "1"}) { userErrors { code } } }`, &struct{}{})
	link := func(active bool) string {
		t.Helper()
		var made struct{ SetCalendarLink struct{ CalendarURL string } }
		member.ask(t, fmt.Sprintf(`mutation { setCalendarLink(input: {active: %t}) { calendarUrl userErrors { code } } }`, active), &made)
		return made.SetCalendarLink.CalendarURL
	}
	answers := func(address string, want int) {
		t.Helper()
		status, header, body := fetch(t, address, "")
		if status != want {
			t.Errorf("the feed answers %d: %s", status, body)
		}
		if want == http.StatusOK && header.Get("Cache-Control") != "private, max-age=300" {
			t.Errorf("others may keep it: %v", header)
		}
	}
	first := link(true)
	answers(first, http.StatusOK)
	second := link(true)
	answers(first, http.StatusNotFound)
	answers(second, http.StatusOK)
	link(false)
	answers(second, http.StatusNotFound)
	if log := h.log.String(); slices.ContainsFunc([]string{first, second}, func(address string) bool { return strings.Contains(log, address[len(address)-40:]) }) {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	for _, address := range []string{"event/evt_nonsense.ics", "event/" + made.ID, "occurrence/occ_nonsense.ics", "member/nonsense.ics", "member/.ics"} {
		answers(h.URL()+"/calendar/"+address, http.StatusNotFound)
	}
}

// Package calendar writes iCalendar (RFC 5545), as calendars of phones and offices subscribe to it. It is pure: the same
// calendar is always the same bytes.
package calendar

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"regulars/internal/value"
)

// ContentType is that of what Write returns.
const ContentType = "text/calendar; charset=utf-8"

// Calendar is what a calendar subscribes to.
type Calendar struct {
	Name    string
	Entries []Entry
	// Through is up to when the zones of rules without an end must be told, at least.
	Through time.Time
}

// Entry is something that takes place once or by a rule, or one date of another entry that takes place otherwise.
type Entry struct {
	// UID is for ever the same; a date that takes place otherwise has that of its series.
	UID string
	// Sequence rises with every change, Changed is when the last one was.
	Sequence int
	Changed  time.Time
	Summary  string
	// Description and Location are empty for none.
	Description string
	Location    string
	// Zone is whose clocks Start, Except and RecurrenceID are of.
	Zone  *time.Location
	Start value.LocalDateTime
	// At is when it begins, where clocks do not show Start once: calendars do not agree on what is meant. Zero elsewhere.
	At time.Time
	// Duration is in weeks, days, hours, minutes and seconds.
	Duration value.Period
	// Rule is that of the dates behind Start, without its end; empty: there are none. Until is the last date; zero: it has
	// no end.
	Rule   string
	Until  time.Time
	Except []value.LocalDateTime
	// RecurrenceID is the date of the series that this is about; nil: none.
	RecurrenceID *value.LocalDateTime
	Canceled     bool
}

const (
	localLayout = "20060102T150405"
	utcLayout   = "20060102T150405Z"
)

// Write returns the calendar as a file.
func (c Calendar) Write() []byte {
	w := &writer{}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", "-//Regulars//Regulars//EN")
	w.line("CALSCALE", "GREGORIAN")
	w.line("NAME", escape(c.Name))
	w.line("X-WR-CALNAME", escape(c.Name))
	w.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
	w.line("X-PUBLISHED-TTL", "PT1H")
	for _, one := range c.zones() {
		one.write(w)
	}
	for _, entry := range c.Entries {
		entry.write(w)
	}
	w.line("END", "VCALENDAR")
	return w.Bytes()
}

func (e Entry) write(w *writer) {
	w.line("BEGIN", "VEVENT")
	w.line("UID", e.UID)
	w.line("DTSTAMP", e.Changed.UTC().Format(utcLayout))
	w.line("LAST-MODIFIED", e.Changed.UTC().Format(utcLayout))
	w.line("SEQUENCE", strconv.Itoa(e.Sequence))
	if e.RecurrenceID != nil {
		w.local("RECURRENCE-ID", e.Zone, *e.RecurrenceID)
	}
	if e.At.IsZero() {
		w.local("DTSTART", e.Zone, e.Start)
	} else {
		w.line("DTSTART", e.At.UTC().Format(utcLayout))
	}
	w.line("DURATION", duration(e.Duration))
	if e.Rule != "" {
		rule := e.Rule
		if !e.Until.IsZero() {
			rule += ";UNTIL=" + e.Until.UTC().Format(utcLayout)
		}
		w.line("RRULE", rule)
	}
	for _, date := range e.Except {
		w.local("EXDATE", e.Zone, date)
	}
	w.line("SUMMARY", escape(e.Summary))
	if e.Description != "" {
		w.line("DESCRIPTION", escape(e.Description))
	}
	if e.Location != "" {
		w.line("LOCATION", escape(e.Location))
	}
	status := "CONFIRMED"
	if e.Canceled {
		status = "CANCELLED" //nolint:misspell // so the standard spells it
	}
	w.line("STATUS", status)
	w.line("END", "VEVENT")
}

// duration is a length of time as iCalendar knows it: weeks stand alone, and no unit between two others is left out.
func duration(period value.Period) string {
	days, clock := period.Weeks*7+period.Days, int(period.Clock/time.Second)
	text := "P"
	if days > 0 {
		text += strconv.Itoa(days) + "D"
	}
	if clock > 0 || days == 0 {
		text += fmt.Sprintf("T%dH%dM%dS", clock/3600, clock/60%60, clock%60)
	}
	return text
}

// writer writes content lines.
type writer struct {
	bytes.Buffer
}

// fold is how many bytes a line has at most.
const fold = 75

// line writes a property, folded where it is long, but never within a character.
func (w *writer) line(name, content string) {
	rest, room := name+":"+content, fold
	for len(rest) > room {
		cut := room
		for !utf8.RuneStart(rest[cut]) {
			cut--
		}
		w.WriteString(rest[:cut])
		w.WriteString("\r\n ")
		rest, room = rest[cut:], fold-1
	}
	w.WriteString(rest)
	w.WriteString("\r\n")
}

func (w *writer) local(name string, zone *time.Location, local value.LocalDateTime) {
	w.line(name+";TZID="+zone.String(), local.In(time.UTC).Format(localLayout))
}

var escapes = strings.NewReplacer(`\`, `\\`, `;`, `\;`, `,`, `\,`, "\r\n", `\n`, "\n", `\n`, "\r", `\n`)

// escape writes a text, without what cannot be in one.
func escape(text string) string {
	return escapes.Replace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\r' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "")))
}

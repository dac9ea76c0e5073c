package importer

import (
	"fmt"
	"regexp"
	"time"
)

var (
	clockLayouts  = []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02", "2006/01/02 15:04:05", "2006/01/02 15:04", "2006/01/02"}
	offsetForm    = regexp.MustCompile(`^(.*[0-9]) ?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)$`)
	offsetLayouts = []string{"Z07:00", "Z0700", "Z07"}
	ambiguousForm = regexp.MustCompile(`^[0-9]{1,2}[/.-][0-9]{1,2}[/.-][0-9]{2,4}\b`)
)

// instants reads times; the last one is remembered, since the lines of an order mostly agree.
type instants struct {
	// zone is where wall clocks are read, whatever offset stands behind them; nil: offsets are believed, and needed.
	zone  *time.Location
	text  string
	found time.Time
	err   error
}

func (i *instants) parse(text string) (time.Time, error) {
	if i.text != text || text == "" {
		i.text = text
		i.found, i.err = parseInstant(text, i.zone)
	}
	return i.found, i.err
}

func parseInstant(text string, zone *time.Location) (time.Time, error) {
	if zone == nil {
		// The usual form is tried first for its speed.
		if read, err := time.Parse(time.RFC3339, text); err == nil {
			return read.UTC(), nil
		}
	}
	clock, offset := text, ""
	// A date alone ends like an offset does.
	if parts := offsetForm.FindStringSubmatch(text); len(parts) == 3 && len(parts[1]) > len("2006-01") {
		clock, offset = parts[1], parts[2]
	}
	read, ok := parseFirst(clockLayouts, clock, time.UTC)
	switch {
	case !ok && ambiguousForm.MatchString(text):
		return time.Time{}, fmt.Errorf("%q does not say what is the day and what the month; write times like 2010-12-01 08:26", text)
	case !ok:
		return time.Time{}, fmt.Errorf("%q is no time; write times like 2010-12-01T08:26:00Z or 2010-12-01 08:26", text)
	case zone != nil:
		read, _ = parseFirst(clockLayouts, clock, zone)
		return read.UTC(), nil
	case offset == "":
		return time.Time{}, fmt.Errorf("%q has no offset from UTC; say with --time-zone which clock it was read from", text)
	}
	behind, ok := parseFirst(offsetLayouts, offset, time.UTC)
	if !ok {
		return time.Time{}, fmt.Errorf("%q is no offset from UTC", offset)
	}
	_, seconds := behind.Zone()
	return read.Add(-time.Duration(seconds) * time.Second), nil
}

func parseFirst(layouts []string, text string, zone *time.Location) (time.Time, bool) {
	for _, layout := range layouts {
		if read, err := time.ParseInLocation(layout, text, zone); err == nil {
			return read, true
		}
	}
	return time.Time{}, false
}

package calendar

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// zone is a time zone as it is told: what its clocks showed when.
type zone struct {
	location *time.Location
	changes  []change
}

// change is a time at which the clocks of a zone change.
type change struct {
	at       time.Time
	from, to int // seconds east of Greenwich
	name     string
	daylight bool
}

// zones are those of the entries, by name, for the years in which they are used.
func (c Calendar) zones() []zone {
	type span struct{ from, to time.Time }
	used := map[string]*span{}
	locations := map[string]*time.Location{}
	for _, entry := range c.Entries {
		name := entry.Zone.String()
		start := entry.Start.In(entry.Zone)
		end := start
		switch {
		case entry.Rule != "" && entry.Until.IsZero():
			end = latest(start, c.Through)
		case entry.Rule != "":
			end = entry.Until
		}
		known := used[name]
		if known == nil {
			known = &span{start, end}
			used[name], locations[name] = known, entry.Zone
		}
		if start.Before(known.from) {
			known.from = start
		}
		known.to = latest(known.to, end)
	}
	var zones []zone
	for name, span := range used {
		first := time.Date(span.from.UTC().Year()-1, 12, 31, 0, 0, 0, 0, time.UTC)
		last := time.Date(span.to.UTC().Year()+2, 1, 1, 0, 0, 0, 0, time.UTC)
		zones = append(zones, zone{locations[name], changes(locations[name], first, last)})
	}
	slices.SortFunc(zones, func(a, b zone) int { return strings.Compare(a.location.String(), b.location.String()) })
	return zones
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// changes are those of a zone between two instants, led by the one that holds at the first.
func changes(location *time.Location, first, last time.Time) []change {
	var found []change
	for at := first; ; {
		local := at.In(location)
		start, end := local.ZoneBounds()
		name, to := local.Zone()
		one := change{at: start, from: to, to: to, name: name, daylight: local.IsDST()}
		if start.IsZero() {
			one.at = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC).Add(-time.Duration(to) * time.Second)
		} else {
			_, one.from = start.Add(-time.Second).Zone()
		}
		found = append(found, one)
		if end.IsZero() || end.After(last) {
			return found
		}
		at = end
	}
}

// write tells the zone, what happens every year in one place.
func (z zone) write(w *writer) {
	w.line("BEGIN", "VTIMEZONE")
	w.line("TZID", z.location.String())
	type kind struct {
		from, to int
		name     string
		daylight bool
	}
	var kinds []kind
	of := map[kind][]string{}
	for _, one := range z.changes {
		alike := kind{one.from, one.to, one.name, one.daylight}
		if of[alike] == nil {
			kinds = append(kinds, alike)
		}
		// What the clocks showed until then.
		of[alike] = append(of[alike], one.at.UTC().Add(time.Duration(one.from)*time.Second).Format(localLayout))
	}
	for _, alike := range kinds {
		component := "STANDARD"
		if alike.daylight {
			component = "DAYLIGHT"
		}
		w.line("BEGIN", component)
		w.line("DTSTART", of[alike][0])
		for _, again := range of[alike][1:] {
			w.line("RDATE", again)
		}
		w.line("TZOFFSETFROM", offset(alike.from))
		w.line("TZOFFSETTO", offset(alike.to))
		w.line("TZNAME", escape(alike.name))
		w.line("END", component)
	}
	w.line("END", "VTIMEZONE")
}

func offset(seconds int) string {
	sign := "+"
	if seconds < 0 {
		sign, seconds = "-", -seconds
	}
	text := fmt.Sprintf("%s%02d%02d", sign, seconds/3600, seconds/60%60)
	if seconds%60 != 0 {
		text += fmt.Sprintf("%02d", seconds%60)
	}
	return text
}

//go:build !race

package care_test

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
)

const (
	capDays     = 7
	winBackDays = 90
	// once a year means not twice in so many days.
	againDays = 31
)

// The ranks of campaigns: the first ones are told where only so many may be.
const (
	rankBirthday = iota
	rankAnniversary
	rankHoliday
	rankWinBack
)

// model knows when what is told, from the calendar alone.
type model struct {
	runs []time.Time
	// walls are what clocks show at the runs, by zone.
	walls    map[string][]wall
	feasts   map[string]map[value.Date]string
	policy   program.CarePolicy
	onMarch1 bool
}

// feast is feast, looked up once.
func (m *model) feast(country string, date value.Date) string {
	if m.feasts[country] == nil {
		m.feasts[country] = map[value.Date]string{}
	}
	name, known := m.feasts[country][date]
	if !known {
		name = feast(country, date)
		m.feasts[country][date] = name
	}
	return name
}

// wall is a date and the minutes since midnight.
type wall struct {
	date    value.Date
	minutes int
}

func wallOf(t time.Time, zone *time.Location) wall {
	local := t.In(zone)
	return wall{value.DateOf(local), local.Hour()*60 + local.Minute()}
}

// show notes when the night work is called, and what clocks show then.
func (m *model) show(runs []time.Time) {
	m.runs = runs
	for _, name := range yearZones {
		zone, err := value.ParseZone(name)
		if err != nil {
			panic(err)
		}
		for _, at := range runs {
			m.walls[name] = append(m.walls[name], wallOf(at, zone))
		}
	}
}

// celebrated is when who was born, or joined, on a day has its day in a year.
func celebrated(day value.Date, in int, onMarch1 bool) value.Date {
	leap := in%4 == 0 && (in%100 != 0 || in%400 == 0)
	switch {
	case day.Month != time.February || day.Day != 29 || leap:
		return value.Date{Year: in, Month: day.Month, Day: day.Day}
	case onMarch1:
		return value.Date{Year: in, Month: time.March, Day: 1}
	default:
		return value.Date{Year: in, Month: time.February, Day: 28}
	}
}

// feast is the holiday that a date is in a country.
func feast(country string, date value.Date) string {
	for _, day := range occasion.HolidaysOn(country, date) {
		if slices.Contains(yearHolidays, day.Name) {
			return day.Name
		}
	}
	return ""
}

// winBack is when a member of whom was last heard at an instant is missed.
func winBack(heard time.Time, zone *time.Location) time.Time {
	local := heard.In(zone)
	return time.Date(local.Year(), local.Month(), local.Day()+winBackDays, 9, 0, 0, 0, zone).UTC()
}

// telling is an occasion that is decided about in a run.
type telling struct {
	key  string
	date value.Date
	run  time.Time
	// until is when it is too late.
	until time.Time
	late  bool
	rank  int
	kind  string
}

// told is everything that was decided about a member: what became of each key and channel, and when.
func (m *model) told(one *life) map[string]string {
	var list []telling
	list = append(list, m.yearly(one, "birthday", rankBirthday, func(at time.Time) (value.Date, time.Time, bool) {
		born, exists := last(one.births, at)
		if !exists {
			return value.Date{}, time.Time{}, false
		}
		return *born.is, born.at, true
	})...)
	list = append(list, m.yearly(one, "membership-anniversary", rankAnniversary, func(at time.Time) (value.Date, time.Time, bool) {
		// On which day somebody joined depends on where it lives.
		moved, _ := last(one.zones, at)
		return value.DateOf(one.joined.In(zoneAt(one, at))), moved.at, true
	})...)
	list = append(list, m.holidays(one)...)
	list = append(list, m.missed(one)...)
	slices.SortStableFunc(list, func(a, b telling) int { return cmp.Or(a.run.Compare(b.run), cmp.Compare(a.rank, b.rank)) })

	made := map[string]string{}
	note := func(one telling, channel, status string) {
		made[one.key+" "+channel] = status + " at " + one.run.Format(time.RFC3339)
	}
	if at, due := m.welcome(one); due {
		note(telling{key: "welcome:joined", run: at}, "INBOX", "DELIVERED")
	}
	var mails []mail
	var inbox, gift time.Time
	for i, now := range list {
		if now.rank == rankBirthday {
			switch {
			case now.late:
				note(now, "INBOX", "SUPPRESSED TOO_LATE")
			case soon(inbox, now.run):
				note(now, "INBOX", "SUPPRESSED DUPLICATE")
			default:
				note(now, "INBOX", "DELIVERED")
				inbox = now.run
			}
			if !now.late && !soon(gift, now.run) {
				note(now, "GIFT", "50")
				gift = now.run
			}
		}
		status, sent := m.mail(one, now, mails, list[i+1:])
		note(now, "EMAIL", status)
		if sent != nil {
			mails = append(mails, *sent)
		}
	}
	return made
}

// soon tells whether something that comes once a year came a short time ago.
func soon(had, now time.Time) bool {
	return !had.IsZero() && now.Sub(had) < againDays*24*time.Hour
}

// mail is one that is sent.
type mail struct {
	kind string
	at   time.Time
}

// mail is what becomes of an e-mail.
func (m *model) mail(one *life, now telling, mails []mail, later []telling) (string, *mail) {
	class := program.Care
	if now.rank >= rankHoliday {
		class = program.Marketing
	}
	allowed := func(class program.MessageClass) bool {
		consent, exists := last(one.consents[class], now.run)
		return exists && consent.is
	}
	zone := zoneAt(one, now.run)
	shown := wallOf(now.run, zone)
	sent := mail{now.kind, now.run}
	switch {
	case now.late:
		return "SUPPRESSED TOO_LATE", nil
	case now.rank <= rankAnniversary && slices.ContainsFunc(mails, func(had mail) bool { return had.kind == now.kind && soon(had.at, now.run) }):
		return "SUPPRESSED DUPLICATE", nil
	case !one.address:
		return "SUPPRESSED NO_ADDRESS", nil
	case !allowed(class):
		return "SUPPRESSED NO_CONSENT", nil
	}
	status := "SENT"
	if m.policy.QuietFrom != nil {
		// From 20:00 to 10:00.
		local := now.run.In(zone)
		switch {
		case shown.minutes >= 20*60:
			sent.at, status = time.Date(local.Year(), local.Month(), local.Day()+1, 10, 0, 0, 0, zone), "SENT QUIET_HOURS"
		case shown.minutes < 10*60:
			sent.at, status = time.Date(local.Year(), local.Month(), local.Day(), 10, 0, 0, 0, zone), "SENT QUIET_HOURS"
		}
	}
	if !sent.at.Before(now.until) {
		return "SUPPRESSED QUIET_HOURS", nil
	}
	if len(m.policy.Caps) > 0 {
		from := sent.at.In(zone).AddDate(0, 0, -capDays)
		full := slices.ContainsFunc(mails, func(had mail) bool { return had.at.After(from) })
		// What goes before it today has its room kept.
		full = full || slices.ContainsFunc(later, func(other telling) bool {
			return other.rank < now.rank && other.rank <= rankAnniversary && other.date == shown.date && !other.late && allowed(program.Care)
		})
		if full {
			return "SUPPRESSED CAPPED", nil
		}
	}
	return status, &sent
}

// yearly replays the runs for what comes once a year. day says which day it is of at an instant, and since when that is known.
func (m *model) yearly(one *life, kind string, rank int, day func(at time.Time) (value.Date, time.Time, bool)) []telling {
	var list []telling
	done := map[int]bool{}
	for i, run := range m.runs {
		if run.Before(one.enrolled) {
			continue
		}
		zone := zoneAt(one, run)
		shown := m.walls[zone.String()][i]
		of, known, exists := day(run)
		if !exists {
			continue
		}
		for _, in := range []int{shown.date.Year - 1, shown.date.Year} {
			if done[in] || of.Year >= in {
				continue
			}
			date := celebrated(of, in, m.onMarch1)
			made := telling{key: fmt.Sprintf("%s:%d", kind, in), date: date, run: run, until: until(one, run, date, 9*60), rank: rank, kind: kind}
			switch order(shown.date, date) {
			case -1:
				continue
			case 0:
				if shown.minutes < 9*60 {
					continue
				}
			case 1:
				if run.Before(made.until) {
					break
				}
				begun := slices.MaxFunc([]time.Time{yearBegins, one.enrolled, known}, time.Time.Compare)
				if order(wallOf(begun, zone).date, date) > 0 || order(wallOf(begun, zoneAt(one, begun)).date, date) > 0 {
					continue // it was over before anybody knew of it
				}
				made.late = true
			}
			done[in] = true
			list = append(list, made)
		}
	}
	return list
}

// until is when a date is over for a member: where it lives, or where it lived before if it moved when the minute of telling was
// past by the clock where it lives now. Nobody loses the rest of a day by moving.
func until(one *life, run time.Time, date value.Date, minute int) time.Time {
	over := func(zone *time.Location) time.Time {
		return time.Date(date.Year, date.Month, date.Day+1, 0, 0, 0, 0, zone)
	}
	moved, exists := last(one.zones, run)
	if !exists || moved.at.IsZero() {
		return over(zoneAt(one, run))
	}
	ends := over(moved.is)
	at := wallOf(moved.at, moved.is)
	if earlier := over(zoneAt(one, moved.at.Add(-time.Nanosecond))); earlier.After(ends) && (date.Before(at.date) || at.date == date && at.minutes >= minute) {
		return earlier
	}
	return ends
}

func order(a, b value.Date) int {
	switch {
	case a.Before(b):
		return -1
	case b.Before(a):
		return 1
	default:
		return 0
	}
}

// holidays replays the runs for holidays.
func (m *model) holidays(one *life) []telling {
	var list []telling
	done := map[string]bool{}
	countries := map[string]string{}
	for _, lived := range one.zones {
		countries[lived.is.String()] = occasion.Country(one.locale, lived.is.String())
	}
	for i, run := range m.runs {
		if run.Before(one.enrolled) {
			continue
		}
		zone := zoneAt(one, run)
		shown := m.walls[zone.String()][i]
		for back := range 5 {
			date := value.DateOf(time.Date(shown.date.Year, shown.date.Month, shown.date.Day-back, 12, 0, 0, 0, time.UTC))
			if back == 0 && shown.minutes < 8*60 {
				continue
			}
			name := m.feast(countries[zone.String()], date)
			key := fmt.Sprintf("holiday:%s:%d", name, date.Year)
			if name == "" || done[key] {
				continue
			}
			ends := until(one, run, date, 8*60)
			late := back > 0 && !run.Before(ends)
			begun := one.enrolled
			if moved, exists := last(one.zones, run); exists && moved.at.After(begun) {
				begun = moved.at
			}
			if late && order(wallOf(begun, zone).date, date) > 0 {
				continue
			}
			done[key] = true
			list = append(list, telling{key: key, date: date, run: run, until: ends, late: late, rank: rankHoliday, kind: "holiday"})
		}
	}
	return list
}

// missed are the lapses in which the member is missed.
func (m *model) missed(one *life) []telling {
	var list []telling
	for i, heard := range one.heard {
		for _, run := range m.runs {
			if i+1 < len(one.heard) && !run.Before(one.heard[i+1]) {
				break
			}
			if run.Before(heard) || run.Before(winBack(heard, zoneAt(one, run))) {
				continue
			}
			until := winBack(heard, zoneAt(one, run)).Add(72 * time.Hour)
			list = append(list, telling{
				key: fmt.Sprintf("win-back:%s:P%dD", value.DateOf(heard.UTC()), winBackDays), date: wallOf(heard, zoneAt(one, run)).date, run: run,
				until: until, late: !run.Before(until), rank: rankWinBack, kind: "win-back",
			})
			break
		}
	}
	return list
}

// welcome is when who has joined is told so: at nine, or at once.
func (m *model) welcome(one *life) (time.Time, bool) {
	if one.joined.Before(yearBegins) {
		return time.Time{}, false
	}
	for _, run := range m.runs {
		zone := zoneAt(one, run)
		local := one.joined.In(zone)
		if run.After(one.joined) && !run.Before(time.Date(local.Year(), local.Month(), local.Day(), 9, 0, 0, 0, zone)) {
			return run, true
		}
	}
	return time.Time{}, false
}

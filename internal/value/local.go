package value

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"time"
)

// LocalDateTime is what a calendar and a clock on the wall show, in no time zone, to the second. It is comparable.
type LocalDateTime struct {
	Year   int
	Month  time.Month
	Day    int
	Hour   int
	Minute int
	Second int
}

const localLayout = "2006-01-02T15:04:05"

var localForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?$`)

// ParseLocalDateTime reads YYYY-MM-DDThh:mm, or with :ss.
func ParseLocalDateTime(text string) (LocalDateTime, error) {
	full := text
	if len(text) == len("2006-01-02T15:04") {
		full += ":00"
	}
	at, err := time.Parse(localLayout, full)
	if err != nil || !localForm.MatchString(text) {
		return LocalDateTime{}, fmt.Errorf("%q is not a date and time of the form YYYY-MM-DDThh:mm", text)
	}
	return LocalDateTimeOf(at), nil
}

// LocalDateTimeOf is what a wall shows at t in t's own zone.
func LocalDateTimeOf(t time.Time) LocalDateTime {
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	return LocalDateTime{Year: year, Month: month, Day: day, Hour: hour, Minute: minute, Second: second}
}

// In returns the instant at which walls in the zone show this. A time that clocks skip is read with the offset from before
// they do, so it lies as much later as they skip; of one that they show twice it is the first (RFC 5545, section 3.3.5).
func (l LocalDateTime) In(zone *time.Location) time.Time {
	early, late := l.candidates(zone)
	if LocalDateTimeOf(early.In(zone)) != l && LocalDateTimeOf(late.In(zone)) == l {
		return late
	}
	return early
}

// OnceIn tells whether walls in the zone show this once: clocks neither skip it nor show it twice.
func (l LocalDateTime) OnceIn(zone *time.Location) bool {
	early, late := l.candidates(zone)
	return early.Equal(late) || (LocalDateTimeOf(early.In(zone)) == l) != (LocalDateTimeOf(late.In(zone)) == l)
}

// candidates are when walls show this by the offsets on both sides of a change of clocks that is near; without one they are
// the same.
func (l LocalDateTime) candidates(zone *time.Location) (early, late time.Time) {
	wall := l.floating()
	// A zone's offset changes seldom.
	return wall.Add(-offset(wall.AddDate(0, 0, -1), zone)), wall.Add(-offset(wall.AddDate(0, 0, 1), zone))
}

func offset(at time.Time, zone *time.Location) time.Duration {
	_, seconds := at.In(zone).Zone()
	return time.Duration(seconds) * time.Second
}

// floating is the time that a wall in UTC shows.
func (l LocalDateTime) floating() time.Time {
	return time.Date(l.Year, l.Month, l.Day, l.Hour, l.Minute, l.Second, 0, time.UTC)
}

// Add returns what the wall shows so much later if nobody sets the clock.
func (l LocalDateTime) Add(d time.Duration) LocalDateTime {
	return LocalDateTimeOf(l.floating().Add(d))
}

// Sub returns how much later than other it is on a clock that nobody sets.
func (l LocalDateTime) Sub(other LocalDateTime) time.Duration {
	return l.floating().Sub(other.floating())
}

// Compare tells whether l lies before (-1), at or behind other on the wall.
func (l LocalDateTime) Compare(other LocalDateTime) int {
	return l.floating().Compare(other.floating())
}

func (l LocalDateTime) String() string { return l.floating().Format(localLayout) }

// MarshalText writes it into JSON as String does.
func (l LocalDateTime) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// Value gives it to the database.
func (l LocalDateTime) Value() (driver.Value, error) { return l.String(), nil }

// Scan takes it from the database.
func (l *LocalDateTime) Scan(source any) error {
	at, ok := source.(time.Time)
	if !ok {
		return fmt.Errorf("a local date and time cannot be read from %T", source)
	}
	*l = LocalDateTimeOf(at)
	return nil
}

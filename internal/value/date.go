package value

import (
	"database/sql/driver"
	"fmt"
	"regexp"
	"strconv"
	"time"
)

// Date is a day of the calendar, in no time zone.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// UnknownYear is the year of a day of birth of which only month and day are known: a leap year before anybody's birth.
const UnknownYear = 1604

// ParseDate reads YYYY-MM-DD.
func ParseDate(text string) (Date, error) {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		return Date{}, fmt.Errorf("%q is not a date of the form YYYY-MM-DD", text)
	}
	return DateOf(at), nil
}

// DateOf returns the day of t in t's own zone.
func DateOf(t time.Time) Date {
	year, month, day := t.Date()
	return Date{Year: year, Month: month, Day: day}
}

func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Before tells whether d lies before other.
func (d Date) Before(other Date) bool {
	if d.Year != other.Year {
		return d.Year < other.Year
	}
	if d.Month != other.Month {
		return d.Month < other.Month
	}
	return d.Day < other.Day
}

// InYear returns the same day in another year: 29 February is 28 February in years without that day, or 1 March if
// leapOnMarch1.
func (d Date) InYear(year int, leapOnMarch1 bool) Date {
	same := time.Date(year, d.Month, d.Day, 0, 0, 0, 0, time.UTC)
	// Of a day that the year does not have, Go makes the next one.
	if same.Day() != d.Day && !leapOnMarch1 {
		same = same.AddDate(0, 0, -1)
	}
	return DateOf(same)
}

// Value gives the date to the database.
func (d Date) Value() (driver.Value, error) { return d.String(), nil }

// Scan takes the date from the database.
func (d *Date) Scan(source any) error {
	at, ok := source.(time.Time)
	if !ok {
		return fmt.Errorf("a date cannot be read from %T", source)
	}
	*d = DateOf(at)
	return nil
}

// Period is a length of time as people say it: months are as long as the calendar has them.
type Period struct {
	Years, Months, Weeks, Days int
	Clock                      time.Duration
}

var periodForm = regexp.MustCompile(`^P(?:(\d{1,4})Y)?(?:(\d{1,5})M)?(?:(\d{1,5})W)?(?:(\d{1,6})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,7})M)?(?:(\d{1,8})S)?)?$`)

// ParsePeriod reads a duration of ISO 8601 in whole numbers, e.g. P1Y6M, P2W or PT48H.
func ParsePeriod(text string) (Period, error) {
	parts := periodForm.FindStringSubmatch(text)
	if parts == nil || text[len(text)-1] == 'P' || text[len(text)-1] == 'T' {
		return Period{}, fmt.Errorf("%q is not a duration of ISO 8601 in whole numbers, e.g. P30D or PT48H", text)
	}
	numbers := make([]int, len(parts))
	for i, part := range parts[1:] {
		// The form admits digits only, and few enough; an absent part is 0.
		numbers[i], _ = strconv.Atoi(part)
	}
	return Period{
		Years: numbers[0], Months: numbers[1], Weeks: numbers[2], Days: numbers[3],
		Clock: time.Duration(numbers[4])*time.Hour + time.Duration(numbers[5])*time.Minute + time.Duration(numbers[6])*time.Second,
	}, nil
}

// String writes the period as ISO 8601 does, e.g. P1Y6M or PT48H.
func (p Period) String() string {
	text := "P"
	add := func(number int, unit string) {
		if number != 0 {
			text += strconv.Itoa(number) + unit
		}
	}
	add(p.Years, "Y")
	add(p.Months, "M")
	add(p.Weeks, "W")
	add(p.Days, "D")
	if p.Clock != 0 {
		text += "T"
		add(int(p.Clock/time.Hour), "H")
		add(int(p.Clock%time.Hour/time.Minute), "M")
		add(int(p.Clock%time.Minute/time.Second), "S")
	}
	if text == "P" {
		return "PT0S"
	}
	return text
}

// MarshalText writes the period into JSON as String does.
func (p Period) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads the period back from JSON.
func (p *Period) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePeriod(string(text))
	return err
}

// Value gives the period to the database.
func (p Period) Value() (driver.Value, error) { return p.String(), nil }

// Scan takes the period from the database.
func (p *Period) Scan(source any) error {
	text, ok := source.(string)
	if !ok {
		return fmt.Errorf("a period cannot be read from %T", source)
	}
	parsed, err := ParsePeriod(text)
	*p = parsed
	return err
}

// Months returns the period of n months.
func Months(n int) Period { return Period{Months: n} }

// After returns t moved by the period, on the calendar and clocks of zone: a day that its month does not have becomes
// the month's last.
func (p Period) After(t time.Time, zone *time.Location) time.Time {
	return p.move(t, zone, 1)
}

// Before returns t moved back by the period, on the calendar and clocks of zone: a day that its month does not have
// becomes the month's last.
func (p Period) Before(t time.Time, zone *time.Location) time.Time {
	return p.move(t, zone, -1)
}

func (p Period) move(t time.Time, zone *time.Location, sign int) time.Time {
	clock := time.Duration(sign) * p.Clock
	if p == (Period{Clock: p.Clock}) {
		return t.Add(clock).UTC()
	}
	local := t.In(zone)
	year, month, day := local.Date()
	first := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC).AddDate(sign*p.Years, sign*p.Months, 0)
	if last := first.AddDate(0, 1, -1).Day(); day > last {
		day = last
	}
	hour, minute, second := local.Clock()
	moved := time.Date(first.Year(), first.Month(), day+sign*(7*p.Weeks+p.Days), hour, minute, second, local.Nanosecond(), zone)
	return moved.Add(clock).UTC()
}

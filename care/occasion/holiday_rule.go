package occasion

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/internal/value"
)

// rule says on which day of a year a holiday is; not every year need have one.
type rule func(year int) (time.Time, bool)

var (
	fixedForm   = regexp.MustCompile(`^\d{2}-\d{2}$`)
	easterForm  = regexp.MustCompile(`^(orthodox-)?easter([+-]\d{1,3})$`)
	weekdayForm = regexp.MustCompile(`^(\d|last) ([A-Z][a-z]+day) of ([A-Z][a-z]+)$`)
)

// parseRule reads a rule of the file of holidays, as its head describes them.
func parseRule(text string) (rule, error) {
	if fixedForm.MatchString(text) {
		return parseFixed(text)
	}
	if parts := easterForm.FindStringSubmatch(text); parts != nil {
		// The form admits digits only, and few enough.
		days, _ := strconv.Atoi(parts[2])
		sunday := westernEaster
		if parts[1] != "" {
			sunday = orthodoxEaster
		}
		return func(year int) (time.Time, bool) { return sunday(year).AddDate(0, 0, days), true }, nil
	}
	if parts := weekdayForm.FindStringSubmatch(text); parts != nil {
		return parseWeekday(parts[1], parts[2], parts[3])
	}
	return parseDates(text)
}

func parseFixed(text string) (rule, error) {
	// A holiday that most years do not have is none that this can say.
	day, err := time.Parse("2006-01-02", "2001-"+text)
	if err != nil {
		return nil, fmt.Errorf("%q is not a day of every year", text)
	}
	return func(year int) (time.Time, bool) {
		return time.Date(year, day.Month(), day.Day(), 0, 0, 0, 0, time.UTC), true
	}, nil
}

func parseWeekday(which, weekday, month string) (rule, error) {
	first, err := time.Parse("January", month)
	if err != nil {
		return nil, fmt.Errorf("%q is not a month", month)
	}
	day := time.Sunday
	for day.String() != weekday {
		if day++; day > time.Saturday {
			return nil, fmt.Errorf("%q is not a day of the week", weekday)
		}
	}
	if which == "last" {
		return func(year int) (time.Time, bool) {
			last := time.Date(year, first.Month()+1, 0, 0, 0, 0, 0, time.UTC)
			return last.AddDate(0, 0, -(int(last.Weekday()-day)+7)%7), true
		}, nil
	}
	number, err := strconv.Atoi(which)
	if err != nil || number < 1 || number > 4 {
		return nil, fmt.Errorf("not every %s has %s %s; write 1 to 4 or last", month, which, weekday)
	}
	return func(year int) (time.Time, bool) {
		begin := time.Date(year, first.Month(), 1, 0, 0, 0, 0, time.UTC)
		return begin.AddDate(0, 0, (int(day-begin.Weekday())+7)%7+7*(number-1)), true
	}, nil
}

// parseDates reads a list of dates, one for each year from the first to the last.
func parseDates(text string) (rule, error) {
	var dates []time.Time
	for _, written := range strings.Fields(text) {
		date, err := value.ParseDate(written)
		if err != nil {
			return nil, fmt.Errorf("%q is no rule: write a day such as 12-25, easter+1, orthodox-easter+0, 4 Thursday of November, or dates such as 2027-02-06", text)
		}
		if before := len(dates); before > 0 && date.Year != dates[before-1].Year()+1 {
			return nil, fmt.Errorf("%s does not lie in the year behind the date before it", written)
		}
		dates = append(dates, time.Date(date.Year, date.Month, date.Day, 0, 0, 0, 0, time.UTC))
	}
	if len(dates) == 0 {
		return nil, fmt.Errorf("there is no rule")
	}
	return func(year int) (time.Time, bool) {
		at := slices.IndexFunc(dates, func(date time.Time) bool { return date.Year() == year })
		if at < 0 {
			return time.Time{}, false
		}
		return dates[at], true
	}, nil
}

package occasion

import (
	_ "embed"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/text/language"

	"regulars/internal/value"
)

// holidaysFile is what holidays there are; its head says how it is written.
//
//go:embed holidays.csv
var holidaysFile string

// Day is a holiday in a year.
type Day struct {
	// Name is its stable key in the file, such as christmas-day; holidays of several countries share it.
	Name string
	Date value.Date
	// english and chinese are what people call it.
	english, chinese string
}

// Title is what the holiday is called in the language of a BCP 47 tag: in Chinese (simplified), or else in English.
func (d Day) Title(locale string) string {
	if tag, err := language.Parse(locale); err == nil {
		if base, _ := tag.Base(); base.String() == "zh" {
			return d.chinese
		}
	}
	return d.english
}

// HolidaysOn returns the holidays of a country, an ISO 3166 code of two capitals, that are on a date, in the order of the file. A
// country of which nothing is known has none.
func HolidaysOn(country string, date value.Date) []Day {
	var found []Day
	for _, holiday := range holidays[country] {
		if on, exists := holiday.on(date.Year); exists && value.DateOf(on) == date {
			found = append(found, Day{Name: holiday.name, Date: date, english: holiday.english, chinese: holiday.chinese})
		}
	}
	return found
}

// Countries lists all countries of which holidays are known, sorted.
func Countries() []string { return slices.Sorted(maps.Keys(holidays)) }

// HolidayNames lists the stable keys of all holidays, sorted.
func HolidayNames() []string {
	names := map[string]bool{}
	for _, days := range holidays {
		for _, holiday := range days {
			names[holiday.name] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// holiday is a row of the file, for one of its countries.
type holiday struct {
	name             string
	on               rule
	english, chinese string
}

// holidays are all, by country.
var holidays = mustRead(parseHolidays(holidaysFile))

// mustRead is for files that are compiled in: tests have read them.
func mustRead[T any](read T, err error) T {
	if err != nil {
		panic(err)
	}
	return read
}

var (
	countryForm = regexp.MustCompile(`^[A-Z]{2}$`)
	nameForm    = regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
)

// parseHolidays reads the file of holidays. Its errors name the lines at fault.
func parseHolidays(text string) (map[string][]holiday, error) {
	rows := csv.NewReader(strings.NewReader(text))
	rows.Comment = '#'
	rows.FieldsPerRecord = 5
	rows.ReuseRecord = true
	read := map[string][]holiday{}
	var wrong []error
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return read, errors.Join(wrong...)
		}
		if err != nil {
			// It names the line.
			return nil, errors.Join(append(wrong, err)...)
		}
		line, _ := rows.FieldPos(0)
		if err := addHoliday(read, row); err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", line, err))
		}
	}
}

func addHoliday(read map[string][]holiday, row []string) error {
	countries, name, english, chinese := strings.Fields(row[0]), row[1], row[3], row[4]
	if !nameForm.MatchString(name) {
		return fmt.Errorf("%q is no name: write small letters and hyphens", name)
	}
	if english == "" || chinese == "" {
		return fmt.Errorf("%s lacks what it is called", name)
	}
	on, err := parseRule(row[2])
	if err != nil {
		return err
	}
	if len(countries) == 0 {
		return fmt.Errorf("%s is in no country", name)
	}
	for _, country := range countries {
		if _, err := language.ParseRegion(country); err != nil || !countryForm.MatchString(country) {
			return fmt.Errorf("%q is not a country of ISO 3166", country)
		}
		if slices.ContainsFunc(read[country], func(other holiday) bool { return other.name == name }) {
			return fmt.Errorf("%s has %s twice", country, name)
		}
		read[country] = append(read[country], holiday{name: name, on: on, english: english, chinese: chinese})
	}
	return nil
}

// Package scalars reads and writes the API's scalars. Whatever is malformed is refused with problem.BadUserInput.
package scalars

import (
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"regulars/internal/problem"
	"regulars/internal/value"
)

// What time.Parse takes besides, such as hours of one digit, is no RFC 3339.
var dateTimeForm = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})$`)

// MarshalDateTime writes an instant in UTC.
func MarshalDateTime(t time.Time) graphql.Marshaler {
	return text(t.UTC().Format(time.RFC3339Nano))
}

// UnmarshalDateTime reads an instant, cut to the microsecond.
func UnmarshalDateTime(given any) (time.Time, error) {
	written, _ := given.(string)
	t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(written))
	if err != nil || !dateTimeForm.MatchString(written) || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return time.Time{}, problem.BadUserInput("a DateTime is an instant with its offset in quotes, e.g. \"2026-11-21T09:30:00Z\"")
	}
	return t.UTC().Truncate(time.Microsecond), nil
}

// MarshalDate writes YYYY-MM-DD.
func MarshalDate(d value.Date) graphql.Marshaler {
	return text(d.String())
}

// UnmarshalDate reads YYYY-MM-DD.
func UnmarshalDate(given any) (value.Date, error) {
	written, _ := given.(string)
	d, err := value.ParseDate(written)
	if err != nil {
		return value.Date{}, problem.BadUserInput("a Date is written as \"2026-11-21\"")
	}
	return d, nil
}

// MarshalLocalDateTime writes YYYY-MM-DDThh:mm:ss.
func MarshalLocalDateTime(l value.LocalDateTime) graphql.Marshaler {
	return text(l.String())
}

// UnmarshalLocalDateTime reads YYYY-MM-DDThh:mm, or with :ss.
func UnmarshalLocalDateTime(given any) (value.LocalDateTime, error) {
	written, _ := given.(string)
	l, err := value.ParseLocalDateTime(written)
	if err != nil || l.Year < 1 {
		return value.LocalDateTime{}, problem.BadUserInput("a LocalDateTime is written as \"2026-12-05T19:00\"")
	}
	return l, nil
}

// MarshalDuration writes a duration as ISO 8601 does.
func MarshalDuration(period value.Period) graphql.Marshaler {
	return text(period.String())
}

// UnmarshalDuration reads a duration of ISO 8601 in whole numbers.
func UnmarshalDuration(given any) (value.Period, error) {
	written, _ := given.(string)
	period, err := value.ParsePeriod(written)
	if err != nil {
		return value.Period{}, problem.BadUserInput("a Duration is one of ISO 8601 in whole numbers, e.g. \"P30D\" or \"PT48H\"")
	}
	return period, nil
}

// MarshalLocalTime writes HH:MM.
func MarshalLocalTime(t value.LocalTime) graphql.Marshaler {
	return text(t.String())
}

// UnmarshalLocalTime reads HH:MM.
func UnmarshalLocalTime(given any) (value.LocalTime, error) {
	written, _ := given.(string)
	t, err := value.ParseLocalTime(written)
	if err != nil {
		return 0, problem.BadUserInput("a LocalTime is written as \"09:30\", from \"00:00\" to \"23:59\"")
	}
	return t, nil
}

// MarshalPoints writes points as a JSON number.
func MarshalPoints(points int64) graphql.Marshaler {
	return graphql.MarshalInt64(points)
}

// UnmarshalPoints reads a whole number from -(2^53-1) to 2^53-1.
func UnmarshalPoints(given any) (int64, error) {
	points, ok := Whole(given)
	if !ok || points > value.MaximumPoints || points < -value.MaximumPoints {
		return 0, problem.BadUserInput("Points are a whole number between -(2^53-1) and 2^53-1")
	}
	return points, nil
}

// UnmarshalInt reads a whole number of 32 bits.
func UnmarshalInt(given any) (int, error) {
	number, ok := Whole(given)
	if !ok || number != int64(int32(number)) {
		return 0, problem.BadUserInput("an Int is a whole number of 32 bits")
	}
	return int(number), nil
}

// Whole reads a number of a document or of variables; a fraction is none.
func Whole(given any) (int64, bool) {
	switch given := given.(type) {
	case int64:
		return given, true
	case int:
		return int64(given), true
	case json.Number:
		number, err := strconv.ParseInt(given.String(), 10, 64)
		return number, err == nil
	}
	return 0, false
}

// MarshalDecimal writes a decimal as a string.
func MarshalDecimal(d value.Decimal) graphql.Marshaler {
	return text(string(d))
}

// UnmarshalDecimal reads an exact decimal from a string.
func UnmarshalDecimal(given any) (value.Decimal, error) {
	written, _ := given.(string)
	d, err := value.ParseDecimal(written)
	if err != nil {
		return "", problem.BadUserInput("a Decimal is a string of at most 18 digits on either side of the point, e.g. \"12.34\"")
	}
	return d, nil
}

// MarshalCurrencyCode writes the code.
func MarshalCurrencyCode(c value.Currency) graphql.Marshaler {
	return text(string(c))
}

// UnmarshalCurrencyCode reads a code of ISO 4217 in capitals.
func UnmarshalCurrencyCode(given any) (value.Currency, error) {
	written, _ := given.(string)
	currency, err := value.ParseCurrency(written)
	if err != nil {
		return "", problem.BadUserInput("a CurrencyCode is one of ISO 4217 in capitals, e.g. EUR")
	}
	return currency, nil
}

func text(written string) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(written)) })
}

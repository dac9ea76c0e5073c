package value

import (
	"database/sql/driver"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"regulars/internal/problem"
)

// Offset is a length of time before or after something.
type Offset struct {
	Period Period
	Before bool
}

// ParseOffset reads a duration of ISO 8601 in whole numbers with or without a minus, e.g. -P7D or PT2H.
func ParseOffset(text string) (Offset, error) {
	rest, before := strings.CutPrefix(text, "-")
	period, err := ParsePeriod(rest)
	if err != nil {
		return Offset{}, fmt.Errorf("%q is not a duration of ISO 8601 in whole numbers, with a minus for before, e.g. -P7D or PT2H", text)
	}
	return Offset{Period: period, Before: before && period != (Period{})}, nil
}

// From returns t moved by the offset, on the calendar and clocks of zone: a day that its month does not have becomes the
// month's last.
func (o Offset) From(t time.Time, zone *time.Location) time.Time {
	if o.Before {
		return o.Period.Before(t, zone)
	}
	return o.Period.After(t, zone)
}

// String writes the offset as ParseOffset reads it.
func (o Offset) String() string {
	if o.Before {
		return "-" + o.Period.String()
	}
	return o.Period.String()
}

// MarshalText writes the offset into JSON as String does.
func (o Offset) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the offset back from JSON.
func (o *Offset) UnmarshalText(text []byte) (err error) {
	*o, err = ParseOffset(string(text))
	return err
}

// Value gives the offset to the database.
func (o Offset) Value() (driver.Value, error) { return o.String(), nil }

// Scan takes the offset from the database.
func (o *Offset) Scan(source any) error {
	text, ok := source.(string)
	if !ok {
		return fmt.Errorf("an offset cannot be read from %T", source)
	}
	return o.UnmarshalText([]byte(text))
}

// MarshalGQL writes the offset as the API shows it.
func (o Offset) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(o.String())) }

// UnmarshalGQL reads the offset from an argument.
func (o *Offset) UnmarshalGQL(given any) error {
	text, _ := given.(string)
	if err := o.UnmarshalText([]byte(text)); err != nil {
		return problem.BadUserInput("a Duration is one of ISO 8601 in whole numbers, here also before, e.g. \"-P7D\" or \"PT48H\"")
	}
	return nil
}

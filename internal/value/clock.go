package value

import (
	"database/sql/driver"
	"fmt"
	"time"
)

// LocalTime is a time of the day in minutes since midnight, in no time zone.
type LocalTime int

// ParseLocalTime reads HH:MM.
func ParseLocalTime(text string) (LocalTime, error) {
	at, err := time.Parse("15:04", text)
	if err != nil || len(text) != len("15:04") {
		return 0, fmt.Errorf("%q is not a time of the day of the form HH:MM", text)
	}
	return LocalTime(at.Hour()*60 + at.Minute()), nil
}

func (t LocalTime) String() string { return fmt.Sprintf("%02d:%02d", int(t)/60, int(t)%60) }

// MarshalText writes HH:MM.
func (t LocalTime) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads HH:MM.
func (t *LocalTime) UnmarshalText(text []byte) (err error) {
	*t, err = ParseLocalTime(string(text))
	return err
}

// Value gives the time to the database.
func (t LocalTime) Value() (driver.Value, error) { return t.String(), nil }

// Scan takes the time from the database.
func (t *LocalTime) Scan(source any) error {
	text, ok := source.(string)
	if !ok {
		return fmt.Errorf("a time of the day cannot be read from %T", source)
	}
	return t.UnmarshalText([]byte(text))
}

package club

import (
	"database/sql/driver"
	"fmt"
	"strings"

	"github.com/lib/pq"

	"regulars/internal/value"
)

// LocalDates are dates of a plan, by the clocks of its zone.
type LocalDates []value.LocalDateTime

// Value gives the dates to the database.
func (d LocalDates) Value() (driver.Value, error) {
	texts := make([]string, len(d))
	for i, one := range d {
		texts[i] = one.String()
	}
	return "{" + strings.Join(texts, ",") + "}", nil
}

// Scan takes the dates from the database.
func (d *LocalDates) Scan(source any) error {
	var texts pq.StringArray
	if err := texts.Scan(source); err != nil {
		return err
	}
	*d = make(LocalDates, len(texts))
	for i, text := range texts {
		parsed, err := value.ParseLocalDateTime(strings.Replace(text, " ", "T", 1))
		if err != nil {
			return fmt.Errorf("a date of a plan: %w", err)
		}
		(*d)[i] = parsed
	}
	return nil
}

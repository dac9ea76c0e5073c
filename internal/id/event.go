package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

// Prefixes of the ids of events and their dates in the API.
const (
	eventPrefix      = "evt"
	occurrencePrefix = "occ"
)

// Event is the id of an event of the club.
type Event uuid.UUID

// Occurrence is the id of one date of an event.
type Occurrence uuid.UUID

// ParseEvent reads an event's id; the zero id if text is none.
func ParseEvent(text string) Event { return parse[Event](eventPrefix, text) }

func (e Event) String() string { return text(eventPrefix, e) }

// MarshalGQL writes the id as the API shows it.
func (e Event) MarshalGQL(w io.Writer) { write(w, e) }

// UnmarshalGQL reads the id from an argument.
func (e *Event) UnmarshalGQL(value any) error { return read(e, value, ParseEvent) }

// Value gives the id to the database.
func (e Event) Value() (driver.Value, error) { return uuid.UUID(e).Value() }

// Scan takes the id from the database.
func (e *Event) Scan(source any) error { return (*uuid.UUID)(e).Scan(source) }

// MarshalText writes the id into JSON as the API shows it.
func (e Event) MarshalText() ([]byte, error) { return []byte(e.String()), nil }

// UnmarshalText reads the id back from JSON.
func (e *Event) UnmarshalText(text []byte) error {
	*e = ParseEvent(string(text))
	return nil
}

// ParseOccurrence reads an occurrence's id; the zero id if text is none.
func ParseOccurrence(text string) Occurrence { return parse[Occurrence](occurrencePrefix, text) }

func (o Occurrence) String() string { return text(occurrencePrefix, o) }

// MarshalGQL writes the id as the API shows it.
func (o Occurrence) MarshalGQL(w io.Writer) { write(w, o) }

// UnmarshalGQL reads the id from an argument.
func (o *Occurrence) UnmarshalGQL(value any) error { return read(o, value, ParseOccurrence) }

// Value gives the id to the database.
func (o Occurrence) Value() (driver.Value, error) { return uuid.UUID(o).Value() }

// Scan takes the id from the database.
func (o *Occurrence) Scan(source any) error { return (*uuid.UUID)(o).Scan(source) }

// MarshalText writes the id into JSON as the API shows it.
func (o Occurrence) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the id back from JSON.
func (o *Occurrence) UnmarshalText(text []byte) error {
	*o = ParseOccurrence(string(text))
	return nil
}

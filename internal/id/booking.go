package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

const (
	bookingPrefix = "bkg"
	scanPrefix    = "scn"
)

// Booking is the id of a booking.
type Booking uuid.UUID

// Scan is the id of what somebody at a door did with a ticket.
type Scan uuid.UUID

func (b Booking) String() string { return text(bookingPrefix, b) }
func (s Scan) String() string    { return text(scanPrefix, s) }

// ParseBooking reads a booking's id; the zero id if text is none.
func ParseBooking(text string) Booking { return parse[Booking](bookingPrefix, text) }

// MarshalGQL writes the id as the API shows it.
func (b Booking) MarshalGQL(w io.Writer) { write(w, b) }

// UnmarshalGQL reads the id from an argument.
func (b *Booking) UnmarshalGQL(value any) error { return read(b, value, ParseBooking) }

// Value gives the id to the database.
func (b Booking) Value() (driver.Value, error) { return uuid.UUID(b).Value() }

// Value gives the id to the database.
func (s Scan) Value() (driver.Value, error) { return uuid.UUID(s).Value() }

// Scan takes the id from the database.
func (b *Booking) Scan(source any) error { return (*uuid.UUID)(b).Scan(source) }

// Scan takes the id from the database.
func (s *Scan) Scan(source any) error { return (*uuid.UUID)(s).Scan(source) }

// MarshalText writes the id into JSON as the API shows it.
func (b Booking) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the id back from JSON.
func (b *Booking) UnmarshalText(text []byte) error {
	*b = ParseBooking(string(text))
	return nil
}

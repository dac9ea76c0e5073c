package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

// Referral is the id of a referral.
type Referral uuid.UUID

// ParseReferral reads a referral's id; the zero id if from is none.
func ParseReferral(from string) Referral { return parse[Referral](referralPrefix, from) }

func (r Referral) String() string { return text(referralPrefix, r) }

// MarshalGQL writes the id as the API shows it.
func (r Referral) MarshalGQL(w io.Writer) { write(w, r) }

// UnmarshalGQL reads the id from an argument.
func (r *Referral) UnmarshalGQL(value any) error { return read(r, value, ParseReferral) }

// Value gives the id to the database.
func (r Referral) Value() (driver.Value, error) { return uuid.UUID(r).Value() }

// Scan takes the id from the database.
func (r *Referral) Scan(source any) error { return (*uuid.UUID)(r).Scan(source) }

// MarshalText writes the id into JSON as the API shows it.
func (r Referral) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the id back from JSON.
func (r *Referral) UnmarshalText(text []byte) error {
	*r = ParseReferral(string(text))
	return nil
}

// Household is the id of a household.
type Household uuid.UUID

// ParseHousehold reads a household's id; the zero id if from is none.
func ParseHousehold(from string) Household { return parse[Household](householdPrefix, from) }

func (h Household) String() string { return text(householdPrefix, h) }

// MarshalGQL writes the id as the API shows it.
func (h Household) MarshalGQL(w io.Writer) { write(w, h) }

// UnmarshalGQL reads the id from an argument.
func (h *Household) UnmarshalGQL(value any) error { return read(h, value, ParseHousehold) }

// Value gives the id to the database.
func (h Household) Value() (driver.Value, error) { return uuid.UUID(h).Value() }

// Scan takes the id from the database.
func (h *Household) Scan(source any) error { return (*uuid.UUID)(h).Scan(source) }

package id

import (
	"database/sql/driver"
	"io"

	"github.com/google/uuid"
)

// Backtest is the id of a backtest.
type Backtest uuid.UUID

// ParseBacktest reads the id of a backtest; the zero id if text is none.
func ParseBacktest(text string) Backtest { return parse[Backtest](backtestPrefix, text) }

func (b Backtest) String() string { return text(backtestPrefix, b) }

// MarshalGQL writes the id as the API shows it.
func (b Backtest) MarshalGQL(w io.Writer) { write(w, b) }

// UnmarshalGQL reads the id from an argument.
func (b *Backtest) UnmarshalGQL(value any) error { return read(b, value, ParseBacktest) }

// Value gives the id to the database.
func (b Backtest) Value() (driver.Value, error) { return uuid.UUID(b).Value() }

// Scan takes the id from the database.
func (b *Backtest) Scan(source any) error { return (*uuid.UUID)(b).Scan(source) }

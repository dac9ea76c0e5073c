// Package program holds the settings of the one loyalty program that a database keeps.
package program

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/value"
)

// Program is the settings.
type Program struct {
	Name          string         `db:"name"`
	Currency      value.Currency `db:"currency"`
	TimeZone      string         `db:"time_zone"`
	DefaultLocale string         `db:"default_locale"`
	// StartsAt is before which no fact is taken; nil: no such floor.
	StartsAt *time.Time `db:"starts_at"`
	// CostMinor is what a point costs the program, in minor units; nil: not said.
	CostMinor *int64 `db:"cost_per_point"`
	// Care is the contact policy.
	Care CarePolicy `db:"care"`
	// Revision counts up with every change of rules, tiers and settings.
	Revision int64 `db:"revision"`
}

// Zone is the time zone in which the program counts days and periods.
func (p Program) Zone() (*time.Location, error) {
	zone, err := time.LoadLocation(p.TimeZone)
	if err != nil {
		return nil, fmt.Errorf("the program's time zone: %w", err)
	}
	return zone, nil
}

// Seed is what the environment says of the program, as written there; empty: not said.
type Seed struct {
	Currency string
	TimeZone string
	Start    string
}

// SettingError says which setting of the environment is wrong.
type SettingError struct {
	Key     string
	Message string
}

func (e SettingError) Error() string { return e.Key + ": " + e.Message }

// Keys of the settings that seed a new program.
const (
	CurrencyKey = "REGULARS_CURRENCY"
	TimeZoneKey = "REGULARS_TIME_ZONE"
	StartKey    = "REGULARS_PROGRAM_START"
)

// Ensure makes the program of a migrated database from seed if there is none yet: without a word from seed it counts in
// USD and UTC and has no start. If there is one, what seed says must agree with it. It returns a SettingError for a bad
// or differing setting.
func Ensure(ctx context.Context, db *postgres.DB, seed Seed) (created bool, err error) {
	wanted, err := seed.program()
	if err != nil {
		return false, err
	}
	err = db.InTx(ctx, func(tx *postgres.Tx) error {
		rows, err := insert(ctx, tx, wanted, tx.Now)
		if err != nil {
			return err
		}
		created = rows == 1
		kept, err := Load(ctx, tx)
		if err != nil {
			return err
		}
		return seed.compare(wanted, kept)
	})
	return created, err
}

func (s Seed) program() (Program, error) {
	made := Program{Name: "Regulars", Currency: "USD", TimeZone: "UTC", DefaultLocale: "en"}
	if s.Currency != "" {
		currency, err := value.ParseCurrency(s.Currency)
		if err != nil {
			return Program{}, SettingError{CurrencyKey, err.Error()}
		}
		made.Currency = currency
	}
	if s.TimeZone != "" {
		if _, err := value.ParseZone(s.TimeZone); err != nil {
			return Program{}, SettingError{TimeZoneKey, err.Error()}
		}
		made.TimeZone = s.TimeZone
	}
	if s.Start != "" {
		start, err := time.Parse(time.RFC3339, s.Start)
		if err != nil {
			return Program{}, SettingError{StartKey, fmt.Sprintf("%q is not an instant with its offset, e.g. 2026-01-01T00:00:00Z", s.Start)}
		}
		start = start.UTC().Truncate(time.Microsecond)
		made.StartsAt = &start
	}
	return made, nil
}

func (s Seed) compare(wanted, kept Program) error {
	const differs = "is %s, but the database's program has %s; leave the setting out or use another database"
	switch {
	case s.Currency != "" && wanted.Currency != kept.Currency:
		return SettingError{CurrencyKey, fmt.Sprintf(differs, wanted.Currency, kept.Currency)}
	case s.TimeZone != "" && wanted.TimeZone != kept.TimeZone:
		return SettingError{TimeZoneKey, fmt.Sprintf(differs, wanted.TimeZone, kept.TimeZone)}
	case s.Start != "" && (kept.StartsAt == nil || !kept.StartsAt.Equal(*wanted.StartsAt)):
		start := "none"
		if kept.StartsAt != nil {
			start = kept.StartsAt.Format(time.RFC3339)
		}
		return SettingError{StartKey, fmt.Sprintf(differs, s.Start, start)}
	}
	return nil
}

// ErrNone is returned by Load where no program has been made yet.
var ErrNone = errors.New("the database has no program yet")

// Load reads the program.
func Load(ctx context.Context, q postgres.Runner) (Program, error) {
	loaded, err := selectProgram(ctx, q)
	if errors.Is(err, sql.ErrNoRows) {
		return Program{}, ErrNone
	}
	return loaded, err
}

// Write keeps what can be changed of a program: its name, its locale, what a point costs and the contact policy. Whoever calls it has taken Change.
func Write(ctx context.Context, tx *postgres.Tx, p Program) error {
	return update(ctx, tx, p)
}

// Share keeps rules, tiers and settings from changing until the transaction ends. Every transaction that uses them takes it first
// and reads Revision after; any number of them run side by side. Like Change it moves tx.Now to now, so that whatever
// waited for a change is recorded after it.
func Share(ctx context.Context, tx *postgres.Tx, now func() time.Time) error {
	if err := lockShared(ctx, tx); err != nil {
		return err
	}
	tx.Now = now().UTC().Truncate(time.Microsecond)
	return nil
}

// Change waits until no transaction uses rules, tiers and settings, keeps new ones waiting until this one ends, and counts the
// revision up. It moves tx.Now to now, so that whatever used the old rules was recorded before what changes.
func Change(ctx context.Context, tx *postgres.Tx, now func() time.Time) error {
	if err := lockExclusive(ctx, tx); err != nil {
		return err
	}
	tx.Now = now().UTC().Truncate(time.Microsecond)
	return countRevision(ctx, tx)
}

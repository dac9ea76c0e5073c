package cli

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/postgres/embedded"
	"regulars/internal/program"
)

// doorwayConnections suffice, since telling who calls takes one statement.
const doorwayConnections = 4

// Database is the program's database, ready for use.
type Database struct {
	*postgres.DB
	// Doorway is the same database, for what tells who calls: it must not wait while operations have all connections of DB.
	Doorway *postgres.DB
	// Applied counts the migrations that opening it applied; Created tells whether it made the program.
	Applied int
	Created bool
	cluster *embedded.Cluster
}

// OpenDatabase opens the database that the settings name, or starts or joins the one in the data folder. It migrates it
// and makes its program from seed if it has none. It returns a program.SettingError if its program is another one than
// seed says. Close it in the end.
func OpenDatabase(ctx context.Context, settings Settings, seed program.Seed, now func() time.Time) (opened *Database, err error) {
	opened = &Database{}
	defer func() {
		if err != nil {
			err = errors.Join(err, opened.Close())
			opened = nil
		}
	}()
	source := settings.DatabaseURL
	if source == "" {
		opened.cluster, err = embedded.Open(ctx, filepath.Join(settings.Data, "postgres"), embedded.Options{})
		if err != nil {
			return opened, err
		}
		source = opened.cluster.DataSource()
	}
	if opened.DB, err = postgres.Open(ctx, source, postgres.Options{Now: now}); err != nil {
		if errors.Is(err, postgres.ErrDataSource) || errors.Is(err, postgres.ErrEncoding) {
			return opened, program.SettingError{Key: "DATABASE_URL", Message: err.Error()}
		}
		return opened, fmt.Errorf("opening the database: %w", err)
	}
	opened.Doorway = opened.Apart(doorwayConnections)
	if opened.Applied, err = opened.Migrate(ctx); err != nil {
		return opened, fmt.Errorf("migrating the database: %w", err)
	}
	opened.Created, err = program.Ensure(ctx, opened.DB, seed)
	return opened, err
}

// Close closes the connections and leaves the database in the data folder, which stops with the last one that uses it.
func (d *Database) Close() error {
	var errs []error
	if d.DB != nil {
		errs = append(errs, d.Doorway.Close(), d.DB.Close())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Close())
	}
	return errors.Join(errs...)
}

// asOperator opens the database for work that the program does for its operator; name says which.
func asOperator(ctx context.Context, running Program, settings Settings, seed Seed, name string, work func(context.Context, *Database) error) (err error) {
	database, err := OpenDatabase(ctx, settings, seed.program(), running.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	return work(actor.With(ctx, actor.System(name)), database)
}

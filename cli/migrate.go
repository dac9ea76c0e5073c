package cli

import (
	"context"
	"errors"
	"fmt"
)

type migrateCommand struct {
	Seed
}

// Help is what --help tells beyond the flags.
func (migrateCommand) Help() string {
	return `The server does so by itself when it starts; this is for those who want it done before. The database is only
ever moved forward, and a database that is ahead of the program is refused.

Example:

    DATABASE_URL=postgres://regulars@localhost/regulars?sslmode=disable regulars migrate`
}

// Run migrates the database and prints what it did.
func (c migrateCommand) Run(ctx context.Context, running Program, settings Settings) (err error) {
	database, err := OpenDatabase(ctx, settings, c.program(), running.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	if database.Created {
		_, err = fmt.Fprintf(running.Output, "%d migrations applied, a new program made\n", database.Applied)
	} else {
		_, err = fmt.Fprintf(running.Output, "%d migrations applied\n", database.Applied)
	}
	return err
}

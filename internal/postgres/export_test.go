package postgres

import (
	"context"
	"io/fs"
)

// MigrateFrom is Migrate with the migrations of another folder.
func (db *DB) MigrateFrom(ctx context.Context, folder fs.FS) (int, error) {
	files, err := migrationsIn(folder)
	if err != nil {
		return 0, err
	}
	return db.migrate(ctx, files)
}

// MigratedFrom is Migrated with the migrations of another folder.
func (db *DB) MigratedFrom(ctx context.Context, folder fs.FS) error {
	files, err := migrationsIn(folder)
	if err != nil {
		return err
	}
	return db.migrated(ctx, files)
}

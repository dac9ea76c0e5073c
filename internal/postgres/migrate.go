package postgres

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"
)

//go:embed migrations
var embedded embed.FS

// The states of a database that [DB.Migrate] and [DB.Migrated] refuse. The error
// that wraps one names the migration.
var (
	// ErrMigrationMissing: the database lacks a migration of this program.
	ErrMigrationMissing = errors.New("the database is behind the program: run the migrations")
	// ErrMigrationAhead: the database has a migration this program does not know.
	ErrMigrationAhead = errors.New("the database is ahead of the program: run a newer program")
	// ErrMigrationChanged: a migration was edited after it had been applied.
	ErrMigrationChanged = errors.New("a migration was edited after it had been applied: restore it and add a new one")
	// ErrMigrationOrder: a new migration has a number below an applied one.
	ErrMigrationOrder = errors.New("a migration was added before one that is applied: give it a higher number")
)

// migrationLock is the advisory lock that lets one program migrate at a time.
const migrationLock = 7_310_871_934_522_001

var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// migration is one file and, by its tags, its row once it is applied.
type migration struct {
	Version  int    `db:"version"`
	Name     string `db:"name"`
	Checksum string `db:"checksum"`
	script   string
}

// Migrate applies the migrations that the database lacks, in order and each in
// a transaction of its own, and returns how many it applied. Programs that
// migrate the same database at once wait for one another. It fails with
// [ErrMigrationChanged], [ErrMigrationAhead] or [ErrMigrationOrder] before it
// applies anything.
func (db *DB) Migrate(ctx context.Context) (applied int, err error) {
	files, err := embeddedMigrations()
	if err != nil {
		return 0, err
	}
	return db.migrate(ctx, files)
}

// Migrated returns nil if the database has exactly this program's migrations,
// and else an error that wraps [ErrMigrationMissing] or one of the errors of
// [DB.Migrate].
func (db *DB) Migrated(ctx context.Context) error {
	files, err := embeddedMigrations()
	if err != nil {
		return err
	}
	return db.migrated(ctx, files)
}

// Fingerprint identifies the program's set of migrations: databases made by
// programs of equal fingerprint have the same schema.
func Fingerprint() (string, error) {
	files, err := embeddedMigrations()
	if err != nil {
		return "", err
	}
	hash := sha256.New()
	for _, file := range files {
		fmt.Fprintln(hash, file.Name, file.Checksum)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func embeddedMigrations() ([]migration, error) {
	folder, err := fs.Sub(embedded, "migrations")
	if err != nil {
		return nil, err
	}
	return migrationsIn(folder)
}

// migrationsIn reads the .sql files of a folder in the order of their numbers.
func migrationsIn(folder fs.FS) ([]migration, error) {
	names, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var files []migration
	for _, name := range names {
		match := migrationName.FindStringSubmatch(name)
		if match == nil {
			return nil, fmt.Errorf("migration %s: the name is not NNNN_noun.sql", name)
		}
		version, err := strconv.Atoi(match[1])
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		if len(files) > 0 && files[len(files)-1].Version == version {
			return nil, fmt.Errorf("migrations %s and %s have the same number", files[len(files)-1].Name, name)
		}
		script, err := fs.ReadFile(folder, name)
		if err != nil {
			return nil, fmt.Errorf("migration %s: %w", name, err)
		}
		sum := sha256.Sum256(script)
		files = append(files, migration{
			Version: version, Name: name, Checksum: hex.EncodeToString(sum[:]), script: string(script),
		})
	}
	return files, nil
}

func (db *DB) migrate(ctx context.Context, files []migration) (applied int, err error) {
	session, err := db.pool.Connx(ctx)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", translate(ctx, err))
	}
	defer session.Close()
	if _, err := session.ExecContext(ctx, `select pg_advisory_lock($1)`, migrationLock); err != nil {
		return 0, fmt.Errorf("lock the migrations: %w", translate(ctx, err))
	}
	defer func() {
		_, failure := session.ExecContext(context.WithoutCancel(ctx), `select pg_advisory_unlock($1)`, migrationLock)
		if failure != nil && err == nil {
			err = fmt.Errorf("unlock the migrations: %w", failure)
		}
	}()

	_, err = session.ExecContext(ctx, `
		create table if not exists schema_migrations (
			version    int primary key,
			name       text not null,
			checksum   text not null,
			applied_at timestamptz not null
		)`)
	if err != nil {
		return 0, fmt.Errorf("create the table of migrations: %w", translate(ctx, err))
	}
	missing, err := missingMigrations(ctx, session, files)
	if err != nil {
		return 0, err
	}
	for _, file := range missing {
		if err := db.apply(ctx, session, file); err != nil {
			return applied, fmt.Errorf("migration %s: %w", file.Name, translate(ctx, err))
		}
		applied++
	}
	return applied, nil
}

func (db *DB) apply(ctx context.Context, session *sqlx.Conn, file migration) error {
	tx, err := session.BeginTxx(ctx, nil)
	if err != nil {
		return err
	}
	// After a commit this does nothing.
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, file.script); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		`insert into schema_migrations (version, name, checksum, applied_at) values ($1, $2, $3, $4)`,
		file.Version, file.Name, file.Checksum, db.Now().UTC().Truncate(time.Microsecond))
	if err != nil {
		return err
	}
	return tx.Commit()
}

func (db *DB) migrated(ctx context.Context, files []migration) error {
	var known bool
	if err := db.Get(ctx, &known, `select to_regclass('schema_migrations') is not null`); err != nil {
		return fmt.Errorf("look for the table of migrations: %w", err)
	}
	if !known {
		return ErrMigrationMissing
	}
	missing, err := missingMigrations(ctx, db.pool, files)
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		return fmt.Errorf("%w (%s and on)", ErrMigrationMissing, missing[0].Name)
	}
	return nil
}

// missingMigrations returns the files that are not applied yet, after checking
// that what is applied is the beginning of files.
func missingMigrations(ctx context.Context, on sqlx.QueryerContext, files []migration) ([]migration, error) {
	var rows []migration
	err := sqlx.SelectContext(ctx, on, &rows, `select version, name, checksum from schema_migrations order by version`)
	if err != nil {
		return nil, fmt.Errorf("read the applied migrations: %w", translate(ctx, err))
	}
	for i, row := range rows {
		at := slices.IndexFunc(files, func(file migration) bool { return file.Version == row.Version })
		switch {
		case at < 0:
			return nil, fmt.Errorf("%w (it has %s)", ErrMigrationAhead, row.Name)
		case files[at].Checksum != row.Checksum:
			return nil, fmt.Errorf("%w (%s)", ErrMigrationChanged, row.Name)
		case at > i:
			return nil, fmt.Errorf("%w (%s, before %s)", ErrMigrationOrder, files[i].Name, row.Name)
		}
	}
	return files[len(rows):], nil
}

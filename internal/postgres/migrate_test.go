package postgres_test

import (
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"regulars/internal/postgres"
)

func TestMigrate(t *testing.T) {
	t.Parallel()

	file := func(script string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(script)} }
	folder := fstest.MapFS{
		"0001_members.sql": file(`create table members (id int); create table cards (id int);`),
		"0003_books.sql":   file(`alter table members add name text; insert into members values (1, 'x');`),
		"README.md":        file(`no migration`),
	}
	with := func(name, script string) fstest.MapFS {
		other := maps.Clone(folder)
		other[name] = file(script)
		return other
	}
	without := func(name string) fstest.MapFS {
		other := maps.Clone(folder)
		delete(other, name)
		return other
	}
	// migrated is a database with all of folder.
	migrated := func(t *testing.T) *postgres.DB {
		db := open(t, 4)
		if applied, err := db.MigrateFrom(t.Context(), folder); applied != 2 || err != nil {
			t.Fatalf("applied %d, %v; want 2", applied, err)
		}
		return db
	}

	t.Run("Fresh", func(t *testing.T) {
		t.Parallel()
		db := migrated(t)
		if got := number(t, db, `select count(*) from members where name = 'x'`); got != 1 {
			t.Errorf("%d members, want 1", got)
		}
		if err := db.MigratedFrom(t.Context(), folder); err != nil {
			t.Error(err)
		}
	})

	t.Run("Again", func(t *testing.T) {
		t.Parallel()
		db := migrated(t)
		if applied, err := db.MigrateFrom(t.Context(), folder); applied != 0 || err != nil {
			t.Errorf("applied %d, %v; want 0", applied, err)
		}
		if applied, err := db.MigrateFrom(t.Context(), with("0004_more.sql", `create table more ()`)); applied != 1 || err != nil {
			t.Errorf("applied %d, %v; want 1", applied, err)
		}
	})

	t.Run("Refused", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			folder fstest.MapFS
			want   error
			named  string
		}{
			"Changed": {with("0003_books.sql", `select 1`), postgres.ErrMigrationChanged, "0003_books.sql"},
			"Ahead":   {without("0003_books.sql"), postgres.ErrMigrationAhead, "0003_books.sql"},
			"Order":   {with("0002_late.sql", `select 1`), postgres.ErrMigrationOrder, "0002_late.sql"},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				db := migrated(t)
				applied, err := db.MigrateFrom(t.Context(), test.folder)
				if applied != 0 || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.named) {
					t.Errorf("applied %d, %v; want %v", applied, err, test.want)
				}
				if err := db.MigratedFrom(t.Context(), test.folder); !errors.Is(err, test.want) {
					t.Errorf("Migrated: %v, want %v", err, test.want)
				}
			})
		}
	})

	t.Run("Missing", func(t *testing.T) {
		t.Parallel()
		if err := open(t, 1).MigratedFrom(t.Context(), folder); !errors.Is(err, postgres.ErrMigrationMissing) {
			t.Errorf("an empty database: %v, want ErrMigrationMissing", err)
		}
		err := migrated(t).MigratedFrom(t.Context(), with("0004_more.sql", ``))
		if !errors.Is(err, postgres.ErrMigrationMissing) {
			t.Errorf("a database behind: %v, want ErrMigrationMissing", err)
		}
	})

	t.Run("Broken", func(t *testing.T) {
		t.Parallel()
		db := migrated(t)
		broken := with("0004_broken.sql", `create table half (id int); select 1 / 0;`)
		broken["0005_after.sql"] = file(`create table after ()`)
		applied, err := db.MigrateFrom(t.Context(), broken)
		if applied != 0 || err == nil || !strings.Contains(err.Error(), "0004_broken.sql") {
			t.Errorf("applied %d, %v; want an error that names the file", applied, err)
		}
		if got := number(t, db, `select count(*) from pg_tables where tablename in ('half', 'after')`); got != 0 {
			t.Errorf("%d tables of broken migrations are left", got)
		}
		if applied, err := db.MigrateFrom(t.Context(), with("0004_repaired.sql", `create table half (id int)`)); applied != 1 || err != nil {
			t.Errorf("after the repair: applied %d, %v; want 1", applied, err)
		}
	})

	t.Run("Misnamed", func(t *testing.T) {
		t.Parallel()
		db := open(t, 1)
		for _, name := range []string{"4_short.sql", "0004-dash.sql", "0004_Upper.sql", "0003_twice.sql"} {
			if _, err := db.MigrateFrom(t.Context(), with(name, `select 1`)); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %v, want an error that names it", name, err)
			}
		}
	})

	t.Run("AtOnce", func(t *testing.T) {
		t.Parallel()
		db := open(t, 8)
		var total atomic.Int32
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				applied, err := db.MigrateFrom(t.Context(), folder)
				if err != nil {
					t.Error(err)
				}
				total.Add(int32(applied))
			})
		}
		all.Wait()
		if total.Load() != 2 {
			t.Errorf("applied %d in all, want 2", total.Load())
		}
	})
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	db := open(t, 2)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := db.Migrated(t.Context()); err != nil {
		t.Error(err)
	}
	first, err := postgres.Fingerprint()
	if second, _ := postgres.Fingerprint(); err != nil || first == "" || first != second {
		t.Errorf("the fingerprints are %q and %q, %v", first, second, err)
	}
}

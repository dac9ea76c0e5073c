package pgtest_test

import (
	"testing"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
)

func TestNew(t *testing.T) {
	t.Parallel()

	t.Run("Migrated", func(t *testing.T) {
		t.Parallel()
		if err := pgtest.New(t).Migrated(t.Context()); err != nil {
			t.Fatal(err)
		}
	})

	t.Run("Apart", func(t *testing.T) {
		t.Parallel()
		for range 2 {
			if _, err := pgtest.New(t).Exec(t.Context(), `create table mine (id int)`); err != nil {
				t.Fatal(err)
			}
		}
	})
}

func TestNewAt(t *testing.T) {
	t.Parallel()
	want := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	db := pgtest.NewAt(t, func() time.Time { return want })
	err := db.InTx(t.Context(), func(tx *postgres.Tx) error {
		if !tx.Now.Equal(want) {
			t.Errorf("Tx.Now is %v, want %v", tx.Now, want)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestDataSource(t *testing.T) {
	t.Parallel()
	db, err := postgres.Open(t.Context(), pgtest.DataSource(t), postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables int
	if err := db.Get(t.Context(), &tables, `select count(*) from pg_tables where schemaname = 'public'`); err != nil {
		t.Fatal(err)
	}
	if tables != 0 {
		t.Errorf("the database has %d tables, want none", tables)
	}
}

func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		pgtest.New(b)
	}
}

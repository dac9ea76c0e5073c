package postgres_test

import (
	"slices"
	"testing"

	"regulars/internal/postgres"
)

func TestSourceOf(t *testing.T) {
	t.Parallel()
	for source, want := range map[string]string{
		"postgres://ann:secret@db.example:5433/club?sslmode=verify-full": "postgres://ann:secret@db.example:5433/other?sslmode=verify-full",
		"postgresql://db.example?dbname=club&sslmode=disable":            "postgresql://db.example/other?sslmode=disable",
		"host='/a b' dbname=club":                                        "host='/a b' dbname=club dbname=other",
	} {
		if got, err := postgres.SourceOf(source, "other"); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", source, got, err, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	got, err := postgres.Environment("postgres://ann:secret@db.example:5433/club?sslmode=require")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"PGHOST=db.example", "PGPORT=5433", "PGDATABASE=club", "PGUSER=ann", "PGPASSWORD=secret", "PGSSLMODE=require"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %q", want, got)
		}
	}
	other, err := postgres.Environment("host=/sockets dbname=club user=ann dbname=other sslmode=disable")
	if err != nil || !slices.Contains(other, "PGDATABASE=other") {
		t.Errorf("got %q, %v; want the last of two names of the database", other, err)
	}
}

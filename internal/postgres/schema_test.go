package postgres_test

import (
	"flag"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/postgres/embedded"
	"regulars/internal/postgres/pgtest"
)

var update = flag.Bool("update", false, "write what the test finds to schema.sql")

// unstable lines of a dump differ between minor versions or say nothing about
// the schema.
var unstable = regexp.MustCompile(`(?m)^(--.*|SET .*|SELECT pg_catalog\.set_config.*|\\(un)?restrict .*)\n`)

var emptyLines = regexp.MustCompile(`\n{3,}`)

// TestSchema keeps schema.sql, where the whole schema is read in one place,
// equal to what the migrations make.
func TestSchema(t *testing.T) {
	t.Parallel()
	dataSource := pgtest.DataSource(t)
	db := openAt(t, dataSource, 2)
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := dump(t, dataSource)
	if *update {
		if err := os.WriteFile("schema.sql", []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("schema.sql is not what the migrations make; run the test with -update (-want +got):\n%s", diff)
	}
}

// dump returns the schema as SQL, without what is the same in every dump.
func dump(t *testing.T, dataSource string) string {
	t.Helper()
	program, err := embedded.Binary("pg_dump")
	if err != nil {
		t.Fatal(err)
	}
	// The key=value form is libpq's own.
	output, err := exec.CommandContext(t.Context(), program,
		"--schema-only", "--no-owner", "--no-privileges", "--dbname="+dataSource).Output()
	if err != nil {
		t.Fatalf("pg_dump: %v", err)
	}
	text := unstable.ReplaceAllString(string(output), "")
	return strings.TrimSpace(emptyLines.ReplaceAllString(text, "\n\n")) + "\n"
}

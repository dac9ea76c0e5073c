package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/reconcile"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	source := pgtest.DataSource(t)
	db, err := postgres.Open(t.Context(), source, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := program.Ensure(t.Context(), db, program.Seed{}); err != nil {
		t.Fatal(err)
	}
	admin := actor.With(t.Context(), actor.System("test"))
	if _, err := loyalty.New(db).Enroll(admin, []loyalty.EnrollMemberInput{{IdempotencyKey: "1"}, {IdempotencyKey: "2"}}); err != nil {
		t.Fatal(err)
	}

	file := filepath.Join(t.TempDir(), "differences.json")
	check := func() (output, messages string, code int, report reconcile.Report) {
		t.Helper()
		var out, told bytes.Buffer
		code = cli.Run(t.Context(), []string{"check", "--database-url", source, "--json", file}, cli.Program{
			Now: time.Now, Output: &out, Messages: &told,
		})
		written, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &report); err != nil {
			t.Fatal(err)
		}
		return out.String(), told.String(), code, report
	}
	output, messages, code, report := check()
	if code != 0 || !strings.Contains(output, "members checked   2") || messages != "" || report.Members != 2 || report.Moves != 2 {
		t.Errorf("clean: exit code %d, messages %q, %+v, output\n%s", code, messages, report, output)
	}

	if _, err := db.Exec(t.Context(), `update accounts set balance = 5, debt = 1 where member_id = (select min(member_id::text)::uuid from accounts)`); err != nil {
		t.Fatal(err)
	}
	output, messages, code, report = check()
	for _, line := range []string{"BALANCE, accounts 1: balance is 5, expected 0", "DEBT, accounts 1: debt is 1, expected 0", "differences, BALANCE   1", "differences   2"} {
		if !strings.Contains(output, line) {
			t.Errorf("the output lacks %q:\n%s", line, output)
		}
	}
	if code != 1 || !strings.Contains(messages, "the books differ") || len(report.Differences) != 2 {
		t.Errorf("corrupt: exit code %d, messages %q, %+v", code, messages, report)
	}
}

package cli_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/cli"
	"regulars/internal/postgres"
)

func TestJob(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	want := []string{
		"job|runs|next|last|began|took",
		"expire-points|hourly at :05|2026-05-04T12:05:00Z|-|-|-",
		"recalculate-tiers|hourly at :10|2026-05-04T12:10:00Z|-|-|-",
		"post-lapsed-offers|every minute|2026-05-04T12:01:00Z|-|-|-",
		"send-messages|every minute|2026-05-04T12:01:00Z|-|-|-",
		"complete-occurrences|every 5 minutes|2026-05-04T12:05:00Z|-|-|-",
		"add-occurrences|daily at 03:40|2026-05-05T03:40:00Z|-|-|-",
		"announce-expiries|daily at 04:30|2026-05-05T04:30:00Z|-|-|-",
		"care-occasions|every 5 minutes|2026-05-04T12:05:00Z|-|-|-",
		"check-books|daily at 05:00|2026-05-05T05:00:00Z|-|-|-",
		"forget-notices|daily at 05:15|2026-05-05T05:15:00Z|-|-|-",
		"forget-backtests|daily at 05:20|2026-05-05T05:20:00Z|-|-|-",
		"forget-runs|daily at 05:25|2026-05-05T05:25:00Z|-|-|-",
		"forget-messages|daily at 05:30|2026-05-05T05:30:00Z|-|-|-",
	}
	got := strings.Split(column.ReplaceAllString(strings.TrimSpace(o.succeed(t, "job", "list")), "|"), "\n")
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	if output := o.succeed(t, "job", "run", "check-books"); output != "check-books: SUCCEEDED, 0 done in 0s\n" {
		t.Errorf("running writes %q", output)
	}
	o.now = o.now.Add(time.Hour)
	for _, row := range []string{
		"check-books|daily at 06:30|2026-05-05T06:30:00Z|SUCCEEDED|2026-05-04T12:00:00Z|0s\n",
		"forget-runs|only when asked for|-|-|-|-\n",
	} {
		if table := column.ReplaceAllString(o.succeed(t, "job", "list", "--jobs", "check-books=30 6 * * *; forget-runs=off"), "|"); !strings.Contains(table, row) {
			t.Errorf("the table lacks %q:\n%s", row, table)
		}
	}
	if output, messages, code := o.run(t, "job", "run", "make-coffee"); code != 1 || output != "" || !strings.Contains(messages, "No job is called") {
		t.Errorf("one that is not there: exit code %d, output %q, messages %q", code, output, messages)
	}

	db, err := postgres.Open(t.Context(), o.source, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	held, err := db.TryLock(t.Context(), "check-books")
	if err != nil || held == nil {
		t.Fatal(held, err)
	}
	if output, messages, code := o.run(t, "job", "run", "check-books"); code != 1 || output != "" || !strings.Contains(messages, "check-books is running already.") {
		t.Errorf("one that runs: exit code %d, output %q, messages %q", code, output, messages)
	}
	held.Release(t.Context())

	if _, err := db.Exec(t.Context(), `insert into member_keys (kind, value, member_id) values ('EMAIL', 'x', gen_random_uuid())`); err != nil {
		t.Fatal(err)
	}
	output, messages, code := o.run(t, "job", "run", "check-books")
	if code != 1 || output != "check-books: FAILED, 0 done in 0s\n" || messages != "regulars: The books differ from what they should be (MEMBER_KEY 1). The command check lists every difference.\n" {
		t.Errorf("one that fails: exit code %d, output %q, messages %q", code, output, messages)
	}
}

// Ctrl-C interrupts the run, and the record says so.
func TestJob_Interrupted(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.succeed(t, "migrate")
	db, err := postgres.Open(t.Context(), o.source, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	var out, told bytes.Buffer
	err = db.InTx(t.Context(), func(tx *postgres.Tx) error {
		// The job has to wait for this.
		if _, err := tx.Exec(t.Context(), `lock table lots in access exclusive mode`); err != nil {
			return err
		}
		ended := make(chan int)
		go func() {
			ended <- cli.Run(ctx, []string{"job", "run", "expire-points", "--database-url", o.source}, cli.Program{
				Now: func() time.Time { return o.now }, Output: &out, Messages: &told,
			})
		}()
		for waiting := 0; waiting == 0; {
			if err := db.Get(t.Context(), &waiting, `
				select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and query like '%from lots%'`); err != nil {
				return err
			}
		}
		interrupt()
		if code := <-ended; code != 1 {
			t.Errorf("exit code %d", code)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := "expire-points: INTERRUPTED, 0 done in 0s\n"; out.String() != want {
		t.Errorf("it writes %q, want %q", out.String(), want)
	}
	if want := "regulars: The program was stopped. The next run finishes the rest.\n"; told.String() != want {
		t.Errorf("it says %q, want %q", told.String(), want)
	}
}

// What cannot be a time of a job stops the program, with the setting named.
func TestSettings_Jobs(t *testing.T) {
	t.Parallel()
	given, code, messages := served("--jobs", "expire-points=30 3 * * *;check-books=off")
	if difference := cmp.Diff(map[string]string{"expire-points": "30 3 * * *", "check-books": "off"}, map[string]string(given.Jobs)); code != 0 || difference != "" {
		t.Errorf("exit code %d, %s: %s", code, messages, difference)
	}
	for flag, sentence := range map[string]string{
		"expire=off": `no job is called "expire"`, "check-books=0 4 30 2 *": "it never fires", "check-books=whenever": `check-books: "whenever"`,
	} {
		if _, code, messages := served("--jobs", flag); code != 2 || !strings.Contains(messages, "--jobs") || !strings.Contains(messages, sentence) {
			t.Errorf("%s: exit code %d, messages %q", flag, code, messages)
		}
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFaults_Jobs kills programs with -9 in the middle of a job, beside a server: their runs become INTERRUPTED, the next one
// finishes the rest, and the books are clean.
func TestFaults_Jobs(t *testing.T) {
	t.Parallel()
	environment := []string{"REGULARS_DATA=" + openFolder(t), "REGULARS_CURRENCY=EUR", "REGULARS_JOBS=expire-points=off"}
	server := startServing(t, environment)
	token, _, _ := run(t, environment, "token", "--role", "ADMIN")
	ask := func(document string) string {
		t.Helper()
		_, answer := post(t, server.url, strings.TrimSpace(token), operation(t, document))
		if strings.Contains(answer, `"errors"`) {
			t.Fatalf("%s\nis answered %s", document, answer)
		}
		return answer
	}
	made := ask(`mutation { createEarningRule(input: {name: "For a day", award: {fixed: 10}, expiresAfter: "P1D"}) { rule { id } } }`)
	ask(fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { rule { id } } }`, ruleForm.FindString(made)))
	const members = 5000
	lapse := importLapsing(t, environment, members, 8*time.Second)
	await := func(what string, holds func() bool) {
		t.Helper()
		for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("in vain: %s", what)
			}
		}
	}
	await("the points lapse", func() bool { return time.Now().After(lapse) })

	type record struct {
		ID, Status string
		Processed  int
	}
	newest := func() record {
		t.Helper()
		var answer struct {
			Data struct{ JobRuns struct{ Nodes []record } }
		}
		if err := json.Unmarshal([]byte(ask(`{ jobRuns(first: 1, job: "expire-points") { nodes { id status processed } } }`)), &answer); err != nil {
			t.Fatal(err)
		}
		if len(answer.Data.JobRuns.Nodes) == 0 {
			return record{}
		}
		return answer.Data.JobRuns.Nodes[0]
	}
	killed, done := 0, 0
	for round := range 3 {
		before := newest()
		running := command(t, environment, "job", "run", "expire-points")
		if err := running.Start(); err != nil {
			t.Fatal(err)
		}
		var found record
		await("the job is under way", func() bool {
			found = newest()
			return found.ID != before.ID && (found.Processed >= round*500 || found.Status != "RUNNING")
		})
		// It may have come to its end.
		_ = running.Process.Kill()
		_ = running.Wait()
		await("the record is closed", func() bool {
			found = newest()
			return found.Status != "RUNNING"
		})
		if found.Status == "INTERRUPTED" {
			killed++
		}
		done += found.Processed
	}
	if killed == 0 {
		t.Error("no run was killed in the middle")
	}
	output, messages, code := run(t, environment, "job", "run", "expire-points")
	if code != 0 || !strings.Contains(output, "SUCCEEDED") {
		t.Errorf("the last run ends with %d: %s%s", code, output, messages)
	}
	// The last batch before a kill may not have been counted, or not have been done.
	last := newest()
	if all := done + last.Processed; all > members || all < members-1000*killed {
		t.Errorf("%d of %d members were done, %d of them by the last run", all, members, last.Processed)
	}
	if found := ask(`{ member(by: {externalId: "f4711"}) { pointsHistory(first: 2) { nodes { kind points } } } }`); !strings.Contains(found, `[{"kind":"EXPIRY","points":-10},{"kind":"ACCRUAL","points":10}]`) {
		t.Errorf("a member of many: %s", found)
	}
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("the books disagree (exit code %d):\n%s%s", code, output, messages)
	}
	server.end(t, syscall.SIGTERM)
}

// importLapsing imports a purchase of each member whose points lapse soon, and returns when: in the end, when all of them are
// there. Where the machine is slower than that, what lapsed too early is imported again.
func importLapsing(t *testing.T, environment []string, members int, soon time.Duration) time.Time {
	t.Helper()
	for attempt := range 4 {
		lapse := time.Now().UTC().Add(soon << attempt).Truncate(time.Second)
		var text strings.Builder
		text.WriteString("order,member,sku,quantity,price,time\n")
		for member := range members {
			fmt.Fprintf(&text, "%d-%d,f%d,sku,1,1.00,%s\n", attempt, member, member, lapse.AddDate(0, 0, -1).Format(time.RFC3339))
		}
		file := filepath.Join(t.TempDir(), "purchases.csv")
		if err := os.WriteFile(file, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		importFile(t, environment, file)
		if time.Now().Before(lapse) {
			return lapse
		}
	}
	t.Fatal("the import takes too long")
	return time.Time{}
}

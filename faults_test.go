package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// answered is what the till heard of one receipt before the program was killed.
type answered struct {
	receipt string
	points  int
}

// TestFaults kills the program with -9 while tills record and while a file is imported, starts it again and finds every
// receipt that was acknowledged, nothing twice, and books that agree with themselves.
func TestFaults(t *testing.T) {
	t.Parallel()
	environment := []string{"REGULARS_DATA=" + openFolder(t), "REGULARS_CURRENCY=EUR"}
	server := startServing(t, environment)
	token, _, _ := run(t, environment, "token", "--role", "ADMIN")
	token = strings.TrimSpace(token)
	ask := func(document string) string {
		t.Helper()
		status, answer := post(t, server.url, token, operation(t, document))
		if status != http.StatusOK || strings.Contains(answer, `"errors"`) {
			t.Fatalf("%s\nis answered %d: %s", document, status, answer)
		}
		return answer
	}
	made := ask(`mutation { createEarningRule(input: {name: "A point a euro", award: {perAmount: {points: 1, every: {amount: "1", currency: "EUR"}}}}) { rule { id } } }`)
	ask(fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { rule { id } } }`, ruleForm.FindString(made)))
	ask(`mutation { createTier(input: {name: "Gold", rank: 1, threshold: 200}) { tier { id } } }`)
	for member := range 4 {
		ask(fmt.Sprintf(`mutation { enrollMember(input: {externalId: "m%d", idempotencyKey: "m%d"}) { member { id } } }`, member, member))
	}
	file, orders := purchasesFile(t)

	var kept []answered
	for round := range 3 {
		importer := command(t, environment, "import", "purchases", file, "--columns", fileColumns)
		if err := importer.Start(); err != nil {
			t.Fatal(err)
		}
		kept = append(kept, load(t, server, token, round)...)
		// It may have come to its end.
		_ = importer.Process.Kill()
		_ = importer.Wait()
		server = startServing(t, environment)
	}
	if len(kept) < 30 {
		t.Fatalf("only %d receipts were acknowledged before the kills", len(kept))
	}
	for _, one := range kept {
		var answer struct {
			Data struct {
				RecordPurchase struct {
					Replayed bool
					Entries  []struct{ Points int }
				}
			}
		}
		_, body := post(t, server.url, token, operation(t, receipt(one.receipt, one.points)))
		if err := json.Unmarshal([]byte(body), &answer); err != nil {
			t.Fatal(err)
		}
		if again := answer.Data.RecordPurchase; !again.Replayed || len(again.Entries) != 1 || again.Entries[0].Points != one.points {
			t.Errorf("receipt %s was acknowledged with %d points; now it is answered %s", one.receipt, one.points, body)
		}
	}

	// What the kills cut short, the next run completes; the one after it has nothing to do.
	completed := importFile(t, environment, file)
	if taken := completed.Recorded.Orders + completed.Replayed.Orders; taken != orders {
		t.Errorf("after the kills %d of %d orders are there", taken, orders)
	}
	if again := importFile(t, environment, file); again.Recorded.Orders != 0 || again.Replayed.Orders != orders {
		t.Errorf("imported again, %d orders are new and %d were there", again.Recorded.Orders, again.Replayed.Orders)
	}
	if found := ask(`{ member(by: {externalId: "m0"}) { pointsHistory { totalCount } } members { totalCount } }`); !strings.Contains(found, fmt.Sprintf(`"members":{"totalCount":%d}`, 4+orders/10)) {
		t.Errorf("after all: %s", found)
	}
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("the books disagree (exit code %d):\n%s%s", code, output, messages)
	}
	server.end(t, syscall.SIGTERM)
}

const fileColumns = "order=order,member=member,sku=sku,quantity=quantity,price=price,time=time"

// imported is what the report of an import says of purchases.
type imported struct {
	Recorded, Replayed struct{ Orders int }
}

func importFile(t *testing.T, environment []string, file string) imported {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.json")
	output, messages, code := run(t, environment, "import", "purchases", file, "--columns", fileColumns, "--json", path)
	if code != 0 {
		t.Fatalf("the import ends with %d:\n%s%s", code, output, messages)
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var report struct{ Purchases imported }
	if err := json.Unmarshal(written, &report); err != nil {
		t.Fatal(err)
	}
	return report.Purchases
}

// load posts receipts from 16 tills, kills the program in the middle of it, and returns what was acknowledged.
func load(t *testing.T, server *served, token string, round int) []answered {
	t.Helper()
	var mutex sync.Mutex
	var kept []answered
	enough := make(chan struct{})
	var once sync.Once
	var tills sync.WaitGroup
	for till := range 16 {
		tills.Go(func() {
			for number := 0; ; number++ {
				one := answered{receipt: fmt.Sprintf("%d-%d-%d", round, till, number), points: 1 + rand.IntN(20)}
				request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.url+"/graphql", strings.NewReader(operation(t, receipt(one.receipt, one.points))))
				if err != nil {
					return
				}
				request.Header.Set("Content-Type", "application/json")
				request.Header.Set("Authorization", "Bearer "+token)
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					return // the program is gone
				}
				var body bytes.Buffer
				_, err = body.ReadFrom(response.Body)
				_ = response.Body.Close()
				if err != nil || !strings.Contains(body.String(), `"replayed":false`) {
					return
				}
				mutex.Lock()
				if kept = append(kept, one); len(kept) == 40 {
					once.Do(func() { close(enough) })
				}
				mutex.Unlock()
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(30 * time.Second):
		t.Error("the tills were not answered in time")
	}
	server.end(t, syscall.SIGKILL)
	tills.Wait()
	return kept
}

func receipt(number string, points int) string {
	return fmt.Sprintf(`mutation { recordPurchase(input: {member: {externalId: "m%d"}, source: "till", externalId: %q, occurredAt: "2026-01-01T00:00:00Z",
		total: {amount: "%d.50", currency: "EUR"}}) { entries { points } replayed userErrors { code } } }`, len(number)%4, number, points)
}

func operation(t *testing.T, document string) string {
	t.Helper()
	encoded, err := json.Marshal(map[string]string{"query": document})
	if err != nil {
		t.Fatal(err)
	}
	return string(encoded)
}

// purchasesFile is a history that takes a moment to import: ten orders for each of its members.
func purchasesFile(t *testing.T) (path string, orders int) {
	t.Helper()
	const members, each = 300, 10
	var text strings.Builder
	text.WriteString("order,member,sku,quantity,price,time\n")
	for order := range members * each {
		for line := range 3 {
			fmt.Fprintf(&text, "o%d,f%d,sku%d,2,%d.25,2025-%02d-%02dT10:00:00Z\n", order, order%members, line, 1+order%7, 1+order%12, 1+order%28)
		}
	}
	path = filepath.Join(t.TempDir(), "purchases.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path, members * each
}

// openFolder is a folder that PostgreSQL reaches, which may run as another user than the test.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "regulars") //nolint:usetesting // the test's own folder lies in one that is closed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/importer"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

// A marketer drafts a rule, gets an error, mends it, previews it, tries it on imported purchases and publishes it from tomorrow on;
// then a till records, support reads why, and a return unwinds it.
func TestStory_Marketer(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	with := settings(t)
	b := boot(t, with, clock.read)
	ask := func(role actor.Role, document string) string {
		t.Helper()
		token, err := b.issuer.Token(role, "staff:"+strings.ToLower(string(role)), time.Hour, clock.read())
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(map[string]string{"query": document})
		if err != nil {
			t.Fatal(err)
		}
		status, answer := post(t, b.URL(), token, string(body))
		if status != 200 || strings.Contains(answer, `"errors"`) {
			t.Fatalf("%s\nis answered %d: %s", document, status, answer)
		}
		return answer
	}
	expect := func(answer string, parts ...string) string {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(answer, part) {
				t.Errorf("%s\nlacks %s", answer, part)
			}
		}
		return answer
	}
	until := func(document, done string) string {
		t.Helper()
		for {
			answer := ask(actor.Admin, document)
			if strings.Contains(answer, done) {
				return answer
			}
			if strings.Contains(answer, "FAILED") || t.Context().Err() != nil {
				t.Fatalf("%s\nis answered %s", document, answer)
			}
		}
	}
	till := func(id, tea, cup string) string {
		t.Helper()
		return ask(actor.Support, fmt.Sprintf(`mutation { recordPurchase(input: {member: {externalId: "ada"}, source: "till", externalId: %q, occurredAt: %q,
			total: {amount: %q, currency: "USD"}, lines: [{sku: "TEA", quantity: "2", amount: {amount: %q, currency: "USD"}},
			{sku: "CUP", quantity: "1", amount: {amount: %q, currency: "USD"}}]}) { entries { points title } userErrors { code } } }`,
			id, clock.read().Format(time.RFC3339), sum(t, tea, cup), tea, cup))
	}

	// What there is: a point a dollar, and the purchases of February.
	base := ruleForm.FindString(ask(actor.Marketer, `mutation { createEarningRule(input: {name: "A point a dollar",
		award: {perAmount: {points: 1, every: {amount: "1", currency: "USD"}}}}) { rule { id } userErrors { code } } }`))
	ask(actor.Marketer, fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { userErrors { code } } }`, base))
	ask(actor.Admin, `mutation { updateProgram(input: {costPerPoint: {amount: "0.02", currency: "USD"}}) { userErrors { code } } }`)
	importPurchases(t, with.DatabaseURL, clock.read, `order,member,sku,quantity,price,time
1,ada,TEA,2,10.00,2026-02-03T10:00:00Z
1,ada,CUP,1,5.00,2026-02-03T10:00:00Z
2,eve,CUP,1,8.00,2026-02-04T10:00:00Z
3,ada,TEA,1,7.00,2026-02-05T10:00:00Z
4,eve,TEA,1,4.00,2026-02-20T10:00:00Z
`)

	const rule = `name: "Tea weeks", award: {perAmount: {points: 2, every: {amount: "1", currency: "USD"}, lineCondition: "line.sku == 'TEA'"}},
		limits: [{scope: MEMBER, period: WEEK, points: 30}]`
	expect(ask(actor.Marketer, `mutation { createEarningRule(input: {`+strings.Replace(rule, "line.sku", "line.sko", 1)+`}) { rule { id }
		userErrors { code path ... on InvalidConditionError { line column hint } } } }`),
		`"rule":null`, `"INVALID_CONDITION"`, `"line":1`, `"column":6`, "did you mean `sku`?")
	draft := ruleForm.FindString(expect(ask(actor.Marketer, `mutation { createEarningRule(input: {`+rule+`}) { rule { id status } userErrors { code } } }`), `"DRAFT"`))

	const purchase = `total: {amount: "12.00", currency: "USD"}, lines: [{sku: "TEA", quantity: "1", amount: {amount: "10.00", currency: "USD"}}, {sku: "CUP", quantity: "1", amount: {amount: "2.00", currency: "USD"}}]`
	expect(ask(actor.Marketer, fmt.Sprintf(`{ previewPurchase(input: {draftOf: %q, %s}) { evaluation { points outcomes { reason } } userErrors { code } } }`, draft, purchase)),
		`"points":32`, "2 points for every 1.00 USD of 10.00 USD in one line")

	// In February it would have given 30 of 40 points and nothing in one week, and 8 to somebody else later.
	tried := regexp.MustCompile(`bkt_[0-9a-z]+`).FindString(ask(actor.Marketer, `mutation { startBacktest(input: {rule: {`+rule+`}, from: "2026-02-01T00:00:00Z", to: "2026-03-01T00:00:00Z"})
		{ backtest { id status } userErrors { code } } }`))
	expect(until(fmt.Sprintf(`{ node(id: %q) { ... on Backtest { status progress membersAffected pointsIssued pointsActual draftPoints cost { amount }
		byDay { date points actual } winners { count points } losers { count } } } }`, tried), `"SUCCEEDED"`),
		`"progress":1`, `"membersAffected":2`, `"pointsIssued":82`, `"pointsActual":44`, `"draftPoints":38`, `"cost":{"amount":"1.64"}`,
		`{"date":"2026-02-03","points":55,"actual":25}`, `{"date":"2026-02-20","points":12,"actual":4}`, `"winners":{"count":2,"points":38}`, `"losers":{"count":0}`)

	tomorrow := clock.read().AddDate(0, 0, 1)
	expect(ask(actor.Marketer, fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q, from: %q}) { rule { status } userErrors { code } } }`, draft, tomorrow.Format(time.RFC3339))), `"SCHEDULED"`)
	if answer := till("1", "20.00", "3.00"); strings.Contains(answer, "Tea weeks") {
		t.Errorf("it serves today: %s", answer)
	}
	clock.move(0, 0, 1)
	expect(till("2", "20.00", "3.00"), `{"points":23,"title":"A point a dollar"}`, `{"points":30,"title":"Tea weeks"}`)

	// Why not 40?
	expect(ask(actor.Support, `{ activity(source: "till", externalId: "2") { evaluation { points outcomes { ruleName ruleVersion status desired granted reason } } } }`),
		`{"ruleName":"Tea weeks","ruleVersion":1,"status":"LIMITED","desired":40,"granted":30,"reason":"weekly limit of 30 points: 40 cut to 30"}`)
	expect(till("3", "10.00", "0.50"), `"entries":[{"points":10,"title":"A point a dollar"}]`)
	expect(ask(actor.Support, `{ activity(source: "till", externalId: "3") { evaluation { outcomes { ruleName reason } } } }`), "weekly limit of 30 points: 20 cut to 0")

	// Half of the tea comes back: half of its points, and as much room in the week.
	expect(ask(actor.Support, fmt.Sprintf(`mutation { recordReturn(input: {source: "till", externalId: "4", purchaseSource: "till", purchaseExternalId: "2", occurredAt: %q,
		lines: [{sku: "TEA", quantity: "1"}]}) { entries { points title } userErrors { code } } }`, clock.read().Format(time.RFC3339))),
		`{"points":-10,"title":"Return: A point a dollar"}`, `{"points":-15,"title":"Return: Tea weeks"}`)
	expect(till("5", "10.00", "0.50"), `{"points":15,"title":"Tea weeks"}`)

	run := regexp.MustCompile(`run_[0-9a-z]+`).FindString(ask(actor.Admin, `mutation { runJob(input: {job: "check-books"}) { run { id } userErrors { code } } }`))
	until(fmt.Sprintf(`{ node(id: %q) { ... on JobRun { status error } } }`, run), `"SUCCEEDED"`)
}

// sum adds two amounts of whole cents.
func sum(t *testing.T, amounts ...string) string {
	t.Helper()
	cents := 0
	for _, amount := range amounts {
		var whole, part int
		if _, err := fmt.Sscanf(amount, "%d.%02d", &whole, &part); err != nil {
			t.Fatal(err)
		}
		cents += 100*whole + part
	}
	return fmt.Sprintf("%d.%02d", cents/100, cents%100)
}

// importPurchases imports purchases into the database of a program that runs.
func importPurchases(t *testing.T, source string, now func() time.Time, purchases string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "purchases.csv")
	if err := os.WriteFile(file, []byte(purchases), 0o600); err != nil {
		t.Fatal(err)
	}
	db, err := postgres.Open(t.Context(), source, postgres.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	ctx := actor.With(t.Context(), actor.System("import"))
	with := &importer.Importer{DB: db, Service: loyalty.New(db), Progress: func(importer.Stage, int64, int64) {}}
	report, err := with.Purchases(ctx, file, importer.PurchaseOptions{Source: "import"})
	if err != nil || report.Lines.Rejected > 0 {
		t.Fatalf("the import: %+v %v", report, err)
	}
}

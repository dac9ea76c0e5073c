package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/internal/actor"
)

var ruleForm = regexp.MustCompile(`rul_[0-9a-z]+`)

// clock is one that a test moves.
type clock struct {
	mutex sync.Mutex
	now   time.Time
}

func (c *clock) read() time.Time {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	return c.now
}

func (c *clock) move(years, months, days int) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	c.now = c.now.AddDate(years, months, days)
}

// A member joins, earns, rises, brings something back, gets points that expire, and falls when a year has gone by: over
// HTTP, as an app, a till and a marketer see it.
func TestStory(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)}
	b := boot(t, settings(t), clock.read)
	ask := func(role actor.Role, subject, document string) string {
		t.Helper()
		token, err := b.issuer.Token(role, subject, time.Hour, clock.read())
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
	expect := func(answer string, parts ...string) {
		t.Helper()
		for _, part := range parts {
			if !strings.Contains(answer, part) {
				t.Errorf("%s\nlacks %s", answer, part)
			}
		}
	}
	status := func(parts ...string) {
		t.Helper()
		expect(ask(actor.Member, "ada", `{ viewer { member { points { available debt } standing { tier { name } qualifyingPoints } } } }`), parts...)
	}
	till := func(id, amount string) string {
		t.Helper()
		return ask(actor.Support, "staff:till", fmt.Sprintf(`mutation { recordPurchase(input: {member: {externalId: "ada"}, source: "till", externalId: %q,
			occurredAt: %q, total: {amount: %q, currency: "USD"}}) { entries { points } member { standing { tier { name } } } userErrors { code } } }`,
			id, clock.read().Format(time.RFC3339), amount))
	}

	// The marketer sets up what the member then lives in.
	made := ask(actor.Marketer, "staff:marketer", `mutation { createEarningRule(input: {name: "A point a dollar",
		award: {perAmount: {points: 1, every: {amount: "1", currency: "USD"}}}}) { rule { id } userErrors { code } } }`)
	rule := ruleForm.FindString(made)
	ask(actor.Marketer, "staff:marketer", fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { userErrors { code } } }`, rule))
	ask(actor.Marketer, "staff:marketer", `mutation { createTier(input: {name: "Gold", rank: 1, threshold: 100}) { userErrors { code } } }`)

	ask(actor.Member, "ada", `mutation { enrollMember(input: {displayName: "Ada", idempotencyKey: "join"}) { member { id } userErrors { code } } }`)
	status(`"available":0`, `"name":"Member"`)

	clock.move(0, 0, 1)
	expect(till("1", "60.50"), `"points":60`, `"name":"Member"`)
	clock.move(0, 1, 0)
	expect(till("2", "45.00"), `"points":45`, `"name":"Gold"`)
	expect(till("2", "45.00"), `"points":45`)
	status(`"available":105`, `"name":"Gold"`, `"qualifyingPoints":105`)

	// Half of the first purchase comes back: Gold stays until it runs out.
	clock.move(0, 0, 1)
	expect(ask(actor.Support, "staff:till", fmt.Sprintf(`mutation { recordReturn(input: {source: "till", externalId: "r1", purchaseSource: "till",
		purchaseExternalId: "1", occurredAt: %q, amount: {amount: "30.25", currency: "USD"}}) { entries { kind points } userErrors { code } } }`,
		clock.read().Format(time.RFC3339))), `"kind":"REVERSAL","points":-30`)
	status(`"available":75`, `"name":"Gold"`, `"qualifyingPoints":75`)

	// A gift lapses at its instant, without anything running.
	ask(actor.Support, "staff:support", fmt.Sprintf(`mutation { adjustPoints(input: {member: {externalId: "ada"}, points: 20, reason: "sorry for the wait",
		expiresAt: %q, idempotencyKey: "gift"}) { userErrors { code } } }`, clock.read().AddDate(0, 0, 7).Format(time.RFC3339)))
	status(`"available":95`)
	clock.move(0, 0, 7)
	status(`"available":75`)

	// A year on nothing is left of the window, and Gold has run out.
	clock.move(1, 0, 0)
	status(`"available":75`, `"name":"Member"`, `"qualifyingPoints":0`)
	expect(ask(actor.Member, "ada", `{ viewer { member { pointsHistory { totalCount nodes { kind title points } } } } }`),
		`"totalCount":4`, `"title":"A point a dollar"`, `"title":"Return: A point a dollar"`)
}

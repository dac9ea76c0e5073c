package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/loyalty/loyaltytest"
)

// asking is somebody who sends operations.
type asking struct {
	client *http.Client
	url    string
	token  string
}

// reply is what came back, without what differs from request to request.
type reply struct {
	status     int
	retryAfter string
	body       string
}

var requestIDForm = regexp.MustCompile(`"requestId":"[^"]+"`)

func (a asking) ask(t *testing.T, document string, variables map[string]any) reply {
	operation, err := json.Marshal(map[string]any{"query": document, "variables": variables})
	if err != nil {
		t.Error(err)
		return reply{}
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.url+"/graphql", bytes.NewReader(operation))
	if err != nil {
		t.Error(err)
		return reply{}
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+a.token)
	response, err := a.client.Do(request)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Error(err)
	}
	return reply{response.StatusCode, response.Header.Get("Retry-After"), requestIDForm.ReplaceAllString(string(body), `"requestId":""`)}
}

// lookUps asks for the members with the numbers.
func lookUps(numbers ...string) string {
	var document strings.Builder
	document.WriteString("{")
	for i, number := range numbers {
		fmt.Fprintf(&document, " g%d: member(by: {number: %q}) { id }", i, number)
	}
	return document.String() + " }"
}

const sell = `mutation ($purchase: RecordPurchaseInput!) { recordPurchase(input: $purchase) { entries { points } userErrors { code } } }`

func purchase(number, receipt string, at time.Time) map[string]any {
	return map[string]any{
		"member": map[string]any{"number": number}, "source": "till", "externalId": receipt, "occurredAt": at.Format(time.RFC3339),
		"total": map[string]any{"amount": "10", "currency": "USD"},
	}
}

// register tries an e-mail address.
func register(email, key string) string {
	return fmt.Sprintf(`mutation { enrollMember(input: {email: %q, idempotencyKey: %q}) { member { id } userErrors { code } } }`, email, key)
}

// TestGuessing lets 100 callers guess card numbers and e-mail addresses, a third of them staff, machine clients and members
// each, and 100 strangers guess tokens for a minute, beside an honest till and an honest member. The minute is the clock's.
func TestGuessing(t *testing.T) {
	t.Parallel()
	const (
		guessers, strangers = 100, 100
		step, steps         = 10 * time.Second, 6
		tries               = 15
		rounds              = 5
	)
	clock := &loyaltytest.Clock{}
	clock.Set(time.Now().Truncate(time.Second))
	b := boot(t, settings(t), clock.Now)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: guessers}}
	t.Cleanup(client.CloseIdleConnections)
	as := func(role actor.Role, subject string) asking {
		token, err := b.issuer.Token(role, subject, time.Hour, clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		return asking{client, b.URL(), token}
	}
	admin, till, member := as(actor.Admin, "admin"), as(actor.Support, "till"), as(actor.Member, "ada")
	taken := func(pattern string, from reply) string {
		found := regexp.MustCompile(pattern).FindStringSubmatch(from.body)
		if found == nil {
			t.Fatalf("no %s in %s", pattern, from.body)
		}
		return found[1]
	}
	rule := taken(`"(rul_\w+)"`, admin.ask(t, `mutation { createEarningRule(input: {name: "Base", award: {fixed: 5}}) { rule { id } } }`, nil))
	admin.ask(t, fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { rule { id } } }`, rule), nil)
	number := taken(`"number":"(\d+)"`, admin.ask(t, `mutation { enrollMember(input: {externalId: "ada", email: "ada@club.example", idempotencyKey: "ada"}) { member { number } } }`, nil))
	clock.Advance(time.Second)

	// The honest ones: a purchase earns its points, and the member sees them at once.
	sold := 0
	honest := func(took *[]time.Duration) {
		for range rounds {
			sold++
			start := time.Now()
			if got := till.ask(t, sell, map[string]any{"purchase": purchase(number, fmt.Sprint("sale", sold), clock.Now())}); got != (reply{200, "", `{"data":{"recordPurchase":{"entries":[{"points":5}],"userErrors":[]}}}`}) {
				t.Errorf("the till is answered %+v", got)
			}
			*took = append(*took, time.Since(start))
			start = time.Now()
			if got := member.ask(t, `{ viewer { member { points { available } } } }`, nil); got != (reply{200, "", fmt.Sprintf(`{"data":{"viewer":{"member":{"points":{"available":%d}}}}}`, 5*sold)}) {
				t.Errorf("the member is answered %+v", got)
			}
			*took = append(*took, time.Since(start))
		}
	}
	var alone, beside []time.Duration
	for range steps {
		honest(&alone)
	}

	const staff, clients = 34, 33 // the others are members
	made := admin.ask(t, func() string {
		var document strings.Builder
		for i := range clients {
			fmt.Fprintf(&document, ` c%d: createClient(input: {name: "Guesser %d", scopes: ["members:read", "purchases:write"]}) { key }`, i, i)
		}
		return "mutation {" + document.String() + " }"
	}(), nil)
	keys := regexp.MustCompile(`rgl_[a-z2-7_]+`).FindAllString(made.body, -1)
	if len(keys) != clients {
		t.Fatalf("clients are made: %s", made.body)
	}

	// However it guesses, a caller has one stock: a batch of a thousand empties it.
	wrong := func(guesser, guess int) string { return fmt.Sprintf("%06d%06d", guesser, guess) }
	callers := make([]asking, guessers)
	guessed := make([]int, guessers)
	everybody(guessers, func(i int) {
		switch {
		case i < staff:
			callers[i] = as(actor.Support, fmt.Sprint("guesser", i))
		case i < staff+clients:
			callers[i] = asking{client, b.URL(), keys[i-staff]}
		default:
			callers[i] = as(actor.Member, fmt.Sprint("guesser", i))
			return
		}
		batch := make([]any, 1000)
		for guess := range batch {
			batch[guess] = purchase(wrong(i, guess), fmt.Sprint(guess), clock.Now())
		}
		got := callers[i].ask(t, `mutation ($batch: [RecordPurchaseInput!]!) { recordPurchases(input: {purchases: $batch}) { results { userErrors { code } } userErrors { code } } }`, map[string]any{"batch": batch})
		guessed[i] = strings.Count(got.body, "UNKNOWN_MEMBER")
	})

	var refused, limited atomic.Int64
	for second := range steps {
		var guessing sync.WaitGroup
		guessing.Go(func() {
			everybody(guessers, func(i int) {
				if i >= staff+clients {
					for guess := range tries {
						got := callers[i].ask(t, register(fmt.Sprintf("g%d-%d-%d@club.example", i, second, guess), fmt.Sprint(second, guess)), nil)
						guessed[i] += strings.Count(got.body, "userErrors")
					}
					hit, miss := callers[i].ask(t, register("ada@club.example", "hit"), nil), callers[i].ask(t, register("nobody@club.example", "miss"), nil)
					if hit != miss || !strings.Contains(hit.body, `"code":"RATE_LIMITED"`) || hit.retryAfter == "" {
						t.Errorf("a right address is answered %+v, a wrong one %+v", hit, miss)
					}
					return
				}
				numbers := make([]string, tries)
				for guess := range numbers {
					numbers[guess] = wrong(i, 1000+tries*second+guess)
				}
				got := callers[i].ask(t, lookUps(numbers...), nil)
				guessed[i] += strings.Count(got.body, `:null`) - strings.Count(got.body, "RATE_LIMITED")
				// Whatever came back in the meantime is used up. Now a right guess is answered as a wrong one is.
				hit, miss := callers[i].ask(t, lookUps(number), nil), callers[i].ask(t, lookUps(wrong(i, 999_999)), nil)
				if hit != miss || !strings.Contains(hit.body, `"code":"RATE_LIMITED"`) || hit.retryAfter == "" || strings.Contains(hit.body, "mem_") {
					t.Errorf("a right guess is answered %+v, a wrong one %+v", hit, miss)
				}
			})
		})
		guessing.Go(func() {
			everybody(strangers, func(i int) {
				switch got := (asking{client, b.URL(), fmt.Sprintf("guess%d.%d", i, second)}).ask(t, lookUps(number), nil); got.status {
				case http.StatusUnauthorized:
					refused.Add(1)
				case http.StatusTooManyRequests:
					limited.Add(1)
					if got.retryAfter == "" || !strings.Contains(got.body, `"code":"RATE_LIMITED"`) {
						t.Errorf("a stranger is answered %+v", got)
					}
				default:
					t.Errorf("a stranger is answered %+v", got)
				}
			})
		})
		honest(&beside)
		guessing.Wait()
		clock.Advance(step)
	}

	// What they learned is what their stocks allow: 1,000, 60 a minute, and what was under way when the last was used; of
	// members 10.
	for i, count := range guessed {
		if i >= staff+clients {
			if count != 10 {
				t.Errorf("member %d was answered %d times", i, count)
			}
			continue
		}
		if count < 1000 || count > 1000+60+tries {
			t.Errorf("guesser %d was answered %d times", i, count)
		}
	}
	if got := refused.Load(); got < 30 || got > 60 || limited.Load()+got != strangers*steps {
		t.Errorf("strangers were refused %d times and limited %d times", got, limited.Load())
	}
	if log := b.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("something failed: %s", log)
	}
	slices.Sort(alone)
	slices.Sort(beside)
	t.Logf("the honest ones wait %v (median) alone, %v beside %d guessers and %d strangers", alone[len(alone)/2], beside[len(beside)/2], guessers, strangers)
}

// everybody lets 16 at a time do their part.
func everybody(count int, part func(i int)) {
	var working sync.WaitGroup
	var next atomic.Int64
	for range 16 {
		working.Go(func() {
			for i := int(next.Add(1)) - 1; i < count; i = int(next.Add(1)) - 1 {
				part(i)
			}
		})
	}
	working.Wait()
}

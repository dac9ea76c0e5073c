package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// faultRounds says how often TestFaults_Mixed kills something.
const faultRounds = "TEST_FAULT_ROUNDS"

// acknowledged is an operation and what its caller heard.
type acknowledged struct{ document, answer string }

// mixed is 16 clients that do everything that moves points, and what they heard.
type mixed struct {
	token string
	url   atomic.Pointer[string]
	// rewards are the ids that clients redeem.
	reward string
	serial atomic.Int64

	mutex sync.Mutex
	kept  []acknowledged
	heard chan struct{}
}

// TestFaults_Mixed kills the program and PostgreSQL with -9, in turn and at random moments, while clients buy, bring back, hold,
// capture, give back, redeem and adjust. Whatever was acknowledged is answered the same afterwards, and the books agree.
func TestFaults_Mixed(t *testing.T) {
	t.Parallel()
	rounds := 3
	if text := os.Getenv(faultRounds); text != "" {
		var err error
		if rounds, err = strconv.Atoi(text); err != nil {
			t.Fatalf("%s: %v", faultRounds, err)
		}
	}
	folder := openFolder(t)
	environment := []string{"REGULARS_DATA=" + folder, "REGULARS_CURRENCY=EUR", "REGULARS_CALLER_RATE=100000"}
	server := startServing(t, environment)
	token, _, _ := run(t, environment, "token", "--role", "ADMIN")
	clients := &mixed{token: strings.TrimSpace(token), heard: make(chan struct{}, 1)}
	clients.url.Store(&server.url)
	clients.prepare(t)

	for round := range rounds {
		stop := make(chan struct{})
		var working sync.WaitGroup
		for range 16 {
			working.Go(func() { clients.work(t, stop) })
		}
		clients.await(t, 30+rand.IntN(150))
		if round%2 == 0 {
			server.end(t, syscall.SIGKILL)
			server = startServing(t, environment)
			clients.url.Store(&server.url)
		} else {
			killPostgreSQL(t, folder)
		}
		// The clients go on, and are answered again.
		clients.await(t, 40)
		close(stop)
		working.Wait()
		if output, messages, code := run(t, environment, "check"); code != 0 {
			t.Fatalf("round %d: the books disagree (exit code %d):\n%s%s", round, code, output, messages)
		}
	}
	t.Logf("%d rounds, %d operations acknowledged", rounds, len(clients.kept))
	for _, one := range clients.kept {
		status, again := clients.post(t, one.document)
		if want := strings.Replace(one.answer, `"replayed":false`, `"replayed":true`, 1); status != http.StatusOK || again != want {
			t.Errorf("%s\nwas answered        %s\nand is answered now %s", one.document, one.answer, again)
		}
	}
	if output, messages, code := run(t, environment, "check"); code != 0 {
		t.Errorf("after all was sent again, the books disagree (exit code %d):\n%s%s", code, output, messages)
	}
	server.end(t, syscall.SIGTERM)
}

// prepare makes a rule, a reward and members who have something to spend.
func (m *mixed) prepare(t *testing.T) {
	t.Helper()
	ask := func(document string) string {
		t.Helper()
		status, answer := m.post(t, document)
		if status != http.StatusOK || !strings.Contains(answer, `"userErrors":[]`) {
			t.Fatalf("%s\nis answered %d: %s", document, status, answer)
		}
		return answer
	}
	made := ask(`mutation { createEarningRule(input: {name: "A point a euro", award: {perAmount: {points: 1, every: {amount: "1", currency: "EUR"}}}, expiresAfter: "P1D"}) { rule { id } userErrors { code } } }`)
	ask(fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { userErrors { code } } }`, ruleForm.FindString(made)))
	m.reward = regexp.MustCompile(`rew_\w+`).FindString(ask(`mutation { createReward(input: {name: "Cake", kind: VOUCHER, cost: 5, stock: 100000}) { reward { id } userErrors { code } } }`))
	for member := range 4 {
		ask(fmt.Sprintf(`mutation { enrollMember(input: {externalId: "m%d", idempotencyKey: "m%d"}) { userErrors { code } } }`, member, member))
		ask(fmt.Sprintf(`mutation { adjustPoints(input: {member: {externalId: "m%d"}, points: 500, reason: "Welcome", idempotencyKey: "w%d"}) { userErrors { code } } }`, member, member))
	}
}

// work does one thing after the other until stop is closed. What fails is not sent again: whoever is cut off goes on.
func (m *mixed) work(t *testing.T, stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		member, key := rand.IntN(4), m.serial.Add(1)
		const from = `member: {externalId: "m%d"}`
		switch rand.IntN(5) {
		case 0, 1:
			bought := fmt.Sprintf(`recordPurchase(input: {`+from+`, source: "till", externalId: "%d", occurredAt: "2026-01-01T00:00:00Z",
				total: {amount: "%d.50", currency: "EUR"}})`, member, key, 1+rand.IntN(40))
			if _, ok := m.do(t, bought, `activity { id } entries { id points }`); ok && rand.IntN(3) == 0 {
				m.do(t, fmt.Sprintf(`recordReturn(input: {source: "desk", externalId: "%d", purchaseSource: "till", purchaseExternalId: "%d",
					occurredAt: "2026-01-02T00:00:00Z"})`, key, key), `activity { id } entries { id points }`)
			}
		case 2:
			held, ok := m.do(t, fmt.Sprintf(`holdPoints(input: {`+from+`, points: %d, reason: "till", expiresIn: "PT%dS", idempotencyKey: "%d"})`,
				member, 1+rand.IntN(20), 1+rand.IntN(600), key), `hold { id points }`)
			if !ok || rand.IntN(4) == 0 {
				continue
			}
			hold := regexp.MustCompile(`hld_\w+`).FindString(held)
			if _, ok = m.do(t, fmt.Sprintf(`captureHold(input: {holdId: %q, points: 1, idempotencyKey: "%d"})`, hold, key), `hold { id } entry { id points }`); ok && rand.IntN(2) == 0 {
				m.do(t, fmt.Sprintf(`refundCapture(input: {holdId: %q, points: 1, reason: "back", idempotencyKey: "%d"})`, hold, key), `hold { id } entry { id points }`)
			}
		case 3:
			m.do(t, fmt.Sprintf(`adjustPoints(input: {`+from+`, points: %d, reason: "by hand", idempotencyKey: "%d"})`,
				member, slices.Max([]int{1, rand.IntN(30)})*(1-2*rand.IntN(2)), key), `adjustment { id } entry { id points }`)
		default:
			redeemed, ok := m.do(t, fmt.Sprintf(`redeemReward(input: {`+from+`, rewardId: %q, idempotencyKey: "%d"})`, member, m.reward, key), `redemption { id voucherCode }`)
			if ok && rand.IntN(2) == 0 {
				m.do(t, fmt.Sprintf(`cancelRedemption(input: {redemptionId: %q, reason: "no", idempotencyKey: "%d"})`,
					regexp.MustCompile(`red_\w+`).FindString(redeemed), key), `redemption { id }`)
			}
		}
	}
}

// do sends a mutation and keeps it if it was done; false if it was refused or nobody answered.
func (m *mixed) do(t *testing.T, operation, selection string) (string, bool) {
	document := fmt.Sprintf(`mutation { %s { %s replayed userErrors { code } } }`, operation, selection)
	status, answer := m.post(t, document)
	if status != http.StatusOK || !strings.Contains(answer, `"userErrors":[]`) {
		return "", false
	}
	if !strings.Contains(answer, `"replayed":false`) {
		t.Errorf("%s\nwas never sent before and is answered %s", document, answer)
	}
	m.mutex.Lock()
	m.kept = append(m.kept, acknowledged{document, answer})
	m.mutex.Unlock()
	select {
	case m.heard <- struct{}{}:
	default:
	}
	return answer, true
}

// post sends a document; status 0 if nobody answers.
func (m *mixed) post(t *testing.T, document string) (int, string) {
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, *m.url.Load()+"/graphql", strings.NewReader(operation(t, document)))
	if err != nil {
		t.Error(err)
		return 0, ""
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer "+m.token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, ""
	}
	defer func() { _ = response.Body.Close() }()
	var body bytes.Buffer
	if _, err := body.ReadFrom(response.Body); err != nil {
		return 0, ""
	}
	return response.StatusCode, body.String()
}

// await waits until so many more operations were acknowledged.
func (m *mixed) await(t *testing.T, more int) {
	t.Helper()
	count := func() int {
		m.mutex.Lock()
		defer m.mutex.Unlock()
		return len(m.kept)
	}
	wanted, late := count()+more, time.After(time.Minute)
	for count() < wanted {
		select {
		case <-m.heard:
		case <-late:
			t.Fatalf("%d operations were to be acknowledged, %d are", wanted, count())
		}
	}
}

// killPostgreSQL kills the server of the cluster in the data folder; its keeper starts it again.
func killPostgreSQL(t *testing.T, folder string) {
	t.Helper()
	written, err := os.ReadFile(filepath.Join(folder, "postgres", "cluster", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	process, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(written), "\n", 2)[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}

package graph_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/graph"
	"regulars/internal/postgres"
	"regulars/internal/ratelimit"
	"regulars/loyalty"
)

// refusal is the only error of an answer without data.
func refusal(t *testing.T, answer string) (code, message string) {
	t.Helper()
	var body struct {
		Data   any
		Errors []struct {
			Message    string
			Extensions struct{ Code, RequestID string }
		}
	}
	if err := json.Unmarshal([]byte(answer), &body); err != nil || body.Data != nil || len(body.Errors) != 1 || body.Errors[0].Extensions.RequestID != "the-request" {
		t.Fatalf("not a refusal: %s", answer)
	}
	return body.Errors[0].Extensions.Code, body.Errors[0].Message
}

func query(document string) map[string]any { return map[string]any{"query": document} }

// waiting polls until so many statements of the stage's database wait for a lock.
func (s *stage) waiting(t *testing.T, want int) {
	t.Helper()
	count := -1
	for deadline := time.Now().Add(20 * time.Second); count != want; {
		if time.Now().After(deadline) {
			t.Fatalf("%d statements wait for a lock, want %d", count, want)
		}
		if err := s.db.Get(t.Context(), &count, `select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`); err != nil {
			t.Fatal(err)
		}
	}
}

// locked does something while nobody else gets at accounts.
func (s *stage) locked(t *testing.T, something func()) {
	t.Helper()
	if err := s.db.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), "lock table accounts in access exclusive mode"); err != nil {
			return err
		}
		something()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

const adjust = `mutation { adjustPoints(input: {member: {externalId: "ada"}, points: 5, reason: "x", idempotencyKey: "%d"}) {
	replayed member { points { available } } userErrors { code } } }`

func (s *stage) enroll(t *testing.T, name string) {
	t.Helper()
	if _, answer := s.send(t, "ADMIN", query(fmt.Sprintf(`mutation { enrollMember(input: {externalId: %q, idempotencyKey: %q}) { member { id } } }`, name, name))); !strings.Contains(answer, "mem_") {
		t.Fatalf("enroll: %s", answer)
	}
}

// An operation out of time leaves nothing: no statement that waits on, no connection that is lost, no points.
func TestDoor_Timeout(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.enroll(t, "ada")
	s.time = 2 * time.Second
	const operations = 6 // the pool holds 8
	s.locked(t, func() {
		var asking sync.WaitGroup
		answers := make([]string, operations)
		for i := range answers {
			asking.Go(func() { _, answers[i] = s.send(t, "ADMIN", query(fmt.Sprintf(adjust, i))) })
		}
		s.waiting(t, operations)
		asking.Wait()
		for _, answer := range answers {
			if code, message := refusal(t, answer); code != "INTERNAL" || !strings.Contains(message, "took too long") || !strings.Contains(message, "same key") {
				t.Errorf("out of time it is answered %s", answer)
			}
		}
		s.waiting(t, 0)
	})
	if log := s.log.String(); strings.Count(log, `level=WARN msg="operation took too long"`) != operations || strings.Contains(log, "level=ERROR") {
		t.Errorf("it is logged as %s", log)
	}
	s.time = 20 * time.Second
	for i := range 20 {
		_, answer := s.send(t, "ADMIN", query(fmt.Sprintf(adjust, i)))
		if want := fmt.Sprintf(`{"replayed":false,"member":{"points":{"available":%d}}`, 5*(i+1)); !strings.Contains(answer, want) {
			t.Fatalf("sent again with its key it is answered %s, want %s", answer, want)
		}
	}
}

func TestDoor_ClientGoesAway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.enroll(t, "ada")
	s.locked(t, func() {
		ctx, leave := context.WithCancel(t.Context())
		left := make(chan struct{})
		go func() {
			defer close(left)
			s.answer(ctx, t, "ADMIN", query(fmt.Sprintf(adjust, 1)))
		}()
		s.waiting(t, 1)
		leave()
		<-left
		s.waiting(t, 0)
	})
	if log := s.log.String(); !strings.Contains(log, `level=INFO msg="client went away"`) || strings.Contains(log, "level=ERROR") || strings.Contains(log, "level=WARN") {
		t.Errorf("it is logged as %s", log)
	}
}

func TestDoor_Introspection(t *testing.T) {
	t.Parallel()
	within := bounds
	within.Introspection, within.Suggestions = false, false
	closed, open := newStageWithin(t, within), newStage(t)
	for _, document := range []string{
		`{ __schema { types { name } } }`,
		`{ __type(name: "Member") { name } }`,
		`{ viewer { roles } s: __schema { queryType { name } } }`,
		`{ ... on Query { ...S } } fragment S on Query { __schema { queryType { name } } }`,
	} {
		if _, answer := open.send(t, "ADMIN", query(document)); strings.Contains(answer, "errors") {
			t.Errorf("switched on, %s is answered %s", document, answer)
		}
		_, answer := closed.send(t, "ADMIN", query(document))
		if code, message := refusal(t, answer); code != "FORBIDDEN" || !strings.Contains(message, "introspection is switched off") {
			t.Errorf("switched off, %s is answered %s", document, answer)
		}
	}
	if _, answer := closed.send(t, "ADMIN", query(`{ __typename viewer { roles __typename } }`)); !strings.Contains(answer, `"__typename":"Viewer"`) {
		t.Errorf("names of types are answered %s", answer)
	}
}

func TestDoor_Suggestions(t *testing.T) {
	t.Parallel()
	within := bounds
	within.Suggestions = false
	silent, helpful := newStageWithin(t, within), newStage(t)
	const suggestion = "Did you mean"
	for _, document := range []string{
		`{ viewr { roles } }`,
		`{ viewer }`,
		`{ members(frst: 1) { totalCount } }`,
		`query ($a: EarningRuleFiltr) { earningRules(filter: $a) { totalCount } }`,
		`{ earningRules(filter: {statuss: {eq: PUBLISHED}}) { totalCount } }`,
		`mutation { recordReturn(input: {sourc: "x"}) { replayed } }`,
		`{ node(id: "x") { ... on Membr { id } } }`,
		`{ viewer { roles @skp(if: true) } }`,
	} {
		if _, answer := silent.send(t, "ADMIN", query(document)); strings.Contains(answer, suggestion) || !strings.Contains(answer, "BAD_USER_INPUT") {
			t.Errorf("%s is answered %s", document, answer)
		}
	}
	if _, answer := helpful.send(t, "ADMIN", query(`{ viewr { roles } }`)); !strings.Contains(answer, suggestion) {
		t.Errorf("switched on, it is answered %s", answer)
	}
}

func TestDoor_Bounds(t *testing.T) {
	t.Parallel()
	within := bounds
	within.Depth, within.Complexity = 2, 3
	s := newStageWithin(t, within)
	for document, want := range map[string]string{
		`{ viewer { roles } }`:                              "",
		`{ viewer { member { id } } }`:                      "nested deeper than 2 levels",
		`{ a: viewer { roles } b: viewer { roles } }`:       "exceeds the limit of 3",
		`{ ...V } fragment V on Query { viewer { roles } }`: "",
	} {
		if _, answer := s.send(t, "ADMIN", query(document)); strings.Contains(answer, "errors") != (want != "") || !strings.Contains(answer, want) {
			t.Errorf("%s is answered %s, want %q", document, answer, want)
		}
	}
}

// Whatever a document holds, refusing it costs little and says little.
func TestDoor_Documents(t *testing.T) {
	t.Parallel()
	silently := bounds
	silently.Suggestions = false
	s, silent := newStage(t), newStageWithin(t, silently)
	many := func(count int, format string) string {
		var text strings.Builder
		for i := range count {
			fmt.Fprintf(&text, strings.ReplaceAll(format, "#", "%[1]d"), i)
		}
		return text.String()
	}
	nested := func(depth int) string { return strings.Repeat("[", depth) + `"x"` + strings.Repeat("]", depth) }
	for name, test := range map[string]struct{ document, want string }{
		"fields of one name":       {`{ ` + many(495, `node(id: "#") { id } `) + `}`, "more than 100 fields of one name"},
		"in inline fragments":      {`{ ` + many(101, `... on Query { node(id: "#") { id } } `) + `}`, "more than 100 fields of one name"},
		"below an inline fragment": {`{ ... { viewer { ` + strings.Repeat("roles ", 101) + `} } }`, "more than 100 fields of one name"},
		"in fragments":             {`{ ` + many(101, `...F# `) + `} ` + many(101, `fragment F# on Query { node(id: "#") { id } } `), "more than 100 fields of one name"},
		"in a fragment alone":      {`{ viewer { roles } } fragment F on Viewer { ` + strings.Repeat("roles ", 101) + `}`, "more than 100 fields of one name"},
		"by an alias":              {`{ ` + many(101, `a: node(id: "#") { id } `) + `}`, "more than 100 fields of one name"},
		"just few enough":          {`{ ` + strings.Repeat(`viewer { roles } `, 100) + `}`, `"roles"`},
		"in selections of one":     {`{ ` + strings.Repeat(`viewer { `+strings.Repeat("roles ", 11)+`} `, 10) + `}`, "more than 100 fields of one name"},
		"a cycle":                  {`{ viewer { ...F } } fragment F on Viewer { member { viewer { ...F } } }`, "more than 2000 fields"},
		"definitions":              {`{ viewer { roles } } ` + many(200, `fragment F# on Viewer { roles } `), "more than 200 operations and fragments"},
		"arguments":                {`{ node(` + strings.Repeat(`id: "1" `, 101) + `) { id } }`, "more than 100 arguments"},
		"fields of an object":      {`{ member(by: {` + strings.Repeat(`id: "1" `, 101) + `}) { id } }`, "more than 100 fields"},
		"directives":               {`{ viewer ` + strings.Repeat(`@skip(if: false) `, 101) + `{ roles } }`, "more than 100 directives"},
		"directives of variables":  {`query ($id: ID ` + strings.Repeat(`@skip(if: false) `, 101) + `) { node(id: $id) { id } }`, "more than 100 directives"},
		"a deep value":             {`{ node(id: ` + nested(9_000) + `) { id } }`, "nested deeper than 20 levels"},
		"a value just too deep":    {`{ node(id: ` + nested(20) + `) { id } }`, "nested deeper than 20 levels"},
		"a deep default":           {`query ($id: ID = ` + nested(9_000) + `) { node(id: $id) { id } }`, "nested deeper than 20 levels"},
		"a directive's deep value": {`{ viewer @skip(if: ` + nested(9_000) + `) { roles } }`, "nested deeper than 20 levels"},
		"a deep object":            {`{ member(by: ` + strings.Repeat("{id: ", 4_000) + `1` + strings.Repeat("}", 4_000) + `) { id } }`, "nested deeper than 20 levels"},
		"tokens":                   {`{ node(id: [` + strings.Repeat("1 ", 20_000) + `]) { id } }`, "token limit"},
		"errors":                   {`{ ` + many(900, `nothing# `) + `}`, "nothing19"},
		"conflicts":                {`{ ` + many(99, `node(id: "#") { id } `) + `}`, "conflict"},
		"nested conflicts":         {`{ ` + strings.Repeat(`node(id: "1") { `+many(8, `a: n# `)+`} `, 12) + `}`, "conflict"},
		"a long name":              {`{ ` + strings.Repeat("m", 100_000) + ` }`, "…"},
		"an unknown operation":     {`query A { viewer { roles } }`, "…"},
		"undefined variables":      {`{ ` + many(99, `node(id: $a#) { id } `) + `}`, "not defined"},
		"unused variables":         {`query (` + many(4_000, `$a#: ID `) + `) { viewer { roles } }`, "never used"},
		"unknown types":            {many(190, `fragment F# on Membr# { id } `) + `{ viewer { roles } }`, "Unknown type"},
	} {
		for _, stage := range []*stage{s, silent} {
			body := query(test.document)
			if name == "an unknown operation" {
				body["operationName"] = strings.Repeat("x", 100_000)
			}
			_, answer := stage.send(t, "nobody", body)
			if name == "just few enough" {
				_, answer = stage.send(t, "MEMBER ada", body)
			}
			if !strings.Contains(answer, test.want) || len(answer) > 20_000 || strings.Count(answer, `"message"`) > 20 {
				t.Errorf("%s: of %d bytes, is answered %d bytes: %.300s", name, len(test.document), len(answer), answer)
			}
		}
	}
}

// The header tells as well as the error how long to wait.
func TestDoor_RetryAfter(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.enroll(t, "ada")
	logger := slog.New(slog.DiscardHandler)
	guesses := ratelimit.New(1, 90*time.Second, 1, func() time.Time { return s.now })
	service := loyalty.New(s.db).WithGuesses(guesses, nil)
	s.handler = graph.NewHandler(s.services(service), bounds, logger)
	ask := func(name string) *httptest.ResponseRecorder {
		return s.answer(t.Context(), t, "SUPPORT", query(fmt.Sprintf(`{ member(by: {externalId: %q}) { externalId } }`, name)))
	}
	if answer := ask("nobody"); answer.Body.String() != `{"data":{"member":null}}` || answer.Header().Get("Retry-After") != "" {
		t.Errorf("a guess is answered %s, %v", answer.Body, answer.Header())
	}
	s.now = s.now.Add(500 * time.Millisecond)
	right, wrong := ask("ada"), ask("nobody")
	if diff := cmp.Diff(wrong.Body.String(), right.Body.String()); diff != "" {
		t.Errorf("a right guess is answered otherwise than a wrong one: %s", diff)
	}
	const want = `{"code":"RATE_LIMITED","requestId":"the-request","retryAfter":90}`
	if wait := right.Header().Get("Retry-After"); wait != "90" || !strings.Contains(right.Body.String(), want) || right.Code != http.StatusOK {
		t.Errorf("out of guesses it is answered %d: %s, Retry-After %q", right.Code, right.Body, wait)
	}
}

// hashed asks by the hash of a document, with its text if that is not empty.
func hashed(document, text string) map[string]any {
	sum := sha256.Sum256([]byte(document))
	body := map[string]any{"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hex.EncodeToString(sum[:])}}}
	if text != "" {
		body["query"] = text
	}
	return body
}

func TestPersistedQueries(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const document, roles = `{ viewer { roles } }`, `{"data":{"viewer":{"roles":["ADMIN"]}}}`
	missing := func(who, document string) {
		t.Helper()
		status, answer := s.send(t, who, hashed(document, ""))
		if code, message := refusal(t, answer); status != http.StatusOK || code != "PERSISTED_QUERY_NOT_FOUND" || message != "PersistedQueryNotFound" {
			t.Errorf("a hash that is not known is answered %d: %s", status, answer)
		}
	}
	missing("ADMIN", document)
	for _, ask := range []map[string]any{hashed(document, document), hashed(document, ""), hashed(document, "")} {
		if status, answer := s.send(t, "ADMIN", ask); status != http.StatusOK || answer != roles {
			t.Errorf("%v is answered %d: %s", ask, status, answer)
		}
	}
	if _, answer := s.send(t, "MEMBER eve", hashed(document, "")); !strings.Contains(answer, `["MEMBER"]`) {
		t.Errorf("another caller is answered %s", answer)
	}

	for name, body := range map[string]map[string]any{
		"the hash of another":  hashed(document, `{ viewer { roles } } `),
		"another version":      {"extensions": map[string]any{"persistedQuery": map[string]any{"version": 2, "sha256Hash": "x"}}},
		"no hash":              {"extensions": map[string]any{"persistedQuery": map[string]any{"version": 1}}},
		"something else":       {"extensions": map[string]any{"persistedQuery": "x"}},
		"something else again": {"query": document, "extensions": map[string]any{"persistedQuery": []any{1}}},
	} {
		_, answer := s.send(t, "ADMIN", body)
		if code, _ := refusal(t, answer); code != "BAD_USER_INPUT" {
			t.Errorf("%s is answered %s", name, answer)
		}
	}

	// What was refused is not kept, and neither is what a stranger sends.
	deep := `{ earningRules` + strings.Repeat(` { nodes { versions`, 10) + `{ id }` + strings.Repeat(` } }`, 10) + ` }`
	large := `{ members(first: 100) { nodes { pointsHistory(first: 100) { nodes { id title points } } } } }`
	for _, refused := range []string{`{ nothing }`, `{ viewer`, deep, large} {
		if _, answer := s.send(t, "ADMIN", hashed(refused, refused)); !strings.Contains(answer, "BAD_USER_INPUT") {
			t.Errorf("%s is answered %s", refused, answer)
		}
		missing("ADMIN", refused)
	}
	const strange = `{ viewer { roles  } }`
	s.send(t, "nobody", hashed(strange, strange))
	missing("nobody", strange)
}

// The store is bounded by what it holds, not only by how many documents it holds.
func TestPersistedQueries_Bounded(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	padded := func(padding, number int) string {
		return fmt.Sprintf("{ viewer { roles } } # %s%d", strings.Repeat("x", padding), number)
	}
	known := func(document string) bool {
		_, answer := s.send(t, "ADMIN", hashed(document, ""))
		return !strings.Contains(answer, "PERSISTED_QUERY_NOT_FOUND")
	}
	keep := func(document string) {
		t.Helper()
		if _, answer := s.send(t, "ADMIN", hashed(document, document)); !strings.Contains(answer, "roles") {
			t.Fatalf("%.60s is answered %s", document, answer)
		}
	}
	long := padded(64<<10, 0)
	keep(long)
	if known(long) {
		t.Error("a document of more than 64 KiB is kept")
	}
	const size, count = 60_000, 50 // 3 MB
	for i := range count {
		keep(padded(size, i))
		// Sent again, it counts once.
		keep(padded(size, i))
	}
	kept := 0
	for i := range count {
		if known(padded(size, i)) {
			kept++
		}
	}
	if !known(padded(size, count-1)) || kept != 2<<20/(size+25) {
		t.Errorf("%d documents of %d bytes are kept", kept, size)
	}
}

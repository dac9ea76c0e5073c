package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/ratelimit"
	"regulars/internal/requestid"
	"regulars/internal/web"
)

var now = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

type bundle struct {
	parts  web.Parts
	issuer *identity.DevelopmentIssuer
	log    *bytes.Buffer
}

// setup returns the parts of a handler whose operations answer who called them, under which request id, with what.
func setup(t *testing.T) *bundle {
	t.Helper()
	issuer, err := identity.OpenDevelopmentIssuer(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	log := &bytes.Buffer{}
	return &bundle{issuer: issuer, log: log, parts: web.Parts{
		GraphQL: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller, _ := actor.From(r.Context())
			body, err := io.ReadAll(r.Body)
			fmt.Fprintf(w, "%q %s %d %v", caller.Caller, requestid.From(r.Context()), len(body), err)
		}),
		Authenticator: &identity.Authenticator{Development: issuer, Now: func() time.Time { return now }},
		MaximumBody:   8 << 20, OperationTimeout: 20 * time.Second,
		Callers:   ratelimit.New(1, time.Second, 1000, func() time.Time { return now }),
		Strangers: ratelimit.New(1, time.Second, 1000, func() time.Time { return now }),
		SignIns:   ratelimit.New(1, time.Second, 1000, func() time.Time { return now }),
		PublicURL: "https://club.example",
		Logger:    slog.New(slog.NewTextHandler(log, nil)),
		Now:       func() time.Time { return now },
	}}
}

func (b *bundle) serve(request *http.Request) *httptest.ResponseRecorder {
	answer := httptest.NewRecorder()
	web.NewHandler(b.parts).ServeHTTP(answer, request)
	return answer
}

func (b *bundle) token(t *testing.T) string {
	t.Helper()
	return b.tokenAs(t, actor.Member, "ada")
}

func (b *bundle) tokenAs(t *testing.T, role actor.Role, subject string) string {
	t.Helper()
	token, err := b.issuer.Token(role, subject, time.Hour, now)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// operation is a request as it should be, changed by headers given as name and value.
func operation(body string, headers ...string) *http.Request {
	request := httptest.NewRequest(http.MethodPost, "/graphql", strings.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Request-Id", "till-7.42")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	return request
}

func TestGraphQL_Admitted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, test := range map[string]struct {
		request *http.Request
		want    string
	}{
		"nobody":          {operation("{}"), `"" till-7.42 2 <nil>`},
		"member":          {operation("{}", "Authorization", "Bearer "+b.token(t)), `"regulars-development|ada" till-7.42 2 <nil>`},
		"scheme's case":   {operation("{}", "Authorization", "bearer "+b.token(t)), `"regulars-development|ada" till-7.42 2 <nil>`},
		"charset":         {operation("{}", "Content-Type", "application/json; charset=utf-8"), `"" till-7.42 2 <nil>`},
		"largest request": {operation("{"+strings.Repeat(" ", 8<<20-2)+"}", "Authorization", "Bearer "+b.tokenAs(t, actor.Support, "s")), `"regulars-development|s" till-7.42 8388608 <nil>`},
	} {
		answer := b.serve(test.request)
		if answer.Code != http.StatusOK {
			t.Errorf("%s: status %d", name, answer.Code)
		}
		if diff := cmp.Diff(test.want, answer.Body.String()); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestGraphQL_NoOperation(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, body := range []string{"", "x", "[]", "{} {}", `{"query": 5}`, `{"query": "{ viewer { roles } }", "variables": "x"}`, `{"operationName": {}}`} {
		if answer := b.serve(operation(body)); answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), "BAD_USER_INPUT") || answer.Body.Len() > 300 {
			t.Errorf("%q is answered %d: %s", body, answer.Code, answer.Body.String())
		}
	}
}

func TestGraphQL_Refused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	expired, err := b.issuer.Token(actor.Admin, "staff:admin", time.Hour, now.Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	twice := operation("{}")
	twice.Header["Authorization"] = []string{"Bearer " + b.token(t), "Bearer " + expired}
	unfinished := operation("")
	unfinished.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), failingReader{}))
	get := httptest.NewRequest(http.MethodGet, "/graphql?query={viewer{roles}}", nil)
	get.Header.Set("X-Request-Id", "till-7.42")

	for name, test := range map[string]struct {
		request *http.Request
		status  int
		code    string
		headers map[string]string
	}{
		"GET":              {get, 405, "BAD_USER_INPUT", map[string]string{"Allow": "POST"}},
		"form":             {operation("a=b", "Content-Type", "application/x-www-form-urlencoded"), 415, "BAD_USER_INPUT", nil},
		"no content type":  {operation("{}", "Content-Type", ""), 415, "BAD_USER_INPUT", nil},
		"too large":        {operation(strings.Repeat("x", 8<<20+1)), 413, "BAD_USER_INPUT", nil},
		"unfinished":       {unfinished, 400, "BAD_USER_INPUT", nil},
		"expired token":    {operation("{}", "Authorization", "Bearer "+expired), 401, "UNAUTHENTICATED", map[string]string{"Www-Authenticate": "Bearer"}},
		"no token":         {operation("{}", "Authorization", "Bearer"), 401, "UNAUTHENTICATED", map[string]string{"Www-Authenticate": "Bearer"}},
		"empty header":     {operation("{}", "Authorization", ""), 401, "UNAUTHENTICATED", map[string]string{"Www-Authenticate": "Bearer"}},
		"another scheme":   {operation("{}", "Authorization", "Basic "+b.token(t)), 401, "UNAUTHENTICATED", map[string]string{"Www-Authenticate": "Bearer"}},
		"two tokens":       {twice, 401, "UNAUTHENTICATED", map[string]string{"Www-Authenticate": "Bearer"}},
		"as it was before": {operation("{}", "Accept", "application/graphql-response+json;q=0, application/json", "Authorization", "x"), 401, "UNAUTHENTICATED", map[string]string{"Content-Type": "application/json; charset=utf-8"}},
		"as the specification says": {operation("{}", "Accept", "application/graphql-response+json, application/json;q=0.9", "Authorization", "x"), 401, "UNAUTHENTICATED",
			map[string]string{"Content-Type": "application/graphql-response+json; charset=utf-8"}},
	} {
		answer := b.serve(test.request)
		if answer.Code != test.status {
			t.Errorf("%s: status %d, want %d", name, answer.Code, test.status)
		}
		checkRefusal(t, name, answer, test.code)
		for header, want := range test.headers {
			if got := answer.Header().Get(header); got != want {
				t.Errorf("%s: %s is %q, want %q", name, header, got, want)
			}
		}
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func checkRefusal(t *testing.T, name string, answer *httptest.ResponseRecorder, code string) {
	t.Helper()
	var body struct {
		Errors []struct {
			Message    string
			Extensions map[string]string
		}
	}
	if err := json.Unmarshal(answer.Body.Bytes(), &body); err != nil {
		t.Errorf("%s: %v: %s", name, err, answer.Body)
		return
	}
	if len(body.Errors) != 1 || body.Errors[0].Message == "" {
		t.Errorf("%s: got %s, want one error with a message", name, answer.Body)
		return
	}
	if diff := cmp.Diff(map[string]string{"code": code, "requestId": "till-7.42"}, body.Errors[0].Extensions); diff != "" {
		t.Errorf("%s: %s", name, diff)
	}
}

func TestGraphQL_NoIssuer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.Authenticator.Development = nil
	if answer := b.serve(operation("{}", "Authorization", "Bearer "+b.token(t))); answer.Code != http.StatusUnauthorized {
		t.Errorf("a token is answered with status %d", answer.Code)
	}
	if answer := b.serve(operation("{}")); answer.Code != http.StatusOK {
		t.Errorf("nobody is answered with status %d", answer.Code)
	}
}

func TestGraphQL_Log(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.serve(operation(`{"query":"secret"}`, "Authorization", "Bearer "+b.token(t)))
	line := b.log.String()
	for _, want := range []string{"requestId=till-7.42", "caller=regulars-development|ada", "status=200", "took=0s"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q is missing in %s", want, line)
		}
	}
	if strings.Contains(line, "secret") || strings.Contains(line, b.token(t)) {
		t.Errorf("the log tells what was asked: %s", line)
	}
}

func TestGraphQL_Panic(t *testing.T) {
	t.Parallel()
	t.Run("BeforeAnAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.parts.GraphQL = http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("out of points") })
		answer := b.serve(operation("{}"))
		if answer.Code != http.StatusInternalServerError {
			t.Errorf("status %d", answer.Code)
		}
		checkRefusal(t, "panic", answer, "INTERNAL")
		if strings.Contains(answer.Body.String(), "points") {
			t.Errorf("the answer tells too much: %s", answer.Body)
		}
		if log := b.log.String(); !strings.Contains(log, "out of points") || !strings.Contains(log, "status=500") {
			t.Errorf("the log tells too little: %s", log)
		}
	})
	t.Run("WithinAnAnswer", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.parts.GraphQL = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `{"data":`)
			panic("out of points")
		})
		server := httptest.NewServer(web.NewHandler(b.parts))
		defer server.Close()
		response, err := http.Post(server.URL+"/graphql", "application/json", strings.NewReader("{}"))
		if err != nil {
			return
		}
		defer response.Body.Close()
		if _, err := io.ReadAll(response.Body); err == nil {
			t.Error("half an answer looks like a whole one")
		}
	})
}

func TestRequestID(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for given, kept := range map[string]bool{
		"a":                     true,
		"Till_7-42.x":           true,
		strings.Repeat("a", 64): true,
		strings.Repeat("a", 65): false,
		"":                      false,
		"two words":             false,
		"line\nbreak":           false,
	} {
		answered := b.serve(operation("{}", "X-Request-Id", given)).Header().Get("X-Request-Id")
		if answered == "" || (answered == given) != kept {
			t.Errorf("%q was answered with %q", given, answered)
		}
	}
}

func TestHealth(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.Database = pgtest.New(t)
	handler := web.NewHandler(b.parts)
	check := func(moment, path string, want int) {
		t.Helper()
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
		if answer.Code != want {
			t.Errorf("%s: %s answers %d, want %d", moment, path, answer.Code, want)
		}
	}
	check("at first", "/healthz", http.StatusOK)
	check("at first", "/readyz", http.StatusOK)
	handler.Drain()
	check("draining", "/healthz", http.StatusOK)
	check("draining", "/readyz", http.StatusServiceUnavailable)
}

func TestHealth_NoDatabase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.Database = pgtest.New(t)
	if err := b.parts.Database.Close(); err != nil {
		t.Fatal(err)
	}
	if answer := b.serve(httptest.NewRequest(http.MethodGet, "/readyz", nil)); answer.Code != http.StatusServiceUnavailable {
		t.Errorf("/readyz answers %d", answer.Code)
	}
	if answer := b.serve(httptest.NewRequest(http.MethodGet, "/healthz", nil)); answer.Code != http.StatusOK {
		t.Errorf("/healthz answers %d", answer.Code)
	}
}

func TestUnknownPath(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/admin", "/graphql/", "/assets/", "/assets/0/start.js", "/pages/start.js"} {
		if answer := b.serve(httptest.NewRequest(http.MethodGet, path, nil)); answer.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", path, answer.Code)
		}
	}
}

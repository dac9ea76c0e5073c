package web_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/ratelimit"
)

// from lets a request come from an address.
func from(address string, request *http.Request) *http.Request {
	request.RemoteAddr = address
	return request
}

func TestDoor_TooManyOperations(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := now
	b.parts.Callers = ratelimit.New(2, time.Second, 3, func() time.Time { return at })
	ada, bob := "Bearer "+b.token(t), ""
	if token, err := b.issuer.Token(actor.Member, "bob", time.Hour, now); err != nil {
		t.Fatal(err)
	} else {
		bob = "Bearer " + token
	}
	for range 3 {
		if answer := b.serve(operation("{}", "Authorization", ada)); answer.Code != http.StatusOK {
			t.Fatalf("an operation is answered %d", answer.Code)
		}
	}
	for range 2 {
		// The body is not even looked at.
		answer := b.serve(operation("not one", "Authorization", ada))
		checkRefusal(t, "too many", answer, "RATE_LIMITED")
		if wait := answer.Header().Get("Retry-After"); answer.Code != http.StatusTooManyRequests || wait != "1" {
			t.Errorf("an operation too many is answered %d, to be sent again after %q", answer.Code, wait)
		}
	}
	if answer := b.serve(operation("{}", "Authorization", bob)); answer.Code != http.StatusOK {
		t.Errorf("another caller is answered %d", answer.Code)
	}
	if answer := b.serve(operation("{}")); answer.Code != http.StatusOK {
		t.Errorf("nobody is answered %d", answer.Code)
	}
	at = at.Add(500 * time.Millisecond)
	if answer := b.serve(operation("{}", "Authorization", ada)); answer.Code != http.StatusOK {
		t.Errorf("half a second later an operation is answered %d", answer.Code)
	}
	for range 2 {
		b.serve(operation("{}"))
	}
	b.serve(operation("{}"))
	if answer := b.serve(operation("{}")); answer.Code != http.StatusTooManyRequests {
		t.Errorf("nobody's operation too many is answered %d", answer.Code)
	}
	if answer := b.serve(from("203.0.113.9:1", operation("{}"))); answer.Code != http.StatusOK {
		t.Errorf("nobody at another address is answered %d", answer.Code)
	}
}

func TestDoor_TooManySignIns(t *testing.T) {
	t.Parallel()
	b := setup(t)
	at := now
	guess := func(address string) *httptest.ResponseRecorder {
		return b.serve(from(address, operation("{}", "Authorization", "Bearer guessed")))
	}
	for _, test := range []struct{ address, neighbor, stranger string }{
		{"192.0.2.7:1000", "192.0.2.7:2000", "192.0.2.8:1000"},
		{"[::ffff:192.0.2.7]:1000", "192.0.2.7:2000", "192.0.2.8:1000"},
		{"[2001:db8:1:2::1]:1000", "[2001:db8:1:2:ffff::9]:1000", "[2001:db8:1:3::1]:1000"},
	} {
		b.parts.SignIns = ratelimit.New(30, time.Minute, 3, func() time.Time { return at })
		for range 3 {
			if answer := guess(test.address); answer.Code != http.StatusUnauthorized {
				t.Fatalf("a guessed token is answered %d", answer.Code)
			}
		}
		answer := guess(test.neighbor)
		checkRefusal(t, test.neighbor, answer, "RATE_LIMITED")
		if wait := answer.Header().Get("Retry-After"); answer.Code != http.StatusTooManyRequests || wait != "2" {
			t.Errorf("%s: a guess too many is answered %d, to be sent again after %q", test.neighbor, answer.Code, wait)
		}
		if answer := guess(test.stranger); answer.Code != http.StatusUnauthorized {
			t.Errorf("%s is answered %d", test.stranger, answer.Code)
		}
		if answer := b.serve(from(test.address, operation("{}", "Authorization", "Bearer "+b.token(t)))); answer.Code != http.StatusOK {
			t.Errorf("a valid token from where others guess is answered %d", answer.Code)
		}
	}
}

func TestDoor_MaximumBody(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.MaximumBody = 100
	for length, want := range map[int]int{100: http.StatusOK, 101: http.StatusRequestEntityTooLarge} {
		if answer := b.serve(operation("{" + strings.Repeat(" ", length-2) + "}")); answer.Code != want {
			t.Errorf("%d bytes are answered %d, want %d", length, answer.Code, want)
		}
	}
}

// crossing are the headers of an answer that browsers ask for.
func crossing(answer *httptest.ResponseRecorder) map[string]string {
	found := map[string]string{}
	for name := range answer.Header() {
		if strings.HasPrefix(name, "Access-Control-") {
			found[name] = answer.Header().Get(name)
		}
	}
	return found
}

func preflight(origin string) *http.Request {
	request := httptest.NewRequest(http.MethodOptions, "/graphql", nil)
	request.Header.Set("Origin", origin)
	request.Header.Set("Access-Control-Request-Method", "POST")
	request.Header.Set("Access-Control-Request-Headers", "authorization,content-type")
	return request
}

func TestDoor_CrossOrigin(t *testing.T) {
	t.Parallel()
	const app, strange = "https://app.club.example", "https://app.club.example.evil.example"
	closed, open := setup(t), setup(t)
	open.parts.Origins = []string{"http://localhost:3000", app}

	for name, answer := range map[string]*httptest.ResponseRecorder{
		"closed, preflight":   closed.serve(preflight(app)),
		"closed, operation":   closed.serve(operation("{}", "Origin", app)),
		"stranger, preflight": open.serve(preflight(strange)),
		"stranger, operation": open.serve(operation("{}", "Origin", strange)),
		"null":                open.serve(operation("{}", "Origin", "null")),
		"no browser":          open.serve(operation("{}")),
	} {
		want := http.StatusOK
		if strings.HasSuffix(name, "preflight") {
			want = http.StatusMethodNotAllowed
		}
		if headers := crossing(answer); answer.Code != want || len(headers) != 0 {
			t.Errorf("%s: status %d, headers %v", name, answer.Code, headers)
		}
	}

	asked := open.serve(preflight(app))
	if diff := cmp.Diff(map[string]string{
		"Access-Control-Allow-Origin": app, "Access-Control-Allow-Methods": "POST", "Access-Control-Max-Age": "7200",
		"Access-Control-Allow-Headers": "Authorization, Content-Type, X-Request-Id, *",
	}, crossing(asked)); asked.Code != http.StatusNoContent || diff != "" {
		t.Errorf("the preflight is answered %d: %s", asked.Code, diff)
	}
	for status, request := range map[int]*http.Request{
		http.StatusOK:               operation("{}", "Origin", app),
		http.StatusUnauthorized:     operation("{}", "Origin", app, "Authorization", "Bearer x"),
		http.StatusMethodNotAllowed: httptest.NewRequest(http.MethodOptions, "/graphql", nil),
	} {
		request.Header.Set("Origin", app)
		answer := open.serve(request)
		if diff := cmp.Diff(map[string]string{
			"Access-Control-Allow-Origin": app, "Access-Control-Expose-Headers": "X-Request-Id, Retry-After",
		}, crossing(answer)); answer.Code != status || diff != "" {
			t.Errorf("an operation is answered %d, want %d: %s", answer.Code, status, diff)
		}
		if vary := answer.Header().Get("Vary"); vary != "Origin" {
			t.Errorf("the answer varies by %q", vary)
		}
	}
	if headers := crossing(open.serve(from("192.0.2.1:1", httptest.NewRequest(http.MethodGet, "/", nil)))); len(headers) != 0 {
		t.Errorf("the page is for others: %v", headers)
	}
}

// Whatever is HTML comes with every header that keeps it to itself.
func TestDoor_Pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	page := b.serve(httptest.NewRequest(http.MethodGet, "/", nil))
	want := map[string]string{
		"Content-Security-Policy":      `(?s)default-src 'none';.*base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
		"X-Content-Type-Options":       `^nosniff$`,
		"X-Frame-Options":              `^DENY$`,
		"Referrer-Policy":              `^no-referrer$`,
		"Permissions-Policy":           `camera=\(\), geolocation=\(\), microphone=\(\)`,
		"Cross-Origin-Opener-Policy":   `^same-origin$`,
		"Cross-Origin-Resource-Policy": `^same-origin$`,
		"Strict-Transport-Security":    `^max-age=31536000$`,
	}
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if got := page.Header().Get(name); !regexp.MustCompile(want[name]).MatchString(got) {
			t.Errorf("the page has %s: %q", name, got)
		}
	}
	// Whatever a path answers, it is that page or no HTML.
	for _, path := range []string{"/graphql", "/healthz", "/elsewhere", "/<b>", "/assets/", "/assets/0/start.js"} {
		answer := b.serve(httptest.NewRequest(http.MethodGet, path, nil))
		if kind := answer.Header().Get("Content-Type"); strings.Contains(kind, "html") {
			t.Errorf("%s answers %s", path, kind)
		}
		if got := answer.Header().Get("X-Content-Type-Options"); got != "nosniff" {
			t.Errorf("%s may be taken for something else: %q", path, got)
		}
	}
	b.parts.PublicURL = "http://club.example"
	if got := b.serve(httptest.NewRequest(http.MethodGet, "/", nil)).Header().Get("Strict-Transport-Security"); got != "" {
		t.Errorf("a page without encryption asks for it: %q", got)
	}
}

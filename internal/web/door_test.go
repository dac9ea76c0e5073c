package web_test

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
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
	b.parts.Strangers = ratelimit.New(2, time.Second, 3, func() time.Time { return at })
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
	b.parts.Database = pgtest.New(t)
	admin := actor.With(t.Context(), actor.System("test"))
	b.parts.Authenticator.Clients = identity.NewClients(b.parts.Database, b.parts.Logger)
	t.Cleanup(b.parts.Authenticator.Clients.Close)
	_, key, err := b.parts.Authenticator.Clients.Create(admin, identity.CreateClientInput{Name: "till", Scopes: []actor.Scope{actor.ProgramRead}})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name, token string
		maximum     int
	}{
		{"nobody", "", 64 << 10},
		{"a member", b.token(t), 256 << 10},
		{"staff", b.tokenAs(t, actor.Organizer, "o"), 8 << 20},
		{"a client", key, 8 << 20},
	} {
		for length, want := range map[int]int{test.maximum: http.StatusOK, test.maximum + 1: http.StatusRequestEntityTooLarge} {
			request := operation("{" + strings.Repeat(" ", length-2) + "}")
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			if answer := b.serve(request); answer.Code != want {
				t.Errorf("%d bytes of %s are answered %d, want %d", length, test.name, answer.Code, want)
			}
		}
	}
	b.parts.MaximumBody = 100
	for length, want := range map[int]int{100: http.StatusOK, 101: http.StatusRequestEntityTooLarge} {
		if answer := b.serve(operation("{" + strings.Repeat(" ", length-2) + "}")); answer.Code != want {
			t.Errorf("%d bytes are answered %d, want %d", length, answer.Code, want)
		}
	}
}

// A token whose time is over is none that was guessed, and its app must hear that it needs a new one.
func TestDoor_ExpiredTokens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.SignIns = ratelimit.New(1, time.Minute, 3, func() time.Time { return now })
	expired, err := b.issuer.Token(actor.Member, "ada", time.Hour, now.Add(-2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	early, err := b.issuer.Token(actor.Member, "ada", time.Hour, now.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	status := func(token string) int { return b.serve(operation("{}", "Authorization", "Bearer "+token)).Code }
	for range 5 {
		if got := []int{status(expired), status(early)}; !slices.Equal(got, []int{401, 401}) {
			t.Errorf("before others guess, they are answered %v", got)
		}
	}
	for i := range 5 {
		if got, want := status("guessed"), []int{401, 401, 401, 429, 429}[i]; got != want {
			t.Errorf("guess %d is answered %d, want %d", i, got, want)
		}
	}
	if got := []int{status(expired), status(early)}; !slices.Equal(got, []int{401, 401}) {
		t.Errorf("beside others who guess, they are answered %v", got)
	}
}

// Only proxies of ours tell where a request comes from.
func TestDoor_TrustedProxies(t *testing.T) {
	t.Parallel()
	trusted := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8:ffff::/48")}
	for name, test := range map[string]struct {
		trusted    []netip.Prefix
		connection string
		forwarded  []string
		want       string // whose stock is used up by it
	}{
		"none is trusted":        {nil, "10.0.0.1:1", []string{"192.0.2.7"}, "10.0.0.1:9"},
		"not from a proxy":       {trusted, "198.51.100.1:1", []string{"192.0.2.7"}, "198.51.100.1:9"},
		"from a proxy":           {trusted, "10.0.0.1:1", []string{"192.0.2.7"}, "192.0.2.7:9"},
		"what the caller says":   {trusted, "10.0.0.1:1", []string{"203.0.113.1, 10.0.0.9, 192.0.2.7"}, "192.0.2.7:9"},
		"two proxies":            {trusted, "10.0.0.1:1", []string{"203.0.113.1", "192.0.2.7, 10.0.0.2"}, "192.0.2.7:9"},
		"proxies alone":          {trusted, "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3:9"},
		"no header":              {trusted, "10.0.0.1:1", nil, "10.0.0.1:9"},
		"no address":             {trusted, "10.0.0.1:1", []string{"192.0.2.7, unknown"}, "10.0.0.1:9"},
		"no address, behind two": {trusted, "10.0.0.1:1", []string{"192.0.2.7, _hidden, 10.0.0.2"}, "10.0.0.2:9"},
		"with a port":            {trusted, "10.0.0.1:1", []string{"192.0.2.7:4711"}, "192.0.2.7:9"},
		"mapped":                 {trusted, "[::ffff:10.0.0.1]:1", []string{"::ffff:192.0.2.7"}, "192.0.2.7:9"},
		"of version 6":           {trusted, "[2001:db8:ffff::1]:1", []string{"[2001:db8:1:2::7]:4711"}, "[2001:db8:1:2:3::9]:9"},
	} {
		b := setup(t)
		b.parts.TrustedProxies = test.trusted
		b.parts.SignIns = ratelimit.New(1, time.Hour, 1, func() time.Time { return now })
		b.parts.Strangers = ratelimit.New(1, time.Hour, 1, func() time.Time { return now })
		guess := operation("{}", "Authorization", "Bearer guessed")
		ask := operation("{}")
		guess.Header["X-Forwarded-For"], ask.Header["X-Forwarded-For"] = test.forwarded, test.forwarded
		first := []int{b.serve(from(test.connection, guess)).Code, b.serve(from(test.connection, ask)).Code}
		// The same from that address itself, which no proxy tells.
		b.parts.TrustedProxies = nil
		second := []int{b.serve(from(test.want, operation("{}", "Authorization", "Bearer guessed"))).Code, b.serve(from(test.want, operation("{}"))).Code}
		if !slices.Equal(first, []int{401, 200}) || !slices.Equal(second, []int{429, 429}) {
			t.Errorf("%s: answered %v, and %s then %v", name, first, test.want, second)
		}
	}
}

// Where the database does not answer, the door does.
func TestDoor_DatabaseHangs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.Database = pgtest.New(t)
	clients := identity.NewClients(b.parts.Database, b.parts.Logger)
	t.Cleanup(clients.Close)
	b.parts.Authenticator.Clients, b.parts.SigningKeys = clients, identity.NewSigningKeys(b.parts.Database)
	admin := actor.With(t.Context(), actor.System("test"))
	_, key, err := clients.Create(admin, identity.CreateClientInput{Name: "till", Scopes: []actor.Scope{actor.ProgramRead}})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.parts.Database.InTx(t.Context(), func(tx *postgres.Tx) error {
		if _, err := tx.Exec(t.Context(), `lock table client_keys, signing_keys in access exclusive mode`); err != nil {
			return err
		}
		var asking sync.WaitGroup
		asking.Go(func() {
			answer := b.serve(operation("{}", "Authorization", "Bearer "+key))
			checkRefusal(t, "a key", answer, "INTERNAL")
			if answer.Code != http.StatusInternalServerError {
				t.Errorf("a key is answered %d", answer.Code)
			}
		})
		asking.Go(func() {
			if answer := b.serve(httptest.NewRequest(http.MethodGet, "/.well-known/jwks.json", nil)); answer.Code != http.StatusInternalServerError {
				t.Errorf("the public keys are answered %d", answer.Code)
			}
		})
		asking.Wait()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`level=ERROR msg="the caller could not be identified"`, `level=ERROR msg="the public keys could not be read"`} {
		if log := b.log.String(); !strings.Contains(log, want) {
			t.Errorf("%s is missing in %s", want, log)
		}
	}
	if answer := b.serve(operation("{}", "Authorization", "Bearer "+key)); answer.Code != http.StatusOK {
		t.Errorf("afterwards the key is answered %d", answer.Code)
	}
}

// The time of an operation runs from when it came.
func TestDoor_Deadline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.OperationTimeout = time.Minute
	began := time.Now()
	var deadline time.Time
	b.parts.GraphQL = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { deadline, _ = r.Context().Deadline() })
	b.serve(operation("{}"))
	if left := deadline.Sub(began); left < time.Minute || deadline.After(time.Now().Add(time.Minute)) {
		t.Errorf("it has %v", left)
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

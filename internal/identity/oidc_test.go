package identity_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/problem"
)

// The keys of all tests: making one of RSA takes a while.
var (
	keyRSA     = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	otherRSA   = sync.OnceValue(func() *rsa.PrivateKey { return must(rsa.GenerateKey(rand.Reader, 2048)) })
	keyP256    = must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	keyP384    = must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	keyP521    = must(ecdsa.GenerateKey(elliptic.P521(), rand.Reader))
	keyEd25519 = func() ed25519.PrivateKey {
		_, key, err := ed25519.GenerateKey(rand.Reader)
		return must(key, err)
	}()
)

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}

// publisher does for an issuer what one does for those who check its tokens: it is discovered and publishes keys. Tests
// sign tokens as no honest issuer would.
type publisher struct {
	*httptest.Server
	fetches atomic.Int64
	mutex   sync.Mutex
	answer  http.HandlerFunc // instead of publishing keys
	keys    []jose.JSONWebKey
}

func publish(t *testing.T, keys ...jose.JSONWebKey) *publisher {
	t.Helper()
	p := &publisher{keys: keys}
	routes := http.NewServeMux()
	routes.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.fetches.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"issuer": %q, "jwks_uri": %q}`, p.URL, p.URL+"/keys")
	})
	routes.HandleFunc("/keys", func(w http.ResponseWriter, r *http.Request) {
		p.mutex.Lock()
		answer, keys := p.answer, p.keys
		p.mutex.Unlock()
		if answer != nil {
			answer(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: keys})
	})
	p.Server = httptest.NewServer(routes)
	t.Cleanup(p.Close)
	return p
}

func (p *publisher) set(answer http.HandlerFunc, keys ...jose.JSONWebKey) {
	p.mutex.Lock()
	defer p.mutex.Unlock()
	p.answer, p.keys = answer, keys
}

func (p *publisher) fail(w http.ResponseWriter, _ *http.Request) {
	w.WriteHeader(http.StatusServiceUnavailable)
	_, _ = io.WriteString(w, `{"keys": []}`)
}

func public(id string, key crypto.Signer) jose.JSONWebKey {
	return jose.JSONWebKey{Key: key.Public(), KeyID: id, Use: "sig"}
}

// steppedClock stands still until a test steps it.
type steppedClock struct{ ahead atomic.Int64 }

func (c *steppedClock) Now() time.Time          { return now.Add(time.Duration(c.ahead.Load())) }
func (c *steppedClock) step(span time.Duration) { c.ahead.Add(int64(span)) }

// heard is a log that may be read while it is written.
type heard struct {
	mutex sync.Mutex
	text  bytes.Buffer
}

func (h *heard) Write(line []byte) (int, error) {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return h.text.Write(line)
}

func (h *heard) count(text string) int {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	return strings.Count(h.text.String(), text)
}

// checker is the program's side.
type checker struct {
	*identity.OIDC
	clock steppedClock
	log   heard
}

func check(issuer string) *checker {
	c := &checker{}
	options := identity.OIDCOptions{Issuer: issuer, Audience: "club", MemberClaim: "sub", RolesClaim: "roles"}
	c.OIDC = identity.NewOIDC(options, c.clock.Now, slog.New(slog.NewTextHandler(&c.log, nil)))
	return c
}

func (c *checker) accepts(t *testing.T, name, token string) {
	t.Helper()
	if _, err := c.Verify(t.Context(), token); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func (c *checker) refuses(t *testing.T, name, token string) {
	t.Helper()
	if caller, err := c.Verify(t.Context(), token); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("%s: got %v, %v; want %v", name, caller, err, problem.Unauthenticated)
	}
}

// claimed are the claims of a token that is good at now, with others in place of them; nil removes one.
func claimed(issuer string, others jwt.MapClaims) jwt.MapClaims {
	claims := jwt.MapClaims{"iss": issuer, "aud": "club", "sub": "ada", "exp": now.Add(time.Hour).Unix(), "iat": now.Unix()}
	for name, value := range others {
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
	}
	return claims
}

func signAs(t *testing.T, method jwt.SigningMethod, keyID string, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	if keyID != "" {
		token.Header["kid"] = keyID
	}
	signed, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func TestOIDC_Algorithms(t *testing.T) {
	t.Parallel()
	keys := map[string]crypto.Signer{"rsa": keyRSA(), "p256": keyP256, "p384": keyP384, "p521": keyP521, "ed25519": keyEd25519}
	issuer := publish(t)
	for id, key := range keys {
		issuer.keys = append(issuer.keys, public(id, key))
	}
	c := check(issuer.URL)
	for method, id := range map[jwt.SigningMethod]string{
		jwt.SigningMethodRS256: "rsa", jwt.SigningMethodRS384: "rsa", jwt.SigningMethodRS512: "rsa",
		jwt.SigningMethodPS256: "rsa", jwt.SigningMethodPS384: "rsa", jwt.SigningMethodPS512: "rsa",
		jwt.SigningMethodES256: "p256", jwt.SigningMethodES384: "p384", jwt.SigningMethodES512: "p521",
		jwt.SigningMethodEdDSA: "ed25519",
	} {
		c.accepts(t, method.Alg(), signAs(t, method, id, keys[id], claimed(issuer.URL, nil)))
		c.accepts(t, method.Alg()+", key not named", signAs(t, method, "", keys[id], claimed(issuer.URL, nil)))
	}
	if got := issuer.fetches.Load(); got != 1 {
		t.Errorf("the keys were fetched %d times", got)
	}
}

func TestOIDC_Refused(t *testing.T) {
	t.Parallel()
	encryption, bound := public("encryption", otherRSA()), public("bound", keyRSA())
	encryption.Use, bound.Algorithm = "enc", "RS512"
	secret := jose.JSONWebKey{Key: []byte("published by mistake, of no use!"), KeyID: "secret"}
	issuer := publish(t, public("key", keyRSA()), public("p256", keyP256), encryption, bound, secret)
	stranger := publish(t, public("key", otherRSA()))
	c := check(issuer.URL)
	method := jwt.SigningMethodRS256
	with := func(others jwt.MapClaims) string {
		return signAs(t, method, "key", keyRSA(), claimed(issuer.URL, others))
	}
	good := with(nil)
	c.accepts(t, "the token that the others are made from", good)
	parts, promoted := strings.Split(good, "."), strings.Split(with(jwt.MapClaims{"roles": "ADMIN"}), ".")

	encoded := must(x509.MarshalPKIXPublicKey(keyRSA().Public()))
	critical := jwt.NewWithClaims(method, claimed(issuer.URL, nil))
	critical.Header["kid"], critical.Header["crit"], critical.Header["bound"] = "key", []string{"bound"}, true

	for name, refused := range map[string]string{
		"empty":                 "",
		"no token":              "ada",
		"none":                  signAs(t, jwt.SigningMethodNone, "key", jwt.UnsafeAllowNoneSignatureType, claimed(issuer.URL, nil)),
		"HS256, public key":     signAs(t, jwt.SigningMethodHS256, "key", encoded, claimed(issuer.URL, nil)),
		"HS256, public PEM":     signAs(t, jwt.SigningMethodHS256, "key", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}), claimed(issuer.URL, nil)),
		"HS256, published key":  signAs(t, jwt.SigningMethodHS256, "key", must(json.Marshal(public("key", keyRSA()))), claimed(issuer.URL, nil)),
		"HS256, published":      signAs(t, jwt.SigningMethodHS256, "secret", secret.Key, claimed(issuer.URL, nil)),
		"no signature":          parts[0] + "." + parts[1] + ".",
		"other claims":          parts[0] + "." + promoted[1] + "." + parts[2],
		"other key":             signAs(t, method, "key", otherRSA(), claimed(issuer.URL, nil)),
		"other key, not named":  signAs(t, method, "", otherRSA(), claimed(issuer.URL, nil)),
		"unknown key":           signAs(t, method, "unknown", keyRSA(), claimed(issuer.URL, nil)),
		"key of another kind":   signAs(t, method, "p256", keyRSA(), claimed(issuer.URL, nil)),
		"key for encryption":    signAs(t, method, "encryption", otherRSA(), claimed(issuer.URL, nil)),
		"key for another":       signAs(t, method, "bound", keyRSA(), claimed(issuer.URL, nil)),
		"unknown demand":        must(critical.SignedString(keyRSA())),
		"another issuer's":      signAs(t, method, "key", otherRSA(), claimed(stranger.URL, nil)),
		"named another issuer":  with(jwt.MapClaims{"iss": stranger.URL}),
		"named issuer, slash":   with(jwt.MapClaims{"iss": issuer.URL + "/"}),
		"no issuer":             with(jwt.MapClaims{"iss": nil}),
		"other audience":        with(jwt.MapClaims{"aud": "clubs"}),
		"other audiences":       with(jwt.MapClaims{"aud": []string{"shop", "clubs"}}),
		"no audience":           with(jwt.MapClaims{"aud": nil}),
		"never expires":         with(jwt.MapClaims{"exp": nil}),
		"expires never":         with(jwt.MapClaims{"exp": "never"}),
		"no subject":            with(jwt.MapClaims{"sub": nil}),
		"empty subject":         with(jwt.MapClaims{"sub": ""}),
		"blank subject":         with(jwt.MapClaims{"sub": " "}),
		"subject in other case": with(jwt.MapClaims{"sub": nil, "SUB": "ada"}),
		"long subject":          with(jwt.MapClaims{"sub": strings.Repeat("a", 201)}),
		"subject of two lines":  with(jwt.MapClaims{"sub": "ada\nstaff"}),
	} {
		c.refuses(t, name, refused)
	}
}

func TestOIDC_Skew(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	c := check(issuer.URL)
	for claim, sooner := range map[string]int{"exp": -1, "nbf": 1, "iat": 1} {
		at := func(seconds int) string {
			others := jwt.MapClaims{claim: now.Add(time.Duration(sooner*seconds) * time.Second).Unix()}
			return signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, others))
		}
		c.accepts(t, claim+" off by 59 seconds", at(59))
		c.refuses(t, claim+" off by 61 seconds", at(61))
		if _, err := c.Verify(t.Context(), at(61)); !errors.Is(err, identity.ErrNotNow) {
			t.Errorf("%s off by 61 seconds: got %v, want %v", claim, err, identity.ErrNotNow)
		}
	}
	expired := func(key crypto.Signer, others jwt.MapClaims) string {
		others["exp"] = now.Add(-time.Hour).Unix()
		return signAs(t, jwt.SigningMethodES256, "key", key, claimed(issuer.URL, others))
	}
	for name, token := range map[string]string{
		"for another audience": expired(keyP256, jwt.MapClaims{"aud": "shop"}),
		"of another issuer":    expired(keyP256, jwt.MapClaims{"iss": "https://issuer.example"}),
		"forged":               expired(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), jwt.MapClaims{}),
	} {
		if _, err := c.Verify(t.Context(), token); !errors.Is(err, problem.Unauthenticated) || errors.Is(err, identity.ErrNotNow) {
			t.Errorf("an expired token %s: got %v", name, err)
		}
	}
}

// An issuer signs more than the tokens that people sign in with.
func TestOIDC_TokenTypes(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	c := check(issuer.URL)
	typed := func(kind any, others jwt.MapClaims) string {
		token := jwt.NewWithClaims(jwt.SigningMethodES256, claimed(issuer.URL, others))
		token.Header["kid"], token.Header["typ"] = "key", kind
		if kind == nil {
			delete(token.Header, "typ")
		}
		return must(token.SignedString(keyP256))
	}
	for _, kind := range []any{nil, "", "JWT", "jwt", "at+jwt", "AT+JWT"} {
		c.accepts(t, fmt.Sprint("type ", kind), typed(kind, nil))
	}
	for _, kind := range []any{"logout+jwt", "secevent+jwt", "dpop+jwt", "application/jwt", "JOSE", 7} {
		c.refuses(t, fmt.Sprint("type ", kind), typed(kind, nil))
	}
	if c.log.count("is refused") != 1 || c.log.count("is of the type") != 1 {
		t.Errorf("the log tells %s", c.log.text.String())
	}
	events := jwt.MapClaims{"events": jwt.MapClaims{"http://schemas.openid.net/event/backchannel-logout": jwt.MapClaims{}}}
	c.refuses(t, "logout token", typed("JWT", events))
	c.refuses(t, "logout token of no type", typed(nil, events))
}

// A set without a key that can be used is taken for a fault of the issuer's: what was known stays good.
func TestOIDC_NoUsableKey(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	c := check(issuer.URL)
	token := func(key string) string {
		return signAs(t, jwt.SigningMethodES256, key, keyP256, claimed(issuer.URL, nil))
	}
	c.accepts(t, "at first", token("key"))
	issuer.set(write(`{"keys": []}`))
	c.clock.step(time.Minute)
	c.refuses(t, "unknown key", token("unknown"))
	c.accepts(t, "without keys", token("key"))
	if c.log.count("holds no key that can be used") != 1 {
		t.Errorf("the log tells %s", c.log.text.String())
	}
	issuer.set(nil, public("new", keyP256))
	c.clock.step(time.Minute)
	c.accepts(t, "with a new key", token("new"))
	c.refuses(t, "with the old key", token("key"))
}

func TestOIDC_Caller(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	member := []actor.Role{actor.Member}
	staff := []actor.Role{actor.Support, actor.Admin}
	for name, test := range map[string]struct {
		memberClaim, rolesClaim string // sub and roles if empty
		claims                  jwt.MapClaims
		roles                   []actor.Role // none: the token is refused
		externalID              string
	}{
		"no role":            {claims: jwt.MapClaims{}, roles: member, externalID: "ada"},
		"others' roles":      {claims: jwt.MapClaims{"roles": []string{"owner", "offline_access"}}, roles: member, externalID: "ada"},
		"roles of no form":   {claims: jwt.MapClaims{"roles": map[string]any{"ADMIN": true}}, roles: member, externalID: "ada"},
		"member":             {claims: jwt.MapClaims{"roles": "member"}, roles: member, externalID: "ada"},
		"staff":              {claims: jwt.MapClaims{"roles": []any{"Admin", 7, "SUPPORT", "admin", "owner"}}, roles: staff},
		"one role":           {claims: jwt.MapClaims{"roles": "marketer"}, roles: []actor.Role{actor.Marketer}},
		"staff and member":   {claims: jwt.MapClaims{"roles": []string{"organizer", "member"}}, roles: []actor.Role{actor.Member, actor.Organizer}, externalID: "ada"},
		"among audiences":    {claims: jwt.MapClaims{"aud": []string{"shop", "club"}}, roles: member, externalID: "ada"},
		"nested roles":       {rolesClaim: "realm_access.roles", claims: jwt.MapClaims{"realm_access": map[string]any{"roles": []string{"support", "admin"}}}, roles: staff},
		"deeply nested":      {rolesClaim: "access.club.example.roles", claims: jwt.MapClaims{"access": map[string]any{"club.example": map[string]any{"roles": []string{"support", "admin"}}}}, roles: staff},
		"dotted name":        {rolesClaim: "https://club.example/roles", claims: jwt.MapClaims{"https://club.example/roles": []string{"support", "admin"}}, roles: staff},
		"dotted name wins":   {rolesClaim: "access.roles", claims: jwt.MapClaims{"access.roles": "marketer", "access": map[string]any{"roles": "admin"}}, roles: []actor.Role{actor.Marketer}},
		"path into text":     {rolesClaim: "sub.roles", claims: jwt.MapClaims{}, roles: member, externalID: "ada"},
		"card":               {memberClaim: "card", claims: jwt.MapClaims{"card": "1-17850"}, roles: member, externalID: "1-17850"},
		"whole number":       {memberClaim: "card", claims: jwt.MapClaims{"card": json.Number("9007199254740993")}, roles: member, externalID: "9007199254740993"},
		"nested card":        {memberClaim: "club.card", claims: jwt.MapClaims{"club": map[string]any{"card": 17850}}, roles: member, externalID: "17850"},
		"200 letters":        {memberClaim: "card", claims: jwt.MapClaims{"card": strings.Repeat("ä", 200)}, roles: member, externalID: strings.Repeat("ä", 200)},
		"201 letters":        {memberClaim: "card", claims: jwt.MapClaims{"card": strings.Repeat("a", 201)}},
		"fraction":           {memberClaim: "card", claims: jwt.MapClaims{"card": 1.5}},
		"power of ten":       {memberClaim: "card", claims: jwt.MapClaims{"card": json.Number("1e3")}},
		"truth":              {memberClaim: "card", claims: jwt.MapClaims{"card": true}},
		"list":               {memberClaim: "card", claims: jwt.MapClaims{"card": []string{"17850"}}},
		"null":               {memberClaim: "card", claims: jwt.MapClaims{"card": json.RawMessage("null")}},
		"empty card":         {memberClaim: "card", claims: jwt.MapClaims{"card": ""}},
		"card of two lines":  {memberClaim: "card", claims: jwt.MapClaims{"card": "17850\n"}},
		"no card":            {memberClaim: "card", claims: jwt.MapClaims{}},
		"member, no card":    {memberClaim: "card", claims: jwt.MapClaims{"roles": []string{"MEMBER", "ADMIN"}}},
		"staff without card": {memberClaim: "card", claims: jwt.MapClaims{"roles": []string{"support", "admin"}}, roles: staff},
	} {
		options := identity.OIDCOptions{Issuer: issuer.URL, Audience: "club", MemberClaim: "sub", RolesClaim: "roles"}
		if test.memberClaim != "" {
			options.MemberClaim = test.memberClaim
		}
		if test.rolesClaim != "" {
			options.RolesClaim = test.rolesClaim
		}
		log := &heard{}
		o := identity.NewOIDC(options, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil)))
		token := signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, test.claims))
		got, err := o.Verify(t.Context(), token)
		if test.roles == nil {
			if !errors.Is(err, problem.Unauthenticated) || log.count("the claim card") != 1 {
				t.Errorf("%s: got %v, %v; want %v and the claim named in the log", name, got, err, problem.Unauthenticated)
			}
			continue
		}
		want := actor.Actor{Caller: issuer.URL + "|ada", Roles: test.roles, ExternalID: test.externalID}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
}

func TestOIDC_Rotation(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("first", keyP256))
	c := check(issuer.URL)
	first := signAs(t, jwt.SigningMethodES256, "first", keyP256, claimed(issuer.URL, jwt.MapClaims{"exp": now.Add(time.Hour * 24).Unix()}))
	second := signAs(t, jwt.SigningMethodES384, "second", keyP384, claimed(issuer.URL, jwt.MapClaims{"exp": now.Add(time.Hour * 24).Unix()}))
	c.accepts(t, "the first key", first)
	c.refuses(t, "a key to come", second)

	issuer.set(nil, public("second", keyP384))
	c.refuses(t, "the new key, before the keys are fetched again", second)
	c.clock.step(time.Hour - time.Second)
	c.accepts(t, "the first key, within the hour", first)
	c.clock.step(time.Second)
	c.refuses(t, "the first key, after an hour", first)
	c.accepts(t, "the second key", second)
	if got := issuer.fetches.Load(); got != 2 {
		t.Errorf("the keys were fetched %d times", got)
	}

	// Who does not name its key is known by it alone.
	nameless := signAs(t, jwt.SigningMethodES512, "", keyP521, claimed(issuer.URL, jwt.MapClaims{"exp": now.Add(time.Hour * 24).Unix()}))
	issuer.set(nil, public("", keyP521))
	c.clock.step(5 * time.Second)
	c.accepts(t, "the nameless key", nameless)
	c.refuses(t, "the second key, when others are known", second)
}

func TestOIDC_UnknownKeys(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("first", keyP256))
	c := check(issuer.URL)
	for round := int64(1); round <= 3; round++ {
		var group sync.WaitGroup
		for i := range 50 {
			token := signAs(t, jwt.SigningMethodES384, fmt.Sprintf("garbage-%d", i), keyP384, claimed(issuer.URL, nil))
			group.Go(func() { c.refuses(t, "garbage", token) })
		}
		group.Wait()
		if got := issuer.fetches.Load(); got != round {
			t.Fatalf("after %d rounds of 50 unknown keys, the keys were fetched %d times", round, got)
		}
		c.clock.step(5 * time.Second)
	}
	// Strangers do not hold up a rotation.
	issuer.set(nil, public("first", keyP256), public("second", keyP384))
	c.accepts(t, "a new key", signAs(t, jwt.SigningMethodES384, "second", keyP384, claimed(issuer.URL, nil)))
}

func TestOIDC_IssuerDown(t *testing.T) {
	t.Parallel()
	issuer := publish(t)
	issuer.set(issuer.fail)
	c := check(issuer.URL)
	long := jwt.MapClaims{"exp": now.Add(48 * time.Hour).Unix()}
	known := signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, long))

	waits := []time.Duration{5, 10, 20, 40, 80, 160, 300, 300}
	for i, wait := range waits {
		for range 3 {
			c.refuses(t, "a key that could not be fetched", known)
		}
		c.clock.step(wait*time.Second - time.Nanosecond)
		c.refuses(t, "a key that could not be fetched", known)
		if fetched, warned := issuer.fetches.Load(), c.log.count("level=WARN"); fetched != int64(i+1) || warned != i+1 {
			t.Fatalf("after %d failures, the keys were fetched %d times with %d warnings", i+1, fetched, warned)
		}
		c.clock.step(time.Nanosecond)
	}
	issuer.set(nil, public("key", keyP256))
	c.accepts(t, "when the issuer is back", known)
	if got := c.log.count("level=INFO"); got != 1 {
		t.Errorf("the log tells %d times that the issuer is back", got)
	}

	// With its keys known it can be away for longer than they are fresh.
	before := issuer.fetches.Load()
	unknown := signAs(t, jwt.SigningMethodES384, "unknown", keyP384, claimed(issuer.URL, long))
	for _, away := range []http.HandlerFunc{issuer.fail, write(`{"error": "busy"}`), write("we are moving")} {
		issuer.set(away)
		c.clock.step(time.Hour)
		c.accepts(t, "a known key of an issuer that is away", known)
		c.refuses(t, "an unknown key of an issuer that is away", unknown)
	}
	if got := issuer.fetches.Load() - before; got != 3 {
		t.Errorf("an issuer that is away was asked %d times in 3 hours with 2 tokens each", got)
	}
	issuer.set(nil, public("key", keyP256))
	c.clock.step(5 * time.Minute)
	c.refuses(t, "an unknown key of an issuer that is back", unknown)
	issuer.set(nil, public("key", keyP384))
	c.clock.step(time.Hour)
	c.refuses(t, "a key that was removed after the issuer was back", known)
}

func TestOIDC_Hanging(t *testing.T) {
	t.Parallel()
	issuer := publish(t)
	asked, release := make(chan struct{}), make(chan struct{})
	issuer.set(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		_ = json.NewEncoder(w).Encode(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{public("key", keyP256)}})
	})
	c := check(issuer.URL)
	token := signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, nil))
	impatient, leave := context.WithCancel(t.Context())
	left := make(chan error)
	go func() {
		_, err := c.Verify(impatient, token)
		left <- err
	}()
	<-asked
	leave()
	if err := <-left; !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("who left hears %v", err)
	}
	waiting := make(chan error)
	go func() {
		_, err := c.Verify(t.Context(), token)
		waiting <- err
	}()
	close(release)
	if err := <-waiting; err != nil {
		t.Errorf("who stayed hears %v: the fetch ended with the one who began it", err)
	}
	if got := issuer.fetches.Load(); got != 1 {
		t.Errorf("the keys were fetched %d times", got)
	}
}

func TestOIDC_Documents(t *testing.T) {
	t.Parallel()
	key := string(must(json.Marshal(public("key", keyP256))))
	for name, test := range map[string]struct {
		answer http.HandlerFunc
		good   bool
	}{
		"strange keys beside it": {write(`{"keys": [null, 7, {"kty": "OKP", "crv": "Ed448", "x": "AA"}, {"kty": "oct", "kid": "key", "k": "c2VjcmV0"}, ` + key + `]}`), true},
		"redirected": {func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Has("moved") {
				write(`{"keys": [`+key+`]}`)(w, r)
				return
			}
			http.Redirect(w, r, "/keys?moved", http.StatusFound)
		}, true},
		"no keys":     {write(`{"keys": []}`), false},
		"no good key": {write(`{"keys": [{"kty": "oct", "kid": "key", "k": "c2VjcmV0"}]}`), false},
		"no set":      {write(`{"error": "busy"}`), false},
		"no document": {write("come back later"), false},
		"too large":   {write(`{"keys": [` + strings.Repeat(" ", 2<<20) + key + `]}`), false},
		"redirected by http": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://issuer.example/keys", http.StatusFound)
		}, false},
	} {
		issuer := publish(t)
		issuer.set(test.answer)
		c := check(issuer.URL)
		token := signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, nil))
		if test.good {
			c.accepts(t, name, token)
		} else {
			c.refuses(t, name, token)
		}
		if name == "redirected by http" && c.log.count("http://issuer.example/keys is not https") != 1 {
			t.Errorf("the log does not say why: %s", c.log.text.String())
		}
	}

	// Somebody else's discovery is none of this issuer's.
	issuer := publish(t, public("key", keyP256))
	c := check(issuer.URL + "/")
	c.refuses(t, "discovered under another name", signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL+"/", nil)))
	if c.log.count("did not match") != 1 {
		t.Errorf("the log does not say why: %s", c.log.text.String())
	}
}

func write(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

// TestOIDC_Reports proves that the log says why a good issuer's token is refused, and that strangers cannot fill it.
func TestOIDC_Reports(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	c := check(issuer.URL)
	c.Discover(t.Context())
	elsewhere := signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, jwt.MapClaims{"aud": "shop"}))
	forged := signAs(t, jwt.SigningMethodES256, "key", must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), claimed(issuer.URL, nil))
	for range 3 {
		c.refuses(t, "forged", forged)
		c.refuses(t, "for another audience", elsewhere)
	}
	if got := c.log.count("is refused"); got != 1 || c.log.count("shop") != 1 {
		t.Errorf("the log tells %d times: %s", got, c.log.text.String())
	}
	c.clock.step(time.Minute)
	c.refuses(t, "for another audience", elsewhere)
	if got := c.log.count("is refused"); got != 2 {
		t.Errorf("a minute later the log has told %d times", got)
	}
}

func TestAuthenticator_OIDC(t *testing.T) {
	t.Parallel()
	issuer := publish(t, public("key", keyP256))
	development := open(t, t.TempDir())
	both := &identity.Authenticator{OIDC: check(issuer.URL).OIDC, Development: development, Now: func() time.Time { return now }}
	if _, err := both.Authenticate(t.Context(), signAs(t, jwt.SigningMethodES256, "key", keyP256, claimed(issuer.URL, nil))); err != nil {
		t.Errorf("a token of the issuer: %v", err)
	}
	if _, err := both.Authenticate(t.Context(), token(t, development, actor.Admin, "staff:admin")); !errors.Is(err, problem.Unauthenticated) {
		t.Errorf("a development token beside an issuer: got %v, want %v", err, problem.Unauthenticated)
	}
}

package main

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regulars/internal/actor"
	"regulars/internal/identity"
)

// A scanner knows what the program signed by the public keys alone, until they are retired.
func TestSigningKeys_Public(t *testing.T) {
	t.Parallel()
	given := settings(t)
	clock := &clock{now: time.Now()}
	b := boot(t, given, clock.read)
	scan := func(text string) string {
		t.Helper()
		clock.move(0, 0, 1)
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.URL()+"/.well-known/jwks.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var set jose.JSONWebKeySet
		if err := json.NewDecoder(response.Body).Decode(&set); err != nil {
			t.Fatal(err)
		}
		if kind, cache := response.Header.Get("Content-Type"), response.Header.Get("Cache-Control"); kind != "application/jwk-set+json" || cache != "public, max-age=300" {
			t.Errorf("the keys come as %s, %s", kind, cache)
		}
		signed, err := jose.ParseSignedCompact(text, []jose.SignatureAlgorithm{jose.EdDSA})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range set.Key(signed.Signatures[0].Protected.KeyID) {
			if !key.IsPublic() || !key.Valid() {
				t.Errorf("a key that is not public: %+v", key)
			}
			if payload, err := signed.Verify(key); err == nil {
				return string(payload)
			}
		}
		return ""
	}

	keys := identity.NewSigningKeys(b.database.DB)
	ticket, err := keys.Sign(t.Context(), "ticket", []byte("seat 1"))
	if err != nil {
		t.Fatal(err)
	}
	if got := scan(ticket); got != "seat 1" {
		t.Errorf("the scanner reads %q", got)
	}
	listed, err := keys.List(actor.With(t.Context(), actor.System("test")))
	if err != nil || len(listed) != 1 {
		t.Fatalf("%v, %v", listed, err)
	}
	office(t, given, "signing-key", "rotate")
	if got := scan(ticket); got != "seat 1" {
		t.Errorf("after a rotation the scanner reads %q", got)
	}
	office(t, given, "signing-key", "retire", listed[0].ID)
	if got := scan(ticket); got != "" {
		t.Errorf("of a key that is retired the scanner reads %q", got)
	}
}

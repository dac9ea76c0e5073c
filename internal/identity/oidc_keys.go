package identity

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
)

const (
	// refreshInterval is how long a key that the issuer no longer publishes may still be good.
	refreshInterval = time.Hour
	// Between two fetches lies at least the shortest wait, whatever keys tokens claim to be signed by; it doubles with
	// every failure in a row up to the longest.
	shortestWait    = 5 * time.Second
	longestWait     = 5 * time.Minute
	fetchTimeout    = 5 * time.Second
	maximumDocument = 1 << 20
)

var errUnknownKey = errors.New("no known key of the issuer signed the token")

// issuerKeys are the public keys of an issuer. They are fetched when a token needs them: because its key is not known, or
// because they are old. While the issuer cannot be reached, those that are known stay good.
//
// The key set of go-oidc would fetch for every token whose key is not known, keep keys for ever and read without limits.
type issuerKeys struct {
	issuer string
	client *http.Client
	now    func() time.Time
	logger *slog.Logger

	mutex    sync.Mutex
	keys     []jose.JSONWebKey
	fetched  time.Time     // when the keys were published for certain; zero: never
	next     time.Time     // no fetch begins before
	wait     time.Duration // grows while fetches fail; 0 after one that did not
	fetching bool
	ended    chan struct{} // closed when the fetch under way, or the last one, has ended
}

func newIssuerKeys(issuer string, now func() time.Time, logger *slog.Logger) *issuerKeys {
	ended := make(chan struct{})
	close(ended)
	return &issuerKeys{issuer: issuer, client: &http.Client{Transport: issuerTransport{}}, now: now, logger: logger, ended: ended}
}

// open reads the claims of a token that one of the keys signed. Only who needs a fetch waits for it, until it or ctx ends;
// the fetch itself goes on without ctx, since others wait for it.
func (k *issuerKeys) open(ctx context.Context, token *jwt.JSONWebToken, claims ...any) error {
	keys, old, failing := k.known()
	err := read(keys, token, claims)
	unknown := errors.Is(err, errUnknownKey)
	if !unknown && !old {
		return err
	}
	ended := k.refresh()
	if !unknown && failing {
		return err
	}
	select {
	case <-ended:
	case <-ctx.Done():
		return ctx.Err()
	}
	keys, _, _ = k.known()
	return read(keys, token, claims)
}

func (k *issuerKeys) known() (keys []jose.JSONWebKey, old, failing bool) {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	return k.keys, k.now().Sub(k.fetched) >= refreshInterval, k.wait > 0
}

// read returns errUnknownKey where another key may have signed the token; a token need not name its key.
func read(keys []jose.JSONWebKey, token *jwt.JSONWebToken, claims []any) error {
	header := token.Headers[0]
	err := errUnknownKey
	for _, key := range keys {
		if header.KeyID != "" && header.KeyID != key.KeyID || key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue
		}
		failure := token.Claims(key.Key, claims...)
		if failure == nil {
			return nil
		}
		if header.KeyID != "" {
			err = failure
		}
	}
	return err
}

// refresh begins to fetch the keys, unless somebody does already or it is too soon. What it returns is closed when no
// fetch is under way anymore.
func (k *issuerKeys) refresh() <-chan struct{} {
	k.mutex.Lock()
	defer k.mutex.Unlock()
	if begun := k.now(); !k.fetching && !begun.Before(k.next) {
		k.fetching, k.ended = true, make(chan struct{})
		go k.fetch(begun)
	}
	return k.ended
}

func (k *issuerKeys) fetch(begun time.Time) {
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	keys, err := k.download(ctx)
	k.mutex.Lock()
	defer k.mutex.Unlock()
	defer close(k.ended)
	k.fetching = false
	if err != nil {
		k.wait = min(max(2*k.wait, shortestWait), longestWait)
		k.next = k.now().Add(k.wait)
		k.logger.Warn("the issuer's keys cannot be fetched; tokens are refused unless their key is known",
			slog.Any("cause", err), slog.Int("known", len(k.keys)), slog.Duration("next", k.wait))
		return
	}
	if k.fetched.IsZero() || k.wait > 0 {
		k.logger.Info("the issuer's keys are fetched", slog.Int("keys", len(keys)))
	}
	k.keys, k.fetched, k.wait = keys, begun, 0
	k.next = k.now().Add(shortestWait)
}

func (k *issuerKeys) download(ctx context.Context) ([]jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, k.client), k.issuer)
	if err != nil {
		return nil, err
	}
	var discovered struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&discovered); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, discovered.Keys, http.NoBody)
	if err != nil {
		return nil, err
	}
	// Whatever stands between must not answer with keys from before a rotation.
	request.Header.Set("Cache-Control", "no-cache")
	response, err := k.client.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(response.Body).Decode(&published); err != nil || published.Keys == nil {
		return nil, errors.Join(fmt.Errorf("%s holds no set of keys", discovered.Keys), err)
	}
	var keys []jose.JSONWebKey
	for _, encoded := range published.Keys {
		var key jose.JSONWebKey
		// A key that we cannot use is no reason to do without the others.
		if json.Unmarshal(encoded, &key) == nil && key.IsPublic() && key.Use != "enc" {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%s holds no key that can be used", discovered.Keys)
	}
	return keys, nil
}

// issuerTransport asks an issuer, wherever it redirects to, only by confidential addresses and for no more than a document
// may hold. It makes an error of every refusal.
type issuerTransport struct{}

// RoundTrip does as http.RoundTripper says.
func (issuerTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if !Confidential(request.URL) {
		return nil, fmt.Errorf("%s is not https", request.URL.Redacted())
	}
	response, err := http.DefaultTransport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, errors.Join(fmt.Errorf("it answers %s", response.Status), response.Body.Close())
	}
	response.Body = http.MaxBytesReader(nil, response.Body, maximumDocument)
	return response, nil
}

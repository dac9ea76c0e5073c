package identity

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"regulars/internal/actor"
	"regulars/internal/problem"
)

const (
	// skew is how far the issuer's clock and ours may be apart.
	skew              = time.Minute
	maximumIdentifier = 200
	// reportInterval is how often at most the log says why a token was refused: strangers can send any number of them.
	reportInterval = time.Minute
)

// algorithms are those whose keys are in two parts: what an issuer publishes can check a token and never make one.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512, jose.PS256, jose.PS384, jose.PS512, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA,
}

// OIDCOptions say whose tokens are good and how to read them. All of them must be given.
type OIDCOptions struct {
	// Issuer is the address under which the issuer is discovered, exactly as its tokens name it.
	Issuer string
	// Audience is one of those for whom the tokens are.
	Audience string
	// MemberClaim holds a member's external id, RolesClaim what the caller may act as. A dotted name is a path into nested
	// claims, unless a claim has that very name.
	MemberClaim string
	RolesClaim  string
}

// Confidential tells whether nobody on the way reads or changes what is sent to the address: it is https or on this machine.
func Confidential(address *url.URL) bool {
	host := address.Hostname()
	ip := net.ParseIP(host)
	return address.Scheme == "https" || address.Scheme == "http" && (host == "localhost" || ip != nil && ip.IsLoopback())
}

// OIDC checks the tokens of an OpenID Connect issuer, which it discovers by itself.
type OIDC struct {
	options OIDCOptions
	keys    *issuerKeys
	now     func() time.Time
	logger  *slog.Logger

	reporting sync.Mutex
	reported  time.Time
}

// NewOIDC returns the checker of an issuer's tokens. It does not need the issuer yet, which may be down. now is the clock
// by which tokens are valid and keys are old.
func NewOIDC(options OIDCOptions, now func() time.Time, logger *slog.Logger) *OIDC {
	logger = logger.With(slog.String("issuer", options.Issuer))
	return &OIDC{options: options, keys: newIssuerKeys(options.Issuer, now, logger), now: now, logger: logger}
}

// Discover looks the issuer up ahead of the first token, so that the log tells early whether it can be reached. It
// returns when that has ended, or ctx has.
func (o *OIDC) Discover(ctx context.Context) {
	select {
	case <-o.keys.refresh():
	case <-ctx.Done():
	}
}

// Verify returns the caller that the token names. The token is an ID token or an access token in the form of a JWT.
// Checked are its signature, by a key that the issuer publishes and with an asymmetric algorithm; that the issuer made it
// and that our audience is among its own; that it ends and has not ended, has begun, and was not issued in the future, a
// minute either way; its subject; and its member claim where it is a member's; and that it is no other kind of token. Anything else is
// problem.Unauthenticated, of that ErrNotNow what is only expired or not valid yet, and so is every token whose key is not
// known while the issuer cannot be reached.
//
// Who has a role of ours has that role. Who has none is a member: the issuer of a brand's customers does not know ours.
func (o *OIDC) Verify(ctx context.Context, token string) (actor.Actor, error) {
	parsed, err := jwt.ParseSigned(token, algorithms)
	if err != nil {
		return actor.Actor{}, problem.Unauthenticated
	}
	var registered jwt.Claims
	var content json.RawMessage
	if err := o.keys.open(ctx, parsed, &registered, &content); err != nil {
		return actor.Actor{}, problem.Unauthenticated
	}
	caller, err := o.caller(parsed.Headers[0], registered, content)
	if err == nil {
		return caller, nil
	}
	o.report(err)
	if errors.Is(err, jwt.ErrExpired) || errors.Is(err, jwt.ErrNotValidYet) || errors.Is(err, jwt.ErrIssuedInTheFuture) {
		return actor.Actor{}, ErrNotNow
	}
	return actor.Actor{}, problem.Unauthenticated
}

// tokenTypes are what the tokens are that people sign in with, in lower letters. An issuer signs others by the same keys,
// to tell of a sign-out for example.
var tokenTypes = []string{"", "jwt", "at+jwt"}

// caller reads the claims of a token with a good signature.
func (o *OIDC) caller(header jose.Header, registered jwt.Claims, content []byte) (actor.Actor, error) {
	kind, named := header.ExtraHeaders[jose.HeaderType]
	if text, ok := kind.(string); named && (!ok || !slices.Contains(tokenTypes, strings.ToLower(text))) {
		return actor.Actor{}, fmt.Errorf("the token is of the type %.100q", fmt.Sprint(kind))
	}
	if registered.Expiry == nil {
		return actor.Actor{}, errors.New("the token never expires")
	}
	expected := jwt.Expected{Issuer: o.options.Issuer, AnyAudience: jwt.Audience{o.options.Audience}, Time: o.now()}
	if err := registered.ValidateWithLeeway(expected, skew); err != nil {
		return actor.Actor{}, fmt.Errorf("%w; it is of the issuer %q for %q", err, registered.Issuer, registered.Audience)
	}
	var claims map[string]any
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	if err := decoder.Decode(&claims); err != nil {
		return actor.Actor{}, err
	}
	if _, ok := claims["events"]; ok {
		return actor.Actor{}, errors.New("the token tells of events, such as a sign-out")
	}
	subject, ok := identifier(registered.Subject)
	if !ok {
		return actor.Actor{}, errors.New("the token has no subject")
	}
	caller := actor.Actor{Caller: o.options.Issuer + "|" + subject, Roles: roles(claim(claims, o.options.RolesClaim))}
	if len(caller.Roles) == 0 {
		caller.Roles = []actor.Role{actor.Member}
	}
	if caller.Has(actor.Member) {
		if caller.ExternalID, ok = identifier(claim(claims, o.options.MemberClaim)); !ok {
			return actor.Actor{}, fmt.Errorf("the claim %s, by which REGULARS_OIDC_MEMBER_CLAIM knows members, holds no id", o.options.MemberClaim)
		}
	}
	return caller, nil
}

// report logs why a token of the issuer's own was refused: most likely a setting is wrong, here or there.
func (o *OIDC) report(cause error) {
	o.reporting.Lock()
	defer o.reporting.Unlock()
	if now := o.now(); now.Sub(o.reported) >= reportInterval {
		o.reported = now
		o.logger.Info("a token that the issuer signed is refused (told once a minute at most)", slog.Any("cause", cause))
	}
}

// claim returns what the claims hold under name or, where nothing has that very name, under name as a path; nil if
// nothing is there.
func claim(claims map[string]any, name string) any {
	if found, ok := claims[name]; ok {
		return found
	}
	for end, letter := range name {
		if letter != '.' {
			continue
		}
		if nested, ok := claims[name[:end]].(map[string]any); ok {
			if found := claim(nested, name[end+1:]); found != nil {
				return found
			}
		}
	}
	return nil
}

var wholeNumber = regexp.MustCompile(`^-?[0-9]+$`)

// identifier returns the text or the whole number that a claim holds, if it can be somebody's id.
func identifier(held any) (string, bool) {
	var id string
	switch held := held.(type) {
	case string:
		id = held
	case json.Number:
		if id = held.String(); !wholeNumber.MatchString(id) {
			return "", false
		}
	}
	return id, strings.TrimSpace(id) != "" && utf8.RuneCountInString(id) <= maximumIdentifier && !strings.ContainsFunc(id, unicode.IsControl)
}

// roles returns those of our roles that a claim names, as a list or as one text. What else it names is others' business.
func roles(held any) []actor.Role {
	names, ok := held.([]any)
	if !ok {
		names = []any{held}
	}
	var found []actor.Role
	for _, role := range actor.Roles {
		if slices.ContainsFunc(names, func(name any) bool {
			text, ok := name.(string)
			return ok && strings.EqualFold(text, string(role))
		}) {
			found = append(found, role)
		}
	}
	return found
}

package identity

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/problem"
)

// Authenticator tells who is calling by the bearer token of a request: a person's token or a machine client's key.
type Authenticator struct {
	// OIDC checks the tokens of the issuer that is configured; nil where none is. The development issuer is off beside it.
	OIDC *OIDC
	// Development checks the tokens of the development issuer; nil where that is off.
	Development *DevelopmentIssuer
	// Clients checks the keys of machine clients.
	Clients *Clients
	Now     func() time.Time
}

// ErrNotNow is the answer to a token that is good but for the time: it has expired, or is not valid yet. It is a
// problem.Unauthenticated. Whoever has such a token guesses nothing.
var ErrNotNow = fmt.Errorf("the token is not valid at this time: %w", problem.Unauthenticated)

// Authenticate returns the caller that the token names. It returns problem.Unauthenticated for a token that no issuer
// vouches for and a key that no client has, and of those ErrNotNow for a token whose time is over or has not come; any
// other error is a fault of ours.
func (a *Authenticator) Authenticate(ctx context.Context, token string) (actor.Actor, error) {
	if isKey(token) {
		return a.Clients.Verify(ctx, token)
	}
	if a.OIDC != nil {
		return a.OIDC.Verify(ctx, token)
	}
	if a.Development == nil {
		return actor.Actor{}, problem.Unauthenticated
	}
	return a.Development.Verify(token, a.Now())
}

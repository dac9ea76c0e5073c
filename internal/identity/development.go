// Package identity tells who is calling from what the caller sends.
//
// People have tokens of the OpenID Connect issuer that the settings name. Without one there is the development issuer: its
// key lies in the data folder, so whoever can read that folder can be anybody, and the server accepts its tokens only while
// it listens on a loopback address and is not reached from elsewhere. Machine clients have keys.
package identity

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"regulars/internal/actor"
	"regulars/internal/problem"
)

const (
	developmentName = "regulars-development"
	audience        = "regulars"
)

// DevelopmentIssuer signs and checks tokens with the key in a data folder.
type DevelopmentIssuer struct {
	key ed25519.PrivateKey
}

type claims struct {
	jwt.RegisteredClaims
	Roles []actor.Role `json:"roles"`
}

// OpenDevelopmentIssuer returns the issuer whose key lies in folder. It makes the folder and the key, readable by its
// owner alone, if there are none.
func OpenDevelopmentIssuer(folder string) (*DevelopmentIssuer, error) {
	key, err := openKey(folder)
	if err != nil {
		return nil, err
	}
	return &DevelopmentIssuer{key: key}, nil
}

// Token returns a signed token for subject in that role, valid from now for ttl. The subject of a member is its external
// id.
func (i *DevelopmentIssuer) Token(role actor.Role, subject string, ttl time.Duration, now time.Time) (string, error) {
	token := jwt.NewWithClaims(jwt.SigningMethodEdDSA, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer:    developmentName,
			Audience:  jwt.ClaimStrings{audience},
			Subject:   subject,
			IssuedAt:  jwt.NewNumericDate(now),
			NotBefore: jwt.NewNumericDate(now),
			ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
		},
		Roles: []actor.Role{role},
	})
	signed, err := token.SignedString(i.key)
	if err != nil {
		return "", fmt.Errorf("signing a token: %w", err)
	}
	return signed, nil
}

// Verify returns the caller that the token names. It returns problem.Unauthenticated for a token that is not this
// issuer's, is not meant for this program, or names no role of ours, and ErrNotNow for one that is only not valid at now.
// It and the server share a machine and its clock, so a token ends to the second.
func (i *DevelopmentIssuer) Verify(token string, now time.Time) (actor.Actor, error) {
	parser := jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodEdDSA.Alg()}),
		jwt.WithIssuer(developmentName),
		jwt.WithAudience(audience),
		jwt.WithExpirationRequired(),
		jwt.WithTimeFunc(func() time.Time { return now }),
	)
	var claimed claims
	_, err := parser.ParseWithClaims(token, &claimed, func(*jwt.Token) (any, error) { return i.key.Public(), nil })
	late := errors.Is(err, jwt.ErrTokenExpired) || errors.Is(err, jwt.ErrTokenNotValidYet)
	if late && !errors.Is(err, jwt.ErrTokenInvalidIssuer) && !errors.Is(err, jwt.ErrTokenInvalidAudience) {
		return actor.Actor{}, ErrNotNow
	}
	if err != nil || claimed.Subject == "" {
		return actor.Actor{}, problem.Unauthenticated
	}
	caller := actor.Actor{Caller: claimed.Issuer + "|" + claimed.Subject}
	for _, role := range claimed.Roles {
		if slices.Contains(actor.Roles, role) && !caller.Has(role) {
			caller.Roles = append(caller.Roles, role)
		}
	}
	if len(caller.Roles) == 0 {
		return actor.Actor{}, problem.Unauthenticated
	}
	if caller.Has(actor.Member) {
		caller.ExternalID = claimed.Subject
	}
	return caller, nil
}

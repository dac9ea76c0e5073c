// Package actor says who is calling: every use case of the domain asks it first.
package actor

import (
	"context"
	"slices"

	"regulars/internal/problem"
)

// Role is what a caller may act as.
type Role string

// The roles of the API contract.
const (
	Member    Role = "MEMBER"
	Organizer Role = "ORGANIZER"
	Marketer  Role = "MARKETER"
	Support   Role = "SUPPORT"
	Admin     Role = "ADMIN"
)

// Roles lists every role, in the order of the API.
var Roles = []Role{Member, Organizer, Marketer, Support, Admin}

// Actor is an authenticated caller.
type Actor struct {
	// Caller names the caller for ever: its issuer and subject, or "system:…" for the program itself.
	// Idempotency keys are unique within it, and changes are recorded under it.
	Caller string
	Roles  []Role
	// ExternalID is the member's id at its issuer; empty for a caller that is no member.
	ExternalID string
}

// System is the program acting by itself or for its operator: an import, the demo, a job.
func System(name string) Actor {
	return Actor{Caller: "system:" + name, Roles: []Role{Admin}}
}

// Is tells whether the actor has one of the roles.
func (a Actor) Is(roles ...Role) bool {
	return slices.ContainsFunc(a.Roles, func(role Role) bool { return slices.Contains(roles, role) })
}

type key struct{}

// With returns a context in which a is calling.
func With(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, key{}, a)
}

// From returns the caller of ctx; false if nobody has signed in.
func From(ctx context.Context) (Actor, bool) {
	a, ok := ctx.Value(key{}).(Actor)
	return a, ok
}

// Require returns the caller if it has one of the roles; without roles, anybody who has signed in passes.
// It returns problem.Unauthenticated where nobody has signed in and problem.Forbidden where the role is missing.
func Require(ctx context.Context, roles ...Role) (Actor, error) {
	a, ok := From(ctx)
	if !ok {
		return Actor{}, problem.Unauthenticated
	}
	if len(roles) > 0 && !a.Is(roles...) {
		return Actor{}, problem.Forbidden
	}
	return a, nil
}

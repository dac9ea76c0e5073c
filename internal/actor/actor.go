// Package actor says who is calling: every use case of the domain asks it first.
package actor

import (
	"context"
	"slices"
	"strings"

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

// Scope is what a machine client was given to do.
type Scope string

// The scopes that a machine client can have.
const (
	PurchasesWrite   Scope = "purchases:write"
	PurchasesPreview Scope = "purchases:preview"
	MembersRead      Scope = "members:read"
	MembersWrite     Scope = "members:write"
	PointsRedeem     Scope = "points:redeem"
	PointsAdjust     Scope = "points:adjust"
	CheckInWrite     Scope = "checkin:write"
	ProgramRead      Scope = "program:read"
)

// Scopes lists every scope.
var Scopes = []Scope{
	PurchasesWrite, PurchasesPreview, MembersRead, MembersWrite, PointsRedeem, PointsAdjust, CheckInWrite, ProgramRead,
}

// Grant is what lets a caller do something: a role of a person or a scope of a machine client.
type Grant interface {
	heldBy(a Actor) bool
}

func (r Role) heldBy(a Actor) bool { return slices.Contains(a.Roles, r) }

func (s Scope) heldBy(a Actor) bool { return slices.Contains(a.Scopes, s) }

// Actor is an authenticated caller: a person with roles or a machine client with scopes.
type Actor struct {
	// Caller names the caller for ever: its issuer and subject, "client:…" with the id of a machine client, or "system:…"
	// for the program itself. Idempotency keys are unique within it, and changes are recorded under it.
	Caller string
	Roles  []Role
	Scopes []Scope
	// Client is the name of a machine client; empty for a person.
	Client string
	// ExternalID is the member's id at its issuer; empty for a caller that is no member.
	ExternalID string
}

// systemPrefix is before what no issuer and no client is called.
const systemPrefix = "system:"

// System is the program acting by itself or for its operator: an import, the demo, a job.
func System(name string) Actor {
	return Actor{Caller: systemPrefix + name, Roles: []Role{Admin}}
}

// Internal tells whether the program itself is acting.
func (a Actor) Internal() bool {
	return strings.HasPrefix(a.Caller, systemPrefix)
}

// Has tells whether the actor has one of the grants.
func (a Actor) Has(grants ...Grant) bool {
	return slices.ContainsFunc(grants, func(grant Grant) bool { return grant.heldBy(a) })
}

// OnlyMember tells whether the actor may do no more than any member: anybody can become one.
func (a Actor) OnlyMember() bool {
	return len(a.Scopes) == 0 && !slices.ContainsFunc(a.Roles, func(role Role) bool { return role != Member })
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

// Require returns the caller if it has one of the grants; without grants, anybody who has signed in passes.
// It returns problem.Unauthenticated where nobody has signed in and problem.Forbidden where the grant is missing.
func Require(ctx context.Context, grants ...Grant) (Actor, error) {
	a, ok := From(ctx)
	if !ok {
		return Actor{}, problem.Unauthenticated
	}
	if len(grants) > 0 && !a.Has(grants...) {
		return Actor{}, problem.Forbidden
	}
	return a, nil
}

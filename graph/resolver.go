// Package graph is the API: the schema, what resolves it, and the door in front of it. It decides nothing: each field asks
// one use case of the domain, which also knows who may ask.
package graph

import (
	"regulars/club"
	"regulars/internal/audit"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/reward"
)

// Resolver answers the schema's fields.
type Resolver struct {
	loyalty *loyalty.Service
	rewards *reward.Service
	club    *club.Service
	clients *identity.Clients
	log     *audit.Log
}

// refused splits an error of the domain: what its caller can act on goes into the payload, anything else stops the
// operation.
func refused(err error) ([]problem.UserError, error) {
	if err == nil {
		return nil, nil
	}
	if problems, ok := problem.UserErrors(err); ok {
		return problems, nil
	}
	return nil, err
}

// only takes the one answer to a slice of one.
func only[T any](answers []T, err error) (*T, error) {
	if err != nil {
		return nil, err
	}
	return &answers[0], nil
}

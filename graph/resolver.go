// Package graph is the API: the schema, what resolves it, and the door in front of it. It decides nothing: each field asks
// one use case of the domain, which also knows who may ask.
package graph

import (
	"regulars/care"
	"regulars/club"
	"regulars/internal/audit"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/jobs"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/referral"
	"regulars/loyalty/reward"
)

// Services are what the API offers.
type Services struct {
	Loyalty   *loyalty.Service
	Rewards   *reward.Service
	Backtests *backtest.Service
	Referrals *referral.Service
	Club      *club.Service
	Care      *care.Service
	Jobs      *jobs.Runner
	Clients   *identity.Clients
	Log       *audit.Log
}

// Resolver answers the schema's fields.
type Resolver struct{ services Services }

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

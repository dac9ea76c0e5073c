// Package idempotency remembers the keys of successful operations for ever, so that a retry moves nothing twice.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// MaximumKeyLength bounds a key, in characters.
const MaximumKeyLength = 200

// Request is one call of an operation: keys are unique per caller and operation.
type Request struct {
	Caller    string
	Operation string
	Key       string
	// Input is hashed as JSON: the resolved, normalized input, without nulls and defaults.
	Input any
}

// Claimed answers one claim: the id of what the request makes or, if Replayed, of what it made the first time. Problem is
// set, and nothing else holds, where the key was used with other input.
type Claimed[T ~[16]byte] struct {
	Made     T
	Replayed bool
	Problem  problem.UserError
}

// Claim remembers requests, each with the id of what it is going to make, and waits for other transactions that are
// claiming the same keys. A key that stands twice among the requests is a replay the second time. It answers each in
// order.
func Claim[T ~[16]byte](ctx context.Context, tx *postgres.Tx, requests []Request, made []T) ([]Claimed[T], error) {
	rows := make([]row, len(requests))
	byScope := make(map[uuid.UUID]row, len(requests))
	for i, request := range requests {
		scope, err := request.scope()
		if err != nil {
			return nil, err
		}
		input, err := Hash(request.Input)
		if err != nil {
			return nil, err
		}
		rows[i] = row{Scope: scope, Request: request, InputHash: input, Result: uuid.UUID(made[i])}
		if _, twice := byScope[scope]; !twice {
			byScope[scope] = rows[i]
		}
	}
	first := slices.SortedFunc(maps.Values(byScope), func(a, b row) int { return id.Compare(a.Scope, b.Scope) })
	if err := insert(ctx, tx, first); err != nil {
		return nil, err
	}
	kept, err := find(ctx, tx, first)
	if err != nil {
		return nil, err
	}
	claims := make([]Claimed[T], len(rows))
	for i, asked := range rows {
		known := kept[asked.Scope]
		claims[i] = Claimed[T]{Made: T(known.Result), Replayed: known.Result != asked.Result}
		if known.InputHash != asked.InputHash {
			claims[i].Problem = problem.At(problem.IdempotencyKeyReused, []string{"idempotencyKey"},
				"This idempotency key was used before with other input.")
		}
	}
	return claims, nil
}

// Release forgets claims of this transaction whose requests were refused after all; made are the ids that they were
// claimed with. Claims of others stay.
func Release[T ~[16]byte](ctx context.Context, tx *postgres.Tx, requests []Request, made []T) error {
	rows := make([]row, len(requests))
	for i, request := range requests {
		scope, err := request.scope()
		if err != nil {
			return err
		}
		rows[i] = row{Scope: scope, Result: uuid.UUID(made[i])}
	}
	return remove(ctx, tx, rows)
}

func (r Request) scope() (uuid.UUID, error) {
	return Hash([]string{r.Caller, r.Operation, r.Key})
}

// Check adds a problem if key is no idempotency key.
func Check(problems *problem.Problems, key string) {
	if length := len([]rune(key)); length == 0 || length > MaximumKeyLength || strings.ContainsRune(key, 0) {
		problems.Add(problem.InvalidIdempotencyKey, []string{"idempotencyKey"}, "An idempotency key has 1 to %d characters.", MaximumKeyLength)
	}
}

// Hash returns the first 16 bytes of the SHA-256 of input as JSON.
func Hash(input any) (uuid.UUID, error) {
	encoded, err := json.Marshal(input)
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("hash an input: %w", err)
	}
	sum := sha256.Sum256(encoded)
	return uuid.UUID(sum[:16]), nil
}

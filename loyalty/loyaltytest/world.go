// Package loyaltytest makes loyalty programs for tests: a database with a clock that the test turns, and members, rules,
// tiers and facts in a line each. What does not work ends the test.
package loyaltytest

import (
	"context"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// Start is when the clock of every World starts: a Monday morning.
var Start = time.Date(2025, time.January, 6, 9, 0, 0, 0, time.UTC)

// Source is where the facts of a World come from.
const Source = "till"

// World is a loyalty program in a database of its own.
type World struct {
	DB      *postgres.DB
	Service *loyalty.Service
	Clock   *Clock
	// Admin is the context of an administrator's calls.
	Admin context.Context

	t        testing.TB
	currency value.Currency
	serial   atomic.Int64
}

// New returns a program that counts in EUR and UTC and has no start.
func New(t testing.TB) *World {
	t.Helper()
	return NewFrom(t, program.Seed{Currency: "EUR"})
}

// NewFrom returns the program of a seed.
func NewFrom(t testing.TB, seed program.Seed) *World {
	t.Helper()
	clock := &Clock{at: Start}
	w := &World{DB: pgtest.NewAt(t, clock.Now), Clock: clock, t: t}
	w.Admin = actor.With(t.Context(), actor.System("test"))
	w.Service = loyalty.New(w.DB)
	_, err := program.Ensure(w.Admin, w.DB, seed)
	w.must(err)
	settings, err := program.Load(w.Admin, w.DB)
	w.must(err)
	w.currency = settings.Currency
	return w
}

// As returns the context of calls by somebody with the role; a member's external id says which member it is.
func (w *World) As(role actor.Role, externalID string) context.Context {
	return actor.With(w.t.Context(), actor.Actor{Caller: "test|" + externalID, Roles: []actor.Role{role}, ExternalID: externalID})
}

// Now is what the clock shows.
func (w *World) Now() time.Time { return w.Clock.Now() }

// Key returns a text that this World has not given before, for idempotency keys and external ids.
func (w *World) Key() string {
	return strconv.FormatInt(w.serial.Add(1), 10)
}

// Money is an amount in the program's currency.
func (w *World) Money(amount string) value.MoneyInput {
	return value.MoneyInput{Amount: value.Decimal(amount), Currency: w.currency}
}

// Ref names the member by its id.
func Ref(member *loyalty.Member) loyalty.MemberRef {
	return loyalty.MemberRef{ID: &member.ID}
}

// Balance is what the member owns now.
func (w *World) Balance(member *loyalty.Member) *loyalty.PointsBalance {
	w.t.Helper()
	balances, err := w.Service.Balances(w.Admin, []id.Member{member.ID}, nil)
	w.must(err)
	if balances[member.ID] == nil {
		w.t.Fatalf("member %s has no balance", member.ID)
	}
	return balances[member.ID]
}

// Standing is where the member stands now.
func (w *World) Standing(member *loyalty.Member) *loyalty.TierStanding {
	w.t.Helper()
	standings, err := w.Service.Standings(w.Admin, []id.Member{member.ID}, nil)
	w.must(err)
	if standings[member.ID] == nil {
		w.t.Fatalf("member %s has no standing", member.ID)
	}
	return standings[member.ID]
}

func (w *World) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

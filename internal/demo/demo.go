// Package demo builds the club that the program shows itself with: some hundred invented members, 18 months of purchases,
// returns and evenings at the shop, tiers and rules, events to come, and what members are told.
//
// The club is recorded the way a real one is, through packages loyalty and club and under a clock that goes through its history
// week by week. All of it follows from a seed and from the instant at which the club opened, and every fact has a key of
// its own. So a build that was stopped, by whatever, is started again and makes the same club: the member who came first
// tells when it opened, and the one who comes last that it is complete.
package demo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"regulars/care"
	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/reward"
)

const (
	weeks = 78
	week  = 7 * 24 * time.Hour
	seed  = 20
)

// State is what a database holds, as far as the demo club is concerned.
type State string

// The states of databases.
const (
	// Empty databases have a program and nothing else.
	Empty State = "EMPTY"
	// Unfinished is the demo club, part of it missing: its build was interrupted or is under way.
	Unfinished State = "UNFINISHED"
	// Finished is the demo club.
	Finished State = "FINISHED"
	// Other is a program of somebody's own.
	Other State = "OTHER"
)

// ErrOccupied is returned by Build for a database that holds anything already, be it the finished demo club.
var ErrOccupied = errors.New("the database holds members, rules or tiers already; the demo club needs an empty one")

// Look says what the database of service holds.
func Look(ctx context.Context, service *loyalty.Service) (State, error) {
	ctx = actor.With(ctx, actor.System("demo"))
	first, err := find(ctx, service, robin)
	if err != nil {
		return "", err
	}
	last, err := find(ctx, service, wren)
	switch {
	case err != nil:
		return "", err
	case first != nil && last != nil:
		return Finished, nil
	case first != nil:
		return Unfinished, nil
	}
	one := 1
	members, err := service.ListMembers(ctx, loyalty.MemberFilter{}, &one, nil)
	if err != nil {
		return "", err
	}
	rules, err := service.EarningRules(ctx, nil, &one, nil)
	if err != nil {
		return "", err
	}
	ladder, err := service.Tiers(ctx)
	if err != nil {
		return "", err
	}
	if len(members.Nodes) == 0 && len(rules.Nodes) == 0 && len(ladder) == 1 {
		return Empty, nil
	}
	return Other, nil
}

// find returns the member of the demo club with that external id; nil if there is none.
func find(ctx context.Context, service *loyalty.Service, externalID string) (*loyalty.Member, error) {
	found, err := service.Member(ctx, loyalty.MemberRef{ExternalID: &externalID})
	if err != nil || found == nil || found.Email == nil || *found.Email != email(externalID) {
		return nil, err
	}
	return found, nil
}

// Figures say how large the club is.
type Figures struct {
	Members   int
	Purchases int
	Returns   int
}

// Build builds the club in an empty database that has a program, or completes it in one where that was interrupted. Its
// history ends at the instant that the clock of db shows when it is begun. progress is told after each of the club's
// weeks how many are done. Of several builds at once one works and the others wait for it; they and whoever comes later
// get ErrOccupied. A program that starts later than the club's history is a program.SettingError.
func Build(ctx context.Context, db *postgres.DB, progress func(done, total int)) (Figures, error) {
	ctx = actor.With(ctx, actor.System("demo"))
	var figures Figures
	err := db.InTx(ctx, func(tx *postgres.Tx) error {
		// This transaction does nothing but hold the lock; the work has its own ones.
		if err := lockBuild(ctx, tx); err != nil {
			return err
		}
		clock := &clock{}
		past := db.WithClock(clock.now)
		service := loyalty.New(past)
		opening, err := openingOf(ctx, service, db.Now())
		if err != nil {
			return err
		}
		settings, err := program.Load(ctx, db)
		if err != nil {
			return err
		}
		if settings.StartsAt != nil && settings.StartsAt.After(opening) {
			return program.SettingError{Key: program.StartKey, Message: fmt.Sprintf(
				"is %s, which leaves no room for the demo club's 18 months; set REGULARS_DEMO=off", settings.StartsAt.Format(time.RFC3339))}
		}
		planned, err := newPlan(settings, opening)
		if err != nil {
			return err
		}
		figures = planned.figures()
		keys := identity.NewSigningKeys(past)
		building := &builder{
			service: service, rewards: reward.New(past, service), club: club.New(past, service, keys), care: care.New(past, service, keys, ""),
			clock: clock, plan: planned,
		}
		return building.build(ctx, progress)
	})
	return figures, err
}

// openingOf is when the club opened, or opens now that its history shall end at now.
func openingOf(ctx context.Context, service *loyalty.Service, now time.Time) (time.Time, error) {
	state, err := Look(ctx, service)
	if err != nil {
		return time.Time{}, err
	}
	switch state {
	case Empty:
		return now.UTC().Truncate(time.Minute).Add(-weeks * week), nil
	case Unfinished:
		first, err := find(ctx, service, robin)
		if err != nil {
			return time.Time{}, err
		}
		return first.JoinedAt, nil
	default:
		return time.Time{}, ErrOccupied
	}
}

// clock shows what the builder sets it to.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

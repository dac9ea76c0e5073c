// Package loyalty knows the members of a program, records what they do, and says what it earned them and where they
// stand.
//
// Every exported method of Service is one use case and one transaction, and asks first who is calling. What a caller
// can act on comes back as problems (package problem); an operation outside the caller's role is problem.Forbidden,
// and nobody who has not signed in gets further than problem.Unauthenticated.
package loyalty

import (
	"context"
	"sync/atomic"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/ratelimit"
)

// Service is the loyalty program of one database. It is safe for concurrent use.
type Service struct {
	db       *postgres.DB
	guesses  *ratelimit.Limiter // nil limits nobody
	tries    *ratelimit.Limiter // nil limits nobody
	compiled atomic.Pointer[rulebook]
}

// New returns the service over a migrated database that has a program.
func New(db *postgres.DB) *Service {
	return &Service{db: db}
}

// now is the instant of a reading, as transactions have theirs.
func (s *Service) now() time.Time {
	return s.db.Now().UTC().Truncate(time.Microsecond)
}

// sight is which members a caller may see.
type sight struct {
	all bool
	own id.Member
}

// Whoever has one of these may come across any member: by looking it up, or in the answer to what it may record. Only those
// who have one of personal are told who that is and how to reach it.
var (
	passing = []actor.Grant{
		actor.Support, actor.Admin, actor.MembersRead, actor.MembersWrite, actor.PurchasesWrite, actor.PurchasesPreview,
		actor.PointsRedeem, actor.PointsAdjust,
	}
	personal = []actor.Grant{actor.Support, actor.Admin, actor.MembersRead, actor.MembersWrite}
)

// sight finds out which members the caller may see: support, admins and machine clients that work with members all of them,
// a member itself, everybody else none.
func (s *Service) sight(ctx context.Context, q postgres.Runner, caller actor.Actor) (sight, error) {
	if !caller.Has(actor.Member) {
		return sight{all: caller.Has(passing...)}, nil
	}
	own, err := findByKeys(ctx, q, []memberKey{{Kind: byExternalID, Value: caller.ExternalID}})
	if err != nil {
		return sight{}, err
	}
	seen := sight{all: caller.Has(passing...)}
	if len(own) == 1 {
		seen.own = own[0].Member
	}
	return seen, nil
}

func (s sight) of(member id.Member) bool {
	return member != id.Member{} && (s.all || s.own == member)
}

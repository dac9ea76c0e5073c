package reward

import (
	"context"
	"strconv"
	"sync"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// viewers may see every member's redemptions.
var viewers = []actor.Grant{actor.Support, actor.Admin, actor.MembersRead, actor.PointsRedeem}

// visible returns those of the members whose redemptions the caller may see: viewers see all, a member its own.
func (s *Service) visible(ctx context.Context, wanted []id.Member) ([]id.Member, error) {
	caller, err := actor.Require(ctx)
	if err != nil || caller.Has(viewers...) {
		return wanted, err
	}
	own, err := s.loyalty.Viewer(ctx)
	if err != nil || own == nil {
		return nil, err
	}
	var seen []id.Member
	for _, member := range wanted {
		if member == own.ID {
			seen = append(seen, member)
		}
	}
	return seen, nil
}

// Redemptions lists the redemptions of those of the members that the caller may see, each one's newest first: support, admins,
// MembersRead and PointsRedeem see all members', a member its own. All lists are of the same page.
func (s *Service) Redemptions(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*RedemptionConnection, error) {
	members, err := s.visible(ctx, wanted)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(redemptionPages, first, after)
	if err != nil {
		return nil, err
	}
	var before int64
	if arguments.After != "" {
		if before, err = strconv.ParseInt(arguments.After, 10, 64); err != nil || before <= 0 {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	listed, err := selectListed(ctx, s.db, members, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	byMember := map[id.Member][]*Redemption{}
	for _, one := range listed {
		byMember[one.Member] = append(byMember[one.Member], one.at(s.now()))
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() (map[id.Member]int, error) { return countRedemptions(ctx, s.db, members) })
	pages := make(map[id.Member]*RedemptionConnection, len(members))
	for _, member := range members {
		pages[member] = page.New(redemptionPages, arguments, byMember[member],
			func(one *Redemption) string { return strconv.FormatInt(one.Sequence, 10) },
			func(context.Context) (int, error) {
				all, err := counts()
				return all[member], err
			})
	}
	return pages, nil
}

// Redemption returns a redemption by its id, nil if there is none or the caller may not see it.
func (s *Service) Redemption(ctx context.Context, wanted id.Redemption) (*Redemption, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	found, err := selectRedemptions(ctx, s.db, []id.Redemption{wanted})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	seen, err := s.visible(ctx, []id.Member{found[0].Member})
	if err != nil || len(seen) == 0 {
		return nil, err
	}
	return found[0].at(s.now()), nil
}

// Names says of the entries that paid for rewards what those were called then. It names nothing of a member, so whoever sees
// the entries may ask.
func (s *Service) Names(ctx context.Context, entries []id.Entry) (map[id.Entry]*string, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	return selectNames(ctx, s.db, entries)
}

package referral

import (
	"context"
	"net/url"
	"sync"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// Summary is what a member invites others with, and what has come of it.
type Summary struct {
	Member id.Member `db:"member_id"`
	Code   string    `db:"referral_code"`
	// Link leads to where people join, with the code.
	Link string `db:"-"`
	// Joined is how many have joined, whatever came of it; Rewarded of how many points stand.
	Joined   int `db:"joined"`
	Rewarded int `db:"rewarded"`
	// PointsEarned is what the member got for them, pending points included.
	PointsEarned int64 `db:"points_earned"`
}

// Owner returns the member who invites.
func (s *Summary) Owner() id.Member { return s.Member }

// viewers may see every referral; whoever is not of personal is not told whom it is about.
var (
	viewers  = []actor.Grant{actor.Marketer, actor.Support, actor.Admin, actor.MembersRead}
	personal = []actor.Grant{actor.Support, actor.Admin, actor.MembersRead}
)

// visible returns those of the members whose summaries the caller may see: support, admins and MembersRead see all, a member its
// own.
func (s *Service) visible(ctx context.Context, wanted []id.Member) (seen []id.Member, caller actor.Actor, err error) {
	if caller, err = actor.Require(ctx); err != nil || caller.Has(personal...) {
		return wanted, caller, err
	}
	own, err := s.loyalty.Viewer(ctx)
	if err != nil || own == nil {
		return nil, caller, err
	}
	for _, member := range wanted {
		if member == own.ID {
			seen = append(seen, member)
		}
	}
	return seen, caller, nil
}

// Summaries returns those of the members that the caller may see: support, admins and MembersRead see all, a member its own.
func (s *Service) Summaries(ctx context.Context, wanted []id.Member) (map[id.Member]*Summary, error) {
	members, _, err := s.visible(ctx, wanted)
	if err != nil {
		return nil, err
	}
	rows, err := selectSummaries(ctx, s.db, members)
	summaries := make(map[id.Member]*Summary, len(rows))
	for _, row := range rows {
		row.Link = s.publicURL + "/join?code=" + url.QueryEscape(row.Code)
		summaries[row.Member] = row
	}
	return summaries, err
}

const referralPages = "referral"

// before reads the id behind which a page begins.
func before(arguments page.Arguments) (id.Referral, error) {
	last := id.ParseReferral(arguments.After)
	if arguments.After != "" && last == (id.Referral{}) {
		return last, problem.BadUserInput("after is not a cursor of this list")
	}
	return last, nil
}

func key(one *Referral) string { return one.ID.String() }

// Lists lists the referrals of those of the members that the caller may see, as Summaries does, each one's newest first. All lists
// are of the same page.
func (s *Service) Lists(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*Connection, error) {
	members, caller, err := s.visible(ctx, wanted)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(referralPages, first, after)
	if err != nil {
		return nil, err
	}
	last, err := before(arguments)
	if err != nil {
		return nil, err
	}
	listed, err := selectOf(ctx, s.db, members, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	byMember := map[id.Member][]*Referral{}
	for _, one := range listed {
		byMember[one.Referrer] = append(byMember[one.Referrer], s.shown(caller, one))
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() ([]*Summary, error) { return selectSummaries(ctx, s.db, members) })
	pages := make(map[id.Member]*Connection, len(members))
	for _, member := range members {
		pages[member] = page.New(referralPages, arguments, byMember[member], key, func(context.Context) (int, error) {
			all, err := counts()
			for _, one := range all {
				if one.Member == member {
					return one.Joined, err
				}
			}
			return 0, err
		})
	}
	return pages, nil
}

// shown is the referral as far as the caller may see it.
func (s *Service) shown(caller actor.Actor, one *Referral) *Referral {
	if caller.Has(viewers...) {
		return one
	}
	return one.withhold()
}

// Referral returns a referral by its id, nil if there is none or the caller may not see it. Support, marketers, admins and
// MembersRead see all, a member those of whom it has invited.
func (s *Service) Referral(ctx context.Context, wanted id.Referral) (*Referral, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	found, err := selectReferral(ctx, s.db, wanted)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if caller.Has(viewers...) {
		return found[0], nil
	}
	seen, _, err := s.visible(ctx, []id.Member{found[0].Referrer})
	if err != nil || len(seen) == 0 {
		return nil, err
	}
	return found[0].withhold(), nil
}

// Referrals lists referrals, newest first; wanted, if any, narrows the list. UNDER_REVIEW are those that wait for somebody. For
// marketers, support and admins.
func (s *Service) Referrals(ctx context.Context, wanted []Status, first *int, after *string) (*Connection, error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(referralPages, first, after)
	if err != nil {
		return nil, err
	}
	last, err := before(arguments)
	if err != nil {
		return nil, err
	}
	if len(wanted) == 0 {
		wanted = statuses
	}
	list, err := selectList(ctx, s.db, wanted, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(referralPages, arguments, list, key, func(ctx context.Context) (int, error) { return countList(ctx, s.db, wanted) }), nil
}

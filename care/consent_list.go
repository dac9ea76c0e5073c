package care

import (
	"context"
	"slices"
	"strconv"
	"sync"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// The history of what members allow.
type (
	// ConsentConnection is a page of it.
	ConsentConnection = page.Connection[*Consent]
	// ConsentEdge is something that was said, in a page.
	ConsentEdge = page.Edge[*Consent]
)

const consentPages = "consent"

// sees returns those of the members of which the caller may see something: whoever has one of the grants all, a member itself.
func (s *Service) sees(ctx context.Context, wanted []id.Member, grants ...actor.Grant) ([]id.Member, error) {
	caller, err := actor.Require(ctx)
	if err != nil || caller.Has(grants...) {
		return wanted, err
	}
	viewer, err := s.loyalty.Viewer(ctx)
	if err != nil || viewer == nil || !slices.Contains(wanted, viewer.ID) {
		return nil, err
	}
	return []id.Member{viewer.ID}, nil
}

// Consents returns what members last said of each class and channel that needs their consent, by class and channel; a class and
// channel of which nothing was said is not allowed. Of those of the members that the caller may see: support, admins, MembersRead
// and MembersWrite see all, a member itself.
func (s *Service) Consents(ctx context.Context, wanted []id.Member) (map[id.Member]*[]*Consent, error) {
	members, err := s.sees(ctx, wanted, actor.Support, actor.Admin, actor.MembersRead, actor.MembersWrite)
	if err != nil {
		return nil, err
	}
	said, err := selectConsents(ctx, s.db, members)
	if err != nil {
		return nil, err
	}
	consents := make(map[id.Member]*[]*Consent, len(members))
	for _, member := range members {
		consents[member] = &[]*Consent{}
	}
	for i := range said {
		of := consents[said[i].Member]
		*of = append(*of, &said[i])
	}
	for _, of := range consents {
		slices.SortFunc(*of, byTopic)
	}
	return consents, nil
}

// ConsentHistories returns a page of all that was said of what members allow, newest first, of those of the members that the
// caller may see: support and admins see all, a member itself.
func (s *Service) ConsentHistories(ctx context.Context, wanted []id.Member, first *int, after *string) (map[id.Member]*ConsentConnection, error) {
	members, err := s.sees(ctx, wanted, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(consentPages, first, after)
	if err != nil {
		return nil, err
	}
	var before int64
	if arguments.After != "" {
		if before, err = strconv.ParseInt(arguments.After, 10, 64); err != nil || before <= 0 {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	said, err := listConsents(ctx, s.db, members, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	counts := sync.OnceValues(func() (map[id.Member]int, error) { return countConsents(ctx, s.db, members) })
	pages := make(map[id.Member]*ConsentConnection, len(members))
	for _, member := range members {
		pages[member] = page.New(consentPages, arguments, said[member],
			func(one *Consent) string { return strconv.FormatInt(one.Sequence, 10) },
			func(context.Context) (int, error) {
				all, err := counts()
				return all[member], err
			})
	}
	return pages, nil
}

// Consent returns something that was said of what a member allows, nil if it was not or the caller may not see it. Who sees which
// says ConsentHistories.
func (s *Service) Consent(ctx context.Context, wanted id.Consent) (*Consent, error) {
	members, err := s.sees(ctx, []id.Member{wanted.Member}, actor.Support, actor.Admin)
	if err != nil || len(members) == 0 {
		return nil, err
	}
	said, err := listConsents(ctx, s.db, members, wanted.Sequence+1, 1)
	if found := said[wanted.Member]; err == nil && len(found) > 0 && found[0].Sequence == wanted.Sequence {
		return found[0], nil
	}
	return nil, err
}

package loyalty

import (
	"context"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

// MemberFilter narrows a list of members; nil fields don't.
type MemberFilter struct {
	// Query is the beginning of a name, card number, e-mail address or phone number, in any case.
	Query  *string
	Status *MemberStatus
	TierID *id.Tier
}

const memberPages = "member"

// How many members one statement reads while a list by tier is gathered.
const listBatch = 1000

// ListMembers lists members in the order in which they enrolled. For support, admins and MembersRead.
func (s *Service) ListMembers(ctx context.Context, filter MemberFilter, first *int, after *string) (*page.Connection[*Member], error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.MembersRead)
	if err != nil {
		return nil, err
	}
	searches := 0
	if filter.Query != nil {
		searches = 1
	}
	if err := s.MayGuess(caller, searches); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(memberPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseMember(arguments.After)
	if arguments.After != "" && last == (id.Member{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	var members []*Member
	if err := s.eachMatch(ctx, filter, last, func(member *Member) bool {
		members = append(members, member)
		return len(members) <= arguments.Size
	}); err != nil {
		return nil, err
	}
	if len(members) == 0 {
		s.Charge(caller, searches)
	}
	return page.New(memberPages, arguments, members,
		func(member *Member) string { return member.ID.String() },
		func(ctx context.Context) (int, error) { return s.countMembers(ctx, filter) }), nil
}

// eachMatch visits the members that the filter lets through, in order, behind the one given, while visit wants more.
func (s *Service) eachMatch(ctx context.Context, filter MemberFilter, after id.Member, visit func(*Member) bool) error {
	batch := page.MaximumSize + 1
	for {
		var members []*Member
		var passes map[id.Member]bool
		if err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
			var err error
			if members, err = selectMatching(ctx, tx, filter, after, batch); err != nil {
				return err
			}
			passes, err = s.inTier(ctx, tx, filter.TierID, members)
			return err
		}); err != nil {
			return err
		}
		for _, member := range members {
			if passes[member.ID] && !visit(member) {
				return nil
			}
		}
		if len(members) < batch {
			return nil
		}
		after, batch = members[len(members)-1].ID, listBatch
	}
}

// inTier tells which members hold the tier now; without a tier, all do. Tiers that ran out and were not posted yet are
// decided here, since the accounts still have them.
func (s *Service) inTier(ctx context.Context, tx *postgres.Tx, tier *id.Tier, members []*Member) (map[id.Member]bool, error) {
	passes := make(map[id.Member]bool, len(members))
	wanted := make([]id.Member, len(members))
	for i, member := range members {
		passes[member.ID] = tier == nil
		wanted[i] = member.ID
	}
	if tier == nil {
		return passes, nil
	}
	book, err := s.rulebook(ctx, tx)
	if err != nil {
		return nil, err
	}
	accounts, err := ledger.AccountsTx(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	book.distrust(accounts, func(account *ledger.Account) time.Time { return account.RecordedAt })
	held, err := review(ctx, tx, book, accounts, func(id.Member) time.Time { return tx.Now }, nil)
	if err != nil {
		return nil, err
	}
	for member, standing := range held {
		passes[member] = standing.Tier.ID == *tier
	}
	return passes, nil
}

func (s *Service) countMembers(ctx context.Context, filter MemberFilter) (int, error) {
	if filter.TierID == nil {
		return countMatching(ctx, s.db, filter)
	}
	total := 0
	err := s.eachMatch(ctx, filter, id.Member{}, func(*Member) bool {
		total++
		return true
	})
	return total, err
}

// prefixes are what the beginning of an identifier and of a name is compared with.
func (f MemberFilter) prefixes() (identifier, name *string) {
	if f.Query == nil {
		return nil, nil
	}
	// PostgreSQL keeps no text with a null, and nothing begins with the character in its place.
	lower := strings.ToLower(strings.TrimSpace(strings.ReplaceAll(*f.Query, "\x00", "\uFFFD")))
	plain := lower
	if strings.Trim(lower, "0123456789 -+") == "" {
		plain = strings.NewReplacer(" ", "", "-", "").Replace(lower)
	}
	return &plain, &lower
}

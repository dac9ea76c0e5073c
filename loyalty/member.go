package loyalty

import (
	"context"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// MemberStatus says what a member may do.
type MemberStatus string

// The statuses of members.
const (
	Active MemberStatus = "ACTIVE"
	// Suspended members earn and cannot spend.
	Suspended MemberStatus = "SUSPENDED"
)

// Member is a person enrolled in the program.
type Member struct {
	ID id.Member `db:"id"`
	// Number stands on the card: 12 digits, the last one checks the others.
	Number      string           `db:"number"`
	ExternalID  *string          `db:"external_id"`
	Status      MemberStatus     `db:"status"`
	DisplayName *string          `db:"display_name"`
	Email       *string          `db:"email"`
	Phone       *string          `db:"phone"`
	BirthDate   *value.Date      `db:"birth_date"`
	Locale      string           `db:"locale"`
	TimeZone    string           `db:"time_zone"`
	JoinedAt    time.Time        `db:"joined_at"`
	Attributes  value.Attributes `db:"attributes"`
	// ReferralCode is what the member gives to those it invites.
	ReferralCode string `db:"referral_code"`
	// ReferredBy is who invited the member, nil: nobody said so. What it buys before ReferralUntil counts for that, nil: nothing
	// does.
	ReferredBy    *id.Member `db:"referred_by"`
	ReferralUntil *time.Time `db:"referral_until"`
}

// IsNode marks the member as one of the API's nodes.
func (Member) IsNode() {}

// Owner returns the member itself.
func (m *Member) Owner() id.Member { return m.ID }

// withhold leaves of the member what a receipt shows: not what others know it by, and nothing to reach it with.
func (m *Member) withhold() {
	m.ExternalID, m.Email, m.Phone, m.BirthDate, m.Attributes = nil, nil, nil, nil, nil
	m.ReferralCode, m.ReferredBy, m.ReferralUntil = "", nil, nil
}

// MemberRef names a member by exactly one of its identifiers.
type MemberRef struct {
	ID         *id.Member
	Number     *string
	ExternalID *string
	Email      *string
	Phone      *string
}

// keyKind says by what a member is found.
type keyKind string

const (
	byID         keyKind = "ID"
	byNumber     keyKind = "NUMBER"
	byExternalID keyKind = "EXTERNAL_ID"
	byEmail      keyKind = "EMAIL"
	byPhone      keyKind = "PHONE"
	byReferral   keyKind = "REFERRAL_CODE"
)

// memberKey is one identifier of a member in the form in which it is compared.
type memberKey struct {
	Kind   keyKind   `db:"kind"`
	Value  string    `db:"value"`
	Member id.Member `db:"member_id"`
}

func (r MemberRef) key() memberKey {
	key := r.named()
	if strings.ContainsRune(key.Value, 0) {
		// PostgreSQL keeps no such text, so nobody is known by it.
		return memberKey{}
	}
	return key
}

func (r MemberRef) named() memberKey {
	switch {
	case r.ID != nil:
		return memberKey{Kind: byID, Value: r.ID.String()}
	case r.Number != nil:
		return memberKey{Kind: byNumber, Value: strings.NewReplacer(" ", "", "-", "").Replace(*r.Number)}
	case r.ExternalID != nil:
		return memberKey{Kind: byExternalID, Value: *r.ExternalID}
	case r.Email != nil:
		return memberKey{Kind: byEmail, Value: emailKey(*r.Email)}
	case r.Phone != nil:
		return memberKey{Kind: byPhone, Value: *r.Phone}
	}
	return memberKey{}
}

// emailKey is an e-mail address as it is compared.
func emailKey(email string) string {
	return strings.ToLower(strings.TrimSpace(email))
}

// resolve finds the members that refs name, in their order; the zero id for those that name none. Whatever refs hold, it
// runs the same statement.
func resolve(ctx context.Context, q postgres.Runner, refs []MemberRef) ([]id.Member, error) {
	keys := make([]memberKey, len(refs))
	for i, ref := range refs {
		keys[i] = ref.key()
	}
	found, err := findByKeys(ctx, q, keys)
	if err != nil {
		return nil, err
	}
	byKey := make(map[memberKey]id.Member, len(found))
	for _, one := range found {
		byKey[memberKey{Kind: one.Kind, Value: one.Value}] = one.Member
	}
	members := make([]id.Member, len(refs))
	for i, key := range keys {
		members[i] = byKey[key]
	}
	return members, nil
}

// Member finds the member that ref names. Support, admins and MembersRead see every member, and organizers none; for those,
// and for a ref that names nobody, it returns nil. It returns problem.Forbidden to members, who look at themselves through
// Viewer, and to everybody else.
func (s *Service) Member(ctx context.Context, ref MemberRef) (*Member, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Support, actor.Admin, actor.MembersRead)
	if err != nil {
		return nil, err
	}
	refs := []MemberRef{ref}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	found, err := resolve(ctx, s.db, refs)
	if err != nil {
		return nil, err
	}
	members, err := s.visibleMembers(ctx, caller, found)
	if err != nil {
		return nil, err
	}
	if members[found[0]] == nil {
		// A member that is there and cannot be seen costs as much as none, or the costs would tell.
		found[0] = id.Member{}
	}
	s.guessed(caller, refs, found)
	return members[found[0]], nil
}

// FindMembers finds the members that refs name, in their order; the zero id for those that name nobody. For support and
// admins.
func (s *Service) FindMembers(ctx context.Context, refs []MemberRef) ([]id.Member, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	found, err := resolve(ctx, s.db, refs)
	if err == nil {
		s.guessed(caller, refs, found)
	}
	return found, err
}

// Viewer returns the member that the caller is, nil if it is none or has not enrolled.
func (s *Service) Viewer(ctx context.Context) (*Member, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	members, err := s.visibleMembers(ctx, caller, []id.Member{seen.own})
	if err != nil {
		return nil, err
	}
	return members[seen.own], nil
}

// Members returns those of the members that exist and that the caller may see, as far as it may see them.
func (s *Service) Members(ctx context.Context, wanted []id.Member) (map[id.Member]*Member, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	return s.visibleMembers(ctx, caller, wanted)
}

func (s *Service) visibleMembers(ctx context.Context, caller actor.Actor, wanted []id.Member) (map[id.Member]*Member, error) {
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	rows, err := selectMembers(ctx, s.db, wanted)
	if err != nil {
		return nil, err
	}
	members := make(map[id.Member]*Member, len(rows))
	for i := range rows {
		if seen.of(rows[i].ID) {
			if !caller.Has(personal...) && rows[i].ID != seen.own {
				rows[i].withhold()
			}
			members[rows[i].ID] = &rows[i]
		}
	}
	return members, nil
}

func unknownMember(path ...string) problem.InputError {
	return problem.At(problem.UnknownMember, path, "There is no such member.")
}

package graph

import (
	"context"

	"regulars/graph/generated"
	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/referral"
)

func referralPayload(one *referral.Referral, err error) (*generated.ReferralPayload, error) {
	problems, err := refused(err)
	return &generated.ReferralPayload{Referral: one, UserErrors: problems}, err
}

func householdPayload(one *referral.Household, err error) (*generated.HouseholdPayload, error) {
	problems, err := refused(err)
	return &generated.HouseholdPayload{Household: one, UserErrors: problems}, err
}

// ids reads ids of members; what is none becomes the zero id, which nobody has.
func ids(texts []string) []id.Member {
	members := make([]id.Member, len(texts))
	for i, text := range texts {
		members[i] = id.ParseMember(text)
	}
	return members
}

// invited is a page of the referrals of a member.
func (l *loaders) invited(ctx context.Context, member id.Member, first *int, after *string) (*referral.Connection, error) {
	return l.referred.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*referral.Connection, error) {
		return l.referrals.Lists(ctx, members, first, after)
	})
}

// all are members in the order in which they are asked for.
func (l *loaders) all(ctx context.Context, wanted []id.Member) ([]*loyalty.Member, error) {
	return l.members.LoadAll(ctx, wanted)
}

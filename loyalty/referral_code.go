package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// A referral code is 9 random characters, 43 bits, and one that checks them: short enough to be told at a table, and too many
// to be tried out by who pays for each that leads to nobody.
const referralCodeLength = 10

func newReferralCode() string { return value.NewCode(referralCodeLength) }

func unknownReferralCode(path ...string) problem.InputError {
	return problem.At(problem.UnknownReferralCode, path, "No member has this referral code.")
}

// referralGuesses are how many guesses looking up the codes of inputs may cost.
func referralGuesses(inputs []EnrollMemberInput) int {
	count := 0
	for _, input := range inputs {
		if input.ReferralCode == nil {
			continue
		}
		if _, ok := value.ParseCode(*input.ReferralCode, referralCodeLength); ok {
			count++
		}
	}
	return count
}

// findReferrers finds who has the codes that open candidates have given, and refuses those whose code nobody has: missed
// counts them.
func findReferrers(ctx context.Context, tx *postgres.Tx, book *rulebook, candidates []*candidate) (missed int, err error) {
	var asking []*candidate
	var codes []string
	for _, one := range candidates {
		if one.open() && one.code != "" {
			asking, codes = append(asking, one), append(codes, one.code)
		}
	}
	if len(asking) == 0 {
		return 0, nil
	}
	referrers, err := membersOfCodes(ctx, tx, codes)
	if err != nil {
		return 0, err
	}
	for _, one := range asking {
		referrer, ok := referrers[one.code]
		if !ok {
			one.problems = append(one.problems, unknownReferralCode("referralCode"))
			missed++
			continue
		}
		one.policy = one.member.refer(referrer, book)
	}
	return missed, nil
}

// membersOfCodes finds who has codes, in the form in which they are kept.
func membersOfCodes(ctx context.Context, q postgres.Runner, codes []string) (map[string]id.Member, error) {
	keys := make([]memberKey, len(codes))
	for i, code := range codes {
		keys[i] = memberKey{Kind: byReferral, Value: code}
	}
	found, err := findByKeys(ctx, q, keys)
	if err != nil {
		return nil, fmt.Errorf("look up referral codes: %w", err)
	}
	members := make(map[string]id.Member, len(found))
	for _, one := range found {
		members[one.Value] = one.Member
	}
	return members, nil
}

// refer notes who invited the member and until when what it buys counts for that, by the policy of when it joined, whose
// version comes back; nil: there was none.
func (m *Member) refer(referrer id.Member, book *rulebook) *int {
	m.ReferredBy = &referrer
	policy := book.referralsAt(m.JoinedAt)
	if policy == nil {
		return nil
	}
	until := policy.Within.After(m.JoinedAt, book.zone)
	m.ReferralUntil = &until
	return &policy.Version
}

// referred is the notice that the member was referred at an instant.
func (m *Member) referred(at time.Time, policy *int) outbox.Notice {
	return outbox.Notice{Member: m.ID, Payload: outbox.MemberReferred{Referrer: *m.ReferredBy, ReferredAt: at, Policy: policy}}
}

// tellReferred tells of the members that were just enrolled and referred.
func tellReferred(ctx context.Context, tx *postgres.Tx, candidates []*candidate) error {
	var notices []outbox.Notice
	for _, one := range candidates {
		if one.open() && one.member.ReferredBy != nil {
			notices = append(notices, one.member.referred(tx.Now, one.policy))
		}
	}
	return outbox.PutTx(ctx, tx, notices)
}

// tellReferrals tells of what was bought, and came back, while it counts for a referral: of nobody else.
func (d *decisions) tellReferrals(ctx context.Context, tx *postgres.Tx, entered []*fact) error {
	var notices []outbox.Notice
	for _, one := range entered {
		until, activity := d.members[one.member].ReferralUntil, one.recorded.Activity
		switch {
		case until == nil:
		case one.kind == typePurchase && one.occurredAt.Before(*until):
			notices = append(notices, outbox.Notice{Member: one.member, Payload: outbox.ReferredPurchased{
				Purchase: activity.Sequence, OccurredAt: one.occurredAt,
			}})
		case one.returning != nil && d.purchases[one.returning.purchase].OccurredAt.Before(*until):
			notices = append(notices, outbox.Notice{Member: one.member, Payload: outbox.ReferredReturned{
				Return: activity.Sequence, Purchase: *activity.PurchaseSequence, OccurredAt: one.occurredAt,
			}})
		}
	}
	return outbox.PutTx(ctx, tx, notices)
}

package loyalty

import (
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// candidate is an enrollment on its way: refused as soon as it has problems.
type candidate struct {
	input  EnrollMemberInput
	member *Member
	// locale and zone are what was given beside the program's own.
	locale, zone string
	// code is the referral code that was given, as it is kept; policy the version of the referral policy of when it joined.
	code     string
	policy   *int
	problems problem.Problems
	// claiming tells that its input was good enough to claim keys with.
	claiming bool
	replayed bool
	// first is, of a replay, the member enrolled the first time.
	first id.Member
}

func (c *candidate) open() bool { return len(c.problems) == 0 && !c.replayed }

func newCandidate(input EnrollMemberInput, book *rulebook, now time.Time) *candidate {
	made := &candidate{input: input, member: &Member{
		ID: id.New[id.Member](), Status: Active,
		ExternalID: input.ExternalID, DisplayName: input.DisplayName, Email: input.Email, Phone: input.Phone,
		BirthDate: input.BirthDate, Locale: book.DefaultLocale, TimeZone: book.TimeZone, JoinedAt: now,
		Attributes: value.Attributes{},
	}}
	idempotency.Check(&made.problems, input.IdempotencyKey)
	if input.Locale != nil {
		made.member.Locale = *input.Locale
	}
	if input.TimeZone != nil {
		made.member.TimeZone = *input.TimeZone
	}
	if input.JoinedAt != nil {
		made.member.JoinedAt = *input.JoinedAt
		if input.JoinedAt.After(now.Add(futureTolerance)) {
			made.problems.Add(problem.InvalidDate, []string{"joinedAt"}, "Nobody can have joined in the future.")
		}
	}
	made.member.normalize(&made.problems, now)
	if input.ReferralCode != nil {
		var ok bool
		if made.code, ok = value.ParseCode(*input.ReferralCode, referralCodeLength); !ok {
			made.problems = append(made.problems, unknownReferralCode("referralCode"))
		}
	}
	if made.member.Locale != book.DefaultLocale {
		made.locale = made.member.Locale
	}
	if made.member.TimeZone != book.TimeZone {
		made.zone = made.member.TimeZone
	}
	return made
}

func claimEnrollments(ctx context.Context, tx *postgres.Tx, caller actor.Actor, candidates []*candidate) error {
	var asking []*candidate
	var requests []idempotency.Request
	var made []id.Member
	for _, one := range candidates {
		if one.claiming = one.open(); one.claiming {
			asking = append(asking, one)
			requests = append(requests, enrollRequest(caller, one))
			made = append(made, one.member.ID)
		}
	}
	claims, err := idempotency.Claim(ctx, tx, requests, made)
	if err != nil {
		return err
	}
	for i, claim := range claims {
		asking[i].replayed, asking[i].first = claim.Replayed, claim.Made
		if claim.Problem != nil {
			asking[i].problems = append(asking[i].problems, claim.Problem)
		}
	}
	return nil
}

func enrollRequest(caller actor.Actor, one *candidate) idempotency.Request {
	normalized := *one.member
	joinedAt := one.input.JoinedAt
	if joinedAt != nil {
		joinedAt = &normalized.JoinedAt
	}
	input := map[string]any{
		"externalId": normalized.ExternalID, "displayName": normalized.DisplayName, "email": normalized.Email,
		"phone": normalized.Phone, "birthDate": normalized.BirthDate, "locale": one.locale, "timeZone": one.zone,
		"joinedAt": joinedAt,
	}
	// What was remembered before there were codes has no word of them.
	if one.code != "" {
		input["referralCode"] = one.code
	}
	return idempotency.Request{Caller: caller.Caller, Operation: "enrollMember", Key: one.input.IdempotencyKey, Input: input}
}

func claimIdentifiers(ctx context.Context, tx *postgres.Tx, candidates []*candidate) error {
	var wanted []memberKey
	for _, one := range candidates {
		if one.open() {
			wanted = append(wanted, one.member.keys()...)
		}
	}
	got, err := claimKeys(ctx, tx, wanted)
	if err != nil {
		return err
	}
	for _, one := range candidates {
		if !one.open() {
			continue
		}
		for _, key := range one.member.keys() {
			if !slices.Contains(got[key.Member], key) {
				one.problems = append(one.problems, key.taken())
			}
		}
	}
	return nil
}

// giveKeys draws identifiers of a kind, which lie at where, until each candidate has one that nobody else has.
func giveKeys(ctx context.Context, tx *postgres.Tx, candidates []*candidate, kind keyKind, draw func() string, where func(*Member) *string) error {
	waiting := slices.Clone(candidates)
	for {
		waiting = slices.DeleteFunc(waiting, func(one *candidate) bool { return !one.open() || *where(one.member) != "" })
		if len(waiting) == 0 {
			return nil
		}
		wanted := make([]memberKey, len(waiting))
		for i, one := range waiting {
			wanted[i] = memberKey{Kind: kind, Value: draw(), Member: one.member.ID}
		}
		got, err := claimKeys(ctx, tx, wanted)
		if err != nil {
			return err
		}
		for _, one := range waiting {
			for _, key := range got[one.member.ID] {
				*where(one.member) = key.Value
			}
		}
	}
}

// releaseRefused gives back what candidates had claimed that were refused after it: a refusal burns nothing.
func releaseRefused(ctx context.Context, tx *postgres.Tx, caller actor.Actor, candidates []*candidate) error {
	var keys []memberKey
	var requests []idempotency.Request
	var made []id.Member
	for _, one := range candidates {
		if one.claiming && len(one.problems) > 0 {
			keys = append(keys, one.member.keys()...)
			requests = append(requests, enrollRequest(caller, one))
			made = append(made, one.member.ID)
		}
	}
	if err := releaseKeys(ctx, tx, keys); err != nil {
		return err
	}
	return idempotency.Release(ctx, tx, requests, made)
}

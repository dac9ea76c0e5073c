package reward

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/tiers"
)

// Redeemability says whether the viewing member can have a reward now.
type Redeemability struct {
	Can bool
	// Code and Reason say why not, Reason as a sentence that a member understands; nil if it can.
	Code   *problem.Code
	Reason *string
	// Missing is how many points are missing, or how many qualifying points for the tier; nil: neither is what is wrong.
	Missing *int64
}

// buyer is what of a member decides whether it can have a reward.
type buyer struct {
	suspended bool
	tier      tiers.Tier
	available int64
	// had is how many of the reward the member has had, canceled ones aside.
	had int
	// qualifying counts towards tiers.
	qualifying int64
}

// refusal is why a reward cannot be had.
type refusal struct {
	code    problem.Code
	reason  string
	missing *int64
}

// judge says why the reward cannot be had at t; nil: it can. Without a buyer it says so of the reward alone. Redeeming and
// telling beforehand both ask here.
func (r *Reward) judge(who *buyer, ladder tiers.Ladder, t time.Time, zone *time.Location) *refusal {
	refuse := func(code problem.Code, format string, arguments ...any) *refusal {
		return &refusal{code: code, reason: fmt.Sprintf(format, arguments...)}
	}
	const day = "2 January 2006, 15:04"
	switch {
	case r.ArchivedAt != nil:
		return refuse(problem.NotAvailable, "This reward is not offered any more.")
	case r.AvailableFrom != nil && t.Before(*r.AvailableFrom):
		return refuse(problem.NotAvailable, "This reward can be had from %s on.", r.AvailableFrom.In(zone).Format(day))
	case r.AvailableUntil != nil && !t.Before(*r.AvailableUntil):
		return refuse(problem.NotAvailable, "This reward could be had until %s.", r.AvailableUntil.In(zone).Format(day))
	case r.Stock != nil && *r.Stock == 0:
		return soldOut()
	case who == nil:
		return nil
	case who.suspended:
		return refuse(problem.MemberSuspended, "The membership is suspended: it earns points and cannot spend them.")
	}
	if r.MinTierID != nil {
		least, ok := ladder.Tier(*r.MinTierID)
		if !ok {
			return refuse(problem.TierTooLow, "This reward is for a tier that is no more.")
		}
		if who.tier.Rank < least.Rank {
			refused := refuse(problem.TierTooLow, "This reward is for %s and above.", least.Name)
			missing := tiers.Missing(least, who.qualifying)
			refused.missing = &missing
			return refused
		}
	}
	switch {
	case r.PerMemberLimit != nil && who.had >= *r.PerMemberLimit:
		return refuse(problem.LimitReached, "Each member can have this reward only so often: the limit of %d is reached.", *r.PerMemberLimit)
	case who.available < r.Cost:
		missing := r.Cost - who.available
		refused := refuse(problem.InsufficientPoints, "This reward costs %s; still missing: %s.", points(r.Cost), points(missing))
		refused.missing = &missing
		return refused
	}
	return nil
}

func soldOut() *refusal {
	return &refusal{code: problem.RewardSoldOut, reason: "Nothing is left of this reward."}
}

// problem is the refusal as it is answered to who wanted to redeem.
func (r *refusal) problem(cost, available int64) error {
	if r.code == problem.InsufficientPoints {
		return problem.InsufficientPointsError{
			Code: r.code, Message: r.reason, Path: []string{"input", "rewardId"}, Required: cost, Available: available,
		}
	}
	return problem.At(r.code, []string{"rewardId"}, "%s", r.reason)
}

// Redeemabilities says of each reward whether the viewing member can have it now. Whoever is no member is told whether anybody
// can; whoever has no membership yet cannot. For everybody who has signed in.
func (s *Service) Redeemabilities(ctx context.Context, rewards []*Reward) (map[*Reward]*Redeemability, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	ladder, zone, err := s.settings(ctx)
	if err != nil {
		return nil, err
	}
	var member *loyalty.Member
	if caller.Has(actor.Member) {
		if member, err = s.loyalty.Viewer(ctx); err != nil {
			return nil, err
		}
	}
	var who *buyer
	had := map[id.Reward]int{}
	if member != nil {
		if who, err = s.buyer(ctx, member); err != nil {
			return nil, err
		}
		if had, err = selectHad(ctx, s.db, member.ID, rewards); err != nil {
			return nil, err
		}
	}
	now := s.now()
	answers := make(map[*Reward]*Redeemability, len(rewards))
	for _, one := range rewards {
		if who != nil {
			who.had = had[one.ID]
		}
		refused := one.judge(who, ladder, now, zone)
		if refused == nil && member == nil && caller.Has(actor.Member) {
			refused = &refusal{code: problem.UnknownMember, reason: "Join the program first."}
		}
		answers[one] = &Redeemability{Can: refused == nil}
		if refused != nil {
			answers[one].Code, answers[one].Reason, answers[one].Missing = &refused.code, &refused.reason, refused.missing
		}
	}
	return answers, nil
}

// buyer reads what decides about the viewing member.
func (s *Service) buyer(ctx context.Context, member *loyalty.Member) (*buyer, error) {
	members := []id.Member{member.ID}
	balances, err := s.loyalty.Balances(ctx, members, nil)
	if err != nil {
		return nil, err
	}
	standings, err := s.loyalty.Standings(ctx, members, nil)
	if err != nil {
		return nil, err
	}
	made := &buyer{suspended: member.Status != loyalty.Active}
	if balance := balances[member.ID]; balance != nil {
		made.available = balance.Available
	}
	if standing := standings[member.ID]; standing != nil {
		made.tier, made.qualifying = standing.Tier, standing.QualifyingPoints
	}
	return made, nil
}

func (s *Service) settings(ctx context.Context) (tiers.Ladder, *time.Location, error) {
	explainer, err := s.loyalty.Explainer(ctx)
	if err != nil {
		return tiers.Ladder{}, nil, err
	}
	return explainer.Ladder(), explainer.Zone(), nil
}

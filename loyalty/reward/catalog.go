package reward

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// The lists of the API.
type (
	// Connection is a page of rewards.
	Connection = page.Connection[*Reward]
	// Edge is a reward in a page.
	Edge = page.Edge[*Reward]
	// RedemptionConnection is a page of a member's redemptions.
	RedemptionConnection = page.Connection[*Redemption]
	// RedemptionEdge is a redemption in a page.
	RedemptionEdge = page.Edge[*Redemption]
)

// Filter narrows a list of rewards.
type Filter struct {
	// RedeemableOnly leaves those that the caller can have now; of a caller that is no member, those that anybody can.
	RedeemableOnly bool
	// Kind is nil for all.
	Kind *Kind
	// Archived lists the archived ones instead of the others.
	Archived bool
}

const (
	rewardPages     = "reward"
	redemptionPages = "redemption"
)

// How many rewards one statement reads while those that can be had are gathered.
const listBatch = 200

// Rewards lists the catalog, oldest first. For every role, ProgramRead and PointsRedeem.
func (s *Service) Rewards(ctx context.Context, filter Filter, first *int, after *string) (*Connection, error) {
	if _, err := actor.Require(ctx, actor.Member, actor.Organizer, actor.Marketer, actor.Support, actor.Admin,
		actor.ProgramRead, actor.PointsRedeem); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(rewardPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseReward(arguments.After)
	if arguments.After != "" && last == (id.Reward{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	var listed []*Reward
	if err := s.each(ctx, filter, last, page.MaximumSize+1, func(one *Reward) bool {
		listed = append(listed, one)
		return len(listed) <= arguments.Size
	}); err != nil {
		return nil, err
	}
	return page.New(rewardPages, arguments, listed, func(one *Reward) string { return one.ID.String() },
		func(ctx context.Context) (int, error) {
			total := 0
			err := s.each(ctx, filter, id.Reward{}, listBatch, func(*Reward) bool { total++; return true })
			return total, err
		}), nil
}

// each visits the rewards that the filter lets through, in order, behind the one given, while visit wants more.
func (s *Service) each(ctx context.Context, filter Filter, after id.Reward, batch int, visit func(*Reward) bool) error {
	for {
		rewards, err := selectMatching(ctx, s.db, filter, after, batch)
		if err != nil {
			return err
		}
		var answers map[*Reward]*Redeemability
		if filter.RedeemableOnly {
			if answers, err = s.Redeemabilities(ctx, rewards); err != nil {
				return err
			}
		}
		for _, one := range rewards {
			if answers != nil && !answers[one].Can {
				continue
			}
			if !visit(one) {
				return nil
			}
		}
		if len(rewards) < batch {
			return nil
		}
		after = rewards[len(rewards)-1].ID
	}
}

// RewardsByID returns those of the rewards that exist, archived ones too. For everybody who has signed in.
func (s *Service) RewardsByID(ctx context.Context, wanted []id.Reward) (map[id.Reward]*Reward, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	rewards, err := selectRewards(ctx, s.db, wanted)
	found := make(map[id.Reward]*Reward, len(rewards))
	for _, one := range rewards {
		found[one.ID] = one
	}
	return found, err
}

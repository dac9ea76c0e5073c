package demo

import (
	"context"
	"fmt"
	"slices"

	"regulars/internal/value"
	"regulars/loyalty/reward"
	"regulars/loyalty/tiers"
)

// catalog is what the club gives for points, the last one from Silver up.
var catalog = []reward.CreateRewardInput{
	{Name: "A coffee", Kind: reward.Voucher, Cost: 50, VoucherValidFor: &value.Period{Months: 3}},
	{Name: "A club mug", Kind: reward.Product, Cost: 200, Stock: number(40), PerMemberLimit: number(2)},
	{Name: "An evening with the roaster", Kind: reward.Experience, Cost: 500, Stock: number(12), PerMemberLimit: number(1)},
}

func number(of int) *int { return &of }

// offer adds what is missing of the catalog.
func (b *builder) offer(ctx context.Context) error {
	there, err := b.rewards.Rewards(ctx, reward.Filter{}, nil, nil)
	if err != nil {
		return err
	}
	steps, err := b.service.Tiers(ctx)
	if err != nil {
		return err
	}
	silver := slices.IndexFunc(steps, func(tier tiers.Tier) bool { return tier.Name == ladder[0].Name })
	for _, wanted := range catalog {
		if slices.ContainsFunc(there.Nodes, func(one *reward.Reward) bool { return one.Name == wanted.Name }) {
			continue
		}
		if wanted.Kind == reward.Experience {
			wanted.MinTierID = &steps[silver].ID
		}
		if _, err := b.rewards.CreateReward(ctx, wanted); err != nil {
			return fmt.Errorf("reward %q: %w", wanted.Name, err)
		}
	}
	return nil
}

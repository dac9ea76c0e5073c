package graph

import (
	"context"

	"regulars/graph/generated"
	"regulars/internal/id"
	"regulars/loyalty/ledger"
	"regulars/loyalty/reward"
	"regulars/loyalty/tiers"
)

func rewardPayload(one *reward.Reward, err error) (*generated.RewardPayload, error) {
	problems, err := refused(err)
	return &generated.RewardPayload{Reward: one, UserErrors: problems}, err
}

func redeemPayload(ctx context.Context, answer *reward.Answer, err error) (*generated.RedeemRewardPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.RedeemRewardPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, answer.Redemption.Member)
	return &generated.RedeemRewardPayload{Redemption: answer.Redemption, Member: member, Replayed: &answer.Replayed}, err
}

func cancelPayload(ctx context.Context, answer *reward.Answer, err error) (*generated.CancelRedemptionPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.CancelRedemptionPayload{UserErrors: problems}, err
	}
	member, err := load(ctx).members.Load(ctx, answer.Redemption.Member)
	return &generated.CancelRedemptionPayload{Redemption: answer.Redemption, Member: member, Replayed: &answer.Replayed}, err
}

func usePayload(answer *reward.Answer, err error) (*generated.UseVoucherPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.UseVoucherPayload{UserErrors: problems}, err
	}
	return &generated.UseVoucherPayload{Redemption: answer.Redemption, Replayed: &answer.Replayed}, nil
}

func rewardFilter(filter *generated.RewardFilter) reward.Filter {
	if filter == nil {
		return reward.Filter{}
	}
	return reward.Filter{
		RedeemableOnly: orFalse(filter.RedeemableOnly.Value()), Kind: filter.Kind.Value(), Archived: orFalse(filter.Archived.Value()),
	}
}

func orFalse(flag *bool) bool { return flag != nil && *flag }

// rewardEdit is what an input changes of a reward: fields that it leaves out stay, null clears; what a reward must have and
// is cleared is refused.
func rewardEdit(input generated.UpdateRewardInput) reward.Edit {
	return func(changed *reward.Reward) {
		if name, ok := input.Name.ValueOK(); ok {
			changed.Name = orEmpty(name)
		}
		if cost, ok := input.Cost.ValueOK(); ok {
			changed.Cost = 0
			if cost != nil {
				changed.Cost = *cost
			}
		}
		if stock, ok := input.Stock.ValueOK(); ok {
			changed.Stock = stock
		}
		if limit, ok := input.PerMemberLimit.ValueOK(); ok {
			changed.PerMemberLimit = limit
		}
		if tier, ok := input.MinTierID.ValueOK(); ok {
			changed.MinTierID = nil
			if tier != nil {
				wanted := id.ParseTier(*tier)
				changed.MinTierID = &wanted
			}
		}
		if from, ok := input.AvailableFrom.ValueOK(); ok {
			changed.AvailableFrom = from
		}
		if until, ok := input.AvailableUntil.ValueOK(); ok {
			changed.AvailableUntil = until
		}
		if valid, ok := input.VoucherValidFor.ValueOK(); ok {
			changed.VoucherValidFor = valid
		}
	}
}

// redeemed is a page of a member's redemptions.
func (l *loaders) redeemed(ctx context.Context, member id.Member, first *int, after *string) (*reward.RedemptionConnection, error) {
	return l.redemptions.load(ctx, member, []any{first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*reward.RedemptionConnection, error) {
		return l.catalog.Redemptions(ctx, members, first, after)
	})
}

// tier is a tier of the ladder, nil for none.
func (l *loaders) tier(wanted *id.Tier) (*tiers.Tier, error) {
	if wanted == nil {
		return nil, nil
	}
	explainer, err := l.explainer()
	if err != nil {
		return nil, err
	}
	if tier, ok := explainer.Ladder().Tier(*wanted); ok {
		return &tier, nil
	}
	return nil, nil
}

// title is one line about an entry.
func (l *loaders) title(ctx context.Context, entry *ledger.Entry) (string, error) {
	words, err := l.explainer()
	if err != nil {
		return "", err
	}
	name, err := l.rewardName(ctx, entry)
	if err != nil {
		return "", err
	}
	gift, err := l.given(ctx, entry)
	return words.Title(entry, name, gift), err
}

// given tells whether the points are a gift.
func (l *loaders) given(ctx context.Context, entry *ledger.Entry) (bool, error) {
	if entry.Kind != ledger.Adjusted || entry.AdjustmentID == nil {
		return false, nil
	}
	gift, err := l.gifts.Load(ctx, *entry.AdjustmentID)
	return gift != nil && *gift, err
}

// rewardName is what the reward was called that an entry paid for or gave back; empty if it is about none.
func (l *loaders) rewardName(ctx context.Context, entry *ledger.Entry) (string, error) {
	paid := entry.ID()
	switch {
	case entry.HoldSequence != nil:
		return "", nil
	case entry.Kind == ledger.Redemption:
	case entry.Kind == ledger.RedemptionCancel && entry.ReversesSequence != nil:
		paid.Sequence = *entry.ReversesSequence
	default:
		return "", nil
	}
	name, err := l.names.Load(ctx, paid)
	return orEmpty(name), err
}

package graph

import (
	"context"

	"regulars/graph/generated"
	"regulars/internal/actor"
	"regulars/internal/id"
)

// node finds an object of whatever kind. An id of no kind is answered like one of nothing.
func (r *Resolver) node(ctx context.Context, wanted string) (generated.Node, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	if tier := id.ParseTier(wanted); tier != (id.Tier{}) {
		return found(r.services.Loyalty.Tier(ctx, tier))
	}
	if rule := id.ParseRule(wanted); rule != (id.Rule{}) {
		return found(r.services.Loyalty.EarningRule(ctx, rule))
	}
	if adjustment := id.ParseAdjustment(wanted); adjustment != (id.Adjustment{}) {
		return found(r.services.Loyalty.Adjustment(ctx, adjustment))
	}
	if client := id.ParseClient(wanted); client != (id.Client{}) {
		return found(r.services.Clients.Client(ctx, client))
	}
	if hold := id.ParseHold(wanted); hold != (id.Hold{}) {
		return found(r.services.Loyalty.Hold(ctx, hold))
	}
	if reward := id.ParseReward(wanted); reward != (id.Reward{}) {
		return found(load(ctx).rewards.Load(ctx, reward))
	}
	if redemption := id.ParseRedemption(wanted); redemption != (id.Redemption{}) {
		return found(r.services.Rewards.Redemption(ctx, redemption))
	}
	if event := id.ParseEvent(wanted); event != (id.Event{}) {
		return found(load(ctx).events.Load(ctx, event))
	}
	if occurrence := id.ParseOccurrence(wanted); occurrence != (id.Occurrence{}) {
		return found(load(ctx).occurrences.Load(ctx, occurrence))
	}
	if booking := id.ParseBooking(wanted); booking != (id.Booking{}) {
		return found(r.services.Club.Booking(ctx, booking))
	}
	if campaign := id.ParseCampaign(wanted); campaign != (id.Campaign{}) {
		return found(r.services.Care.Campaign(ctx, campaign))
	}
	if entry := id.ParseAuditEntry(wanted); entry != (id.AuditEntry{}) {
		return found(r.services.Log.Entry(ctx, entry))
	}
	if run := id.ParseJobRun(wanted); run != (id.JobRun{}) {
		return found(r.services.Jobs.Run(ctx, run))
	}
	if waiting := id.ParseWaitingReturn(wanted); waiting != (id.WaitingReturn{}) {
		return found(r.services.Loyalty.WaitingReturn(ctx, waiting))
	}
	if backtest := id.ParseBacktest(wanted); backtest != (id.Backtest{}) {
		return found(r.services.Backtests.Backtest(ctx, backtest))
	}
	if one := id.ParseReferral(wanted); one != (id.Referral{}) {
		return found(r.services.Referrals.Referral(ctx, one))
	}
	if household := id.ParseHousehold(wanted); household != (id.Household{}) {
		return found(r.services.Referrals.Household(ctx, household))
	}
	if message := id.ParseMessage(wanted); message != (id.Message{}) {
		return found(r.services.Care.Message(ctx, message))
	}
	if consent := id.ParseConsent(wanted); consent != (id.Consent{}) {
		return found(r.services.Care.Consent(ctx, consent))
	}
	// A till is shown the member whose purchase it records; only who may look members up finds them by what it kept of that.
	if !caller.Has(actor.Member, actor.Support, actor.Admin, actor.MembersRead) {
		return nil, nil
	}
	if activity := id.ParseActivity(wanted); activity != (id.Activity{}) {
		return found(load(ctx).activities.Load(ctx, activity))
	}
	if entry := id.ParseEntry(wanted); entry != (id.Entry{}) {
		return found(load(ctx).entries.Load(ctx, entry))
	}
	if moved := id.ParseTierMove(wanted); moved != (id.TierMove{}) {
		return found(r.services.Loyalty.TierHistoryEntry(ctx, moved))
	}
	return found(load(ctx).members.Load(ctx, id.ParseMember(wanted)))
}

// found turns a missing object into a missing node: a nil pointer in an interface is not nil.
func found[T any, P interface {
	*T
	generated.Node
}](object P, err error) (generated.Node, error) {
	if object == nil || err != nil {
		return nil, err
	}
	return object, nil
}

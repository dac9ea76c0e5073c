package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/tiers"
)

const checkIn = "CHECK_IN"

// The week from which on the club celebrates its first year, and for how many.
const (
	anniversary      = 52
	anniversaryWeeks = 2
)

var ladder = []loyalty.TierInput{
	{Name: "Silver", Rank: 1, Threshold: 250, Benefits: []string{"A free drink on your birthday", "First look at new beans"}},
	{Name: "Gold", Rank: 2, Threshold: 600, Benefits: []string{"All of Silver", "Free delivery", "A seat kept at every tasting"}},
	{Name: "Platinum", Rank: 3, Threshold: 1500, Benefits: []string{"All of Gold", "A bag of beans every month"}},
}

// rules are what the club gives points for from its first day on.
func (p *plan) rules() []loyalty.EarningRuleInput {
	unit := p.money(100)
	return []loyalty.EarningRuleInput{
		{
			Name: fmt.Sprintf("1 point for every %s %s", unit.Amount, unit.Currency), Trigger: "PURCHASE", Priority: 100, Qualifying: true,
			Award: loyalty.AwardInput{PerAmount: &loyalty.PerAmountInput{Points: 1, Every: unit, Rounding: value.Floor}},
		},
		{
			Name: "A bag of beans", Trigger: "PURCHASE", Priority: 90, Qualifying: true, Award: fixed(5),
			Condition: condition(`purchase.lines.exists(line, line.category == "Beans")`),
		},
		{
			Name: "Double points on Tuesdays", Trigger: "PURCHASE", Priority: 50, Award: multiplier("2"),
			Condition: condition(`now.getDayOfWeek() == 2`),
		},
		{Name: "At the tasting", Trigger: checkIn, Priority: 10, Qualifying: true, Award: fixed(25)},
	}
}

// campaign is for two weeks only.
func (p *plan) campaign() loyalty.EarningRuleInput {
	from := p.opening.Add(anniversary * week)
	until := from.Add(anniversaryWeeks * week)
	worth := p.money(1000).Amount
	return loyalty.EarningRuleInput{
		Name: "A year of the club", Trigger: "PURCHASE", Priority: 40, Award: fixed(20), StartsAt: &from, EndsAt: &until,
		Condition: condition(fmt.Sprintf("purchase.total >= %s", worth)),
	}
}

func fixed(points int64) loyalty.AwardInput { return loyalty.AwardInput{Fixed: &points} }

func multiplier(by value.Decimal) loyalty.AwardInput { return loyalty.AwardInput{Multiplier: &by} }

func condition(text string) *string { return &text }

// correction is points given or taken by hand on the third day of a week.
type correction struct {
	week   int
	member string
	points int64
	reason string
	// lasting is after how many days points lapse; 0: never.
	lasting int
}

var corrections = []correction{
	{week: 20, member: robin, points: 50, reason: "The parcel came late"},
	{week: 30, member: robin, points: 40, reason: "Thank you for the survey", lasting: 60},
	{week: 46, member: "patient-otter", points: -5, reason: "Counted twice at the till"},
	{week: 61, member: robin, points: -15, reason: "Counted twice at the till"},
	{week: 70, member: "curious-otter", points: 30, reason: "The parcel came late"},
	{week: 77, member: robin, points: 100, reason: "Happy birthday", lasting: 30},
}

// The member who is suspended in the end, and why.
const (
	suspended        = "late-magpie"
	suspensionReason = "Receipts of others were handed in; under review"
)

// addTier adds a tier to the ladder unless it is there.
func (b *builder) addTier(ctx context.Context, wanted loyalty.TierInput) error {
	there, err := b.service.Tiers(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(there, func(tier tiers.Tier) bool { return tier.Name == wanted.Name }) {
		return nil
	}
	if _, err := b.service.CreateTier(ctx, wanted); err != nil {
		return fmt.Errorf("tier %s: %w", wanted.Name, err)
	}
	return nil
}

// publish makes the rule and publishes it, as far as that has not been done.
func (b *builder) publish(ctx context.Context, wanted loyalty.EarningRuleInput) error {
	all := 100
	there, err := b.service.EarningRules(ctx, nil, &all, nil)
	if err != nil {
		return err
	}
	var rule *loyalty.EarningRule
	if at := slices.IndexFunc(there.Nodes, func(one *loyalty.EarningRule) bool { return one.Name == wanted.Name }); at >= 0 {
		rule = there.Nodes[at]
	} else if rule, err = b.service.CreateEarningRule(ctx, wanted); err != nil {
		return fmt.Errorf("rule %q: %w", wanted.Name, err)
	}
	if rule.Status != loyalty.RuleDraft {
		return nil
	}
	if _, err = b.service.PublishEarningRule(ctx, rule.ID(), nil, nil); err != nil {
		return fmt.Errorf("publish rule %q: %w", wanted.Name, err)
	}
	return nil
}

// correct gives or takes the points of a correction.
func (b *builder) correct(ctx context.Context, number int, wanted correction) error {
	input := loyalty.AdjustPointsInput{
		Member: loyalty.MemberRef{ExternalID: &wanted.member}, Points: wanted.points, Reason: wanted.reason,
		IdempotencyKey: fmt.Sprintf("demo:%d", number),
	}
	if wanted.lasting > 0 {
		until := b.clock.at.Add(time.Duration(wanted.lasting) * 24 * time.Hour)
		input.ExpiresAt = &until
	}
	if _, err := b.service.AdjustPoints(ctx, input); err != nil {
		return fmt.Errorf("adjust the points of %s: %w", wanted.member, err)
	}
	return nil
}

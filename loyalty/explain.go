package loyalty

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// Explainer puts into words what is stored as codes. It holds for one request.
type Explainer struct {
	book *rulebook
	// all are the versions of all rules, for those that are not published: drafts are asked about in previews only.
	all func() ([]rules.Version, error)
}

// Explainer returns the one that knows all rule versions there are. For everybody who has signed in.
func (s *Service) Explainer(ctx context.Context) (*Explainer, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return &Explainer{book: book, all: sync.OnceValues(func() ([]rules.Version, error) { return selectAllVersions(ctx, s.db) })}, nil
}

// Ladder is the ladder of tiers: whoever works with members or rewards comes across them.
func (e *Explainer) Ladder() tiers.Ladder { return e.book.ladder }

// Zone is the time zone in which the program counts.
func (e *Explainer) Zone() *time.Location { return e.book.zone }

// Title is one line about an entry that a member understands; reward is what it paid for or gave back, if anything, and gift
// tells whether it is a Gift.
func (e *Explainer) Title(entry *ledger.Entry, reward string, gift bool) string {
	switch {
	case gift:
		return "A present from us"
	case entry.Kind == ledger.Redemption && entry.HoldSequence != nil:
		return "Paid with points"
	case entry.Kind == ledger.Redemption:
		return "Redeemed: " + reward
	case entry.Kind == ledger.RedemptionCancel && entry.HoldSequence != nil:
		return "Points given back"
	case entry.Kind == ledger.RedemptionCancel:
		return "Returned: " + reward
	case entry.Kind == ledger.Accrual && entry.ActivitySequence == nil:
		return "Points for a referral"
	case entry.Kind == ledger.Reversal && entry.ActivitySequence == nil && entry.AdjustmentID == nil:
		return "Points for a referral taken back"
	case entry.Kind == ledger.Expiry:
		return "Points expired"
	case entry.Kind == ledger.Adjusted && entry.Points > 0:
		return "Points added by our team"
	case entry.Kind == ledger.Reversal && entry.Points > 0:
		return "Points given back by our team"
	case entry.Kind == ledger.Adjusted, entry.Kind == ledger.Reversal && entry.AdjustmentID != nil:
		return "Points taken back by our team"
	}
	name := "Points"
	switch {
	case entry.Rule != nil && entry.RuleVersion != nil:
		name = e.name(*entry.Rule, *entry.RuleVersion, name)
	case entry.ActivitySequence != nil:
		name = "Bonus of your tier"
	}
	if entry.Kind == ledger.Reversal {
		return "Return: " + name
	}
	return name
}

// RuleName is what the rule of an outcome was called in that version; of a tier that did it, what that is called.
func (e *Explainer) RuleName(outcome *rules.Outcome) string {
	if outcome.Tier != nil {
		return e.tierName(*outcome.Tier)
	}
	return e.name(outcome.Rule, outcome.Version, "")
}

func (e *Explainer) name(rule id.Rule, version int, otherwise string) string {
	if found, ok := e.version(rule, version); ok {
		return found.Name
	}
	return otherwise
}

func (e *Explainer) version(rule id.Rule, number int) (*rules.Version, bool) {
	if found, ok := e.book.rules.Version(rule, number); ok {
		return found, true
	}
	all, err := e.all()
	if err != nil {
		return nil, false
	}
	i := slices.IndexFunc(all, func(one rules.Version) bool { return one.Rule == rule && one.Number == number })
	if i < 0 {
		return nil, false
	}
	return &all[i], true
}

// tierName is what the tier was called last.
func (e *Explainer) tierName(wanted id.Tier) string {
	for _, ladder := range slices.Backward(e.book.status.Ladders) {
		if tier, ok := ladder.Tier(wanted); ok {
			return tier.Name
		}
	}
	return ""
}

// Reason says as a sentence why the rule, or the tier, did what it did.
func (e *Explainer) Reason(outcome *rules.Outcome) string {
	var version *rules.Version
	if outcome.Tier == nil {
		found, ok := e.version(outcome.Rule, outcome.Version)
		if !ok {
			return string(outcome.Reason)
		}
		version = found
	}
	switch outcome.Reason {
	case rules.ByFixed:
		return points(outcome.Granted)
	case rules.ByAmount:
		return e.perAmount(version.Award.PerAmount, outcome)
	case rules.ByMultiplier:
		return fmt.Sprintf("%s times the base points: %s more", value.Quantity(*version.Award.Multiplier).Decimal(), points(outcome.Granted))
	case rules.ByTier:
		return fmt.Sprintf("bonus of the tier %s: %s more", e.tierName(*outcome.Tier), points(outcome.Granted))
	case rules.BelowOneStep:
		return e.below(version.Award.PerAmount, outcome)
	case rules.NothingToRaise:
		return "no base points to multiply"
	case rules.WorthNothing:
		return "the purchase was worth nothing"
	case rules.PaidWithPoints:
		return "the purchase was paid with points"
	case rules.NotAboutMoney:
		return "this fact has no amount"
	case rules.NoSuchLine:
		return "no line of the purchase counts"
	case rules.OutsideSchedule:
		return "outside of the rule's schedule"
	case rules.RulePaused:
		return "the rule was paused then"
	case rules.RuleEnded:
		return "the rule had ended by then"
	case rules.ConditionFalse:
		return "the condition did not hold"
	case rules.ConditionFailed:
		return "the condition could not be decided: " + outcome.Detail
	case rules.OverLimit:
		return fmt.Sprintf("%s: %s", limited(outcome.Limit), cut(outcome))
	case rules.OverBudget:
		return fmt.Sprintf("budget of %s: %s", points(*version.Budget), cut(outcome))
	case rules.NotBest:
		return fmt.Sprintf("%s was worth more than these %s", e.name(*outcome.By, outcome.ByVersion, "another rule"), points(outcome.Desired))
	case rules.Silenced:
		return fmt.Sprintf("%s stands alone: no %s", e.name(*outcome.By, outcome.ByVersion, "another rule"), points(outcome.Desired))
	}
	return string(outcome.Reason)
}

// perAmount tells what an award by amount was computed on.
func (e *Explainer) perAmount(award *rules.PerAmount, outcome *rules.Outcome) string {
	said := fmt.Sprintf("%s for every %s of %s", points(award.Points), e.money(award.Every), e.money(outcome.Counted()))
	switch len(outcome.Lines) {
	case 0:
	case 1:
		said += " in one line"
	default:
		said += fmt.Sprintf(" in %d lines", len(outcome.Lines))
	}
	return said + e.carried(outcome)
}

func (e *Explainer) below(award *rules.PerAmount, outcome *rules.Outcome) string {
	return fmt.Sprintf("less than %s%s", e.money(award.Every), e.carried(outcome))
}

func (e *Explainer) carried(outcome *rules.Outcome) string {
	said := ""
	if outcome.Carried > 0 {
		said = fmt.Sprintf(", and %s from before", e.money(outcome.Carried))
	}
	if outcome.Remainder != nil && *outcome.Remainder > 0 {
		said += fmt.Sprintf("; %s counts next time", e.money(*outcome.Remainder))
	}
	return said
}

// limited names a limit, e.g. "weekly limit of 500 points".
func limited(limit *rules.Limit) string {
	period := map[rules.LimitPeriod]string{
		rules.Day: "daily", rules.Week: "weekly", rules.Month: "monthly", rules.Year: "yearly", rules.Lifetime: "lifetime",
	}[limit.Period]
	if limit.Scope == rules.ProgramScope {
		period += " program"
	}
	if limit.Points != nil {
		return fmt.Sprintf("%s limit of %s", period, points(*limit.Points))
	}
	if *limit.Times == 1 {
		return period + " limit of once"
	}
	return fmt.Sprintf("%s limit of %d times", period, *limit.Times)
}

func cut(outcome *rules.Outcome) string {
	return fmt.Sprintf("%d cut to %d", outcome.Desired, outcome.Granted)
}

func (e *Explainer) money(minor int64) string {
	return value.Money{Minor: minor, Currency: e.book.Currency}.String()
}

func points(number int64) string {
	if number == 1 {
		return "1 point"
	}
	return fmt.Sprintf("%d points", number)
}

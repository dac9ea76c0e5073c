package loyalty

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
	"regulars/loyalty/tiers"
)

// Explainer puts into words what is stored as codes. It holds for one request.
type Explainer struct {
	book *rulebook
}

// Explainer returns the one that knows all rule versions published by now. For everybody who has signed in.
func (s *Service) Explainer(ctx context.Context) (*Explainer, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	return &Explainer{book: book}, nil
}

// Ladder is the ladder of tiers: whoever works with members or rewards comes across them.
func (e *Explainer) Ladder() tiers.Ladder { return e.book.ladder }

// Zone is the time zone in which the program counts.
func (e *Explainer) Zone() *time.Location { return e.book.zone }

// Title is one line about an entry that a member understands; reward is what it paid for or gave back, if anything.
func (e *Explainer) Title(entry *ledger.Entry, reward string) string {
	switch {
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
	if entry.Rule != nil && entry.RuleVersion != nil {
		if version, ok := e.book.rules.Version(*entry.Rule, *entry.RuleVersion); ok {
			name = version.Name
		}
	}
	if entry.Kind == ledger.Reversal {
		return "Return: " + name
	}
	return name
}

// RuleName is what the rule of an outcome was called in that version.
func (e *Explainer) RuleName(outcome *rules.Outcome) string {
	if version, ok := e.book.rules.Version(outcome.Rule, outcome.Version); ok {
		return version.Name
	}
	return ""
}

// Reason says as a sentence why the rule did what it did.
func (e *Explainer) Reason(outcome *rules.Outcome) string {
	version, ok := e.book.rules.Version(outcome.Rule, outcome.Version)
	if !ok {
		return string(outcome.Reason)
	}
	switch outcome.Reason {
	case rules.ByFixed:
		return points(outcome.Granted)
	case rules.ByAmount:
		award := version.Award.PerAmount
		return fmt.Sprintf("%s for every %s of %s", points(award.Points), e.money(award.Every), e.money(outcome.Basis-outcome.Paid))
	case rules.ByMultiplier:
		return fmt.Sprintf("%s times the base points: %s more", value.Quantity(*version.Award.Multiplier).Decimal(), points(outcome.Granted))
	case rules.BelowOneStep:
		return fmt.Sprintf("less than %s", e.money(version.Award.PerAmount.Every))
	case rules.NothingToRaise:
		return "no base points to multiply"
	case rules.WorthNothing:
		return "the purchase was worth nothing"
	case rules.PaidWithPoints:
		return "the purchase was paid with points"
	case rules.NotAboutMoney:
		return "this fact has no amount"
	case rules.OutsideSchedule:
		return "outside of the rule's schedule"
	case rules.ConditionFalse:
		return "the condition did not hold"
	case rules.ConditionFailed:
		return "the condition could not be decided: " + outcome.Detail
	}
	return string(outcome.Reason)
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

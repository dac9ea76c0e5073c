package loyalty

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// EarningRuleStatus says what a version of a rule does now.
type EarningRuleStatus string

// The statuses of rules.
const (
	RuleDraft     EarningRuleStatus = "DRAFT"
	RuleScheduled EarningRuleStatus = "SCHEDULED"
	RuleActive    EarningRuleStatus = "ACTIVE"
	RulePaused    EarningRuleStatus = "PAUSED"
	RuleEnded     EarningRuleStatus = "ENDED"
)

// EarningRule is one version of a rule.
type EarningRule struct {
	rules.Version
	Status   EarningRuleStatus
	Versions []*EarningRule
	// PausedAt is since when the rule is paused, EndedAt since when it is over; nil: it is not.
	PausedAt *time.Time
	EndedAt  *time.Time
	currency value.Currency
	// planned is what Status would be had the rule been neither paused nor ended.
	planned EarningRuleStatus
}

// IsNode marks the rule as one of the API's nodes.
func (EarningRule) IsNode() {}

// ID is the rule's id, the same for all its versions.
func (r EarningRule) ID() id.Rule { return r.Rule }

// Condition is the rule's condition, nil for none.
func (r EarningRule) Condition() *string {
	if r.Version.Condition == "" {
		return nil
	}
	return &r.Version.Condition
}

// Pending is when the points can be spent; nil: at once.
func (r EarningRule) Pending() *EarningRulePending {
	switch {
	case r.Version.Pending != nil:
		return &EarningRulePending{For: r.Version.Pending}
	case r.UntilConfirmed:
		return &EarningRulePending{UntilConfirmed: &r.UntilConfirmed}
	}
	return nil
}

// Award is what the rule gives.
func (r EarningRule) Award() EarningRuleAward {
	made := EarningRuleAward{Fixed: r.Version.Award.Fixed}
	if per := r.Version.Award.PerAmount; per != nil {
		made.PerAmount = &PerAmountAward{
			Points: per.Points, Every: value.Money{Minor: per.Every, Currency: r.currency}, Rounding: per.Rounding,
			CarryRemainder: per.CarryRemainder,
		}
		if per.LineCondition != "" {
			made.PerAmount.LineCondition = &per.LineCondition
		}
	}
	if multiplier := r.Version.Award.Multiplier; multiplier != nil {
		decimal := value.Quantity(*multiplier).Decimal()
		made.Multiplier = &decimal
	}
	return made
}

// EarningRulePending is when points can be spent as the API shows it; exactly one field is set.
type EarningRulePending struct {
	For            *value.Period
	UntilConfirmed *bool
}

// EarningRuleAward is an award as the API shows it; exactly one field is set.
type EarningRuleAward struct {
	Fixed      *int64
	PerAmount  *PerAmountAward
	Multiplier *value.Decimal
}

// PerAmountAward gives points for every full amount.
type PerAmountAward struct {
	Points   int64
	Every    value.Money
	Rounding value.Rounding
	// LineCondition chooses the lines that count; nil: the whole purchase.
	LineCondition  *string
	CarryRemainder bool
}

// current is the version that stands for its rule in lists: the newest that serves, else the newest published one, else
// the newest draft.
func current(versions []*EarningRule) *EarningRule {
	order := []EarningRuleStatus{RuleActive, RuleScheduled, RuleEnded, RuleDraft}
	return slices.MinFunc(versions, func(a, b *EarningRule) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.planned), slices.Index(order, b.planned)),
			cmp.Compare(b.Number, a.Number),
		)
	})
}

// gather makes rules of their versions, each in order of number.
func gather(versions []rules.Version, lives map[id.Rule]rules.Life, currency value.Currency, t time.Time) map[id.Rule][]*EarningRule {
	byRule := map[id.Rule][]rules.Version{}
	for _, version := range versions {
		byRule[version.Rule] = append(byRule[version.Rule], version)
	}
	gathered := make(map[id.Rule][]*EarningRule, len(byRule))
	for rule, all := range byRule {
		slices.SortFunc(all, func(a, b rules.Version) int { return cmp.Compare(a.Number, b.Number) })
		made := make([]*EarningRule, len(all))
		for i, version := range all {
			made[i] = &EarningRule{Version: version, currency: currency, planned: planned(version, all[i+1:], t)}
			made[i].live(lives[rule], t)
		}
		for _, one := range made {
			one.Versions = made
		}
		gathered[rule] = made
	}
	return gathered
}

// EarningRule returns a rule by its id, nil if there is none or the caller may not see it. For marketers, support,
// admins and ProgramRead; nobody else sees rules.
func (s *Service) EarningRule(ctx context.Context, wanted id.Rule) (*EarningRule, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	one, err := selectRule(ctx, s.db, wanted, book.Currency, s.now())
	if err != nil || !caller.Has(actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead) {
		return nil, err
	}
	return one, nil
}

// BudgetsUsed says of rules what of their budgets is used, less what was taken back, for those that ever had one. For
// marketers, support, admins and ProgramRead.
func (s *Service) BudgetsUsed(ctx context.Context, wanted []id.Rule) (map[id.Rule]*int64, error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead); err != nil {
		return nil, err
	}
	return selectBudgetsUsed(ctx, s.db, wanted)
}

const rulePages = "rule"

// EarningRules lists rules by their age, oldest first, each by the version that counts now; statuses, if any, narrow the list to
// rules whose version has one of them, DRAFT to those whose newest version is one as well. For marketers, support, admins and ProgramRead.
func (s *Service) EarningRules(ctx context.Context, statuses []EarningRuleStatus, first *int, after *string) (*page.Connection[*EarningRule], error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Support, actor.Admin, actor.ProgramRead); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(rulePages, first, after)
	if err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	versions, err := selectAllVersions(ctx, s.db)
	if err != nil {
		return nil, err
	}
	lives, err := selectLives(ctx, s.db)
	if err != nil {
		return nil, err
	}
	var matching []*EarningRule
	for _, all := range gather(versions, lives, book.Currency, s.now()) {
		one := current(all)
		drafted := all[len(all)-1].Status == RuleDraft && slices.Contains(statuses, RuleDraft)
		if len(statuses) == 0 || slices.Contains(statuses, one.Status) || drafted {
			matching = append(matching, one)
		}
	}
	slices.SortFunc(matching, func(a, b *EarningRule) int { return id.Compare(a.Rule, b.Rule) })
	rest := matching
	if arguments.After != "" {
		last := id.ParseRule(arguments.After)
		if last == (id.Rule{}) {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
		rest = slices.DeleteFunc(slices.Clone(matching), func(one *EarningRule) bool { return id.Compare(one.Rule, last) <= 0 })
	}
	return page.New(rulePages, arguments, rest[:min(len(rest), arguments.Size+1)],
		func(one *EarningRule) string { return one.Rule.String() },
		func(context.Context) (int, error) { return len(matching), nil }), nil
}

// invalidCondition makes a problem of what is wrong with a condition.
func invalidCondition(path []string, err error) (problem.InvalidConditionError, bool) {
	var wrong *rules.ConditionError
	if !errors.As(err, &wrong) {
		return problem.InvalidConditionError{}, false
	}
	found := problem.InvalidConditionError{
		Code: problem.InvalidCondition, Message: wrong.Message, Path: append([]string{"input"}, path...), Line: wrong.Line, Column: wrong.Column,
	}
	if wrong.Hint != "" {
		found.Hint = &wrong.Hint
	}
	return found, true
}

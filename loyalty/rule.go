package loyalty

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
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
	RuleEnded     EarningRuleStatus = "ENDED"
)

// EarningRule is one version of a rule.
type EarningRule struct {
	rules.Version
	Status   EarningRuleStatus
	Versions []*EarningRule
	currency value.Currency
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

// Award is what the rule gives.
func (r EarningRule) Award() EarningRuleAward {
	made := EarningRuleAward{Fixed: r.Version.Award.Fixed}
	if per := r.Version.Award.PerAmount; per != nil {
		made.PerAmount = &PerAmountAward{
			Points: per.Points, Every: value.Money{Minor: per.Every, Currency: r.currency}, Rounding: per.Rounding,
		}
	}
	if multiplier := r.Version.Award.Multiplier; multiplier != nil {
		decimal := value.Quantity(*multiplier).Decimal()
		made.Multiplier = &decimal
	}
	return made
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
}

// status is what the version does at t; later are the published versions after it.
func status(version rules.Version, later []rules.Version, t time.Time) EarningRuleStatus {
	superseded := slices.ContainsFunc(later, func(other rules.Version) bool {
		return other.PublishedAt != nil && (other.EffectiveFrom == nil || !t.Before(*other.EffectiveFrom))
	})
	switch {
	case version.PublishedAt == nil:
		return RuleDraft
	case superseded, version.EndsAt != nil && !t.Before(*version.EndsAt):
		return RuleEnded
	case version.EffectiveFrom != nil && t.Before(*version.EffectiveFrom), version.StartsAt != nil && t.Before(*version.StartsAt):
		return RuleScheduled
	}
	return RuleActive
}

// current is the version that stands for its rule in lists: the newest that serves, else the newest published one, else
// the newest draft.
func current(versions []*EarningRule) *EarningRule {
	order := []EarningRuleStatus{RuleActive, RuleScheduled, RuleEnded, RuleDraft}
	return slices.MinFunc(versions, func(a, b *EarningRule) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Status), slices.Index(order, b.Status)),
			cmp.Compare(b.Number, a.Number),
		)
	})
}

// gather makes rules of their versions, each in order of number.
func gather(versions []rules.Version, currency value.Currency, t time.Time) map[id.Rule][]*EarningRule {
	byRule := map[id.Rule][]rules.Version{}
	for _, version := range versions {
		byRule[version.Rule] = append(byRule[version.Rule], version)
	}
	gathered := make(map[id.Rule][]*EarningRule, len(byRule))
	for rule, all := range byRule {
		slices.SortFunc(all, func(a, b rules.Version) int { return cmp.Compare(a.Number, b.Number) })
		made := make([]*EarningRule, len(all))
		for i, version := range all {
			made[i] = &EarningRule{Version: version, Status: status(version, all[i+1:], t), currency: currency}
		}
		for _, one := range made {
			one.Versions = made
		}
		gathered[rule] = made
	}
	return gathered
}

// EarningRule returns a rule by its id, nil if there is none or the caller may not see it. For marketers, support and
// admins; nobody else sees rules.
func (s *Service) EarningRule(ctx context.Context, wanted id.Rule) (*EarningRule, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	versions, err := selectVersions(ctx, s.db, wanted)
	if err != nil || len(versions) == 0 || !caller.Is(actor.Marketer, actor.Support, actor.Admin) {
		return nil, err
	}
	return current(gather(versions, book.Currency, s.now())[wanted]), nil
}

const rulePages = "rule"

// EarningRules lists rules by their age, oldest first, each by the version that counts now; statuses, if any, narrow the
// list. For marketers, support and admins.
func (s *Service) EarningRules(ctx context.Context, statuses []EarningRuleStatus, first *int, after *string) (*page.Connection[*EarningRule], error) {
	if _, err := actor.Require(ctx, actor.Marketer, actor.Support, actor.Admin); err != nil {
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
	var matching []*EarningRule
	for _, all := range gather(versions, book.Currency, s.now()) {
		one := current(all)
		if len(statuses) == 0 || slices.Contains(statuses, one.Status) {
			matching = append(matching, one)
		}
	}
	slices.SortFunc(matching, func(a, b *EarningRule) int { return id.Compare(a.Rule, b.Rule) })
	rest := matching
	if arguments.After != "" {
		last := id.ParseRule(arguments.After)
		rest = slices.DeleteFunc(slices.Clone(matching), func(one *EarningRule) bool { return id.Compare(one.Rule, last) <= 0 })
	}
	return page.New(rulePages, arguments, rest[:min(len(rest), arguments.Size+1)],
		func(one *EarningRule) string { return one.Rule.String() },
		func(context.Context) (int, error) { return len(matching), nil }), nil
}

// CreateEarningRule makes a rule, as a draft that earns nothing until it is published. For marketers and admins.
//
// Problems: INVALID_NAME, INVALID_ACTIVITY_TYPE, INVALID_CONDITION, INVALID_AWARD, INVALID_POINTS, INVALID_AMOUNT,
// CURRENCY_MISMATCH, INVALID_SCHEDULE.
func (s *Service) CreateEarningRule(ctx context.Context, input EarningRuleInput) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, func(tx *postgres.Tx, book *rulebook) (rules.Version, error) {
		version, err := input.version(book, nil)
		if err != nil {
			return rules.Version{}, err
		}
		version.Rule, version.Number = id.New[id.Rule](), 1
		if err := insertRule(ctx, tx, version.Rule); err != nil {
			return rules.Version{}, err
		}
		return version, draft(ctx, tx, caller, version, "createEarningRule")
	})
}

// ReviseEarningRule makes the next version of a rule, as a draft. basedOn is the version that the caller started from.
// For marketers and admins.
//
// Problems: UNKNOWN_RULE, EDIT_CONFLICT if basedOn is not the newest version any more, and those of CreateEarningRule.
func (s *Service) ReviseEarningRule(ctx context.Context, rule id.Rule, basedOn int, input EarningRuleInput) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, func(tx *postgres.Tx, book *rulebook) (rules.Version, error) {
		newest, err := lockNewest(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		if newest.Number != basedOn {
			return rules.Version{}, conflict("basedOnVersion", newest.Number)
		}
		version, err := input.version(book, []string{"rule"})
		if err != nil {
			return rules.Version{}, err
		}
		version.Rule, version.Number = rule, newest.Number+1
		return version, draft(ctx, tx, caller, version, "reviseEarningRule")
	})
}

// PublishEarningRule publishes the newest version of a rule, which must be a draft: facts that occurred from from on and
// are recorded from now on use it. Without from, a rule's first published version serves from its startsAt, a later one
// from now. expected, if given, is the version that the caller means. For marketers and admins.
//
// Problems: UNKNOWN_RULE, NOT_A_DRAFT, EDIT_CONFLICT, INVALID_SCHEDULE.
func (s *Service) PublishEarningRule(ctx context.Context, rule id.Rule, from *time.Time, expected *int) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, func(tx *postgres.Tx, _ *rulebook) (rules.Version, error) {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return rules.Version{}, err
		}
		newest, err := lockNewest(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		if expected != nil && newest.Number != *expected {
			return rules.Version{}, conflict("expectedVersion", newest.Number)
		}
		if newest.PublishedAt != nil {
			return rules.Version{}, problem.At(problem.NotADraft, []string{"ruleId"}, "Its newest version, %d, is published already.", newest.Number)
		}
		published, err := isPublished(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		newest.PublishedAt, newest.EffectiveFrom = &tx.Now, from
		if from == nil {
			newest.EffectiveFrom = newest.StartsAt
			if published {
				newest.EffectiveFrom = &tx.Now
			}
		}
		if newest.EndsAt != nil && newest.EffectiveFrom != nil && !newest.EffectiveFrom.Before(*newest.EndsAt) {
			return rules.Version{}, problem.At(problem.InvalidSchedule, []string{"from"}, "The rule would have ended before it serves.")
		}
		if err := publishVersion(ctx, tx, newest); err != nil {
			return rules.Version{}, err
		}
		return newest, audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "publishEarningRule", Object: rule.String(),
			After: map[string]any{"version": newest.Number, "from": newest.EffectiveFrom},
		})
	})
}

// changeRule runs work in a transaction and returns the version that it made, among all of its rule.
func (s *Service) changeRule(ctx context.Context, work func(*postgres.Tx, *rulebook) (rules.Version, error)) (*EarningRule, error) {
	var changed *EarningRule
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		version, err := work(tx, book)
		if err != nil {
			return err
		}
		versions, err := selectVersions(ctx, tx, version.Rule)
		if err != nil {
			return err
		}
		all := gather(versions, book.Currency, tx.Now)[version.Rule]
		changed = all[slices.IndexFunc(all, func(one *EarningRule) bool { return one.Number == version.Number })]
		return nil
	})
	return changed, err
}

func draft(ctx context.Context, tx *postgres.Tx, caller actor.Actor, version rules.Version, action string) error {
	if err := insertVersion(ctx, tx, version); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, caller, audit.Change{
		Action: action, Object: version.Rule.String(), After: map[string]any{"version": version.Number, "name": version.Name},
	})
}

func lockNewest(ctx context.Context, tx *postgres.Tx, rule id.Rule) (rules.Version, error) {
	if err := lockRule(ctx, tx, rule); err != nil {
		return rules.Version{}, err
	}
	versions, err := selectVersions(ctx, tx, rule)
	if err != nil {
		return rules.Version{}, err
	}
	if len(versions) == 0 {
		return rules.Version{}, problem.At(problem.UnknownRule, []string{"ruleId"}, "There is no such rule.")
	}
	return slices.MaxFunc(versions, func(a, b rules.Version) int { return cmp.Compare(a.Number, b.Number) }), nil
}

func isPublished(ctx context.Context, tx *postgres.Tx, rule id.Rule) (bool, error) {
	versions, err := selectVersions(ctx, tx, rule)
	return slices.ContainsFunc(versions, func(one rules.Version) bool { return one.PublishedAt != nil }), err
}

func conflict(field string, newest int) problem.ConflictError {
	return problem.ConflictError{
		Code: problem.EditConflict, Message: "Someone else was faster; start again from the newest version.",
		Path: []string{"input", field}, CurrentVersion: newest,
	}
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

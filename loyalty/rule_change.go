package loyalty

import (
	"cmp"
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty/rules"
)

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
		return version, draft(ctx, tx, caller, audit.Change{Action: "createEarningRule"}, version)
	})
}

// ReviseEarningRule makes the next version of a rule, as a draft. basedOn is the version that the caller started from.
// For marketers and admins.
//
// Problems: UNKNOWN_RULE, RULE_ENDED, EDIT_CONFLICT if basedOn is not the newest version any more, with what it says differently,
// and those of CreateEarningRule.
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
			return rules.Version{}, conflict(ctx, tx, book, "basedOnVersion", newest, basedOn)
		}
		version, err := input.version(book, []string{"rule"})
		if err != nil {
			return rules.Version{}, err
		}
		version.Rule, version.Number = rule, newest.Number+1
		return version, draft(ctx, tx, caller, audit.Change{Action: "reviseEarningRule", Before: newest}, version)
	})
}

// PublishEarningRule publishes the newest version of a rule, which must be a draft: facts that occurred from from on and
// are recorded from now on use it. From may lie in the past: what was recorded before now keeps what it earned. Without from, a
// rule's first published version serves from its startsAt, a later one from now. expected, if given, is the version that the
// caller means. A rule that is paused stays so. What earlier versions awarded counts towards new limits: if there are any,
// publishing reads all entries. For marketers and admins.
//
// Problems: UNKNOWN_RULE, RULE_ENDED, NOT_A_DRAFT, EDIT_CONFLICT, INVALID_SCHEDULE.
func (s *Service) PublishEarningRule(ctx context.Context, rule id.Rule, from *time.Time, expected *int) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, func(tx *postgres.Tx, book *rulebook) (rules.Version, error) {
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return rules.Version{}, err
		}
		newest, err := lockNewest(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		if expected != nil && newest.Number != *expected {
			return rules.Version{}, conflict(ctx, tx, book, "expectedVersion", newest, *expected)
		}
		if newest.PublishedAt != nil {
			return rules.Version{}, problem.At(problem.NotADraft, []string{"ruleId"}, "Its newest version, %d, is published already.", newest.Number)
		}
		published, err := isPublished(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		drafted := newest
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
		if err := countEarlier(ctx, tx, newest, book.TimeZone); err != nil {
			return rules.Version{}, err
		}
		return newest, audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "publishEarningRule", Object: rule.String(), Before: drafted, After: newest,
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
		one, err := selectRule(ctx, tx, version.Rule, book.Currency, tx.Now)
		if err != nil {
			return err
		}
		changed = one.version(version.Number)
		return nil
	})
	return changed, err
}

func draft(ctx context.Context, tx *postgres.Tx, caller actor.Actor, change audit.Change, version rules.Version) error {
	if err := insertVersion(ctx, tx, version); err != nil {
		return err
	}
	change.Object, change.After = version.Rule.String(), version
	return audit.RecordTx(ctx, tx, caller, change)
}

// lockNewest locks a rule that has not ended and returns its newest version.
func lockNewest(ctx context.Context, tx *postgres.Tx, rule id.Rule) (rules.Version, error) {
	if err := lockRule(ctx, tx, rule); err != nil {
		return rules.Version{}, err
	}
	life, err := selectLife(ctx, tx, rule)
	if err != nil {
		return rules.Version{}, err
	}
	if life.EndedAt != nil {
		return rules.Version{}, ruleEnded()
	}
	return newestVersion(ctx, tx, rule)
}

func newestVersion(ctx context.Context, tx *postgres.Tx, rule id.Rule) (rules.Version, error) {
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

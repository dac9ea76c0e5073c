package loyalty

import (
	"context"
	"slices"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty/rules"
)

// PauseEarningRule stops a published rule: what occurs from now on earns nothing by it until it is resumed; what occurred before
// and is recorded late does. A rule that is paused already stays as it is. For marketers and admins.
//
// Problems: UNKNOWN_RULE, NOT_PUBLISHED, RULE_ENDED.
func (s *Service) PauseEarningRule(ctx context.Context, rule id.Rule) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeLife(ctx, rule, func(tx *postgres.Tx, was *EarningRule) error {
		switch {
		case was.EndedAt != nil:
			return ruleEnded()
		case was.planned == RuleDraft:
			return notPublished()
		case was.PausedAt != nil:
			return nil
		}
		if err := insertPause(ctx, tx, rule); err != nil {
			return err
		}
		return recordLife(ctx, tx, caller, "pauseEarningRule", was, lifeChange{PausedAt: &tx.Now})
	})
}

// ResumeEarningRule ends the pause of a rule: what occurs from now on earns by it again. What occurred during the pause never does,
// however late it is recorded. A rule that is not paused stays as it is. For marketers and admins.
//
// Problems: UNKNOWN_RULE, NOT_PUBLISHED, RULE_ENDED.
func (s *Service) ResumeEarningRule(ctx context.Context, rule id.Rule) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeLife(ctx, rule, func(tx *postgres.Tx, was *EarningRule) error {
		switch {
		case was.EndedAt != nil:
			return ruleEnded()
		case was.planned == RuleDraft:
			return notPublished()
		case was.PausedAt == nil:
			return nil
		}
		if err := closePause(ctx, tx, rule); err != nil {
			return err
		}
		return recordLife(ctx, tx, caller, "resumeEarningRule", was, lifeChange{})
	})
}

// EndEarningRule ends a rule for ever: what occurs from now on earns nothing by it, and no version of it can be made or published
// any more. What occurred before and is recorded late earns as before. A rule that has only drafts is given up like this. A
// rule that has ended stays as it is. For marketers and admins.
//
// Problems: UNKNOWN_RULE.
func (s *Service) EndEarningRule(ctx context.Context, rule id.Rule) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeLife(ctx, rule, func(tx *postgres.Tx, was *EarningRule) error {
		if was.EndedAt != nil {
			return nil
		}
		if err := endRule(ctx, tx, rule); err != nil {
			return err
		}
		return recordLife(ctx, tx, caller, "endEarningRule", was, lifeChange{PausedAt: was.PausedAt, EndedAt: &tx.Now})
	})
}

// DuplicateEarningRule makes a rule of its own, as a draft, that says what the newest version of another one does, ended or not.
// name is what it is called; nil: the same, which two rules may. For marketers and admins.
//
// Problems: UNKNOWN_RULE, INVALID_NAME.
func (s *Service) DuplicateEarningRule(ctx context.Context, rule id.Rule, name *string) (*EarningRule, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	return s.changeRule(ctx, func(tx *postgres.Tx, _ *rulebook) (rules.Version, error) {
		version, err := newestVersion(ctx, tx, rule)
		if err != nil {
			return rules.Version{}, err
		}
		if name != nil {
			version.Name = strings.TrimSpace(*name)
			if !Within(*name, maximumName) {
				return rules.Version{}, problem.At(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumName)
			}
		}
		version.Rule, version.Number = id.New[id.Rule](), 1
		version.EffectiveFrom, version.PublishedAt = nil, nil
		if err := insertRule(ctx, tx, version.Rule); err != nil {
			return rules.Version{}, err
		}
		return version, draft(ctx, tx, caller, audit.Change{Action: "duplicateEarningRule"}, version)
	})
}

// changeLife runs work about a rule in a transaction that no fact is judged beside, and returns the rule as it is then.
func (s *Service) changeLife(ctx context.Context, rule id.Rule, work func(tx *postgres.Tx, was *EarningRule) error) (*EarningRule, error) {
	var changed *EarningRule
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		if err := program.Change(ctx, tx, s.db.Now); err != nil {
			return err
		}
		if err := lockRule(ctx, tx, rule); err != nil {
			return err
		}
		was, err := selectRule(ctx, tx, rule, book.Currency, tx.Now)
		if err != nil {
			return err
		}
		if was == nil {
			return unknownRule()
		}
		if err := work(tx, was); err != nil {
			return err
		}
		changed, err = selectRule(ctx, tx, rule, book.Currency, tx.Now)
		return err
	})
	return changed, err
}

// lifeChange is what is recorded of a pause or an end.
type lifeChange struct {
	PausedAt *time.Time `json:"pausedAt"`
	EndedAt  *time.Time `json:"endedAt"`
}

func recordLife(ctx context.Context, tx *postgres.Tx, caller actor.Actor, action string, was *EarningRule, is lifeChange) error {
	return audit.RecordTx(ctx, tx, caller, audit.Change{
		Action: action, Object: was.Rule.String(), Before: lifeChange{PausedAt: was.PausedAt, EndedAt: was.EndedAt}, After: is,
	})
}

// planned is what the version does at t if its rule is neither paused nor ended; later are the versions after it.
func planned(version rules.Version, later []rules.Version, t time.Time) EarningRuleStatus {
	replaced := slices.ContainsFunc(later, func(other rules.Version) bool {
		if other.PublishedAt == nil {
			return false
		}
		from := other.EffectiveFrom
		return from == nil || !t.Before(*from) || version.EffectiveFrom != nil && !from.After(*version.EffectiveFrom)
	})
	switch {
	case version.PublishedAt == nil:
		return RuleDraft
	case replaced, version.EndsAt != nil && !t.Before(*version.EndsAt):
		return RuleEnded
	case version.EffectiveFrom != nil && t.Before(*version.EffectiveFrom), version.StartsAt != nil && t.Before(*version.StartsAt):
		return RuleScheduled
	}
	return RuleActive
}

// live adds to a version what was done to its rule, as it is at t.
func (r *EarningRule) live(life rules.Life, t time.Time) {
	r.Status, r.EndedAt = r.planned, life.EndedAt
	if pause := life.Paused(t); pause != nil {
		r.PausedAt = &pause.From
	}
	switch {
	case life.Ended(t):
		r.Status = RuleEnded
	case r.PausedAt != nil && (r.planned == RuleActive || r.planned == RuleScheduled):
		r.Status = RulePaused
	}
}

// version returns the version of that number of the same rule, nil if there is none.
func (r *EarningRule) version(number int) *EarningRule {
	i := slices.IndexFunc(r.Versions, func(one *EarningRule) bool { return one.Number == number })
	if i < 0 {
		return nil
	}
	return r.Versions[i]
}

func unknownRule() error {
	return problem.At(problem.UnknownRule, []string{"ruleId"}, "There is no such rule.")
}

func notPublished() error {
	return problem.At(problem.NotPublished, []string{"ruleId"}, "The rule has never been published.")
}

func ruleEnded() error {
	return problem.At(problem.RuleEnded, []string{"ruleId"}, "The rule has been ended, for ever; duplicate it to go on.")
}

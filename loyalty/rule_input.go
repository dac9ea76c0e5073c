package loyalty

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// Bounds of awards.
const (
	maximumAward      = 1_000_000_000
	maximumMultiplier = 1_000 * rules.Million
	maximumLimits     = 20
	maximumWindows    = 50
)

// EarningRuleInput is what a rule says.
type EarningRuleInput struct {
	Name string
	// Trigger is PURCHASE or the type of an activity.
	Trigger   string
	Condition *string
	Award     AwardInput
	// Qualifying points count towards tiers as well.
	Qualifying bool
	// Pending is when the points can be spent; nil: at once.
	Pending *PendingInput
	// ExpiresAfter is how long the points live from when they can be spent; nil: the program's policy says so.
	ExpiresAfter *value.Period
	StartsAt     *time.Time
	EndsAt       *time.Time
	// Windows are the parts of the week in which the rule serves; none: all of it.
	Windows []rules.Window
	// Basis is what counts beside what was paid in money; nil: nothing.
	Basis  *rules.Basis
	Limits []rules.Limit
	// Budget bounds the points that the rule awards in all; nil: unbounded.
	Budget *int64
	// Priority orders the rules, highest first.
	Priority int
	// Stacking says how it combines with others; empty: it counts beside them.
	Stacking rules.Stacking
}

// AwardInput is an award; exactly one field is set.
type AwardInput struct {
	Fixed      *int64
	PerAmount  *PerAmountInput
	Multiplier *value.Decimal
}

// PerAmountInput gives Points for every full Every.
type PerAmountInput struct {
	Points   int64
	Every    value.MoneyInput
	Rounding value.Rounding
	// LineCondition chooses the lines that count; nil: the whole purchase.
	LineCondition *string
	// CarryRemainder keeps what does not fill an Every for the member's next purchase.
	CarryRemainder bool
}

// PendingInput is when points can be spent; exactly one field is set.
type PendingInput struct {
	// For is how long after the fact.
	For *value.Period
	// UntilConfirmed is whether not before the fact is confirmed.
	UntilConfirmed *bool
}

// version checks the input and makes a draft of it; path leads to it below "input".
func (i EarningRuleInput) version(book *rulebook, path []string) (rules.Version, error) {
	var problems problem.Problems
	at := func(names ...string) []string { return append(append([]string{}, path...), names...) }
	made := rules.Version{
		Name: strings.TrimSpace(i.Name), Trigger: i.Trigger, Qualifying: i.Qualifying, StartsAt: i.StartsAt, EndsAt: i.EndsAt, Priority: i.Priority,
		Stacking: cmp.Or(i.Stacking, rules.Add), Windows: append([]rules.Window{}, i.Windows...), Limits: append([]rules.Limit{}, i.Limits...), Budget: i.Budget,
	}
	if i.Basis != nil {
		made.Basis = *i.Basis
	}
	if !Within(i.Name, maximumName) {
		problems.Add(problem.InvalidName, at("name"), "A name has 1 to %d characters.", maximumName)
	}
	if !activityTypeForm.MatchString(i.Trigger) || i.Trigger == typeReturn {
		problems.Add(problem.InvalidActivityType, at("trigger"), "A trigger is %s or the type of an activity.", typePurchase)
	}
	if i.StartsAt != nil && i.EndsAt != nil && !i.StartsAt.Before(*i.EndsAt) {
		problems.Add(problem.InvalidSchedule, at("endsAt"), "A rule ends after it starts.")
	}
	if i.Condition != nil {
		made.Condition = *i.Condition
		if err := rules.CheckCondition(i.Trigger, made.Condition); err != nil {
			wrong, ok := invalidCondition(at("condition"), err)
			if !ok {
				return rules.Version{}, err
			}
			problems = append(problems, wrong)
		}
	}
	if per := i.Award.PerAmount; per != nil && per.LineCondition != nil {
		if err := rules.CheckLineCondition(*per.LineCondition); err != nil {
			wrong, ok := invalidCondition(at("award", "perAmount", "lineCondition"), err)
			if !ok {
				return rules.Version{}, err
			}
			problems = append(problems, wrong)
		}
	}
	i.mature(&problems, &made, path)
	i.scheduled(&problems, at)
	i.bound(&problems, at)
	made.Award = i.Award.award(&problems, book, i.Trigger, at("award"))
	return made, problems.Err()
}

// mature says how what the rule awards matures.
func (i EarningRuleInput) mature(problems *problem.Problems, made *rules.Version, path []string) {
	check := func(period *value.Period, names ...string) {
		if period != nil && !mayLast(*period) {
			problems.Add(problem.InvalidDuration, append(append([]string{}, path...), names...), "This takes more than nothing and at most %d years.", maximumWait)
		}
	}
	if i.Pending != nil {
		made.Pending, made.UntilConfirmed = i.Pending.For, i.Pending.UntilConfirmed != nil && *i.Pending.UntilConfirmed
		check(made.Pending, "pending", "for")
	}
	made.ExpiresAfter = i.ExpiresAfter
	check(made.ExpiresAfter, "expiresAfter")
}

// scheduled checks the windows.
func (i EarningRuleInput) scheduled(problems *problem.Problems, at func(...string) []string) {
	if len(i.Windows) > maximumWindows {
		problems.Add(problem.InvalidSchedule, at("windows"), "A rule has at most %d windows.", maximumWindows)
	}
	for n, window := range i.Windows {
		if len(window.Days) == 0 {
			problems.Add(problem.InvalidSchedule, at("windows", strconv.Itoa(n), "days"), "A window has a day at least.")
		}
	}
}

// bound checks limits and the budget.
func (i EarningRuleInput) bound(problems *problem.Problems, at func(...string) []string) {
	if len(i.Limits) > maximumLimits {
		problems.Add(problem.InvalidLimit, at("limits"), "A rule has at most %d limits.", maximumLimits)
	}
	for n, limit := range i.Limits {
		index := strconv.Itoa(n)
		switch {
		case (limit.Points == nil) == (limit.Times == nil):
			problems.Add(problem.InvalidLimit, at("limits", index), "A limit is of points or of times.")
		case limit.Points != nil && (*limit.Points < 1 || *limit.Points > value.MaximumPoints):
			problems.Add(problem.InvalidLimit, at("limits", index, "points"), "A limit is 1 to %d points.", value.MaximumPoints)
		case limit.Times != nil && *limit.Times < 1:
			problems.Add(problem.InvalidLimit, at("limits", index, "times"), "A limit is once or more.")
		}
	}
	if i.Budget != nil && (*i.Budget < 1 || *i.Budget > value.MaximumPoints) {
		problems.Add(problem.InvalidLimit, at("budget"), "A budget is 1 to %d points.", value.MaximumPoints)
	}
}

func (i AwardInput) award(problems *problem.Problems, book *rulebook, trigger string, path []string) rules.Award {
	at := func(names ...string) []string { return append(append([]string{}, path...), names...) }
	var made rules.Award
	switch {
	case i.Fixed != nil:
		made.Fixed = i.Fixed
		checkAward(problems, *i.Fixed, at("fixed"))
	case i.PerAmount != nil:
		made.PerAmount = &rules.PerAmount{
			Points: i.PerAmount.Points, Rounding: i.PerAmount.Rounding, Every: money(problems, book, i.PerAmount.Every, at("perAmount", "every")...),
			CarryRemainder: i.PerAmount.CarryRemainder,
		}
		if i.PerAmount.LineCondition != nil {
			made.PerAmount.LineCondition = *i.PerAmount.LineCondition
		}
		if i.PerAmount.CarryRemainder && i.PerAmount.Rounding != value.Floor {
			problems.Add(problem.InvalidAward, at("perAmount", "rounding"), "What is carried over is rounded down.")
		}
		checkAward(problems, i.PerAmount.Points, at("perAmount", "points"))
		if made.PerAmount.Every <= 0 && i.PerAmount.Every.Currency == book.Currency {
			problems.Add(problem.InvalidAmount, at("perAmount", "every"), "Points are given for every amount of more than nothing.")
		}
		if trigger != typePurchase {
			problems.Add(problem.InvalidAward, at("perAmount"), "Only purchases have an amount.")
		}
	case i.Multiplier != nil:
		multiplier, err := i.Multiplier.Units(value.QuantityPlaces)
		if err != nil || multiplier <= rules.Million || multiplier > maximumMultiplier {
			problems.Add(problem.InvalidAward, at("multiplier"), "A multiplier is more than 1, at most 1000, and has at most %d decimal places.", value.QuantityPlaces)
		}
		made.Multiplier = &multiplier
	}
	return made
}

func checkAward(problems *problem.Problems, points int64, path []string) {
	if points < 1 || points > maximumAward {
		problems.Add(problem.InvalidPoints, path, "An award is 1 to %d points.", maximumAward)
	}
}

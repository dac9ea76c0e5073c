// Package rules decides what facts earn. It is pure: rule versions, a member's state and a fact in; awards with their
// reasons out. Recording, importing and, later, previewing and backtesting call the same evaluator.
package rules

import (
	"cmp"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// Purchase is the trigger of rules about purchases; every other trigger is the type of an activity.
const Purchase = "PURCHASE"

// Award is what a rule gives; exactly one of its fields is set.
type Award struct {
	// Fixed is a number of points.
	Fixed *int64 `json:"fixed,omitempty"`
	// PerAmount gives points for every full amount.
	PerAmount *PerAmount `json:"perAmount,omitempty"`
	// Multiplier multiplies the points of the base rules, in millionths: 2,000,000 adds as much once more.
	Multiplier *int64 `json:"multiplier,omitempty"`
}

// PerAmount gives Points for every Every minor units of the purchase's total, or of those of its lines for which
// LineCondition holds; Rounding decides about the last, partly filled one.
type PerAmount struct {
	Points        int64          `json:"points"`
	Every         int64          `json:"every"`
	Rounding      value.Rounding `json:"rounding"`
	LineCondition string         `json:"lineCondition,omitempty"`
	// CarryRemainder keeps what does not fill a step for the member's next purchase.
	CarryRemainder bool `json:"carryRemainder,omitempty"`
}

// Basis says which amount awards are computed on beside what was paid in money.
type Basis struct {
	// BeforeDiscounts counts what was taken off lines as well.
	BeforeDiscounts bool `json:"beforeDiscounts"`
	// PaidWithPoints counts what was paid with points as well.
	PaidWithPoints bool `json:"paidWithPoints"`
}

// Stacking says how a rule combines with others that match the same fact.
type Stacking string

// The ways of combining.
const (
	// Add: it counts beside others.
	Add Stacking = "ADD"
	// BestOf: of all such rules only the one counts that is worth most.
	BestOf Stacking = "BEST_OF"
	// Exclusive: it silences all others, but the base that it may multiply.
	Exclusive Stacking = "EXCLUSIVE"
)

// Version is one version of an earning rule; as JSON, what is recorded of its changes.
type Version struct {
	Rule      id.Rule `json:"rule"`
	Number    int     `json:"version"`
	Name      string  `json:"name"`
	Trigger   string  `json:"trigger"`
	Condition string  `json:"condition"`
	Award     Award   `json:"award"`
	// Qualifying points count towards tiers as well.
	Qualifying bool `json:"qualifying"`
	// Pending is how long after the fact the points can be spent only, and UntilConfirmed that it is not before they are
	// confirmed; ExpiresAfter is how long they live from then on, nil: as the program's policy says.
	Pending        *value.Period `json:"pendingFor"`
	UntilConfirmed bool          `json:"pendingUntilConfirmed"`
	ExpiresAfter   *value.Period `json:"expiresAfter"`
	// StartsAt and EndsAt bound the schedule: [StartsAt, EndsAt) by the fact's occurredAt; nil: unbounded.
	StartsAt *time.Time `json:"startsAt"`
	EndsAt   *time.Time `json:"endsAt"`
	// Windows are the parts of the week in which the rule serves; none: all of it.
	Windows []Window `json:"windows"`
	Basis   Basis    `json:"basis"`
	Limits  []Limit  `json:"limits"`
	// Budget bounds the points that the rule awards in all; nil: unbounded.
	Budget   *int64   `json:"budget"`
	Priority int      `json:"priority"`
	Stacking Stacking `json:"stacking"`
	// EffectiveFrom is the occurredAt from which this version serves; nil: the beginning of time.
	EffectiveFrom *time.Time `json:"effectiveFrom"`
	// PublishedAt is the recordedAt from which it does; nil: a draft.
	PublishedAt *time.Time `json:"publishedAt"`

	condition, lineCondition *condition
}

// ReadsNumber tells whether the version's conditions ask which of the member's facts this one is.
func (v *Version) ReadsNumber() bool {
	const number = "activity.number"
	return v.condition != nil && v.condition.reads(number) || v.lineCondition != nil && v.lineCondition.reads(number)
}

// Reads tells whether a condition of any version selects the field, e.g. member.attributes.
func (s *Set) Reads(field string) bool {
	return s.any(func(v *Version) bool {
		return v.condition != nil && v.condition.reads(field) || v.lineCondition != nil && v.lineCondition.reads(field)
	})
}

// ReadsLines tells whether any version needs the lines of purchases.
func (s *Set) ReadsLines() bool {
	return s.Reads("purchase.lines") || s.any(func(v *Version) bool { return v.lineCondition != nil || v.Basis.BeforeDiscounts })
}

func (s *Set) any(holds func(*Version) bool) bool {
	for _, versions := range s.version {
		if slices.ContainsFunc(versions, holds) {
			return true
		}
	}
	return false
}

// Member is what a rule may know of the member, as it was when the fact happened.
type Member struct {
	Tier string
	// TierID is the tier, and Multiplier what its holders' base points are multiplied with, in millionths; nil: nothing.
	TierID     id.Tier
	Multiplier *int64
	// BirthDate is nil where it is not known.
	BirthDate  *value.Date
	JoinedAt   time.Time
	Locale     string
	Attributes map[string]string
}

// Fact is what a rule judges. Total is nil for a fact that is not about money; Paid is the part of it, in minor units, that
// was paid with points.
type Fact struct {
	Type       string
	Source     string
	OccurredAt time.Time
	RecordedAt time.Time
	Total      *value.Money
	Paid       int64
	Lines      []Line
	// Number tells which of the member's facts of this type it is, from 1, in the order in which they were recorded.
	Number     int64
	Attributes map[string]string
}

// Line is a line of a purchase; Amount and Discount in minor units of the total's currency.
type Line struct {
	SKU      string
	Quantity value.Quantity
	Amount   int64
	Discount int64
	Category string
	Brand    string
}

// Status says what a rule did.
type Status string

// The statuses of outcomes.
const (
	Applied       Status = "APPLIED"
	NotMatched    Status = "NOT_MATCHED"
	NotInSchedule Status = "NOT_IN_SCHEDULE"
	Limited       Status = "LIMITED"
	OutOfBudget   Status = "OUT_OF_BUDGET"
	Excluded      Status = "EXCLUDED_BY_STACKING"
)

// Reason is the code of why; the sentence is made when it is read.
type Reason string

// The reasons of outcomes.
const (
	ByFixed         Reason = "FIXED"
	ByAmount        Reason = "PER_AMOUNT"
	ByMultiplier    Reason = "MULTIPLIER"
	ConditionFalse  Reason = "CONDITION_FALSE"
	ConditionFailed Reason = "CONDITION_FAILED"
	BelowOneStep    Reason = "BELOW_ONE_STEP"
	NothingToRaise  Reason = "NOTHING_TO_MULTIPLY"
	WorthNothing    Reason = "WORTH_NOTHING"
	PaidWithPoints  Reason = "PAID_WITH_POINTS"
	NotAboutMoney   Reason = "NOT_ABOUT_MONEY"
	OutsideSchedule Reason = "OUTSIDE_SCHEDULE"
	OverLimit       Reason = "OVER_LIMIT"
	OverBudget      Reason = "OVER_BUDGET"
	NotBest         Reason = "NOT_BEST"
	Silenced        Reason = "SILENCED"
	NoSuchLine      Reason = "NO_SUCH_LINE"
	ByTier          Reason = "TIER"
	RulePaused      Reason = "PAUSED"
	RuleEnded       Reason = "ENDED"
)

// Outcome is what one rule that was considered did, or the multiplier of the member's tier, as it is stored for ever.
type Outcome struct {
	Rule    id.Rule `json:"rule"`
	Version int     `json:"version"`
	// Tier is set, instead of a rule, where the tier did it.
	Tier   *id.Tier `json:"tier,omitempty"`
	Status Status   `json:"status"`
	Reason Reason   `json:"reason"`
	// Detail completes the reason, e.g. why a condition could not be evaluated.
	Detail string `json:"detail,omitempty"`
	// Desired is what the award would be, Granted what it is.
	Desired int64 `json:"desired,omitempty"`
	Granted int64 `json:"granted,omitempty"`
	// Qualifying is how many of the granted points count towards tiers.
	Qualifying int64 `json:"qualifying,omitempty"`
	// Limit is what cut Desired to Granted, unless the budget did.
	Limit *Limit `json:"limit,omitempty"`
	// By is the rule that was preferred to this one.
	By        *id.Rule `json:"by,omitempty"`
	ByVersion int      `json:"byVersion,omitempty"`
	// Basis is the amount in minor units on which the award stands and by whose share a return takes it back: of the lines
	// that Lines names, or of the whole purchase.
	Basis int64 `json:"basis,omitempty"`
	Lines []int `json:"lines,omitempty"`
	// Paid is the part of Basis that was paid with points and earned nothing, Discount what was taken off it and earned all the
	// same.
	Paid     int64 `json:"paid,omitempty"`
	Discount int64 `json:"discount,omitempty"`
	// Carried is the amount that was carried over from earlier purchases, Remainder what is carried on.
	Carried   int64  `json:"carried,omitempty"`
	Remainder *int64 `json:"remainder,omitempty"`
}

// RuleID is the rule, nil where a tier did it.
func (o Outcome) RuleID() *id.Rule {
	if o.Tier != nil {
		return nil
	}
	return &o.Rule
}

// Set is the published versions of all rules, ready to be asked.
type Set struct {
	zone *time.Location
	// leapOnMarch1 tells that birthdays on 29 February are on 1 March in other years.
	leapOnMarch1 bool
	byRule       map[string][][]*Version
	version      map[id.Rule][]*Version
	lives        map[id.Rule]Life
	// spans are the counters that a rule has.
	spans     map[id.Rule][]Span
	published time.Time
}

// WithLeapDay says when birthdays on 29 February are in other years: on 1 March, or else on 28 February. It returns the set.
func (s *Set) WithLeapDay(onMarch1 bool) *Set {
	s.leapOnMarch1 = onMarch1
	return s
}

// NewSet compiles versions; those not published are left out. lives says of rules whether they were paused or ended; zone is
// the program's. It returns an error for a condition that does not compile, which saving a rule prevents.
func NewSet(versions []Version, lives map[id.Rule]Life, zone *time.Location) (*Set, error) {
	set := &Set{
		zone: zone, lives: lives, byRule: map[string][][]*Version{}, version: map[id.Rule][]*Version{}, spans: map[id.Rule][]Span{},
	}
	for i := range versions {
		version := versions[i]
		if version.PublishedAt == nil {
			continue
		}
		if version.Condition != "" {
			compiled, err := compile(version.Trigger, version.Condition)
			if err != nil {
				return nil, err
			}
			version.condition = compiled
		}
		if per := version.Award.PerAmount; per != nil && per.LineCondition != "" {
			compiled, err := compileLine(per.LineCondition)
			if err != nil {
				return nil, err
			}
			version.lineCondition = compiled
		}
		for _, one := range version.Spans() {
			if !slices.Contains(set.spans[version.Rule], one) {
				set.spans[version.Rule] = append(set.spans[version.Rule], one)
			}
		}
		if version.PublishedAt.After(set.published) {
			set.published = *version.PublishedAt
		}
		set.version[version.Rule] = append(set.version[version.Rule], &version)
	}
	for _, versions := range set.version {
		slices.SortFunc(versions, func(a, b *Version) int { return cmp.Compare(b.Number, a.Number) })
		// The trigger may change between versions: the rule is considered under each of its triggers.
		var seen []string
		for _, version := range versions {
			if !slices.Contains(seen, version.Trigger) {
				seen = append(seen, version.Trigger)
				set.byRule[version.Trigger] = append(set.byRule[version.Trigger], versions)
			}
		}
	}
	return set, nil
}

// PublishedAt is when the last of them was published.
func (s *Set) PublishedAt() time.Time { return s.published }

// Version returns a published version; false if there is none.
func (s *Set) Version(rule id.Rule, number int) (*Version, bool) {
	versions := s.version[rule]
	i := slices.IndexFunc(versions, func(version *Version) bool { return version.Number == number })
	if i < 0 {
		return nil, false
	}
	return versions[i], true
}

// remembered is how long after its end a rule is still considered, so that whoever asks why is told that it is over.
const remembered = 90 * 24 * time.Hour

// over tells whether the version ended so long before t that nobody asks for it any more.
func (s *Set) over(version *Version, t time.Time) bool {
	long := t.Add(-remembered)
	ended := s.lives[version.Rule].EndedAt
	return ended != nil && ended.Before(long) || version.EndsAt != nil && version.EndsAt.Before(long)
}

// Serving returns the versions that judge the fact, one a rule, by priority downwards, then by id. Rules that ended more than 90
// days before the fact occurred are left out.
func (s *Set) Serving(fact Fact) []*Version {
	var serving []*Version
	for _, versions := range s.byRule[fact.Type] {
		i := slices.IndexFunc(versions, func(version *Version) bool {
			return !fact.RecordedAt.Before(*version.PublishedAt) &&
				(version.EffectiveFrom == nil || !fact.OccurredAt.Before(*version.EffectiveFrom))
		})
		if i >= 0 && versions[i].Trigger == fact.Type && !s.over(versions[i], fact.OccurredAt) {
			serving = append(serving, versions[i])
		}
	}
	slices.SortFunc(serving, func(a, b *Version) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), id.Compare(a.Rule, b.Rule))
	})
	return serving
}

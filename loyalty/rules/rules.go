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

// PerAmount gives Points for every Every minor units of the purchase's total; Rounding decides about the last, partly
// filled one.
type PerAmount struct {
	Points   int64          `json:"points"`
	Every    int64          `json:"every"`
	Rounding value.Rounding `json:"rounding"`
}

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
	Priority int        `json:"priority"`
	// EffectiveFrom is the occurredAt from which this version serves; nil: the beginning of time.
	EffectiveFrom *time.Time `json:"effectiveFrom"`
	// PublishedAt is the recordedAt from which it does; nil: a draft.
	PublishedAt *time.Time `json:"publishedAt"`

	condition *condition
}

// Member is what a rule may know of the member.
type Member struct {
	Tier       string
	JoinedAt   time.Time
	Locale     string
	Attributes map[string]string
	// BirthDate is nil where it is not known.
	BirthDate *value.Date
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
	Attributes map[string]string
	// Number is 1 for the member's first recorded fact of this type, 2 for the second, and so on.
	Number int64
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
	RulePaused      Reason = "PAUSED"
	RuleEnded       Reason = "ENDED"
)

// Outcome is what one rule that was considered did, as it is stored for ever.
type Outcome struct {
	Rule    id.Rule `json:"rule"`
	Version int     `json:"version"`
	Status  Status  `json:"status"`
	Reason  Reason  `json:"reason"`
	// Detail completes the reason, e.g. why a condition could not be evaluated.
	Detail string `json:"detail,omitempty"`
	// Desired is what the award would be, Granted what it is.
	Desired int64 `json:"desired,omitempty"`
	Granted int64 `json:"granted,omitempty"`
	// Qualifying is how many of the granted points count towards tiers.
	Qualifying int64 `json:"qualifying,omitempty"`
	// Basis is the amount in minor units on which the award stands and by whose share a return takes it back.
	Basis int64 `json:"basis,omitempty"`
	// Paid is the part of Basis that was paid with points and earned nothing.
	Paid int64 `json:"paid,omitempty"`
}

// Set is the published versions of all rules, ready to be asked.
type Set struct {
	zone    *time.Location
	byRule  map[string][][]*Version
	version map[id.Rule][]*Version
	lives   map[id.Rule]Life
}

// NewSet compiles versions; those not published are left out. lives says of rules whether they were paused or ended; zone is
// the program's. It returns an error for a condition that does not compile, which saving a rule prevents.
func NewSet(versions []Version, lives map[id.Rule]Life, zone *time.Location) (*Set, error) {
	set := &Set{zone: zone, lives: lives, byRule: map[string][][]*Version{}, version: map[id.Rule][]*Version{}}
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

// Version returns a published version; false if there is none.
func (s *Set) Version(rule id.Rule, number int) (*Version, bool) {
	versions := s.version[rule]
	i := slices.IndexFunc(versions, func(version *Version) bool { return version.Number == number })
	if i < 0 {
		return nil, false
	}
	return versions[i], true
}

// serving returns the versions that judge the fact, one a rule, by priority downwards, then by id.
func (s *Set) serving(fact Fact) []*Version {
	var serving []*Version
	for _, versions := range s.byRule[fact.Type] {
		i := slices.IndexFunc(versions, func(version *Version) bool {
			return !fact.RecordedAt.Before(*version.PublishedAt) &&
				(version.EffectiveFrom == nil || !fact.OccurredAt.Before(*version.EffectiveFrom))
		})
		if i >= 0 && versions[i].Trigger == fact.Type {
			serving = append(serving, versions[i])
		}
	}
	slices.SortFunc(serving, func(a, b *Version) int {
		return cmp.Or(cmp.Compare(b.Priority, a.Priority), id.Compare(a.Rule, b.Rule))
	})
	return serving
}

package loyalty

import (
	"time"

	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
)

// What a referral policy says that does not say it.
var (
	defaultReferralWithin  = value.Period{Days: 30}
	defaultReferralPending = value.Period{Days: 14}
)

// maximumReferralsPerMonth bounds a cap that can be set.
const maximumReferralsPerMonth = 1_000_000

// ReferralPolicy is what inviting is worth to those who join while it is in force.
type ReferralPolicy struct {
	// Version counts from 1.
	Version        int
	ReferrerPoints int64
	RefereePoints  int64
	// Minimum is what a purchase must be worth, in minor units of Currency; nil: more than nothing.
	Minimum  *int64
	Currency value.Currency
	// Within is how long after joining a purchase counts.
	Within value.Period
	// PendingFor is how long after the purchase points cannot be spent, and a return takes them back.
	PendingFor value.Period
	// MaxPerMonth is how many of a member's referrals are rewarded that qualify in the same month of the program's zone; nil:
	// there is no limit.
	MaxPerMonth *int
}

// MinimumPurchase is what a purchase must be worth, nil: more than nothing.
func (p *ReferralPolicy) MinimumPurchase() *value.Money {
	if p.Minimum == nil {
		return nil
	}
	return &value.Money{Minor: *p.Minimum, Currency: p.Currency}
}

// ReferralPolicyInput is a referral policy to be set; see ReferralPolicy. Without Within it is 30 days, without PendingFor 14.
type ReferralPolicyInput struct {
	ReferrerPoints  int64
	RefereePoints   int64
	MinimumPurchase *value.MoneyInput
	Within          *value.Period
	MaxPerMonth     *int
	PendingFor      *value.Period
}

// policy checks the input, as the field referral of one, and completes it.
func (i ReferralPolicyInput) policy(problems *problem.Problems, settings program.Program) *ReferralPolicy {
	made := &ReferralPolicy{
		ReferrerPoints: i.ReferrerPoints, RefereePoints: i.RefereePoints, Currency: settings.Currency, Within: defaultReferralWithin,
		PendingFor: defaultReferralPending, MaxPerMonth: i.MaxPerMonth,
	}
	for field, points := range map[string]int64{"referrerPoints": i.ReferrerPoints, "refereePoints": i.RefereePoints} {
		if points < 0 || points > value.MaximumPoints {
			problems.Add(problem.InvalidPoints, []string{"referral", field}, "A referral gives 0 to %d points.", int64(value.MaximumPoints))
		}
	}
	if i.MinimumPurchase != nil {
		minimum := money(problems, &rulebook{Program: settings}, *i.MinimumPurchase, "referral", "minimumPurchase")
		if minimum < 0 {
			problems.Add(problem.InvalidAmount, []string{"referral", "minimumPurchase", "amount"}, "A purchase is worth nothing or more.")
		}
		// Nothing is what there is without one.
		if minimum > 0 {
			made.Minimum = &minimum
		}
	}
	if i.Within != nil {
		made.Within = *i.Within
		if !mayLast(made.Within) {
			problems.Add(problem.InvalidPolicy, []string{"referral", "within"}, "A purchase counts for more than nothing and at most %d years.", maximumWait)
		}
	}
	if i.PendingFor != nil {
		made.PendingFor = *i.PendingFor
		if made.PendingFor != (value.Period{}) && !mayLast(made.PendingFor) {
			problems.Add(problem.InvalidPolicy, []string{"referral", "pendingFor"}, "Points are pending for at most %d years.", maximumWait)
		}
	}
	if i.MaxPerMonth != nil && (*i.MaxPerMonth < 1 || *i.MaxPerMonth > maximumReferralsPerMonth) {
		problems.Add(problem.InvalidPolicy, []string{"referral", "maxPerMonth"}, "From 1 to %d are rewarded in a month; without it there is no limit.", maximumReferralsPerMonth)
	}
	return made
}

// said is the policy as the audit keeps it; nil if there is none.
func (p *ReferralPolicy) said() any {
	if p == nil {
		return nil
	}
	said := map[string]any{
		"referrerPoints": p.ReferrerPoints, "refereePoints": p.RefereePoints, "within": p.Within.String(), "pendingFor": p.PendingFor.String(),
	}
	if p.Minimum != nil {
		said["minimumPurchase"] = *p.Minimum
	}
	if p.MaxPerMonth != nil {
		said["maxPerMonth"] = *p.MaxPerMonth
	}
	return said
}

// referralPolicyRow is one version of the policy; without points inviting is worth nothing from then on.
type referralPolicyRow struct {
	Version        int           `db:"version"`
	Since          time.Time     `db:"since"`
	ReferrerPoints *int64        `db:"referrer_points"`
	RefereePoints  *int64        `db:"referee_points"`
	Minimum        *int64        `db:"minimum"`
	Within         *value.Period `db:"within"`
	PendingFor     *value.Period `db:"pending_for"`
	MaxPerMonth    *int          `db:"max_per_month"`
}

func (r referralPolicyRow) policy(currency value.Currency) *ReferralPolicy {
	if r.ReferrerPoints == nil {
		return nil
	}
	return &ReferralPolicy{
		Version: r.Version, ReferrerPoints: *r.ReferrerPoints, RefereePoints: *r.RefereePoints, Minimum: r.Minimum, Currency: currency,
		Within: *r.Within, PendingFor: *r.PendingFor, MaxPerMonth: r.MaxPerMonth,
	}
}

// next is the version that comes after those before it at an instant; a clock that was set back does not change their order.
func (p *ReferralPolicy) next(before []referralPolicyRow, now time.Time) referralPolicyRow {
	row := referralPolicyRow{Version: len(before) + 1, Since: now}
	if len(before) > 0 && row.Since.Before(before[len(before)-1].Since) {
		row.Since = before[len(before)-1].Since
	}
	if p != nil {
		row.ReferrerPoints, row.RefereePoints, row.Minimum = &p.ReferrerPoints, &p.RefereePoints, p.Minimum
		row.Within, row.PendingFor, row.MaxPerMonth = &p.Within, &p.PendingFor, p.MaxPerMonth
	}
	return row
}

// referralsAt is the referral policy in force at t, nil: there was none.
func (b *rulebook) referralsAt(t time.Time) *ReferralPolicy {
	var policy *ReferralPolicy
	for _, row := range b.referrals {
		if !row.Since.After(t) {
			policy = row.policy(b.Currency)
		}
	}
	return policy
}

// inForce is the newest referral policy, nil: there is none.
func inForce(rows []referralPolicyRow, currency value.Currency) *ReferralPolicy {
	if len(rows) == 0 {
		return nil
	}
	return rows[len(rows)-1].policy(currency)
}

// ReferralPolicy is a version of the referral policy; nil if inviting was worth nothing by it.
func (p *Posting) ReferralPolicy(version int) *ReferralPolicy {
	for _, row := range p.book.referrals {
		if row.Version == version {
			return row.policy(p.book.Currency)
		}
	}
	return nil
}

// ExpiresAt is when points lapse that were earned at an instant and can be spent from another one on, by the policy that is in
// force when they are recorded; nil: never, as far as is known.
func (p *Posting) ExpiresAt(earnedAt, availableAt, recordedAt time.Time) *time.Time {
	policy, _ := p.book.terms.At(recordedAt).InForce()
	return policy.ExpiresAt(earnedAt, &availableAt, p.book.zone)
}

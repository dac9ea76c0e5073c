package loyalty

import (
	"context"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

// TierPolicy says how qualifying points count and how long tiers last.
type TierPolicy struct {
	Period tiers.Period
	// Months is how many ROLLING looks back; nil with other periods.
	Months    *int
	Validity  value.Period
	Start     tiers.Start
	Downgrade tiers.Downgrade
	// Grace is nil for none.
	Grace *value.Period
}

// TierPolicyInput is a policy of tiers; what is nil is as a new program has it.
type TierPolicyInput struct {
	Period    tiers.Period
	Months    *int
	Validity  *value.Period
	Start     *tiers.Start
	Downgrade *tiers.Downgrade
	Grace     *value.Period
}

// maximumMonths bounds how far a rolling window looks back.
const maximumMonths = 120

// tierPolicyOf is the policy as it was set.
func tierPolicyOf(policy tiers.Policy) TierPolicy {
	said := TierPolicy{Period: policy.Period, Validity: policy.Validity, Start: policy.Start, Downgrade: policy.Downgrade}
	if policy.Period == tiers.Rolling {
		said.Months = &policy.Months
	}
	if policy.Grace != (value.Period{}) {
		said.Grace = &policy.Grace
	}
	return said
}

// policy adds what is wrong with the input, as the field tierPolicy, and returns the policy that it makes.
func (i TierPolicyInput) policy(problems *problem.Problems) TierPolicy {
	policy := tierPolicyOf(tiers.DefaultPolicy(time.UTC))
	wrong := func(field, format string, arguments ...any) {
		problems.Add(problem.InvalidPolicy, []string{"tierPolicy", field}, format, arguments...)
	}
	policy.Period = i.Period
	switch {
	case i.Period != tiers.Rolling:
		policy.Months = nil
		if i.Months != nil {
			wrong("months", "Only ROLLING counts months.")
		}
	case i.Months != nil:
		policy.Months = i.Months
		if *i.Months < 1 || *i.Months > maximumMonths {
			wrong("months", "1 to %d months are counted.", maximumMonths)
		}
	}
	if i.Validity != nil {
		policy.Validity = *i.Validity
		if !mayLast(policy.Validity) || shorter(policy.Validity, value.Months(1)) {
			wrong("validity", "A tier lasts at least a month and at most %d years.", maximumWait)
		}
	}
	if i.Start != nil {
		policy.Start = *i.Start
	}
	if i.Downgrade != nil {
		policy.Downgrade = *i.Downgrade
	}
	if i.Grace != nil && *i.Grace != (value.Period{}) {
		policy.Grace = i.Grace
		if !shorter(*i.Grace, policy.Validity) {
			wrong("grace", "A grace is shorter than the validity.")
		}
	}
	return policy
}

// shorter compares lengths of time from the beginning of the shortest month.
func shorter(a, b value.Period) bool {
	from := time.Date(2001, time.February, 1, 0, 0, 0, 0, time.UTC)
	return a.After(from, time.UTC).Before(b.After(from, time.UTC))
}

// said is the policy as the audit keeps it.
func (p TierPolicy) said() map[string]any {
	said := map[string]any{"period": p.Period, "validity": p.Validity.String(), "start": p.Start, "downgrade": p.Downgrade}
	if p.Months != nil {
		said["months"] = *p.Months
	}
	if p.Grace != nil {
		said["grace"] = p.Grace.String()
	}
	return said
}

// TiersTx reads all versions of the ladder and of the policy of tiers. A new program counts the last 12 months and keeps a tier
// for 12 months.
func TiersTx(ctx context.Context, q postgres.Runner, zone *time.Location) (tiers.Terms, error) {
	ladders, err := selectLadders(ctx, q)
	if err != nil {
		return tiers.Terms{}, err
	}
	terms := tiers.Terms{Ladders: ladders, Policies: []tiers.Policy{tiers.DefaultPolicy(zone)}}
	rows, err := selectTierPolicies(ctx, q)
	for _, row := range rows {
		terms.Policies = append(terms.Policies, row.policy(zone))
	}
	return terms, err
}

// newSince is when a version comes into force that is made now: behind the version before it and behind all that was recorded
// so far, also where clocks differ or stand.
func newSince(ctx context.Context, tx *postgres.Tx, before time.Time) (time.Time, error) {
	since := tx.Now
	if !since.After(before) {
		since = before.Add(time.Microsecond)
	}
	recorded, err := selectRecordedUntil(ctx, tx)
	if err != nil {
		return since, err
	}
	if recorded != nil && !since.After(*recorded) {
		since = recorded.Add(time.Microsecond)
	}
	return since, nil
}

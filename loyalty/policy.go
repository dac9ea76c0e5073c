package loyalty

import (
	"context"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// TermsTx reads what all versions of the policies say. A new program's points never lapse, and returns may leave a debt.
func TermsTx(ctx context.Context, q postgres.Runner, zone *time.Location) (ledger.Terms, error) {
	terms := ledger.Terms{Expiry: []lots.Expiry{{Mode: lots.Never}}, Returns: []lots.ReturnPolicy{lots.MayGoNegative}, Zone: zone}
	versions, err := selectPolicies(ctx, q)
	for _, row := range versions {
		terms.Expiry = append(terms.Expiry, row.expiry())
		terms.Returns = append(terms.Returns, row.Return)
	}
	return terms, err
}

// ExpiryPolicy says how points lapse. After goes with AFTER_EARNING, AFTER_ACTIVATION and INACTIVITY, RoundUpTo with the first
// two of them, On with ON_DATE.
type ExpiryPolicy struct {
	Mode      lots.ExpiryMode  `db:"expiry_mode"`
	After     *value.Period    `db:"expiry_after"`
	RoundUpTo *lots.PeriodUnit `db:"expiry_round_up_to"`
	On        *value.Date      `db:"expiry_on"`
}

// maximumWait bounds how long points live and are pending, in years.
const maximumWait = 100

// check adds what is wrong with the policy, as the field expiry of an input.
func (p ExpiryPolicy) check(problems *problem.Problems, now time.Time) {
	counts := p.Mode == lots.AfterEarning || p.Mode == lots.AfterActivation
	wrong := func(field, format string, arguments ...any) {
		problems.Add(problem.InvalidPolicy, []string{"expiry", field}, format, arguments...)
	}
	switch waits := counts || p.Mode == lots.Inactivity; {
	case waits && p.After == nil:
		wrong("after", "Say after which time points lapse.")
	case waits && !mayLast(*p.After):
		wrong("after", "Points lapse after more than nothing and at most %d years.", maximumWait)
	case !waits && p.After != nil:
		wrong("after", "With %s, points do not lapse after a time.", p.Mode)
	}
	if p.RoundUpTo != nil && !counts {
		wrong("roundUpTo", "Only what lapses some time after it was earned or activated is rounded up.")
	}
	switch dated := p.Mode == lots.OnDate; {
	case dated && p.On == nil:
		wrong("on", "Say on which day points count last.")
	case dated && p.On.Year > now.Year()+maximumWait:
		wrong("on", "The day lies at most %d years ahead.", maximumWait)
	case !dated && p.On != nil:
		wrong("on", "With %s, points do not lapse on a day.", p.Mode)
	}
}

// mayLast tells whether a time is more than nothing and not beyond maximumWait.
func mayLast(period value.Period) bool {
	end := period.After(time.Time{}, time.UTC)
	return end.After(time.Time{}) && !end.After(value.Period{Years: maximumWait}.After(time.Time{}, time.UTC))
}

// said is the policy as the audit keeps it.
func (p ExpiryPolicy) said() map[string]any {
	said := map[string]any{"mode": p.Mode}
	if p.After != nil {
		said["after"] = p.After.String()
	}
	if p.RoundUpTo != nil {
		said["roundUpTo"] = *p.RoundUpTo
	}
	if p.On != nil {
		said["on"] = p.On.String()
	}
	return said
}

// policyOf is the policy as it was set.
func policyOf(expiry lots.Expiry) ExpiryPolicy {
	policy := ExpiryPolicy{Mode: expiry.Mode}
	if expiry.After != (value.Period{}) {
		policy.After = &expiry.After
	}
	if expiry.RoundUpTo != "" {
		policy.RoundUpTo = &expiry.RoundUpTo
	}
	if expiry.On != (value.Date{}) {
		policy.On = &expiry.On
	}
	return policy
}

func (r policyRow) expiry() lots.Expiry {
	policy := lots.Expiry{Mode: r.Mode, Since: r.Since}
	if r.After != nil {
		policy.After = *r.After
	}
	if r.RoundUpTo != nil {
		policy.RoundUpTo = *r.RoundUpTo
	}
	if r.On != nil {
		policy.On = *r.On
	}
	return policy
}

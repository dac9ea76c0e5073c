package loyalty

import (
	"context"
	"time"

	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

// tierPolicyRow is one version of the policy of tiers.
type tierPolicyRow struct {
	Since     time.Time       `db:"since"`
	Period    tiers.Period    `db:"period"`
	Months    *int            `db:"months"`
	Validity  value.Period    `db:"validity"`
	Start     tiers.Start     `db:"start"`
	Downgrade tiers.Downgrade `db:"downgrade"`
	Grace     value.Period    `db:"grace"`
}

func (r tierPolicyRow) policy(zone *time.Location) tiers.Policy {
	policy := tiers.Policy{
		Since: r.Since, Period: r.Period, Validity: r.Validity, Start: r.Start, Downgrade: r.Downgrade, Grace: r.Grace, Zone: zone,
	}
	if r.Months != nil {
		policy.Months = *r.Months
	}
	return policy
}

// selectTierPolicies reads all versions, oldest first.
func selectTierPolicies(ctx context.Context, q postgres.Runner) ([]tierPolicyRow, error) {
	var rows []tierPolicyRow
	err := q.Select(ctx, &rows, `
		select since, period, months, validity, start, downgrade, grace from tier_policies order by version`)
	return rows, err
}

func insertTierPolicy(ctx context.Context, tx *postgres.Tx, since time.Time, policy TierPolicy) error {
	grace := value.Period{}
	if policy.Grace != nil {
		grace = *policy.Grace
	}
	_, err := tx.Exec(ctx, `
		insert into tier_policies (version, since, period, months, validity, start, downgrade, grace)
		select coalesce(max(version), 0) + 1, $1, $2, $3, $4, $5, $6, $7 from tier_policies`,
		since, policy.Period, policy.Months, policy.Validity, policy.Start, policy.Downgrade, grace)
	return err
}

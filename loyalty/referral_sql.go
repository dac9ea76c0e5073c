package loyalty

import (
	"context"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// The advisory lock of whoever says who referred a member; any number that no other lock has.
const referralLockKey = 7_262_016

func lockReferrals(ctx context.Context, tx *postgres.Tx) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, referralLockKey)
	return err
}

// descends tells whether the member was referred by ancestor, directly or through others.
func descends(ctx context.Context, q postgres.Runner, member, ancestor id.Member) (bool, error) {
	var found bool
	err := q.Get(ctx, &found, `
		with recursive line as (
			select referred_by from members where id = $1
			union
			select members.referred_by from line join members on members.id = line.referred_by
		)
		select exists (select from line where referred_by = $2)`, member, ancestor)
	return found, err
}

func updateReferred(ctx context.Context, tx *postgres.Tx, m *Member) error {
	_, err := tx.Exec(ctx, `update members set referred_by = $2, referral_until = $3 where id = $1`, m.ID, m.ReferredBy, m.ReferralUntil)
	return err
}

// selectReferralPolicies reads all versions, oldest first.
func selectReferralPolicies(ctx context.Context, q postgres.Runner) ([]referralPolicyRow, error) {
	var rows []referralPolicyRow
	err := q.Select(ctx, &rows, `
		select version, since, referrer_points, referee_points, minimum, within, pending_for, max_per_month
		from referral_policies order by version`)
	return rows, err
}

func insertReferralPolicy(ctx context.Context, tx *postgres.Tx, row referralPolicyRow) error {
	_, err := tx.Exec(ctx, `
		insert into referral_policies (version, since, referrer_points, referee_points, minimum, within, pending_for, max_per_month)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		row.Version, row.Since, row.ReferrerPoints, row.RefereePoints, row.Minimum, row.Within, row.PendingFor, row.MaxPerMonth)
	return err
}

package referral

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const referralColumns = `referrer_id, id, referee_id, status, reason, policy_version, signals, referred_at, qualified_at, purchase_sequence,
	rewarded_at, final_at, referrer_points, referrer_sequence, referee_points, referee_sequence, taken_back, rejected_at, reviewed_at,
	reviewed_by, review_note, due`

// Scan takes signals from the database.
func (s *signals) Scan(source any) error {
	var texts pq.StringArray
	if err := texts.Scan(source); err != nil {
		return err
	}
	*s = make(signals, len(texts))
	for i, text := range texts {
		(*s)[i] = Signal(text)
	}
	return nil
}

func insertReferrals(ctx context.Context, tx *postgres.Tx, begun []*Referral) error {
	return postgres.ExecRows(ctx, tx, begun, `
		insert into referrals (referrer_id, id, referee_id, status, policy_version, signals, referred_at, due)
		select referrer_id, id, referee_id, status, policy_version, '{}', referred_at, due
		from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::int[], $6::timestamptz[], $7::boolean[])
			as begun (referrer_id, id, referee_id, status, policy_version, referred_at, due)`,
		func(r *Referral) any { return r.Referrer },
		func(r *Referral) any { return r.ID },
		func(r *Referral) any { return r.Referee },
		func(r *Referral) any { return string(r.Status) },
		func(r *Referral) any { return r.PolicyVersion },
		func(r *Referral) any { return r.ReferredAt },
		func(r *Referral) any { return r.Due },
	)
}

// touchReferrals makes the referrals of some statuses due by which members joined.
func touchReferrals(ctx context.Context, tx *postgres.Tx, referees []id.Member, in []Status) error {
	if len(referees) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `update referrals set due = true where referee_id = any($1::uuid[]) and status = any($2::text[]) and not due`,
		pq.StringArray(id.Texts(referees)), texts(in))
	return err
}

func selectDue(ctx context.Context, q postgres.Runner, limit int) ([]id.Referral, error) {
	var due []id.Referral
	err := q.Select(ctx, &due, `select id from referrals where due order by id limit $1`, limit)
	return due, err
}

// lockDue locks a referral that is due; none if it is not any more, or somebody else has locked it.
func lockDue(ctx context.Context, tx *postgres.Tx, wanted id.Referral) ([]*Referral, error) {
	var found []*Referral
	err := tx.Select(ctx, &found, `select `+referralColumns+` from referrals where id = $1 and due for update skip locked`, wanted)
	return found, err
}

func lockReferral(ctx context.Context, tx *postgres.Tx, wanted id.Referral) ([]*Referral, error) {
	var found []*Referral
	err := tx.Select(ctx, &found, `select `+referralColumns+` from referrals where id = $1 for update`, wanted)
	return found, err
}

func selectReferral(ctx context.Context, q postgres.Runner, wanted id.Referral) ([]*Referral, error) {
	var found []*Referral
	err := q.Select(ctx, &found, `select `+referralColumns+` from referrals where id = $1`, wanted)
	return found, err
}

func updateReferral(ctx context.Context, tx *postgres.Tx, r *Referral) error {
	_, err := tx.Exec(ctx, `
		update referrals set status = $3, reason = $4, signals = $5, qualified_at = $6, purchase_sequence = $7, rewarded_at = $8,
			final_at = $9, referrer_points = $10, referrer_sequence = $11, referee_points = $12, referee_sequence = $13,
			taken_back = $14, rejected_at = $15, reviewed_at = $16, reviewed_by = $17, review_note = $18, due = $19
		where referrer_id = $1 and id = $2`,
		r.Referrer, r.ID, r.Status, r.Reason, pq.StringArray(r.SignalNames()), r.QualifiedAt, r.PurchaseSequence, r.RewardedAt, r.FinalAt,
		r.ReferrerPoints, r.ReferrerSequence, r.RefereePoints, r.RefereeSequence, r.TakenBack, r.RejectedAt, r.ReviewedAt,
		r.ReviewedBy, r.Note, r.Due)
	return err
}

// countRewarded counts the referrer's other referrals that qualified in [from, to) and are rewarded.
func countRewarded(ctx context.Context, q postgres.Runner, r *Referral, from, to time.Time) (int, error) {
	var count int
	err := q.Get(ctx, &count, `
		select count(*) from referrals
		where referrer_id = $1 and id <> $2 and status = 'REWARDED' and qualified_at >= $3 and qualified_at < $4`, r.Referrer, r.ID, from, to)
	return count, err
}

// selectList reads referrals of some statuses, newest first, from the one before the given one on; the zero id: from the newest.
func selectList(ctx context.Context, q postgres.Runner, wanted []Status, before id.Referral, limit int) ([]*Referral, error) {
	var list []*Referral
	err := q.Select(ctx, &list, `
		select `+referralColumns+` from referrals
		where status = any($1::text[]) and ($2::uuid = '00000000-0000-0000-0000-000000000000' or id < $2)
		order by id desc
		limit $3`, texts(wanted), before, limit)
	return list, err
}

func countList(ctx context.Context, q postgres.Runner, wanted []Status) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from referrals where status = any($1::text[])`, texts(wanted))
	return count, err
}

func texts(wanted []Status) pq.StringArray {
	list := make(pq.StringArray, len(wanted))
	for i, one := range wanted {
		list[i] = string(one)
	}
	return list
}

// selectOf reads the referrals of referrers, each one's newest first, from the one before the given one on; the zero id: from
// the newest. limit is of each.
func selectOf(ctx context.Context, q postgres.Runner, referrers []id.Member, before id.Referral, limit int) ([]*Referral, error) {
	var list []*Referral
	err := q.Select(ctx, &list, `
		select `+referralColumns+`
		from unnest($1::uuid[]) as wanted (of_member)
		cross join lateral (
			select `+referralColumns+` from referrals
			where referrer_id = wanted.of_member and ($2::uuid = '00000000-0000-0000-0000-000000000000' or id < $2)
			order by id desc
			limit $3) as listed
		order by referrer_id, id desc`, pq.StringArray(id.Texts(referrers)), before, limit)
	return list, err
}

// selectSummaries reads the codes of members and what has come of their referrals.
func selectSummaries(ctx context.Context, q postgres.Runner, members []id.Member) ([]*Summary, error) {
	var summaries []*Summary
	err := q.Select(ctx, &summaries, `
		select members.id as member_id, members.referral_code, count(referrals.id) as joined,
			count(*) filter (where referrals.status = 'REWARDED') as rewarded,
			coalesce(sum(referrals.referrer_points), 0)::bigint as points_earned
		from members
		left join referrals on referrals.referrer_id = members.id
		where members.id = any($1::uuid[])
		group by members.id`, pq.StringArray(id.Texts(members)))
	return summaries, err
}

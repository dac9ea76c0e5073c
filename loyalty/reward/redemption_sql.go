package reward

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const redemptionColumns = `id, member_id, sequence, reward_id, reward_name, from_supply, voucher_code, redeemed_at, redeemed_by,
	expires_at, used_at, used_by, canceled_at, canceled_by, cancel_reason, cancel_sequence`

// insertRedemption keeps a redemption and makes its voucher's code known.
func insertRedemption(ctx context.Context, tx *postgres.Tx, r *Redemption) error {
	if _, err := tx.Exec(ctx, `
		insert into redemptions (id, member_id, sequence, reward_id, reward_name, from_supply, voucher_code, redeemed_at,
			redeemed_by, expires_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
		r.ID, r.Member, r.Sequence, r.RewardID, r.RewardName, r.FromSupply, r.VoucherCode, r.RedeemedAt, r.RedeemedBy,
		r.ExpiresAt); err != nil {
		return err
	}
	if r.VoucherCode == nil {
		return nil
	}
	_, err := tx.Exec(ctx, `insert into voucher_codes (code, member_id, sequence) values ($1, $2, $3)`, *r.VoucherCode, r.Member, r.Sequence)
	return err
}

// updateRedemption keeps that a redemption was used or canceled.
func updateRedemption(ctx context.Context, tx *postgres.Tx, r *Redemption) error {
	_, err := tx.Exec(ctx, `
		update redemptions set used_at = $3, used_by = $4, canceled_at = $5, canceled_by = $6, cancel_reason = $7,
			cancel_sequence = $8
		where member_id = $1 and sequence = $2`,
		r.Member, r.Sequence, r.UsedAt, r.UsedBy, r.CanceledAt, r.CanceledBy, r.CancelReason, r.CancelSequence)
	return err
}

// selectRedemptions reads redemptions by their ids; absent ones are left out.
func selectRedemptions(ctx context.Context, q postgres.Runner, wanted []id.Redemption) ([]*Redemption, error) {
	var redemptions []*Redemption
	err := q.Select(ctx, &redemptions, `select `+redemptionColumns+` from redemptions where id = any($1::uuid[])`,
		pq.StringArray(id.Texts(wanted)))
	return redemptions, err
}

// selectRedemptionOfCode reads the redemption that gave a voucher of that code; none if there is no such voucher.
func selectRedemptionOfCode(ctx context.Context, q postgres.Runner, code string) ([]*Redemption, error) {
	var redemptions []*Redemption
	err := q.Select(ctx, &redemptions, `
		select `+redemptionColumns+`
		from voucher_codes join redemptions using (member_id, sequence)
		where code = $1`, code)
	return redemptions, err
}

// selectListed reads redemptions of members, each one's newest first, from the one before the given number on; 0: from the
// newest. limit is of each.
func selectListed(ctx context.Context, q postgres.Runner, members []id.Member, before int64, limit int) ([]*Redemption, error) {
	var redemptions []*Redemption
	err := q.Select(ctx, &redemptions, `
		select `+redemptionColumns+`
		from unnest($1::uuid[]) as wanted (of_member)
		cross join lateral (
			select `+redemptionColumns+`
			from redemptions
			where member_id = wanted.of_member and ($2::bigint = 0 or sequence < $2)
			order by sequence desc
			limit $3) as listed
		order by member_id, sequence desc`, pq.StringArray(id.Texts(members)), before, limit)
	return redemptions, err
}

func countRedemptions(ctx context.Context, q postgres.Runner, members []id.Member) (map[id.Member]int, error) {
	var rows []struct {
		Member id.Member `db:"member_id"`
		Count  int       `db:"count"`
	}
	err := q.Select(ctx, &rows, `
		select member_id, count(*) as count from redemptions where member_id = any($1::uuid[]) group by member_id`,
		pq.StringArray(id.Texts(members)))
	counts := make(map[id.Member]int, len(rows))
	for _, row := range rows {
		counts[row.Member] = row.Count
	}
	return counts, err
}

func selectNames(ctx context.Context, q postgres.Runner, entries []id.Entry) (map[id.Entry]*string, error) {
	members, err := postgres.Array(entries, func(e id.Entry) any { return e.Member })
	if err != nil {
		return nil, err
	}
	sequences, err := postgres.Array(entries, func(e id.Entry) any { return e.Sequence })
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"sequence"`
		Name     string    `db:"reward_name"`
	}
	if err := q.Select(ctx, &rows, `
		select member_id, sequence, reward_name
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join redemptions using (member_id, sequence)`, members, sequences); err != nil {
		return nil, err
	}
	names := make(map[id.Entry]*string, len(rows))
	for _, row := range rows {
		names[id.Entry{Member: row.Member, Sequence: row.Sequence}] = &row.Name
	}
	return names, nil
}

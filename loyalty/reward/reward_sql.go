package reward

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const rewardColumns = `id, name, kind, cost, (supply - taken)::int as stock, per_member_limit, min_tier_id, available_from,
	available_until, voucher_valid_for, created_at, archived_at`

func insertReward(ctx context.Context, tx *postgres.Tx, r *Reward) error {
	_, err := tx.Exec(ctx, `
		insert into rewards (id, name, kind, cost, supply, per_member_limit, min_tier_id, available_from, available_until,
			voucher_valid_for, created_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
		r.ID, r.Name, r.Kind, r.Cost, r.Stock, r.PerMemberLimit, r.MinTierID, r.AvailableFrom, r.AvailableUntil,
		r.VoucherValidFor, r.CreatedAt)
	return err
}

// lockReward reads a reward that nobody takes or changes until the transaction ends; none if there is no such reward.
func lockReward(ctx context.Context, tx *postgres.Tx, wanted id.Reward) ([]*Reward, error) {
	var rewards []*Reward
	err := tx.Select(ctx, &rewards, `select `+rewardColumns+` from rewards where id = $1 for update`, wanted)
	return rewards, err
}

func updateReward(ctx context.Context, tx *postgres.Tx, r *Reward) error {
	_, err := tx.Exec(ctx, `
		update rewards set name = $2, cost = $3, supply = taken + $4::bigint, per_member_limit = $5, min_tier_id = $6,
			available_from = $7, available_until = $8, voucher_valid_for = $9, archived_at = $10
		where id = $1`,
		r.ID, r.Name, r.Cost, r.Stock, r.PerMemberLimit, r.MinTierID, r.AvailableFrom, r.AvailableUntil, r.VoucherValidFor,
		r.ArchivedAt)
	return err
}

// takeFromSupply takes one of a reward; false if none is left.
func takeFromSupply(ctx context.Context, tx *postgres.Tx, wanted id.Reward) (bool, error) {
	rows, err := tx.Exec(ctx, `
		update rewards set taken = taken + 1 where id = $1 and (supply is null or taken < supply)`, wanted)
	return rows == 1, err
}

func giveToSupply(ctx context.Context, tx *postgres.Tx, wanted id.Reward) error {
	_, err := tx.Exec(ctx, `update rewards set taken = taken - 1 where id = $1`, wanted)
	return err
}

// selectRewards reads rewards by their ids; absent ones are left out.
func selectRewards(ctx context.Context, q postgres.Runner, wanted []id.Reward) ([]*Reward, error) {
	var rewards []*Reward
	err := q.Select(ctx, &rewards, `select `+rewardColumns+` from rewards where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return rewards, err
}

// selectMatching reads the rewards that the filter lets through, but for whether they can be had, in the order of their ids
// behind the one given.
func selectMatching(ctx context.Context, q postgres.Runner, filter Filter, after id.Reward, limit int) ([]*Reward, error) {
	var rewards []*Reward
	err := q.Select(ctx, &rewards, `
		select `+rewardColumns+`
		from rewards
		where id > $1 and (archived_at is not null) = $2 and ($3::text is null or kind = $3)
		order by id
		limit $4`, after, filter.Archived, filter.Kind, limit)
	return rewards, err
}

// selectHad counts how many of each of the rewards a member has had, canceled ones aside.
func selectHad(ctx context.Context, q postgres.Runner, member id.Member, rewards []*Reward) (map[id.Reward]int, error) {
	var limited []id.Reward
	for _, one := range rewards {
		if one.PerMemberLimit != nil {
			limited = append(limited, one.ID)
		}
	}
	had := map[id.Reward]int{}
	if len(limited) == 0 {
		return had, nil
	}
	var rows []struct {
		Reward id.Reward `db:"reward_id"`
		Count  int       `db:"count"`
	}
	err := q.Select(ctx, &rows, `
		select reward_id, count(*) as count
		from redemptions
		where member_id = $1 and reward_id = any($2::uuid[]) and canceled_at is null
		group by reward_id`, member, pq.StringArray(id.Texts(limited)))
	for _, row := range rows {
		had[row.Reward] = row.Count
	}
	return had, err
}

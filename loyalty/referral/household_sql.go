package referral

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

func insertHousehold(ctx context.Context, tx *postgres.Tx, h *Household) error {
	if _, err := tx.Exec(ctx, `insert into households (id, note, allowed_at, allowed_by) values ($1, $2, $3, $4)`,
		h.ID, h.Note, h.AllowedAt, h.AllowedBy); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `insert into household_members (member_id, household_id) select member_id, $2 from unnest($1::uuid[]) as listed (member_id)`,
		pq.StringArray(id.Texts(h.Members)), h.ID)
	return err
}

// touchBetween makes the referrals between members due that wait for somebody to look at them.
func touchBetween(ctx context.Context, tx *postgres.Tx, members []id.Member) error {
	_, err := tx.Exec(ctx, `
		update referrals set due = true
		where referrer_id = any($1::uuid[]) and referee_id = any($1::uuid[]) and status = 'UNDER_REVIEW' and not due`,
		pq.StringArray(id.Texts(members)))
	return err
}

// endHousehold tells whether the household was there and had not ended before.
func endHousehold(ctx context.Context, tx *postgres.Tx, wanted id.Household, by string) (bool, error) {
	changed, err := tx.Exec(ctx, `update households set ended_at = $2, ended_by = $3 where id = $1 and ended_at is null`, wanted, tx.Now, by)
	return changed > 0, err
}

const householdColumns = `id, note, allowed_at, allowed_by, ended_at, ended_by`

func selectHouseholds(ctx context.Context, q postgres.Runner, wanted []id.Household) ([]*Household, error) {
	var found []*Household
	if err := q.Select(ctx, &found, `select `+householdColumns+` from households where id = any($1::uuid[])`,
		pq.StringArray(id.Texts(wanted))); err != nil {
		return nil, err
	}
	return found, fillMembers(ctx, q, found)
}

// listHouseholds reads households, newest first, from the one before the given one on; the zero id: from the newest.
func listHouseholds(ctx context.Context, q postgres.Runner, before id.Household, limit int) ([]*Household, error) {
	var list []*Household
	if err := q.Select(ctx, &list, `
		select `+householdColumns+` from households
		where $1::uuid = '00000000-0000-0000-0000-000000000000' or id < $1
		order by id desc
		limit $2`, before, limit); err != nil {
		return nil, err
	}
	return list, fillMembers(ctx, q, list)
}

func fillMembers(ctx context.Context, q postgres.Runner, households []*Household) error {
	byID := make(map[id.Household]*Household, len(households))
	wanted := make([]id.Household, len(households))
	for i, one := range households {
		byID[one.ID], wanted[i] = one, one.ID
	}
	var rows []struct {
		Member    id.Member    `db:"member_id"`
		Household id.Household `db:"household_id"`
	}
	err := q.Select(ctx, &rows, `select member_id, household_id from household_members where household_id = any($1::uuid[]) order by member_id`,
		pq.StringArray(id.Texts(wanted)))
	for _, row := range rows {
		byID[row.Household].Members = append(byID[row.Household].Members, row.Member)
	}
	return err
}

func countHouseholds(ctx context.Context, q postgres.Runner) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from households`)
	return count, err
}

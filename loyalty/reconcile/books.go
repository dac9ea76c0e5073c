package reconcile

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
)

// books is all that is kept of one member, each kind of row by its number.
type books struct {
	check  *check
	member id.Member

	identity    *memberRow
	account     *ledger.Account
	activities  []activityRow
	evaluations []evaluationRow
	entries     []ledger.Entry
	lots        []lotRow
	draws       []drawRow
	debts       []debtRow
	holds       []holdRow
	confirms    []confirmationRow
	moves       []moveRow
	adjustments []ledger.Adjustment
	sold        []soldRow
	redemptions []redemptionRow
	referrals   []referralRow
	returned    []returnedRow
	remainders  []remainderRow
	absorptions []absorptionRow
	// keys are those of the activities, memberKeys those of the member, as far as there are any.
	keys       map[uuid.UUID]activityKeyRow
	memberKeys map[memberKey]id.Member
}

// read reads the books of members and of whoever else has rows in the range (after, through], in the order of ids.
func read(ctx context.Context, tx *postgres.Tx, members []memberRow, after, through id.Member) ([]*books, error) {
	found := map[id.Member]*books{}
	of := func(member id.Member) *books {
		one, ok := found[member]
		if !ok {
			one = &books{member: member, keys: map[uuid.UUID]activityKeyRow{}, memberKeys: map[memberKey]id.Member{}}
			found[member] = one
		}
		return one
	}
	for i := range members {
		of(members[i].ID).identity = &members[i]
	}
	for _, table := range []func() error{
		func() error {
			return fill(ctx, tx, selectAccounts, after, through, func(row ledger.Account) { of(row.Member).account = &row })
		},
		func() error {
			return fill(ctx, tx, selectActivities, after, through, func(row activityRow) {
				of(row.Member).activities = append(of(row.Member).activities, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectEvaluations, after, through, func(row evaluationRow) {
				of(row.Member).evaluations = append(of(row.Member).evaluations, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectEntries, after, through, func(row ledger.Entry) {
				of(row.Member).entries = append(of(row.Member).entries, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectLots, after, through, func(row lotRow) {
				of(row.Member).lots = append(of(row.Member).lots, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectDraws, after, through, func(row drawRow) {
				of(row.Member).draws = append(of(row.Member).draws, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectDebts, after, through, func(row debtRow) {
				of(row.Member).debts = append(of(row.Member).debts, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectHolds, after, through, func(row holdRow) {
				of(row.Member).holds = append(of(row.Member).holds, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectConfirmations, after, through, func(row confirmationRow) {
				of(row.Member).confirms = append(of(row.Member).confirms, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectMoves, after, through, func(row moveRow) {
				of(row.Member).moves = append(of(row.Member).moves, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectAdjustments, after, through, func(row ledger.Adjustment) {
				of(row.Member).adjustments = append(of(row.Member).adjustments, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectRedemptions, after, through, func(row redemptionRow) {
				of(row.Member).redemptions = append(of(row.Member).redemptions, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectReferrals, after, through, func(row referralRow) {
				of(row.Member).referrals = append(of(row.Member).referrals, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectSold, after, through, func(row soldRow) {
				of(row.Member).sold = append(of(row.Member).sold, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectReturned, after, through, func(row returnedRow) {
				of(row.Member).returned = append(of(row.Member).returned, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectRemainders, after, through, func(row remainderRow) {
				of(row.Member).remainders = append(of(row.Member).remainders, row)
			})
		},
		func() error {
			return fill(ctx, tx, selectAbsorptions, after, through, func(row absorptionRow) {
				of(row.Member).absorptions = append(of(row.Member).absorptions, row)
			})
		},
	} {
		if err := table(); err != nil {
			return nil, fmt.Errorf("read the books: %w", err)
		}
	}
	sorted := make([]*books, 0, len(found))
	for _, one := range found {
		sorted = append(sorted, one)
	}
	slices.SortFunc(sorted, func(a, b *books) int { return id.Compare(a.member, b.member) })
	if err := readActivityKeys(ctx, tx, sorted); err != nil {
		return nil, fmt.Errorf("read keys of facts: %w", err)
	}
	if err := readMemberKeys(ctx, tx, sorted); err != nil {
		return nil, fmt.Errorf("read keys of members: %w", err)
	}
	return sorted, nil
}

func fill[T any](ctx context.Context, tx *postgres.Tx, statement string, after, through id.Member, add func(T)) error {
	rows, err := selectRange[T](ctx, tx, statement, after, through)
	for _, row := range rows {
		add(row)
	}
	return err
}

func readActivityKeys(ctx context.Context, tx *postgres.Tx, all []*books) error {
	var wanted []uuid.UUID
	owners := map[uuid.UUID]*books{}
	for _, one := range all {
		for _, activity := range one.activities {
			hash, err := activity.key()
			if err != nil {
				return err
			}
			wanted = append(wanted, hash)
			owners[hash] = one
		}
	}
	keys, err := selectActivityKeys(ctx, tx, wanted)
	for _, key := range keys {
		owners[key.Hash].keys[key.Hash] = key
	}
	return err
}

// key is under what the fact's source and external id are found.
func (a activityRow) key() (uuid.UUID, error) {
	return idempotency.Hash([]string{a.Source, a.ExternalID})
}

func readMemberKeys(ctx context.Context, tx *postgres.Tx, all []*books) error {
	var wanted []memberKey
	owners := map[memberKey]*books{}
	for _, one := range all {
		for _, key := range one.expectedKeys() {
			wanted = append(wanted, key)
			owners[key] = one
		}
	}
	keys, err := selectMemberKeys(ctx, tx, wanted)
	for _, key := range keys {
		owners[key.memberKey].memberKeys[key.memberKey] = key.Member
	}
	return err
}

package ledger

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

const accountColumns = `member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, joined_at, tier_id, tier_since,
	tier_earned_id, tier_valid_until, tier_grace_until, tier_coming_id, tier_coming_at, tier_floor_id, tier_floor_until, review_at,
	ladder_version, qualifying, qualifying_until`

type memberLot struct {
	Member id.Member `db:"member_id"`
	lots.Lot
}

type memberDebt struct {
	Member id.Member `db:"member_id"`
	lots.Debt
}

func lockAccounts(ctx context.Context, tx *postgres.Tx, members []id.Member) ([]Account, error) {
	var accounts []Account
	err := tx.Select(ctx, &accounts, `
		select `+accountColumns+`
		from accounts
		where member_id = any($1::uuid[])
		order by member_id
		for update`, pq.StringArray(id.Texts(members)))
	return accounts, err
}

// selectOpenLots reads the lots of which something remains, and those that open holds have drawn on.
func selectOpenLots(ctx context.Context, q postgres.Runner, members []id.Member) ([]memberLot, error) {
	var open []memberLot
	err := q.Select(ctx, &open, `
		select member_id, sequence, points, remaining, earned_at, available_at, expires_at
		from lots
		where member_id = any($1::uuid[]) and open
		union all
		select lots.member_id, lots.sequence, lots.points, lots.remaining, lots.earned_at, lots.available_at, lots.expires_at
		from lots
		where not lots.open and (lots.member_id, lots.sequence) in (
			select hold_draws.member_id, hold_draws.lot_sequence
			from holds
			join hold_draws on hold_draws.member_id = holds.member_id and hold_draws.hold_sequence = holds.sequence
			where holds.member_id = any($1::uuid[]) and holds.open)`, pq.StringArray(id.Texts(members)))
	return open, err
}

func selectOpenDebts(ctx context.Context, q postgres.Runner, members []id.Member) ([]memberDebt, error) {
	var open []memberDebt
	err := q.Select(ctx, &open, `
		select member_id, sequence, points, remaining
		from debts
		where member_id = any($1::uuid[]) and open`, pq.StringArray(id.Texts(members)))
	return open, err
}

func insertEntries(ctx context.Context, tx *postgres.Tx, entries []Entry) error {
	return postgres.ExecRows(ctx, tx, entries, `
		insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, activity_sequence,
			adjustment_id, reverses, rule_id, rule_version, basis, qualifying, qualifies_at, expires_at, available_at, lapsed,
			shortfall, hold_sequence, operation_id)
		select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::timestamptz[],
			$7::timestamptz[], $8::bigint[], $9::uuid[], $10::bigint[], $11::uuid[], $12::int[], $13::bigint[],
			$14::bigint[], $15::timestamptz[], $16::timestamptz[], $17::timestamptz[], $18::bigint[], $19::bigint[], $20::bigint[],
			$21::uuid[])`,
		func(e Entry) any { return e.Member },
		func(e Entry) any { return e.Sequence },
		func(e Entry) any { return string(e.Kind) },
		func(e Entry) any { return e.Points },
		func(e Entry) any { return e.BalanceAfter },
		func(e Entry) any { return e.OccurredAt },
		func(e Entry) any { return e.RecordedAt },
		func(e Entry) any { return e.ActivitySequence },
		func(e Entry) any { return e.AdjustmentID },
		func(e Entry) any { return e.ReversesSequence },
		func(e Entry) any { return e.Rule },
		func(e Entry) any { return e.RuleVersion },
		func(e Entry) any { return e.Basis },
		func(e Entry) any { return e.Qualifying },
		func(e Entry) any { return e.QualifiesAt },
		func(e Entry) any { return e.ExpiresAt },
		func(e Entry) any { return e.AvailableAt },
		func(e Entry) any { return e.Lapsed },
		func(e Entry) any { return e.Shortfall },
		func(e Entry) any { return e.HoldSequence },
		func(e Entry) any { return e.OperationID },
	)
}

func insertLots(ctx context.Context, tx *postgres.Tx, made []memberLot) error {
	return postgres.ExecRows(ctx, tx, made, `
		insert into lots (member_id, sequence, points, remaining, earned_at, available_at, expires_at, open)
		select member_id, sequence, points, remaining, earned_at, available_at, expires_at, remaining > 0
		from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::timestamptz[])
			as made (member_id, sequence, points, remaining, earned_at, available_at, expires_at)`,
		func(lot memberLot) any { return lot.Member },
		func(lot memberLot) any { return lot.Sequence },
		func(lot memberLot) any { return lot.Points },
		func(lot memberLot) any { return lot.Remaining },
		func(lot memberLot) any { return lot.EarnedAt },
		func(lot memberLot) any { return lot.AvailableAt },
		func(lot memberLot) any { return lot.ExpiresAt },
	)
}

func updateLots(ctx context.Context, tx *postgres.Tx, drawn []memberLot) error {
	return postgres.ExecRows(ctx, tx, drawn, `
		update lots set remaining = drawn.remaining, open = drawn.remaining > 0, available_at = drawn.available_at,
			expires_at = drawn.expires_at
		from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::timestamptz[], $5::timestamptz[])
			as drawn (member_id, sequence, remaining, available_at, expires_at)
		where lots.member_id = drawn.member_id and lots.sequence = drawn.sequence`,
		func(lot memberLot) any { return lot.Member },
		func(lot memberLot) any { return lot.Sequence },
		func(lot memberLot) any { return lot.Remaining },
		func(lot memberLot) any { return lot.AvailableAt },
		func(lot memberLot) any { return lot.ExpiresAt },
	)
}

func insertDraws(ctx context.Context, tx *postgres.Tx, draws []draw) error {
	return postgres.ExecRows(ctx, tx, draws, `
		insert into draws (member_id, entry_sequence, lot_sequence, points, posted_by)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])`,
		func(one draw) any { return one.member },
		func(one draw) any { return one.entry },
		func(one draw) any { return one.lot },
		func(one draw) any { return one.points },
		func(one draw) any { return one.postedBy },
	)
}

func insertDebts(ctx context.Context, tx *postgres.Tx, owed []memberDebt) error {
	return postgres.ExecRows(ctx, tx, owed, `
		insert into debts (member_id, sequence, points, remaining, open)
		select member_id, sequence, points, remaining, remaining > 0
		from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[]) as owed (member_id, sequence, points, remaining)`,
		func(debt memberDebt) any { return debt.Member },
		func(debt memberDebt) any { return debt.Sequence },
		func(debt memberDebt) any { return debt.Points },
		func(debt memberDebt) any { return debt.Remaining },
	)
}

func updateDebts(ctx context.Context, tx *postgres.Tx, paid []memberDebt) error {
	return postgres.ExecRows(ctx, tx, paid, `
		update debts set remaining = paid.remaining, open = paid.remaining > 0
		from unnest($1::uuid[], $2::bigint[], $3::bigint[]) as paid (member_id, sequence, remaining)
		where debts.member_id = paid.member_id and debts.sequence = paid.sequence`,
		func(debt memberDebt) any { return debt.Member },
		func(debt memberDebt) any { return debt.Sequence },
		func(debt memberDebt) any { return debt.Remaining },
	)
}

func updateAccounts(ctx context.Context, tx *postgres.Tx, accounts []*Account) error {
	return postgres.ExecRows(ctx, tx, accounts, `
		update accounts set sequence = changed.sequence, recorded_at = changed.recorded_at, heard_at = changed.heard_at,
			balance = changed.balance, pending = changed.pending, held = changed.held, debt = changed.debt,
			next_change_at = changed.next_change_at, tier_id = changed.tier_id, tier_since = changed.tier_since,
			tier_valid_until = changed.tier_valid_until, ladder_version = changed.ladder_version,
			qualifying = changed.qualifying, qualifying_until = changed.qualifying_until, tier_earned_id = changed.tier_earned_id,
			tier_grace_until = changed.tier_grace_until, tier_coming_id = changed.tier_coming_id, tier_coming_at = changed.tier_coming_at,
			tier_floor_id = changed.tier_floor_id, tier_floor_until = changed.tier_floor_until, review_at = changed.review_at
		from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bigint[], $6::bigint[], $7::bigint[],
			$8::bigint[], $9::timestamptz[], $10::uuid[], $11::timestamptz[], $12::timestamptz[], $13::int[], $14::bigint[],
			$15::timestamptz[], $16::uuid[], $17::timestamptz[], $18::uuid[], $19::timestamptz[], $20::uuid[], $21::timestamptz[],
			$22::timestamptz[])
			as changed (member_id, sequence, recorded_at, heard_at, balance, pending, held, debt, next_change_at, tier_id,
				tier_since, tier_valid_until, ladder_version, qualifying, qualifying_until, tier_earned_id, tier_grace_until,
				tier_coming_id, tier_coming_at, tier_floor_id, tier_floor_until, review_at)
		where accounts.member_id = changed.member_id`,
		func(a *Account) any { return a.Member },
		func(a *Account) any { return a.Sequence },
		func(a *Account) any { return a.RecordedAt },
		func(a *Account) any { return a.HeardAt },
		func(a *Account) any { return a.Balance },
		func(a *Account) any { return a.Pending },
		func(a *Account) any { return a.Held },
		func(a *Account) any { return a.Debt },
		func(a *Account) any { return a.NextChangeAt },
		func(a *Account) any { return a.TierID },
		func(a *Account) any { return a.TierSince },
		func(a *Account) any { return a.TierValidUntil },
		func(a *Account) any { return a.LadderVersion },
		func(a *Account) any { return a.Qualifying },
		func(a *Account) any { return a.QualifyingUntil },
		func(a *Account) any { return a.TierEarnedID },
		func(a *Account) any { return a.TierGraceUntil },
		func(a *Account) any { return a.TierComingID },
		func(a *Account) any { return a.TierComingAt },
		func(a *Account) any { return a.TierFloorID },
		func(a *Account) any { return a.TierFloorUntil },
		func(a *Account) any { return a.ReviewAt },
	)
}

func selectLots(ctx context.Context, q postgres.Runner, member id.Member, sequences []int64) ([]lots.Lot, error) {
	var found []lots.Lot
	err := q.Select(ctx, &found, `
		select sequence, points, remaining, earned_at, available_at, expires_at
		from lots where member_id = $1 and sequence = any($2::bigint[])`, member, pq.Int64Array(sequences))
	return found, err
}

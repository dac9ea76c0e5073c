package loyalty

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// factsAtOnce is how many facts are judged in one go.
const factsAtOnce = 2_000

// pastFact is a fact with what it earned when it was recorded.
type pastFact struct {
	Activity
	Points     int64 `db:"points"`
	Qualifying int64 `db:"qualifying"`
}

// declareFacts opens a cursor over the facts that occurred in [from, to), but returns, and says how many they are.
func declareFacts(ctx context.Context, tx *postgres.Tx, from, to time.Time, attributes bool) (int64, error) {
	var total int64
	if err := tx.Get(ctx, &total, `
		select count(*) from activities where type <> 'RETURN' and occurred_at >= $1 and occurred_at < $2`, from, to); err != nil {
		return 0, err
	}
	// All of them will be read: a plan that is quick with the first ones would be slow.
	if _, err := tx.Exec(ctx, `set local cursor_tuple_fraction = 1`); err != nil {
		return 0, err
	}
	_, err := tx.Exec(ctx, `
		declare facts no scroll cursor for
		select member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, paid_with_points,
			case when $3::boolean then attributes else '{}' end as attributes,
			coalesce(points, 0) as points, coalesce(qualifying, 0) as qualifying
		from activities left join evaluations using (member_id, sequence)
		where type <> 'RETURN' and occurred_at >= $1 and occurred_at < $2
		order by occurred_at, recorded_at, member_id, sequence`, from, to, attributes)
	return total, err
}

func fetchFacts(ctx context.Context, tx *postgres.Tx) ([]pastFact, error) {
	facts := make([]pastFact, 0, factsAtOnce)
	err := tx.Select(ctx, &facts, fmt.Sprintf(`fetch %d from facts`, factsAtOnce))
	return facts, err
}

// selectLinesOf reads the lines of facts, each fact's in order.
func selectLinesOf(ctx context.Context, tx *postgres.Tx, facts []pastFact) (map[id.Activity][]purchaseLine, error) {
	wanted := make([]id.Activity, len(facts))
	for i, one := range facts {
		wanted[i] = one.ID()
	}
	members, sequences, err := pairs(wanted)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"sequence"`
		purchaseLine
	}
	err = tx.Select(ctx, &rows, `
		select member_id, sequence, line, id, sku, quantity, amount, discount, category, brand
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join purchase_lines using (member_id, sequence)
		order by member_id, sequence, line`, members, sequences)
	lines := make(map[id.Activity][]purchaseLine, len(facts))
	for _, row := range rows {
		of := id.Activity{Member: row.Member, Sequence: row.Sequence}
		lines[of] = append(lines[of], row.purchaseLine)
	}
	return lines, err
}

// eachUsed says what rules of counters awarded to each member for what occurred in [start, before), less what had been taken
// back by then.
func eachUsed(ctx context.Context, tx *postgres.Tx, counters []rules.Counter, start, before time.Time, visit func(ownCounter)) error {
	listed := make([]id.Rule, len(counters))
	for i, one := range counters {
		listed[i] = one.Rule
	}
	return each(ctx, tx, visit, `
		with awards as (
			select accruals.member_id, accruals.rule_id, accruals.points,
				coalesce(sum(reversals.lapsed + reversals.shortfall - reversals.points), 0)::bigint as reversed
			from entries as accruals
			left join entries as reversals on reversals.member_id = accruals.member_id and reversals.reverses = accruals.sequence
				and reversals.occurred_at < $3
			where accruals.kind = 'ACCRUAL' and accruals.rule_id = any($1::uuid[])
				and accruals.qualifies_at >= $2 and accruals.qualifies_at < $3
			group by accruals.member_id, accruals.sequence
		)
		select member_id, rule_id, sum(points - reversed)::bigint as points, sum((reversed < points)::int)::bigint as times
		from awards
		group by member_id, rule_id`, pq.StringArray(id.Texts(listed)), start, before)
}

// eachCountBefore says how many facts of those types each member had had when what occurred before an instant was over.
func eachCountBefore(ctx context.Context, tx *postgres.Tx, types map[string]bool, before time.Time, visit func(ownType)) error {
	return each(ctx, tx, visit, `
		select member_id, type, count(*) as number
		from activities
		where type = any($1::text[]) and occurred_at < $2
		group by member_id, type`, pq.StringArray(slices.Collect(maps.Keys(types))), before)
}

// each visits the rows of a result one by one: there may be as many as members.
func each[T any](ctx context.Context, tx *postgres.Tx, visit func(T), statement string, arguments ...any) (err error) {
	rows, err := tx.Rows(ctx, statement, arguments...)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var one T
		if err := rows.StructScan(&one); err != nil {
			return err
		}
		visit(one)
	}
	return rows.Err()
}

// countQualifyingUntil says how many points of members qualified before an instant, and later than after says of when they joined.
func countQualifyingUntil(ctx context.Context, tx *postgres.Tx, accounts []*ledger.Account, after func(joined time.Time) time.Time, until time.Time) (map[id.Member]int64, error) {
	members, err := postgres.Array(accounts, func(a *ledger.Account) any { return a.Member })
	if err != nil {
		return nil, err
	}
	starts, err := postgres.Array(accounts, func(a *ledger.Account) any { return readable(after(a.JoinedAt)) })
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member id.Member `db:"member_id"`
		Points int64     `db:"points"`
	}
	err = tx.Select(ctx, &rows, `
		select asked.member_id, sum(entries.qualifying)::bigint as points
		from unnest($1::uuid[], $2::timestamptz[]) as asked (member_id, after)
		join entries on entries.member_id = asked.member_id and entries.qualifies_at > asked.after and entries.qualifies_at < $3
			and entries.qualifying <> 0
		group by asked.member_id`, members, starts, until)
	points := make(map[id.Member]int64, len(rows))
	for _, row := range rows {
		points[row.Member] = row.Points
	}
	return points, err
}

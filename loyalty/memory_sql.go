package loyalty

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/rules"
)

// countFacts says how many facts of their types members have had, of the members and types that are named.
func countFacts(ctx context.Context, q postgres.Runner, wanted []ownType) ([]ownType, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	members, err := postgres.Array(wanted, func(t ownType) any { return t.Member })
	if err != nil {
		return nil, err
	}
	types, err := postgres.Array(wanted, func(t ownType) any { return t.Type })
	if err != nil {
		return nil, err
	}
	var counted []ownType
	err = q.Select(ctx, &counted, `
		select member_id, type, count(*) as number
		from (select distinct member_id, type from unnest($1::uuid[], $2::text[]) as listed (member_id, type)) as wanted
		join activities using (member_id, type)
		group by member_id, type`, members, types)
	return counted, err
}

func selectRemainders(ctx context.Context, q postgres.Runner, wanted map[ownStep]int64) ([]remainder, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	keys := slices.Collect(maps.Keys(wanted))
	var arrays []any
	for _, column := range []func(ownStep) any{
		func(s ownStep) any { return s.Member }, func(s ownStep) any { return s.Rule }, func(s ownStep) any { return s.Points },
		func(s ownStep) any { return s.Every },
	} {
		array, err := postgres.Array(keys, column)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, array)
	}
	var found []remainder
	err := q.Select(ctx, &found, `
		select member_id, rule_id, points, every, remainder
		from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) as wanted (member_id, rule_id, points, every)
		join rule_remainders using (member_id, rule_id, points, every)`, arrays...)
	return found, err
}

func selectCounters(ctx context.Context, q postgres.Runner, wanted map[ownCounter]rules.Usage) ([]ownCounter, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	keys := slices.Collect(maps.Keys(wanted))
	members, err := postgres.Array(keys, func(c ownCounter) any { return c.Member })
	if err != nil {
		return nil, err
	}
	arrays, err := counterArrays(keys)
	if err != nil {
		return nil, err
	}
	var found []ownCounter
	err = q.Select(ctx, &found, `
		select member_id, rule_id, 'MEMBER' as scope, period, starts_on, points, times
		from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[]) as wanted (member_id, rule_id, period, starts_on)
		join rule_counters using (member_id, rule_id, period, starts_on)`, append([]any{members}, arrays...)...)
	return found, err
}

// selectProgramCounters reads counters that all members share. With lock they exist then and are the caller's until it is done.
func selectProgramCounters(ctx context.Context, q postgres.Runner, wanted map[rules.Counter]rules.Usage, lock bool) ([]ownCounter, error) {
	if len(wanted) == 0 {
		return nil, nil
	}
	keys := make([]ownCounter, 0, len(wanted))
	for counter := range wanted {
		keys = append(keys, ownCounter{Counter: counter})
	}
	// Everybody locks them in the same order.
	slices.SortFunc(keys, func(a, b ownCounter) int {
		return cmp.Or(id.Compare(a.Rule, b.Rule), cmp.Compare(a.Period, b.Period), cmp.Compare(a.Start.String(), b.Start.String()))
	})
	arrays, err := counterArrays(keys)
	if err != nil {
		return nil, err
	}
	locking := ""
	if lock {
		locking = " order by rule_id, period collate \"C\", starts_on for update of program_counters"
		if _, err := q.Exec(ctx, `
			insert into program_counters (rule_id, period, starts_on, points, times)
			select rule_id, period, starts_on, 0, 0 from unnest($1::uuid[], $2::text[], $3::date[]) as wanted (rule_id, period, starts_on)
			on conflict do nothing`, arrays...); err != nil {
			return nil, err
		}
	}
	var found []ownCounter
	err = q.Select(ctx, &found, `
		select rule_id, 'PROGRAM' as scope, period, starts_on, points, times
		from unnest($1::uuid[], $2::text[], $3::date[]) as wanted (rule_id, period, starts_on)
		join program_counters using (rule_id, period, starts_on)`+locking, arrays...)
	return found, err
}

func counterArrays(keys []ownCounter) ([]any, error) {
	var arrays []any
	for _, column := range []func(ownCounter) any{
		func(c ownCounter) any { return c.Rule },
		func(c ownCounter) any { return string(c.Period) },
		func(c ownCounter) any { return c.Start },
	} {
		array, err := postgres.Array(keys, column)
		if err != nil {
			return nil, err
		}
		arrays = append(arrays, array)
	}
	return arrays, nil
}

func upsertCounters(ctx context.Context, tx *postgres.Tx, counters []ownCounter) error {
	return postgres.ExecRows(ctx, tx, counters, `
		insert into rule_counters (member_id, rule_id, period, starts_on, points, times)
		select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::date[], $5::bigint[], $6::bigint[])
		on conflict (member_id, rule_id, period, starts_on) do update set points = excluded.points, times = excluded.times`,
		func(c ownCounter) any { return c.Member },
		func(c ownCounter) any { return c.Rule },
		func(c ownCounter) any { return string(c.Period) },
		func(c ownCounter) any { return c.Start },
		func(c ownCounter) any { return c.Points },
		func(c ownCounter) any { return c.Times },
	)
}

func updateProgramCounters(ctx context.Context, tx *postgres.Tx, counters []ownCounter) error {
	return postgres.ExecRows(ctx, tx, counters, `
		update program_counters set points = counted.points, times = counted.times
		from unnest($1::uuid[], $2::text[], $3::date[], $4::bigint[], $5::bigint[]) as counted (rule_id, period, starts_on, points, times)
		where program_counters.rule_id = counted.rule_id and program_counters.period = counted.period
			and program_counters.starts_on = counted.starts_on`,
		func(c ownCounter) any { return c.Rule },
		func(c ownCounter) any { return string(c.Period) },
		func(c ownCounter) any { return c.Start },
		func(c ownCounter) any { return c.Points },
		func(c ownCounter) any { return c.Times },
	)
}

func upsertRemainders(ctx context.Context, tx *postgres.Tx, remainders []remainder) error {
	return postgres.ExecRows(ctx, tx, remainders, `
		insert into rule_remainders (member_id, rule_id, points, every, remainder)
		select * from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
		on conflict (member_id, rule_id, points, every) do update set remainder = excluded.remainder`,
		func(r remainder) any { return r.Member },
		func(r remainder) any { return r.Rule },
		func(r remainder) any { return r.Points },
		func(r remainder) any { return r.Every },
		func(r remainder) any { return r.Remainder },
	)
}

// backfillCounters counts what earlier versions of a rule have awarded in the windows of a counter that it gets now.
func backfillCounters(ctx context.Context, tx *postgres.Tx, rule id.Rule, span rules.Span, zone string) error {
	const awarded = `
		with awards as (
			select accruals.member_id, accruals.points, accruals.qualifies_at,
				coalesce(sum(reversals.lapsed + reversals.shortfall - reversals.points), 0)::bigint as reversed
			from entries as accruals
			left join entries as reversals on reversals.member_id = accruals.member_id and reversals.reverses = accruals.sequence
			where accruals.rule_id = $1 and accruals.kind = 'ACCRUAL'
			group by accruals.member_id, accruals.sequence
		), counted as (
			select member_id, points - reversed as points, (reversed < points)::int as times,
				case when $2 = 'LIFETIME' then '0001-01-01'::date else date_trunc($2, qualifies_at at time zone $3)::date end as starts_on
			from awards
		)`
	statement := awarded + `
		insert into rule_counters (member_id, rule_id, period, starts_on, points, times)
		select member_id, $1, $2, starts_on, sum(points), sum(times) from counted group by member_id, starts_on
		on conflict do nothing`
	if span.Scope == rules.ProgramScope {
		statement = awarded + `
		insert into program_counters (rule_id, period, starts_on, points, times)
		select $1, $2, starts_on, sum(points), sum(times) from counted group by starts_on
		on conflict do nothing`
	}
	_, err := tx.Exec(ctx, statement, rule, string(span.Period), zone)
	return err
}

func selectBudgetsUsed(ctx context.Context, q postgres.Runner, wanted []id.Rule) (map[id.Rule]*int64, error) {
	var rows []struct {
		Rule   id.Rule `db:"rule_id"`
		Points int64   `db:"points"`
	}
	err := q.Select(ctx, &rows, `
		select rule_id, points from program_counters where period = 'LIFETIME' and rule_id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	used := make(map[id.Rule]*int64, len(rows))
	for _, row := range rows {
		used[row.Rule] = &row.Points
	}
	return used, err
}

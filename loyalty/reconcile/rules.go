package reconcile

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// remainderRow is what a rule carries over of a member's purchases.
type remainderRow struct {
	Member id.Member `db:"member_id"`
	rules.Step
	Remainder int64 `db:"remainder"`
}

// absorptionRow is how much of what a purchase desired of a rule returns have cost.
type absorptionRow struct {
	Member   id.Member `db:"member_id"`
	Sequence int64     `db:"sequence"`
	Rule     id.Rule   `db:"rule_id"`
	Points   int64     `db:"points"`
}

const (
	selectRemainders = `
		select member_id, rule_id, points, every, remainder
		from rule_remainders where member_id > $1 and member_id <= $2 order by member_id, rule_id`
	selectAbsorptions = `
		select member_id, sequence, rule_id, points
		from rule_absorptions where member_id > $1 and member_id <= $2 order by member_id, sequence, rule_id`
)

type ruleVersion struct {
	Rule    id.Rule `db:"rule_id"`
	Version int     `db:"version"`
}

// publication is when a rule's version was published, and what it awards by amount.
type publication struct {
	ruleVersion
	PublishedAt time.Time `db:"published_at"`
	Points      *int64    `db:"award_points"`
	Every       *int64    `db:"award_every"`
}

func selectPublications(ctx context.Context, tx *postgres.Tx) (map[ruleVersion]publication, error) {
	var rows []publication
	err := tx.Select(ctx, &rows, `
		select rule_id, version, published_at, award_points, award_every from rule_versions where published_at is not null`)
	published := make(map[ruleVersion]publication, len(rows))
	for _, row := range rows {
		published[row.ruleVersion] = row
	}
	return published, err
}

// counters compares what limits and budgets have counted with what was awarded and not taken back since. The database counts,
// over all members at once: only differences come here. The zero id stands for all members together.
func (c *check) counters(ctx context.Context, tx *postgres.Tx) error {
	rows, err := tx.Rows(ctx, `
		with spans as (
			select distinct rule_id, bound ->> 'scope' as scope, bound ->> 'period' as period
			from rule_versions, jsonb_array_elements(limits) as bound
			where published_at is not null
			union
			select rule_id, 'PROGRAM', 'LIFETIME' from rule_versions where budget is not null and published_at is not null
		), awards as (
			select accruals.member_id, accruals.rule_id, accruals.points, accruals.qualifies_at at time zone $1 as earned_at,
				coalesce(sum(reversals.lapsed + reversals.shortfall - reversals.points), 0) as reversed
			from entries as accruals
			left join entries as reversals on reversals.member_id = accruals.member_id and reversals.reverses = accruals.sequence
			where accruals.kind = 'ACCRUAL' and accruals.rule_id in (select rule_id from spans)
			group by accruals.member_id, accruals.sequence
		), expected as (
			select case scope when 'MEMBER' then member_id else $2 end as member_id, rule_id, period,
				case period when 'LIFETIME' then '0001-01-01'::date else date_trunc(period, earned_at)::date end as starts_on,
				sum(points - reversed)::bigint as points, count(*) filter (where reversed < points) as times
			from awards
			join spans using (rule_id)
			group by 1, rule_id, period, 4
		), kept as (
			select member_id, rule_id, period, starts_on, points, times from rule_counters
			union all
			select $2, rule_id, period, starts_on, points, times from program_counters
		)
		select member_id, rule_id, period, starts_on, coalesce(expected.points, 0) as expected_points,
			coalesce(kept.points, 0) as points, coalesce(expected.times, 0) as expected_times, coalesce(kept.times, 0) as times
		from kept
		full join expected using (member_id, rule_id, period, starts_on)
		where (kept.points, kept.times) is distinct from (expected.points, expected.times)
		order by member_id, rule_id, period, starts_on`, c.terms.Zone.String(), id.Member{})
	if err != nil {
		return fmt.Errorf("count what rules awarded: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var row struct {
			Member         id.Member  `db:"member_id"`
			Rule           id.Rule    `db:"rule_id"`
			Period         string     `db:"period"`
			Start          value.Date `db:"starts_on"`
			ExpectedPoints int64      `db:"expected_points"`
			Points         int64      `db:"points"`
			ExpectedTimes  int64      `db:"expected_times"`
			Times          int64      `db:"times"`
		}
		if err := rows.StructScan(&row); err != nil {
			return err
		}
		difference := Difference{Kind: Counters, Row: fmt.Sprintf("counter %s %s %s", row.Rule, row.Period, row.Start)}
		if row.Member != (id.Member{}) {
			difference.Member = row.Member.String()
		}
		if row.ExpectedPoints != row.Points {
			difference.What, difference.Expected, difference.Found = "points", show(row.ExpectedPoints), show(row.Points)
			c.report.Add(difference)
		}
		if row.ExpectedTimes != row.Times {
			difference.What, difference.Expected, difference.Found = "times", show(row.ExpectedTimes), show(row.Times)
			c.report.Add(difference)
		}
	}
	return rows.Err()
}

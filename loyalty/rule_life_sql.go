package loyalty

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// selectRule reads a rule with all its versions as the one that stands for it at t; nil if there is no such rule.
func selectRule(ctx context.Context, q postgres.Runner, rule id.Rule, currency value.Currency, t time.Time) (*EarningRule, error) {
	versions, err := selectVersions(ctx, q, rule)
	if err != nil || len(versions) == 0 {
		return nil, err
	}
	life, err := selectLife(ctx, q, rule)
	if err != nil {
		return nil, err
	}
	return current(gather(versions, map[id.Rule]rules.Life{rule: life}, currency, t)[rule]), nil
}

type endRow struct {
	Rule    id.Rule    `db:"id"`
	EndedAt *time.Time `db:"ended_at"`
}

type pauseRow struct {
	Rule id.Rule `db:"rule_id"`
	rules.Pause
}

func livesOf(ends []endRow, pauses []pauseRow) map[id.Rule]rules.Life {
	lives := make(map[id.Rule]rules.Life, len(ends))
	for _, one := range ends {
		lives[one.Rule] = rules.Life{EndedAt: one.EndedAt}
	}
	for _, one := range pauses {
		life := lives[one.Rule]
		life.Pauses = append(life.Pauses, one.Pause)
		lives[one.Rule] = life
	}
	return lives
}

// selectLives reads the lives of rules; those of which there is nothing to say are not in it.
func selectLives(ctx context.Context, q postgres.Runner) (map[id.Rule]rules.Life, error) {
	var ends []endRow
	if err := q.Select(ctx, &ends, `select id, ended_at from rules where ended_at is not null`); err != nil {
		return nil, err
	}
	var pauses []pauseRow
	err := q.Select(ctx, &pauses, `select rule_id, paused_at, resumed_at from rule_pauses order by rule_id, number`)
	return livesOf(ends, pauses), err
}

func selectLife(ctx context.Context, q postgres.Runner, rule id.Rule) (rules.Life, error) {
	var ends []endRow
	if err := q.Select(ctx, &ends, `select id, ended_at from rules where id = $1`, rule); err != nil {
		return rules.Life{}, err
	}
	var pauses []pauseRow
	err := q.Select(ctx, &pauses, `select rule_id, paused_at, resumed_at from rule_pauses where rule_id = $1 order by number`, rule)
	return livesOf(ends, pauses)[rule], err
}

func insertPause(ctx context.Context, tx *postgres.Tx, rule id.Rule) error {
	_, err := tx.Exec(ctx, `
		insert into rule_pauses (rule_id, number, paused_at)
		select $1, coalesce(max(number), 0) + 1, $2 from rule_pauses where rule_id = $1`, rule, tx.Now)
	return err
}

// closePause resumes at the transaction's instant; where clocks went back, when the pause began.
func closePause(ctx context.Context, tx *postgres.Tx, rule id.Rule) error {
	_, err := tx.Exec(ctx, `update rule_pauses set resumed_at = greatest(paused_at, $2) where rule_id = $1 and resumed_at is null`, rule, tx.Now)
	return err
}

func endRule(ctx context.Context, tx *postgres.Tx, rule id.Rule) error {
	_, err := tx.Exec(ctx, `update rules set ended_at = $2 where id = $1`, rule, tx.Now)
	return err
}

package loyalty

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

const versionColumns = `rule_id, version, name, trigger, condition, award_fixed, award_points, award_every, award_rounding,
	award_multiplier, qualifying, starts_at, ends_at, priority, effective_from, published_at, pending_for,
	pending_until_confirmed, expires_after, award_line_condition, award_carry_remainder, windows, basis_before_discounts,
	basis_paid_with_points, limits, budget, stacking`

// listed is a list that a column holds as JSON.
type listed[T any] []T

// Scan takes the list from the database.
func (l *listed[T]) Scan(source any) error {
	encoded, ok := source.([]byte)
	if !ok {
		return fmt.Errorf("a list cannot be read from %T", source)
	}
	return json.Unmarshal(encoded, (*[]T)(l))
}

// Value gives the list to the database.
func (l listed[T]) Value() (driver.Value, error) {
	if l == nil {
		return "[]", nil
	}
	encoded, err := json.Marshal([]T(l))
	return string(encoded), err
}

type versionRow struct {
	Rule          id.Rule         `db:"rule_id"`
	Number        int             `db:"version"`
	Name          string          `db:"name"`
	Trigger       string          `db:"trigger"`
	Condition     *string         `db:"condition"`
	Fixed         *int64          `db:"award_fixed"`
	Points        *int64          `db:"award_points"`
	Every         *int64          `db:"award_every"`
	Rounding      *value.Rounding `db:"award_rounding"`
	Multiplier    *int64          `db:"award_multiplier"`
	Qualifying    bool            `db:"qualifying"`
	StartsAt      *time.Time      `db:"starts_at"`
	EndsAt        *time.Time      `db:"ends_at"`
	Priority      int             `db:"priority"`
	EffectiveFrom *time.Time      `db:"effective_from"`
	PublishedAt   *time.Time      `db:"published_at"`

	PendingFor     *value.Period `db:"pending_for"`
	UntilConfirmed bool          `db:"pending_until_confirmed"`
	ExpiresAfter   *value.Period `db:"expires_after"`

	LineCondition   *string              `db:"award_line_condition"`
	CarryRemainder  bool                 `db:"award_carry_remainder"`
	Windows         listed[rules.Window] `db:"windows"`
	BeforeDiscounts bool                 `db:"basis_before_discounts"`
	PaidWithPoints  bool                 `db:"basis_paid_with_points"`
	Limits          listed[rules.Limit]  `db:"limits"`
	Budget          *int64               `db:"budget"`
	Stacking        rules.Stacking       `db:"stacking"`
}

func (r versionRow) version() rules.Version {
	made := rules.Version{
		Rule: r.Rule, Number: r.Number, Name: r.Name, Trigger: r.Trigger, Qualifying: r.Qualifying, StartsAt: r.StartsAt,
		EndsAt: r.EndsAt, Priority: r.Priority, EffectiveFrom: r.EffectiveFrom, PublishedAt: r.PublishedAt,
		Award:   rules.Award{Fixed: r.Fixed, Multiplier: r.Multiplier},
		Pending: r.PendingFor, UntilConfirmed: r.UntilConfirmed, ExpiresAfter: r.ExpiresAfter,
		Windows: r.Windows, Limits: r.Limits, Budget: r.Budget, Stacking: r.Stacking,
		Basis: rules.Basis{BeforeDiscounts: r.BeforeDiscounts, PaidWithPoints: r.PaidWithPoints},
	}
	if r.Condition != nil {
		made.Condition = *r.Condition
	}
	if r.Points != nil {
		made.Award.PerAmount = &rules.PerAmount{Points: *r.Points, Every: *r.Every, Rounding: *r.Rounding, CarryRemainder: r.CarryRemainder}
		if r.LineCondition != nil {
			made.Award.PerAmount.LineCondition = *r.LineCondition
		}
	}
	return made
}

func versionsOf(rows []versionRow) []rules.Version {
	versions := make([]rules.Version, len(rows))
	for i, row := range rows {
		versions[i] = row.version()
	}
	return versions
}

func selectPublished(ctx context.Context, q postgres.Runner) ([]rules.Version, error) {
	var rows []versionRow
	err := q.Select(ctx, &rows, `select `+versionColumns+` from rule_versions where published_at is not null`)
	return versionsOf(rows), err
}

func selectAllVersions(ctx context.Context, q postgres.Runner) ([]rules.Version, error) {
	var rows []versionRow
	err := q.Select(ctx, &rows, `select `+versionColumns+` from rule_versions`)
	return versionsOf(rows), err
}

func selectVersions(ctx context.Context, q postgres.Runner, rule id.Rule) ([]rules.Version, error) {
	var rows []versionRow
	err := q.Select(ctx, &rows, `select `+versionColumns+` from rule_versions where rule_id = $1`, rule)
	return versionsOf(rows), err
}

func lockRule(ctx context.Context, tx *postgres.Tx, rule id.Rule) error {
	_, err := tx.Exec(ctx, `select from rules where id = $1 for update`, rule)
	return err
}

func insertRule(ctx context.Context, tx *postgres.Tx, rule id.Rule) error {
	_, err := tx.Exec(ctx, `insert into rules (id, created_at) values ($1, $2)`, rule, tx.Now)
	return err
}

func insertVersion(ctx context.Context, tx *postgres.Tx, v rules.Version) error {
	var points, every *int64
	var rounding *value.Rounding
	var lineCondition *string
	var carry bool
	if per := v.Award.PerAmount; per != nil {
		points, every, rounding, carry = &per.Points, &per.Every, &per.Rounding, per.CarryRemainder
		if per.LineCondition != "" {
			lineCondition = &per.LineCondition
		}
	}
	var condition *string
	if v.Condition != "" {
		condition = &v.Condition
	}
	_, err := tx.Exec(ctx, `
		insert into rule_versions (rule_id, version, name, trigger, condition, award_fixed, award_points, award_every,
			award_rounding, award_multiplier, qualifying, starts_at, ends_at, priority, created_at, pending_for,
			pending_until_confirmed, expires_after, award_line_condition, award_carry_remainder, windows, basis_before_discounts,
			basis_paid_with_points, limits, budget, stacking)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26)`,
		v.Rule, v.Number, v.Name, v.Trigger, condition, v.Award.Fixed, points, every, rounding, v.Award.Multiplier,
		v.Qualifying, v.StartsAt, v.EndsAt, v.Priority, tx.Now, v.Pending, v.UntilConfirmed, v.ExpiresAfter,
		lineCondition, carry, listed[rules.Window](v.Windows), v.Basis.BeforeDiscounts, v.Basis.PaidWithPoints,
		listed[rules.Limit](v.Limits), v.Budget, v.Stacking)
	return err
}

func publishVersion(ctx context.Context, tx *postgres.Tx, v rules.Version) error {
	_, err := tx.Exec(ctx, `update rule_versions set published_at = $3, effective_from = $4 where rule_id = $1 and version = $2`,
		v.Rule, v.Number, v.PublishedAt, v.EffectiveFrom)
	return err
}

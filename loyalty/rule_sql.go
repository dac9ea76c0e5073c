package loyalty

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

const versionColumns = `rule_id, version, name, trigger, condition, award_fixed, award_points, award_every, award_rounding,
	award_multiplier, qualifying, starts_at, ends_at, priority, effective_from, published_at, pending_for,
	pending_until_confirmed, expires_after`

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
}

func (r versionRow) version() rules.Version {
	made := rules.Version{
		Rule: r.Rule, Number: r.Number, Name: r.Name, Trigger: r.Trigger, Qualifying: r.Qualifying, StartsAt: r.StartsAt,
		EndsAt: r.EndsAt, Priority: r.Priority, EffectiveFrom: r.EffectiveFrom, PublishedAt: r.PublishedAt,
		Award:   rules.Award{Fixed: r.Fixed, Multiplier: r.Multiplier},
		Pending: r.PendingFor, UntilConfirmed: r.UntilConfirmed, ExpiresAfter: r.ExpiresAfter,
	}
	if r.Condition != nil {
		made.Condition = *r.Condition
	}
	if r.Points != nil {
		made.Award.PerAmount = &rules.PerAmount{Points: *r.Points, Every: *r.Every, Rounding: *r.Rounding}
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
	if per := v.Award.PerAmount; per != nil {
		points, every, rounding = &per.Points, &per.Every, &per.Rounding
	}
	var condition *string
	if v.Condition != "" {
		condition = &v.Condition
	}
	_, err := tx.Exec(ctx, `
		insert into rule_versions (rule_id, version, name, trigger, condition, award_fixed, award_points, award_every,
			award_rounding, award_multiplier, qualifying, starts_at, ends_at, priority, created_at, pending_for,
			pending_until_confirmed, expires_after)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)`,
		v.Rule, v.Number, v.Name, v.Trigger, condition, v.Award.Fixed, points, every, rounding, v.Award.Multiplier,
		v.Qualifying, v.StartsAt, v.EndsAt, v.Priority, tx.Now, v.Pending, v.UntilConfirmed, v.ExpiresAfter)
	return err
}

func publishVersion(ctx context.Context, tx *postgres.Tx, v rules.Version) error {
	_, err := tx.Exec(ctx, `update rule_versions set published_at = $3, effective_from = $4 where rule_id = $1 and version = $2`,
		v.Rule, v.Number, v.PublishedAt, v.EffectiveFrom)
	return err
}

package program

import (
	"context"
	"time"

	"regulars/internal/postgres"
)

// The advisory lock of rules, tiers and settings; any number that no other lock has.
const lockKey = 7_262_001

func insert(ctx context.Context, q postgres.Runner, p Program, now time.Time) (int64, error) {
	return q.Exec(ctx, `
		insert into program (name, currency, time_zone, default_locale, starts_at, revision, created_at)
		values ($1, $2, $3, $4, $5, 1, $6)
		on conflict do nothing`,
		p.Name, p.Currency, p.TimeZone, p.DefaultLocale, p.StartsAt, now)
}

func selectProgram(ctx context.Context, q postgres.Runner) (Program, error) {
	var p Program
	err := q.Get(ctx, &p, `select name, currency, time_zone, default_locale, starts_at, cost_per_point, care, revision from program`)
	return p, err
}

func update(ctx context.Context, q postgres.Runner, p Program) error {
	_, err := q.Exec(ctx, `update program set name = $1, default_locale = $2, cost_per_point = $3, care = $4`, p.Name, p.DefaultLocale, p.CostMinor, p.Care)
	return err
}

func lockShared(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `select pg_advisory_xact_lock_shared($1)`, lockKey)
	return err
}

func lockExclusive(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `select pg_advisory_xact_lock($1)`, lockKey)
	return err
}

func countRevision(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `update program set revision = revision + 1`)
	return err
}

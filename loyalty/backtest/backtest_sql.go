package backtest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/rules"
)

// The advisory locks of backtests: one for who asks for some, one for each that is worked on. Any numbers that no other lock has.
const (
	waitingLock = 7_262_022
	workLock    = 7_262_023
)

const columns = `id, status, draft, replaces, period_from, period_to, requested_at, requested_by, started_at, finished_at, done, total,
	results, error`

type row struct {
	Backtest
	Draft   []byte `db:"draft"`
	Results []byte `db:"results"`
}

func (r row) backtest() (*Backtest, error) {
	made := r.Backtest
	var err error
	if made.draft, err = decode[rules.Version](r.Draft); err != nil {
		return nil, err
	}
	made.results, err = decode[Results](r.Results)
	return &made, err
}

func insertBacktest(ctx context.Context, tx *postgres.Tx, made *Backtest) error {
	encoded, err := encode(made.draft)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `
		insert into backtests (id, status, draft, replaces, period_from, period_to, requested_at, requested_by)
		values ($1, $2, $3, $4, $5, $6, $7, $8)`,
		made.ID, made.Status, encoded, made.Replaces, made.From, made.To, made.RequestedAt, made.RequestedBy)
	return err
}

// encode writes what a column of JSON takes; nil is null.
func encode[T any](object *T) (*string, error) {
	if object == nil {
		return nil, nil
	}
	encoded, err := json.Marshal(object)
	text := string(encoded)
	return &text, err
}

// countWaiting says how many backtests are not done, and keeps others from asking for more until the transaction ends.
func countWaiting(ctx context.Context, tx *postgres.Tx) (int, error) {
	if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, waitingLock); err != nil {
		return 0, err
	}
	var waiting int
	err := tx.Get(ctx, &waiting, `select count(*) from backtests where status = 'RUNNING'`)
	return waiting, err
}

func selectBacktest(ctx context.Context, q postgres.Runner, wanted id.Backtest) (*Backtest, error) {
	var found row
	err := q.Get(ctx, &found, `select `+columns+` from backtests where id = $1`, wanted)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found.backtest()
}

func listBacktests(ctx context.Context, q postgres.Runner, before id.Backtest, size int) ([]*Backtest, error) {
	var rows []row
	err := q.Select(ctx, &rows, `
		select `+columns+`
		from backtests
		where $1 = '00000000-0000-0000-0000-000000000000'::uuid or id < $1
		order by id desc
		limit $2`, before, size)
	listed := make([]*Backtest, len(rows))
	for i, one := range rows {
		if listed[i], err = one.backtest(); err != nil {
			return nil, err
		}
	}
	return listed, err
}

func countBacktests(ctx context.Context, q postgres.Runner) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from backtests`)
	return count, err
}

func cancel(ctx context.Context, tx *postgres.Tx, wanted id.Backtest) (bool, error) {
	changed, err := tx.Exec(ctx, `update backtests set status = 'CANCELED', finished_at = $2 where id = $1 and status = 'RUNNING'`, wanted, tx.Now)
	return changed > 0, err
}

func deleteBacktests(ctx context.Context, q postgres.Runner, before time.Time) (int64, error) {
	return q.Exec(ctx, `delete from backtests where finished_at < $1`, before)
}

func selectRunning(ctx context.Context, q postgres.Runner) ([]id.Backtest, error) {
	var running []id.Backtest
	err := q.Select(ctx, &running, `select id from backtests where status = 'RUNNING' order by id`)
	return running, err
}

// tryWork takes a backtest for this transaction; false: another one has it.
func tryWork(ctx context.Context, tx *postgres.Tx, wanted id.Backtest) (bool, error) {
	var taken bool
	err := tx.Get(ctx, &taken, `select pg_try_advisory_xact_lock($1, hashtext($2))`, workLock, wanted.String())
	return taken, err
}

// begin notes that a backtest is begun, from the beginning, and returns how often it was; 0: it is done.
func begin(ctx context.Context, q postgres.Runner, wanted id.Backtest, now time.Time) (int, error) {
	var attempts int
	err := q.Get(ctx, &attempts, `
		update backtests set started_at = $2, attempts = attempts + 1, done = 0, total = null
		where id = $1 and status = 'RUNNING'
		returning attempts`, wanted, now)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, nil
	}
	return attempts, err
}

// progress notes how far a backtest is; false: it is not to go on.
func progress(ctx context.Context, q postgres.Runner, wanted id.Backtest, done, total int64) (bool, error) {
	changed, err := q.Exec(ctx, `update backtests set done = $2, total = $3 where id = $1 and status = 'RUNNING'`, wanted, done, total)
	return changed > 0, err
}

func succeed(ctx context.Context, q postgres.Runner, wanted id.Backtest, results *Results, now time.Time) error {
	encoded, err := encode(results)
	if err != nil {
		return err
	}
	_, err = q.Exec(ctx, `
		update backtests set status = 'SUCCEEDED', results = $2, finished_at = $3 where id = $1 and status = 'RUNNING'`, wanted, encoded, now)
	return err
}

func fail(ctx context.Context, q postgres.Runner, wanted id.Backtest, why string, now time.Time) error {
	_, err := q.Exec(ctx, `
		update backtests set status = 'FAILED', error = $2, finished_at = $3 where id = $1 and status = 'RUNNING'`, wanted, why, now)
	return err
}

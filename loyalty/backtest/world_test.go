package backtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/loyaltytest"
)

// bench is a program with its backtests.
type bench struct {
	*loyaltytest.World
	backtests *backtest.Service
	t         *testing.T
}

func newBench(t *testing.T, seed program.Seed) *bench {
	t.Helper()
	w := loyaltytest.NewFrom(t, seed)
	return &bench{World: w, backtests: backtest.New(w.DB, w.Service), t: t}
}

func euros(t *testing.T) *bench {
	t.Helper()
	return newBench(t, program.Seed{Currency: "EUR"})
}

// all is a trial of everything that has been so far.
func (b *bench) all(rule *loyalty.EarningRuleInput, replaces *loyalty.EarningRule) backtest.StartInput {
	input := backtest.StartInput{Rule: rule, From: loyaltytest.Start.AddDate(-10, 0, 0), To: b.Now()}
	if replaces != nil {
		input.ReplacesRuleID = &replaces.Rule
	}
	return input
}

func (b *bench) start(input backtest.StartInput) *backtest.Backtest {
	b.t.Helper()
	started, err := b.backtests.Start(b.Admin, input)
	if err != nil {
		b.t.Fatal(err)
	}
	return started
}

func (b *bench) work() {
	b.t.Helper()
	if did, err := b.backtests.Work(b.Admin); err != nil || !did {
		b.t.Fatalf("worked: %t, %v", did, err)
	}
}

func (b *bench) read(wanted id.Backtest) *backtest.Backtest {
	b.t.Helper()
	found, err := b.backtests.Backtest(b.Admin, wanted)
	if err != nil || found == nil {
		b.t.Fatalf("the backtest is %v, %v", found, err)
	}
	return found
}

// try works on a backtest and returns what it found.
func (b *bench) try(input backtest.StartInput) *backtest.Results {
	b.t.Helper()
	started := b.start(input)
	b.work()
	done := b.read(started.ID)
	if done.Status != backtest.Succeeded {
		why := ""
		if done.Error != nil {
			why = *done.Error
		}
		b.t.Fatalf("the backtest is %s: %s", done.Status, why)
	}
	return done.Results()
}

// judge judges facts again and returns them one by one.
func (b *bench) judge(trial loyalty.Trial) (judged []loyalty.Rejudged) {
	b.t.Helper()
	err := b.DB.InSnapshot(b.Admin, func(tx *postgres.Tx) error {
		judging, err := b.Service.JudgeTx(b.Admin, tx, trial)
		if err != nil {
			return err
		}
		for {
			some, err := judging.Next(b.Admin)
			if err != nil || len(some) == 0 {
				return err
			}
			judged = append(judged, some...)
		}
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return judged
}

// exec runs a statement that no service has.
func (b *bench) exec(statement string, arguments ...any) {
	b.t.Helper()
	if _, err := b.DB.Exec(b.Admin, statement, arguments...); err != nil {
		b.t.Fatal(err)
	}
}

func as(ctx context.Context, role actor.Role) context.Context {
	return actor.With(ctx, actor.Actor{Caller: "test|" + string(role), Roles: []actor.Role{role}})
}

func codes(err error) []string {
	problems, ok := problem.UserErrors(err)
	if !ok {
		if failure, ok := errors.AsType[problem.Failure](err); ok {
			return []string{failure.Error()}
		}
		return nil
	}
	var found []string
	for _, one := range problems {
		switch one := one.(type) {
		case problem.InputError:
			found = append(found, join(string(one.Code), one.Path))
		case problem.InvalidConditionError:
			found = append(found, join(string(one.Code), one.Path))
		}
	}
	return found
}

func join(code string, path []string) string {
	for i, step := range path {
		if i > 0 {
			code += map[bool]string{true: " ", false: "/"}[i == 1] + step
		}
	}
	return code
}

func pointer[T any](value T) *T { return &value }

func day(number int) time.Time { return loyaltytest.Start.AddDate(0, 0, number) }

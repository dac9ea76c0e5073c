package bench

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/rules"
)

// backtest measures how many facts a second a backtest judges: of all that was recorded so far, with one more rule that has limits
// and reads lines.
func (w *world) backtest() *measurement {
	found := &series{Line: Line{Name: "backtest", Operation: "purchases judged by a backtest", Clients: 1}}
	return &measurement{
		name:  "backtest",
		lines: func() []Line { return []Line{found.line()} },
		run: func(ctx context.Context, _ int) error {
			one, err := w.tryAll(ctx)
			found.samples = append(found.samples, one)
			return err
		},
	}
}

func (w *world) tryAll(ctx context.Context) (sample, error) {
	condition, points := `purchase.lines.exists(line, line.amount > 1)`, int64(100)
	backtests := backtest.New(w.db, w.service)
	started, err := backtests.Start(ctx, backtest.StartInput{
		Rule: &loyalty.EarningRuleInput{
			Name: "A backtest", Trigger: rules.Purchase, Condition: &condition, Qualifying: true,
			Award: loyalty.AwardInput{PerAmount: &loyalty.PerAmountInput{
				Points: 1, Every: value.MoneyInput{Amount: "1", Currency: currency}, Rounding: value.Floor,
			}},
			Limits: []rules.Limit{{Scope: rules.MemberScope, Period: rules.Day, Points: &points}},
		},
		To: w.Clock.Now(),
	})
	if err != nil {
		return sample{}, err
	}
	// The server may have been faster; then it has it.
	for ctx.Err() == nil {
		if _, err := backtests.Work(ctx); err != nil {
			return sample{}, err
		}
		done, err := backtests.Backtest(ctx, started.ID)
		if err != nil {
			return sample{}, err
		}
		switch done.Status {
		case backtest.Running:
			continue
		case backtest.Succeeded:
			took := max(done.FinishedAt.Sub(*done.StartedAt), time.Microsecond)
			return sample{perSecond: float64(done.Done) / took.Seconds(), took: []time.Duration{took}}, nil
		case backtest.Failed, backtest.Canceled:
		}
		return sample{}, fmt.Errorf("the backtest is %s", done.Status)
	}
	return sample{}, ctx.Err()
}

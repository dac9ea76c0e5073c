package graph

import (
	"context"

	"regulars/graph/generated"
	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
)

func backtestPayload(one *backtest.Backtest, err error) (*generated.StartBacktestPayload, error) {
	problems, err := refused(err)
	return &generated.StartBacktestPayload{Backtest: one, UserErrors: problems}, err
}

// progress is what part of its facts a backtest has judged.
func progress(one *backtest.Backtest) float64 {
	switch {
	case one.Status == backtest.Succeeded:
		return 1
	case one.Total == nil || *one.Total == 0:
		return 0
	}
	return float64(one.Done) / float64(*one.Total)
}

// replaced is the rule that a backtest leaves out, nil for none.
func (r *Resolver) replaced(ctx context.Context, rule *id.Rule) (*loyalty.EarningRule, error) {
	if rule == nil {
		return nil, nil
	}
	return r.services.Loyalty.EarningRule(ctx, *rule)
}

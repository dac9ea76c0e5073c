package backtest

import (
	"context"
	"errors"
	"fmt"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// maximumAttempts is how often a backtest is begun at most: what stops every server that works on it is not tried for ever.
const maximumAttempts = 5

// errStop tells that a backtest is not to go on: it was canceled, or is done.
var errStop = errors.New("the backtest is over")

// Work works on the oldest backtest that nobody works on, and tells whether there was one. Everything is read from one snapshot,
// which a transaction holds open as long as that takes. If the program ends meanwhile, the next one begins it anew. For the program
// itself; one call at a time.
func (s *Service) Work(ctx context.Context) (bool, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return false, err
	}
	if !caller.Internal() {
		return false, problem.Forbidden
	}
	running, err := selectRunning(ctx, s.db)
	if err != nil {
		return false, err
	}
	for _, wanted := range running {
		if worked, err := s.take(ctx, wanted); worked || err != nil {
			return worked, err
		}
	}
	return false, nil
}

// take works on a backtest unless another server does.
func (s *Service) take(ctx context.Context, wanted id.Backtest) (taken bool, err error) {
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		if taken, err = tryWork(ctx, tx, wanted); err != nil || !taken {
			return err
		}
		// Whoever had it may have finished it after the snapshot was taken.
		attempts, err := begin(ctx, s.db, wanted, s.now())
		if err != nil {
			return err
		}
		switch {
		case attempts == 0:
			taken = false
			return nil
		case attempts > maximumAttempts:
			return fail(ctx, s.db, wanted, fmt.Sprintf("It was begun %d times and never finished; the servers' logs may say why.", maximumAttempts), s.now())
		}
		return s.run(ctx, tx, wanted)
	})
	return taken, err
}

func (s *Service) run(ctx context.Context, tx *postgres.Tx, wanted id.Backtest) error {
	asked, err := selectBacktest(ctx, s.db, wanted)
	if err != nil {
		return err
	}
	if asked == nil {
		return nil
	}
	results, err := s.judge(ctx, tx, asked)
	problems, ok := problem.UserErrors(err)
	switch {
	case errors.Is(err, errStop):
		return nil
	case ok && len(problems) > 0:
		return fail(ctx, s.db, wanted, message(problems[0]), s.now())
	case err != nil:
		return fmt.Errorf("%s: %w", wanted, err)
	}
	return succeed(ctx, s.db, wanted, results, s.now())
}

// message is a problem in words without its code.
func message(one problem.UserError) string {
	if simple, ok := one.(problem.InputError); ok {
		return simple.Message
	}
	return one.Error()
}

func (s *Service) judge(ctx context.Context, tx *postgres.Tx, asked *Backtest) (*Results, error) {
	judging, err := s.loyalty.JudgeTx(ctx, tx, loyalty.Trial{From: asked.From, To: asked.To, Draft: asked.draft, Replaces: asked.Replaces})
	if err != nil {
		return nil, err
	}
	counted, err := newTally(judging.Program())
	if err != nil {
		return nil, err
	}
	for done := int64(0); ; {
		if goOn, err := progress(ctx, s.db, asked.ID, done, judging.Total()); err != nil {
			return nil, err
		} else if !goOn {
			return nil, errStop
		}
		judged, err := judging.Next(ctx)
		if err != nil {
			return nil, err
		}
		if len(judged) == 0 {
			break
		}
		for _, one := range judged {
			if err := counted.add(one); err != nil {
				return nil, err
			}
		}
		done += int64(len(judged))
	}
	results := counted.results()
	results.TierMoves, err = judging.TierMoves(ctx)
	return results, err
}

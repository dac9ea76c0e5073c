package bench

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// batchSize is for how many members a transaction of the expiry is, if there are so many.
const batchSize = 500

func (w *world) batch() int { return min(batchSize, w.lapsing) }

// expiry measures the job that posts what has lapsed: alone, and beside purchases of the same members, which are measured
// beside it and without it.
func (w *world) expiry() *measurement {
	alone := &series{Line: Line{Name: "expiry", Operation: "lots expired, alone", Clients: 1}}
	beside := &series{Line: Line{Name: "expiry", Operation: "lots expired, beside purchases", Clients: 1}}
	without := &series{Line: Line{Name: "expiry", Operation: "a purchase, before the expiry", Clients: usual}}
	with := &series{Line: Line{Name: "expiry", Operation: "a purchase, beside the expiry", Clients: usual}}
	all := []*series{alone, beside, without, with}

	ours := func(ctx context.Context, round int) error {
		one, err := w.load(ctx, usual, purchase, func(since time.Duration) bool { return since >= w.Duration })
		if err != nil {
			return err
		}
		without.samples = append(without.samples, one)
		if one, err = w.expire(ctx, 2*round); err != nil {
			return err
		}
		alone.samples = append(alone.samples, one)
		expired, bought, err := w.expireBeside(ctx, 2*round+1)
		beside.samples, with.samples = append(beside.samples, expired), append(with.samples, bought)
		return err
	}
	theirs := func(ctx context.Context) error {
		if w.Pgbench == "" {
			return nil
		}
		bought, err := w.pgbench(ctx, "purchase", usual)
		if err != nil {
			return err
		}
		batches, err := w.pgbench(ctx, "expiry", 1)
		if err != nil {
			return err
		}
		lots := float64(lotsOfGroup * w.batch())
		without.pgbench, alone.pgbench = append(without.pgbench, bought), append(alone.pgbench, batches*lots)
		both := make([]float64, 2)
		errs := make([]error, 2)
		var group sync.WaitGroup
		group.Go(func() { both[0], errs[0] = w.pgbench(ctx, "purchase", usual) })
		group.Go(func() { both[1], errs[1] = w.pgbench(ctx, "expiry", 1) })
		group.Wait()
		with.pgbench, beside.pgbench = append(with.pgbench, both[0]), append(beside.pgbench, both[1]*lots)
		for _, err := range errs {
			if err != nil {
				return err
			}
		}
		return nil
	}
	return &measurement{
		name: "expiry",
		run: func(ctx context.Context, round int) error {
			return inTurn(ctx, round, func(ctx context.Context) error { return ours(ctx, round) }, theirs)
		},
		lines: func() []Line {
			lines := make([]Line, len(all))
			for i, one := range all {
				lines[i] = one.line()
			}
			return lines
		},
	}
}

// expire lets a group of lots lapse and posts all of it, batch after batch.
func (w *world) expire(ctx context.Context, group int) (sample, error) {
	w.Clock.set(w.lapse(group).Add(time.Second))
	var found sample
	members := 0
	began := w.Clock.real()
	for {
		asked := w.Clock.real()
		batch, err := w.service.ExpirePoints(ctx, w.batch())
		if err != nil {
			return sample{}, err
		}
		if batch == 0 {
			break
		}
		members += batch
		found.took = append(found.took, w.Clock.real().Sub(asked))
	}
	found.perSecond = float64(members*lotsOfGroup) / w.Clock.real().Sub(began).Seconds()
	slices.Sort(found.took)
	return found, nil
}

// expireBeside does so beside purchases, which go on for as long as it takes. What a purchase finds lapsed it posts itself:
// that is not counted as the expiry's.
func (w *world) expireBeside(ctx context.Context, group int) (expired, bought sample, err error) {
	var over atomic.Bool
	var failed error
	var job sync.WaitGroup
	job.Go(func() {
		defer over.Store(true)
		expired, failed = w.expire(ctx, group)
	})
	bought, err = w.load(ctx, usual, purchase, func(time.Duration) bool { return over.Load() })
	job.Wait()
	if err == nil {
		err = failed
	}
	return expired, bought, err
}

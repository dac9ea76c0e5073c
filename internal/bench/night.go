package bench

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// night measures what a job does of a part: alone, and beside purchases of the same members, which are measured beside it and
// without it. A script of pgbench does each of its batches; an empty one: nothing stands beside it.
func (w *world) night(name, done, job string, work func(ctx context.Context, part int) (sample, error), script string, each int) *measurement {
	alone := &series{Line: Line{Name: name, Operation: done + ", alone", Clients: 1}}
	beside := &series{Line: Line{Name: name, Operation: done + ", beside purchases", Clients: 1}}
	without := &series{Line: Line{Name: name, Operation: "a purchase, before " + job, Clients: usual}}
	with := &series{Line: Line{Name: name, Operation: "a purchase, beside " + job, Clients: usual}}
	all := []*series{alone, beside, without, with}

	ours := func(ctx context.Context, round int) error {
		bought, err := w.load(ctx, usual, purchase, func(since time.Duration) bool { return since >= w.Duration })
		if err != nil {
			return err
		}
		without.samples = append(without.samples, bought)
		did, err := watched(func() (sample, error) { return work(ctx, 2*round) })
		if err != nil {
			return err
		}
		alone.samples = append(alone.samples, did)
		did, err = watched(func() (did sample, err error) {
			did, bought, err = w.besidePurchases(ctx, func() (sample, error) { return work(ctx, 2*round+1) })
			return did, err
		})
		beside.samples, with.samples = append(beside.samples, did), append(with.samples, bought)
		return err
	}
	theirs := func(ctx context.Context) error {
		if w.Pgbench == "" || script == "" {
			return nil
		}
		bought, err := w.pgbench(ctx, "purchase", usual)
		if err != nil {
			return err
		}
		batches, err := w.pgbench(ctx, script, 1)
		if err != nil {
			return err
		}
		without.pgbench, alone.pgbench = append(without.pgbench, bought), append(alone.pgbench, batches*float64(each))
		both := make([]float64, 2)
		errs := make([]error, 2)
		var group sync.WaitGroup
		group.Go(func() { both[0], errs[0] = w.pgbench(ctx, "purchase", usual) })
		group.Go(func() { both[1], errs[1] = w.pgbench(ctx, script, 1) })
		group.Wait()
		with.pgbench, beside.pgbench = append(with.pgbench, both[0]), append(beside.pgbench, both[1]*float64(each))
		return errors.Join(errs...)
	}
	return &measurement{
		name: name,
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

// besidePurchases does work, and records purchases for as long as it takes.
func (w *world) besidePurchases(ctx context.Context, work func() (sample, error)) (did, bought sample, err error) {
	var over atomic.Bool
	var failed error
	var job sync.WaitGroup
	job.Go(func() {
		defer over.Store(true)
		did, failed = work()
	})
	bought, err = w.load(ctx, usual, purchase, func(time.Duration) bool { return over.Load() })
	job.Wait()
	if err == nil {
		err = failed
	}
	return did, bought, err
}

// whole is what was done as one piece.
func whole(count int, took time.Duration) sample {
	return sample{perSecond: float64(count) / took.Seconds(), took: []time.Duration{took}}
}

// batches repeats a batch until there is nothing left for it; each thing that it counts is so many.
func (w *world) batches(each int, batch func() (int, error)) (sample, error) {
	var found sample
	count := 0
	began := w.Clock.real()
	for {
		asked := w.Clock.real()
		did, err := batch()
		if err != nil {
			return sample{}, err
		}
		if did == 0 {
			break
		}
		count += did
		found.took = append(found.took, w.Clock.real().Sub(asked))
	}
	found.perSecond = float64(count*each) / w.Clock.real().Sub(began).Seconds()
	slices.Sort(found.took)
	return found, nil
}

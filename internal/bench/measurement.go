package bench

import (
	"context"
	"slices"
	"time"
)

// measurement is something that is measured in each round, and becomes lines.
type measurement struct {
	name  string
	run   func(ctx context.Context, round int) error
	lines func() []Line
}

// series is what the rounds found for one line.
type series struct {
	Line
	samples []sample
	pgbench []float64
}

// line is the medians of the rounds.
func (s *series) line() Line {
	line := s.Line
	line.PerSecond = s.median(func(one sample) float64 { return one.perSecond })
	line.P50 = s.median(func(one sample) float64 { return one.quantile(50) })
	line.P99 = s.median(func(one sample) float64 { return one.quantile(99) })
	if peak := int64(s.median(func(one sample) float64 { return float64(one.peakMemory) })); peak > 0 {
		line.PeakMemory = &peak
	}
	if len(s.pgbench) > 0 {
		theirs := median(s.pgbench)
		line.Pgbench = &theirs
		if theirs > 0 {
			ratio := line.PerSecond / theirs
			line.Ratio = &ratio
		}
	}
	return line
}

func (s *series) median(of func(sample) float64) float64 {
	figures := make([]float64, len(s.samples))
	for i, one := range s.samples {
		figures[i] = of(one)
	}
	return median(figures)
}

func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	return sorted[len(sorted)/2]
}

// operation measures work by clients over HTTP beside a script of pgbench.
func (w *world) operation(name, title string, clients int, work func(context.Context, *caller) error, script string) *measurement {
	found := &series{Line: Line{Name: name, Operation: title, Clients: clients}}
	ours := func(ctx context.Context) error {
		one, err := w.load(ctx, clients, work, func(since time.Duration) bool { return since >= w.Duration })
		found.samples = append(found.samples, one)
		return err
	}
	theirs := func(ctx context.Context) error {
		if w.Pgbench == "" {
			return nil
		}
		perSecond, err := w.pgbench(ctx, script, clients)
		found.pgbench = append(found.pgbench, perSecond)
		return err
	}
	return &measurement{
		name:  name,
		lines: func() []Line { return []Line{found.line()} },
		run:   func(ctx context.Context, round int) error { return inTurn(ctx, round, ours, theirs) },
	}
}

// inTurn does both, and has another one begin in each round.
func inTurn(ctx context.Context, round int, one, other func(context.Context) error) error {
	if round%2 == 1 {
		one, other = other, one
	}
	if err := one(ctx); err != nil {
		return err
	}
	return other(ctx)
}

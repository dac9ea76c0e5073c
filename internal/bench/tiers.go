package bench

import (
	"context"
	"slices"
	"time"

	"regulars/loyalty"
)

// due is how many of a hundred members have a tier that runs out in each round: one.
const due = 100

// runsOut is when the tiers of a round's members run out, before anything lapses in that round.
func (w *world) runsOut(round int) time.Time {
	return w.lapse(2 * round).Add(-12 * time.Hour)
}

// running is how many members a round's are.
func (w *world) running(round int) int { return (w.Members - round + due - 1) / due }

// fillTiers lets the members of each round reach a tier a year before it shall run out.
func (w *world) fillTiers(ctx context.Context) error {
	for round := range rounds {
		reached := w.runsOut(round).AddDate(-1, 0, 0)
		w.Clock.set(reached)
		if err := record(ctx, w, w.running(round), w.service.RecordPurchases, func(i int) loyalty.RecordPurchaseInput {
			name := externalID(round + i*due + 1)
			return loyalty.RecordPurchaseInput{
				Member: ref(name), Source: "bench-fill", ExternalID: "tier-" + name, OccurredAt: reached, Total: money("2000.00"),
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// tiers measures the job that decides about tiers which have run out: those of one of a hundred members in each round.
func (w *world) tiers() *measurement {
	found := &series{Line: Line{Name: "tiers", Operation: "tiers recalculated", Clients: 1}}
	batch := min(batchSize, w.running(rounds-1))
	return &measurement{
		name:  "tiers",
		lines: func() []Line { return []Line{found.line()} },
		run: func(ctx context.Context, round int) error {
			return inTurn(ctx, round, func(ctx context.Context) error {
				one, err := w.recalculate(ctx, round)
				found.samples = append(found.samples, one)
				return err
			}, func(ctx context.Context) error {
				if w.Pgbench == "" {
					return nil
				}
				batches, err := w.pgbench(ctx, "tiers", 1)
				found.pgbench = append(found.pgbench, batches*float64(batch))
				return err
			})
		},
	}
}

// recalculate lets the tiers of a round run out and decides about all of them, batch after batch.
func (w *world) recalculate(ctx context.Context, round int) (sample, error) {
	w.Clock.set(w.runsOut(round).Add(time.Second))
	var found sample
	members := 0
	began := w.Clock.real()
	for {
		asked := w.Clock.real()
		batch, err := w.service.RecalculateTiers(ctx, batchSize)
		if err != nil {
			return sample{}, err
		}
		if batch == 0 {
			break
		}
		members += batch
		found.took = append(found.took, w.Clock.real().Sub(asked))
	}
	found.perSecond = float64(members) / w.Clock.real().Sub(began).Seconds()
	slices.Sort(found.took)
	return found, nil
}

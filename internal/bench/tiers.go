package bench

import (
	"context"
	"time"

	"regulars/loyalty"
)

// due is of how many members one has a tier that runs out in each part.
const due = 100

// runsOut is when the tiers of a part's members run out, before anything lapses in that round.
func (w *world) runsOut(part int) time.Time {
	return w.lapse(part / 2 * 2).Add(time.Duration(part%2*3-12) * time.Hour)
}

// running is how many members a part's are.
func (w *world) running(part int) int { return max(w.Members-part+due-1, 0) / due }

// fillTiers lets the members of each part reach a tier a year before it shall run out.
func (w *world) fillTiers(ctx context.Context) error {
	for part := range parts {
		reached := w.runsOut(part).AddDate(-1, 0, 0)
		w.Clock.set(reached)
		if err := record(ctx, w, w.running(part), w.service.RecordPurchases, func(i int) loyalty.RecordPurchaseInput {
			name := externalID(part + i*due + 1)
			return loyalty.RecordPurchaseInput{
				Member: ref(name), Source: "bench-fill", ExternalID: "tier-" + name, OccurredAt: reached, Total: money("2000.00"),
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// tiers measures the job that decides about tiers which have run out: those of one of a hundred members in each part.
func (w *world) tiers() *measurement {
	return w.night("tiers", "tiers recalculated", "the tiers", w.recalculate, "tiers", min(batchSize, w.running(parts-1)))
}

// recalculate lets the tiers of a part run out and decides about all of them, batch after batch.
func (w *world) recalculate(ctx context.Context, part int) (sample, error) {
	w.Clock.set(w.runsOut(part).Add(time.Second))
	return w.batches(1, func() (int, error) { return w.service.RecalculateTiers(ctx, batchSize) })
}

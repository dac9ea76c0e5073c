package bench

import (
	"context"
	"time"
)

// batchSize is for how many members a transaction of the night work is, if there are so many.
const batchSize = 500

func (w *world) batch() int { return min(batchSize, w.lapsing) }

// expiry measures the job that posts what has lapsed. What a purchase beside it finds lapsed it posts itself: that is not counted as
// the job's.
func (w *world) expiry() *measurement {
	return w.night("expiry", "lots expired", "the expiry", w.expire, "expiry", lotsOfPart*w.batch())
}

// expire lets the lots of a part lapse and posts all of it, batch after batch.
func (w *world) expire(ctx context.Context, part int) (sample, error) {
	w.Clock.set(w.lapse(part).Add(time.Second))
	return w.batches(lotsOfPart, func() (int, error) { return w.service.ExpirePoints(ctx, w.batch()) })
}

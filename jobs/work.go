package jobs

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"regulars/internal/postgres"
)

// Why a run ends before its job does.
var (
	errStopped  = errors.New("the program was stopped")
	errLost     = errors.New("the connection that held the job's lock broke, or another run took its place")
	errDeadline = errors.New("the job took longer than it may")
)

// failure is why a job failed, in words for an admin. Other errors are ours: the log has them, the record says so.
type failure string

func (f failure) Error() string { return string(f) }

// Work is a run under way, as its job sees it.
type Work struct {
	// DB is the database to write to: its transactions end as soon as the run is over for others.
	DB *postgres.DB

	options   Options
	db        *postgres.DB
	run       *Run
	lock      *postgres.Lock
	lose      context.CancelCauseFunc
	shown     func(processed, total int) // nil shows nobody
	processed atomic.Int64
	total     atomic.Int64 // 0: not known
	told      []slog.Attr
}

// Advance tells that more was done. What becomes due meanwhile raises a total that was told.
func (w *Work) Advance(by int) {
	done := w.processed.Add(int64(by))
	if total := w.total.Load(); total > 0 && done > total {
		w.total.Store(done)
	}
	w.show()
}

// Report tells how much is done of how much; a total of 0 is not known.
func (w *Work) Report(done, total int) {
	w.processed.Store(int64(done))
	w.total.Store(int64(total))
	w.show()
}

// Tell adds to what the log says when the run ends: counts, and nothing of anybody.
func (w *Work) Tell(told ...slog.Attr) { w.told = append(w.told, told...) }

func (w *Work) show() {
	if w.shown != nil {
		w.shown(w.progress())
	}
}

func (w *Work) progress() (processed, total int) {
	return int(w.processed.Load()), int(w.total.Load())
}

// batches repeats a batch until there is nothing left for it, and counts what it does.
func (w *Work) batches(ctx context.Context, batch func() (int, error)) error {
	for {
		count, err := batch()
		if err != nil {
			return err
		}
		if count == 0 {
			return nil
		}
		w.Advance(count)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

// fence begins each of the job's transactions. It notes how far the run is, and holds the run's record until the transaction
// ends: nobody says that the run is over before.
func (w *Work) fence(ctx context.Context, tx *postgres.Tx) error {
	if err := w.lock.Alive(ctx); err != nil {
		w.lose(errLost)
		return errors.Join(errLost, err)
	}
	processed, total := w.progress()
	running, err := updateProgress(ctx, tx, w.run.ID, processed, total)
	if err != nil {
		return err
	}
	if !running {
		w.lose(errLost)
		return errLost
	}
	return nil
}

// keep asks after the lock every second until ctx ends, and notes how far the run is for jobs whose batches are long or none.
func (w *Work) keep(ctx context.Context) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	before, of := 0, 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := w.lock.Alive(ctx); err != nil {
			w.lose(errLost)
			return
		}
		if processed, total := w.progress(); processed != before || total != of {
			// The next second says it if this one cannot.
			if err := noteProgress(ctx, w.db, w.run.ID, processed, total); err == nil {
				before, of = processed, total
			}
		}
	}
}

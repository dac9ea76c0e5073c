package jobs

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"regulars/internal/outbox"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/reconcile"
)

// job is a line of the timetable.
type job struct {
	name        string
	description string
	spec        string
	// deadline is how long a run may take; one that takes longer has failed.
	deadline time.Duration
	do       func(ctx context.Context, work *Work) error
}

// timetable is every job there is. The spec is what is right for most; REGULARS_JOBS says another.
var timetable = []job{
	{"expire-points", "Posts points that have lapsed and holds that have ended.", "5 * * * *", 3 * time.Hour, expirePoints},
	{"recalculate-tiers", "Posts tiers that have run out, and what changes of the ladder did.", "10 * * * *", 6 * time.Hour, recalculateTiers},
	{"announce-expiries", "Tells, by notices, of points that lapse within 30 days.", "30 4 * * *", 3 * time.Hour, announceExpiries},
	{"check-books", "Proves the books; it fails if anything differs.", "0 5 * * *", 12 * time.Hour, checkBooks},
	{"forget-notices", "Deletes notices that are 30 days old and that every consumer has had.", "15 5 * * *", time.Hour, forgetNotices},
	{"forget-backtests", "Deletes backtests that were done 90 days ago.", "20 5 * * *", time.Hour, forgetBacktests},
	{"forget-runs", "Deletes records of runs that are 90 days old, but for the last of each job.", "25 5 * * *", time.Hour, forgetRuns},
}

// batch is how many members one transaction is about: a fraction of a second, in which they cannot earn or spend.
const batch = 500

const (
	noticeDays   = 30
	backtestDays = 90
	runDays      = 90
)

// announced is how long before they lapse points are announced.
var announced = value.Period{Days: 30}

func expirePoints(ctx context.Context, work *Work) error {
	service := loyalty.New(work.DB)
	due, err := service.PointsDue(ctx)
	if err != nil {
		return err
	}
	work.Report(0, due)
	return work.batches(ctx, func() (int, error) { return service.ExpirePoints(ctx, batch) })
}

func recalculateTiers(ctx context.Context, work *Work) error {
	service := loyalty.New(work.DB)
	return work.batches(ctx, func() (int, error) { return service.RecalculateTiers(ctx, batch) })
}

func announceExpiries(ctx context.Context, work *Work) error {
	service := loyalty.New(work.DB)
	return work.batches(ctx, func() (int, error) { return service.AnnounceExpiries(ctx, announced, batch) })
}

func checkBooks(ctx context.Context, work *Work) error {
	report, err := reconcile.Check(ctx, work.DB, work.Report)
	if err != nil || report.Clean() {
		return err
	}
	var found []string
	for _, kind := range slices.Sorted(maps.Keys(report.Counts)) {
		found = append(found, fmt.Sprintf("%s %d", kind, report.Counts[kind]))
	}
	return failure("The books differ from what they should be (" + strings.Join(found, ", ") + "). The command check lists every difference.")
}

func forgetNotices(ctx context.Context, work *Work) error {
	deleted, err := outbox.Prune(ctx, work.DB, work.DB.Now().AddDate(0, 0, -noticeDays))
	work.Advance(deleted)
	return err
}

func forgetBacktests(ctx context.Context, work *Work) error {
	deleted, err := backtest.New(work.DB, loyalty.New(work.DB)).Forget(ctx, work.DB.Now().AddDate(0, 0, -backtestDays))
	work.Advance(int(deleted))
	return err
}

func forgetRuns(ctx context.Context, work *Work) error {
	return work.batches(ctx, func() (int, error) { return pruneRuns(ctx, work.DB, work.DB.Now().AddDate(0, 0, -runDays), batch) })
}

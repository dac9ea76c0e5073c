package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"regulars/care"
	"regulars/club"
	"regulars/internal/identity"
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
	{"post-lapsed-offers", "Posts offers of seats that have lapsed, and offers the seats to who waits next.", "* * * * *", 30 * time.Minute, postLapsedOffers},
	{"send-messages", "Hands mails and webhooks over that are due.", "* * * * *", 12 * time.Hour, sendMessages},
	{"complete-occurrences", "Completes dates of events that are over, and gives what coming to them is worth.", "*/5 * * * *", 3 * time.Hour, completeOccurrences},
	{"add-occurrences", "Adds the dates of endless series that have come within 12 months.", "40 3 * * *", 3 * time.Hour, addOccurrences},
	{"announce-expiries", "Tells, by notices, of points that lapse within 30 days.", "30 4 * * *", 3 * time.Hour, announceExpiries},
	{"care-occasions", "Decides what members are told, and what not, and gives what comes with it.", "*/5 * * * *", 3 * time.Hour, decideOccasions},
	{"check-books", "Proves the books; it fails if anything differs.", "0 5 * * *", 12 * time.Hour, checkBooks},
	{"forget-notices", "Deletes notices that are 30 days old and that every consumer has had.", "15 5 * * *", time.Hour, forgetNotices},
	{"forget-backtests", "Deletes backtests that were done 90 days ago.", "20 5 * * *", time.Hour, forgetBacktests},
	{"forget-runs", "Deletes records of runs that are 90 days old, but for the last of each job.", "25 5 * * *", time.Hour, forgetRuns},
	{"forget-messages", "Deletes messages that were decided 400 days ago and are done with.", "30 5 * * *", time.Hour, forgetMessages},
}

// batch is how many members one transaction is about: a fraction of a second, in which they cannot earn or spend.
const batch = 500

const (
	noticeDays   = 30
	backtestDays = 90
	runDays      = 90
	// messageDays is more than a year: an occasion that comes yearly is known by its last message.
	messageDays = 400
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

// rooms is how many occurrences one transaction locks: who books there waits for it.
const rooms = 20

func postLapsedOffers(ctx context.Context, work *Work) error {
	events := work.club()
	return work.batches(ctx, func() (int, error) { return events.PostLapsedOffers(ctx, rooms) })
}

func completeOccurrences(ctx context.Context, work *Work) error {
	events := work.club()
	// What is due already is given even if something cannot be completed.
	return errors.Join(
		work.batches(ctx, func() (int, error) { return events.CompleteEnded(ctx, rooms) }),
		work.batches(ctx, func() (int, error) { return events.AwardAttendance(ctx, batch) }),
	)
}

func addOccurrences(ctx context.Context, work *Work) error {
	made, err := work.club().MaterializeOccurrences(ctx)
	work.Advance(made)
	return err
}

func decideOccasions(ctx context.Context, work *Work) error {
	return work.care().DecideOccasions(ctx, work.Advance)
}

// club is the club as a job writes to it.
func (w *Work) club() *club.Service {
	return club.New(w.DB, loyalty.New(w.DB), identity.NewSigningKeys(w.DB))
}

// care is what members are told, as a job writes to it.
func (w *Work) care() *care.Service {
	return care.New(w.DB, loyalty.New(w.DB), identity.NewSigningKeys(w.DB), w.options.PublicURL)
}

func sendMessages(ctx context.Context, work *Work) error {
	counts, err := work.care().SendMessages(ctx, work.options.Channels, work.db, func() { work.Advance(1) })
	work.Tell(slog.Int("sent", counts.Sent), slog.Int("bounced", counts.Bounced), slog.Int("failed", counts.Failed),
		slog.Int("expired", counts.Expired), slog.Int("suppressed", counts.Suppressed), slog.Int("later", counts.Later),
		slog.Int("uncertain", counts.Uncertain))
	if waiting, ok := errors.AsType[*care.ChannelError](err); ok {
		return failure(waiting.Error())
	}
	return err
}

func checkBooks(ctx context.Context, work *Work) error {
	report, err := reconcile.Check(ctx, work.DB, work.Report, club.CheckBooks, care.CheckBooks)
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

func forgetMessages(ctx context.Context, work *Work) error {
	messages, before := work.care(), work.DB.Now().AddDate(0, 0, -messageDays)
	return work.batches(ctx, func() (int, error) { return messages.ForgetMessages(ctx, before, batch) })
}

func forgetBacktests(ctx context.Context, work *Work) error {
	deleted, err := backtest.New(work.DB, loyalty.New(work.DB)).Forget(ctx, work.DB.Now().AddDate(0, 0, -backtestDays))
	work.Advance(int(deleted))
	return err
}

func forgetRuns(ctx context.Context, work *Work) error {
	return work.batches(ctx, func() (int, error) { return pruneRuns(ctx, work.DB, work.DB.Now().AddDate(0, 0, -runDays), batch) })
}

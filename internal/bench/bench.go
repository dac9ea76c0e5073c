// Package bench measures the program: what it answers in a second over HTTP and how long that takes, each figure beside
// what pgbench reaches on the same server with the equivalent transaction.
//
// It works on a database of its own that it fills through the domain. pgbench works on a copy of that one, so that both
// meet tables of the same size and neither spoils the other's books. The runs of both alternate in rounds, and medians
// count: a machine that is busy with something else for a while hits both.
package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync/atomic"
	"time"

	"regulars/care"
	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/reward"
)

// rounds is how often each measurement is made.
const rounds = 3

// Names are what can be measured, in the order in which it is.
var Names = []string{"rules", "purchase", "status", "hold", "redeem", "history", "lots", "events", "booking", "door", "backtest", "tiers", "expiry", "occasions", "messages"}

// Bench is a run to be made.
type Bench struct {
	// Members is how many there are, at least 1.
	Members int
	// Duration is how long each measurement takes in each round; pgbench measures in whole seconds from one second up.
	Duration time.Duration
	// Only are those of Names that are measured; none: all.
	Only []string
	// Source is the data source of an empty database of the bench's own, of the name Database; Copy is the name of one that
	// does not exist yet, for pgbench, and Admin the data source of another one of the same server.
	Source, Database, Copy, Admin string
	// Clock is the clock of the server that Listen starts.
	Clock *Clock
	// Listen starts the server over the database; stop ends it.
	Listen func(ctx context.Context) (url string, stop func() error, err error)
	// Pgbench is the path of that program; empty: it is missing, and what goes beside our figures is left out.
	Pgbench string
	// Progress is told how far each stage is.
	Progress func(stage string, done, total int64)
}

// Clock is a clock that the bench puts forward so that points lapse.
type Clock struct {
	real   func() time.Time
	offset atomic.Int64
}

// NewClock returns a clock that shows what now shows until it is put forward or back.
func NewClock(now func() time.Time) *Clock { return &Clock{real: now} }

// Now is what the clock shows.
func (c *Clock) Now() time.Time { return c.real().Add(time.Duration(c.offset.Load())) }

// set makes the clock show at now, and run on from there.
func (c *Clock) set(at time.Time) { c.offset.Store(int64(at.Sub(c.real()))) }

// Line is what was measured of one operation with so many clients: medians over the rounds.
type Line struct {
	// Name is one of Names, Operation says what was done.
	Name      string `json:"name"`
	Operation string `json:"operation"`
	Clients   int    `json:"clients"`
	// PerSecond counts operations; of tiers, members; of expiry, lots.
	PerSecond float64 `json:"perSecond"`
	// P50 and P99 are how long half and 99 of 100 operations took at most, in milliseconds; of tiers and expiry, a batch.
	P50 float64 `json:"p50Milliseconds"`
	P99 float64 `json:"p99Milliseconds"`
	// Pgbench is what pgbench reached in a second, and Ratio PerSecond as a part of that; nil where pgbench is missing.
	Pgbench *float64 `json:"pgbenchPerSecond"`
	Ratio   *float64 `json:"ratio"`
	// PeakMemory is how much memory the process had at most, with the server and its clients in it, in bytes; nil where nobody
	// looked, or the system does not tell.
	PeakMemory *int64 `json:"peakMemoryBytes"`
	// Allocations is how often an operation takes memory; nil where other things than it take some.
	Allocations *float64 `json:"allocations"`
}

// Report is what a run found.
type Report struct {
	Members    int              `json:"members"`
	Duration   string           `json:"duration"`
	Rounds     int              `json:"rounds"`
	PostgreSQL string           `json:"postgresql"`
	Processors int              `json:"processors"`
	Lines      []Line           `json:"lines"`
	Books      reconcile.Report `json:"books"`
}

// Run fills the database, measures, and proves the books of what was recorded meanwhile. The databases and what is in them
// are left to the caller.
func (b *Bench) Run(ctx context.Context) (*Report, error) {
	ctx = actor.With(ctx, actor.System("bench"))
	db, err := postgres.Open(ctx, b.Source, postgres.Options{Now: b.Clock.Now})
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Migrate(ctx); err != nil {
		return nil, err
	}
	if _, err := program.Ensure(ctx, db, program.Seed{Currency: currency, TimeZone: "UTC"}); err != nil {
		return nil, err
	}
	service := loyalty.New(db)
	w := &world{Bench: b, db: db, service: service, rewards: reward.New(db, service), start: b.Clock.Now().UTC().Truncate(day)}
	if err := w.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill the database: %w", err)
	}
	report := &Report{Members: b.Members, Duration: b.Duration.String(), Rounds: rounds, Processors: runtime.NumCPU()}
	if report.PostgreSQL, err = selectVersion(ctx, db); err != nil {
		return nil, err
	}
	if err := w.copy(ctx); err != nil {
		return nil, fmt.Errorf("copy the database for pgbench: %w", err)
	}
	if report.Lines, err = w.measure(ctx); err != nil {
		return nil, err
	}
	report.Books, err = reconcile.Check(ctx, w.db, func(done, total int) { b.Progress("checking", int64(done), int64(total)) }, club.CheckBooks, care.CheckBooks)
	if err != nil {
		return nil, fmt.Errorf("check the books: %w", err)
	}
	return report, nil
}

// copy copies the database for pgbench, which nobody may use meanwhile.
func (w *world) copy(ctx context.Context) error {
	if w.Pgbench == "" {
		return nil
	}
	if err := w.db.Close(); err != nil {
		return err
	}
	admin, err := postgres.Open(ctx, w.Admin, postgres.Options{MaxConnections: 1})
	if err != nil {
		return err
	}
	defer func() { _ = admin.Close() }()
	if err := copyDatabase(ctx, admin, w.Database, w.Copy); err != nil {
		return err
	}
	source, err := postgres.SourceOf(w.Admin, w.Copy)
	if err != nil {
		return err
	}
	copied, err := postgres.Open(ctx, source, postgres.Options{MaxConnections: 1})
	if err != nil {
		return err
	}
	defer func() { _ = copied.Close() }()
	if err := numberMembers(ctx, copied); err != nil {
		return err
	}
	if w.environment, err = postgres.Environment(source); err != nil {
		return err
	}
	w.db, err = postgres.Open(ctx, w.Source, postgres.Options{Now: w.Clock.Now})
	if err != nil {
		return err
	}
	w.service = loyalty.New(w.db)
	return nil
}

// measure starts the server and makes all measurements that are wanted, round by round.
func (w *world) measure(ctx context.Context) (lines []Line, err error) {
	url, stop, err := w.Listen(ctx)
	if err != nil {
		return nil, fmt.Errorf("start the server: %w", err)
	}
	defer func() {
		if failure := stop(); err == nil {
			err = failure
		}
	}()
	w.connect(url)
	var wanted []*measurement
	for _, one := range w.measurements() {
		if len(w.Only) == 0 || slices.Contains(w.Only, one.name) {
			wanted = append(wanted, one)
		}
	}
	total := int64(rounds * len(wanted))
	for round := range rounds {
		for i, one := range wanted {
			w.Progress("measuring", int64(round*len(wanted)+i), total)
			if err := one.run(ctx, round); err != nil {
				return nil, fmt.Errorf("measure %s: %w", one.name, err)
			}
		}
	}
	w.Progress("measuring", total, total)
	for _, one := range wanted {
		lines = append(lines, one.lines()...)
	}
	return lines, nil
}

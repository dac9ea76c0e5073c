package cli

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"regulars/internal/bench"
	"regulars/internal/postgres"
	"regulars/internal/postgres/embedded"
	"regulars/internal/program"
	"regulars/jobs"
)

type benchCommand struct {
	Members  int           `default:"10000" placeholder:"NUMBER" help:"How many members there are (${default})."`
	Duration time.Duration `default:"1s" placeholder:"DURATION" help:"How long each measurement takes in each of its three rounds (${default})."`
	Only     []string      `placeholder:"NAME,..." help:"Measure only these of rules, purchase, status, hold, redeem, history, lots, events, booking, door, backtest, tiers, expiry, occasions and messages."`
	JSON     string        `name:"json" placeholder:"FILE" help:"Write the figures to this file as JSON, too."`
	Keep     bool          `help:"Leave the databases and the server's log, and say where they are."`
}

// Bounds of what is measured.
const (
	maximumBenchMembers  = 10_000_000
	maximumBenchDuration = time.Hour
)

// Help is what --help tells beyond the flags.
func (benchCommand) Help() string {
	return `Fills a database of its own, calls a server over it as tills and apps do, and prints how many operations it answers in a
second and how long they take, each beside what pgbench reaches with the equivalent transaction on the same server in the
same run. Then it proves the books and removes everything. It never touches the database of the settings: with DATABASE_URL
it makes new ones on that server, which takes the right to create databases; without, it starts a cluster of its own in the
data folder.

Example, what really counts (it takes a while):

    regulars bench --members 1000000 --duration 30s --json figures.json`
}

// Validate returns an error that names the flag with a value that cannot be.
func (c benchCommand) Validate() error {
	if c.Members < 1 || c.Members > maximumBenchMembers {
		return fmt.Errorf("--members: %d is not between 1 and %d", c.Members, maximumBenchMembers)
	}
	if c.Duration < time.Millisecond || c.Duration > maximumBenchDuration {
		return fmt.Errorf("--duration: %s is not between 1ms and %s", c.Duration, maximumBenchDuration)
	}
	for _, name := range c.Only {
		if !slices.Contains(bench.Names, name) {
			return fmt.Errorf("--only: %q is not one of %s", name, strings.Join(bench.Names, ", "))
		}
	}
	return nil
}

// Run measures, prints what it found, and fails if the books differ in the end.
func (c benchCommand) Run(ctx context.Context, running Program, settings Settings) (err error) {
	place, err := makeBenchPlace(ctx, settings)
	if err != nil {
		return err
	}
	defer func() {
		if c.Keep {
			err = errors.Join(err, place.keep(running.Messages))
			return
		}
		err = errors.Join(err, place.remove(context.WithoutCancel(ctx)))
	}()
	pgbench, missing := embedded.Binary("pgbench")
	clock := bench.NewClock(running.Now)
	shown := newProgress(running)
	work := &bench.Bench{
		Members: c.Members, Duration: c.Duration, Only: c.Only, Clock: clock, Pgbench: pgbench, Progress: shown.show,
		Source: place.source, Database: place.database, Copy: place.copied, Admin: place.admin,
		Listen: func(ctx context.Context) (string, func() error, error) {
			return running.Listen(ctx, place.settings(), clock.Now, place.log)
		},
	}
	report, err := work.Run(ctx)
	shown.end()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("stopped: %w", err)
		}
		return err
	}
	if err := c.close(running, report, missing); err != nil {
		return err
	}
	if !report.Books.Clean() {
		return errors.New("the books differ from what they should be")
	}
	return nil
}

// close prints what was found and writes the file.
func (c benchCommand) close(running Program, report *bench.Report, missing error) error {
	if c.JSON != "" {
		found, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.JSON, append(found, '\n'), 0o600); err != nil {
			return err
		}
	}
	return printBench(running.Output, report, missing)
}

func printBench(output io.Writer, report *bench.Report, missing error) error {
	_, _ = fmt.Fprintf(output, "%s members, %d processors, %s, PostgreSQL %s; medians of %d rounds of %s\n\n",
		grouped(report.Members), report.Processors, runtime.Version(), report.PostgreSQL, report.Rounds, report.Duration)
	table := tabwriter.NewWriter(output, 0, 0, 3, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintln(table, "\tclients\tper second\tp50 ms\tp99 ms\tpgbench per second\tratio\tallocations\tpeak memory\t")
	for _, line := range report.Lines {
		theirs, ratio, allocations, memory := "-", "-", "-", "-"
		if line.Pgbench != nil {
			theirs = grouped(int64(*line.Pgbench))
		}
		if line.Ratio != nil {
			ratio = fmt.Sprintf("%.2f", *line.Ratio)
		}
		if line.Allocations != nil {
			allocations = fmt.Sprintf("%.0f", *line.Allocations)
		}
		if line.PeakMemory != nil {
			memory = fmt.Sprintf("%d MB", *line.PeakMemory/1_000_000)
		}
		_, _ = fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", line.Operation, line.Clients,
			grouped(int64(line.PerSecond)), milliseconds(line.P50), milliseconds(line.P99), theirs, ratio, allocations, memory)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if missing != nil {
		_, _ = fmt.Fprintf(output, "\nNothing stands beside the figures, since pgbench is missing: %v.\n"+
			"It comes with PostgreSQL's packages (Debian, Ubuntu: apt-get install postgresql; macOS: brew install postgresql@17).\n", missing)
	}
	for _, difference := range report.Books.Differences {
		_, _ = fmt.Fprintln(output, difference)
	}
	if report.Books.Clean() {
		_, _ = fmt.Fprintf(output, "\nThe books of %s members with %s entries agree.\n", grouped(report.Books.Members), grouped(report.Books.Entries))
	}
	return nil
}

// milliseconds shows those below one to the microsecond.
func milliseconds(took float64) string {
	if took < 1 {
		return fmt.Sprintf("%.3f", took)
	}
	return fmt.Sprintf("%.1f", took)
}

// benchPlace is where a bench works: databases that nobody else has.
type benchPlace struct {
	folder           string
	cluster          *embedded.Cluster
	admin            string // the data source of another database of the server
	database, source string
	copied           string
	log              *os.File
}

// makeBenchPlace makes a folder with a cluster of its own, or a database on the server that the settings name.
func makeBenchPlace(ctx context.Context, settings Settings) (place *benchPlace, err error) {
	place = &benchPlace{}
	defer func() {
		if err != nil {
			err = errors.Join(err, place.remove(context.WithoutCancel(ctx)))
		}
	}()
	if err := os.MkdirAll(settings.Data, 0o755); err != nil { //nolint:gosec // the cluster's user must pass through
		return place, err
	}
	if place.folder, err = os.MkdirTemp(settings.Data, "bench-"); err != nil {
		return place, err
	}
	if err := os.Chmod(place.folder, 0o755); err != nil { //nolint:gosec // as above
		return place, err
	}
	if place.log, err = os.Create(filepath.Join(place.folder, "server.log")); err != nil {
		return place, err
	}
	if settings.DatabaseURL == "" {
		if place.cluster, err = embedded.Open(ctx, filepath.Join(place.folder, "postgres"), embedded.Options{}); err != nil {
			return place, err
		}
		place.database, place.copied, place.source = "regulars", "regulars_pgbench", place.cluster.DataSource()
		place.admin, err = postgres.SourceOf(place.source, "postgres")
		return place, err
	}
	name := "regulars_bench_" + strings.ToLower(rand.Text()[:12])
	place.admin = settings.DatabaseURL
	if place.source, err = postgres.SourceOf(place.admin, name); err != nil {
		return place, program.SettingError{Key: "DATABASE_URL", Message: err.Error()}
	}
	if err := createDatabase(ctx, place.admin, name); err != nil {
		return place, fmt.Errorf("making a database on the server of DATABASE_URL: %w", err)
	}
	place.database, place.copied = name, name+"_pgbench"
	return place, nil
}

// settings are those of the server that is measured. What bounds callers is out of the way, and jobs run when they are measured.
func (p *benchPlace) settings() Settings {
	return Settings{Addr: "127.0.0.1:0", Data: p.folder, DatabaseURL: p.source, Jobs: jobs.Off(), API: API{
		MaximumBody: 8 << 20, MaximumComplexity: 30_000, MaximumDepth: 15, OperationTimeout: time.Minute,
		CallerRate: maximumNumber / 100, GuessRate: 60,
	}}
}

// keep leaves everything and says where it is.
func (p *benchPlace) keep(messages io.Writer) error {
	_, _ = fmt.Fprintf(messages, "Kept: the server's log in %s", p.log.Name())
	if p.cluster != nil {
		_, _ = fmt.Fprintf(messages, ", the database in the data folder %s (and pgbench's, regulars_pgbench).\n", p.folder)
		return p.cluster.Close()
	}
	_, _ = fmt.Fprintf(messages, ", the databases %s and %s.\n", p.database, p.copied)
	return nil
}

// remove removes everything that was made.
func (p *benchPlace) remove(ctx context.Context) error {
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	var errs []error
	folders := []string{p.folder}
	if p.cluster != nil {
		elsewhere, err := dataDirectory(ctx, p.admin)
		if err == nil {
			folders = append(folders, filepath.Dir(elsewhere))
		}
		errs = append(errs, err, p.cluster.Close())
	} else if p.database != "" {
		errs = append(errs, dropDatabases(ctx, p.admin, p.database, p.copied))
	}
	if p.log != nil {
		errs = append(errs, p.log.Close())
	}
	for _, folder := range folders {
		if folder != "" {
			errs = append(errs, os.RemoveAll(folder))
		}
	}
	return errors.Join(errs...)
}

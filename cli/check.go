package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"text/tabwriter"

	"regulars/care"
	"regulars/club"
	"regulars/internal/actor"
	"regulars/loyalty/reconcile"
)

type checkCommand struct {
	Seed
	JSON string `name:"json" placeholder:"FILE" help:"Write what was checked and every difference to this file as JSON, too."`
}

// Help is what --help tells beyond the flags.
func (checkCommand) Help() string {
	return `Rebuilds balances, lots, debts, returns and tier moves from the facts and entries, and the seats of the club from its
bookings, in one snapshot and also beside a running server, and lists every difference. It corrects nothing. The exit code is 0 if the books agree, and 1 if
anything differs.

Example:

    regulars check --json differences.json`
}

// Run checks the books and prints what it found; differences are an error.
func (c checkCommand) Run(ctx context.Context, running Program, settings Settings) (err error) {
	database, err := OpenDatabase(ctx, settings, c.program(), running.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	shown := newProgress(running)
	report, err := reconcile.Check(actor.With(ctx, actor.System("check")), database.DB, func(done, total int) {
		shown.show("checking", int64(done), int64(total))
	}, club.CheckBooks, care.CheckBooks)
	shown.end()
	if err != nil {
		return fmt.Errorf("checking the books: %w", err)
	}
	if err := c.close(running, report); err != nil {
		return err
	}
	if !report.Clean() {
		return errors.New("the books differ from what they should be")
	}
	return nil
}

// close prints what was found and writes the file.
func (c checkCommand) close(running Program, report reconcile.Report) error {
	if c.JSON != "" {
		found, err := json.MarshalIndent(report, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(c.JSON, append(found, '\n'), 0o600); err != nil {
			return err
		}
	}
	return printReport(running.Output, report)
}

func printReport(output io.Writer, report reconcile.Report) error {
	for _, difference := range report.Differences {
		_, _ = fmt.Fprintln(output, difference)
	}
	table := tabwriter.NewWriter(output, 0, 0, 3, ' ', tabwriter.AlignRight)
	row := func(name string, count int) { _, _ = fmt.Fprintf(table, "%s\t%s\t\n", name, grouped(count)) }
	row("members checked", report.Members)
	row("facts", report.Facts)
	row("entries", report.Entries)
	row("lots", report.Lots)
	row("tier moves", report.Moves)
	total := 0
	for _, kind := range slices.Sorted(maps.Keys(report.Counts)) {
		row("differences, "+string(kind), report.Counts[kind])
		total += report.Counts[kind]
	}
	row("differences", total)
	if left := total - len(report.Differences); left > 0 {
		row("of them not listed", left)
	}
	return table.Flush()
}

package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/importer"
	"regulars/internal/program"
	"regulars/loyalty"
)

type importCommand struct {
	Purchases importPurchasesCommand `cmd:"" help:"Import purchases and returns."`
	Members   importMembersCommand   `cmd:"" help:"Import members."`
}

// importing is what all imports can be told.
type importing struct {
	File     string           `arg:"" type:"existingfile" help:"A CSV file with a header, packed by gzip or not."`
	Columns  importer.Columns `placeholder:"OURS=THEIRS,..." help:"What the file calls its columns, where not as we do."`
	TimeZone string           `name:"time-zone" placeholder:"ZONE" help:"Where the clock was that the file's times were read from, e.g. Europe/London; offsets in the file are not believed then. Without it every time needs its offset."`
	JSON     string           `name:"json" placeholder:"FILE" help:"Write the closing figures to this file as JSON, too."`
	Rejects  string           `placeholder:"FILE" help:"Where to write what was not taken (the name of the file with .rejects.csv, in this folder)."`
}

func (i importing) zone() (*time.Location, error) {
	if i.TimeZone == "" {
		return nil, nil
	}
	zone, err := time.LoadLocation(i.TimeZone)
	if err != nil || i.TimeZone == "Local" {
		return nil, fmt.Errorf("--time-zone: %q is not a time zone of the IANA database, e.g. Europe/London", i.TimeZone)
	}
	return zone, nil
}

// Validate returns an error that names the flag with a value that cannot be. Nothing is ever written over the file.
func (i importing) Validate() error {
	if _, err := i.zone(); err != nil {
		return err
	}
	rejects := cmp.Or(i.Rejects, rejectsFile(i.File))
	for flag, path := range map[string]string{"--json": i.JSON, "--rejects": rejects} {
		if path == "" {
			continue
		}
		if same(path, i.File) {
			return fmt.Errorf("%s: %s is the file to be imported", flag, path)
		}
		if folder, err := os.Stat(filepath.Dir(path)); err != nil || !folder.IsDir() {
			return fmt.Errorf("%s: there is no folder %s", flag, filepath.Dir(path))
		}
	}
	if i.JSON != "" && (filepath.Clean(i.JSON) == filepath.Clean(rejects) || same(i.JSON, rejects)) {
		return fmt.Errorf("--json: %s is for what is rejected", i.JSON)
	}
	return nil
}

// same tells whether both are there and one file.
func same(path, other string) bool {
	one, err := os.Stat(path)
	if err != nil {
		return false
	}
	two, err := os.Stat(other)
	return err == nil && os.SameFile(one, two)
}

type importPurchasesCommand struct {
	importing
	Source         string `default:"import" help:"Under what the orders are recorded (${default}); an order is recorded once for each source."`
	ReturnsPrefix  string `name:"returns-prefix" placeholder:"TEXT" help:"How the numbers of return invoices start, if the file has any."`
	UnknownMembers string `name:"unknown-members" enum:"enroll,reject" default:"enroll" help:"What becomes of people who are no members: enroll everyone named on a line, or reject their orders (${default})."`
}

// Help is what --help tells beyond the flags.
func (importPurchasesCommand) Help() string {
	return `The file has the columns order, member (the external id), sku, quantity, price and time, or says with --columns
what it calls them. Lines of one order are one purchase, at the time of the earliest of them. Lines of return invoices have
negative quantities and come back from what the member bought before, the latest purchase first.

What was recorded is not recorded again: after an interruption, run the same command again. What could not be taken is
listed in the rejects file by line, and so are return lines that found no purchase. The exit code is 0 if everything was
taken, and 1 if anything was rejected; skipped lines and returns without a purchase are no failure.

Example:

    regulars import purchases orders.csv.gz --returns-prefix C --time-zone Europe/London \
      --columns order=InvoiceNo,member=CustomerID,sku=StockCode,quantity=Quantity,price=UnitPrice,time=InvoiceDate`
}

// Run imports the file and prints what became of it.
func (c importPurchasesCommand) Run(ctx context.Context, running Program, settings Settings) error {
	zone, err := c.zone()
	if err != nil {
		return err
	}
	return c.run(ctx, running, settings, func(ctx context.Context, with *importer.Importer) (outcome, error) {
		if err := warnWithoutRules(ctx, running, with.Service); err != nil {
			return outcome{}, err
		}
		report, err := with.Purchases(ctx, c.File, importer.PurchaseOptions{
			Columns: c.Columns, Source: c.Source, ReturnsPrefix: c.ReturnsPrefix, Zone: zone, RejectUnknown: c.UnknownMembers == "reject",
		})
		if report == nil {
			return outcome{}, err
		}
		return outcome{
			figures: report, table: purchaseTable(report), rejects: report.Rejects, key: "order", rejected: report.Lines.Rejected,
		}, err
	})
}

// warnWithoutRules says so if nothing can be earned: what is recorded now earns by the rules of now, for ever.
func warnWithoutRules(ctx context.Context, running Program, service *loyalty.Service) error {
	active, err := service.EarningRules(ctx, []loyalty.EarningRuleStatus{loyalty.RuleActive}, nil, nil)
	if err != nil {
		return err
	}
	if len(active.Nodes) == 0 {
		_, _ = fmt.Fprintln(running.Messages, "No rule is active: what is imported now earns nothing, and will not later. To give points, stop with Ctrl-C and publish a rule first.")
	}
	return nil
}

type importMembersCommand struct {
	importing
}

// Help is what --help tells beyond the flags.
func (importMembersCommand) Help() string {
	return `The file has the column member (the external id), and any of email, phone, name, birthDate (YYYY-MM-DD),
joinedAt, locale and timeZone, or says with --columns what it calls them. Import members before their purchases: who is
a member already is not changed. The exit code is 0 if everybody was taken, and 1 if anybody was rejected.

Example:

    regulars import members customers.csv --columns member=CustomerID,email=Mail,joinedAt=Since --time-zone Europe/London`
}

// Run imports the file and prints what became of it.
func (c importMembersCommand) Run(ctx context.Context, running Program, settings Settings) error {
	zone, err := c.zone()
	if err != nil {
		return err
	}
	return c.run(ctx, running, settings, func(ctx context.Context, with *importer.Importer) (outcome, error) {
		report, err := with.Members(ctx, c.File, importer.MemberOptions{Columns: c.Columns, Zone: zone})
		if report == nil {
			return outcome{}, err
		}
		return outcome{
			figures: report, table: memberTable(report), rejects: report.Rejects, key: "member", rejected: report.Lines.Rejected,
		}, err
	})
}

// outcome is what an import made, for people and for programs.
type outcome struct {
	figures  any
	table    string
	rejects  []importer.Reject
	key      string
	rejected int
}

func (i importing) run(ctx context.Context, running Program, settings Settings, work func(context.Context, *importer.Importer) (outcome, error)) (err error) {
	// How the program counts is said by the environment alone: --time-zone is the file's.
	seed := program.Seed{Currency: os.Getenv(program.CurrencyKey), TimeZone: os.Getenv(program.TimeZoneKey), Start: os.Getenv(program.StartKey)}
	database, err := OpenDatabase(ctx, settings, seed, running.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, database.Close()) }()
	shown := newProgress(running)
	made, err := work(actor.With(ctx, actor.System("import")), &importer.Importer{
		DB: database.DB, Service: loyalty.New(database.DB),
		Progress: func(stage importer.Stage, done, total int64) { shown.show(string(stage), done, total) },
	})
	shown.end()
	if err != nil {
		if ctx.Err() != nil {
			err = fmt.Errorf("stopped; run the same command again to go on where it was: %w", err)
		}
		return err
	}
	return i.close(running, made)
}

// close prints the figures and writes the files.
func (i importing) close(running Program, made outcome) error {
	if _, err := fmt.Fprint(running.Output, made.table); err != nil {
		return err
	}
	if i.JSON != "" {
		figures, err := json.MarshalIndent(made.figures, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(i.JSON, append(figures, '\n'), 0o600); err != nil {
			return err
		}
	}
	path := cmp.Or(i.Rejects, rejectsFile(i.File))
	if err := writeRejects(path, made); err != nil {
		return err
	}
	if len(made.rejects) > 0 {
		_, _ = fmt.Fprintf(running.Messages, "What was not taken, and why, is in %s.\n", path)
	}
	if made.rejected > 0 {
		return fmt.Errorf("rejected lines: %d; everything else was taken", made.rejected)
	}
	return nil
}

// rejectsFile is where rejects go if nothing is said: into the working folder, since that of the file may not be ours.
func rejectsFile(file string) string {
	name := strings.TrimSuffix(filepath.Base(file), ".gz")
	return strings.TrimSuffix(name, filepath.Ext(name)) + ".rejects.csv"
}

// writeRejects leaves the file with the rejects of this run, or none if there are none.
func writeRejects(path string, made outcome) (err error) {
	if len(made.rejects) == 0 {
		if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return nil
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return importer.WriteRejects(file, made.key, made.rejects)
}

package importer_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/importer"
	"regulars/loyalty/loyaltytest"
)

// club is a program that gives 1 point per 1.00, and what is imported into it.
type club struct {
	*loyaltytest.World
	t        testing.TB
	progress func(importer.Stage, int64, int64)
}

func newClub(t testing.TB) *club {
	t.Helper()
	c := &club{World: loyaltytest.New(t), t: t, progress: func(importer.Stage, int64, int64) {}}
	c.Rule(c.PerAmount(1, "1.00"))
	return c
}

func (c *club) importer() *importer.Importer {
	return &importer.Importer{DB: c.DB, Service: c.Service, Progress: c.progress}
}

const header = "order,member,sku,quantity,price,time\n"

func written(t testing.TB, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "purchases.csv")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// options are those of most tests: a source, and C before returns.
func options(edits ...func(*importer.PurchaseOptions)) importer.PurchaseOptions {
	made := importer.PurchaseOptions{Source: "import", ReturnsPrefix: "C"}
	for _, edit := range edits {
		edit(&made)
	}
	return made
}

// file imports a file with that content.
func (c *club) file(content string, edits ...func(*importer.PurchaseOptions)) *importer.Report {
	c.t.Helper()
	report, err := c.importer().Purchases(c.Admin, written(c.t, content), options(edits...))
	if err != nil {
		c.t.Fatal(err)
	}
	return report
}

// facts are those in the books, member by member as they were recorded: what, of whom, when, worth, and the lines.
func (c *club) facts() []string {
	c.t.Helper()
	var facts []string
	if err := c.DB.Select(context.WithoutCancel(c.t.Context()), &facts, `
		select concat_ws(' ', fact, coalesce(members.external_id, '-'), to_char(occurred_at, 'MM-DD HH24:MI'), total,
			(select string_agg(concat(sku, ' x', quantity / 1000000, ' ', amount), ', ' order by line) from purchase_lines as lines
				where lines.member_id = facts.member_id and lines.sequence = facts.sequence),
			(select string_agg(concat(sku, ' x', came.quantity / 1000000, ' ', came.amount), ', ' order by came.line) from return_lines as came
				join purchase_lines as lines on lines.member_id = came.member_id and lines.sequence = came.purchase_sequence and lines.line = came.line
				where came.member_id = facts.member_id and came.sequence = facts.sequence))
		from (select member_id, sequence, external_id as fact, occurred_at, total from activities) as facts
		join members on members.id = facts.member_id
		order by members.external_id, sequence`); err != nil {
		c.t.Fatal(err)
	}
	return facts
}

func (c *club) wantFacts(want ...string) {
	c.t.Helper()
	if difference := cmp.Diff(want, c.facts()); difference != "" {
		c.t.Errorf("facts (-want +got):\n%s", difference)
	}
}

// points are what the members own, by external id.
func (c *club) points() map[string]int64 {
	c.t.Helper()
	var rows []struct {
		Member string `db:"external_id"`
		Points int64  `db:"balance"`
	}
	if err := c.DB.Select(context.WithoutCancel(c.t.Context()), &rows, `
		select external_id, balance from accounts join members on members.id = accounts.member_id where external_id is not null`); err != nil {
		c.t.Fatal(err)
	}
	points := map[string]int64{}
	for _, row := range rows {
		points[row.Member] = row.Points
	}
	return points
}

// wantRejects compares rejects, of whose reasons a part is enough.
func wantRejects(t testing.TB, got []importer.Reject, want ...importer.Reject) {
	t.Helper()
	equal := slices.EqualFunc(got, want, func(got, want importer.Reject) bool {
		return got.Line == want.Line && got.Order == want.Order && strings.Contains(got.Reason, want.Reason)
	})
	if !equal {
		t.Errorf("rejects: got %+v, want %+v", got, want)
	}
}

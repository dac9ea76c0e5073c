//go:build retail

package importer_test

import (
	"cmp"
	"os"
	"path/filepath"
	"testing"
	"time"

	"regulars/internal/importer"
	"regulars/internal/program"
	"regulars/loyalty/loyaltytest"
)

// TestRetail imports a year of a real shop, whose figures were counted straight from the file by other means.
func TestRetail(t *testing.T) {
	t.Parallel()
	path := cmp.Or(os.Getenv("TEST_RETAIL"), filepath.Join("..", "..", "..", "shared", "data", "online-retail", "purchases.csv.gz"))
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("the file of the online shop is missing; name it, with its whole path, in TEST_RETAIL: %v", err)
	}
	c := &club{World: loyaltytest.NewFrom(t, program.Seed{Currency: "GBP"}), t: t, progress: func(importer.Stage, int64, int64) {}}
	c.Rule(c.PerAmount(1, "1.00"))
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	with := options(func(o *importer.PurchaseOptions) {
		o.Zone = zone
		o.Columns = importer.Columns{
			"order": "InvoiceNo", "member": "CustomerID", "sku": "StockCode", "quantity": "Quantity", "price": "UnitPrice", "time": "InvoiceDate",
		}
	})
	want := figures{
		purchases: 18_536, returns: 3_133, worth: 891_140_790, back: 51_615_445, earned: 8_902_670, reversed: 514_177, left: 8_388_493,
		whole: 7_516, inPart: 54, not: 1_335,
	}
	for _, again := range []bool{false, true} {
		report, err := c.importer().Purchases(c.Admin, path, with)
		if err != nil {
			t.Fatal(err)
		}
		if got := together(report); got != want {
			t.Errorf("again %v: got %+v, want %+v", again, got, want)
		}
		returns := report.Returns
		invoices := returns.Recorded.Orders + returns.Replayed.Orders + returns.Unmatched.Orders
		lines := returns.Recorded.Lines + returns.Replayed.Lines + returns.Unmatched.Lines
		if report.Lines.Read != 541_909 || report.Lines.Skipped["no member"] != 135_080 || report.Lines.Rejected != 0 ||
			invoices != 3_654 || lines != 8_905 || report.Points.Members != 4_372 {
			t.Errorf("again %v: %+v, %d invoices, %d lines, %d members", again, report.Lines, invoices, lines, report.Points.Members)
		}
		if fresh := report.Purchases.Recorded.Orders + returns.Recorded.Orders + report.Members.Enrolled; again != (fresh == 0) {
			t.Errorf("again %v: %d orders and members are new", again, fresh)
		}
	}
}

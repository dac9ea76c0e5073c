package importer_test

import (
	"testing"

	"regulars/internal/importer"
	"regulars/loyalty"
)

// bought is a history: two purchases of tea, the later one in two lines.
const bought = header +
	"1,m1,tea,5,1.00,2024-03-01T10:00:00Z\n" +
	"2,m1,tea,2,2.00,2024-03-02T10:00:00Z\n" +
	"2,m1,cup,1,9.00,2024-03-02T10:00:00Z\n" +
	"2,m1,tea,3,3.00,2024-03-02T10:00:00Z\n" +
	"3,m1,tea,9,1.00,2024-03-05T10:00:00Z\n" +
	"4,m2,tea,9,1.00,2024-03-01T10:00:00Z\n"

var boughtFacts = []string{
	"1 m1 03-01 10:00 500 tea x5 500",
	"2 m1 03-02 10:00 2200 tea x2 400, cup x1 900, tea x3 900",
}

func withBought(returns ...string) []string {
	facts := append(append([]string{}, boughtFacts...), "3 m1 03-05 10:00 900 tea x9 900")
	return append(append(facts, returns...), "4 m2 03-01 10:00 900 tea x9 900")
}

// TestReturns takes the latest purchase first and in it the last line, at its price, and none that came after the return.
func TestReturns(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file(bought + "C1,m1,tea,-7,99.00,2024-03-03T10:00:00Z\n")
	c.wantFacts(withBought(
		"C1:8:2 m1 03-03 10:00 1300 tea x2 400, tea x3 900",
		"C1:8:1 m1 03-03 10:00 200 tea x2 200",
	)...)
	if report.Returns.Whole != 1 || report.Returns.Recorded.Orders != 1 || report.Returns.Recorded.Points != 15 || report.Returns.Recorded.Worth.Minor != 1500 {
		t.Errorf("report: %+v", report.Returns)
	}
}

// TestReturns_Lines matches line by line, and each line takes what those before it left.
func TestReturns_Lines(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file(bought +
		"C2,m1,tea,-4,1.00,2024-03-04T10:00:00Z\n" + // stands first, happened last
		"C1,m1,tea,-2,1.00,2024-03-02T10:00:00Z\n" + // at the very time of the purchase
		"C1,m1,cup,-2,1.00,2024-03-03T11:00:00Z\n" +
		"C1,m1,tea,-2,1.00,2024-03-03T11:00:00Z\n" +
		"C2,m1,pot,-1,1.00,2024-03-04T10:00:00Z\n" +
		"C3,m2,cup,-1,1.00,2024-03-04T10:00:00Z\n" +
		"C4,m1,tea,-1,1.00,2024-02-28T10:00:00Z\n")
	c.wantFacts(withBought(
		"C1:9:2 m1 03-02 10:00 600 tea x2 600",
		"C1:10:2 m1 03-02 10:00 900 cup x1 900",
		"C1:11:2 m1 03-02 10:00 500 tea x1 200, tea x1 300",
		"C2:8:2 m1 03-04 10:00 200 tea x1 200",
		"C2:8:1 m1 03-04 10:00 300 tea x3 300",
	)...)
	if got := report.Returns; got.Whole != 3 || got.InPart != 1 || got.NotAtAll != 3 || got.Recorded.Orders != 2 || got.Unmatched.Orders != 2 || got.Unmatched.Lines != 2 {
		t.Errorf("report: %+v", got)
	}
	wantRejects(
		t, report.Rejects,
		importer.Reject{Line: 10, Order: "C1", Reason: "1 of 2 came back from no purchase"},
		importer.Reject{Line: 12, Order: "C2", Reason: "1 of 1"},
		importer.Reject{Line: 13, Order: "C3", Reason: "1 of 1"},
		importer.Reject{Line: 14, Order: "C4", Reason: "1 of 1"},
	)
	if report.Lines.Rejected != 0 {
		t.Errorf("%d lines count as rejected", report.Lines.Rejected)
	}
}

// TestReturns_Again shows that a return keeps the purchases that it was matched to, whatever happened since, and that only
// what found none is looked for again.
func TestReturns_Again(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	returns := "C1,m1,tea,-3,1.00,2024-03-04T10:00:00Z\nC2,m1,cup,-3,1.00,2024-03-04T10:00:00Z\n"
	c.file(bought + returns)
	before := c.facts()
	// A purchase that a new match would take: later than the ones that were found.
	if _, err := c.Service.RecordPurchases(c.Admin, []loyalty.RecordPurchaseInput{{
		Member: loyalty.MemberRef{ExternalID: new("m1")}, Source: "till", ExternalID: "1", OccurredAt: c.Now().AddDate(0, -10, -3), Total: c.Money("9.00"),
		Lines: []loyalty.PurchaseLineInput{c.Line("tea", "9", "9.00")},
	}}); err != nil {
		t.Fatal(err)
	}
	again := c.file(bought + returns)
	if got := again.Returns; got.Recorded.Orders != 0 || got.Replayed.Orders != 2 || got.Replayed.Points != 18 || got.Replayed.Worth.Minor != 1800 || got.Whole != 1 || got.InPart != 1 {
		t.Errorf("again: %+v", got)
	}
	if after := c.facts(); len(after) != len(before)+1 {
		t.Errorf("before %q, after %q", before, after)
	}
	more := c.file(bought + returns + "5,m1,cup,1,7.00,2024-03-03T10:00:00Z\n")
	if got := more.Returns; got.Recorded.Orders != 1 || got.Replayed.Orders != 1 || got.Recorded.Worth.Minor != 700 || got.Replayed.Worth.Minor != 1800 {
		t.Errorf("with one cup more: %+v", got)
	}
}

// TestReturns_OtherFile refuses to guess where a file has something else on the lines of a return that was recorded.
func TestReturns_OtherFile(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.file(bought + "C1,m1,tea,-1,1.00,2024-03-04T10:00:00Z\nC1,m1,cup,-1,1.00,2024-03-04T10:00:00Z\n")
	before := c.facts()
	report := c.file(header + "C1,m1,tea,-1,1.00,2024-03-04T10:00:00Z\nC1,m1,cup,-1,1.00,2024-03-04T10:00:00Z\n")
	wantRejects(t, report.Rejects, importer.Reject{Line: 2, Order: "C1", Reason: "recorded before from line 8"}, importer.Reject{Line: 3, Order: "C1", Reason: "recorded before from line 8"})
	c.wantFacts(before...)
}

// TestReturns_OtherSources matches purchases of whoever recorded them, and passes over those of which too little is left
// although their lines do not say so.
func TestReturns_OtherSources(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	member := c.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = new("m1") })
	var sold []loyalty.Recorded
	for day := range 3 {
		sold = append(sold, c.Purchase(member, "5.00", func(input *loyalty.RecordPurchaseInput) {
			input.OccurredAt = c.Now().AddDate(0, 0, day-10)
			input.ExternalID = "T" + string(rune('1'+day))
			input.Lines = []loyalty.PurchaseLineInput{c.Line("tea", "4", "4.00"), c.Line("cup", "1", "1.00")}
		}))
	}
	// All of the last one came back by its amount: its lines do not know.
	amount := c.Money("5.00")
	c.Return(sold[2], func(input *loyalty.RecordReturnInput) { input.Amount, input.ExternalID = &amount, "R1" })
	report := c.file(header + "C1,m1,tea,-5,1.00,2025-01-06T08:00:00Z\n")
	c.wantFacts(
		"T1 m1 12-27 09:00 500 tea x4 400, cup x1 100", "T2 m1 12-28 09:00 500 tea x4 400, cup x1 100", "T3 m1 12-29 09:00 500 tea x4 400, cup x1 100",
		"R1 m1 01-06 09:00 500",
		"C1:2:till/T2 m1 01-06 08:00 400 tea x4 400", "C1:2:till/T1 m1 01-06 08:00 100 tea x1 100",
	)
	if got := report.Returns; got.Whole != 1 || got.Recorded.Points != 5 {
		t.Errorf("report: %+v", got)
	}
}

// TestReturns_Meanwhile matches again where somebody else returned what the match had found.
func TestReturns_Meanwhile(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	done := false
	c.progress = func(stage importer.Stage, _, _ int64) {
		if stage != importer.Returning || done {
			return
		}
		done = true
		// The purchases of the second invoice have been read by now.
		if recorded, err := c.Service.RecordReturns(c.Admin, []loyalty.RecordReturnInput{{
			Source: "till", ExternalID: "R1", PurchaseSource: "import", PurchaseExternalID: "2", OccurredAt: c.Now(),
			Lines: []loyalty.ReturnLineInput{{SKU: new("tea"), Quantity: "4"}},
		}}); err != nil || len(recorded[0].UserErrors) > 0 {
			t.Errorf("return meanwhile: %v, %+v", err, recorded)
		}
	}
	report := c.file(bought +
		"C1,m1,cup,-1,1.00,2024-03-03T10:00:00Z\n" +
		"C2,m1,tea,-3,1.00,2024-03-03T11:00:00Z\n" +
		"C3,m1,tea,-3,1.00,2024-03-06T11:00:00Z\n")
	c.wantFacts(withBought(
		"C1:8:2 m1 03-03 10:00 900 cup x1 900",
		"R1 m1 01-06 09:00 1100 tea x1 200, tea x3 900",
		"C2:9:2 m1 03-03 11:00 200 tea x1 200",
		"C2:9:1 m1 03-03 11:00 200 tea x2 200",
		"C3:10:3 m1 03-06 11:00 300 tea x3 300",
	)...)
	if !done || report.Returns.Whole != 3 {
		t.Errorf("report: %+v", report.Returns)
	}
}

// TestReturns_None takes orders for purchases where no prefix is given.
func TestReturns_None(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.file(header+"C1,m1,tea,1,1.00,2024-03-01T10:00:00Z\n", func(o *importer.PurchaseOptions) { o.ReturnsPrefix = "" })
	c.wantFacts("C1 m1 03-01 10:00 100 tea x1 100")
}

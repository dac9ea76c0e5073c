package importer_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"regulars/internal/importer"
	"regulars/loyalty"
)

func TestPurchases(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file(header +
		"2,m1,tea,2,1.25,2024-03-01T10:05:00Z\n" +
		"1,m1,tea,3,1.25,2024-03-01T10:00:00Z\n" +
		"9,,tea,1,1.25,2024-03-01T10:00:00Z\n" +
		"1,m1,cup,1,4.00,2024-03-01T09:59:00Z\n" + // the order's lines stand apart, and this one is the earliest
		"3,m2,cup,1,4.00,2024-03-01T10:05:00Z\n")
	c.wantFacts(
		"1 m1 03-01 09:59 775 tea x3 375, cup x1 400",
		"2 m1 03-01 10:05 250 tea x2 250",
		"3 m2 03-01 10:05 400 cup x1 400",
	)
	if difference := cmp.Diff(map[string]int64{"m1": 9, "m2": 4}, c.points()); difference != "" {
		t.Errorf("points (-want +got):\n%s", difference)
	}
	got, err := json.Marshal(report)
	if err != nil {
		t.Fatal(err)
	}
	nothing := `{"orders":0,"lines":0,"worth":"0.00","points":0}`
	want := `{"currency":"EUR","lines":{"read":5,"skipped":{"no member":1},"rejected":0},` +
		`"members":{"enrolled":2,"replayed":0,"rejected":0},` +
		`"purchases":{"recorded":{"orders":3,"lines":4,"worth":"14.25","points":13},"replayed":` + nothing + `,"rejected":` + nothing + `},` +
		`"returns":{"recorded":` + nothing + `,"replayed":` + nothing + `,"rejected":` + nothing + `,"unmatched":` + nothing + `,` +
		`"linesMatchedWhole":0,"linesMatchedInPart":0,"linesNotMatched":0},"points":{"left":13,"members":2}}`
	if difference := cmp.Diff(want, string(got)); difference != "" {
		t.Errorf("report (-want +got):\n%s", difference)
	}
}

// TestPurchases_Enroll shows that people join when they first bought something, and that everyone named on a line does.
func TestPurchases_Enroll(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file(header +
		"1,m1,tea,1,1.00,2024-03-02T10:00:00Z\n" +
		"2,m1,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		"3,m2,tea,one,1.00,2024-03-01T10:00:00Z\n" +
		"4,m3,tea,1,1.00,yesterday\n")
	if report.Members.Enrolled != 3 {
		t.Errorf("%d members were enrolled, want 3", report.Members.Enrolled)
	}
	for name, joined := range map[string]time.Time{
		"m1": time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC), "m2": time.Date(2024, 3, 1, 10, 0, 0, 0, time.UTC), "m3": c.Now(),
	} {
		member, err := c.Service.Member(c.Admin, loyalty.MemberRef{ExternalID: &name})
		if err != nil || member == nil || !member.JoinedAt.Equal(joined) {
			t.Errorf("%s: got %+v, %v, want to have joined at %s", name, member, err, joined)
		}
	}
}

func TestPurchases_RejectUnknown(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	member := "m1"
	c.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = &member })
	report := c.file(header+
		"1,m1,tea,1,1.00,2024-03-01T10:00:00Z\n"+
		"2,m2,tea,1,1.00,2024-03-01T10:00:00Z\n"+
		"C3,m3,tea,-1,1.00,2024-03-01T10:00:00Z\n",
		func(o *importer.PurchaseOptions) { o.RejectUnknown = true })
	c.wantFacts("1 m1 03-01 10:00 100 tea x1 100")
	wantRejects(t, report.Rejects, importer.Reject{Line: 3, Order: "2", Reason: "UNKNOWN_MEMBER"}, importer.Reject{Line: 4, Order: "C3", Reason: "UNKNOWN_MEMBER"})
	if report.Lines.Rejected != 2 || report.Members.Enrolled != 0 || report.Points.Members != 1 {
		t.Errorf("report: %+v", report)
	}
}

func TestPurchases_Rejects(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file(header +
		"1,m1,tea,six,1.00,2024-03-01T10:00:00Z\n" +
		"1,m1,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		"2,m1,tea,1,1.00 EUR,2024-03-01T10:00:00Z\n" +
		"3,m1,tea,1,1.00,3/1/2024 10:00\n" +
		"4,m1,tea,1,1.00,2024-03-01 10:00\n" +
		"5,m1,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		"5,m2,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		"6,m1,tea,0,1.00,2024-03-01T10:00:00Z\n" +
		"7,m1,tea,-1,1.00,2024-03-01T10:00:00Z\n" +
		"8,m1,tea,1,1.00,2030-03-01T10:00:00Z\n" +
		"9,m1,,1,1.00,2024-03-01T10:00:00Z\n" +
		",m1,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		"10,m1\n" +
		"11,m1,t\"ea,1,1.00,2024-03-01T10:00:00Z\n" +
		"C12,m1,tea,1,1.00,2024-03-01T10:00:00Z\n" +
		strings.Repeat("13,m1,tea,1,1.00,2024-03-01T10:00:00Z\n", 1001) +
		"14,m1,tea,1,1.00,2024-03-01T10:00:00Z\n")
	c.wantFacts("14 m1 03-01 10:00 100 tea x1 100")
	many := len(report.Rejects) - 1001
	if many < 0 || !strings.Contains(report.Rejects[many].Reason, "TOO_MANY_LINES") {
		t.Fatalf("the order of 1,001 lines is not rejected: %+v", report.Rejects)
	}
	wantRejects(
		t, report.Rejects[:many],
		importer.Reject{Line: 2, Order: "1", Reason: `quantity: "six" is not a decimal number`},
		importer.Reject{Line: 3, Order: "1", Reason: "line 2 of the same order is wrong"},
		importer.Reject{Line: 4, Order: "2", Reason: `price: "1.00 EUR" is not a decimal number`},
		importer.Reject{Line: 5, Order: "3", Reason: `does not say what is the day and what the month`},
		importer.Reject{Line: 6, Order: "4", Reason: "--time-zone"},
		importer.Reject{Line: 7, Order: "5", Reason: "two members, here m1 and on line 8 m2"},
		importer.Reject{Line: 8, Order: "5", Reason: "two members"},
		importer.Reject{Line: 9, Order: "6", Reason: "ZERO_QUANTITY"},
		importer.Reject{Line: 10, Order: "7", Reason: "NEGATIVE_TOTAL"},
		importer.Reject{Line: 11, Order: "8", Reason: "OCCURRED_IN_FUTURE"},
		importer.Reject{Line: 12, Order: "9", Reason: "INVALID_LINE"},
		importer.Reject{Line: 13, Order: "", Reason: "names no order"},
		importer.Reject{Line: 14, Order: "10", Reason: "time"},
		importer.Reject{Line: 15, Order: "", Reason: "no CSV"},
		importer.Reject{Line: 16, Order: "C12", Reason: "on a return it is negative"},
	)
	if report.Lines.Rejected != len(report.Rejects) || report.Purchases.Rejected.Orders != 11 || report.Returns.Rejected.Orders != 1 {
		t.Errorf("report: %+v", report.Lines)
	}
	var file bytes.Buffer
	if err := importer.WriteRejects(&file, "order", report.Rejects[:1]); err != nil {
		t.Fatal(err)
	}
	want := "line,order,reason\n2,1,\"quantity: \"\"six\"\" is not a decimal number, e.g. \"\"12.34\"\"\"\n"
	if file.String() != want {
		t.Errorf("rejects file: got %q, want %q", file.String(), want)
	}
}

// TestPurchases_Again shows that a file with the same orders, wherever they stand in it, records nothing twice, and that
// an order that has changed is rejected.
func TestPurchases_Again(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	first := "1,m1,tea,1,1.00,2024-03-01T10:00:00Z\n1,m1,cup,1,2.00,2024-03-01T10:00:00Z\n"
	second := "2,m1,tea,1,1.00,2024-03-02T10:00:00Z\n"
	c.file(header + first + second)
	facts := c.facts()
	again := c.file(header + second + first)
	if difference := cmp.Diff(facts, c.facts()); difference != "" {
		t.Errorf("facts (-before +after):\n%s", difference)
	}
	if recorded, replayed := again.Purchases.Recorded, again.Purchases.Replayed; recorded.Orders != 0 || replayed.Orders != 2 || replayed.Points != 4 || again.Members.Enrolled != 0 {
		t.Errorf("recorded %+v, replayed %+v", recorded, replayed)
	}
	changed := c.file(header + "2,m1,tea,1,1.50,2024-03-02T10:00:00Z\n")
	wantRejects(t, changed.Rejects, importer.Reject{Line: 2, Order: "2", Reason: "IDEMPOTENCY_KEY_REUSED"})
	other := c.file(header+second, func(o *importer.PurchaseOptions) { o.Source = "other" })
	if other.Purchases.Recorded.Orders != 1 {
		t.Errorf("under another source: %+v", other.Purchases)
	}
}

// TestPurchases_Alone shows that two imports from one source do not run at once.
func TestPurchases_Alone(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	content := header + "1,m1,tea,1,1.00,2024-03-01T10:00:00Z\n"
	path, same, other := written(t, content), error(nil), error(nil)
	ran := false
	c.progress = func(stage importer.Stage, _, _ int64) {
		if stage != importer.Purchasing || ran {
			return
		}
		ran = true
		_, same = c.importer().Purchases(c.Admin, path, options())
		_, other = c.importer().Purchases(c.Admin, path, options(func(o *importer.PurchaseOptions) { o.Source = "other" }))
	}
	c.file(content)
	if !ran || same == nil || !strings.Contains(same.Error(), "another import") || other != nil {
		t.Errorf("meanwhile: the same source %v, another one %v", same, other)
	}
}

func TestPurchases_Encodings(t *testing.T) {
	t.Parallel()
	const text = "order,member,sku,quantity,price,time,note\n" +
		"1,nº7,crème,1,1.00,2024-03-01T10:00:00Z,\"two\nlines, \"\"quoted\"\"\"\n" +
		"2,nº7,crème,1,2.00,2024-03-01T11:00:00Z,\n"
	encoded := func(text string, err error) string {
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"UTF-8":          text,
		"UTF-8 mark":     "\ufeff" + text,
		"UTF-16 little":  encoded(unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String(text)),
		"UTF-16 big":     encoded(unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String(text)),
		"Windows-1252":   encoded(charmap.Windows1252.NewEncoder().String(text)),
		"CRLF":           strings.ReplaceAll(text, "\n", "\r\n"),
		"no last end":    strings.TrimSuffix(text, "\n"),
		"gzip":           packed.String(),
		"spaces, blanks": strings.ReplaceAll(strings.ReplaceAll(text, "1.00", " 1.00 "), "2,nº7", "\n\n2, nº7"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClub(t)
			report := c.file(content)
			c.wantFacts("1 nº7 03-01 10:00 100 crème x1 100", "2 nº7 03-01 11:00 200 crème x1 200")
			if report.Lines.Read != 2 || len(report.Rejects) > 0 {
				t.Errorf("report: %+v", report)
			}
		})
	}
}

// TestPurchases_LineNumbers counts as editors do, also behind a field of several lines.
func TestPurchases_LineNumbers(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	report := c.file("order,member,sku,quantity,price,time,note\n1,m1,tea,1,1.00,2024-03-01T10:00:00Z,\"two\nlines\"\n\n2,m1,tea,x,1.00,2024-03-01T10:00:00Z,\n")
	wantRejects(t, report.Rejects, importer.Reject{Line: 5, Order: "2", Reason: "quantity"})
}

func TestPurchases_Columns(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	var columns importer.Columns
	if err := columns.UnmarshalText([]byte(`order=Invoice No,member=Customer,"price=Price, net"`)); err != nil {
		t.Fatal(err)
	}
	with := func(o *importer.PurchaseOptions) { o.Columns = columns }
	c.file("\"Price, net\",time,quantity, Customer ,sku,Invoice No\n1.00,2024-03-01T10:00:00Z,2,m1,tea,1\n", with)
	c.wantFacts("1 m1 03-01 10:00 200 tea x2 200")
	for content, want := range map[string]string{
		"":                             "empty",
		"order,member,sku,quantity,\n": `no column "Invoice No" for order; its columns are order, member`,
		"Invoice No,Customer,sku,sku,quantity,\"Price, net\",time\n": `two columns "sku"`,
	} {
		if _, err := c.importer().Purchases(c.Admin, written(t, content), options(with)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", content, err, want)
		}
	}
	for _, text := range []string{"", "order", "order=", "=No", "order=No,order=Number", `"order=No`} {
		if err := new(importer.Columns).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for columns", text)
		}
	}
	_, err := c.importer().Purchases(c.Admin, written(t, header), options(func(o *importer.PurchaseOptions) { o.Columns = importer.Columns{"Order": "No"} }))
	if err == nil || !strings.Contains(err.Error(), `no column "Order"`) {
		t.Errorf("a column that we do not have: %v", err)
	}
}

// TestPurchases_Zone reads clocks as they were where the file comes from.
func TestPurchases_Zone(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	zone, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	content := header
	for order, text := range []string{"2024-07-01T10:00:00Z", "2024-07-01 10:00", "2024-07-01 10:00:00+05:30", "2024-07-01T10:00", "2024-01-01 10:00", "2024-01-01"} {
		content += string(rune('1'+order)) + ",m1,tea,1,1.00," + text + "\n"
	}
	c.file(content, func(o *importer.PurchaseOptions) { o.Zone = zone })
	c.wantFacts(
		"6 m1 01-01 00:00 100 tea x1 100",
		"5 m1 01-01 10:00 100 tea x1 100",
		"1 m1 07-01 09:00 100 tea x1 100",
		"2 m1 07-01 09:00 100 tea x1 100",
		"3 m1 07-01 09:00 100 tea x1 100",
		"4 m1 07-01 09:00 100 tea x1 100",
	)
}

// TestPurchases_Rounding rounds every line half up, and counts in the currency's own minor units.
func TestPurchases_Rounding(t *testing.T) {
	t.Parallel()
	c := newClub(t)
	c.file(header +
		"1,m1,a,5,0.001,2024-03-01T10:00:00Z\n" + // 0.005
		"1,m1,b,4,0.001,2024-03-01T10:00:00Z\n" + // 0.004
		"1,m1,c,0.333,10.005,2024-03-01T10:00:00Z\n" + // 3.331665
		"1,m1,d,-1,0.125,2024-03-01T10:00:00Z\n") // -0.125, like its counterpart
	var amounts []int64
	if err := c.DB.Select(t.Context(), &amounts, `select amount from purchase_lines order by line`); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff([]int64{1, 0, 333, -13}, amounts); difference != "" {
		t.Errorf("amounts (-want +got):\n%s", difference)
	}
}

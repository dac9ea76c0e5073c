package cli

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"regulars/internal/importer"
	"regulars/internal/value"
)

// purchaseTable writes what became of a file of purchases for people.
func purchaseTable(report *importer.Report) string {
	var table strings.Builder
	lines(&table, report.Lines)
	members(&table, report.Members)
	_, _ = fmt.Fprintln(&table)
	columns := tabwriter.NewWriter(&table, 0, 0, 3, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprintf(columns, "\torders\tlines\tworth in %s\tpoints\t\n", report.Currency)
	row := func(name string, tally importer.Tally) {
		_, _ = fmt.Fprintf(columns, "%s\t%s\t%s\t%s\t%s\t\n", name, grouped(tally.Orders), grouped(tally.Lines),
			groupedAmount(tally.Worth), grouped(tally.Points))
	}
	row("purchases recorded", report.Purchases.Recorded)
	row("replayed", report.Purchases.Replayed)
	row("rejected", report.Purchases.Rejected)
	row("returns recorded", report.Returns.Recorded)
	row("replayed", report.Returns.Replayed)
	row("without a purchase", report.Returns.Unmatched)
	row("rejected", report.Returns.Rejected)
	_ = columns.Flush()
	matched := report.Returns.Whole + report.Returns.InPart + report.Returns.NotAtAll
	invoices := report.Returns.Recorded.Orders + report.Returns.Replayed.Orders + report.Returns.Unmatched.Orders
	_, _ = fmt.Fprintf(&table, "\n%s return invoices with %s lines: %s matched whole, %s in part, %s not.\n", grouped(invoices), grouped(matched),
		grouped(report.Returns.Whole), grouped(report.Returns.InPart), grouped(report.Returns.NotAtAll))
	_, _ = fmt.Fprintf(&table, "%s points are left to the %s members of the file.\n", grouped(report.Points.Left), grouped(report.Points.Members))
	return table.String()
}

// memberTable writes what became of a file of members for people.
func memberTable(report *importer.MemberReport) string {
	var table strings.Builder
	lines(&table, report.Lines)
	members(&table, report.Members)
	return table.String()
}

func lines(table *strings.Builder, read importer.Lines) {
	_, _ = fmt.Fprintf(table, "%s lines read", grouped(read.Read))
	for _, reason := range slices.Sorted(maps.Keys(read.Skipped)) {
		_, _ = fmt.Fprintf(table, ", %s skipped (%s)", grouped(read.Skipped[reason]), reason)
	}
	_, _ = fmt.Fprintf(table, ", %s rejected\n", grouped(read.Rejected))
}

func members(table *strings.Builder, people importer.Members) {
	_, _ = fmt.Fprintf(table, "%s members enrolled, %s enrolled before, %s rejected\n",
		grouped(people.Enrolled), grouped(people.Replayed), grouped(people.Rejected))
}

func groupedAmount(worth importer.Worth) string {
	whole, fraction, ok := strings.Cut(string(value.Money(worth).Amount()), ".")
	if number, err := strconv.ParseInt(whole, 10, 64); err == nil {
		whole = grouped(number)
	}
	if ok {
		whole += "." + fraction
	}
	return whole
}

// grouped writes a number with its thousands apart.
func grouped[T int | int64](number T) string {
	digits := strconv.FormatInt(int64(number), 10)
	sign := ""
	if number < 0 {
		sign, digits = "-", digits[1:]
	}
	for at := len(digits) - 3; at > 0; at -= 3 {
		digits = digits[:at] + "," + digits[at:]
	}
	return sign + digits
}

package importer

import (
	"cmp"
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"regulars/internal/value"
)

// Report says what became of a file of purchases. Its JSON is for programs.
type Report struct {
	Currency  value.Currency `json:"currency"`
	Lines     Lines          `json:"lines"`
	Members   Members        `json:"members"`
	Purchases Purchases      `json:"purchases"`
	Returns   Returns        `json:"returns"`
	Points    Points         `json:"points"`
	// Rejects is what was not taken, and the return lines that found no purchase, in the order of the file.
	Rejects []Reject `json:"-"`
}

// Lines are the lines of a file, without its header.
type Lines struct {
	Read int `json:"read"`
	// Skipped counts, by reason, lines that there is nothing to do about.
	Skipped map[string]int `json:"skipped"`
	// Rejected lines are in the rejects file with their reason.
	Rejected int `json:"rejected"`
}

// Members says what became of the people in a file.
type Members struct {
	Enrolled int `json:"enrolled"`
	// Replayed were enrolled before.
	Replayed int `json:"replayed"`
	Rejected int `json:"rejected"`
}

// Purchases says what became of orders that are no returns. Replayed ones were recorded by an earlier import.
type Purchases struct {
	Recorded Tally `json:"recorded"`
	Replayed Tally `json:"replayed"`
	Rejected Tally `json:"rejected"`
}

// Returns says what became of return invoices, and of each of their lines.
type Returns struct {
	Recorded Tally `json:"recorded"`
	Replayed Tally `json:"replayed"`
	Rejected Tally `json:"rejected"`
	// Unmatched invoices found no purchase for any of their lines.
	Unmatched Tally `json:"unmatched"`
	// Whole, InPart and NotAtAll count the lines of all but rejected invoices by how much of them found a purchase.
	Whole    int `json:"linesMatchedWhole"`
	InPart   int `json:"linesMatchedInPart"`
	NotAtAll int `json:"linesNotMatched"`
}

// Points are what the members named in the file own after the import.
type Points struct {
	Left    int64 `json:"left"`
	Members int   `json:"members"`
}

// Tally counts orders. Worth is what purchases cost or what came back, Points what purchases earned or returns took back.
type Tally struct {
	Orders int   `json:"orders"`
	Lines  int   `json:"lines"`
	Worth  Worth `json:"worth"`
	Points int64 `json:"points"`
}

// Worth is an amount of the program's currency; in JSON it is written like "12.30".
type Worth value.Money

// MarshalText writes the amount in major units.
func (w Worth) MarshalText() ([]byte, error) { return []byte(value.Money(w).Amount()), nil }

func (t *Tally) add(orders, lines int, worth, points int64) {
	t.Orders += orders
	t.Lines += lines
	t.Worth.Minor += worth
	t.Points += points
}

// Reject is a line that was not taken, or a return line that found no purchase for all of it.
type Reject struct {
	// Line is where it starts in the file, from 1, which is the header.
	Line   int
	Order  string
	Reason string
}

// notes is a report in the making.
type notes struct{ Report }

func newNotes(currency value.Currency) *notes {
	made := &notes{Report: Report{Currency: currency, Lines: Lines{Skipped: map[string]int{}}}}
	for _, tally := range []*Tally{
		&made.Purchases.Recorded, &made.Purchases.Replayed, &made.Purchases.Rejected,
		&made.Returns.Recorded, &made.Returns.Replayed, &made.Returns.Rejected, &made.Returns.Unmatched,
	} {
		tally.Worth.Currency = currency
	}
	return made
}

func (n *notes) reject(line int, order, reason string) {
	n.Rejects = append(n.Rejects, Reject{Line: line, Order: order, Reason: reason})
	n.Lines.Rejected++
}

func (n *notes) finish() *Report {
	sortRejects(n.Rejects)
	return &n.Report
}

func sortRejects(rejects []Reject) {
	slices.SortStableFunc(rejects, func(a, b Reject) int { return cmp.Compare(a.Line, b.Line) })
}

// WriteRejects writes rejects as CSV with a header. key is what the second column is called.
func WriteRejects(to io.Writer, key string, rejects []Reject) error {
	writer := csv.NewWriter(to)
	rows := [][]string{{"line", key, "reason"}}
	for _, one := range rejects {
		rows = append(rows, []string{strconv.Itoa(one.Line), one.Order, one.Reason})
	}
	return writer.WriteAll(rows)
}

package importer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// PurchaseOptions say how to read a file of purchases.
type PurchaseOptions struct {
	// Columns names those of order, member, sku, quantity, price and time that the file calls something else. The member
	// is named by its external id.
	Columns Columns
	// Source is under what the orders are recorded.
	Source string
	// ReturnsPrefix is how the numbers of return invoices start; empty: the file has none.
	ReturnsPrefix string
	// Zone is where the file's clock was, whatever offset it writes; nil: the offset is believed, and needed.
	Zone *time.Location
	// RejectUnknown rejects the orders of people who are no members instead of enrolling everyone named on a line.
	RejectUnknown bool
}

// batchLines bounds the lines that one transaction records, where orders are long.
const batchLines = 6000

// many is from how many purchases on an import changes the size of the tables so much that PostgreSQL must be told.
const many = 1000

// Purchases imports a file of purchases and returns: a CSV file with a header, packed by gzip or not, in UTF-8, in UTF-16
// with its mark, or else in Windows-1252. Lines of the same order are one purchase, wherever they stand, at the time of
// the earliest of them. It records all purchases and then all returns, each by time, and those of the same instant as they
// stand in the file.
//
// A return comes back line by line from what the same member bought before, see match. What it finds depends on what is
// recorded then, and stays as it is: imported again, a return keeps its purchases, and only what found none is looked for
// again.
//
// What cannot be taken is in the report. An error means that the import was not finished: the report, if there is
// one, says how far it came, and importing the file again goes on there.
func (i *Importer) Purchases(ctx context.Context, path string, options PurchaseOptions) (*Report, error) {
	settings, err := program.Load(ctx, i.DB)
	if err != nil {
		return nil, err
	}
	var into *notes
	err = i.alone(ctx, options.Source, func() error {
		into = newNotes(settings.Currency)
		gathered, err := i.gather(path, options, settings.Currency, into)
		if err != nil {
			return err
		}
		named, err := i.people(ctx, gathered, options.RejectUnknown, into)
		if err != nil {
			return err
		}
		if err := i.purchases(ctx, gathered.purchases, named, options.Source, into); err != nil {
			return err
		}
		if err := i.returns(ctx, gathered.returns, named, options.Source, into); err != nil {
			return err
		}
		into.Points, err = i.count(ctx, named)
		return err
	})
	if into == nil {
		return nil, err
	}
	return into.finish(), err
}

func (i *Importer) gather(path string, options PurchaseOptions, currency value.Currency, into *notes) (made *book, err error) {
	opened, err := openFile(path, func(done, total int64) { i.Progress(Reading, done, total) })
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, opened.on.Close()) }()
	text, err := opened.text()
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	rows, err := newTable(text, options.Columns, []string{orderColumn, memberColumn, skuColumn, quantityColumn, priceColumn, timeColumn}, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	gathering := &gatherer{
		PurchaseOptions: options, currency: currency, times: instants{zone: options.Zone}, orders: map[string]*order{},
		members: map[string]time.Time{}, texts: map[string]string{}, notes: into,
	}
	return gathering.gather(rows)
}

// takeable returns the orders that can be taken, and rejects the others.
func takeable(orders []*order, named *people, into *notes, rejected *Tally) []*order {
	return slices.DeleteFunc(orders, func(one *order) bool {
		reason := cmp.Or(one.wrong, named.refused[one.member])
		if reason != "" {
			one.reject(into, rejected, reason)
		}
		return reason != ""
	})
}

// purchases records orders.
func (i *Importer) purchases(ctx context.Context, orders []*order, named *people, source string, into *notes) error {
	waiting := takeable(orders, named, into, &into.Report.Purchases.Rejected)
	total := len(waiting)
	for len(waiting) > 0 {
		some := waiting[:fill(waiting)]
		waiting = waiting[len(some):]
		answers, err := i.Service.RecordPurchases(ctx, purchaseInputs(some, named, source, into.Currency))
		if err != nil {
			return fmt.Errorf("record purchases: %w", err)
		}
		into.purchased(some, answers)
		i.Progress(Purchasing, int64(total-len(waiting)), int64(total))
	}
	if total < many {
		return nil
	}
	return analyze(ctx, i.DB)
}

// fill returns how many of the orders go into one transaction.
func fill(orders []*order) int {
	lines := 0
	for count, one := range orders {
		if lines += len(one.lines); count == batch || count > 0 && lines > batchLines {
			return count
		}
	}
	return len(orders)
}

func purchaseInputs(orders []*order, named *people, source string, currency value.Currency) []loyalty.RecordPurchaseInput {
	money := func(minor int64) value.MoneyInput {
		return value.MoneyInput{Amount: value.FormatUnits(minor, currency.Exponent()), Currency: currency}
	}
	inputs := make([]loyalty.RecordPurchaseInput, len(orders))
	for at, one := range orders {
		member := named.known[one.member]
		inputs[at] = loyalty.RecordPurchaseInput{
			Member: loyalty.MemberRef{ID: &member}, Source: source, ExternalID: one.name, OccurredAt: one.at,
			Total: money(one.total()), Lines: make([]loyalty.PurchaseLineInput, len(one.lines)),
		}
		for number, sold := range one.lines {
			inputs[at].Lines[number] = loyalty.PurchaseLineInput{
				SKU: sold.sku, Quantity: sold.quantity.Decimal(), Amount: money(sold.amount),
			}
		}
	}
	return inputs
}

// purchased notes the answers to orders.
func (n *notes) purchased(orders []*order, answers []loyalty.Recorded) {
	for at, one := range orders {
		answer := answers[at]
		if len(answer.UserErrors) > 0 {
			one.reject(n, &n.Purchases.Rejected, problem.Problems(answer.UserErrors).Error())
			continue
		}
		tally := &n.Purchases.Recorded
		if *answer.Replayed {
			tally = &n.Purchases.Replayed
		}
		tally.add(1, len(one.lines), *answer.Activity.TotalMinor, answer.Evaluation.Points)
	}
}

package importer

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"regulars/internal/value"
)

// Columns of a file of purchases; it has all of them.
const (
	orderColumn    = "order"
	memberColumn   = "member"
	skuColumn      = "sku"
	quantityColumn = "quantity"
	priceColumn    = "price"
	timeColumn     = "time"
)

const noMember = "no member"

// order is a purchase or a return invoice: lines of the file that name the same order.
type order struct {
	name string
	// member is the external id.
	member string
	at     time.Time
	lines  []line
	// wrong is why the order cannot be taken.
	wrong string
}

// line is one of a file's.
type line struct {
	number   int
	sku      string
	quantity value.Quantity
	// amount is 0 on a return, which comes back at the purchase's price.
	amount int64
	wrong  string
}

func (o *order) total() int64 {
	var total int64
	for _, line := range o.lines {
		total += line.amount
	}
	return total
}

// reject notes that the order was not taken: a line that is wrong itself with its own reason, all others with the
// order's.
func (o *order) reject(into *notes, tally *Tally, reason string) {
	for _, line := range o.lines {
		into.reject(line.number, o.name, cmp.Or(line.wrong, reason))
	}
	tally.add(1, len(o.lines), o.total(), 0)
}

// book is what a file of purchases holds.
type book struct {
	purchases []*order
	returns   []*order
	// members are those named on a line, each with the earliest time of its lines, zero if none can be read.
	members map[string]time.Time
}

// gatherer groups lines into orders.
type gatherer struct {
	PurchaseOptions
	currency value.Currency
	times    instants
	orders   map[string]*order
	members  map[string]time.Time
	// texts holds every text once.
	texts map[string]string
	notes *notes
}

// gather reads the table to its end.
func (g *gatherer) gather(from *table) (*book, error) {
	for {
		problem, ok, err := from.next()
		if err != nil {
			return nil, fmt.Errorf("read behind line %d: %w", from.line, err)
		}
		if !ok {
			return g.book(), nil
		}
		g.notes.Lines.Read++
		if problem != "" {
			g.notes.reject(from.line, "", problem)
			continue
		}
		g.take(from)
	}
}

// take puts the row into its order.
func (g *gatherer) take(row *table) {
	member, name := g.text(row.value(memberColumn)), g.text(row.value(orderColumn))
	if member == "" {
		g.notes.Lines.Skipped[noMember]++
		return
	}
	made, at, err := g.line(row, g.returning(name))
	if earliest := g.members[member]; earliest.IsZero() || !at.IsZero() && at.Before(earliest) {
		g.members[member] = at
	}
	if name == "" {
		g.notes.reject(row.line, "", "the line names no order")
		return
	}
	into, known := g.orders[name]
	if !known {
		into = &order{name: name, member: member, at: at}
		g.orders[name] = into
	}
	if !at.IsZero() && (into.at.IsZero() || at.Before(into.at)) {
		into.at = at
	}
	if err != nil {
		made.wrong = err.Error()
		into.wrong = cmp.Or(into.wrong, fmt.Sprintf("line %d of the same order is wrong", made.number))
	}
	if into.member != member {
		into.wrong = fmt.Sprintf("the order names two members, here %s and on line %d %s", into.member, made.number, member)
	}
	into.lines = append(into.lines, made)
}

// line reads the row and when it happened.
func (g *gatherer) line(row *table, returning bool) (line, time.Time, error) {
	made := line{number: row.line, sku: g.text(row.value(skuColumn))}
	at, err := g.times.parse(row.value(timeColumn))
	if err != nil {
		return made, at, fmt.Errorf("%s: %w", timeColumn, err)
	}
	quantity, err := value.ParseDecimal(row.value(quantityColumn))
	if err == nil {
		made.quantity, err = value.ParseQuantity(quantity)
	}
	if err == nil && returning && made.quantity >= 0 {
		err = errors.New("on a return it is negative")
	}
	if err != nil {
		return made, at, fmt.Errorf("%s: %w", quantityColumn, err)
	}
	if returning {
		return made, at, nil
	}
	price, err := value.ParseDecimal(row.value(priceColumn))
	if err == nil {
		made.amount, err = lineAmount(price, made.quantity, g.currency)
	}
	if err != nil {
		return made, at, fmt.Errorf("%s: %w", priceColumn, err)
	}
	return made, at, nil
}

func (g *gatherer) returning(order string) bool {
	return g.ReturnsPrefix != "" && strings.HasPrefix(order, g.ReturnsPrefix)
}

// text returns a copy of its own for text that is seen the first time: what a row holds keeps the whole row.
func (g *gatherer) text(seen string) string {
	if seen == "" {
		return ""
	}
	kept, ok := g.texts[seen]
	if !ok {
		kept = strings.Clone(seen)
		g.texts[kept] = kept
	}
	return kept
}

func (g *gatherer) book() *book {
	made := &book{members: g.members}
	for _, one := range g.orders {
		if g.returning(one.name) {
			made.returns = append(made.returns, one)
		} else {
			made.purchases = append(made.purchases, one)
		}
	}
	byTime := func(a, b *order) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.lines[0].number, b.lines[0].number))
	}
	slices.SortFunc(made.purchases, byTime)
	slices.SortFunc(made.returns, byTime)
	return made
}

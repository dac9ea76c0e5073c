package importer

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
)

// invoices is how many return invoices are looked up at once.
const invoices = 100

// returns matches and records return invoices.
func (i *Importer) returns(ctx context.Context, orders []*order, named *people, source string, into *notes) error {
	orders = takeable(orders, named, into, &into.Report.Returns.Rejected)
	done := 0
	matching := &matcher{service: i.Service, named: named, source: source, notes: into}
	for some := range slices.Chunk(orders, invoices) {
		if err := matching.look(ctx, some); err != nil {
			return err
		}
		for _, one := range some {
			if err := matching.settle(ctx, one); err != nil {
				return err
			}
			done++
			i.Progress(Returning, int64(done), int64(len(orders)))
		}
	}
	return nil
}

// matcher records return invoices, one after the other.
type matcher struct {
	service *loyalty.Service
	named   *people
	source  string
	notes   *notes
	// until is when the last of the invoices that were looked up happened.
	until    time.Time
	stock    stock
	recorded map[string][]loyalty.RecordedReturn
}

// look reads what was bought, and what was recorded of the invoices before.
func (m *matcher) look(ctx context.Context, some []*order) error {
	asked := make([]loyalty.ReturnsNamed, len(some))
	for at, one := range some {
		asked[at] = loyalty.ReturnsNamed{Member: m.named.known[one.member], Prefix: one.name + ":"}
	}
	recorded, err := m.service.RecordedReturns(ctx, m.source, asked)
	if err != nil {
		return fmt.Errorf("read recorded returns: %w", err)
	}
	m.recorded = map[string][]loyalty.RecordedReturn{}
	for _, one := range some {
		for _, before := range recorded {
			if before.Member == m.named.known[one.member] && strings.HasPrefix(before.ExternalID, one.name+":") {
				m.recorded[one.name] = append(m.recorded[one.name], before)
			}
		}
	}
	m.until = some[len(some)-1].at
	m.stock, err = m.bought(ctx, some)
	return err
}

func (m *matcher) bought(ctx context.Context, some []*order) (stock, error) {
	var articles []loyalty.MemberSKU
	for _, one := range some {
		for _, line := range one.lines {
			articles = append(articles, m.article(one, line))
		}
	}
	sold, err := m.service.SoldLines(ctx, articles, m.until)
	if err != nil {
		return nil, fmt.Errorf("read purchases: %w", err)
	}
	return newStock(sold), nil
}

func (m *matcher) article(of *order, returned line) loyalty.MemberSKU {
	return loyalty.MemberSKU{Member: m.named.known[of.member], SKU: returned.sku}
}

// partName is the external id of what of a return line came back from a purchase. Numbers of orders are unique within
// their source only.
func (m *matcher) partName(invoice string, line int, from purchase) string {
	name := from.externalID
	if from.source != m.source {
		name = from.source + "/" + name
	}
	return invoice + ":" + strconv.Itoa(line) + ":" + name
}

// invoice is a return invoice while it is settled.
type invoice struct {
	*order
	// found is how much of each line has come back from which purchases.
	found []map[purchase]value.Quantity
	// refusals counts, by part, how often a purchase had less left than the stock said.
	refusals map[string]int
	// replayed are the parts that were recorded before, recorded those that are new.
	replayed []booked
	recorded []booked
}

// booked is what a part brought back and took back.
type booked struct{ worth, points int64 }

// settle records an invoice: what of it was recorded before stays, and the rest is matched and recorded in one
// transaction. If a purchase turns out to have less left than it had, because someone else returned it meanwhile, the
// rest is matched anew.
func (m *matcher) settle(ctx context.Context, one *order) error {
	settling := &invoice{order: one, found: make([]map[purchase]value.Quantity, len(one.lines)), refusals: map[string]int{}}
	for at := range settling.found {
		settling.found[at] = map[purchase]value.Quantity{}
	}
	reason := m.recall(settling)
	for reason == "" {
		inputs, parts := m.plan(settling)
		if len(inputs) == 0 {
			break
		}
		refused := len(inputs) > loyalty.MaximumBatch
		if refused {
			reason = fmt.Sprintf("%s: The invoice comes back from more than %d purchases.", problem.TooManyLines, loyalty.MaximumBatch)
		} else {
			answers, err := m.service.RecordReturnsTogether(ctx, inputs)
			if err != nil {
				return fmt.Errorf("record returns: %w", err)
			}
			refused, reason = settling.note(inputs, parts, answers)
		}
		if !refused {
			break
		}
		// What the plan took out of the stock is still there, if not as much as it was.
		fresh, err := m.bought(ctx, []*order{one})
		if err != nil {
			return err
		}
		for _, line := range one.lines {
			m.stock[m.article(one, line)] = fresh[m.article(one, line)]
		}
	}
	m.notes.returned(settling, reason)
	return nil
}

// recall notes what was recorded of the invoice before. It returns why the invoice cannot be taken if that belongs to
// other lines than it has: then the file is another one than it was, and no number of a line means what it meant.
func (m *matcher) recall(settling *invoice) (reason string) {
	for _, before := range m.recorded[settling.name] {
		from := purchase{source: before.PurchaseSource, externalID: before.PurchaseExternalID}
		text, _, _ := strings.Cut(strings.TrimPrefix(before.ExternalID, settling.name+":"), ":")
		number, err := strconv.Atoi(text)
		if err != nil || before.ExternalID != m.partName(settling.name, number, from) {
			// It is of an order with a longer name, or none of ours.
			continue
		}
		at := slices.IndexFunc(settling.lines, func(one line) bool { return one.number == number })
		if at < 0 || settling.lines[at].sku != before.SKU || -settling.lines[at].quantity < before.Quantity {
			return fmt.Sprintf("the return was recorded before from line %d, where something else stands now", number)
		}
		settling.found[at][from] = before.Quantity
		settling.replayed = append(settling.replayed, booked{before.Total, before.Points})
	}
	return ""
}

// planned is the part of a line that an input is for.
type planned struct {
	part
	line int
}

// plan matches what has not been found yet.
func (m *matcher) plan(settling *invoice) (inputs []loyalty.RecordReturnInput, parts []planned) {
	for at, line := range settling.lines {
		wanted := -line.quantity
		for _, quantity := range settling.found[at] {
			wanted -= quantity
		}
		barred := func(from purchase) bool {
			_, done := settling.found[at][from]
			return done || settling.refusals[m.partName(settling.name, line.number, from)] > 1
		}
		for _, found := range m.stock.match(m.article(settling.order, line), wanted, settling.at, barred) {
			parts = append(parts, planned{part: found, line: at})
			inputs = append(inputs, loyalty.RecordReturnInput{
				Source: m.source, ExternalID: m.partName(settling.name, line.number, found.purchase),
				PurchaseSource: found.purchase.source, PurchaseExternalID: found.purchase.externalID,
				OccurredAt: settling.at, Lines: found.lines,
			})
		}
	}
	return inputs, parts
}

// note takes the answers to a plan, of which all or nothing was recorded. It tells whether it was refused, and why the
// invoice cannot be taken unless matching again may help.
func (s *invoice) note(inputs []loyalty.RecordReturnInput, parts []planned, answers []loyalty.Recorded) (refused bool, reason string) {
	for at, answer := range answers {
		if problems := answer.UserErrors; len(problems) > 0 {
			refused = true
			s.refusals[inputs[at].ExternalID]++
			if !exceeds(problems) {
				reason = problem.Problems(problems).Error()
			}
		}
	}
	if refused {
		return true, reason
	}
	for at, answer := range answers {
		s.found[parts[at].line][parts[at].purchase] = parts[at].quantity
		made := booked{worth: *answer.Activity.TotalMinor}
		for _, entry := range answer.Entries {
			made.points -= entry.Points
		}
		if *answer.Replayed {
			s.replayed = append(s.replayed, made)
		} else {
			s.recorded = append(s.recorded, made)
		}
	}
	return false, ""
}

func exceeds(problems []problem.UserError) bool {
	return !slices.ContainsFunc(problems, func(one problem.UserError) bool {
		known, ok := one.(problem.InputError)
		return !ok || known.Code != problem.ReturnExceedsPurchase
	})
}

// returned notes what became of an invoice. What was recorded of it counts even if it was rejected.
func (n *notes) returned(settled *invoice, reason string) {
	for _, made := range settled.replayed {
		n.Returns.Replayed.add(0, 0, made.worth, made.points)
	}
	for _, made := range settled.recorded {
		n.Returns.Recorded.add(0, 0, made.worth, made.points)
	}
	switch {
	case reason != "":
		settled.reject(n, &n.Returns.Rejected, reason)
	case len(settled.recorded) > 0:
		n.matched(settled, &n.Returns.Recorded)
	case len(settled.replayed) > 0:
		n.matched(settled, &n.Returns.Replayed)
	default:
		n.matched(settled, &n.Returns.Unmatched)
	}
}

// matched notes how much of each line of an invoice found a purchase.
func (n *notes) matched(settled *invoice, tally *Tally) {
	tally.add(1, len(settled.lines), 0, 0)
	for at, line := range settled.lines {
		var found value.Quantity
		for _, quantity := range settled.found[at] {
			found += quantity
		}
		switch missing := -line.quantity - found; {
		case missing == 0:
			n.Returns.Whole++
			continue
		case found > 0:
			n.Returns.InPart++
		default:
			n.Returns.NotAtAll++
		}
		n.Rejects = append(n.Rejects, Reject{
			Line: line.number, Order: settled.name,
			Reason: fmt.Sprintf("%s of %s came back from no purchase that is recorded", (-line.quantity - found).Decimal(), (-line.quantity).Decimal()),
		})
	}
}

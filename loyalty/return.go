package loyalty

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// RecordReturnInput is a return of a purchase: by Amount of its total, by Lines, or, with neither, of all that is left.
type RecordReturnInput struct {
	Source             string
	ExternalID         string
	PurchaseSource     string
	PurchaseExternalID string
	OccurredAt         time.Time
	Amount             *value.MoneyInput
	Lines              []ReturnLineInput
}

// ReturnLineInput is a quantity that came back of one line, named by LineID, or by SKU: then the last line of that SKU
// with something left gives first.
type ReturnLineInput struct {
	LineID   *string
	SKU      *string
	Quantity value.Decimal
}

// RecordReturns records returns, at most MaximumBatch at once, and takes back what the purchases earned: of each award
// the share that came back of what it was computed on, rounded down over all returns together, so that the whole
// purchase takes back exactly the whole. Points come first from the lots that the award made; what has been spent comes
// from others in burn order, and what is missing then is dealt with by the program's policy. Rules are not asked again. A
// return whose purchase has not come yet waits for it. For support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_PURCHASE, UNKNOWN_SKU, RETURN_EXCEEDS_PURCHASE, INVALID_AMOUNT, CURRENCY_MISMATCH, ZERO_QUANTITY,
// INVALID_QUANTITY, INVALID_LINE, TOO_MANY_LINES, INVALID_SOURCE, OCCURRED_IN_FUTURE, BEFORE_PROGRAM_START,
// ALREADY_CLAIMED, IDEMPOTENCY_KEY_REUSED.
func (s *Service) RecordReturns(ctx context.Context, inputs []RecordReturnInput) ([]Recorded, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.PurchasesWrite)
	if err != nil {
		return nil, err
	}
	return s.record(ctx, len(inputs), prepareReturns(caller, inputs))
}

func prepareReturns(caller actor.Actor, inputs []RecordReturnInput) func(context.Context, *postgres.Tx, *rulebook) ([]*fact, error) {
	return func(ctx context.Context, tx *postgres.Tx, book *rulebook) ([]*fact, error) {
		facts := make([]*fact, len(inputs))
		for i, input := range inputs {
			facts[i] = newReturn(input, book, tx.Now)
			facts[i].from(caller)
		}
		if err := findPurchases(ctx, tx, inputs, facts); err != nil {
			return nil, err
		}
		return facts, expectPurchases(ctx, tx, inputs, facts)
	}
}

// returning is what a return says of its purchase: an amount, lines, or neither.
type returning struct {
	purchase id.Activity
	amount   *int64
	lines    []returnedQuantity
	// came is what came back of which line, once that is worked out.
	came []returnLine
	// waits tells that the purchase has not come yet, which is known by the rest then.
	waits                              bool
	purchaseKey                        uuid.UUID
	purchaseSource, purchaseExternalID string
}

// returnedQuantity names a line by its id or by its SKU.
type returnedQuantity struct {
	LineID   *string        `json:"lineId,omitempty"`
	SKU      *string        `json:"sku,omitempty"`
	Quantity value.Quantity `json:"quantity"`
}

// returnLine is what came back of one line of a purchase.
type returnLine struct {
	Line     int
	Quantity value.Quantity
	Amount   int64
}

func (r *returning) normalized() map[string]any {
	purchase := r.purchase.String()
	if r.waits {
		purchase = r.purchaseKey.String()
	}
	return map[string]any{"purchase": purchase, "amount": r.amount, "lines": r.lines}
}

func newReturn(input RecordReturnInput, book *rulebook, now time.Time) *fact {
	made := newFact(typeReturn, input.Source, input.ExternalID, input.OccurredAt, book, now)
	made.returning = &returning{}
	if input.Amount != nil {
		amount := money(&made.problems, book, *input.Amount, "amount")
		if len(made.problems) == 0 && amount <= 0 {
			made.problems.Add(problem.InvalidAmount, []string{"amount"}, "What came back is worth more than nothing.")
		}
		made.returning.amount = &amount
		if len(input.Lines) > 0 {
			made.problems.Add(problem.InvalidAmount, []string{"amount"}, "Give the amount or the lines that came back, not both.")
		}
	}
	if input.Source == input.PurchaseSource && input.ExternalID == input.PurchaseExternalID {
		made.problems.Add(problem.UnknownPurchase, []string{"purchaseExternalId"}, "A return is not its own purchase.")
	}
	if len(input.Lines) > MaximumLines {
		made.problems.Add(problem.TooManyLines, []string{"lines"}, "A return has at most %d lines.", MaximumLines)
		return made
	}
	for i, line := range input.Lines {
		index := strconv.Itoa(i)
		came := quantity(&made.problems, line.Quantity, "lines", index, "quantity")
		if came < 0 {
			made.problems.Add(problem.InvalidQuantity, []string{"lines", index, "quantity"}, "What came back is more than nothing.")
		}
		if (line.LineID == nil) == (line.SKU == nil) {
			made.problems.Add(problem.InvalidLine, []string{"lines", index}, "Name the line by its id or by its SKU.")
		}
		made.returning.lines = append(made.returning.lines, returnedQuantity{LineID: line.LineID, SKU: line.SKU, Quantity: came})
	}
	return made
}

// findPurchases finds the purchases, and with them whose returns these are.
func findPurchases(ctx context.Context, tx *postgres.Tx, inputs []RecordReturnInput, facts []*fact) error {
	found, err := findActivities(ctx, tx, inputs, purchaseName)
	if err != nil {
		return err
	}
	for i, one := range facts {
		switch {
		case found[i] == nil && Within(inputs[i].PurchaseSource, maximumSource) && Within(inputs[i].PurchaseExternalID, maximumExternalID):
			one.returning.waits = len(one.problems) == 0
			one.returning.purchaseSource, one.returning.purchaseExternalID = inputs[i].PurchaseSource, inputs[i].PurchaseExternalID
			if one.returning.purchaseKey, err = activityKey(purchaseName(inputs[i])); err != nil {
				return err
			}
			continue
		case found[i] == nil || found[i].Type != typePurchase:
			one.problems.Add(problem.UnknownPurchase, []string{"purchaseExternalId"}, "No such purchase was recorded.")
			continue
		}
		one.member, one.returning.purchase = found[i].Member, found[i].ID()
	}
	return nil
}

// purchase is one that returns belong to: what it was, what came back of it, what it earned and what of that is left.
type purchase struct {
	Activity
	returned int64
	// byAmount is what of that came back without saying of which lines.
	byAmount int64
	returns  int
	lines    []soldLine
	awards   []*award
}

type soldLine struct {
	purchaseLine
	returnedQuantity value.Quantity
	returnedAmount   int64
}

// take works out what a return brings back, and notes it in the purchase. If it returns problems it has noted nothing.
func (p *purchase) take(r *returning) (worth int64, lines []returnLine, problems problem.Problems) {
	left := *p.TotalMinor - p.returned
	switch {
	case r.amount != nil:
		worth = *r.amount
	case len(r.lines) > 0:
		if lines, problems = p.pick(r.lines); len(problems) > 0 {
			return 0, nil, problems
		}
		for _, line := range lines {
			worth += line.Amount
		}
		if worth > 0 && left == 0 && p.byAmount > 0 {
			problems.Add(problem.ReturnExceedsPurchase, nil, "Nothing is left of this purchase.")
			return 0, nil, problems
		}
		// Lines may miss the total by their rounding, or by what came back of it as an amount: their quantities bound a return
		// by lines, and the last one takes what is left.
		worth = min(max(worth, 0), left)
		if p.empties(lines) {
			worth = left
		}
	default:
		worth, lines = left, p.rest()
		if p.returns > 0 && left == 0 && len(lines) == 0 {
			problems.Add(problem.ReturnExceedsPurchase, nil, "Nothing is left of this purchase.")
			return 0, nil, problems
		}
	}
	if worth > left {
		problems.Add(problem.ReturnExceedsPurchase, nil, "More would come back than is left of this purchase.")
		return 0, nil, problems
	}
	p.returned += worth
	p.returns++
	if len(lines) == 0 {
		p.byAmount += worth
	}
	for _, line := range lines {
		p.lines[line.Line-1].returnedQuantity += line.Quantity
		p.lines[line.Line-1].returnedAmount += line.Amount
	}
	return worth, lines, nil
}

// pick finds the lines that quantities come from.
func (p *purchase) pick(wanted []returnedQuantity) ([]returnLine, problem.Problems) {
	var problems problem.Problems
	picked := make(map[int]value.Quantity)
	for i, want := range wanted {
		missing, known := want.Quantity, false
		for at := len(p.lines) - 1; at >= 0 && missing > 0; at-- {
			line := p.lines[at]
			if (want.LineID == nil || *want.LineID != line.ID) && (want.SKU == nil || *want.SKU != line.SKU) {
				continue
			}
			known = true
			if taken := min(missing, line.Quantity-line.returnedQuantity-picked[at]); taken > 0 {
				picked[at] += taken
				missing -= taken
			}
		}
		path := []string{"lines", strconv.Itoa(i)}
		switch {
		case !known:
			problems.Add(problem.UnknownSKU, path, "The purchase has no such line.")
		case missing > 0:
			problems.Add(problem.ReturnExceedsPurchase, append(path, "quantity"), "%s too many would come back.", missing.Decimal())
		}
	}
	var lines []returnLine
	for at := range p.lines {
		if taken := picked[at]; taken > 0 {
			lines = append(lines, p.lines[at].part(taken))
		}
	}
	return lines, problems
}

// rest is all that is left of the lines.
func (p *purchase) rest() []returnLine {
	var lines []returnLine
	for at := range p.lines {
		if left := p.lines[at].Quantity - p.lines[at].returnedQuantity; left > 0 {
			lines = append(lines, p.lines[at].part(left))
		}
	}
	return lines
}

// empties tells whether nothing is left of any line once these came back.
func (p *purchase) empties(lines []returnLine) bool {
	for at, line := range p.lines {
		i := slices.IndexFunc(lines, func(came returnLine) bool { return came.Line == at+1 })
		left := line.Quantity - line.returnedQuantity
		if i >= 0 {
			left -= lines[i].Quantity
		}
		if left > 0 {
			return false
		}
	}
	return true
}

// part is the share of the line's amount that a quantity brings back, rounded down over all returns together.
func (l soldLine) part(came value.Quantity) returnLine {
	amount, sign := l.Amount, int64(1)
	if amount < 0 {
		amount, sign = -amount, -1
	}
	// Not more comes back than was sold, so the share fits.
	whole, _ := value.MultiplyDivide(amount, int64(l.returnedQuantity+came), int64(l.Quantity), value.Floor)
	return returnLine{Line: l.Line, Quantity: came, Amount: sign*whole - l.returnedAmount}
}

package loyalty

import (
	"context"
	"strconv"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// MaximumLines bounds the lines of a purchase.
const MaximumLines = 1000

// RecordPurchaseInput is a purchase: (Source, ExternalID) is recorded once, whoever claims it.
type RecordPurchaseInput struct {
	Member     MemberRef
	Source     string
	ExternalID string
	OccurredAt time.Time
	Total      value.MoneyInput
	// PaidWithPoints is the part of Total that was paid with points and earns nothing; nil: none.
	PaidWithPoints *value.MoneyInput
	Lines          []PurchaseLineInput
	Attributes     []value.Attribute
}

// PurchaseLineInput is one line of a purchase.
type PurchaseLineInput struct {
	// ID names the line within the purchase; by default its number, from "1".
	ID       *string
	SKU      string
	Quantity value.Decimal
	// Amount is of the whole line, as counted in the total.
	Amount value.MoneyInput
	// Discount is what was already taken off Amount.
	Discount *value.MoneyInput
	Category *string
	Brand    *string
}

// purchaseLine is a line as it is stored: amounts in minor units. Line counts from 1.
type purchaseLine struct {
	Line     int            `db:"line" json:"line"`
	ID       string         `db:"id" json:"id"`
	SKU      string         `db:"sku" json:"sku"`
	Quantity value.Quantity `db:"quantity" json:"quantity"`
	Amount   int64          `db:"amount" json:"amount"`
	Discount *int64         `db:"discount" json:"discount,omitempty"`
	Category *string        `db:"category" json:"category,omitempty"`
	Brand    *string        `db:"brand" json:"brand,omitempty"`
}

// RecordPurchases records purchases, at most MaximumBatch at once, gives what the rules award, raises tiers, and answers
// each purchase in order: one that is refused keeps none of the others. A purchase that was recorded before answers what
// it did then. For support, admins and PurchasesWrite.
//
// Problems: UNKNOWN_MEMBER; NEGATIVE_TOTAL, INVALID_AMOUNT, CURRENCY_MISMATCH; ZERO_QUANTITY, INVALID_QUANTITY,
// INVALID_LINE, LINES_TOTAL_MISMATCH, TOO_MANY_LINES; INVALID_SOURCE, INVALID_ATTRIBUTE, OCCURRED_IN_FUTURE,
// BEFORE_PROGRAM_START; ALREADY_CLAIMED, IDEMPOTENCY_KEY_REUSED. TOO_MANY_PURCHASES refuses the whole slice.
func (s *Service) RecordPurchases(ctx context.Context, inputs []RecordPurchaseInput) ([]Recorded, error) {
	caller, err := actor.Require(ctx, actor.Support, actor.Admin, actor.PurchasesWrite)
	if err != nil {
		return nil, err
	}
	refs := make([]MemberRef, len(inputs))
	for i, input := range inputs {
		refs[i] = input.Member
	}
	if err := s.MayGuess(caller, guesses(refs)); err != nil {
		return nil, err
	}
	var members []id.Member
	answers, err := s.record(ctx, len(inputs), func(ctx context.Context, tx *postgres.Tx, book *rulebook) ([]*fact, error) {
		var err error
		if members, err = resolve(ctx, tx, refs); err != nil {
			return nil, err
		}
		facts := make([]*fact, len(inputs))
		for i, input := range inputs {
			facts[i] = newPurchase(input, book, tx.Now)
			facts[i].from(caller)
			facts[i].of(members[i])
		}
		return facts, nil
	})
	s.guessed(caller, refs, members)
	return answers, err
}

func newPurchase(input RecordPurchaseInput, book *rulebook, now time.Time) *fact {
	made := newFact(typePurchase, input.Source, input.ExternalID, input.OccurredAt, book, now)
	made.attributes = normalizeAttributes(&made.problems, []string{"attributes"}, input.Attributes)
	total := money(&made.problems, book, input.Total, "total")
	if total < 0 {
		made.problems.Add(problem.NegativeTotal, []string{"total"}, "A purchase cannot be worth less than nothing; record a return instead.")
	}
	made.total = &total
	if input.PaidWithPoints != nil {
		paid := money(&made.problems, book, *input.PaidWithPoints, "paidWithPoints")
		if len(made.problems) == 0 && (paid < 0 || paid > total) {
			made.problems.Add(problem.InvalidAmount, []string{"paidWithPoints"}, "Of a purchase, between nothing and all is paid with points.")
		}
		made.paid = &paid
	}
	if len(input.Lines) > MaximumLines {
		made.problems.Add(problem.TooManyLines, []string{"lines"}, "A purchase has at most %d lines.", MaximumLines)
		return made
	}
	made.lines = normalizeLines(&made.problems, book, input.Lines)
	if len(made.problems) == 0 && len(made.lines) > 0 {
		difference := total
		for _, line := range made.lines {
			difference -= line.Amount
		}
		if tolerance := int64(len(made.lines)); difference > tolerance || difference < -tolerance {
			made.problems.Add(problem.LinesTotalMismatch, []string{"lines"}, "The lines add up to %s, the total is %s.",
				value.Money{Minor: total - difference, Currency: book.Currency}, value.Money{Minor: total, Currency: book.Currency})
		}
	}
	return made
}

func normalizeLines(problems *problem.Problems, book *rulebook, inputs []PurchaseLineInput) []purchaseLine {
	lines := make([]purchaseLine, len(inputs))
	seen := make(map[string]bool, len(inputs))
	for i, input := range inputs {
		index := strconv.Itoa(i)
		line := purchaseLine{Line: i + 1, ID: strconv.Itoa(i + 1), SKU: input.SKU, Category: input.Category, Brand: input.Brand}
		if input.ID != nil {
			line.ID = *input.ID
		}
		if !Within(line.ID, maximumExternalID) || seen[line.ID] {
			problems.Add(problem.InvalidLine, []string{"lines", index, "id"}, "A line's id has 1 to %d characters and stands once.", maximumExternalID)
		}
		seen[line.ID] = true
		if !Within(line.SKU, maximumExternalID) {
			problems.Add(problem.InvalidLine, []string{"lines", index, "sku"}, "A SKU has 1 to %d characters.", maximumExternalID)
		}
		for name, text := range map[string]*string{"category": input.Category, "brand": input.Brand} {
			if text != nil && (len([]rune(*text)) > maximumName || strings.ContainsRune(*text, 0)) {
				problems.Add(problem.InvalidLine, []string{"lines", index, name}, "At most %d characters are kept, and no null.", maximumName)
			}
		}
		line.Quantity = quantity(problems, input.Quantity, "lines", index, "quantity")
		line.Amount = money(problems, book, input.Amount, "lines", index, "amount")
		if input.Discount != nil {
			discount := money(problems, book, *input.Discount, "lines", index, "discount")
			line.Discount = &discount
			if discount < 0 {
				problems.Add(problem.InvalidAmount, []string{"lines", index, "discount"}, "A discount takes off nothing or more.")
			}
		}
		lines[i] = line
	}
	return lines
}

// quantity reads a quantity other than 0.
func quantity(problems *problem.Problems, input value.Decimal, path ...string) value.Quantity {
	read, err := value.ParseQuantity(input)
	switch {
	case err != nil:
		problems.Add(problem.InvalidQuantity, path, "%v.", err)
	case read == 0:
		problems.Add(problem.ZeroQuantity, path, "A quantity of 0 is none.")
	}
	return read
}

// money reads an amount of the program's currency in minor units.
func money(problems *problem.Problems, book *rulebook, input value.MoneyInput, path ...string) int64 {
	if input.Currency != book.Currency {
		problems.Add(problem.CurrencyMismatch, append(append([]string{}, path...), "currency"), "The program counts in %s.", book.Currency)
		return 0
	}
	read, err := input.Money()
	if err != nil {
		problems.Add(problem.InvalidAmount, append(append([]string{}, path...), "amount"), "%v.", err)
	}
	return read.Minor
}

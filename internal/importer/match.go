package importer

import (
	"time"

	"regulars/internal/value"
	"regulars/loyalty"
)

// stock is what members bought and can bring back, as loyalty.Service.SoldLines lists it.
type stock map[loyalty.MemberSKU][]*loyalty.SoldLine

func newStock(lines []loyalty.SoldLine) stock {
	made := stock{}
	for at := range lines {
		made[lines[at].MemberSKU] = append(made[lines[at].MemberSKU], &lines[at])
	}
	return made
}

// purchase names a purchase.
type purchase struct{ source, externalID string }

// part is what of a return line comes back from one purchase.
type part struct {
	purchase purchase
	quantity value.Quantity
	lines    []loyalty.ReturnLineInput
}

// match finds the purchases from which a quantity of an article came back at an instant: the latest one first, and in it
// the last line, as far as there is something left of it. It takes what it finds out of the stock, and passes over
// purchases that are barred. It finds less than was wanted where there is no more.
func (s stock) match(article loyalty.MemberSKU, wanted value.Quantity, at time.Time, barred func(purchase) bool) []part {
	var parts []part
	for _, sold := range s[article] {
		from := purchase{source: sold.Source, externalID: sold.ExternalID}
		taken := min(wanted, sold.Quantity-sold.Returned)
		if taken <= 0 || sold.OccurredAt.After(at) || barred(from) {
			continue
		}
		if len(parts) == 0 || parts[len(parts)-1].purchase != from {
			parts = append(parts, part{purchase: from})
		}
		last := &parts[len(parts)-1]
		last.quantity += taken
		last.lines = append(last.lines, loyalty.ReturnLineInput{LineID: &sold.LineID, Quantity: taken.Decimal()})
		sold.Returned += taken
		wanted -= taken
	}
	return parts
}

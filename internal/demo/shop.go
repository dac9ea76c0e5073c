package demo

import (
	"math/rand/v2"

	"regulars/internal/value"
	"regulars/loyalty"
)

// article is something that the shop sells.
type article struct {
	sku, category, brand string
	// price is in hundredths: of the currency's unit, or of 100 units where the currency has no smaller ones. It is of a
	// piece, or of a kilogram of what is weighed.
	price   int64
	weighed bool
	// most is how many pieces one takes at most.
	most int
	// share is how many of 100 lines are of it.
	share int
}

// articles by how often they are bought.
var articles = []article{
	{sku: "FLAT-WHITE", category: "Drinks", price: 380, most: 2, share: 20},
	{sku: "FILTER-COFFEE", category: "Drinks", price: 320, most: 2, share: 14},
	{sku: "POT-OF-TEA", category: "Drinks", price: 450, most: 1, share: 8},
	{sku: "CROISSANT", category: "Bakery", price: 290, most: 4, share: 14},
	{sku: "CARROT-CAKE", category: "Bakery", price: 410, most: 2, share: 10},
	{sku: "BEANS-HOUSE-250", category: "Beans", brand: "House Roast", price: 950, most: 2, share: 12},
	{sku: "BEANS-DARK-250", category: "Beans", brand: "Night Shift", price: 1090, most: 2, share: 6},
	{sku: "BEANS-HOUSE-1000", category: "Beans", brand: "House Roast", price: 3400, most: 1, share: 2},
	{sku: "LOOSE-TEA", category: "Tea", brand: "Second Steep", price: 6400, weighed: true, share: 6},
	{sku: "FILTER-PAPERS", category: "Kitchen", price: 490, most: 2, share: 4},
	{sku: "MUG", category: "Kitchen", brand: "Kiln and Kettle", price: 1450, most: 2, share: 3},
	{sku: "HAND-GRINDER", category: "Kitchen", brand: "Kiln and Kettle", price: 6900, most: 1, share: 1},
}

// basket is what somebody takes to the till, worth total hundredths.
func (p *plan) basket(random *rand.Rand) (lines []loyalty.PurchaseLineInput, total int64) {
	for range 1 + random.IntN(3) {
		line, price := p.line(pick(random), random)
		lines = append(lines, line)
		total += price
	}
	return lines, total
}

func pick(random *rand.Rand) article {
	drawn := random.IntN(100)
	for _, one := range articles {
		if drawn < one.share {
			return one
		}
		drawn -= one.share
	}
	return articles[0]
}

func (p *plan) line(one article, random *rand.Rand) (loyalty.PurchaseLineInput, int64) {
	// In thousandths, as scales have them.
	quantity := int64(50 * (1 + random.IntN(5)))
	if !one.weighed {
		quantity = int64(1000 * (1 + random.IntN(one.most)))
	}
	price := one.price * quantity / 1000
	line := loyalty.PurchaseLineInput{
		SKU: one.sku, Quantity: value.Quantity(quantity * 1000).Decimal(), Amount: p.money(price), Category: &one.category,
	}
	if one.brand != "" {
		line.Brand = &one.brand
	}
	return line, price
}

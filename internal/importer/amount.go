package importer

import (
	"fmt"
	"strings"

	"regulars/internal/value"
)

// maximumPricePlaces bounds the decimal places of a price, so that every product is exact.
const maximumPricePlaces = 12

// lineAmount is price x quantity in minor units of currency, rounded half up; a negative one is rounded like its
// counterpart, so that a line and its reversal are worth the same.
func lineAmount(price value.Decimal, quantity value.Quantity, currency value.Currency) (int64, error) {
	_, fraction, _ := strings.Cut(string(price), ".")
	places := len(strings.TrimRight(fraction, "0"))
	if places > maximumPricePlaces {
		return 0, fmt.Errorf("%s has more than %d decimal places", price, maximumPricePlaces)
	}
	units, err := price.Units(places)
	if err != nil {
		return 0, err
	}
	sign, count := int64(1), int64(quantity)
	if units < 0 {
		sign, units = -sign, -units
	}
	if count < 0 {
		sign, count = -sign, -count
	}
	// Quantities have more places than any currency has.
	divisor := int64(1)
	for range places + value.QuantityPlaces - currency.Exponent() {
		divisor *= 10
	}
	amount, fits := value.MultiplyDivide(units, count, divisor, value.HalfUp)
	if !fits {
		return 0, fmt.Errorf("%s times %s is too much", price, quantity.Decimal())
	}
	return sign * amount, nil
}

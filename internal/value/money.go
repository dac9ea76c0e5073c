// Package value holds what is counted: money, points, quantities, dates and periods. Nothing in it is a floating-point
// number.
package value

import (
	"fmt"
	"strings"

	"golang.org/x/text/currency"
)

// MaximumPoints bounds every number of points, awards and balances alike: what JSON numbers hold exactly.
const MaximumPoints = 1<<53 - 1

// MaximumMinor bounds every amount of money, in minor units.
const MaximumMinor = 1e15

// Money is an amount in the minor units of its currency, e.g. cents.
type Money struct {
	Minor    int64
	Currency Currency
}

// MoneyInput is an amount as a caller writes it.
type MoneyInput struct {
	Amount   Decimal
	Currency Currency
}

// Currency is an ISO 4217 code in capitals.
type Currency string

// Exponents that are not 2, as ISO 4217 lists them.
var exponents = map[Currency]int{
	"BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0, "UGX": 0, "UYI": 0,
	"VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
	"BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
	"CLF": 4, "UYW": 4,
}

// ParseCurrency reads a code of ISO 4217 in capitals.
func ParseCurrency(text string) (Currency, error) {
	unit, err := currency.ParseISO(text)
	if err != nil || unit.String() != text {
		return "", fmt.Errorf("%q is not a currency code of ISO 4217 in capitals, e.g. EUR", text)
	}
	return Currency(text), nil
}

// Exponent is the number of digits behind the point, e.g. 2 for EUR and 0 for JPY.
func (c Currency) Exponent() int {
	if exponent, ok := exponents[c]; ok {
		return exponent
	}
	return 2
}

// Money reads the amount in minor units. It fails for more digits than the currency has and beyond MaximumMinor.
func (m MoneyInput) Money() (Money, error) {
	minor, err := m.Amount.Units(m.Currency.Exponent())
	if err != nil {
		return Money{}, err
	}
	if minor > MaximumMinor || minor < -MaximumMinor {
		return Money{}, fmt.Errorf("%s is too large", m.Amount)
	}
	return Money{Minor: minor, Currency: m.Currency}, nil
}

// Amount writes the amount in major units, with all digits of the currency: "12.30".
func (m Money) Amount() Decimal {
	return FormatUnits(m.Minor, m.Currency.Exponent())
}

// String writes the amount for people: "12.30 EUR".
func (m Money) String() string {
	return string(m.Amount()) + " " + string(m.Currency)
}

// FormatUnits writes units of 10^-places as a decimal with exactly that many places.
func FormatUnits(units int64, places int) Decimal {
	sign := ""
	digits := fmt.Sprintf("%d", units)
	if rest, negative := strings.CutPrefix(digits, "-"); negative {
		sign, digits = "-", rest
	}
	if places == 0 {
		return Decimal(sign + digits)
	}
	if missing := places + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	point := len(digits) - places
	return Decimal(sign + digits[:point] + "." + digits[point:])
}

package value

import (
	"fmt"
	"math/bits"
	"regexp"
	"strconv"
	"strings"
)

// Decimal is an exact decimal number as text, e.g. "12.34" or "-0.5": no exponent, no grouping.
type Decimal string

var decimalForm = regexp.MustCompile(`^-?[0-9]{1,18}(\.[0-9]{1,18})?$`)

// ParseDecimal checks the form of a decimal: at most 18 digits on either side of the point.
func ParseDecimal(text string) (Decimal, error) {
	if !decimalForm.MatchString(text) {
		return "", fmt.Errorf("%q is not a decimal number, e.g. \"12.34\"", text)
	}
	return Decimal(text), nil
}

// Units returns the number in units of 10^-places. It fails where digits other than 0 would be lost or the result does
// not fit.
func (d Decimal) Units(places int) (int64, error) {
	whole, fraction, _ := strings.Cut(string(d), ".")
	fraction = strings.TrimRight(fraction, "0")
	if len(fraction) > places {
		return 0, fmt.Errorf("%s has more than %d decimal places", d, places)
	}
	units, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", places-len(fraction)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s is too large", d)
	}
	return units, nil
}

// QuantityPlaces is the number of decimal places in which quantities are counted.
const QuantityPlaces = 6

// Quantity is a number of pieces, kilograms and the like, in millionths.
type Quantity int64

// ParseQuantity reads a quantity of at most 6 decimal places and 12 digits before the point.
func ParseQuantity(d Decimal) (Quantity, error) {
	units, err := d.Units(QuantityPlaces)
	if err != nil {
		return 0, err
	}
	if units >= 1e18 || units <= -1e18 {
		return 0, fmt.Errorf("%s is too large", d)
	}
	return Quantity(units), nil
}

// Decimal writes the quantity without trailing zeros.
func (q Quantity) Decimal() Decimal {
	text := strings.TrimRight(string(FormatUnits(int64(q), QuantityPlaces)), "0")
	return Decimal(strings.TrimSuffix(text, "."))
}

// Rounding says what happens to the part of a whole that is left over.
type Rounding string

// The roundings of the API.
const (
	Floor  Rounding = "FLOOR"
	HalfUp Rounding = "HALF_UP"
	Ceil   Rounding = "CEIL"
)

// MultiplyDivide returns a × b / c, rounded as told; the product is formed in 128 bits. None of them is negative and c
// is not 0. It returns false if the result does not fit into 63 bits.
func MultiplyDivide(a, b, c int64, rounding Rounding) (int64, bool) {
	high, low := bits.Mul64(uint64(a), uint64(b))
	if high >= uint64(c) {
		return 0, false
	}
	quotient, remainder := bits.Div64(high, low, uint64(c))
	switch {
	case rounding == HalfUp && remainder >= uint64(c)-remainder:
		quotient++
	case rounding == Ceil && remainder > 0:
		quotient++
	}
	if quotient > 1<<63-1 {
		return 0, false
	}
	return int64(quotient), true
}

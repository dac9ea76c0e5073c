package value_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/value"
)

func TestDecimal(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "-", "1.", ".5", "+1", "1e3", "1,5", " 1", "0x1", "٣", "1\n", "1234567890123456789", "1.1234567890123456789"} {
		if parsed, err := value.ParseDecimal(bad); err == nil {
			t.Errorf("%q was read as %s", bad, parsed)
		}
	}
	for _, test := range []struct {
		text   string
		places int
		want   int64
		ok     bool
	}{
		{"12.34", 2, 1234, true}, {"-0.5", 2, -50, true}, {"12.3400", 2, 1234, true}, {"12.345", 2, 0, false}, {"7", 0, 7, true},
		{"7.0", 0, 7, true}, {"7.1", 0, 0, false}, {"007.10", 2, 710, true}, {"-0", 2, 0, true},
		{"999999999999999999", 2, 0, false}, {"9223372036854775.807", 3, 9223372036854775807, true}, {"9223372036854775.808", 3, 0, false},
	} {
		parsed, err := value.ParseDecimal(test.text)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if got, err := parsed.Units(test.places); got != test.want || (err == nil) != test.ok {
			t.Errorf("%s in %d places is %d (%v), want %d", test.text, test.places, got, err, test.want)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"12.34", "-0.5", "0", "1e5", "999999999999999999.999999999999999999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		parsed, err := value.ParseDecimal(text)
		if err != nil {
			return
		}
		units, err := parsed.Units(value.QuantityPlaces)
		if err != nil {
			return
		}
		again, err := value.FormatUnits(units, value.QuantityPlaces).Units(value.QuantityPlaces)
		if err != nil || again != units {
			t.Errorf("%s is %d units, written and read again %d (%v)", text, units, again, err)
		}
		exact, ok := new(big.Rat).SetString(text)
		if scaled := new(big.Rat).SetFrac64(units, 1_000_000); !ok || exact.Cmp(scaled) != 0 {
			t.Errorf("%s is not %s", text, scaled)
		}
	})
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	for text, want := range map[value.Decimal]value.Decimal{"1": "1", "1.50": "1.5", "-0.000001": "-0.000001", "100": "100", "999999999999": "999999999999"} {
		parsed, err := value.ParseQuantity(text)
		if err != nil || parsed.Decimal() != want {
			t.Errorf("%s is %s (%v), want %s", text, parsed.Decimal(), err, want)
		}
	}
	for _, bad := range []value.Decimal{"1.0000001", "1000000000000", "-1000000000000"} {
		if parsed, err := value.ParseQuantity(bad); err == nil {
			t.Errorf("%s was read as %d", bad, parsed)
		}
	}
}

func TestMoney(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		amount   value.Decimal
		currency value.Currency
		want     string
	}{
		{"12.3", "EUR", "12.30 EUR"}, {"0", "EUR", "0.00 EUR"}, {"-0.05", "EUR", "-0.05 EUR"}, {"1200", "JPY", "1200 JPY"},
		{"1.234", "KWD", "1.234 KWD"}, {"10000000000000", "EUR", "10000000000000.00 EUR"},
	} {
		read, err := value.MoneyInput{Amount: test.amount, Currency: test.currency}.Money()
		if err != nil || read.String() != test.want {
			t.Errorf("%s %s is %s (%v), want %s", test.amount, test.currency, read, err, test.want)
		}
	}
	for _, bad := range []value.MoneyInput{{"1.234", "EUR"}, {"1.5", "JPY"}, {"10000000000000.01", "EUR"}, {"-10000000000000.01", "EUR"}} {
		if read, err := bad.Money(); err == nil {
			t.Errorf("%v was read as %s", bad, read)
		}
	}
	for text, good := range map[string]bool{"EUR": true, "GBP": true, "eur": false, "EURO": false, "E1R": false, "": false, "ABC": false} {
		if _, err := value.ParseCurrency(text); (err == nil) != good {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestMultiplyDivide(t *testing.T) {
	t.Parallel()
	const most = 1<<63 - 1
	for _, test := range []struct {
		a, b, c int64
		want    map[value.Rounding]int64
	}{
		{7, 1, 2, map[value.Rounding]int64{value.Floor: 3, value.HalfUp: 4, value.Ceil: 4}},
		{10, 1, 4, map[value.Rounding]int64{value.Floor: 2, value.HalfUp: 3, value.Ceil: 3}},
		{9, 1, 4, map[value.Rounding]int64{value.Floor: 2, value.HalfUp: 2, value.Ceil: 3}},
		{8, 1, 4, map[value.Rounding]int64{value.Floor: 2, value.HalfUp: 2, value.Ceil: 2}},
		{0, 5, 7, map[value.Rounding]int64{value.Floor: 0, value.HalfUp: 0, value.Ceil: 0}},
		{most, most, most, map[value.Rounding]int64{value.Floor: most, value.HalfUp: most, value.Ceil: most}},
	} {
		for rounding, want := range test.want {
			if got, ok := value.MultiplyDivide(test.a, test.b, test.c, rounding); !ok || got != want {
				t.Errorf("%d × %d / %d %s is %d (%v), want %d", test.a, test.b, test.c, rounding, got, ok, want)
			}
		}
	}
	for _, rounding := range []value.Rounding{value.Floor, value.HalfUp, value.Ceil} {
		if got, ok := value.MultiplyDivide(most, most, most-1, rounding); ok {
			t.Errorf("%d does not fit, %s", got, rounding)
		}
	}
}

func FuzzMultiplyDivide(f *testing.F) {
	f.Add(int64(7), int64(3), int64(2))
	f.Fuzz(func(t *testing.T, a, b, c int64) {
		a, b, c = a&(1<<63-1), b&(1<<63-1), max(c&(1<<63-1), 1)
		product := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		quotient, remainder := new(big.Int).QuoRem(product, big.NewInt(c), new(big.Int))
		half := new(big.Int).Lsh(remainder, 1).Cmp(big.NewInt(c)) >= 0
		for rounding, up := range map[value.Rounding]bool{value.Floor: false, value.HalfUp: half, value.Ceil: remainder.Sign() > 0} {
			want := new(big.Int).Set(quotient)
			if up {
				want.Add(want, big.NewInt(1))
			}
			got, ok := value.MultiplyDivide(a, b, c, rounding)
			if ok != want.IsInt64() || ok && got != want.Int64() {
				t.Errorf("%d × %d / %d %s is %d (%v), want %s", a, b, c, rounding, got, ok, want)
			}
		}
	})
}

func TestPeriod_Parse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]value.Period{
		"P1Y6M": {Years: 1, Months: 6}, "P2W": {Weeks: 2}, "PT48H": {Clock: 48 * time.Hour}, "P1DT1H2M3S": {Days: 1, Clock: time.Hour + 2*time.Minute + 3*time.Second},
		"P0D": {},
	} {
		if got, err := value.ParsePeriod(text); err != nil || got != want {
			t.Errorf("%s is %v (%v)", text, got, err)
		}
	}
	for _, bad := range []string{"", "P", "PT", "P1", "1D", "P1DT", "P-1D", "P1.5D", "P1M1Y", "p1d", "P99999Y"} {
		if got, err := value.ParsePeriod(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}

func TestPeriod_Calendar(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		period, from, want string
	}{
		{"P1M", "2025-01-31T10:00:00+01:00", "2025-02-28T10:00:00+01:00"},
		{"P1M", "2024-01-31T10:00:00+01:00", "2024-02-29T10:00:00+01:00"},
		{"P12M", "2024-02-29T10:00:00+01:00", "2025-02-28T10:00:00+01:00"},
		{"P1Y1M", "2023-12-31T10:00:00+01:00", "2025-01-31T10:00:00+01:00"},
		{"P1M1D", "2025-01-31T10:00:00+01:00", "2025-03-01T10:00:00+01:00"},
		{"P1D", "2025-03-29T10:00:00+01:00", "2025-03-30T10:00:00+02:00"},
		{"PT24H", "2025-03-29T10:00:00+01:00", "2025-03-30T11:00:00+02:00"},
		{"P1W", "2025-10-20T10:00:00+02:00", "2025-10-27T10:00:00+01:00"},
		// The day is the zone's, not UTC's: this is the last of May in Berlin.
		{"P1M", "2025-05-30T23:00:00Z", "2025-06-30T01:00:00+02:00"},
	} {
		period, err := value.ParsePeriod(test.period)
		if err != nil {
			t.Fatal(err)
		}
		from, _ := time.Parse(time.RFC3339, test.from)
		want, _ := time.Parse(time.RFC3339, test.want)
		if got := period.After(from, berlin); !got.Equal(want) {
			t.Errorf("%s after %s is %s, want %s", test.period, test.from, got.In(berlin), test.want)
		}
	}
	if got := value.Months(1).Before(time.Date(2025, 3, 31, 0, 0, 0, 0, time.UTC), time.UTC); !got.Equal(time.Date(2025, 2, 28, 0, 0, 0, 0, time.UTC)) {
		t.Errorf("a month before the last of March is %s", got)
	}
}

// Where clocks go back, an hour comes twice; hours and minutes are as long in it as they ever are.
func TestPeriod_HourThatComesTwice(t *testing.T) {
	t.Parallel()
	for zone, first := range map[string]string{"Europe/Berlin": "2025-10-26T00:30:00Z", "America/New_York": "2025-11-02T05:30:00Z"} {
		location, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		from, _ := time.Parse(time.RFC3339, first)
		for range 2 {
			if got := (value.Period{Clock: 15 * time.Minute}).After(from, location); !got.Equal(from.Add(15 * time.Minute)) {
				t.Errorf("%s: a quarter of an hour after %s is %s", zone, from, got)
			}
			from = from.Add(time.Hour)
		}
	}
}

// A period of months leads into the month so many later, to the same day or that month's last, at the same time of day.
func TestPeriod_Clamps(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "from"), 0).UTC()
		months := rapid.IntRange(0, 600).Draw(t, "months")
		after := value.Months(months).After(from, time.UTC)
		if moved := (after.Year()-from.Year())*12 + int(after.Month()) - int(from.Month()); moved != months {
			t.Fatalf("%d months after %s is %s", months, from, after)
		}
		if after.Day() != from.Day() && (after.Day() > from.Day() || after.AddDate(0, 0, 1).Day() != 1) {
			t.Fatalf("%d months after %s is %s", months, from, after)
		}
		if after.Format(time.TimeOnly) != from.Format(time.TimeOnly) {
			t.Fatalf("%d months after %s is %s", months, from, after)
		}
		if from.Day() <= 28 && !value.Months(months).Before(after, time.UTC).Equal(from) {
			t.Fatalf("there and back from %s is %s", from, value.Months(months).Before(after, time.UTC))
		}
	})
}

func TestDate(t *testing.T) {
	t.Parallel()
	parsed, err := value.ParseDate("2024-02-29")
	if err != nil || parsed.String() != "2024-02-29" || !parsed.Before(value.Date{Year: 2024, Month: 3, Day: 1}) || parsed.Before(parsed) {
		t.Errorf("%s %v", parsed, err)
	}
	for _, bad := range []string{"2025-02-29", "2025-2-1", "29.02.2024", "", "2024-02-29T00:00:00Z"} {
		if parsed, err := value.ParseDate(bad); err == nil {
			t.Errorf("%q was read as %s", bad, parsed)
		}
	}
	var scanned value.Date
	if err := scanned.Scan(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)); err != nil || scanned != parsed {
		t.Errorf("%v %v", scanned, err)
	}
	if err := scanned.Scan("2024-02-29"); err == nil {
		t.Error("a date was read from a text")
	}
}

func TestAttributes(t *testing.T) {
	t.Parallel()
	sorted, unique := value.SortAttributes([]value.Attribute{{Name: "b", Value: "1"}, {Name: "a", Value: "é\"<"}})
	if difference := cmp.Diff(value.Attributes{{Name: "a", Value: "é\"<"}, {Name: "b", Value: "1"}}, sorted); difference != "" || !unique {
		t.Errorf("%v %s", unique, difference)
	}
	if _, unique := value.SortAttributes([]value.Attribute{{Name: "a", Value: "1"}, {Name: "b"}, {Name: "a", Value: "1"}}); unique {
		t.Error("a name that stands twice was not seen")
	}
	if none, _ := value.SortAttributes(nil); none == nil {
		t.Error("no attributes are not an empty list")
	}
	encoded, err := sorted.Value()
	if err != nil {
		t.Fatal(err)
	}
	var read value.Attributes
	if err := read.Scan([]byte(encoded.(string))); err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(sorted, read); difference != "" {
		t.Error(difference)
	}
	if err := read.Scan([]byte("[]")); err == nil || !strings.Contains(err.Error(), "attributes") {
		t.Errorf("an array was read: %v", err)
	}
	if err := read.Scan(1); err == nil {
		t.Error("a number was read")
	}
}

package importer_test

import (
	"bytes"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"
	"unicode/utf8"

	"regulars/internal/importer"
	"regulars/internal/value"
)

// FuzzRead reads whatever a file may be: it comes to an end, in UTF-8, line after line, and UTF-8 comes as it is.
func FuzzRead(f *testing.F) {
	for _, content := range []string{
		"", "member", "member\n1\n", "member,x\r\n1,\"a\nb\"\r\n2\n", "\ufeffmember\n1", "\xff\xfem\x00\n\x00", "member\n\xe4\n", "\x1f\x8b", "member\n\"open\n1\n",
	} {
		f.Add([]byte(content))
	}
	path := filepath.Join(f.TempDir(), "file.csv")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := importer.ReadText(path)
		if err != nil {
			return
		}
		if !utf8.Valid(text) {
			t.Fatalf("read as %q", text)
		}
		marked := bytes.HasPrefix(content, []byte("\ufeff")) || bytes.HasPrefix(content, []byte{0x1f, 0x8b})
		if utf8.Valid(content) && !marked && !bytes.Equal(text, content) {
			t.Errorf("%q was read as %q", content, text)
		}
		lines, err := importer.ReadLines(bytes.NewReader(text))
		if err != nil {
			return
		}
		for at, line := range lines {
			if line < 1 || at > 0 && line <= lines[at-1] || line > bytes.Count(text, []byte("\n"))+1 {
				t.Errorf("%q has rows on lines %v", text, lines)
			}
		}
	})
}

// FuzzInstant reads times: what is taken for one is the same when it is written as RFC 3339.
func FuzzInstant(f *testing.F) {
	for _, text := range []string{"2010-12-01T08:26:00Z", "2010-12-01 08:26", "2010-12-01", "12/1/2010 8:26", "2010-12-01 08:26 +0530", "2010-12-01T08:26-05", "40513.35"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		read, err := importer.ParseInstant(text, nil)
		if err != nil {
			return
		}
		again, err := importer.ParseInstant(read.Format(time.RFC3339Nano), nil)
		if read.Location() != time.UTC || read.Year() >= 0 && read.Year() < 10000 && (err != nil || !again.Equal(read)) {
			t.Errorf("%q was read as %s, and that as %s, %v", text, read, again, err)
		}
	})
}

// exactAmount is price times quantity, rounded half away from nothing, in big rational numbers.
func exactAmount(price value.Decimal, quantity int64, currency value.Currency) *big.Int {
	product, _ := new(big.Rat).SetString(string(price))
	product.Mul(product, big.NewRat(quantity, 1_000_000))
	for range currency.Exponent() {
		product.Mul(product, big.NewRat(10, 1))
	}
	sign := int64(product.Sign())
	product.Abs(product).Add(product, big.NewRat(1, 2))
	whole := new(big.Int).Quo(product.Num(), product.Denom())
	return whole.Mul(whole, big.NewInt(sign))
}

// FuzzLineAmount compares with the same sum in fractions.
func FuzzLineAmount(f *testing.F) {
	f.Add("0.005", int64(1_000_000), "EUR")
	f.Add("-12.345678901234", int64(-999_999), "JPY")
	f.Add("999999999999999999", int64(1e17), "CLF")
	f.Fuzz(func(t *testing.T, price string, quantity int64, currency string) {
		decimal, err := value.ParseDecimal(price)
		if err != nil || quantity <= -1e18 || quantity >= 1e18 {
			return
		}
		got, err := importer.LineAmount(decimal, value.Quantity(quantity), value.Currency(currency))
		if err != nil {
			return
		}
		if want := exactAmount(decimal, quantity, value.Currency(currency)); want.Cmp(big.NewInt(got)) != 0 {
			t.Errorf("%s times %d millionths: got %d, want %s", price, quantity, got, want)
		}
	})
}

package rules

import (
	"strings"
	"testing"
	"time"

	"regulars/internal/value"
)

// The conditions that marketers write most, and one that walks over lines.
var benchConditions = []struct{ name, text string }{
	{"total", `purchase.total >= 49.99`},
	{"typical", `member.tier == "Gold" && purchase.total >= 25 && now.getDayOfWeek() == 2 && now.getHours() >= 14`},
	{"attribute", `"campaign" in activity.attributes && activity.attributes["campaign"] == "spring"`},
	{"lines", `purchase.lines.exists(line, line.category == "tea" && line.quantity >= 2)`},
}

func benchFact() Fact {
	return Fact{
		Type: Purchase, Source: "till", OccurredAt: time.Date(2026, 3, 3, 14, 30, 0, 0, time.UTC),
		Total: &value.Money{Minor: 4999, Currency: "EUR"}, Attributes: map[string]string{"campaign": "spring"},
		Lines: []Line{
			{SKU: "A", Quantity: 1_000_000, Amount: 1000, Category: "coffee"}, {SKU: "B", Quantity: 2_000_000, Amount: 1999, Category: "cake"},
			{SKU: "C", Quantity: 1_000_000, Amount: 2000, Category: "tea"},
		},
	}
}

func BenchmarkCondition(b *testing.B) {
	for _, one := range benchConditions {
		compiled, err := compile(Purchase, one.text)
		if err != nil {
			b.Fatal(err)
		}
		member := Member{Tier: "Gold", JoinedAt: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Locale: "en"}
		fact := benchFact()
		b.Run(one.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := compiled.holds(&input{member: member, fact: fact, zone: time.UTC}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What takes too long is stopped in time: each of these is worth a second or a day.
func BenchmarkCondition_Stopped(b *testing.B) {
	for name, text := range map[string]string{
		"pairs":   `purchase.lines.all(a, purchase.lines.all(b, a.sku != "x" + b.sku))`,
		"triples": `purchase.lines.map(a, purchase.lines.map(b, purchase.lines.map(c, c.sku))).size() > 0`,
		"wide":    "purchase.lines.all(a, " + strings.Repeat("a.sku != 'x' && ", 240) + "true)",
		// The longest that is not counted.
		"brief": "purchase.lines.all(a, " + strings.Repeat("a.sku != 'x' && ", 17) + "true)",
	} {
		compiled, err := compile(Purchase, text)
		if err != nil {
			b.Fatal(err)
		}
		fact := manyLines()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if holds, err := compiled.holds(&input{fact: fact, zone: time.UTC}); (err == nil) != (name == "brief") {
					b.Fatal(holds, err)
				}
			}
		})
	}
}

func BenchmarkCondition_Compile(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := compile(Purchase, benchConditions[1].text); err != nil {
			b.Fatal(err)
		}
	}
}

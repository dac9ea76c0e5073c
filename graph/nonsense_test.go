package graph_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"
	"pgregory.net/rapid"
)

// What a caller may send of a scalar, sense or not.
var nonsense = map[string][]any{
	"ID": {"", "x", "mem_0", "mem_00000000000000000000000000", "rul_zzzzzzzzzzzzzzzzzzzzzzzzzz", "act_00000000000000000000000000_9223372036854775808",
		"rew_00000000000000000000000000", "{{mem_1}}", "{{rul_1}}", strings.Repeat("m", 5000), 7},
	"String": {"", " ", "ada", "till", "1", "é\u202e", "a\u0000b", strings.Repeat("ß", 3000), "null", "{}", "%s%n", "'; --", "ada@example.com", "Europe/Berlin",
		"../../etc", "PURCHASE", "true", "-1", "+4930123456"},
	"Int":          {0, 1, -1, 2147483647, -2147483648, 1e3, "1"},
	"Points":       {0, 1, -1, 9007199254740991, -9007199254740991, 9007199254740992, 1.5, "7"},
	"Decimal":      {"0", "1", "1.00", "-0.01", "0.0000001", "1e9", "999999999999999999.999999999999999999", "9223372036854775807", "92233720368547758.08", "", ".", "NaN", "+1", "0x1", 1},
	"CurrencyCode": {"EUR", "USD", "eur", "XXX", "", "€"},
	"DateTime": {"2026-02-01T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999999Z", "2026-02-30T00:00:00Z", "2026-02-01T24:00:00Z",
		"2026-02-01", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-02-01T00:00:00+23:59", ""},
	"Date":          {"2026-02-01", "0000-01-01", "9999-12-31", "2025-02-29", "1900-01-01", ""},
	"LocalDateTime": {"2026-03-24T19:00", "0001-01-01T00:00", "9999-12-31T23:59:59", "2026-02-30T19:00", "2026-03-24", "", 7},
	"Duration":      {"P1D", "PT15M", "PT0S", "P9999Y", "P99999M", "PT99999999S", "P1Y2M3W4DT5H6M7S", "-P1D", "P", "P1.5D", ""},
	"LocalTime":     {"00:00", "23:59", "24:00", "7:00", "12:60", "12:00:00", ""},
	"Boolean":       {true, false, "true"},
}

// What a form may well have there, so that most of what is sent gets further than the first look.
var sense = map[string][]any{
	"ID": {"{{mem_1}}", "{{rul_1}}", "{{rew_1}}", "{{hld_1}}", "{{adj_1}}", "{{evt_1}}", "{{occ_1}}"}, "String": {"ada", "till", "1", "", "PURCHASE", "Europe/Berlin", "en", "purchase.total > 1.0", "line.amount > 1.0", "FREQ=DAILY", "FREQ=WEEKLY;COUNT=3"},
	"Int": {0, 1, 2, 2147483647, -1}, "Points": {1, 5, 0, -3, 9007199254740991}, "Decimal": {"1", "2.50", "0", "-1.00", "92233720368547758.07"}, "CurrencyCode": {"EUR"},
	"DateTime": {"2026-02-01T00:00:00Z", "2026-03-05T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"}, "Date": {"2026-02-01", "9999-12-31", "0001-01-01"},
	"LocalDateTime": {"2026-03-24T19:00", "2026-03-29T02:30:00", "0001-01-01T00:00", "9999-12-31T23:59"},
	"Duration":      {"P1D", "PT15M", "PT0S", "P9999Y"}, "LocalTime": {"00:00", "14:00", "23:59"}, "Boolean": {true, false},
}

// Whatever callers send, it is never our fault: they are told what is wrong, or it is done.
func TestAPI_NonsenseIsNeverInternal(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ask := func(document string) { s.ask(t, "ADMIN", document) }
	ask(`mutation { enrollMember(input: {externalId: "ada", idempotencyKey: "ada"}) { member { id } } }`)
	ask(`mutation { createEarningRule(input: {name: "Base", award: {fixed: 5}}) { rule { id } } }`)
	ask(`mutation { publishEarningRule(input: {ruleId: "{{rul_1}}"}) { rule { id } } }`)
	ask(`mutation { adjustPoints(input: {member: {externalId: "ada"}, points: 500, reason: "x", idempotencyKey: "x"}) { adjustment { id } } }`)
	ask(`mutation { createReward(input: {name: "Cake", kind: VOUCHER, cost: 5}) { reward { id } } }`)
	ask(`mutation { holdPoints(input: {member: {externalId: "ada"}, points: 5, reason: "x", expiresIn: "P1D", idempotencyKey: "x"}) { hold { id } } }`)
	ask(`mutation { createEvent(input: {name: "Cupping", timeZone: "UTC", startsAt: "2026-04-01T19:00", duration: "PT2H", recurrence: "FREQ=WEEKLY"}) { event { id occurrences(first: 1) { nodes { id } } } } }`)
	loaded := schema(t)
	var mutations []*ast.FieldDefinition
	for _, field := range loaded.Mutation.Fields {
		if !strings.HasPrefix(field.Name, "__") {
			mutations = append(mutations, field)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		field := rapid.SampledFrom(mutations).Draw(r, "operation")
		input := field.Arguments[0].Type
		document := fmt.Sprintf(`mutation($input: %s) { %s(input: $input) { userErrors { code message path } } }`, input, field.Name)
		variables := map[string]any{"input": s.some(r, loaded, input, 0)}
		status, answer := s.send(t, "ADMIN", map[string]any{"query": document, "variables": variables})
		if status >= 500 || strings.Contains(answer, `"INTERNAL"`) {
			r.Fatalf("%s with %v is answered %d: %s\n%s", field.Name, variables, status, answer, s.log.String())
		}
	})
}

// some draws a value of a type: mostly of its form, and often none at all where that may be.
func (s *stage) some(r *rapid.T, loaded *ast.Schema, of *ast.Type, depth int) any {
	if !of.NonNull && rapid.IntRange(0, 9).Draw(r, "left out") < 5 {
		return nil
	}
	if of.Elem != nil {
		list := []any{}
		for range rapid.IntRange(0, 3).Draw(r, "length") {
			list = append(list, s.some(r, loaded, of.Elem, depth+1))
		}
		return list
	}
	definition := loaded.Types[of.Name()]
	switch definition.Kind {
	case ast.Enum:
		values := make([]string, len(definition.EnumValues))
		for i, value := range definition.EnumValues {
			values[i] = value.Name
		}
		return rapid.SampledFrom(values).Draw(r, definition.Name)
	case ast.InputObject:
		object := map[string]any{}
		fields := definition.Fields
		if definition.Directives.ForName("oneOf") != nil {
			one := *rapid.SampledFrom(fields).Draw(r, definition.Name)
			required := *one.Type
			required.NonNull = true
			one.Type = &required
			fields = ast.FieldList{&one}
		}
		for _, field := range fields {
			if value := s.some(r, loaded, field.Type, depth+1); value != nil || field.Type.NonNull {
				object[field.Name] = value
			}
		}
		return object
	default:
		values := nonsense[definition.Name]
		if rapid.IntRange(0, 19).Draw(r, "sense") > 0 {
			values = sense[definition.Name]
		}
		value := rapid.SampledFrom(values).Draw(r, definition.Name)
		if text, ok := value.(string); ok {
			for name, id := range s.seen {
				text = strings.ReplaceAll(text, "{{"+name+"}}", id)
			}
			return text
		}
		return value
	}
}

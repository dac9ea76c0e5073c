package rules

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"regulars/internal/value"
)

// ConditionField is something that a condition may use, as an editor needs to know it.
type ConditionField struct {
	// Name is a variable and its field, e.g. purchase.total.
	Name string
	// Type is one of the Common Expression Language's: double, int, bool, string, timestamp, map(string, string), list(line).
	Type        string
	Description string
	// Example is a condition with the field; one of line. stands in a line condition.
	Example string
}

// field is a field of an object with how its value is found. What is described here is what there is: the environment, the
// list for editors and the page of documentation are made of it.
type field struct {
	name, description, example string
	kind                       *types.Type
	get                        func(target any) ref.Val
}

// Objects have names with a blank, so that no expression can name their types, to make one or to ask for it.
var (
	purchaseObject = cel.ObjectType("a purchase")
	lineObject     = cel.ObjectType("a line")
	activityObject = cel.ObjectType("an activity")
	memberObject   = cel.ObjectType("a member")
	textMap        = cel.MapType(cel.StringType, cel.StringType)
)

func of[T any](name string, kind *types.Type, description, example string, get func(T) ref.Val) field {
	return field{name: name, kind: kind, description: description, example: example, get: func(target any) ref.Val { return get(target.(T)) }}
}

// Amounts and quantities are floating-point numbers in major units here and only here: conditions compare, awards are
// computed exactly.
var objects = map[string][]field{
	purchaseObject.TypeName(): {
		of("total", cel.DoubleType, "What was paid in all, in major units: 12.34.", `purchase.total >= 49.99`,
			func(in *input) ref.Val { return in.money(in.fact.Total.Minor) }),
		of("paidWithPoints", cel.DoubleType, "The part of the total that was paid with points; 0.0 if none was.", `purchase.paidWithPoints == 0.0`,
			func(in *input) ref.Val { return in.money(in.fact.Paid) }),
		of("currency", cel.StringType, "The program's currency.", `purchase.currency == "EUR"`,
			func(in *input) ref.Val { return types.String(in.fact.Total.Currency) }),
		of("lines", cel.ListType(lineObject), "The lines of the receipt; empty if it came without.", `purchase.lines.exists(line, line.category == "coffee")`,
			func(in *input) ref.Val { return in.lines() }),
	},
	lineObject.TypeName(): {
		of("sku", cel.StringType, "The article's number.", `line.sku.startsWith("TEA-")`,
			func(line *lineValue) ref.Val { return types.String(line.SKU) }),
		of("quantity", cel.DoubleType, "How many or how much of it: 1.5.", `line.quantity >= 2`,
			func(line *lineValue) ref.Val { return types.Double(major(int64(line.Quantity), value.QuantityPlaces)) }),
		of("amount", cel.DoubleType, "What the line costs after its discount, in major units.", `line.amount > 9.99`,
			func(line *lineValue) ref.Val { return types.Double(major(line.Amount, line.exponent)) }),
		of("discount", cel.DoubleType, "What was taken off the line, in major units; 0.0 if nothing was.", `line.discount == 0.0`,
			func(line *lineValue) ref.Val { return types.Double(major(line.Discount, line.exponent)) }),
		of("category", cel.StringType, `The article's category; "" if it came without.`, `line.category in ["coffee", "tea"]`,
			func(line *lineValue) ref.Val { return types.String(line.Category) }),
		of("brand", cel.StringType, `The article's brand; "" if it came without.`, `line.brand == "Acme"`,
			func(line *lineValue) ref.Val { return types.String(line.Brand) }),
	},
	activityObject.TypeName(): {
		of("type", cel.StringType, "PURCHASE, or the type of the activity: the rule's trigger.", `activity.type == "CHECK_IN"`,
			func(in *input) ref.Val { return types.String(in.fact.Type) }),
		of("source", cel.StringType, "The system that told the fact.", `activity.source == "web-shop"`,
			func(in *input) ref.Val { return types.String(in.fact.Source) }),
		of("attributes", textMap, "What was recorded with the fact. Ask first whether an attribute is there.", `"campaign" in activity.attributes && activity.attributes["campaign"] == "spring"`,
			func(in *input) ref.Val { return types.NewStringStringMap(types.DefaultTypeAdapter, in.fact.Attributes) }),
		of("number", cel.IntType, "1 for the member's first recorded fact of this type, 2 for the second, and so on.", `activity.number == 1 || activity.number % 10 == 0`,
			func(in *input) ref.Val { return types.Int(in.fact.Number) }),
	},
	memberObject.TypeName(): {
		of("tier", cel.StringType, "The name of the tier held when the fact happened.", `member.tier in ["Silver", "Gold"]`,
			func(in *input) ref.Val { return types.String(in.member.Tier) }),
		of("joinedAt", cel.TimestampType, "When the member joined, on the clocks of the program's time zone.", `now - member.joinedAt < duration("720h")`,
			func(in *input) ref.Val { return types.Timestamp{Time: in.member.JoinedAt.In(in.zone)} }),
		of("locale", cel.StringType, "The member's language, e.g. en-GB.", `member.locale.startsWith("de")`,
			func(in *input) ref.Val { return types.String(in.member.Locale) }),
		of("birthday", cel.BoolType, "Whether the fact happened on the member's birthday, which the program sets for one of 29 February in other years; false if the birth date is not known.", `member.birthday`,
			func(in *input) ref.Val { return types.Bool(in.birthday()) }),
		of("birthdayMonth", cel.BoolType, "Whether the fact happened in the month of the member's birthday; false if the birth date is not known.", `member.birthdayMonth && purchase.total >= 10`,
			func(in *input) ref.Val { return types.Bool(in.birthdayMonth()) }),
		of("attributes", textMap, "What the program keeps about the member. Ask first whether an attribute is there.", `"staff" in member.attributes && member.attributes["staff"] == "yes"`,
			func(in *input) ref.Val {
				return types.NewStringStringMap(types.DefaultTypeAdapter, in.member.Attributes)
			}),
	},
}

// The variables, in the order of the documentation; now is the only one without fields.
var variables = []struct {
	name string
	kind *types.Type
}{{"purchase", purchaseObject}, {"line", lineObject}, {"activity", activityObject}, {"member", memberObject}, {"now", cel.TimestampType}}

// ConditionFields is all that conditions may use: purchase in rules about purchases, line in a line condition and as the
// elements of purchase.lines, the others everywhere.
func ConditionFields() []ConditionField {
	var all []ConditionField
	for _, variable := range variables {
		for _, one := range objects[variable.kind.TypeName()] {
			all = append(all, ConditionField{
				Name: variable.name + "." + one.name, Type: named(one.kind),
				Description: one.description, Example: one.example,
			})
		}
	}
	return append(all, ConditionField{
		Name: "now", Type: named(cel.TimestampType), Description: "When the fact happened, on the clocks of the program's time zone, summer time included.",
		Example: `now.getDayOfWeek() == 2 && now.getHours() >= 14 && now.getHours() < 17`,
	})
}

// named is the type as expressions and their editors name it.
func named(kind *types.Type) string {
	if kind == cel.TimestampType {
		return "timestamp"
	}
	return strings.ReplaceAll(kind.String(), lineObject.TypeName(), "line")
}

// environment is what one kind of condition may say.
type environment struct {
	cel *cel.Env
	// names are its variables.
	names []string
}

func (e *environment) has(variable string) bool { return slices.Contains(e.names, variable) }

var (
	purchaseEnvironment = opened("purchase", "activity", "member", "now")
	activityEnvironment = opened("activity", "member", "now")
	lineEnvironment     = opened("line", "purchase", "activity", "member", "now")
)

func opened(names ...string) func() (*environment, error) {
	return sync.OnceValues(func() (*environment, error) {
		registry, err := types.NewRegistry()
		if err != nil {
			return nil, err
		}
		options := []cel.EnvOption{
			cel.CustomTypeAdapter(registry), cel.CustomTypeProvider(provider{Registry: registry, fields: fieldTypes()}),
			cel.CrossTypeNumericComparisons(true),
			// Instants are in the program's zone, and so are their days and hours.
			cel.DefaultUTCTimeZone(false),
		}
		for _, variable := range variables {
			if slices.Contains(names, variable.name) {
				options = append(options, cel.Variable(variable.name, variable.kind))
			}
		}
		made, err := cel.NewEnv(options...)
		return &environment{cel: made, names: names}, err
	})
}

// provider knows our objects besides CEL's own types. Their fields are read without reflection.
type provider struct {
	*types.Registry
	fields map[string]map[string]*types.FieldType
}

func fieldTypes() map[string]map[string]*types.FieldType {
	all := make(map[string]map[string]*types.FieldType, len(objects))
	for object, fields := range objects {
		all[object] = make(map[string]*types.FieldType, len(fields))
		for _, one := range fields {
			all[object][one.name] = &types.FieldType{
				Type: one.kind,
				// has() tells whether there is anything in the field.
				IsSet:   func(target any) bool { return !isEmpty(one.get(target)) },
				GetFrom: func(target any) (any, error) { return one.get(target), nil },
			}
		}
	}
	return all
}

func isEmpty(one ref.Val) bool {
	switch held := one.(type) {
	case types.String:
		return held == ""
	case types.Double:
		return held == 0
	case types.Int:
		return held == 0
	case types.Bool:
		return !bool(held)
	case interface{ Size() ref.Val }:
		return held.Size() == types.IntZero
	}
	return false
}

func (p provider) FindStructType(name string) (*types.Type, bool) {
	if _, ours := p.fields[name]; ours {
		return types.NewTypeTypeWithParam(cel.ObjectType(name)), true
	}
	return p.Registry.FindStructType(name)
}

func (p provider) FindStructFieldNames(name string) ([]string, bool) {
	fields, ours := p.fields[name]
	if !ours {
		return p.Registry.FindStructFieldNames(name)
	}
	names := make([]string, 0, len(fields))
	for field := range fields {
		names = append(names, field)
	}
	return names, true
}

func (p provider) FindStructFieldType(name, field string) (*types.FieldType, bool) {
	fields, ours := p.fields[name]
	if !ours {
		return p.Registry.FindStructFieldType(name, field)
	}
	found, ok := fields[field]
	return found, ok
}

func (p provider) NewValue(name string, fields map[string]ref.Val) ref.Val {
	if _, ours := p.fields[name]; ours {
		return types.WrapErr(fmt.Errorf("%s cannot be made by a condition", name))
	}
	return p.Registry.NewValue(name, fields)
}

package rules

import (
	"fmt"
	"reflect"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"regulars/internal/value"
)

// input is a fact as conditions see it, made once for all rules that it meets. What conditions do not ask for is never
// worked out. It serves one caller at a time.
type input struct {
	member Member
	fact   Fact
	zone   *time.Location
	// leapOnMarch1 tells that birthdays on 29 February are on 1 March in other years.
	leapOnMarch1 bool
	// line is which line a line condition is about.
	line int
	// listed are the lines as conditions see them, once one has asked.
	listed []lineValue
	list   traits.Lister
	facts  [3]object
	now    ref.Val
}

// ResolveName gives the condition a variable.
func (in *input) ResolveName(name string) (any, bool) {
	switch name {
	case "activity":
		return in.object(0, activityObject), true
	case "member":
		return in.object(1, memberObject), true
	case "purchase":
		return in.object(2, purchaseObject), in.fact.Total != nil
	case "line":
		in.lines()
		return &in.listed[in.line].object, true
	case "now":
		if in.now == nil {
			in.now = types.Timestamp{Time: in.fact.OccurredAt.In(in.zone)}
		}
		return in.now, true
	}
	return nil, false
}

// Parent says that there are no more variables.
func (in *input) Parent() cel.Activation { return nil }

func (in *input) object(place int, kind *types.Type) *object {
	in.facts[place] = object{kind: kind, target: in}
	return &in.facts[place]
}

func (in *input) money(minor int64) ref.Val {
	return types.Double(major(minor, in.fact.Total.Currency.Exponent()))
}

// lineValue is a line as conditions see it; exponent is that of the currency of its amounts.
type lineValue struct {
	*Line
	exponent int
	object   object
}

func (in *input) lines() ref.Val {
	if in.list != nil {
		return in.list
	}
	in.listed = make([]lineValue, len(in.fact.Lines))
	elements := make([]ref.Val, len(in.fact.Lines))
	for i := range in.fact.Lines {
		one := &in.listed[i]
		one.Line, one.exponent = &in.fact.Lines[i], in.fact.Total.Currency.Exponent()
		one.object = object{kind: lineObject, target: one}
		elements[i] = &one.object
	}
	in.list = types.NewRefValList(types.DefaultTypeAdapter, elements)
	return in.list
}

func (in *input) birthdayMonth() bool {
	return in.member.BirthDate != nil && in.member.BirthDate.Month == in.fact.OccurredAt.In(in.zone).Month()
}

func (in *input) birthday() bool {
	if in.member.BirthDate == nil {
		return false
	}
	day := value.DateOf(in.fact.OccurredAt.In(in.zone))
	return in.member.BirthDate.InYear(day.Year, in.leapOnMarch1) == day
}

func major(units int64, places int) float64 {
	divisor := 1.0
	for range places {
		divisor *= 10
	}
	return float64(units) / divisor
}

// object is one of our objects among the values of an expression.
type object struct {
	kind   *types.Type
	target any
}

// ConvertToNative says that objects stay inside of conditions.
func (o *object) ConvertToNative(wanted reflect.Type) (any, error) {
	return nil, fmt.Errorf("%s is no %s", o.kind.TypeName(), wanted)
}

// ConvertToType converts an object to its own type alone.
func (o *object) ConvertToType(wanted ref.Type) ref.Val {
	if wanted == types.TypeType {
		return o.kind
	}
	return types.NewErr("%s is no %s", o.kind.TypeName(), wanted.TypeName())
}

// Equal tells whether both are the same object.
func (o *object) Equal(other ref.Val) ref.Val {
	same, ok := other.(*object)
	return types.Bool(ok && same.target == o.target)
}

// Type is the object's type.
func (o *object) Type() ref.Type { return o.kind }

// Value is what the fields are read from.
func (o *object) Value() any { return o.target }

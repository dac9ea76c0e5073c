package loyalty_test

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

// lines are changes as "field: before -> after".
func lines(changes []problem.RuleFieldChange) []string {
	show := func(text *string) string {
		if text == nil {
			return "-"
		}
		return *text
	}
	var made []string
	for _, one := range changes {
		made = append(made, one.Field+": "+show(one.Before)+" -> "+show(one.After))
	}
	return made
}

func TestRule_Changes(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	made := w.Rule(w.PerAmount(1, "2.50"), when("purchase.total > 5"), func(input *loyalty.EarningRuleInput) { input.Name = "Base" })
	until := time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC)
	wait, err := value.ParsePeriod("P14D")
	if err != nil {
		t.Fatal(err)
	}
	revised, err := w.Service.ReviseEarningRule(w.Admin, made.Rule, 1, loyaltytest.RuleInput(loyaltytest.Multiplier("1.5"), priority(3), func(input *loyalty.EarningRuleInput) {
		input.Name, input.EndsAt, input.Qualifying, input.Pending = "Base, better", &until, false, &loyalty.PendingInput{For: &wait}
	}))
	if err != nil {
		t.Fatal(err)
	}
	changes, err := revised.Changes(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"name: Base -> Base, better",
		"condition: purchase.total > 5 -> -",
		"award.perAmount.points: 1 -> -",
		"award.perAmount.every: 2.50 EUR -> -",
		"award.perAmount.rounding: FLOOR -> -",
		"award.multiplier: - -> 1.5",
		"qualifying: true -> false",
		"pending.for: - -> P14D",
		"endsAt: - -> 2027-01-01T00:00:00Z",
		"priority: 0 -> 3",
	}
	got := lines(changes)
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
	for since, want := range map[int][]problem.RuleFieldChange{1: changes, 2: {}, 3: nil, 0: nil} {
		same, err := revised.Changes(&since)
		if err != nil || !cmp.Equal(want, same) {
			t.Errorf("since %d: %v %v", since, same, err)
		}
	}

	// Whoever comes second is told what the first one changed.
	_, err = w.Service.ReviseEarningRule(w.Admin, made.Rule, 1, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	var conflict problem.ConflictError
	if !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	equal(t, "the newest", 2, conflict.CurrentVersion)
	equal(t, "what changed", changes, conflict.Changes)
	_, err = w.Service.PublishEarningRule(w.Admin, made.Rule, nil, pointer(1))
	if !errors.As(err, &conflict) {
		t.Fatal(err)
	}
	equal(t, "what would be published", changes, conflict.Changes)
	_, err = w.Service.ReviseEarningRule(w.Admin, made.Rule, 9, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	if !errors.As(err, &conflict) || conflict.CurrentVersion != 2 || len(conflict.Changes) != 0 {
		t.Errorf("based on what never was: %v", err)
	}
}

// Every field of a version that somebody says is compared, those that come to be included.
func TestRule_ChangesOfEveryField(t *testing.T) {
	t.Parallel()
	of := func(number int) rules.Version { return rules.Version{Number: number} }
	compared := func(one, other rules.Version) []problem.RuleFieldChange {
		young := &loyalty.EarningRule{Version: other}
		young.Versions = []*loyalty.EarningRule{{Version: one}, young}
		changes, err := young.Changes(&one.Number)
		if err != nil {
			t.Fatal(err)
		}
		return changes
	}
	notSaid := []string{"Rule", "Number", "EffectiveFrom", "PublishedAt"}
	kind := reflect.TypeFor[rules.Version]()
	for i := range kind.NumField() {
		field := kind.Field(i)
		if !field.IsExported() {
			continue
		}
		for _, path := range leaves(field.Type, []int{i}) {
			changed := of(2)
			set(t, reflect.ValueOf(&changed).Elem(), path)
			changes := compared(of(1), changed)
			if said := !slices.Contains(notSaid, field.Name); said != (len(changes) > 0) {
				t.Errorf("%s %v: %v", field.Name, path, lines(changes))
			}
			for _, one := range changes {
				if one.Field == "" || strings.HasPrefix(one.Field, ".") || one.After == nil {
					t.Errorf("%s: %v", field.Name, lines(changes))
				}
			}
		}
	}
}

// texts are types that are one value, whatever they are made of.
var texts = map[reflect.Type]any{
	reflect.TypeFor[time.Time](): time.Date(2027, 1, 1, 0, 0, 0, 0, time.UTC), reflect.TypeFor[value.Period](): value.Period{Days: 3},
}

// leaves are the paths to all values within a type.
func leaves(kind reflect.Type, path []int) [][]int {
	if kind.Kind() == reflect.Pointer {
		kind = kind.Elem()
	}
	if _, whole := texts[kind]; whole || kind.Kind() != reflect.Struct {
		return [][]int{path}
	}
	var found [][]int
	for i := range kind.NumField() {
		found = append(found, leaves(kind.Field(i).Type, append(slices.Clone(path), i))...)
	}
	return found
}

// set puts something that is not nothing where the path leads.
func set(t *testing.T, target reflect.Value, path []int) {
	t.Helper()
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		target = target.Elem()
	}
	if len(path) > 0 {
		set(t, target.Field(path[0]), path[1:])
		return
	}
	if text, whole := texts[target.Type()]; whole {
		target.Set(reflect.ValueOf(text))
		return
	}
	switch target.Kind() {
	case reflect.Bool:
		target.SetBool(true)
	case reflect.Int, reflect.Int64:
		target.SetInt(7)
	case reflect.String:
		target.SetString("FLOOR")
	case reflect.Array:
		target.Index(0).SetUint(7)
	case reflect.Slice:
		target.Set(reflect.MakeSlice(target.Type(), 1, 1))
		set(t, target.Index(0), leaves(target.Index(0).Type(), nil)[0])
	default:
		t.Fatalf("a field is of kind %s", target.Kind())
	}
}

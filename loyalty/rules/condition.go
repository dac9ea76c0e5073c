package rules

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"sync"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/ext"
	"github.com/agnivade/levenshtein"

	"regulars/internal/value"
)

// What one evaluation of a condition may cost, in CEL's units of about one operation. A comparison costs a handful, a walk
// over 1,000 lines some ten thousand. All of it takes some 20 ms.
const conditionCostLimit = 100_000

// MaximumConditionLength bounds a condition, in bytes.
const MaximumConditionLength = 4_000

// What conditions see. Amounts and quantities are floating-point numbers in major units here and only here: conditions
// compare, awards are computed exactly.
type (
	purchaseFields struct {
		Total          float64      `cel:"total"`
		PaidWithPoints float64      `cel:"paidWithPoints"`
		Currency       string       `cel:"currency"`
		Lines          []lineFields `cel:"lines"`
	}
	lineFields struct {
		SKU      string  `cel:"sku"`
		Quantity float64 `cel:"quantity"`
		Amount   float64 `cel:"amount"`
		Discount float64 `cel:"discount"`
		Category string  `cel:"category"`
		Brand    string  `cel:"brand"`
	}
	activityFields struct {
		Type       string            `cel:"type"`
		Source     string            `cel:"source"`
		Attributes map[string]string `cel:"attributes"`
	}
	memberFields struct {
		Tier       string            `cel:"tier"`
		JoinedAt   time.Time         `cel:"joinedAt"`
		Locale     string            `cel:"locale"`
		Attributes map[string]string `cel:"attributes"`
	}
)

// Names that a misspelled one is compared with.
var (
	conditionVariables = []string{"purchase", "activity", "member", "now"}
	conditionFields    = []string{
		"total", "currency", "lines", "sku", "quantity", "amount", "discount", "category", "brand", "type", "source",
		"attributes", "tier", "joinedAt", "locale", "paidWithPoints",
	}
)

// inWords names our types as the variables that have them, for people.
var inWords = strings.NewReplacer("rules.purchaseFields", "purchase", "rules.lineFields", "line", "rules.activityFields", "activity",
	"rules.memberFields", "member", " (in container '')", "")

// ConditionError says where a condition is wrong; Line and Column count from 1.
type ConditionError struct {
	Message      string
	Line, Column int
	Hint         string
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// CheckCondition tells whether a rule with that trigger may have the condition. It returns a *ConditionError if not.
func CheckCondition(trigger, text string) error {
	_, err := compile(trigger, text)
	return err
}

type condition struct {
	program cel.Program
}

// A rule about purchases sees the purchase as well; the others are about activities that have none.
var (
	purchaseEnvironment = sync.OnceValues(func() (*cel.Env, error) {
		return environment(cel.Variable("purchase", cel.ObjectType("rules.purchaseFields")))
	})
	activityEnvironment = sync.OnceValues(func() (*cel.Env, error) { return environment() })
)

func environment(more ...cel.EnvOption) (*cel.Env, error) {
	return cel.NewEnv(append([]cel.EnvOption{
		cel.CrossTypeNumericComparisons(true),
		// Instants are in the program's zone, and so are their days and hours.
		cel.DefaultUTCTimeZone(false),
		ext.NativeTypes(ext.ParseStructTags(true), reflect.TypeFor[purchaseFields](), reflect.TypeFor[lineFields](),
			reflect.TypeFor[activityFields](), reflect.TypeFor[memberFields]()),
		cel.Variable("activity", cel.ObjectType("rules.activityFields")),
		cel.Variable("member", cel.ObjectType("rules.memberFields")),
		cel.Variable("now", cel.TimestampType),
	}, more...)...)
}

func compile(trigger, text string) (*condition, error) {
	if len(text) > MaximumConditionLength {
		return nil, &ConditionError{Message: fmt.Sprintf("longer than %d bytes", MaximumConditionLength), Line: 1, Column: 1}
	}
	open := activityEnvironment
	if trigger == Purchase {
		open = purchaseEnvironment
	}
	environment, err := open()
	if err != nil {
		return nil, fmt.Errorf("open the environment of conditions: %w", err)
	}
	checked, issues := environment.Compile(text)
	if issues != nil && issues.Err() != nil {
		first := issues.Errors()[0]
		return nil, &ConditionError{
			Message: sentence(first.Message),
			Line:    max(first.Location.Line(), 1),
			Column:  max(first.Location.Column(), 0) + 1,
			Hint:    hint(first.Message),
		}
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, &ConditionError{
			Message: fmt.Sprintf("a condition is true or false, this one is of type %s", checked.OutputType()),
			Line:    1, Column: 1,
		}
	}
	// Optimizing compiles constant regular expressions, so that a wrong one is found now.
	program, err := environment.Program(checked, cel.CostLimit(conditionCostLimit), cel.EvalOptions(cel.OptOptimize))
	if err != nil {
		return nil, &ConditionError{Message: err.Error(), Line: 1, Column: 1}
	}
	return &condition{program: program}, nil
}

// sentence is what the checker says, without what only its authors understand.
func sentence(message string) string {
	message, _, _ = strings.Cut(message, " expecting {")
	return inWords.Replace(message)
}

var (
	unknownName   = regexp.MustCompile(`(undefined field|undeclared reference to) '([A-Za-z_]+)'`)
	mixedEquality = regexp.MustCompile(`'_[!=]=_' applied to '\((?:double, int|int, double)\)'`)
)

func hint(message string) string {
	if mixedEquality.MatchString(message) {
		return "amounts and quantities are numbers with a point: write 50.0 for 50"
	}
	found := unknownName.FindStringSubmatch(message)
	if found == nil {
		return ""
	}
	names := conditionVariables
	if found[1] == "undefined field" {
		names = conditionFields
	}
	for _, name := range names {
		// Two letters wrong in six are a mistake, in three another word.
		if name != found[2] && levenshtein.ComputeDistance(name, found[2]) <= min(2, len(name)/3) {
			return fmt.Sprintf("did you mean %q?", name)
		}
	}
	return ""
}

// input is a fact as conditions see it, made once for all rules that have one.
type input struct {
	member     Member
	fact       Fact
	zone       *time.Location
	activation map[string]any
}

var errNotBoolean = errors.New("the condition is neither true nor false")

func (c *condition) holds(in *input) (bool, error) {
	if in.activation == nil {
		in.activation = activation(in)
	}
	result, _, err := c.program.Eval(in.activation)
	if err != nil {
		return false, err
	}
	holds, ok := result.(types.Bool)
	if !ok {
		return false, errNotBoolean
	}
	return bool(holds), nil
}

func activation(in *input) map[string]any {
	variables := map[string]any{
		"activity": activityFields{Type: in.fact.Type, Source: in.fact.Source, Attributes: in.fact.Attributes},
		"member": memberFields{
			Tier: in.member.Tier, JoinedAt: in.member.JoinedAt.In(in.zone), Locale: in.member.Locale, Attributes: in.member.Attributes,
		},
		"now": in.fact.OccurredAt.In(in.zone),
	}
	if in.fact.Total == nil {
		return variables
	}
	currency := in.fact.Total.Currency
	purchase := purchaseFields{
		Total:          major(in.fact.Total.Minor, currency.Exponent()),
		PaidWithPoints: major(in.fact.Paid, currency.Exponent()),
		Currency:       string(currency),
		Lines:          make([]lineFields, len(in.fact.Lines)),
	}
	for i, line := range in.fact.Lines {
		purchase.Lines[i] = lineFields{
			SKU: line.SKU, Quantity: major(int64(line.Quantity), value.QuantityPlaces),
			Amount: major(line.Amount, currency.Exponent()), Discount: major(line.Discount, currency.Exponent()),
			Category: line.Category, Brand: line.Brand,
		}
	}
	variables["purchase"] = purchase
	return variables
}

func major(units int64, places int) float64 {
	divisor := 1.0
	for range places {
		divisor *= 10
	}
	return float64(units) / divisor
}

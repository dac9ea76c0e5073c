package rules

import (
	"errors"
	"fmt"
	"strings"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// What one evaluation of a condition may cost, in CEL's units of about one operation. A comparison costs a handful, a walk
// over 1,000 lines some ten thousand. All of it takes some 20 ms.
const conditionCostLimit = 100_000

// How many parts the loops of a condition may have to be evaluated without counting what that costs, which makes a condition
// three times as slow: over 1,000 lines they take a few ms. What has no loop is bounded by its length anyway.
const briefLoops = 100

// MaximumConditionLength bounds a condition, in bytes.
const MaximumConditionLength = 4_000

// CheckCondition tells whether a rule with that trigger may have the condition. It returns a *ConditionError if not.
func CheckCondition(trigger, text string) error {
	_, err := compile(trigger, text)
	return err
}

// CheckLineCondition tells whether an award for an amount may be narrowed to lines by the condition. It returns a
// *ConditionError if not.
func CheckLineCondition(text string) error {
	_, err := compileLine(text)
	return err
}

// condition is an expression that is ready to be asked, by any number of callers at once.
type condition struct {
	program cel.Program
	// read are the fields that the expression selects, e.g. activity.number.
	read map[string]bool
}

func compile(trigger, text string) (*condition, error) {
	if trigger == Purchase {
		return compileIn(purchaseEnvironment, text)
	}
	return compileIn(activityEnvironment, text)
}

func compileLine(text string) (*condition, error) {
	return compileIn(lineEnvironment, text)
}

func compileIn(open func() (*environment, error), text string) (*condition, error) {
	if len(text) > MaximumConditionLength {
		return nil, &ConditionError{Message: fmt.Sprintf("a condition has at most %d bytes", MaximumConditionLength), Line: 1, Column: 1}
	}
	if strings.TrimSpace(text) == "" {
		return nil, &ConditionError{Message: "there is no condition", Line: 1, Column: 1, Hint: "leave it out if the rule shall always match"}
	}
	environment, err := open()
	if err != nil {
		return nil, fmt.Errorf("open the environment of conditions: %w", err)
	}
	parsed, issues := environment.cel.Parse(text)
	if issues.Err() != nil {
		return nil, syntaxError(text, issues.Errors()[0])
	}
	checked, issues := environment.cel.Check(parsed)
	if issues.Err() != nil {
		return nil, typeError(environment, parsed.NativeRep(), issues.Errors()[0])
	}
	if !checked.OutputType().IsExactType(cel.BoolType) {
		return nil, &ConditionError{
			Message: fmt.Sprintf("a condition is true or false, this one is %s", inWords(checked.OutputType().String())),
			Line:    1, Column: 1, Hint: notBooleanHint(checked.NativeRep().Expr()),
		}
	}
	if err := wrongPattern(checked.NativeRep()); err != nil {
		return nil, err
	}
	walked := walk(checked.NativeRep().Expr())
	options := []cel.ProgramOption{cel.EvalOptions(cel.OptOptimize)}
	if walked.nested || walked.inLoops > briefLoops {
		options = append(options, cel.CostLimit(conditionCostLimit))
	}
	program, err := environment.cel.Program(checked, options...)
	if err != nil {
		return nil, &ConditionError{Message: err.Error(), Line: 1, Column: 1}
	}
	return &condition{program: program, read: walked.read}, nil
}

// walked is what an expression consists of.
type walked struct {
	// inLoops is how many parts of it are evaluated for every element of a list, nested whether some are for every pair.
	inLoops int
	nested  bool
	read    map[string]bool
}

func walk(root ast.Expr) walked {
	found := walked{read: map[string]bool{}}
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(one ast.Expr) {
		if one.Kind() == ast.ComprehensionKind {
			parts, loops := count(one)
			found.inLoops += parts
			found.nested = found.nested || loops > 1
		}
		if variable := operand(one); variable != "" {
			found.read[variable+"."+one.AsSelect().FieldName()] = true
		}
	}))
	return found
}

// count says how many parts an expression has, and how many of them are loops.
func count(root ast.Expr) (parts, loops int) {
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(one ast.Expr) {
		parts++
		if one.Kind() == ast.ComprehensionKind {
			loops++
		}
	}))
	return parts, loops
}

// reads tells whether the expression selects the field, e.g. "activity.number", which is worth loading only then.
func (c *condition) reads(field string) bool { return c.read[field] }

// holds tells whether the condition is true of the fact. An error says, in words to be shown, why it cannot be decided.
func (c *condition) holds(in *input) (bool, error) {
	return c.decide(in)
}

// holdsLine tells whether the condition is true of the line of that index; see holds.
func (c *condition) holdsLine(in *input, line int) (bool, error) {
	in.line = line
	return c.decide(in)
}

func (c *condition) decide(in *input) (bool, error) {
	result, _, err := c.program.Eval(in)
	if err != nil {
		return false, errors.New(undecided(err.Error()))
	}
	holds, ok := result.(types.Bool)
	if !ok {
		return false, errors.New("it is neither true nor false")
	}
	return bool(holds), nil
}

// undecided says in words why an evaluation failed.
func undecided(message string) string {
	name, missing := strings.CutPrefix(message, "no such key: ")
	switch {
	case missing:
		return fmt.Sprintf("there is no attribute %q", name)
	case strings.Contains(message, "cost limit exceeded"):
		return "it takes too long"
	case strings.Contains(message, "divi") && strings.Contains(message, "by zero"), strings.Contains(message, "modulus by zero"):
		return "it divides by zero"
	case strings.HasPrefix(message, "index out of bounds"):
		return "the list has no such element"
	}
	return message
}

package rules

import (
	"fmt"
	"regexp"
	"strings"

	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"
	"cel.dev/cel-go/common/types"
)

// ConditionError says where a condition is wrong, in words of who writes rules, not of who writes compilers. Line and Column
// count from 1, columns in characters. Hint says how it is mended, "" if that is not known.
type ConditionError struct {
	Message      string
	Line, Column int
	Hint         string
}

func (e *ConditionError) Error() string {
	return fmt.Sprintf("%d:%d: %s", e.Line, e.Column, e.Message)
}

// at makes an error of what the parser or the checker found.
func at(found *common.Error, message, hint string) *ConditionError {
	return &ConditionError{
		Message: message, Line: max(found.Location.Line(), 1), Column: max(found.Location.Column(), 0) + 1, Hint: hint,
	}
}

// What the parser says of a token that it did not expect; the token is the last group.
var unexpected = regexp.MustCompile(`^Syntax error: (token recognition error at: |mismatched input |extraneous input |no viable alternative at input |missing .* at )'(.*?)'(?: expecting .*)?$`)

func syntaxError(text string, found *common.Error) *ConditionError {
	message := strings.TrimPrefix(found.Message, "Syntax error: ")
	if message == "invalid argument to has() macro" {
		return at(found, "has() asks for a field", "write has(line.brand)")
	}
	if word, reserved := strings.CutPrefix(message, "reserved identifier: "); reserved {
		return at(found, fmt.Sprintf("%#q does not belong here", word), "a condition needs no such word: write what must be true")
	}
	if token := unexpected.FindStringSubmatch(strings.ReplaceAll(found.Message, "\n", " ")); token != nil {
		switch {
		case token[2] == "<EOF>":
			message = "the condition ends too early"
		case strings.HasPrefix(token[1], "token"):
			message = fmt.Sprintf("%#q cannot be read", strings.TrimSpace(token[2]))
		default:
			message = fmt.Sprintf("%#q does not belong here", token[2])
		}
	}
	return at(found, message, syntaxHint(textAt(text, found)))
}

// textAt splits the condition where the error was found.
func textAt(text string, found *common.Error) (before, after string) {
	lines := strings.Split(text, "\n")
	number := min(max(found.Location.Line(), 1), len(lines))
	line := []rune(lines[number-1])
	column := min(max(found.Location.Column(), 0), len(line))
	return string(line[:column]), string(line[column:])
}

var (
	undefinedField = regexp.MustCompile(`^undefined field '(.+)'$`)
	undeclared     = regexp.MustCompile(`^undeclared reference to '([^']+)'`)
	noOverload     = regexp.MustCompile(`^found no matching overload for '([^']+)' applied to '(.*)'$`)
	noFields       = regexp.MustCompile(`^type '(.+)' does not support field selection$`)
	expectedType   = regexp.MustCompile(`^expected type '(.+)' but found '(.+)'$`)
	noRange        = regexp.MustCompile(`^expression of type '(.+)' cannot be range of a comprehension`)
)

func typeError(environment *environment, tree *ast.AST, found *common.Error) *ConditionError {
	blamed := find(tree.Expr(), found.ExprID)
	if match := undefinedField.FindStringSubmatch(found.Message); match != nil {
		made := at(found, fmt.Sprintf("no such field %#q", match[1]), fieldHint(environment, operand(blamed), match[1]))
		// The checker points at the dot.
		made.Column++
		return made
	}
	if match := undeclared.FindStringSubmatch(found.Message); match != nil {
		return undeclaredError(environment, blamed, found, match[1])
	}
	if match := noOverload.FindStringSubmatch(found.Message); match != nil {
		return overloadError(found, match[1], match[2])
	}
	if match := noFields.FindStringSubmatch(found.Message); match != nil {
		hint := ""
		if strings.HasPrefix(match[1], "list(a line") {
			hint = "ask about any of the lines: purchase.lines.exists(line, line.amount > 10)"
		}
		made := at(found, inWords(match[1])+" has no fields", hint)
		made.Column++
		return made
	}
	if match := noRange.FindStringSubmatch(found.Message); match != nil {
		return at(found, fmt.Sprintf("only a list has elements to look at, this is %s", inWords(match[1])), "")
	}
	if match := expectedType.FindStringSubmatch(found.Message); match != nil {
		return at(found, fmt.Sprintf("%s is expected here, this is %s", inWords(match[1]), inWords(match[2])), "")
	}
	return at(found, found.Message, "")
}

func undeclaredError(environment *environment, blamed ast.Expr, found *common.Error, name string) *ConditionError {
	switch {
	case blamed != nil && blamed.Kind() == ast.CallKind:
		return at(found, fmt.Sprintf("there is no function %#q", name), nearest(name, functions(environment)))
	case name == "purchase":
		return at(found, "`purchase` is there only in rules about purchases", "other facts have `activity`, `member` and `now`")
	case name == "line" && environment.has("purchase"):
		return at(found, "`line` is there only in a line condition", "ask about any of the lines: purchase.lines.exists(line, line.amount > 10)")
	case name == "line":
		return at(found, "`line` is there only in a line condition of rules about purchases", "")
	}
	return at(found, fmt.Sprintf("there is no %#q", name), variableHint(environment, name))
}

var operators = map[string]string{
	"_==_": "==", "_!=_": "!=", "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "_&&_": "&&", "_||_": "||", "!_": "!",
	"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "-_": "-", "_[_]": "[ ]", "@in": "in", "_?_:_": "? :",
}

func overloadError(found *common.Error, function, applied string) *ConditionError {
	operator, isOperator := operators[function]
	if !isOperator {
		return at(found, fmt.Sprintf("%#q does not work like this, on %s", function, strings.TrimSuffix(inWords(applied), " with ")), callHint(function, applied))
	}
	switch operator {
	case "&&", "||", "!":
		return at(found, fmt.Sprintf("%#q is for what is true or false, not for %s", operator, inWords(applied)), "")
	}
	return at(found, fmt.Sprintf("%#q does not go with %s", operator, inWords(applied)), operatorHint(operator, applied))
}

// find returns the part of the expression with the id, nil if there is none.
func find(root ast.Expr, wanted int64) ast.Expr {
	var found ast.Expr
	ast.PreOrderVisit(root, ast.NewExprVisitor(func(one ast.Expr) {
		if one.ID() == wanted {
			found = one
		}
	}))
	return found
}

// operand is the name of the variable whose field is selected, "" if that is not a plain name.
func operand(selected ast.Expr) string {
	if selected == nil || selected.Kind() != ast.SelectKind || selected.AsSelect().Operand().Kind() != ast.IdentKind {
		return ""
	}
	return selected.AsSelect().Operand().AsIdent()
}

// wrongPattern finds a pattern of matches() that is none.
func wrongPattern(tree *ast.AST) error {
	var wrong error
	ast.PreOrderVisit(tree.Expr(), ast.NewExprVisitor(func(one ast.Expr) {
		if wrong != nil || one.Kind() != ast.CallKind || one.AsCall().FunctionName() != "matches" {
			return
		}
		arguments := one.AsCall().Args()
		last := arguments[len(arguments)-1]
		if last.Kind() != ast.LiteralKind {
			return
		}
		pattern, ok := last.AsLiteral().(types.String)
		if !ok {
			return
		}
		if _, err := regexp.Compile(string(pattern)); err != nil {
			start := tree.SourceInfo().GetStartLocation(last.ID())
			wrong = &ConditionError{
				Message: "this is no pattern: " + strings.TrimPrefix(err.Error(), "error parsing regexp: "),
				Line:    max(start.Line(), 1), Column: max(start.Column(), 0) + 1,
				Hint: "for a part of a text write contains(), startsWith() or endsWith()",
			}
		}
	}))
	return wrong
}

package rules

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"cel.dev/cel-go/common/ast"
	"github.com/agnivade/levenshtein"
)

// inWords names types, and our objects among them, for people.
func inWords(text string) string { return typeWords.Replace(text) }

var typeWords = strings.NewReplacer(
	"map(string, string)", "a map of texts", "google.protobuf.Timestamp", "an instant", "google.protobuf.Duration", "a length of time",
	"list(a line)", "the list of lines", "list(string)", "a list of texts", "double", "a number", "string", "a text", "uint", "a whole number",
	"int", "a whole number", "bool", "true or false", "timestamp", "an instant", "duration", "a length of time", "(", "", ")", "", ".", " with ", ", ", " and ",
)

// nearest asks whether one of names was meant.
func nearest(name string, names []string) string {
	best, distance := "", 0
	for _, one := range names {
		// Two letters wrong in six are a mistake, in three another word.
		away := levenshtein.ComputeDistance(strings.ToLower(one), strings.ToLower(name))
		if one != name && away <= min(2, len(one)/3) && (best == "" || away < distance) {
			best, distance = one, away
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean %#q?", best)
}

func fieldsOf(variable string) []string {
	var names []string
	for _, one := range variables {
		if one.name == variable {
			for _, field := range objects[one.kind.TypeName()] {
				names = append(names, field.name)
			}
		}
	}
	return names
}

// owner is the variable of the environment that has the field, "" if none has.
func owner(environment *environment, field string) string {
	for _, one := range variables {
		if (environment.has(one.name) || one.name == "line" && environment.has("purchase")) && slices.Contains(fieldsOf(one.name), field) {
			return one.name
		}
	}
	return ""
}

// fieldHint helps with a field that variable has not. What is no variable is a name for the elements of purchase.lines.
func fieldHint(environment *environment, variable, field string) string {
	if len(fieldsOf(variable)) == 0 {
		variable = "line"
	}
	if hint := nearest(field, fieldsOf(variable)); hint != "" {
		return hint
	}
	switch of := owner(environment, field); of {
	case "":
		return fmt.Sprintf("%#q has %s", variable, strings.Join(fieldsOf(variable), ", "))
	case "line":
		if !environment.has("line") {
			return fmt.Sprintf("the lines have it: purchase.lines.exists(line, line.%s …)", field)
		}
		fallthrough
	default:
		return fmt.Sprintf("write %#q", of+"."+field)
	}
}

// variableHint helps with a name that is no variable.
func variableHint(environment *environment, name string) string {
	if lower := strings.ToLower(name); lower == "true" || lower == "false" {
		return fmt.Sprintf("write %#q", lower)
	}
	if hint := nearest(name, environment.names); hint != "" {
		return hint
	}
	switch of := owner(environment, name); of {
	case "":
		return fmt.Sprintf("text stands in quotes: %q", name)
	case "line":
		return fieldHint(environment, "purchase", name)
	default:
		return fmt.Sprintf("write %#q", of+"."+name)
	}
}

// functions are the names of what can be called.
func functions(environment *environment) []string {
	names := []string{"all", "exists", "exists_one", "filter", "has", "map"}
	for name := range environment.cel.Functions() {
		if unicode.IsLetter(rune(name[0])) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// operatorHint helps with an operator between types that it does not join, e.g. "(double, int)".
func operatorHint(operator, applied string) string {
	left, right, _ := strings.Cut(strings.Trim(applied, "()"), ", ")
	pair := func(a, b string) bool { return left == a && right == b || left == b && right == a }
	switch {
	case pair("double", "int"):
		return "write both with a point or both without: amounts and quantities have one, 50.0"
	case operator == "in" && right == "string":
		return `for a part of a text write member.tier.contains("Gold")`
	case pair("double", "string"), pair("int", "string"):
		return "a number stands without quotes, a text in quotes"
	case pair("timestamp", "string"), pair("google.protobuf.Timestamp", "string"):
		return `write timestamp("2026-01-31T00:00:00+01:00")`
	case strings.Contains(applied, "Duration") || strings.Contains(applied, "duration"):
		return `write duration("24h"): lengths of time are in hours, minutes and seconds`
	case pair("bool", "string"):
		return "true and false stand without quotes"
	case strings.HasPrefix(applied, "(a ") || strings.Contains(applied, ", a "):
		return "ask for one of its fields"
	}
	return ""
}

// callHint helps with a function that was called on what it does not work on.
func callHint(function, applied string) string {
	switch {
	case strings.HasPrefix(applied, "(string"):
		return fmt.Sprintf("write it behind the text: activity.source.%s(…)", function)
	case strings.HasPrefix(function, "get"):
		return fmt.Sprintf("instants and lengths of time have it: now.%s()", function)
	}
	return ""
}

func notBooleanHint(root ast.Expr) string {
	if root.Kind() == ast.SelectKind || root.Kind() == ast.IdentKind {
		return "compare it with something, e.g. purchase.total >= 50"
	}
	return ""
}

var (
	sqlWord      = regexp.MustCompile(`^(?i)(and|or|not)\b`)
	decimalComma = regexp.MustCompile(`^,\d`)
	notLast      = regexp.MustCompile(`(?i)\bnot\s+$`)
	digitLast    = regexp.MustCompile(`\d$`)
)

// syntaxHint helps with what was found between the text before and after it.
func syntaxHint(before, after string) string {
	word := strings.ToLower(sqlWord.FindString(after))
	switch {
	case notLast.MatchString(before):
		return "write ! for not"
	case word != "":
		return fmt.Sprintf("write %s for %s", map[string]string{"and": "&&", "or": "||", "not": "!"}[word], sqlWord.FindString(after))
	case strings.HasPrefix(after, "=>"):
		return "write >="
	case strings.HasPrefix(after, "=<"):
		return "write <="
	case strings.HasPrefix(after, "="):
		return "write == to compare"
	case strings.HasPrefix(after, ">") && strings.HasSuffix(before, "<"):
		return "write != for <>"
	case strings.HasPrefix(after, "&"):
		return "write && for and"
	case strings.HasPrefix(after, "|"):
		return "write || for or"
	case decimalComma.MatchString(after) && digitLast.MatchString(before):
		return "write numbers with a point: 49.99"
	case strings.ContainsAny(firstRune(after), "“”„‘’«»"):
		return `write straight quotes: "Gold"`
	case strings.ContainsAny(firstRune(after), `"'`):
		return "a text ends with the quote that it began with, on the same line"
	case strings.ContainsAny(firstRune(after), "€$£"):
		return "amounts are plain numbers in the program's currency"
	}
	return ""
}

func firstRune(text string) string {
	for _, one := range text {
		return string(one)
	}
	return ""
}

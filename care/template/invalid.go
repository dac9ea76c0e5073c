package template

import (
	"errors"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"regulars/internal/problem"
)

var (
	parserSays  = regexp.MustCompile(`(?s)^template: [a-z]+:(\d+)(?::\d+)?: (.*)$`)
	escaperSays = regexp.MustCompile(`(?s)^html/template:[a-z]*(?::(\d+))?(?::\d+)?:? (.*)$`)
	undefined   = regexp.MustCompile(`^function "([^"]*)" not defined$`)
)

// sayings put into words what the libraries say; the first that is in it counts.
var sayings = []struct{ said, message, hint string }{
	{"unexpected EOF", "An if or with is not closed.", "{{end}}"},
	{"unexpected {{end}}", "There is an {{end}} without if or with.", ""},
	{"unexpected {{else", "There is an {{else}} without if or with.", ""},
	{"missing value for if", "if does not say of what.", "{{if .Member.DisplayName}}"},
	{"missing value for with", "with does not say of what.", "{{with .Member.DisplayName}}"},
	{"missing value for", "There is nothing between {{ and }}.", ""},
	{"unclosed action", "What {{ opens is not closed on the same line.", "}}"},
	{"unclosed comment", "A comment is not closed.", "*/}}"},
	{"unterminated quoted string", "A quoted text is not closed.", "\""},
	{"max expression depth exceeded", "The text is nested too deep.", ""},
	{"ends in a non-text context", "The HTML ends within a tag, an attribute, a script or a style.", ""},
	{"in unquoted attr", "The value of an attribute is not in quotes.", "title=\"{{.Program.Name}}\""},
	{"branches end in different contexts", "One branch of an if or with opens a tag, an attribute or a quote, and the other does not.", "put all of the tag into each branch"},
}

// invalid says what is wrong with the template at path, whose source is written.
func invalid(locale, path, written string, err error) problem.InvalidTemplateError {
	found := problem.InvalidTemplateError{Code: problem.InvalidTemplate, Message: err.Error(), Path: []string{"input", path}, Locale: locale, Line: 1}
	var known *flaw
	if errors.As(err, &known) {
		found.Line = 1 + strings.Count(written[:min(int(known.at), len(written))], "\n")
		if known.hint != "" {
			found.Hint = &known.hint
		}
		return found
	}
	said := parserSays.FindStringSubmatch(err.Error())
	if said == nil {
		said = escaperSays.FindStringSubmatch(err.Error())
	}
	if said == nil {
		return found
	}
	if line, err := strconv.Atoi(said[1]); err == nil {
		found.Line = max(1, line)
	}
	found.Message = "The template cannot be read: " + said[2] + "."
	if function := undefined.FindStringSubmatch(said[2]); function != nil {
		found.Message = "The function \"" + function[1] + "\" cannot be used in texts: " + strings.Join(functionNames, ", ") + " can."
		if slices.Contains([]string{"Member", "Program", "Occasion"}, function[1]) {
			hint := "." + function[1]
			found.Hint = &hint
		}
		return found
	}
	for _, one := range sayings {
		if strings.Contains(said[2], one.said) {
			found.Message = one.message
			if one.hint != "" {
				found.Hint = &one.hint
			}
			return found
		}
	}
	return found
}

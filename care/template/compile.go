package template

import (
	"fmt"
	htmltemplate "html/template"
	"io"
	"regexp"
	"strings"
	texttemplate "text/template"
	"text/template/parse"
	"unicode"
	"unicode/utf8"

	"regulars/care/occasion"
	"regulars/internal/problem"
)

// How long the source of a text may be, in bytes.
const (
	maximumSubjectSource = 1_000
	maximumBodySource    = 50_000
	maximumHTMLSource    = 100_000
)

// Compiled is a text that has been checked: whatever it is filled with, it reads nothing else. It is safe for concurrent use.
type Compiled struct {
	kind          occasion.Kind
	locale        string
	subject, body *texttemplate.Template
	html          *htmltemplate.Template
}

// Compile reads a text for a kind of occasion: Go's template syntax, of which it admits the fields that [Fields] lists for
// the kind, if, with, else and the functions and, or, not, eq, ne, lt, le, gt, ge and number. All of it is checked, also what
// no sample would take. The error is a problem.Problems of INVALID_TEMPLATE, at most one for each of subject, body and html.
func Compile(source Text, kind occasion.Kind) (*Compiled, error) {
	made := &Compiled{kind: kind, locale: source.Locale}
	var problems problem.Problems
	note := func(path string, written string, err error) {
		if err != nil {
			problems = append(problems, invalid(source.Locale, path, written, err))
		}
	}
	var err error
	if source.Subject != nil {
		made.subject, err = made.compileText("subject", *source.Subject, maximumSubjectSource)
		note("subject", *source.Subject, err)
	}
	if strings.TrimSpace(source.Body) == "" {
		err = &flaw{message: "There is no text."}
	} else {
		made.body, err = made.compileText("body", source.Body, maximumBodySource)
	}
	note("body", source.Body, err)
	if source.HTML != nil {
		made.html, err = made.compileHTML(*source.HTML)
		note("html", *source.HTML, err)
	}
	return made, problems.Err()
}

func (c *Compiled) compileText(name, source string, limit int) (*texttemplate.Template, error) {
	tree, err := c.parse(name, source, limit)
	if err != nil {
		return nil, err
	}
	return texttemplate.New(name).Funcs(c.functions()).AddParseTree(name, tree)
}

// compileHTML also fills a sample: that is when html/template looks at all of a template, and finds what it cannot escape.
func (c *Compiled) compileHTML(source string) (*htmltemplate.Template, error) {
	tree, err := c.parse("html", source, maximumHTMLSource)
	if err != nil {
		return nil, err
	}
	made, err := htmltemplate.New("html").Funcs(c.functions()).AddParseTree("html", tree)
	if err != nil {
		return nil, err
	}
	if err := made.Execute(io.Discard, c.data(Sample(c.kind))); err != nil {
		return nil, err
	}
	return made, nil
}

// parse reads a template and checks all of it.
func (c *Compiled) parse(name, source string, limit int) (*parse.Tree, error) {
	if len(source) > limit {
		return nil, &flaw{message: fmt.Sprintf("The template is longer than %d bytes.", limit)}
	}
	if err := legible(source); err != nil {
		return nil, err
	}
	tree := parse.New(name)
	trees := map[string]*parse.Tree{}
	known := map[string]any{}
	for _, function := range functionNames {
		known[function] = true
	}
	if _, err := tree.Parse(source, "", "", trees, known); err != nil {
		return nil, err
	}
	for other := range trees {
		if other != name {
			return nil, &flaw{at: max(0, parse.Pos(definition.FindStringIndex(source)[0])), message: "A text cannot define templates."}
		}
	}
	root := shapeOf(c.kind)
	check := &checker{kind: c.kind, root: root}
	return tree, check.list(tree.Root, root)
}

var definition = regexp.MustCompile(`\{\{-?\s*(define|block)\b|$`)

// legible refuses what is no text.
func legible(source string) error {
	if i := strings.IndexFunc(source, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t' }); i >= 0 {
		return &flaw{at: parse.Pos(i), message: "The text holds a control character."}
	}
	if !utf8.ValidString(source) {
		return &flaw{message: "The text is not valid UTF-8."}
	}
	return nil
}

func (c *Compiled) functions() map[string]any {
	return map[string]any{"number": func(n int64) string { return grouped(c.locale, n) }}
}

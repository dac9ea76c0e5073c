package template_test

import (
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/problem"
)

var update = flag.Bool("update", false, "write what is found as what is expected")

func compile(t *testing.T, kind occasion.Kind, text template.Text) *template.Compiled {
	t.Helper()
	made, err := template.Compile(text, kind)
	if err != nil {
		t.Fatalf("%s in %s: %v", kind, text.Locale, err)
	}
	return made
}

func fill(t *testing.T, compiled *template.Compiled, values template.Values) template.Filled {
	t.Helper()
	filled, err := compiled.Fill(values)
	if err != nil {
		t.Fatal(err)
	}
	return filled
}

// The shipped texts read well with everything and with nothing known; the golden files are there to be read.
func TestDefaults(t *testing.T) {
	t.Parallel()
	for _, kind := range occasion.Kinds {
		for _, text := range template.Defaults(kind) {
			compiled := compile(t, kind, text)
			var all strings.Builder
			sample := template.Sample(kind)
			bare := template.Values{Program: sample.Program}
			bare.Occasion.Date = sample.Occasion.Date
			for _, values := range []template.Values{sample, bare} {
				filled := fill(t, compiled, values)
				if filled.Subject == nil {
					t.Fatalf("%s in %s has no subject", kind, text.Locale)
				}
				all.WriteString("# " + *filled.Subject + "\n\n" + filled.Body + "\n\n" + filled.HTML + "\n")
			}
			golden := filepath.Join("testdata", "defaults", strings.ToLower(string(kind))+"."+text.Locale+".golden")
			if *update {
				if err := os.WriteFile(golden, []byte(all.String()), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if difference := cmp.Diff(string(want), all.String()); difference != "" {
				t.Errorf("%s in %s (-want +got):\n%s", kind, text.Locale, difference)
			}
		}
	}
}

// Whatever a value holds stays data: no code, no markup, no header of a mail, no second line.
func TestFill_ValuesStayData(t *testing.T) {
	t.Parallel()
	subject, html := "Hi {{.Member.DisplayName}}", `<a href="https://example.org/?n={{.Member.DisplayName}}" title="{{.Member.DisplayName}}">{{.Member.DisplayName}}</a>`
	for _, text := range []template.Text{
		{Locale: "en", Subject: &subject, Body: "Hi {{.Member.DisplayName}},\n\nbye"},
		{Locale: "en", Subject: &subject, Body: "Hi {{.Member.DisplayName}},\n\nbye", HTML: &html},
	} {
		compiled := compile(t, occasion.Birthday, text)
		for _, name := range []string{
			"{{.Program.Name}}", `<script>alert(1)</script>`, "Eve\r\nBcc: all@example.org", "Eve\u2028Bcc: x", `" onmouseover="x`, "\x00\x1b[2J", "\xff\xfe",
		} {
			values := template.Sample(occasion.Birthday)
			values.Member.DisplayName = name
			filled := fill(t, compiled, values)
			if strings.ContainsAny(*filled.Subject, "\r\n\x00\x1b\u2028\u0085") {
				t.Errorf("the subject %q has more than one line, or controls", *filled.Subject)
			}
			if strings.Contains(filled.HTML, "<script") || strings.Contains(filled.HTML, `" onmouseover="x`) {
				t.Errorf("the HTML holds markup of a value: %s", filled.HTML)
			}
			if lines := strings.Count(filled.Body, "\n"); lines != 2 || strings.ContainsAny(filled.Body, "\r\x00") {
				t.Errorf("the body %q has %d line ends", filled.Body, lines)
			}
			if strings.Contains(name, "{{") && !strings.Contains(filled.Body, name) {
				t.Errorf("the body %q does not show %q as it is", filled.Body, name)
			}
		}
	}
}

func TestFill_Subject(t *testing.T) {
	t.Parallel()
	subject := " {{.Member.DisplayName}}\n\t{{.Program.Name}} "
	compiled := compile(t, occasion.Welcome, template.Text{Locale: "en", Subject: &subject, Body: "x"})
	values := template.Sample(occasion.Welcome)
	if got := *fill(t, compiled, values).Subject; got != "Alex Corner Club" {
		t.Errorf("the subject is %q", got)
	}
	values.Member.DisplayName = strings.Repeat("é", 500)
	if got := []rune(*fill(t, compiled, values).Subject); len(got) != 200 || got[199] != '…' {
		t.Errorf("the subject has %d characters and ends in %q", len(got), got[len(got)-1])
	}
	if got := fill(t, compiled, template.Values{}).Subject; got != nil {
		t.Errorf("there is a subject %q without anything in it", *got)
	}
}

// What would be longer than 256 kB is refused while it is written.
func TestFill_Capped(t *testing.T) {
	t.Parallel()
	values := template.Values{}
	values.Member.DisplayName = strings.Repeat("&", 1000)
	html := strings.Repeat("{{.Member.DisplayName}}", 4000)
	for _, text := range []template.Text{
		{Locale: "en", Body: strings.Repeat("{{.Member.DisplayName}}", 2000)},
		{Locale: "en", Body: strings.Repeat("{{.Member.DisplayName}}", 100)}, // its HTML is five times as long
		{Locale: "en", Body: "x", HTML: &html},
	} {
		filled, err := compile(t, occasion.Welcome, text).Fill(values)
		if !errors.Is(err, template.ErrTooLong) {
			t.Errorf("a text of %d and %d bytes is answered with %v", len(filled.Body), len(filled.HTML), err)
		}
	}
	text := template.Text{Locale: "en", Body: strings.Repeat("{{.Member.DisplayName}}", 50)}
	if got := fill(t, compile(t, occasion.Welcome, text), values); len(got.HTML) > template.MaximumSize || len(got.Body) != 50_000 {
		t.Errorf("the filled text has %d and %d bytes", len(got.Body), len(got.HTML))
	}
}

func TestCompile_Refuses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, body string
		line       int
		message    string
		hint       string
	}{
		{"a field that is not there", "Hi\n{{.Member.Displayname}}", 2, "There is no .Member.Displayname in texts for BIRTHDAY.", ".Member.DisplayName"},
		{"a field without its group", "{{.DisplayName}}", 1, "There is no .DisplayName in texts for BIRTHDAY.", ".Member.DisplayName"},
		{"a field of another occasion", "{{.Occasion.Tier}}", 1, ".Occasion.Tier is not known in texts for BIRTHDAY.", ""},
		{"a branch that no sample takes", "{{if .Member.DisplayName}}x{{else}}\n\n{{.Member.Secret}}{{end}}", 3, "There is no .Member.Secret in texts for BIRTHDAY.", ""},
		{"a field of a field", "{{.Member.DisplayName.Scan}}", 1, "There is no .Member.DisplayName.Scan in texts for BIRTHDAY.", ".Member.DisplayName"},
		{"a group", "{{.Member}}", 1, ".Member stands for several values and cannot be shown.", "name one of its fields, e.g. .Member.DisplayName"},
		{"everything", "{{.}}", 1, ". stands for several values and cannot be shown.", "name one of its fields, e.g. .Member.DisplayName"},
		{"a loop", "{{range .Member}}x{{end}}", 1, `"range" cannot be used in texts: if, with, else and end can.`, ""},
		{"printf", "{{printf \"%1000000d\" 1}}", 1, `The function "printf" cannot be used in texts: and, or, not, eq, ne, lt, le, gt, ge, number can.`, ""},
		{"call", "\n{{call .Member.DisplayName}}", 2, `The function "call" cannot be used in texts: and, or, not, eq, ne, lt, le, gt, ge, number can.`, ""},
		{"a definition", "x{{define \"y\"}}z{{end}}", 1, "A text cannot define templates.", ""},
		{"a block", "x\n{{block \"y\" .}}z{{end}}", 2, "A text cannot define templates.", ""},
		{"a template", "{{template \"body\" .}}", 1, `"template" cannot be used in texts: if, with, else and end can.`, ""},
		{"a variable", "{{$x := .Member.DisplayName}}", 1, "A text cannot set variables.", "use with to say something about a value"},
		{"nil", "{{eq nil .Member.DisplayName}}", 1, "nil cannot be used in texts.", ""},
		{"a comparison of two types", "{{if eq .Occasion.Years \"1\"}}x{{end}}", 1, "eq takes two or more values of one type.", ""},
		{"number of a string", "{{number .Member.DisplayName}}", 1, "number takes one number, e.g. {{number .Occasion.GiftPoints}}.", ""},
		{"a value that is called", "{{.Member.DisplayName 1}}", 1, ".Member.DisplayName is no function.", ""},
		{"a field of a value in parentheses", "{{(.Member).DisplayName}}", 1, "(.Member).DisplayName cannot be used in texts.", ""},
		{"a fraction", "{{if gt .Occasion.Years 17.5}}x{{end}}", 1, "17.5 is not a whole number.", ""},
		{"a power", "{{if gt .Occasion.Years 1e3}}x{{end}}", 1, "1e3 is not a whole number.", ""},
		{"no end", "a\n{{if .Member.DisplayName}}b", 2, "An if or with is not closed.", "{{end}}"},
		{"an end too many", "a\n{{end}}", 2, "There is an {{end}} without if or with.", ""},
		{"an else too many", "a\n{{else}}", 2, "There is an {{else}} without if or with.", ""},
		{"if alone", "a\n{{if}}b{{end}}", 2, "if does not say of what.", "{{if .Member.DisplayName}}"},
		{"braces alone", "a\n{{ }}", 2, "There is nothing between {{ and }}.", ""},
		{"braces that stay open", "a\n{{.Member.DisplayName", 2, "What {{ opens is not closed on the same line.", "}}"},
		{"a comment that stays open", "{{/* a", 1, "A comment is not closed.", "*/}}"},
		{"a quote that stays open", "a\n{{eq \"b}}", 2, "A quoted text is not closed.", "\""},
		{"a character", "a\n{{.Member.DisplayName !}}", 2, "The template cannot be read: unexpected \"!\" in operand.", ""},
		{"a missing dot", "{{Member.DisplayName}}", 1, `The function "Member" cannot be used in texts: and, or, not, eq, ne, lt, le, gt, ge, number can.`, ".Member"},
		{"a control character", "a\n\x07", 2, "The text holds a control character.", ""},
		{"nothing", " \n", 1, "There is no text.", ""},
		{"depth", strings.Repeat("{{if .Member.DisplayName}}", 30) + strings.Repeat("{{end}}", 30), 1, "The text is nested deeper than 20 levels.", ""},
		{"parentheses", "{{" + strings.Repeat("(", 20_000) + "1" + strings.Repeat(")", 20_000) + "}}", 1, "The text is nested too deep.", ""},
		{"length", strings.Repeat("x", 50_001), 1, "The template is longer than 50000 bytes.", ""},
	}
	for _, test := range cases {
		_, err := template.Compile(template.Text{Locale: "en", Body: test.body}, occasion.Birthday)
		found, _ := problem.UserErrors(err)
		if len(found) != 1 {
			t.Errorf("%s is answered with %v", test.name, err)
			continue
		}
		got, _ := found[0].(problem.InvalidTemplateError)
		want := problem.InvalidTemplateError{
			Code: problem.InvalidTemplate, Message: test.message, Path: []string{"input", "body"}, Locale: "en", Line: test.line, Hint: got.Hint,
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, difference)
		}
		if test.hint != "" && (got.Hint == nil || *got.Hint != test.hint) {
			t.Errorf("the hint for %s is %v", test.name, got.Hint)
		}
	}
}

// Each part of a text is checked, and what is wrong with all of them is told at once.
func TestCompile_RefusesHTML(t *testing.T) {
	t.Parallel()
	for html, want := range map[string]string{
		`<a href="{{.Member.Number}}>x</a>`:                             "The HTML ends within a tag, an attribute, a script or a style.",
		`<a href={{if .Member.DisplayName}}"x{{else}}y{{end}}">x</a>`:   "One branch of an if or with opens a tag, an attribute or a quote, and the other does not.",
		"<p>\n<script>let name = {{.Member.DisplayName}}":               "The HTML ends within a tag, an attribute, a script or a style.",
		`<p {{if .Member.DisplayName}}title="{{.Program.Name}}{{end}}>`: "One branch of an if or with opens a tag, an attribute or a quote, and the other does not.",
	} {
		_, err := template.Compile(template.Text{Locale: "en", Body: "x", HTML: &html}, occasion.Birthday)
		found, _ := problem.UserErrors(err)
		if len(found) != 1 || found[0].(problem.InvalidTemplateError).Message != want {
			t.Errorf("%s is answered with %v", html, err)
		}
	}
}

func TestCompile_Parts(t *testing.T) {
	t.Parallel()
	subject, html := "{{.No}}", "<p>\n<a href=\"{{if .Member.DisplayName}}x\"{{end}}>{{.Member.Number}}</a>"
	_, err := template.Compile(template.Text{Locale: "en", Subject: &subject, Body: "{{if}}", HTML: &html}, occasion.Birthday)
	found, _ := problem.UserErrors(err)
	var got []string
	for _, one := range problem.Below([]string{"templates", "2"}, found) {
		at := one.(problem.InvalidTemplateError)
		got = append(got, strings.Join(at.Path, "."))
	}
	if difference := cmp.Diff([]string{"input.templates.2.subject", "input.templates.2.body", "input.templates.2.html"}, got); difference != "" {
		t.Errorf("the problems are %v (-want +got):\n%s", err, difference)
	}
}

func TestFill_Admits(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{{with .Member}}{{.DisplayName}} of {{$.Program.Name}}{{end}}`:                                      "Alex of Corner Club",
		`{{if and (gt .Occasion.Years 17) (ne .Member.DisplayName "")}}grown{{else if true}}young{{end}}`:    "grown",
		`{{.Occasion.GiftPoints | number}} {{number 12500}} {{/* no one sees this */ -}} points`:             "100 12,500 points",
		`{{if not (eq .Occasion.Years 1 2 3)}}{{or .Member.DisplayName "you"}}{{end}} on {{.Occasion.Date}}`: "Alex on 14 March 2027",
		`{{with .Occasion.GiftExpiresOn}}until {{.}}{{else with .Member.Number}}{{.}}{{end}}`:                "until 13 April 2027",
	} {
		if got := fill(t, compile(t, occasion.Birthday, template.Text{Locale: "en", Body: body}), template.Sample(occasion.Birthday)).Body; got != want {
			t.Errorf("%s gives %q instead of %q", body, got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	texts := func(locales ...string) (made []template.Text) {
		for _, locale := range locales {
			made = append(made, template.Text{Locale: locale})
		}
		return made
	}
	for _, test := range []struct {
		there            []template.Text
		locale, fallback string
		want             string
	}{
		{texts("de", "en", "en-AU"), "en-AU", "de", "en-AU"},
		{texts("de", "en"), "en-AU", "de", "en"},
		{texts("de", "en-GB"), "en-AU", "de", "en-GB"},
		{texts("en", "zh-Hans"), "zh-Hans-CN", "en", "zh-Hans"},
		{texts("en", "zh"), "zh-Hans-CN", "en", "zh"},
		{texts("en", "zh-Hans"), "zh-CN", "en", "zh-Hans"},
		{texts("en", "zh-Hans"), "zh-TW", "en", "en"},
		{texts("en", "zh-Hans", "zh-Hant"), "zh-HK", "en", "zh-Hant"},
		{texts("en", "es-419"), "es-MX", "en", "es-419"},
		{texts("de", "en"), "fr", "en-IE", "en"},
		{texts("de", "en"), "", "en", "en"},
		{texts("de", "en"), "no such thing", "fr", "de"},
	} {
		if got := template.Choose(test.there, test.locale, test.fallback).Locale; got != test.want {
			t.Errorf("for %q of %v it is %s instead of %s", test.locale, test.there, got, test.want)
		}
	}
}

// Every example is a template for each of its occasions, and gives something with the sample.
func TestFields_Examples(t *testing.T) {
	t.Parallel()
	for _, field := range template.Fields() {
		for _, kind := range field.Occasions {
			compiled := compile(t, kind, template.Text{Locale: "en", Body: field.Example})
			if got := fill(t, compiled, template.Sample(kind)).Body; got == "" {
				t.Errorf("the sample for %s gives nothing for %s", kind, field.Name)
			}
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, kind := range occasion.Kinds {
		for _, text := range template.Defaults(kind) {
			f.Add(text.Body, "Alex")
		}
	}
	for _, source := range []string{
		`{{number (and .Occasion.Years 5)}}{{number (or 0 .Occasion.GiftPoints)}}{{lt (or .Occasion.Years 5) 3}}{{number -7}}`,
		`{{with .Member}}{{with .DisplayName}}{{. | eq "x" | not}}{{$.Program.Name}}{{else with $.Occasion.Years}}{{number .}}{{end}}{{end}}`,
		"{{`raw`}}{{\"\\x00\\r\"}}{{eq true (ne \"a\" .Member.Number)}}", `{{if $}}{{if .}}{{if .Occasion}}x{{end}}{{end}}{{end}}`,
	} {
		f.Add(source, "{{.Member}}")
	}
	f.Add(`<a href="{{.Member.DisplayName}}" onclick="f({{.Occasion.Years}})"><style>{{.Program.Name}}</style>`, "{{.}}")
	f.Fuzz(func(t *testing.T, source, name string) {
		compiled, err := template.Compile(template.Text{Locale: "en", Subject: &source, Body: source, HTML: &source}, occasion.Birthday)
		if err != nil {
			if _, ours := problem.UserErrors(err); !ours {
				t.Fatalf("%q is answered with %v", source, err)
			}
			return
		}
		values := template.Sample(occasion.Birthday)
		values.Member.DisplayName = name
		filled, err := compiled.Fill(values)
		if err != nil && !errors.Is(err, template.ErrTooLong) {
			t.Fatalf("%q is filled with %v", source, err)
		}
		if len(filled.Body) > template.MaximumSize || len(filled.HTML) > template.MaximumSize {
			t.Fatalf("%q is filled beyond the limit", source)
		}
		if filled.Subject != nil && strings.ContainsAny(*filled.Subject, "\r\n\x00") {
			t.Fatalf("%q gives the subject %q", source, *filled.Subject)
		}
	})
}

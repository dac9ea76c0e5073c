package template

import (
	"errors"
	"html"
	"io"
	"slices"
	"strings"
	"unicode"
)

// MaximumSize is how long a filled body and its HTML may be, in bytes.
const MaximumSize = 256_000

// maximumSubject is how long a subject is, in characters: mail programs show less.
const maximumSubject = 200

// ErrTooLong is the error of a text that would be longer than [MaximumSize].
var ErrTooLong = errors.New("the filled text is longer than 256 kB")

// Filled is what a member is told.
type Filled struct {
	// Subject is one line without control characters, of at most 200 characters; nil: the text has none, or nothing is left of it.
	Subject *string
	// Body is plain text, whose lines end with LF.
	Body string
	// HTML is the same for those who can show it, with everything in it that is not the template's own escaped.
	HTML string
}

// Fill puts values into the text: whatever they hold stays data. It fails with [ErrTooLong], and in no other way that is known.
func (c *Compiled) Fill(values Values) (Filled, error) {
	data := c.data(values)
	var filled Filled
	if c.subject != nil {
		subject, err := write(c.subject, data)
		if err != nil {
			return Filled{}, err
		}
		if line := oneLine(subject); line != "" {
			filled.Subject = &line
		}
	}
	body, err := write(c.body, data)
	if err != nil {
		return Filled{}, err
	}
	filled.Body = strings.TrimSpace(body)
	if c.html != nil {
		filled.HTML, err = write(c.html, data)
	} else {
		filled.HTML, err = paragraphs(filled.Body)
	}
	return filled, err
}

// data is what the text reads: maps of strings and numbers, of the fields of its occasion alone. So even what the check
// overlooked could reach nothing else.
func (c *Compiled) data(values Values) map[string]map[string]any {
	made := map[string]map[string]any{}
	for _, one := range fields {
		if !slices.Contains(one.occasions, c.kind) {
			continue
		}
		if made[one.group] == nil {
			made[one.group] = map[string]any{}
		}
		found := one.get(values, c.locale)
		if said, ok := found.(string); ok {
			found = strings.TrimSpace(oneSpaced(said))
		}
		made[one.group][one.name] = found
	}
	return made
}

// oneSpaced takes control characters out of a value, and line breaks with them: no value makes lines of its own.
func oneSpaced(said string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(said, "\uFFFD"))
}

// oneLine is a subject: without line breaks, controls and runs of blanks, and cut if it is too long.
func oneLine(said string) string {
	line := strings.Join(strings.Fields(oneSpaced(said)), " ")
	if characters := []rune(line); len(characters) > maximumSubject {
		line = strings.TrimSpace(string(characters[:maximumSubject-1])) + "…"
	}
	return line
}

// capped is written to until it is full.
type capped struct{ strings.Builder }

func (w *capped) Write(part []byte) (int, error) {
	if w.Len()+len(part) > MaximumSize {
		return 0, ErrTooLong
	}
	return w.Builder.Write(part)
}

// WriteString is there because io.WriteString would pass by Write otherwise.
func (w *capped) WriteString(part string) (int, error) {
	if w.Len()+len(part) > MaximumSize {
		return 0, ErrTooLong
	}
	return w.Builder.WriteString(part)
}

// write fills a template. What a literal of it may hold besides text is left out.
func write(template interface {
	Execute(to io.Writer, data any) error
}, data any) (string, error) {
	var to capped
	if err := template.Execute(&to, data); err != nil {
		return "", err
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, strings.ToValidUTF8(to.String(), "\uFFFD")), nil
}

// paragraphs makes HTML of plain text: a paragraph for each, a break for each line of it. Links stay text, which mail programs
// make links of: a value that looks like one is not made one by us.
func paragraphs(body string) (string, error) {
	var to capped
	for paragraph := range strings.SplitSeq(body, "\n\n") {
		paragraph = strings.Trim(paragraph, "\n")
		if strings.TrimSpace(paragraph) == "" {
			continue
		}
		for _, part := range []string{"<p>", strings.ReplaceAll(html.EscapeString(paragraph), "\n", "<br>\n"), "</p>\n"} {
			if _, err := to.WriteString(part); err != nil {
				return "", err
			}
		}
	}
	return to.String(), nil
}

package care

import (
	"fmt"
	"html"
	"regexp"
	"strings"

	"golang.org/x/text/language"
)

// footer is what ends a mail that its member can end: in its language, whoever wrote the mail.
type footer struct{ unsubscribe, preferences string }

var (
	englishFooter = footer{"Unsubscribe from messages like this", "Choose what we send you"}
	chineseFooter = footer{"退订此类消息", "选择您希望收到的消息"}
)

// footerFor is the one for a locale: in Simplified Chinese, and in English for all others.
func footerFor(locale string) footer {
	tag, err := language.Parse(locale)
	if err != nil {
		return englishFooter
	}
	base, _ := tag.Base()
	if script, _ := tag.Script(); base.String() == "zh" && script.String() == "Hans" {
		return chineseFooter
	}
	return englishFooter
}

// pageEnd is where a page ends. It is looked for as it is written: letters may be longer in lower case.
var pageEnd = regexp.MustCompile(`(?i)</body`)

func (f footer) text(body string, to links) string {
	return fmt.Sprintf("%s\n\n%s: %s\n%s: %s\n", strings.TrimRight(body, "\n"), f.unsubscribe, to.Unsubscribe, f.preferences, to.Preferences)
}

func (f footer) html(body string, to links) string {
	link := func(to, words string) string { return `<a href="` + html.EscapeString(to) + `">` + words + `</a>` }
	foot := `<p style="font-size:smaller">` + link(to.Unsubscribe, f.unsubscribe) + ` · ` + link(to.Preferences, f.preferences) + "</p>\n"
	ends := pageEnd.FindAllStringIndex(body, -1)
	if len(ends) == 0 {
		return strings.TrimRight(body, "\n") + "\n" + foot
	}
	end := ends[len(ends)-1][0]
	return body[:end] + foot + body[end:]
}

package template

import (
	"fmt"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"regulars/internal/value"
)

// date writes a day in words where the language is one of those that texts are shipped in, and as the others read it too
// elsewhere; "" if there is none.
func date(locale string, day *value.Date) string {
	if day == nil || *day == (value.Date{}) {
		return ""
	}
	switch tag := language.Make(locale); base(tag) {
	case "zh":
		return fmt.Sprintf("%d年%d月%d日", day.Year, day.Month, day.Day)
	case "en":
		if region, said := tag.Region(); said == language.Exact && region.String() == "US" {
			return fmt.Sprintf("%s %d, %d", day.Month, day.Day, day.Year)
		}
		return fmt.Sprintf("%d %s %d", day.Day, day.Month, day.Year)
	default:
		return day.String()
	}
}

// moment writes what clocks show, to the minute; "" if there is nothing to show.
func moment(locale string, at *value.LocalDateTime) string {
	if at == nil {
		return ""
	}
	shown := at.In(time.UTC)
	day := value.DateOf(shown)
	if base(language.Make(locale)) == "en" {
		return date(locale, &day) + ", " + shown.Format("15:04")
	}
	return date(locale, &day) + " " + shown.Format("15:04")
}

func base(tag language.Tag) string {
	found, _ := tag.Base()
	return found.String()
}

// grouped writes a number with the separators of the language.
func grouped(locale string, number int64) string {
	return message.NewPrinter(language.Make(locale)).Sprintf("%d", number)
}

// Choose returns the text for a member: that of its locale, or of what its locale is a kind of (zh-Hans-CN, zh-Hans, zh), or one
// that its readers understand (zh-CN meets zh-Hans); then the same for fallback, the program's locale; then the first.
// There must be one text.
func Choose(texts []Text, locale, fallback string) Text {
	for _, wanted := range []string{locale, fallback} {
		if i, ok := choose(texts, wanted); ok {
			return texts[i]
		}
	}
	return texts[0]
}

func choose(texts []Text, locale string) (int, bool) {
	wanted, err := language.Parse(locale)
	if err != nil || wanted == language.Und {
		return 0, false
	}
	there := make([]language.Tag, len(texts))
	for i, one := range texts {
		there[i] = language.Make(one.Locale)
	}
	for tag := wanted; tag != language.Und; tag = tag.Parent() {
		for i, one := range there {
			if one == tag {
				return i, true
			}
		}
	}
	_, i, confidence := language.NewMatcher(there).Match(wanted)
	return i, confidence >= language.High
}

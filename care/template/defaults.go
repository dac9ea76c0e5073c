package template

import (
	"embed"
	"strings"

	"regulars/care/occasion"
)

//go:embed defaults/*.txt
var shipped embed.FS

// Defaults are the texts that come with the program for a kind of occasion: English and Simplified Chinese. They are plain, sell
// nothing, and read well where a name, a gift or a number of years is not known.
func Defaults(kind occasion.Kind) []Text {
	var texts []Text
	for _, locale := range []string{"en", "zh-Hans"} {
		file, err := shipped.ReadFile("defaults/" + strings.ToLower(string(kind)) + "." + locale + ".txt")
		if err != nil {
			// Every kind has its files, or no test would have passed.
			panic(err)
		}
		subject, body, _ := strings.Cut(string(file), "\n\n")
		texts = append(texts, Text{Locale: locale, Subject: &subject, Body: strings.TrimSuffix(body, "\n")})
	}
	return texts
}

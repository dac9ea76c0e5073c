package occasion

import (
	_ "embed"
	"fmt"
	"strings"

	"golang.org/x/text/language"
)

// zonesFile is in which country a time zone is.
//
//go:embed zones.txt
var zonesFile string

// countries are those of time zones, by their names.
var countries = mustRead(parseZones(zonesFile))

// Country is in which country a member is taken to be, as an ISO 3166 code of two capitals: the one that its locale names, a
// BCP 47 tag such as en-GB or zh-Hans-CN, or else the one of its time zone, a name of the IANA database; "" where neither says so.
// Old names of zones, such as Asia/Calcutta, may say nothing.
func Country(locale, zone string) string {
	if tag, err := language.Parse(locale); err == nil {
		// Raw guesses no country from the language.
		if _, _, region := tag.Raw(); region.IsCountry() {
			return region.String()
		}
	}
	return countries[zone]
}

// parseZones reads the file of zones. Its errors name the line at fault.
func parseZones(text string) (map[string]string, error) {
	read := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		if strings.HasPrefix(line, "#") {
			continue
		}
		country, zone, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !countryForm.MatchString(country) || zone == "" || read[zone] != "" {
			return nil, fmt.Errorf("line %d: %q is not a country and a zone that is not there yet", number, line)
		}
		read[zone] = country
	}
	return read, nil
}

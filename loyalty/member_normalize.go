package loyalty

import (
	"crypto/rand"
	"fmt"
	"math/big"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"golang.org/x/text/language"

	"regulars/internal/problem"
	"regulars/internal/value"
)

// Bounds of what is said of a member, in characters.
const (
	maximumName       = 200
	maximumExternalID = 200
	maximumEmail      = 254
	maximumLocale     = 35
	maximumAttributes = 50
	maximumValue      = 500
)

// futureTolerance is how far ahead of ours the clock of a till may be.
const futureTolerance = 5 * time.Minute

var phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// normalize trims what is said of the member and checks it; problems name the fields at fault.
func (m *Member) normalize(problems *problem.Problems, now time.Time) {
	m.JoinedAt = m.JoinedAt.UTC().Truncate(time.Microsecond)
	if m.ExternalID != nil && !Within(*m.ExternalID, maximumExternalID) {
		problems.Add(problem.InvalidExternalID, []string{"externalId"}, "An external id has 1 to %d characters.", maximumExternalID)
	}
	if m.Email != nil {
		trimmed := strings.TrimSpace(*m.Email)
		m.Email = &trimmed
		if !validEmail(trimmed) {
			problems.Add(problem.InvalidEmail, []string{"email"}, "This is not an e-mail address.")
		}
	}
	if m.Phone != nil {
		trimmed := strings.TrimSpace(*m.Phone)
		m.Phone = &trimmed
		if !phoneForm.MatchString(trimmed) {
			problems.Add(problem.InvalidPhone, []string{"phone"}, "Write the phone number in E.164 form, e.g. +14155550123.")
		}
	}
	if m.DisplayName != nil {
		trimmed := strings.TrimSpace(*m.DisplayName)
		m.DisplayName = &trimmed
		if !Within(trimmed, maximumName) {
			problems.Add(problem.InvalidName, []string{"displayName"}, "A name has 1 to %d characters.", maximumName)
		}
	}
	if m.BirthDate != nil && (value.DateOf(now.AddDate(0, 0, 1)).Before(*m.BirthDate) || m.BirthDate.Year < 1900 && m.BirthDate.Year != value.UnknownYear) {
		problems.Add(problem.InvalidDate, []string{"birthDate"}, "A birth date lies between 1900 and today, or in %d if its year is not known.", value.UnknownYear)
	}
	if tag, err := language.Parse(m.Locale); err != nil || tag == language.Und || len(m.Locale) > maximumLocale {
		problems.Add(problem.InvalidLocale, []string{"locale"}, "Write the locale as a BCP 47 tag, e.g. en-GB.")
	} else {
		m.Locale = tag.String()
	}
	if _, err := value.ParseZone(m.TimeZone); err != nil {
		problems.Add(problem.InvalidTimeZone, []string{"timeZone"}, "Name a time zone of the IANA database, e.g. Europe/Berlin.")
	}
}

func validEmail(text string) bool {
	address, err := mail.ParseAddress(text)
	if err != nil || address.Address != text || len(text) > maximumEmail {
		return false
	}
	_, domain, _ := strings.Cut(text, "@")
	return strings.Contains(domain, ".") || domain == "localhost"
}

// Within tells whether text has something in it and at most maximum characters, none of which PostgreSQL refuses.
func Within(text string, maximum int) bool {
	return strings.TrimSpace(text) != "" && len([]rune(text)) <= maximum && !strings.ContainsRune(text, 0)
}

// normalizeAttributes sorts and checks attributes; path leads to their list.
func normalizeAttributes(problems *problem.Problems, path []string, given []value.Attribute) value.Attributes {
	sorted, unique := value.SortAttributes(given)
	if !unique {
		problems.Add(problem.InvalidAttribute, path, "An attribute is given twice.")
	}
	if len(sorted) > maximumAttributes {
		problems.Add(problem.InvalidAttribute, path, "At most %d attributes are kept.", maximumAttributes)
	}
	for i, one := range given {
		if !Within(one.Name, maximumName) || len([]rune(one.Value)) > maximumValue || strings.ContainsRune(one.Value, 0) {
			problems.Add(problem.InvalidAttribute, append(append([]string{}, path...), fmt.Sprint(i)),
				"An attribute has a name of 1 to %d characters and a value of at most %d.", maximumName, maximumValue)
		}
	}
	return sorted
}

// A card number is 11 random digits, the first one not 0, and their check digit.
var (
	lowestNumber = big.NewInt(1e10)
	numberRange  = big.NewInt(9e10)
)

func newNumber() string {
	// The system's randomness does not fail on any platform that Go supports.
	drawn, _ := rand.Int(rand.Reader, numberRange)
	digits := drawn.Add(drawn, lowestNumber).String()
	return digits + string(checkDigit(digits))
}

// checkDigit is Luhn's, as on payment cards (ISO/IEC 7812-1, annex B): it catches every single wrong digit and nearly
// every swap of neighbors.
func checkDigit(digits string) byte {
	sum := 0
	for i := range len(digits) {
		digit := int(digits[len(digits)-1-i] - '0')
		if i%2 == 0 {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return byte('0' + (10-sum%10)%10)
}

package care

import (
	"fmt"
	"strings"

	"regulars/care/occasion"
	"regulars/internal/value"
)

// key is an occasion of the campaign once and for all; subject names which one it is.
func (c *Campaign) key(subject string) string { return prefix(c.Occasion) + subject + c.suffix() }

// yearKey is the key of what comes once in the year of a date.
func (c *Campaign) yearKey(date value.Date) string { return c.key(fmt.Sprintf("%04d", date.Year)) }

// holidayKey is the key of a holiday.
func (c *Campaign) holidayKey(day *occasion.Day) string {
	return c.key(fmt.Sprintf("%s:%04d", day.Name, day.Date.Year))
}

// prefix begins the keys of all occasions of a kind.
func prefix(kind Occasion) string {
	return strings.ReplaceAll(strings.ToLower(string(kind)), "_", "-") + ":"
}

// suffix tells the keys of what is said before or after an occasion from those of what is said on it.
func (c *Campaign) suffix() string {
	if c.Offset.Period == (value.Period{}) {
		return ""
	}
	return ":" + c.Offset.String()
}

// yearly is the key of what comes again each year, without the year.
func yearly(kind Occasion, key string) string {
	begins := prefix(kind)
	if kind != occasion.Birthday && kind != occasion.MembershipAnniversary || len(key) < len(begins)+4 {
		return ""
	}
	return begins + key[len(begins)+4:]
}

// giftKey is the occasion, whenever it is spoken of: a gift comes once for it.
func (f *found) giftKey() string { return strings.TrimSuffix(f.key, f.campaign.suffix()) }

package care

import (
	"time"

	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/id"
	"regulars/internal/value"
)

// Campaign is what is said on an occasion.
type Campaign struct {
	ID       id.Campaign
	Name     string
	Occasion Occasion
	Class    Class
	// Channels are where it is said: one message for each.
	Channels []Channel
	// Texts are what is said, one for each locale; that of the program's is among them.
	Texts []template.Text
	// SendAt is the earliest time on the member's clocks.
	SendAt value.LocalTime
	// Offset is how much before or after the occasion it is said.
	Offset value.Offset
	// Holidays are which ones, by their names in the data file, of HOLIDAY; empty: all of the member's country.
	Holidays []string
	// GiftPoints come with it, nil: none, and lapse GiftValidFor after they were given, nil: never.
	GiftPoints   *int64
	GiftValidFor *value.Period
	Enabled      bool
	// EnabledAt is since when it is, nil: it never was: occasions whose time was over by then are not its business. What was due by
	// DecidedAt is decided.
	EnabledAt *time.Time
	DecidedAt *time.Time
	Version   int
	CreatedAt time.Time
	ChangedAt time.Time
}

// IsNode marks the campaign as one of the API's nodes.
func (Campaign) IsNode() {}

// terms are when the campaign says something.
func (c *Campaign) terms() occasion.Terms {
	return occasion.Terms{SendAt: c.SendAt, Offset: c.Offset}
}

// channelTexts are the campaign's channels as the database knows them.
func (c *Campaign) channelTexts() []string {
	texts := make([]string, len(c.Channels))
	for i, channel := range c.Channels {
		texts[i] = string(channel)
	}
	return texts
}

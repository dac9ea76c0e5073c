package program

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"

	"regulars/internal/value"
)

// MessageClass is what kind of message something is: what the member has to allow depends on it.
type MessageClass string

// The classes of messages.
const (
	// Service is what the member needs, whether it likes to hear it or not.
	Service MessageClass = "SERVICE"
	// Care is greetings and thanks, without selling.
	Care MessageClass = "CARE"
	// Marketing sells.
	Marketing MessageClass = "MARKETING"
	// Community is what goes on in the club.
	Community MessageClass = "COMMUNITY"
)

// MessageClasses lists every class.
var MessageClasses = []MessageClass{Service, Care, Marketing, Community}

// Channel is the way that a message takes.
type Channel string

// The channels.
const (
	Email Channel = "EMAIL"
	// Webhook is for providers of text messages and push notifications.
	Webhook Channel = "WEBHOOK"
	// Inbox is in the brand's own apps.
	Inbox Channel = "INBOX"
)

// Channels lists every channel.
var Channels = []Channel{Email, Webhook, Inbox}

// LeapDayBirthday is when a birthday on 29 February is in years that do not have that day.
type LeapDayBirthday string

// The days on which it may be.
const (
	February28 LeapDayBirthday = "FEBRUARY_28"
	March1     LeapDayBirthday = "MARCH_1"
)

// ContactCap bounds how many messages a member gets in a length of time.
type ContactCap struct {
	// Class and Channel are which messages count and are bounded; nil: all but SERVICE, and all but INBOX.
	Class   *MessageClass `json:"class,omitempty"`
	Channel *Channel      `json:"channel,omitempty"`
	// Per looks back from each message on the member's calendar: P1D is the last 24 hours.
	Per      value.Period `json:"per"`
	Messages int          `json:"messages"`
}

// SameScope tells whether both bound the same messages in the same time.
func (c ContactCap) SameScope(other ContactCap) bool {
	return same(c.Class, other.Class) && same(c.Channel, other.Channel) && c.Per == other.Per
}

func same[T comparable](a, b *T) bool {
	return a == nil && b == nil || a != nil && b != nil && *a == *b
}

// CarePolicy is the contact policy of the program: it binds everything that is sent to members.
type CarePolicy struct {
	LeapDayBirthday LeapDayBirthday `json:"leapDayBirthday,omitempty"`
	// QuietFrom and QuietTo are the hours of the member's clocks in which nothing is sent, over midnight if From is later;
	// nil: there are none.
	QuietFrom *value.LocalTime `json:"quietFrom,omitempty"`
	QuietTo   *value.LocalTime `json:"quietTo,omitempty"`
	Caps      []ContactCap     `json:"caps,omitempty"`
}

// LeapsToMarch tells whether what is on 29 February is on 1 March in other years.
func (p CarePolicy) LeapsToMarch() bool { return p.LeapDayBirthday == March1 }

// Value gives the policy to the database.
func (p CarePolicy) Value() (driver.Value, error) {
	encoded, err := json.Marshal(p)
	return string(encoded), err
}

// Scan takes the policy from the database. What is not said is as it is by default.
func (p *CarePolicy) Scan(source any) error {
	encoded, ok := source.([]byte)
	if !ok {
		return fmt.Errorf("a contact policy cannot be read from %T", source)
	}
	*p = CarePolicy{LeapDayBirthday: February28}
	return json.Unmarshal(encoded, p)
}

// Package delivery hands messages over: to a mail server, and to a webhook of a provider of text messages and push
// notifications. It keeps nothing; who calls it knows what was handed over before.
package delivery

import (
	"time"

	"regulars/internal/id"
	"regulars/internal/program"
)

// Message is what is handed over, filled and ready.
type Message struct {
	// ID is the same for each attempt, and so is what the receiver sees of it.
	ID id.Message
	// At is the instant of this attempt.
	At       time.Time
	Class    program.MessageClass
	Occasion string
	Member   Member
	Subject  string
	// Text is the body as plain text; HTML the same for mail programs that show it, empty: none.
	Text string
	HTML string
	// Unsubscribe is where one click, a POST, ends messages like this one; empty: nothing ends them.
	Unsubscribe string
}

// Member is to whom. A mail needs Email; a webhook is not told it.
type Member struct {
	ID          id.Member
	ExternalID  *string
	DisplayName *string
	Email       string
	Phone       *string
	Locale      string
}

// Outcome is what became of a message that was handed over.
type Outcome string

// The outcomes.
const (
	// Accepted: the message is the receiver's now.
	Accepted Outcome = "ACCEPTED"
	// AddressRefused: there is no such address, for good: what else goes there is refused as well.
	AddressRefused Outcome = "ADDRESS_REFUSED"
	// Refused: this message is refused for good.
	Refused Outcome = "REFUSED"
	// Later: it was not taken now, and may be later.
	Later Outcome = "LATER"
	// Unreachable: nothing was handed over, since nobody takes anything now, whatever the message.
	Unreachable Outcome = "UNREACHABLE"
)

// Answer is what came back.
type Answer struct {
	Outcome Outcome
	// Code is the answer in short, e.g. 550 5.1.1, without anything of the member; empty: there was none.
	Code string
	// Detail is what was said, for people; a mail server may name the address.
	Detail string
	// After is how long to wait at least before the next attempt; 0: that was not said.
	After time.Duration
	// Uncertain tells of what is tried later that it may have arrived: all of it was handed over, and no answer came.
	Uncertain bool
}

// Channels are the ways out of the program; nil: that one is not set up.
type Channels struct {
	Mail    *Mailer
	Webhook *Webhook
}

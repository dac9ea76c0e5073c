package care

import (
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// Status is what has become of a message.
type Status string

// The statuses of messages.
const (
	// Queued messages are sent as soon as a sender takes them.
	Queued Status = "QUEUED"
	// Deferred messages are sent from a later instant on.
	Deferred Status = "DEFERRED"
	// Suppressed messages are not sent; their reason says why.
	Suppressed Status = "SUPPRESSED"
	// Sending messages are with a sender.
	Sending Status = "SENDING"
	// Sent messages were accepted by a mail server or a provider.
	Sent Status = "SENT"
	// Delivered messages are where the member reads them.
	Delivered Status = "DELIVERED"
	// Bounced messages were refused for their address.
	Bounced Status = "BOUNCED"
	// Failed messages could not be sent, however often that was tried.
	Failed Status = "FAILED"
	// Expired messages could not be sent before it was too late.
	Expired Status = "EXPIRED"
)

// Reason is why a message was not sent, or not at once.
type Reason string

// The reasons.
const (
	// NoConsent: the member has not allowed messages of the class on the channel, or does so no more.
	NoConsent Reason = "NO_CONSENT"
	// Capped: the contact policy allows no more messages now.
	Capped Reason = "CAPPED"
	// QuietHours: it would have been sent while the member is not to be disturbed.
	QuietHours Reason = "QUIET_HOURS"
	// NoAddress: the member has named none for the channel.
	NoAddress Reason = "NO_ADDRESS"
	// BouncedAddress: a mail server has refused the member's address for good.
	BouncedAddress Reason = "BOUNCED_ADDRESS"
	// Left: the person is no member any more.
	Left Reason = "LEFT"
	// TooLate: the occasion was over.
	TooLate Reason = "TOO_LATE"
	// Duplicate: the member was told so already.
	Duplicate Reason = "DUPLICATE"
	// Outdated: what it tells is not so any more.
	Outdated Reason = "OUTDATED"
	// SwitchedOff: its campaign was off when it was to be sent.
	SwitchedOff Reason = "SWITCHED_OFF"
	// InvalidText: the template could not be filled with what there is of the member.
	InvalidText Reason = "INVALID_TEXT"
	// NotAccepted: the mail server or the provider did not take it, however often that was tried.
	NotAccepted Reason = "NOT_ACCEPTED"
)

// Message is what one member is told on one occasion on one channel, or why it is not.
type Message struct {
	Member     id.Member   `db:"member_id"`
	ID         id.Message  `db:"id"`
	CampaignID id.Campaign `db:"campaign_id"`
	// Occasion is its kind, OccasionKey the occasion once and for all, e.g. birthday:2026, OccasionDate its day where the member
	// lives.
	Occasion     Occasion   `db:"occasion"`
	OccasionKey  string     `db:"occasion_key"`
	OccasionDate value.Date `db:"occasion_date"`
	Class        Class      `db:"class"`
	Channel      Channel    `db:"channel"`
	Status       Status     `db:"status"`
	// Reason is why it was not sent, or later, nil: nothing is in the way; Detail is what is behind it, for people.
	Reason *Reason `db:"reason"`
	Detail *string `db:"detail"`
	// Locale is of the texts; they are empty if it was suppressed.
	Locale  string  `db:"locale"`
	Subject *string `db:"subject"`
	// Body is plain text, HTML the same for mail programs that show it.
	Body      string    `db:"body"`
	HTML      *string   `db:"html"`
	CreatedAt time.Time `db:"created_at"`
	// It is sent in [SendAfter, SendBefore).
	SendAfter  time.Time `db:"send_after"`
	SendBefore time.Time `db:"send_before"`
	// DueAt is when a sender takes it next, nil: it is done with. Attempts counts how often one has.
	DueAt     *time.Time `db:"due_at"`
	Attempts  int        `db:"attempts"`
	ClaimedAt *time.Time `db:"claimed_at"`
	HandedAt  *time.Time `db:"handed_at"`
	// Uncertain is how often it was sent again although it may have arrived: a sender died, or lost the database, between handing
	// it over and noting that.
	Uncertain int        `db:"uncertain"`
	SentAt    *time.Time `db:"sent_at"`
	ReadAt    *time.Time `db:"read_at"`
}

// IsNode marks the message as one of the API's nodes.
func (Message) IsNode() {}

// Owner returns whom the message is to.
func (m *Message) Owner() id.Member { return m.Member }

// messageColumns are all columns of messages.
const messageColumns = `member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, detail, locale,
	subject, body, html, created_at, send_after, send_before, due_at, attempts, claimed_at, handed_at, uncertain, sent_at, read_at`

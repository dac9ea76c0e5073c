package care

import (
	"fmt"
	"strings"
	"time"

	"regulars/internal/program"
)

// ways are how sentences name channels.
var ways = map[Channel]string{
	program.Email: "by e-mail", program.Webhook: "by text message or push notification", program.Inbox: "in the inbox",
}

// Explanation says for people what has become of the message, and why: with what was in the way, and when it goes on. Instants
// are in UTC.
func (m *Message) Explanation() string {
	switch m.Status {
	case Queued:
		if m.Attempts > 0 && m.DueAt != nil {
			return m.sentence(fmt.Sprintf("Tried %s, and again at %s", sayTimes(m.Attempts), sayInstant(*m.DueAt)), "")
		}
		if m.DueAt != nil && m.DueAt.After(m.CreatedAt) {
			return m.sentence("Sent from "+sayInstant(*m.DueAt)+" on", "")
		}
		return "It is sent as soon as a sender takes it."
	case Deferred:
		on := m.SendAfter
		if m.DueAt != nil {
			on = *m.DueAt
		}
		return m.sentence("Sent from "+sayInstant(on)+" on", "because "+m.cause())
	case Suppressed:
		return m.sentence("Not sent", "because "+m.cause())
	case Sending:
		return "A sender is handing it over."
	case Sent:
		return m.sentence("Accepted by the mail server or the provider"+sayAt(m.SentAt), "")
	case Delivered:
		if m.ReadAt != nil {
			return "Read" + sayAt(m.ReadAt) + "."
		}
		return "In the inbox, not read yet."
	case Bounced:
		return m.sentence("Not delivered", "because the address was refused for good")
	case Failed:
		if m.Attempts == 0 {
			return m.sentence("Not sent", "because "+m.cause())
		}
		return m.sentence("Not sent after being tried "+sayTimes(m.Attempts)+",", "because "+m.cause())
	case Expired:
		return m.sentence("Not sent", "because it could not be before "+sayInstant(m.SendBefore))
	}
	return string(m.Status) + "."
}

// cause says why the message was not sent, or later, as the end of a sentence.
func (m *Message) cause() string {
	if m.Reason == nil {
		return "of nothing that was noted"
	}
	switch *m.Reason {
	case NoConsent:
		return fmt.Sprintf("the member does not allow messages of the class %s %s", m.Class, ways[m.Channel])
	case Capped:
		return "the contact policy allows no more messages then"
	case QuietHours:
		return "the member is not to be disturbed at that hour"
	case NoAddress:
		return fmt.Sprintf("the member cannot be reached %s: it has named no address", ways[m.Channel])
	case BouncedAddress:
		return "a mail server has refused the member's address for good"
	case Left:
		return "the person is no member any more"
	case TooLate:
		return "it was too late: it was to be sent before " + sayInstant(m.SendBefore)
	case Duplicate:
		return "the member was told so already"
	case Outdated:
		return "what it tells was not so any more"
	case SwitchedOff:
		return "its campaign was switched off"
	case InvalidText:
		return "its text could not be filled with what is known of the member"
	case NotAccepted:
		return "the mail server or the provider did not take it"
	}
	return "of " + string(*m.Reason)
}

// sentence joins what happened, why, and what is behind it.
func (m *Message) sentence(happened, why string) string {
	text := strings.TrimSpace(happened + " " + why)
	if m.Detail != nil && *m.Detail != "" {
		text += " (" + strings.TrimSuffix(*m.Detail, ".") + ")"
	}
	return text + "."
}

func sayInstant(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// sayAt is nothing for what has not happened.
func sayAt(t *time.Time) string {
	if t == nil {
		return ""
	}
	return " at " + sayInstant(*t)
}

func sayTimes(count int) string {
	if count == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", count)
}

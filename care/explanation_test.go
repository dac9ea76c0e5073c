package care_test

import (
	"testing"
	"time"

	"regulars/care"
	"regulars/internal/program"
)

// Whoever asks why a message did not come reads it in a sentence.
func TestMessage_Explanation(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	one := noon.Add(time.Hour)
	message := func(status care.Status, edits ...func(*care.Message)) care.Message {
		made := care.Message{Class: program.Care, Channel: program.Email, Status: status, CreatedAt: noon, SendAfter: one, SendBefore: noon.Add(12 * time.Hour)}
		for _, edit := range edits {
			edit(&made)
		}
		return made
	}
	why := func(reason care.Reason, detail string) func(*care.Message) {
		return func(m *care.Message) {
			m.Reason = &reason
			if detail != "" {
				m.Detail = &detail
			}
		}
	}
	due := func(at time.Time, attempts int) func(*care.Message) {
		return func(m *care.Message) { m.DueAt, m.Attempts = &at, attempts }
	}
	for want, made := range map[string]care.Message{
		"It is sent as soon as a sender takes it.":                                                              message(care.Queued, due(noon, 0)),
		"Sent from 2026-03-01 13:00 UTC on.":                                                                    message(care.Queued, due(one, 0)),
		"Tried once, and again at 2026-03-01 13:00 UTC (451 try later).":                                        message(care.Queued, due(one, 1), why(care.NotAccepted, "451 try later")),
		"Sent from 2026-03-01 13:00 UTC on because the contact policy allows no more messages then (3 a week).": message(care.Deferred, due(one, 0), why(care.Capped, "3 a week.")),
		"Sent from 2026-03-01 13:00 UTC on because the member is not to be disturbed at that hour.":             message(care.Deferred, why(care.QuietHours, "")),
		"Not sent because the member does not allow messages of the class CARE by e-mail.":                      message(care.Suppressed, why(care.NoConsent, "")),
		"Not sent because the member cannot be reached by e-mail: it has named no address.":                     message(care.Suppressed, why(care.NoAddress, "")),
		"Not sent because a mail server has refused the member's address for good.":                             message(care.Suppressed, why(care.BouncedAddress, "")),
		"Not sent because the person is no member any more.":                                                    message(care.Suppressed, why(care.Left, "")),
		"Not sent because it was too late: it was to be sent before 2026-03-02 00:00 UTC.":                      message(care.Suppressed, why(care.TooLate, "")),
		"Not sent because the member was told so already.":                                                      message(care.Suppressed, why(care.Duplicate, "")),
		"Not sent because what it tells was not so any more.":                                                   message(care.Suppressed, why(care.Outdated, "")),
		"Not sent because its campaign was switched off.":                                                       message(care.Suppressed, why(care.SwitchedOff, "")),
		"Not sent because its text could not be filled with what is known of the member.":                       message(care.Failed, why(care.InvalidText, "")),
		"Not sent because of LOST.":                                                                             message(care.Suppressed, why("LOST", "")),
		"Not sent because of nothing that was noted.":                                                           message(care.Suppressed),
		"A sender is handing it over.":                                                                          message(care.Sending),
		"Accepted by the mail server or the provider at 2026-03-01 13:00 UTC.":                                  message(care.Sent, func(m *care.Message) { m.SentAt = &one }),
		"In the inbox, not read yet.":                                                                           message(care.Delivered),
		"Read at 2026-03-01 13:00 UTC.":                                                                         message(care.Delivered, func(m *care.Message) { m.ReadAt = &one }),
		"Not delivered because the address was refused for good (550 no such user).":                            message(care.Bounced, why(care.BouncedAddress, "550 no such user")),
		"Not sent after being tried 8 times, because the mail server or the provider did not take it.":          message(care.Failed, why(care.NotAccepted, ""), func(m *care.Message) { m.Attempts = 8 }),
		"Not sent because it could not be before 2026-03-02 00:00 UTC.":                                         message(care.Expired),
	} {
		same(t, string(made.Status), want, made.Explanation())
	}
}

package graph_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"regulars/internal/id"
)

// message keeps a greeting to a member on a channel, with a status and, if there are four words, why it is not sent, or later.
func (s *stage) message(t *testing.T, words []string) {
	t.Helper()
	member, channel, status := id.ParseMember(s.seen[words[0]]), words[1], words[2]
	var reason *string
	if len(words) > 3 {
		reason = &words[3]
	}
	made := id.New[id.Message]()
	var due, sent *time.Time
	switch status {
	case "QUEUED", "DEFERRED", "SENDING":
		due = &s.now
	case "SENT", "DELIVERED":
		sent = &s.now
	}
	if _, err := s.db.Exec(t.Context(), `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, locale, subject, body,
			created_at, send_after, send_before, due_at, sent_at)
		values ($1, $2, $3, 'BIRTHDAY', $4, '2026-03-01', 'CARE', $5, $6, $7, 'en', 'Happy birthday', 'Many happy returns!', $8, $8, $9, $10, $11)`,
		member, made, id.New[id.Campaign](), made.String(), channel, status, reason, s.now, s.now.Add(12*time.Hour), due, sent); err != nil {
		t.Fatal(err)
	}
}

// What is shown of what many members allow and are told is asked together.
func TestMessages_AskedTogether(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	const members = 40
	for i := range members {
		s.ask(t, "ADMIN", fmt.Sprintf(`mutation { enrollMember(input: {externalId: "%d", idempotencyKey: "%d"}) { member { id } } }`, i, i))
		s.ask(t, "ADMIN", fmt.Sprintf(`mutation { setConsent(input: {member: {externalId: "%d"}, class: CARE, channel: EMAIL, granted: true, source: "app"}) { userErrors { code } } }`, i))
		s.message(t, []string{fmt.Sprintf("mem_%d", i+1), "INBOX", "DELIVERED"})
	}
	asked := func(first int) int64 {
		t.Helper()
		before := s.readings.Load()
		answer := s.ask(t, "ADMIN", fmt.Sprintf(`{ members(first: %d) { nodes { unreadCount consents { granted } consentHistory(first: 1) { totalCount nodes { source } }
			inbox(first: 1) { totalCount nodes { status member { id } } } messages(first: 1) { totalCount nodes { explanation } } } } }`, first))
		if got := strings.Count(answer, `"DELIVERED"`); got != first {
			t.Fatalf("%d messages are shown, not %d", got, first)
		}
		return s.readings.Load() - before
	}
	// Where the machine is busy, what belongs together may be asked in a few parts.
	if few, many := asked(2), asked(members); many > members/2 {
		t.Errorf("2 members ask for the time %d times, %d members %d times", few, members, many)
	}
}

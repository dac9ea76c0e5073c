package main

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const agreed = `(input: {member: {id: "<member>"}, class: CARE, channel: EMAIL, granted: true, source: "app", textVersion: "2026-02"})`

// fillMessages makes a message in ada's inbox that it has read, of which everything can be said, and what it allows.
func (w *world) fillMessages(t *testing.T, db *postgres.DB, do func(caller, string, string) string, keep func(string, string, string) string, ada caller) {
	t.Helper()
	keep("<consent>", `cns_\w+`, do(ada, `setConsent`+agreed, "consents { id }"))
	message, now := id.New[id.Message](), time.Now().UTC().Add(-time.Hour)
	if _, err := db.Exec(t.Context(), `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, locale, subject, body,
			created_at, send_after, send_before, sent_at)
		values ($1, $2, $3, 'BIRTHDAY', 'birthday:2026', $4::timestamptz::date, 'CARE', 'INBOX', 'DELIVERED', 'QUIET_HOURS', 'en', 'Happy birthday', $5,
			$4, $4, $4, $4)`,
		id.ParseMember(w.things["<member>"]), message, id.New[id.Campaign](), now, w.things["<greeting>"]); err != nil {
		t.Fatal(err)
	}
	w.things["<message>"] = message.String()
	do(ada, `markMessageRead(input: {messageId: "<message>"})`, "message { id }")
}

package main

import (
	"testing"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// saved is what is said in a campaign, and who is greeted by it.
const saved = `(input: {name: "Birthdays", occasion: BIRTHDAY, channels: [WEBHOOK], offset: "-P1D", giftPoints: 10, giftValidFor: "P30D",
	templates: [{locale: "en", subject: "Hi", body: "Hi {{.Member.DisplayName}}", html: "<p>Hi</p>"}]})`

// fillCampaigns makes a campaign with a message that was not sent.
func (w *world) fillCampaigns(t *testing.T, db *postgres.DB, do func(caller, string, string) string, keep func(string, string, string) string, admin caller) {
	t.Helper()
	keep("<campaign>", `cmp_\w+`, do(admin, `saveCareCampaign`+saved, "campaign { id }"))
	if _, err := db.Exec(t.Context(), `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, locale, body, created_at,
			send_after, send_before)
		values ($1, gen_random_uuid(), $2, 'BIRTHDAY', 'birthday:2020', '2020-12-10', 'CARE', 'EMAIL', 'SUPPRESSED', 'NO_CONSENT', 'en', '', $3, $3, $3)`,
		id.ParseMember(w.things["<member>"]), id.ParseCampaign(w.things["<campaign>"]), db.Now()); err != nil {
		t.Fatal(err)
	}
}

package care_test

import (
	"slices"
	"testing"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/loyalty/reconcile"
)

// Each row that is not as it should be is named.
func TestCheckBooks_Corrupt(t *testing.T) {
	t.Parallel()
	for statement, want := range map[string]string{
		`delete from gifts`:                                                                                 "gifts",
		`update gifts set points = points + 1`:                                                              "points",
		`update gifts set member_id = gen_random_uuid()`:                                                    "member",
		`update gifts set expires_at = given_at`:                                                            "expires_at",
		`update gifts set adjustment_id = gen_random_uuid()`:                                                "adjustment",
		`update messages set campaign_id = gen_random_uuid()`:                                               "campaign",
		`update messages set sent_at = null where channel = 'INBOX'`:                                        "sent_at of a message that is DELIVERED",
		`update messages set sent_at = created_at where channel = 'EMAIL'`:                                  "sent_at of a message that is QUEUED",
		`update messages set sent_at = send_after - interval '1 second'`:                                    "sent_at",
		`update messages set send_before = send_after where channel = 'INBOX'`:                              "window",
		`update messages set member_id = gen_random_uuid() where channel = 'INBOX'`:                         "member",
		`update messages set sent_at = send_before where channel = 'INBOX'`:                                 "sent_at",
		`update messages set status = 'SUPPRESSED', due_at = null, reason = 'LEFT' where channel = 'EMAIL'`: "text",
		`update messages set occasion_key = 'holiday:' || occasion_key where channel = 'INBOX'`:             "occasion_key",
	} {
		h := newHouse(t)
		h.at("2025-05-01T00:00:00Z")
		h.campaign(occasion.Birthday, func(c *care.Campaign) { c.GiftPoints = pointer(int64(50)) }, program.Email, program.Inbox)
		h.mailed("one", born(t, "1990-05-14"))
		h.at("2025-05-14T09:00:00Z")
		h.decide()
		h.books()
		_, err := h.DB.Exec(h.Admin, statement)
		h.must(err)
		report, err := reconcile.Check(h.Admin, h.DB, nil, care.CheckBooks)
		h.must(err)
		if !slices.ContainsFunc(report.Differences, func(d reconcile.Difference) bool { return d.What == want }) {
			t.Errorf("%s: %+v", statement, report.Differences)
		}
	}
}

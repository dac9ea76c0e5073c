package jobs

import (
	"bytes"
	"fmt"
	"log/slog"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"regulars/care/delivery"
	"regulars/care/delivery/deliverytest"
	"regulars/internal/id"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// posting is a runner that sends mails to a server of the test.
func posting(t *testing.T, w *loyaltytest.World, url string, log *slog.Logger) *Runner {
	t.Helper()
	server, err := delivery.ParseMailServer(url)
	if err != nil {
		t.Fatal(err)
	}
	const rate = 10_000
	r, err := New(w.Admin, w.DB, Options{
		PublicURL: "https://club.example",
		Channels:  delivery.Channels{Mail: delivery.NewMailer(server, netmail.Address{Address: "club@club.example"}, rate)},
	}, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// queueMails has so many mails wait to a member, which it makes.
func queueMails(t *testing.T, w *loyaltytest.World, class string, count int) {
	t.Helper()
	email := "ann@example.com"
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.Email = &email })
	statement(t, w, `
		insert into consents (member_id, sequence, class, channel, granted, source, at, actor)
		values ($1, 1, 'CARE', 'EMAIL', true, 'test', $2, 'test')`, member.ID, w.Now())
	statement(t, w, `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, locale, subject, body,
			created_at, send_after, send_before, due_at)
		select $1, gen_random_uuid(), $2, 'BIRTHDAY', 'birthday:' || i, $3::timestamptz::date, $4, 'EMAIL', 'QUEUED', 'en', 'Hello', 'Hello!',
			$3, $3, $3::timestamptz + interval '1 day', $3
		from generate_series(1, $5::int) i`, member.ID, id.New[id.Campaign](), w.Now(), class, count)
}

// The job sends under its fence, and the log counts, also what was sent again.
func TestSendMessages_Job(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	mails := deliverytest.New(t, deliverytest.Behavior{})
	var log bytes.Buffer
	r := posting(t, w, mails.URL(), slog.New(slog.NewTextHandler(&log, nil)))
	queueMails(t, w, "CARE", 25)
	statement(t, w, `update messages set status = 'SENDING', attempts = 1, claimed_at = due_at, handed_at = due_at where occasion_key = 'birthday:7'`)
	if run := complete(t, w, r, "send-messages"); run.Status != Succeeded || run.Processed != 25 {
		t.Errorf("%+v", run)
	}
	if count := len(mails.Mails()); count != 25 {
		t.Errorf("%d mails", count)
	}
	if want := "sent=25 bounced=0 failed=0 expired=0 suppressed=0 later=0 uncertain=1"; !strings.Contains(log.String(), want) {
		t.Errorf("the log lacks %q: %s", want, log.String())
	}
	if said := log.String(); strings.Contains(said, "ann@") {
		t.Errorf("the log names a member: %s", said)
	}
	for _, mail := range mails.Mails() {
		if link := deliverytest.Parse(t, mail).Header.Get("List-Unsubscribe"); !strings.HasPrefix(link, "<https://club.example/unsubscribe/") {
			t.Errorf("the link is %q", link)
		}
	}
	w.Clock.Advance((messageDays*24 + 1) * time.Hour)
	if run := complete(t, w, r, "forget-messages"); run.Processed != 25 {
		t.Errorf("%d are forgotten", run.Processed)
	}
}

// A run that leaves mails unsent did not succeed (listmonk #2278, #1762): an admin reads why, without anything secret.
func TestSendMessages_JobWithoutServer(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	mails := deliverytest.New(t, deliverytest.Behavior{User: "club", Password: "right"})
	r := posting(t, w, strings.Replace(mails.URL(), "right", "wrong", 1), slog.New(slog.DiscardHandler))
	queueMails(t, w, "SERVICE", 1)
	run := complete(t, w, r, "send-messages")
	if run.Status != Failed || !strings.Contains(*run.Error, "Messages of the channel EMAIL wait: "+mails.Address) || strings.Contains(*run.Error, "wrong") {
		t.Errorf("%s", fmt.Sprint(run.Status, *run.Error))
	}
}

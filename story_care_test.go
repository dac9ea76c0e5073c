package main

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/care/delivery/deliverytest"
	"regulars/cli"
)

var (
	campaignForm = regexp.MustCompile(`cmp_[0-9a-z]{26}`)
	messageForm  = regexp.MustCompile(`msg_[0-9a-z]{26}`)
)

// run runs a job and waits until it is done.
func (e *evening) run(job string) {
	e.t.Helper()
	run := runForm.FindString(e.ask("ADMIN", fmt.Sprintf(`mutation { runJob(input: {job: %q}) { run { id } userErrors { code } } }`, job)))
	if run == "" {
		// The timetable was faster.
		run = runForm.FindString(e.ask("ADMIN", fmt.Sprintf(`{ jobRuns(first: 1, job: %q) { nodes { id } } }`, job)))
	}
	e.wait("ADMIN", fmt.Sprintf(`{ node(id: %q) { ... on JobRun { status } } }`, run), `"SUCCEEDED"`)
}

// A marketer writes a greeting, a member gets it by mail and in her inbox with some points, unsubscribes by one click, and
// is greeted a year later where she still allows it; support sees why.
func TestStory_Care(t *testing.T) {
	t.Parallel()
	server := deliverytest.New(t, deliverytest.Behavior{})
	e := &evening{t: t, clock: &clock{now: time.Date(2026, 3, 2, 7, 30, 0, 0, time.UTC)}}
	with := settings(t)
	with.Delivery = cli.Delivery{SMTPURL: server.URL(), MailFrom: "The Tea Club <club@club.example>", MailRate: 1_000}
	e.booted = boot(t, with, e.clock.read)

	// A slip of the pen is told with its place.
	save := func(body string) string {
		return fmt.Sprintf(`mutation { saveCareCampaign(input: {name: "Birthdays", occasion: BIRTHDAY, channels: [EMAIL, INBOX], giftPoints: 50, giftValidFor: "P30D",
			templates: [{locale: "en", subject: "Happy birthday, {{.Member.DisplayName}}", body: %q}, {locale: "zh-Hans", subject: "生日快乐", body: "祝您生日快乐"}]})
			{ campaign { id class sendAt enabled } userErrors { code path ... on InvalidTemplateError { locale line hint } } } }`, body)
	}
	e.tell("MARKETER", save("Dear {{.Member.DisplayName}},\nyou turn {{.Occasion.Yeers}}."),
		`"campaign":null`, `"code":"INVALID_TEMPLATE","path":["input","templates","0","body"],"locale":"en","line":2,"hint":".Occasion.Years"`)
	campaign := campaignForm.FindString(e.tell("MARKETER", save("Dear {{.Member.DisplayName}},\nyou turn {{.Occasion.Years}}: {{.Occasion.GiftPoints}} points."),
		`"class":"CARE","sendAt":"09:00","enabled":true`, `"userErrors":[]`))

	for name, locale := range map[string]string{"ada": "en-GB", "mei": "zh-CN"} {
		e.tell(name, fmt.Sprintf(`mutation { enrollMember(input: {displayName: %q, email: %q, birthDate: "1990-03-02", locale: %q, timeZone: "Europe/Berlin", idempotencyKey: "1"})
			{ member { id } userErrors { code } } }`, name, name+"@members.example", locale), `mem_`)
	}
	e.tell("ada", `mutation { setConsent(input: {class: CARE, channel: EMAIL, granted: true, source: "app", textVersion: "1"}) { consents { granted } userErrors { code } } }`, `"granted":true`)
	e.tell("SUPPORT", `{ upcomingOccasions(date: "2026-03-02") { nodes { member { displayName } occasion would } } }`,
		`{"member":{"displayName":"ada"},"occasion":"BIRTHDAY","would":"QUEUED"}`, `{"member":{"displayName":"mei"},"occasion":"BIRTHDAY","would":"DELIVERED"}`)

	// It is half past eight where they live.
	e.run("care-occasions")
	const history = `{ viewer { member { pointsHistory { nodes { points title } } } } }`
	const inbox = `{ viewer { member { unreadCount inbox { totalCount nodes { id subject body } } points { available } } } }`
	e.tell("ada", inbox, `"unreadCount":0`, `"totalCount":0`, `"available":0}`)
	e.later(30 * time.Minute)
	e.wait("ada", inbox, `"unreadCount":1`)
	greeting := messageForm.FindString(e.tell("ada", inbox, `"subject":"Happy birthday, ada","body":"Dear ada,\nyou turn 36: 50 points."`, `"available":50}`))
	e.tell("ada", history, `{"points":50,"title":"A present from us"}`)
	e.wait("mei", inbox, `"unreadCount":1`)
	e.tell("mei", inbox, `"subject":"生日快乐","body":"祝您生日快乐"`, `"available":50}`)
	e.tell("ada", fmt.Sprintf(`mutation { markMessageRead(input: {messageId: %q}) { message { readAt } userErrors { code } } }`, greeting), `"readAt":"2026-03-02T08:00:00Z"`)
	e.tell("ada", inbox, `"unreadCount":0`, `"totalCount":1`)

	e.run("send-messages")
	for len(server.Mails()) == 0 {
		// The one before had begun too early.
		e.run("send-messages")
	}
	mail := deliverytest.Parse(t, server.Mails()[0])
	if to, subject := mail.Header.Get("To"), mail.Header.Get("Subject"); !strings.Contains(to, "<ada@members.example>") || subject != "Happy birthday, ada" {
		t.Errorf("a mail to %s: %s", to, subject)
	}
	for kind, part := range mail.Parts {
		if !strings.Contains(part, "you turn 36: 50 points.") {
			t.Errorf("%s: %s", kind, part)
		}
	}

	// A scanner follows the link, which changes nothing; one click does.
	link := strings.Trim(mail.Header.Get("List-Unsubscribe"), "<>")
	const consents = `{ viewer { member { consents { class channel granted source } } } }`
	if status, page := get(t, link); status != http.StatusOK || !strings.Contains(page, `method="post"`) {
		t.Errorf("the link is answered %d: %s", status, page)
	}
	e.tell("ada", consents, `"granted":true,"source":"app"`)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, link, strings.NewReader(mail.Header.Get("List-Unsubscribe-Post")))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if status, page := do(t, request); status != http.StatusOK {
		t.Errorf("one click is answered %d: %s", status, page)
	}
	e.tell("ada", consents, `{"class":"CARE","channel":"EMAIL","granted":false,"source":"one-click unsubscribe"}`)

	// A year later the points have lapsed, and come again; the mail does not.
	e.clock.move(1, 0, 0)
	e.wait("ada", inbox, `"totalCount":2`)
	e.tell("ada", inbox, `"unreadCount":1`, "you turn 37: 50 points.", `"available":50}`)
	e.run("send-messages")
	if mails := server.Mails(); len(mails) != 1 {
		t.Errorf("there are %d mails", len(mails))
	}
	e.tell("SUPPORT", `{ member(by: {externalId: "ada"}) { messages { nodes { occasionDate channel status statusReason explanation } } } }`,
		`{"occasionDate":"2027-03-02","channel":"EMAIL","status":"SUPPRESSED","statusReason":"NO_CONSENT","explanation":"Not sent because the member does not allow messages of the class CARE by e-mail."}`,
		`{"occasionDate":"2026-03-02","channel":"EMAIL","status":"SENT","statusReason":null,`)
	e.wait("MARKETER", fmt.Sprintf(`{ node(id: %q) { ... on CareCampaign { counts { queued sent delivered suppressed { reason count } } } } }`, campaign),
		`"counts":{"queued":0,"sent":1,"delivered":4,"suppressed":[{"reason":"NO_CONSENT","count":3}]}`)
	e.run("check-books")
}

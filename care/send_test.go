package care_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care"
	"regulars/care/delivery"
	"regulars/care/delivery/deliverytest"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// fast is a rate at which tests do not wait.
const fast = 10_000

// postOffice is a program whose messages are sent to a mail server of the test.
type postOffice struct {
	*loyaltytest.World
	t    testing.TB
	mail *deliverytest.Server
	to   delivery.Channels
}

func newPostOffice(t testing.TB, behavior deliverytest.Behavior) *postOffice {
	t.Helper()
	o := &postOffice{World: loyaltytest.New(t), t: t, mail: deliverytest.New(t, behavior)}
	o.to.Mail = mailerTo(t, o.mail.URL(), fast)
	return o
}

func mailerTo(t testing.TB, url string, rate int) *delivery.Mailer {
	t.Helper()
	server, err := delivery.ParseMailServer(url)
	if err != nil {
		t.Fatal(err)
	}
	return delivery.NewMailer(server, netmail.Address{Name: "Our Club", Address: "club@club.example"}, rate)
}

// sending is the care over a database of the program.
func (o *postOffice) sending(db *postgres.DB) *care.Service {
	return care.New(db, loyalty.New(db), identity.NewSigningKeys(db), "https://club.example")
}

// send has everything sent that is due.
func (o *postOffice) send() care.Sendings {
	o.t.Helper()
	counts, err := o.sending(o.DB).SendMessages(o.Admin, o.to, o.DB, func() {})
	if err != nil {
		o.t.Fatal(err)
	}
	return counts
}

func (o *postOffice) exec(statement string, arguments ...any) {
	o.t.Helper()
	if _, err := o.DB.Exec(o.Admin, statement, arguments...); err != nil {
		o.t.Fatal(err)
	}
}

// reachable enrolls a member that allows care by mail and webhook.
func (o *postOffice) reachable(name string, edits ...func(*loyalty.EnrollMemberInput)) *loyalty.Member {
	o.t.Helper()
	address := name + "@example.com"
	member := o.Enroll(append([]func(*loyalty.EnrollMemberInput){func(input *loyalty.EnrollMemberInput) {
		input.DisplayName, input.Email, input.ExternalID = &name, &address, &name
	}}, edits...)...)
	for _, channel := range []string{"EMAIL", "WEBHOOK"} {
		o.consent(member, channel, true)
	}
	return member
}

func (o *postOffice) consent(member *loyalty.Member, channel string, granted bool) {
	o.t.Helper()
	// Not by setConsent, which would suppress what waits: as if it were withdrawn at the moment of the decision.
	o.exec(`
		insert into consents (member_id, sequence, class, channel, granted, source, at, actor)
		select $1, count(*) + 1, 'CARE', $2, $3, 'test', $4, 'test' from consents where member_id = $1`, member.ID, channel, granted, o.Now())
}

// message is what a test says of a message.
type message struct {
	class, channel, status string
	html                   *string
	due                    time.Time
	before                 time.Time
}

// queue makes a message to the member that is due now and for a day, as far as edits say nothing else.
func (o *postOffice) queue(member *loyalty.Member, edits ...func(*message)) id.Message {
	o.t.Helper()
	one := message{class: "CARE", channel: "EMAIL", status: "QUEUED", html: pointer("<p>Happy birthday!</p>"), due: o.Now(), before: o.Now().Add(24 * time.Hour)}
	for _, edit := range edits {
		edit(&one)
	}
	made := id.New[id.Message]()
	o.exec(`
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, locale, subject, body, html,
			created_at, send_after, send_before, due_at)
		values ($1, $2, $3, 'BIRTHDAY', $4, $5::timestamptz::date, $6, $7, $8, 'en', 'Happy birthday', 'Happy birthday!', $9, $5, $10, $11, $10)`,
		member.ID, made, id.New[id.Campaign](), "birthday:"+o.Key(), o.Now(), one.class, one.channel, one.status, one.html, one.due, one.before)
	return made
}

// state is where a message stands.
type state struct {
	Status    string     `db:"status"`
	Reason    *string    `db:"reason"`
	Detail    *string    `db:"detail"`
	DueAt     *time.Time `db:"due_at"`
	Attempts  int        `db:"attempts"`
	HandedAt  *time.Time `db:"handed_at"`
	Uncertain int        `db:"uncertain"`
	SentAt    *time.Time `db:"sent_at"`
}

func (o *postOffice) read(one id.Message) state {
	o.t.Helper()
	var read state
	if err := o.DB.Get(o.Admin, &read, `
		select status, reason, detail, due_at, attempts, handed_at, uncertain, sent_at from messages where id = $1`, one); err != nil {
		o.t.Fatal(err)
	}
	return read
}

// expect compares status and reason of a message.
func (o *postOffice) expect(what string, one id.Message, want string) state {
	o.t.Helper()
	read := o.read(one)
	got := read.Status
	if read.Reason != nil {
		got += " " + *read.Reason
	}
	if got != want {
		o.t.Errorf("%s: %s, want %s", what, got, want)
	}
	return read
}

func (o *postOffice) count(statement string) int {
	o.t.Helper()
	var count int
	if err := o.DB.Get(o.Admin, &count, statement); err != nil {
		o.t.Fatal(err)
	}
	return count
}

// arrived counts the mails by their Message-ID, without what follows the @.
func (o *postOffice) arrived() map[string]int {
	o.t.Helper()
	counts := map[string]int{}
	for _, one := range o.mail.Mails() {
		name, _, _ := strings.Cut(strings.Trim(deliverytest.Parse(o.t, one).Header.Get("Message-Id"), "<>"), "@")
		counts[name]++
	}
	return counts
}

func pointer[T any](value T) *T { return &value }

func refusal(code int, enhanced [3]int) func(string) error {
	return func(string) error { return deliverytest.Refusal(code, enhanced, "no") }
}

// A mail goes to the member with the links that end what it gets, in its language; what it needs has none.
func TestSendMessages_Mail(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	english, chinese := o.reachable("ann"), o.reachable("bo", func(input *loyalty.EnrollMemberInput) { input.Locale = pointer("zh-CN") })
	first := o.queue(english, func(m *message) { m.html = pointer("<html><body><p>Hi</p></BODY></html>") })
	o.queue(chinese, func(m *message) { m.due = m.due.Add(-time.Second) })
	o.queue(english, func(m *message) { m.class, m.due = "SERVICE", m.due.Add(-2*time.Second) })
	if diff := cmp.Diff(care.Sendings{Sent: 3}, o.send()); diff != "" {
		t.Error(diff)
	}
	read := o.expect("a mail", first, "SENT")
	if read.SentAt == nil || !read.SentAt.Equal(o.Now()) || read.Attempts != 1 || read.Uncertain != 0 || read.Detail != nil {
		t.Errorf("%+v", read)
	}
	mails := map[string]deliverytest.Parsed{}
	for _, mail := range o.mail.Mails() {
		parsed := deliverytest.Parse(t, mail)
		kind := mail.To
		if parsed.Header.Get("List-Unsubscribe") == "" {
			kind = "needed"
		}
		mails[kind] = parsed
	}
	for kind, words := range map[string][2]string{
		"ann@example.com": {"Unsubscribe from messages like this", "Choose what we send you"}, "bo@example.com": {"退订此类消息", "选择您希望收到的消息"},
	} {
		mail := mails[kind]
		link := strings.Trim(mail.Header.Get("List-Unsubscribe"), "<>")
		if !strings.HasPrefix(link, "https://club.example/unsubscribe/") || mail.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" {
			t.Errorf("%s: %v", kind, mail.Header)
		}
		preferences := strings.Replace(link, "/unsubscribe/", "/preferences/", 1)
		if want := fmt.Sprintf("Happy birthday!\n\n%s: %s\n%s: %s\n", words[0], link, words[1], preferences); mail.Parts["text/plain"] != want {
			t.Errorf("%s: %q, want %q", kind, mail.Parts["text/plain"], want)
		}
		for _, part := range []string{words[0] + "</a>", words[1] + "</a>", `href="` + link + `"`, `href="` + preferences + `"`} {
			if !strings.Contains(mail.Parts["text/html"], part) {
				t.Errorf("%s: %q lacks %q", kind, mail.Parts["text/html"], part)
			}
		}
	}
	if body := mails["ann@example.com"].Parts["text/html"]; !strings.HasSuffix(strings.TrimSpace(body), "</BODY></html>") {
		t.Errorf("the footer is behind the page: %q", body)
	}
	if needed := mails["needed"]; needed.Parts["text/plain"] != "Happy birthday!" && needed.Parts["text/plain"] != "Happy birthday!\n" {
		t.Errorf("%q", needed.Parts)
	}
}

// What has changed since a message was decided is seen before it is sent: it is irrelevant, and nobody had to cancel it
// (Mautic #4923), it comes from a backup of last year (listmonk #1801), the member has opted out since (CiviCRM).
func TestSendMessages_NotAnyMore(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	var needed id.Message
	want := map[string]id.Message{}
	for name, queued := range map[string]func() id.Message{
		"EXPIRED TOO_LATE": func() id.Message {
			return o.queue(o.reachable("late"), func(m *message) { m.before = o.Now() })
		},
		"SUPPRESSED NO_CONSENT": func() id.Message {
			member := o.reachable("withdrawn")
			made := o.queue(member)
			o.consent(member, "EMAIL", false)
			// What it needs it gets: a withdrawal has its scope (emailflare #190).
			needed = o.queue(member, func(m *message) { m.class = "SERVICE" })
			return made
		},
		"SUPPRESSED NO_ADDRESS": func() id.Message {
			member := o.reachable("silent")
			o.exec(`update members set email = null where id = $1`, member.ID)
			return o.queue(member)
		},
		"SUPPRESSED LEFT": func() id.Message {
			gone := *o.reachable("gone")
			gone.ID = id.New[id.Member]()
			return o.queue(&gone)
		},
		"SENT": func() id.Message {
			member := o.reachable("allows-again")
			o.consent(member, "EMAIL", false)
			o.consent(member, "EMAIL", true)
			return o.queue(member, func(m *message) { m.status, m.before = "DEFERRED", o.Now().Add(time.Microsecond) })
		},
	} {
		want[name] = queued()
	}
	later := o.queue(o.reachable("later"), func(m *message) { m.status, m.due = "DEFERRED", o.Now().Add(time.Hour) })
	if diff := cmp.Diff(care.Sendings{Sent: 2, Expired: 1, Suppressed: 3}, o.send()); diff != "" {
		t.Error(diff)
	}
	for status, one := range want {
		if read := o.expect(status, one, status); read.DueAt != nil {
			t.Errorf("%s is due at %s", status, read.DueAt)
		}
	}
	o.expect("what is needed", needed, "SENT")
	o.expect("what is deferred", later, "DEFERRED")
	if len(o.mail.Mails()) != 2 {
		t.Errorf("%d mails", len(o.mail.Mails()))
	}
	o.Clock.Advance(time.Hour)
	o.send()
	o.expect("what was deferred", later, "SENT")
}

// An address that is refused for good is held, until the member names another one.
func TestSendMessages_Bounce(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{Rcpt: func(to string) error {
		if strings.HasPrefix(to, "old") {
			return deliverytest.Refusal(550, [3]int{5, 1, 1}, "no such user "+to)
		}
		return nil
	}})
	member := o.reachable("old")
	first := o.queue(member)
	if diff := cmp.Diff(care.Sendings{Bounced: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	if read := o.expect("it", first, "BOUNCED BOUNCED_ADDRESS"); read.Detail == nil || !strings.Contains(*read.Detail, "no such user") {
		t.Errorf("%+v", read)
	}
	var reason string
	if err := o.DB.Get(o.Admin, &reason, `select reason from refused_addresses where member_id = $1`, member.ID); err != nil || reason != "550 5.1.1" {
		t.Errorf("%q, %v", reason, err)
	}
	o.exec(`update members set email = 'OLD@example.com' where id = $1`, member.ID)
	second := o.queue(member, func(m *message) { m.class = "SERVICE" })
	if diff := cmp.Diff(care.Sendings{Suppressed: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	o.expect("another one there", second, "SUPPRESSED BOUNCED_ADDRESS")
	o.exec(`update members set email = 'new@example.com' where id = $1`, member.ID)
	third := o.queue(member)
	o.send()
	o.expect("elsewhere", third, "SENT")
}

// What is not taken comes back after a minute, two, four, up to four hours, and is dead after ten attempts, with the reason: it is
// not rescheduled for ever (Mautic #7057).
func TestSendMessages_Backoff(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{Rcpt: refusal(451, [3]int{4, 7, 1})})
	one := o.queue(o.reachable("ann"), func(m *message) { m.before = o.Now().AddDate(1, 0, 0) })
	for attempt := 1; attempt <= 9; attempt++ {
		if diff := cmp.Diff(care.Sendings{Later: 1}, o.send()); diff != "" {
			t.Fatalf("attempt %d: %s", attempt, diff)
		}
		read := o.expect("it", one, "QUEUED")
		least := min(time.Minute<<(attempt-1), 4*time.Hour)
		wait := read.DueAt.Sub(o.Now())
		if wait < least || wait > least+least/4 || read.Attempts != attempt || read.HandedAt != nil || !strings.Contains(*read.Detail, "451") {
			t.Errorf("after attempt %d it waits %s: %+v", attempt, wait, read)
		}
		o.Clock.Set(read.DueAt.Add(-time.Microsecond))
		if diff := cmp.Diff(care.Sendings{}, o.send()); diff != "" {
			t.Errorf("too early after attempt %d: %s", attempt, diff)
		}
		o.Clock.Set(*read.DueAt)
	}
	if diff := cmp.Diff(care.Sendings{Failed: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	if read := o.expect("the last", one, "FAILED NOT_ACCEPTED"); read.Attempts != 10 || !strings.Contains(*read.Detail, "451") || read.DueAt != nil {
		t.Errorf("%+v", read)
	}
}

// What is refused for its content is not tried again, and its address is good.
func TestSendMessages_Refused(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{Data: func(deliverytest.Mail) error { return deliverytest.Refusal(554, [3]int{5, 6, 0}, "spam") }})
	one := o.queue(o.reachable("ann"))
	if diff := cmp.Diff(care.Sendings{Failed: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	o.expect("it", one, "FAILED NOT_ACCEPTED")
	if held := o.count(`select count(*) from refused_addresses`); held != 0 {
		t.Errorf("%d are held", held)
	}
}

// While the mail server is away nothing is tried in vain, nothing dies of it, and an admin is told.
func TestSendMessages_Unreachable(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{User: "club", Password: "right"})
	right := o.to.Mail
	o.to.Mail = mailerTo(t, strings.Replace(o.mail.URL(), "right", "wrong", 1), fast)
	member := o.reachable("ann")
	var queued []id.Message
	for range 20 {
		queued = append(queued, o.queue(member))
	}
	for range 15 {
		counts, err := o.sending(o.DB).SendMessages(o.Admin, o.to, o.DB, func() {})
		var told *care.ChannelError
		if !errors.As(err, &told) || told.Channel != "EMAIL" || strings.Contains(err.Error(), "wrong") {
			t.Fatal(err)
		}
		if counts.Later < 1 || counts.Later > 4 {
			t.Errorf("%+v", counts)
		}
		o.Clock.Advance(time.Minute)
	}
	o.to.Mail = right
	if diff := cmp.Diff(care.Sendings{Sent: 20}, o.send()); diff != "" {
		t.Error(diff)
	}
	for _, one := range queued {
		if read := o.expect("it", one, "SENT"); read.Attempts != 1 || read.Uncertain != 0 {
			t.Errorf("%+v", read)
		}
	}
}

// Without a way the messages wait.
func TestSendMessages_NotSetUp(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	member := o.reachable("ann")
	byMail, byWebhook := o.queue(member), o.queue(member, func(m *message) { m.channel = "WEBHOOK" })
	mailer := o.to.Mail
	o.to.Mail = nil
	if diff := cmp.Diff(care.Sendings{}, o.send()); diff != "" {
		t.Error(diff)
	}
	o.expect("a mail", byMail, "QUEUED")
	o.to.Mail = mailer
	o.send()
	o.expect("a mail", byMail, "SENT")
	o.expect("a webhook", byWebhook, "QUEUED")
}

// Only the program itself sends.
func TestSendMessages_Access(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	for _, who := range []context.Context{o.As("ADMIN", "x"), o.As("MEMBER", "x"), t.Context()} {
		if _, err := o.sending(o.DB).SendMessages(who, o.to, o.DB, func() {}); err == nil {
			t.Error("somebody sends")
		}
		if _, err := o.sending(o.DB).ForgetMessages(who, o.Now(), 1); err == nil {
			t.Error("somebody forgets")
		}
	}
	if _, err := o.sending(o.DB).SendMessages(o.As("ADMIN", "x"), o.to, o.DB, func() {}); !errors.Is(err, problem.Forbidden) {
		t.Error(err)
	}
}

// Senders that overlap (Mautic #2215, #3669), are stopped and resumed (listmonk #2070, #2313) or count what they fetched as
// sent (listmonk #3022): each message arrives, and once.
func TestSendMessages_TwoAtOnce(t *testing.T) {
	t.Parallel()
	stopped, stop := context.WithCancel(t.Context())
	var mutex sync.Mutex
	taken := 0
	o := newPostOffice(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) bool {
		mutex.Lock()
		defer mutex.Unlock()
		if taken++; taken == 100 {
			stop()
		}
		return false
	}})
	want := map[string]int{}
	member := o.reachable("ann")
	for range 300 {
		want[o.queue(member).String()] = 1
	}
	both := func(ctx context.Context) (sent int) {
		var sending sync.WaitGroup
		answers := make([]care.Sendings, 2)
		for i := range answers {
			sending.Go(func() {
				to := delivery.Channels{Mail: mailerTo(t, o.mail.URL(), fast)}
				counts, err := o.sending(o.DB).SendMessages(ctx, to, o.DB, func() {})
				if err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				answers[i] = counts
			})
		}
		sending.Wait()
		return answers[0].Sent + answers[1].Sent
	}
	acting, cancel := context.WithCancel(o.Admin)
	defer cancel()
	defer context.AfterFunc(stopped, cancel)()
	first := both(acting)
	if first < 100 || first >= 300 {
		t.Errorf("before they are stopped they send %d", first)
	}
	if second := both(o.Admin); first+second != 300 {
		t.Errorf("%d and %d are sent", first, second)
	}
	if diff := cmp.Diff(want, o.arrived()); diff != "" {
		t.Error(diff)
	}
}

// A sender that is killed between the server's answer and the commit: that one message alone is sent again, only after its claim
// has lapsed, with the same Message-ID, and is counted (Mautic #13070: what an exception left unmarked was sent again and again).
func TestSendMessages_Killed(t *testing.T) {
	t.Parallel()
	var killed sync.Once
	var mutex sync.Mutex
	var dead bool
	gone, kill := context.WithCancel(t.Context())
	o := newPostOffice(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) bool {
		killed.Do(func() {
			mutex.Lock()
			defer mutex.Unlock()
			dead = true
			kill()
		})
		return false
	}})
	member := o.reachable("ann")
	for range 20 {
		o.queue(member)
	}
	// From the first mail on this sender reaches its database no more.
	cut := o.DB.Fenced(func(context.Context, *postgres.Tx) error {
		mutex.Lock()
		defer mutex.Unlock()
		if dead {
			return errors.New("the connection is gone")
		}
		return nil
	})
	acting, cancel := context.WithCancel(o.Admin)
	defer cancel()
	defer context.AfterFunc(gone, cancel)()
	if _, err := o.sending(cut).SendMessages(acting, o.to, cut, func() {}); err == nil {
		t.Fatal("nobody was killed")
	}
	// Others had claimed a message at that moment, and may or may not have handed it over.
	arrived, claimed := len(o.mail.Mails()), o.count(`select count(*) from messages where status = 'SENDING'`)
	if arrived < 1 || arrived > claimed || claimed > 4 {
		t.Fatalf("%d mails arrived, %d were claimed", arrived, claimed)
	}
	if diff := cmp.Diff(care.Sendings{Sent: 20 - claimed}, o.send()); diff != "" {
		t.Error(diff)
	}
	for name, count := range o.arrived() {
		if count != 1 {
			t.Errorf("%s arrived %d times before its claim lapsed", name, count)
		}
	}
	o.Clock.Advance(5*time.Minute - time.Microsecond)
	if diff := cmp.Diff(care.Sendings{}, o.send()); diff != "" {
		t.Errorf("too early: %s", diff)
	}
	o.Clock.Advance(time.Microsecond)
	if diff := cmp.Diff(care.Sendings{Sent: claimed, Uncertain: claimed}, o.send()); diff != "" {
		t.Error(diff)
	}
	twice := 0
	for name, count := range o.arrived() {
		if count == 2 {
			twice++
		} else if count != 1 {
			t.Errorf("%s arrived %d times", name, count)
		}
	}
	if all := len(o.arrived()); twice != arrived || all != 20 {
		t.Errorf("%d of %d arrived twice, %d had arrived", twice, all, arrived)
	}
	if counted := o.count(`select sum(uncertain) from messages where status = 'SENT'`); counted != claimed {
		t.Errorf("%d are counted", counted)
	}
}

// A server that takes a mail and loses the connection before it says so: nobody can tell, so it is sent again, and counted.
func TestSendMessages_AnswerLost(t *testing.T) {
	t.Parallel()
	var once sync.Once
	o := newPostOffice(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) (drop bool) {
		once.Do(func() { drop = true })
		return drop
	}})
	one := o.queue(o.reachable("ann"))
	if diff := cmp.Diff(care.Sendings{Later: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	read := o.expect("it", one, "QUEUED")
	o.Clock.Set(*read.DueAt)
	if diff := cmp.Diff(care.Sendings{Sent: 1, Uncertain: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	if read := o.expect("it", one, "SENT"); read.Uncertain != 1 || read.Attempts != 2 {
		t.Errorf("%+v", read)
	}
	if diff := cmp.Diff(map[string]int{one.String(): 2}, o.arrived()); diff != "" {
		t.Error(diff)
	}
}

// The database may be away for a moment while a mail is noted: that is tried again, and the mail is not.
func TestSendMessages_DatabaseAway(t *testing.T) {
	t.Parallel()
	var mutex sync.Mutex
	failing := 0
	o := newPostOffice(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) bool {
		mutex.Lock()
		defer mutex.Unlock()
		failing = 4
		return false
	}})
	one := o.queue(o.reachable("ann"))
	shaky := o.DB.Fenced(func(context.Context, *postgres.Tx) error {
		mutex.Lock()
		defer mutex.Unlock()
		if failing > 0 {
			failing--
			return errors.New("the connection is gone")
		}
		return nil
	})
	counts, err := o.sending(o.DB).SendMessages(o.Admin, o.to, shaky, func() {})
	if diff := cmp.Diff(care.Sendings{Sent: 1}, counts); err != nil || diff != "" {
		t.Errorf("%v %s", err, diff)
	}
	o.expect("it", one, "SENT")
	if diff := cmp.Diff(care.Sendings{}, o.send()); diff != "" {
		t.Error(diff)
	}
}

// A run that loses its place to another one while a mail is handed over: it takes no more, and that one does not arrive twice.
func TestSendMessages_RunLost(t *testing.T) {
	t.Parallel()
	var lost atomic.Bool
	o := newPostOffice(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) bool {
		lost.Store(true)
		return false
	}})
	member := o.reachable("ann")
	for range 20 {
		o.queue(member)
	}
	fenced := o.DB.Fenced(func(context.Context, *postgres.Tx) error {
		if lost.Load() {
			return errors.New("another run took its place")
		}
		return nil
	})
	if _, err := o.sending(fenced).SendMessages(o.Admin, o.to, o.DB, func() {}); err == nil {
		t.Error("it goes on")
	}
	if arrived := len(o.mail.Mails()); arrived < 1 || arrived > 4 {
		t.Errorf("%d arrived", arrived)
	}
	o.Clock.Advance(time.Hour)
	if counts := o.send(); counts.Uncertain != 0 {
		t.Errorf("%+v", counts)
	}
	if counts := o.arrived(); len(counts) != 20 || len(o.mail.Mails()) != 20 {
		t.Errorf("%d mails of %d messages", len(o.mail.Mails()), len(counts))
	}
}

// A message whose senders die each time is given up, and not sent again and again (Mautic #8802, #7226).
func TestSendMessages_Deadly(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	one := o.queue(o.reachable("ann"))
	o.exec(`update messages set status = 'SENDING', attempts = 10, claimed_at = due_at, handed_at = due_at`)
	if diff := cmp.Diff(care.Sendings{Failed: 1}, o.send()); diff != "" {
		t.Error(diff)
	}
	o.expect("it", one, "FAILED NOT_ACCEPTED")
}

// A claim that lapsed while its sender was still at work: what that one notes later changes nothing.
func TestSendMessages_LateNote(t *testing.T) {
	t.Parallel()
	var o *postOffice
	var met atomic.Bool
	o = newPostOffice(t, deliverytest.Behavior{Rcpt: func(string) error {
		if met.Swap(true) {
			return nil
		}
		o.Clock.Advance(5 * time.Minute)
		o.send()
		return deliverytest.Refusal(550, [3]int{5, 1, 1}, "no")
	}})
	one := o.queue(o.reachable("ann"))
	o.send()
	if read := o.expect("it", one, "SENT"); read.Uncertain != 1 {
		t.Errorf("%+v", read)
	}
	if held := o.count(`select count(*) from refused_addresses`); held != 0 {
		t.Errorf("%d are held", held)
	}
}

// The mail server is not given more in a second than it may be.
func TestSendMessages_Rate(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	const mails, rate = 20, 50
	o.to.Mail = mailerTo(t, o.mail.URL(), rate)
	member := o.reachable("ann")
	for range mails {
		o.queue(member)
	}
	begun := time.Now()
	if diff := cmp.Diff(care.Sendings{Sent: mails}, o.send()); diff != "" {
		t.Error(diff)
	}
	if took := time.Since(begun); took < mails*time.Second/rate*9/10 {
		t.Errorf("%d mails took %s", mails, took)
	}
}

// A webhook is told what a provider of text messages needs, signed, and repeats itself by the same id.
func TestSendMessages_Webhook(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	secret, err := delivery.ParseSecret("whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	if err != nil {
		t.Fatal(err)
	}
	var answers = []int{http.StatusServiceUnavailable, http.StatusGone, http.StatusNoContent}
	var got []string
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || delivery.Verify(secret, r.Header, body, o.Now()) != nil {
			t.Errorf("%q is not signed: %v", body, err)
		}
		got = append(got, r.Header.Get("webhook-id"))
		w.Header().Set("Retry-After", "600")
		w.WriteHeader(answers[len(got)-1])
	}))
	t.Cleanup(provider.Close)
	o.to = delivery.Channels{Webhook: delivery.NewWebhook(provider.URL, secret)}
	webhook := func(m *message) { m.channel = "WEBHOOK" }
	member := o.reachable("ann")
	first := o.queue(member, webhook)
	o.send()
	if read := o.expect("it is busy", first, "QUEUED"); read.DueAt.Sub(o.Now()) != 10*time.Minute {
		t.Errorf("it waits until %s", read.DueAt)
	}
	o.Clock.Advance(10 * time.Minute)
	o.send()
	o.expect("it wants no more", first, "FAILED NOT_ACCEPTED")
	second := o.queue(member, webhook)
	o.exec(`update members set external_id = null where id = $1`, member.ID)
	third := o.queue(member, webhook, func(m *message) { m.due = m.due.Add(time.Second) })
	o.exec(`update members set phone = '+491701234567' where id = $1`, member.ID)
	o.send()
	o.expect("to a phone number", second, "SENT")
	o.exec(`update members set phone = null where id = $1`, member.ID)
	o.Clock.Advance(time.Second)
	o.send()
	o.expect("to nobody", third, "SUPPRESSED NO_ADDRESS")
	if diff := cmp.Diff([]string{first.String(), first.String(), second.String()}, got); diff != "" {
		t.Error(diff)
	}
}

// Messages go when they are done with and old enough, and happenings with them.
func TestForgetMessages(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	member := o.reachable("ann")
	for range 3 {
		o.queue(member)
	}
	waiting := o.queue(member, func(m *message) { m.channel = "WEBHOOK" })
	o.send()
	for _, subject := range []string{"a", "b"} {
		o.exec(`insert into happenings (member_id, occasion, subject, at) values ($1, 'TIER_REACHED', $2, $3)`, member.ID, subject, o.Now())
	}
	before := o.Now()
	o.Clock.Advance(time.Second)
	young := o.queue(member)
	o.send()
	forget := func(before time.Time) int {
		t.Helper()
		count, err := o.sending(o.DB).ForgetMessages(o.Admin, before, 2)
		if err != nil {
			t.Fatal(err)
		}
		return count
	}
	if count := forget(before); count != 0 {
		t.Errorf("%d are forgotten too early", count)
	}
	for _, want := range []int{4, 1, 0} {
		if count := forget(before.Add(time.Microsecond)); count != want {
			t.Errorf("%d are forgotten, want %d", count, want)
		}
	}
	o.expect("what waits", waiting, "QUEUED")
	o.expect("what is young", young, "SENT")
}

// However many messages there are, the one that is due is found by index.
func TestSendMessages_Index(t *testing.T) {
	t.Parallel()
	o := newPostOffice(t, deliverytest.Behavior{})
	o.exec(`
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, locale, body, created_at,
			send_after, send_before, due_at)
		select gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'BIRTHDAY', 'birthday:2025', $1::timestamptz::date, 'CARE', 'EMAIL',
			case when i % 2 = 0 then 'SENT' else 'QUEUED' end, 'en', 'Hello', $1, $1, $1,
			case when i % 2 = 1 then $1::timestamptz + i * interval '1 second' end
		from generate_series(1, 5000) i`, o.Now())
	o.exec(`analyze messages`)
	var plan []string
	if err := o.DB.Select(o.Admin, &plan, `
		explain select member_id from messages where channel = 'EMAIL' and due_at <= '2030-01-01' order by due_at limit 1 for update skip locked`); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(plan, "\n"); !strings.Contains(text, "Index Scan using messages_to_send") || strings.Contains(text, "Sort") {
		t.Error(text)
	}
}

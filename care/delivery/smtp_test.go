package delivery_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"mime"
	"net"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care/delivery"
	"regulars/care/delivery/deliverytest"
	"regulars/internal/id"
	"regulars/internal/program"
)

var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func mailer(t *testing.T, url string) *delivery.Mailer {
	t.Helper()
	server, err := delivery.ParseMailServer(url)
	if err != nil {
		t.Fatal(err)
	}
	made := delivery.NewMailer(server, netmail.Address{Name: "Our Club", Address: "club@club.example"}, 50)
	t.Cleanup(made.Rest)
	return made
}

func greeting(edits ...func(*delivery.Message)) delivery.Message {
	name := "Zoë"
	message := delivery.Message{
		ID: id.New[id.Message](), At: at, Class: program.Care, Occasion: "BIRTHDAY", Subject: "生日快乐, Zoë",
		Member: delivery.Member{ID: id.New[id.Member](), DisplayName: &name, Email: "zoe@example.com", Locale: "en"},
		Text:   "Happy birthday!\n", HTML: "<p>Happy birthday!</p>", Unsubscribe: "https://club.example/unsubscribe/abc",
	}
	for _, edit := range edits {
		edit(&message)
	}
	return message
}

func expect(t *testing.T, what string, want delivery.Outcome, got delivery.Answer) {
	t.Helper()
	if got.Outcome != want {
		t.Errorf("%s: %+v, want %s", what, got, want)
	}
}

// certified returns a certificate for 127.0.0.1 that this test has made, and who trusts it.
func certified(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<33, 0), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, pool
}

// A mail is what mail programs expect. Gmail shows a button only where both headers are (listmonk #2608, #1685).
func TestMailer_Mail(t *testing.T) {
	t.Parallel()
	server := deliverytest.New(t, deliverytest.Behavior{})
	message := greeting()
	to := mailer(t, server.URL())
	expect(t, "a mail", delivery.Accepted, to.Send(t.Context(), message))
	expect(t, "the same again", delivery.Accepted, to.Send(t.Context(), message))
	mails := server.Mails()
	if len(mails) != 2 || mails[0].From != "club@club.example" || mails[0].To != "zoe@example.com" {
		t.Fatalf("%+v", mails)
	}
	read := deliverytest.Parse(t, mails[0])
	for name, want := range map[string]string{
		"Message-Id": "<" + message.ID.String() + "@club.example>", "List-Unsubscribe": "<https://club.example/unsubscribe/abc>",
		"List-Unsubscribe-Post": "List-Unsubscribe=One-Click", "Auto-Submitted": "auto-generated",
		"Date": "Mon, 04 May 2026 12:00:00 +0000", "From": `"Our Club" <club@club.example>`, "Mime-Version": "1.0", "User-Agent": "",
	} {
		if got := read.Header.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if subject := decoded(t, read.Header.Get("Subject")); subject != message.Subject {
		t.Errorf("the subject is %q", subject)
	}
	if addresses, err := read.Header.AddressList("To"); err != nil || len(addresses) != 1 || addresses[0].Name != "Zoë" {
		t.Errorf("to %v, %v", addresses, err)
	}
	if diff := cmp.Diff([]string{"text/plain", "text/html"}, read.Types); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{"text/plain": message.Text, "text/html": message.HTML}, read.Parts); diff != "" {
		t.Error(diff)
	}
	if again := deliverytest.Parse(t, mails[1]); again.Header.Get("Message-Id") != read.Header.Get("Message-Id") {
		t.Error("another attempt is another mail for its reader")
	}
	if server.Connections() != 1 {
		t.Errorf("%d connections for two mails", server.Connections())
	}

	expect(t, "what is needed", delivery.Accepted, to.Send(t.Context(), greeting(func(m *delivery.Message) { m.Class, m.HTML = program.Service, "" })))
	needed := deliverytest.Parse(t, server.Mails()[2])
	if needed.Header.Get("List-Unsubscribe") != "" || needed.Header.Get("List-Unsubscribe-Post") != "" || !slices.Equal(needed.Types, []string{"text/plain"}) {
		t.Errorf("%v, %v", needed.Header, needed.Types)
	}
}

func decoded(t *testing.T, header string) string {
	t.Helper()
	text, err := new(mime.WordDecoder).DecodeHeader(header)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What a member calls itself, or a subject holds, adds no header and no recipient.
func TestMailer_Injection(t *testing.T) {
	t.Parallel()
	server := deliverytest.New(t, deliverytest.Behavior{})
	to := mailer(t, server.URL())
	evil := "Eve\r\nBcc: all@example.com\r\n\r\n<b>\x00\", <x@example.com>"
	expect(t, "a name", delivery.Accepted, to.Send(t.Context(), greeting(func(m *delivery.Message) { m.Subject, m.Member.DisplayName = evil, &evil })))
	read := deliverytest.Parse(t, server.Mails()[0])
	if read.Header.Get("Bcc") != "" || read.Parts["text/plain"] != "Happy birthday!\n" {
		t.Errorf("%v %q", read.Header, read.Parts)
	}
	if addresses, err := read.Header.AddressList("To"); err != nil || len(addresses) != 1 || addresses[0].Address != "zoe@example.com" {
		t.Errorf("to %v, %v", addresses, err)
	}
	if subject := decoded(t, read.Header.Get("Subject")); strings.ContainsAny(subject, "\r\n\x00") {
		t.Errorf("the subject is %q", subject)
	}
	for _, address := range []string{"", "zoe", "zoe@example.com>\r\nRCPT TO:<all@example.com", "a@example.com, b@example.com", "Zoe <zoe@example.com>", "\"a\r\nb\"@example.com"} {
		expect(t, address, delivery.AddressRefused, to.Send(t.Context(), greeting(func(m *delivery.Message) { m.Member.Email = address })))
	}
	if count := len(server.Mails()); count != 1 {
		t.Errorf("%d mails", count)
	}
	expect(t, "an address beyond ASCII", delivery.Accepted, to.Send(t.Context(), greeting(func(m *delivery.Message) { m.Member.Email = "zoë@example.com" })))
	if to := server.Mails()[1].To; to != "zoë@example.com" {
		t.Errorf("to %q", to)
	}
}

// What a server says decides what becomes of the mail, and of the address.
func TestMailer_Refusals(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name             string
		from, rcpt, data error
		want             delivery.Outcome
		code             string
	}{
		{"no mailbox", nil, deliverytest.Refusal(550, [3]int{5, 1, 1}, "no such user"), nil, delivery.AddressRefused, "550 5.1.1"},
		{"mailbox disabled", nil, deliverytest.Refusal(550, [3]int{5, 2, 1}, "disabled"), nil, delivery.AddressRefused, "550 5.2.1"},
		{"said in general", nil, deliverytest.Refusal(553, [3]int{5, 0, 0}, "no"), nil, delivery.AddressRefused, "553 5.0.0"},
		{"mailbox full", nil, deliverytest.Refusal(552, [3]int{5, 2, 2}, "full"), nil, delivery.Refused, "552 5.2.2"},
		{"we are taken for spammers", nil, deliverytest.Refusal(550, [3]int{5, 7, 1}, "blocked"), nil, delivery.Refused, "550 5.7.1"},
		{"greylisted", nil, deliverytest.Refusal(451, [3]int{4, 7, 1}, "later"), nil, delivery.Later, "451 4.7.1"},
		{"who we are is not told", nil, deliverytest.Refusal(530, [3]int{5, 7, 0}, "sign in"), nil, delivery.Later, "530 5.7.0"},
		{"the sender is not allowed", deliverytest.Refusal(550, [3]int{5, 7, 1}, "not you"), nil, nil, delivery.Later, "550 5.7.1"},
		{"the content is refused", nil, nil, deliverytest.Refusal(554, [3]int{5, 6, 0}, "spam"), delivery.Refused, "554 5.6.0"},
		{"not taken now", nil, nil, deliverytest.Refusal(452, [3]int{4, 3, 1}, "disk full"), delivery.Later, "452 4.3.1"},
		{"the server goes", nil, deliverytest.Refusal(421, [3]int{4, 3, 2}, "shutting down"), nil, delivery.Later, "421 4.3.2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := deliverytest.New(t, deliverytest.Behavior{
				From: func(string) error { return test.from }, Rcpt: func(string) error { return test.rcpt },
				Data: func(deliverytest.Mail) error { return test.data },
			})
			to := mailer(t, server.URL())
			for range 2 {
				answer := to.Send(t.Context(), greeting())
				if answer.Outcome != test.want || answer.Code != test.code || answer.Uncertain || strings.Contains(answer.Detail, "zoe@") {
					t.Errorf("%+v", answer)
				}
			}
		})
	}
}

// The one case that nobody can tell: the server took the mail, and the connection broke before it said so.
func TestMailer_Dropped(t *testing.T) {
	t.Parallel()
	var once sync.Once
	server := deliverytest.New(t, deliverytest.Behavior{Taken: func(deliverytest.Mail) (drop bool) {
		once.Do(func() { drop = true })
		return drop
	}})
	to := mailer(t, server.URL())
	if answer := to.Send(t.Context(), greeting()); answer.Outcome != delivery.Later || !answer.Uncertain {
		t.Errorf("%+v", answer)
	}
	expect(t, "the next one", delivery.Accepted, to.Send(t.Context(), greeting()))
	if len(server.Mails()) != 2 || server.Connections() != 2 {
		t.Errorf("%d mails over %d connections", len(server.Mails()), server.Connections())
	}
}

// A connection that the server has ended is replaced, and nothing is lost or sent twice.
func TestMailer_Reconnects(t *testing.T) {
	t.Parallel()
	// The server tells that it goes, as one does that has waited for long.
	var said int
	server := deliverytest.New(t, deliverytest.Behavior{From: func(string) error {
		if said++; said == 2 {
			return deliverytest.Refusal(421, [3]int{4, 4, 2}, "idle for too long")
		}
		return nil
	}})
	to := mailer(t, server.URL())
	for range 3 {
		expect(t, "a mail", delivery.Accepted, to.Send(t.Context(), greeting()))
	}
	to.Rest()
	expect(t, "after a rest", delivery.Accepted, to.Send(t.Context(), greeting()))
	if len(server.Mails()) != 4 || server.Connections() != 3 {
		t.Errorf("%d mails over %d connections", len(server.Mails()), server.Connections())
	}
}

func TestMailer_TLS(t *testing.T) {
	t.Parallel()
	config, trusted := certified(t)
	for _, test := range []struct {
		name, query string
		behavior    deliverytest.Behavior
		trusts      bool
		want        delivery.Outcome
		encrypted   int
	}{
		{"not offered", "", deliverytest.Behavior{}, true, delivery.Accepted, 0},
		{"not offered and required", "?tls=required", deliverytest.Behavior{}, true, delivery.Unreachable, 0},
		{"offered", "", deliverytest.Behavior{TLS: config}, true, delivery.Accepted, 1},
		{"offered on this machine by a name that nobody knows", "", deliverytest.Behavior{TLS: config}, false, delivery.Accepted, 1},
		{"required and trusted", "?tls=required", deliverytest.Behavior{TLS: config}, true, delivery.Accepted, 1},
		{"required and not trusted", "?tls=required", deliverytest.Behavior{TLS: config}, false, delivery.Unreachable, 0},
		{"from the first byte", "", deliverytest.Behavior{TLS: config, Implicit: true}, true, delivery.Accepted, 1},
		{"from the first byte and not trusted", "", deliverytest.Behavior{TLS: config, Implicit: true}, false, delivery.Unreachable, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := deliverytest.New(t, test.behavior)
			to := mailer(t, server.URL()+test.query)
			if test.trusts {
				to.Trust(trusted)
			}
			expect(t, test.name, test.want, to.Send(t.Context(), greeting()))
			if server.Encrypted() != test.encrypted {
				t.Errorf("%d mails were encrypted", server.Encrypted())
			}
		})
	}
}

func TestMailer_Auth(t *testing.T) {
	t.Parallel()
	config, trusted := certified(t)
	for name, behavior := range map[string]deliverytest.Behavior{
		"STARTTLS": {TLS: config, User: "club", Password: "p@ss:w/rd"}, "TLS": {TLS: config, Implicit: true, User: "club", Password: "x"},
		"in the clear on this machine": {User: "club", Password: "x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := deliverytest.New(t, behavior)
			to := mailer(t, server.URL())
			to.Trust(trusted)
			for range 2 {
				expect(t, "signed in", delivery.Accepted, to.Send(t.Context(), greeting()))
			}
			if diff := cmp.Diff([]string{"club"}, server.Users()); diff != "" {
				t.Error(diff)
			}
			wrong := mailer(t, strings.Replace(server.URL(), "club:", "club:no", 1))
			wrong.Trust(trusted)
			answer := wrong.Send(t.Context(), greeting())
			expect(t, "a wrong password", delivery.Unreachable, answer)
			if strings.Contains(answer.Detail, "nox") || strings.Contains(answer.Detail, "nop@") {
				t.Errorf("it tells the password: %s", answer.Detail)
			}
		})
	}
	t.Run("not offered", func(t *testing.T) {
		t.Parallel()
		server := deliverytest.New(t, deliverytest.Behavior{})
		expect(t, "a user that nobody asks for", delivery.Unreachable,
			mailer(t, strings.Replace(server.URL(), "//", "//club:x@", 1)).Send(t.Context(), greeting()))
	})
}

// Where nobody listens, nothing was handed over.
func TestMailer_Unreachable(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := listener.Addr().String()
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	answer := mailer(t, "smtp://"+address).Send(t.Context(), greeting())
	expect(t, "nobody", delivery.Unreachable, answer)
	if !strings.Contains(answer.Detail, address) {
		t.Errorf("it does not say who: %s", answer.Detail)
	}
}

// Mails of several workers share a few connections.
func TestMailer_Several(t *testing.T) {
	t.Parallel()
	server := deliverytest.New(t, deliverytest.Behavior{})
	to := mailer(t, server.URL())
	var sending sync.WaitGroup
	for range 4 {
		sending.Go(func() {
			for range 25 {
				expect(t, "a mail", delivery.Accepted, to.Send(t.Context(), greeting()))
			}
		})
	}
	sending.Wait()
	if len(server.Mails()) != 100 || server.Connections() > 4 {
		t.Errorf("%d mails over %d connections", len(server.Mails()), server.Connections())
	}
}

func TestParseMailServer(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]delivery.MailServer{
		"smtp://mail.example":                  {Host: "mail.example", Port: 587},
		"smtp://mail.example:25/?tls=required": {Host: "mail.example", Port: 25, Insist: true},
		"smtp://a%40b:p%3Ass@mail.example":     {Host: "mail.example", Port: 587, User: "a@b", Password: "p:ss", Insist: true},
		"smtp://a:b@127.0.0.1:2525":            {Host: "127.0.0.1", Port: 2525, User: "a", Password: "b"},
		"smtps://mail.example":                 {Host: "mail.example", Port: 465, TLS: true},
		"smtp://[::1]:2525":                    {Host: "::1", Port: 2525},
	} {
		got, err := delivery.ParseMailServer(text)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", text, err, diff)
		}
	}
	for _, text := range []string{
		"", "mail.example", "mail.example:25", "http://mail.example", "smtp://", "smtp://x:secret@mail.example:port", "smtp://mail.example:0",
		"smtp://mail.example?tls=maybe", "smtp://mail.example?x=1", "smtp://mail.example/path", "smtp://x:secret@mail.example:99999",
		"smtp://:secret@mail.example", "smtp://x:sec%ret@mail.example", "smtp://x:secret@mail.example#secret",
	} {
		got, err := delivery.ParseMailServer(text)
		if err == nil {
			t.Errorf("%q: %+v", text, got)
		} else if strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "sec%ret") {
			t.Errorf("%q: the error tells the password: %v", text, err)
		}
	}
	if got, err := delivery.ParseSender("Our Club <club@club.example>"); err != nil || got.Name != "Our Club" || got.Address != "club@club.example" {
		t.Errorf("%v %v", got, err)
	}
	for _, text := range []string{"", "club", "club@club", "a@b.example, c@d.example", "Our Club <club@club.example"} {
		if got, err := delivery.ParseSender(text); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

package delivery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"
	"time"
	"unicode"

	"github.com/wneessen/go-mail"
	"github.com/wneessen/go-mail/smtp"

	"regulars/internal/program"
)

// How long a mail server may take: to be reached, to greet and to let us in; and to take one mail.
const (
	connectTime = 15 * time.Second
	mailTime    = 30 * time.Second
)

// Mailer hands mails to a server over connections that it keeps. It is safe for concurrent use.
type Mailer struct {
	server MailServer
	from   netmail.Address
	rate   int
	tls    *tls.Config
	idle   chan *connection
}

// NewMailer returns a mailer to the server; mails are from the address, and who calls it hands over rate of them in a second at
// most. It connects when there is a mail.
func NewMailer(server MailServer, from netmail.Address, rate int) *Mailer {
	// Beyond this a connection that is not needed ends.
	const kept = 8
	return &Mailer{
		server: server, from: from, rate: rate, idle: make(chan *connection, kept),
		tls: &tls.Config{
			ServerName: server.Host, MinVersion: tls.VersionTLS12,
			// A mail server beside us has a certificate for its public name, if any, and nobody is in between.
			InsecureSkipVerify: server.local() && !server.TLS && !server.Insist,
		},
	}
}

// Rate is how many mails in a second the server is to be given.
func (m *Mailer) Rate() int { return m.rate }

// String names the server.
func (m *Mailer) String() string { return "the mail server " + m.server.String() }

// connection is one to the server, let in and ready for a mail.
type connection struct {
	client *mail.Client
	wire   *smtp.Client
	used   bool
}

// Send hands the message over as one mail. What has begun is brought to its end even if ctx ends meanwhile: it takes 45 seconds
// at most.
func (m *Mailer) Send(ctx context.Context, message Message) Answer {
	composed, err := m.compose(message)
	if err != nil {
		return Answer{Outcome: AddressRefused, Detail: "The address is none that a mail server takes."}
	}
	ctx = context.WithoutCancel(ctx)
	for {
		on, err := m.take(ctx)
		if err != nil {
			return Answer{Outcome: Unreachable, Detail: fmt.Sprintf("%s does not let us in: %v", m.server, err)}
		}
		answer, failed := on.send(composed, ascii(message.Member.Email))
		if failed == nil || failed.keeps() {
			on.used = true
			m.keep(on)
			return answer
		}
		_ = on.wire.Close()
		// The server has ended a connection that was idle: this mail has not begun on it.
		if on.used && failed.step == mail.ErrSMTPMailFrom && (failed.code == 0 || failed.code == closing) {
			continue
		}
		return answer
	}
}

// Rest ends the connections that are idle; a later mail makes a new one.
func (m *Mailer) Rest() {
	for {
		select {
		case on := <-m.idle:
			m.end(on)
		default:
			return
		}
	}
}

// take returns a connection that is idle, or a new one.
func (m *Mailer) take(ctx context.Context) (*connection, error) {
	select {
	case on := <-m.idle:
		return on, nil
	default:
		return m.connect(ctx)
	}
}

func (m *Mailer) keep(on *connection) {
	select {
	case m.idle <- on:
	default:
		m.end(on)
	}
}

// end says goodbye, for as long as the server listens.
func (*Mailer) end(on *connection) {
	const patience = 2 * time.Second
	if on.wire.UpdateDeadline(patience) != nil || on.wire.Quit() != nil {
		_ = on.wire.Close()
	}
}

// connect makes a connection. Each has a client of its own, since a client notes what its server can do.
func (m *Mailer) connect(ctx context.Context) (*connection, error) {
	var raw net.Conn
	options := []mail.Option{
		mail.WithPort(m.server.Port), mail.WithTimeout(connectTime), mail.WithHELO(domain(m.from.Address)), mail.WithTLSConfig(m.tls),
		// Neither is needed between mails, and each costs a round trip.
		mail.WithoutNoop(), mail.WithoutRset(),
		mail.WithDialContextFunc(func(ctx context.Context, network, address string) (opened net.Conn, err error) {
			if m.server.TLS {
				opened, err = (&tls.Dialer{Config: m.tls}).DialContext(ctx, network, address)
			} else {
				opened, err = (&net.Dialer{}).DialContext(ctx, network, address)
			}
			raw = opened
			return opened, err
		}),
	}
	switch {
	case m.server.TLS:
		options = append(options, mail.WithSSL())
	case m.server.Insist:
		options = append(options, mail.WithTLSPolicy(mail.TLSMandatory))
	default:
		options = append(options, mail.WithTLSPolicy(mail.TLSOpportunistic))
	}
	if m.server.User != "" {
		plain, login := mail.SMTPAuthPlain, mail.SMTPAuthLogin
		if m.server.local() {
			plain, login = mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc
		}
		options = append(options, mail.WithUsername(m.server.User), mail.WithPassword(m.server.Password),
			mail.WithOpportunisticSMTPAuth(mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, plain, login, mail.SMTPAuthCramMD5))
	}
	client, err := mail.NewClient(m.server.Host, options...)
	if err != nil {
		return nil, err
	}
	wire, err := client.DialToSMTPClientWithContext(ctx)
	if err != nil {
		// The client leaves a connection open over which it was not let in.
		if raw != nil {
			_ = raw.Close()
		}
		return nil, err
	}
	return &connection{client: client, wire: wire}, nil
}

// send hands one mail over.
func (c *connection) send(composed *mail.Msg, plain bool) (Answer, *failure) {
	if err := c.wire.UpdateDeadline(mailTime); err != nil {
		return Answer{Outcome: Later, Detail: err.Error()}, &failure{step: mail.ErrSMTPMailFrom}
	}
	// Asking for it makes servers refuse mails to others that cannot do it, and only such addresses need it.
	c.wire.SkipSMTPUTF8(plain)
	err := c.client.SendWithSMTPClient(c.wire, composed)
	if err == nil {
		return Answer{Outcome: Accepted}, nil
	}
	failed := failureOf(err)
	answer := failed.answer()
	return answer, failed
}

// compose writes the mail. The error is about the address.
func (m *Mailer) compose(message Message) (*mail.Msg, error) {
	to, err := netmail.ParseAddress(message.Member.Email)
	if err != nil {
		return nil, err
	}
	if to.Name != "" || strings.ContainsFunc(to.Address, unicode.IsControl) {
		return nil, errors.New("not an address alone")
	}
	if message.Member.DisplayName != nil {
		to.Name = line(*message.Member.DisplayName)
	}
	composed := mail.NewMsg(mail.WithNoDefaultUserAgent())
	composed.FromMailAddress(&m.from)
	composed.ToMailAddress(to)
	composed.Subject(line(message.Subject))
	composed.SetDateWithValue(message.At)
	composed.SetMessageIDWithValue(message.ID.String() + "@" + domain(m.from.Address))
	composed.SetGenHeader("Auto-Submitted", "auto-generated")
	if message.Unsubscribe != "" && message.Class != program.Service {
		composed.SetListUnsubscribe(message.Unsubscribe)
		composed.SetListUnsubscribePost()
	}
	composed.SetBodyString(mail.TypeTextPlain, message.Text)
	if message.HTML != "" {
		composed.AddAlternativeString(mail.TypeTextHTML, message.HTML)
	}
	return composed, nil
}

// line is the text as one line: a header holds no line break, whatever a member calls itself.
func line(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text))
}

func ascii(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r > unicode.MaxASCII })
}

package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"

	"regulars/care/delivery"
	"regulars/internal/identity"
)

// maximumMailRate is as fast as mails can be paced.
const maximumMailRate = 10_000

// Delivery says by which ways members are sent messages. Without a mail server mails wait, and without a receiver webhooks.
type Delivery struct {
	SMTPURL       string `name:"smtp-url" env:"REGULARS_SMTP_URL" placeholder:"URL" help:"The mail server: smtp://user:password@mail.example:587 (STARTTLS when offered; ?tls=required insists) or smtps://… Better given by the environment, since others can see flags."`
	MailFrom      string `name:"mail-from" env:"REGULARS_MAIL_FROM" placeholder:"ADDRESS" help:"From whom mails are, e.g. 'Our Club <club@club.example>'; needed with the mail server."`
	MailRate      int    `name:"mail-rate" env:"REGULARS_MAIL_RATE" default:"50" placeholder:"MAILS" help:"How many mails the server is given in a second at most (${default})."`
	WebhookURL    string `name:"webhook-url" env:"REGULARS_WEBHOOK_URL" placeholder:"URL" help:"Who is posted messages to send on, as text messages or push notifications."`
	WebhookSecret string `name:"webhook-secret" env:"REGULARS_WEBHOOK_SECRET" placeholder:"SECRET" help:"What those are signed with: whsec_ and base64 of at least 24 bytes; needed with the receiver. Better given by the environment."`
}

// Channels are the ways that are set up, at a rate that is valid. The error names the setting with a value that cannot be, and
// shows no secret.
func (d Delivery) Channels() (delivery.Channels, error) {
	var channels delivery.Channels
	switch {
	case d.SMTPURL != "":
		server, err := delivery.ParseMailServer(d.SMTPURL)
		if err != nil {
			return channels, fmt.Errorf("REGULARS_SMTP_URL (--smtp-url): %w", err)
		}
		if d.MailFrom == "" {
			return channels, errors.New("REGULARS_MAIL_FROM (--mail-from): a mail server needs to know from whom mails are")
		}
		from, err := delivery.ParseSender(d.MailFrom)
		if err != nil {
			return channels, fmt.Errorf("REGULARS_MAIL_FROM (--mail-from): %w", err)
		}
		channels.Mail = delivery.NewMailer(server, from, d.MailRate)
	case d.MailFrom != "":
		return channels, errors.New("REGULARS_MAIL_FROM (--mail-from): it needs the mail server, REGULARS_SMTP_URL")
	}
	switch {
	case d.WebhookURL != "":
		receiver, err := delivery.ParseReceiver(d.WebhookURL)
		if err != nil {
			return channels, fmt.Errorf("REGULARS_WEBHOOK_URL (--webhook-url): %w", err)
		}
		if d.WebhookSecret == "" {
			return channels, errors.New("REGULARS_WEBHOOK_SECRET (--webhook-secret): webhooks need a secret that they are signed with")
		}
		secret, err := delivery.ParseSecret(d.WebhookSecret)
		if err != nil {
			return channels, fmt.Errorf("REGULARS_WEBHOOK_SECRET (--webhook-secret): %w", err)
		}
		channels.Webhook = delivery.NewWebhook(receiver, secret)
	case d.WebhookSecret != "":
		return channels, errors.New("REGULARS_WEBHOOK_SECRET (--webhook-secret): it needs the receiver, REGULARS_WEBHOOK_URL")
	}
	return channels, nil
}

// NotSetUp tells in words what waits for want of a setting; nothing if all ways are set up.
func (d Delivery) NotSetUp() []string {
	var waiting []string
	if d.SMTPURL == "" {
		waiting = append(waiting, "there is no mail server, so mails to members stay queued; REGULARS_SMTP_URL names one")
	}
	if d.WebhookURL == "" {
		waiting = append(waiting, "there is no receiver of webhooks, so text messages and push notifications stay queued; REGULARS_WEBHOOK_URL names one")
	}
	return waiting
}

// validateDelivery checks the ways, and that mails do not lead to where members cannot follow.
func (s Settings) validateDelivery() error {
	if rate := s.Delivery.MailRate; rate < 1 || rate > maximumMailRate {
		return fmt.Errorf("REGULARS_MAIL_RATE (--mail-rate): %d is not between 1 and %d", rate, maximumMailRate)
	}
	if _, err := s.Delivery.Channels(); err != nil || s.Delivery.SMTPURL == "" {
		return err
	}
	public, err := url.Parse(s.LinkURL())
	if err != nil || !identity.Confidential(public) {
		return errors.New("REGULARS_PUBLIC_URL (--public-url): mails link to it, so with REGULARS_SMTP_URL it must be https (http only on this machine)")
	}
	return nil
}

// LinkURL is where members find what messages link to, without a slash at the end: the public URL, or else the address that is
// listened on.
func (s Settings) LinkURL() string {
	if s.PublicURL != "" {
		return strings.TrimSuffix(s.PublicURL, "/")
	}
	if host, port, err := net.SplitHostPort(s.Addr); err == nil && host == "" {
		return "http://0.0.0.0:" + port
	}
	return "http://" + s.Addr
}

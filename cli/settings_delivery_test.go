package cli_test

import (
	"strings"
	"testing"

	"regulars/cli"
)

const webhookSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func TestSettings_Delivery(t *testing.T) {
	t.Parallel()
	given, code, messages := served("--smtp-url=smtp://mail.example", "--mail-from=Our Club <club@club.example>", "--mail-rate=7",
		"--public-url=https://club.example/", "--webhook-url=https://push.example", "--webhook-secret="+webhookSecret)
	channels, err := given.Delivery.Channels()
	if code != 0 || err != nil || channels.Mail == nil || channels.Mail.Rate() != 7 || channels.Webhook == nil {
		t.Errorf("exit code %d, %s: %+v, %v", code, messages, channels, err)
	}
	if waiting := given.Delivery.NotSetUp(); len(waiting) != 0 || given.LinkURL() != "https://club.example" {
		t.Errorf("%q, %s", waiting, given.LinkURL())
	}
	given, _, _ = served()
	channels, err = given.Delivery.Channels()
	if err != nil || channels.Mail != nil || channels.Webhook != nil || given.Delivery.MailRate != 50 {
		t.Errorf("by default: %+v, %v", channels, err)
	}
	if waiting := strings.Join(given.Delivery.NotSetUp(), "\n"); !strings.Contains(waiting, "REGULARS_SMTP_URL") || !strings.Contains(waiting, "REGULARS_WEBHOOK_URL") {
		t.Errorf("%q", waiting)
	}
}

// What cannot be stops the start, names its key and shows no secret.
func TestSettings_BadDelivery(t *testing.T) {
	t.Parallel()
	const from = "--mail-from=club@club.example"
	for _, test := range []struct {
		key   string
		flags []string
	}{
		{"REGULARS_SMTP_URL", []string{"--smtp-url=smtp://club:hush@mail.example:x", from}},
		{"REGULARS_SMTP_URL", []string{"--smtp-url=hush", from}},
		{"REGULARS_MAIL_FROM", []string{"--smtp-url=smtp://mail.example"}},
		{"REGULARS_MAIL_FROM", []string{"--smtp-url=smtp://mail.example", "--mail-from=club"}},
		{"REGULARS_MAIL_FROM", []string{from}},
		{"REGULARS_MAIL_RATE", []string{"--mail-rate=0"}},
		{"REGULARS_MAIL_RATE", []string{"--mail-rate=10001"}},
		{"REGULARS_WEBHOOK_URL", []string{"--webhook-url=http://push.example", "--webhook-secret=" + webhookSecret}},
		{"REGULARS_WEBHOOK_SECRET", []string{"--webhook-url=https://push.example"}},
		{"REGULARS_WEBHOOK_SECRET", []string{"--webhook-url=https://push.example", "--webhook-secret=whsec_hush"}},
		{"REGULARS_WEBHOOK_SECRET", []string{"--webhook-secret=" + webhookSecret}},
		{"REGULARS_PUBLIC_URL", []string{"--smtp-url=smtp://mail.example", from, "--public-url=http://club.example"}},
		{"REGULARS_PUBLIC_URL", []string{"--smtp-url=smtp://mail.example", from, "--addr=0.0.0.0:8080"}},
		{"REGULARS_PUBLIC_URL", []string{"--smtp-url=smtp://mail.example", from, "--addr=:8080"}},
	} {
		_, code, messages := served(test.flags...)
		if code != 2 || !strings.Contains(messages, test.key+" (--") || strings.Contains(messages, "hush") || strings.Contains(messages, webhookSecret) {
			t.Errorf("%q: exit code %d: %s", test.flags, code, messages)
		}
	}
}

func TestSettings_LinkURL(t *testing.T) {
	t.Parallel()
	for want, settings := range map[string]cli.Settings{
		"https://club.example":  {Addr: ":8080", PublicURL: "https://club.example/"},
		"http://127.0.0.1:8080": {Addr: "127.0.0.1:8080"},
		"http://0.0.0.0:8080":   {Addr: ":8080"},
	} {
		if got := settings.LinkURL(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

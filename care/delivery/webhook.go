package delivery

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"regulars/internal/program"
)

const (
	// webhookTime is how long a receiver may take for one message.
	webhookTime = 15 * time.Second
	// maximumWait bounds what a receiver may ask for by Retry-After.
	maximumWait = 4 * time.Hour
)

// messageType is what a webhook is told to be about.
const messageType = "message.queued"

// Webhook posts messages to a receiver that sends them on, as text messages or push notifications, by the convention of Standard
// Webhooks. It is safe for concurrent use.
type Webhook struct {
	receiver string
	secret   Secret
	client   *http.Client
}

// ParseReceiver reads the address of a receiver: https, or http on this machine.
func ParseReceiver(text string) (string, error) {
	parsed, err := url.Parse(text)
	if err != nil || parsed.Hostname() == "" || parsed.User != nil || parsed.Fragment != "" {
		return "", errors.New("it is not an address like https://push.example/regulars")
	}
	address, err := netip.ParseAddr(parsed.Hostname())
	local := parsed.Hostname() == "localhost" || err == nil && address.IsLoopback()
	if parsed.Scheme != "https" && (parsed.Scheme != "http" || !local) {
		return "", errors.New("it is not https (http only on this machine): it is told names and phone numbers")
	}
	return parsed.String(), nil
}

// NewWebhook returns a webhook to the receiver, which ParseReceiver has read, that signs with the secret.
func NewWebhook(receiver string, secret Secret) *Webhook {
	return &Webhook{receiver: receiver, secret: secret, client: &http.Client{
		Timeout:   webhookTime,
		Transport: http.DefaultTransport.(*http.Transport).Clone(),
		// What is signed for one receiver is not for another.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// webhookBody is what a receiver reads; docs/webhooks.md describes it.
type webhookBody struct {
	Type     string               `json:"type"`
	ID       string               `json:"id"`
	Member   webhookMember        `json:"member"`
	Class    program.MessageClass `json:"class"`
	Occasion string               `json:"occasion"`
	Subject  string               `json:"subject"`
	Body     string               `json:"body"`
}

type webhookMember struct {
	ID          string  `json:"id"`
	ExternalID  *string `json:"externalId"`
	DisplayName *string `json:"displayName"`
	Phone       *string `json:"phone"`
	Locale      string  `json:"locale"`
}

// Send hands the message over by one request. What has begun is brought to its end even if ctx ends meanwhile: it takes 15
// seconds at most.
func (w *Webhook) Send(ctx context.Context, message Message) Answer {
	body, err := json.Marshal(webhookBody{
		Type: messageType, ID: message.ID.String(), Class: message.Class, Occasion: message.Occasion, Subject: message.Subject, Body: message.Text,
		Member: webhookMember{
			ID: message.Member.ID.String(), ExternalID: message.Member.ExternalID, DisplayName: message.Member.DisplayName,
			Phone: message.Member.Phone, Locale: message.Member.Locale,
		},
	})
	if err != nil {
		return Answer{Outcome: Refused, Detail: err.Error()}
	}
	var begun atomic.Bool
	traced := httptrace.WithClientTrace(context.WithoutCancel(ctx), &httptrace.ClientTrace{WroteHeaders: func() { begun.Store(true) }})
	request, err := http.NewRequestWithContext(traced, http.MethodPost, w.receiver, bytes.NewReader(body))
	if err != nil {
		return Answer{Outcome: Unreachable, Detail: err.Error()}
	}
	request.Header = w.secret.sign(message.ID.String(), message.At, body)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("User-Agent", "Regulars")
	response, err := w.client.Do(request)
	if err != nil {
		// Its text leads with the address, whose path may be a secret.
		if told, ok := errors.AsType[*url.Error](err); ok {
			err = told.Err
		}
		if !begun.Load() {
			return Answer{Outcome: Unreachable, Detail: "The receiver of webhooks cannot be reached: " + err.Error()}
		}
		return Answer{Outcome: Later, Detail: err.Error(), Uncertain: true}
	}
	defer func() { _ = response.Body.Close() }()
	// A body that is read leaves its connection for the next request.
	const read = 64 << 10
	_, _ = io.CopyN(io.Discard, response.Body, read)
	return judge(response)
}

// judge reads the answer of a receiver.
func judge(response *http.Response) Answer {
	answer := Answer{
		Outcome: Later, Code: strconv.Itoa(response.StatusCode),
		Detail: fmt.Sprintf("The receiver of webhooks answered %d %s.", response.StatusCode, http.StatusText(response.StatusCode)),
	}
	switch code := response.StatusCode; {
	case code >= 200 && code < 300:
		return Answer{Outcome: Accepted, Code: answer.Code}
	case code == http.StatusUnauthorized, code == http.StatusForbidden, code == http.StatusNotFound, code == http.StatusMethodNotAllowed:
		// The secret or the address does not fit: that is set right, and no message has anything to do with it.
	case code == http.StatusRequestTimeout, code == http.StatusConflict, code == http.StatusTooEarly, code == http.StatusTooManyRequests:
	case code >= 400 && code < 500:
		answer.Outcome = Refused
	}
	if answer.Outcome == Later {
		// A date is not read: it would depend on the receiver's clock.
		if seconds, err := strconv.ParseInt(response.Header.Get("Retry-After"), 10, 64); err == nil && seconds > 0 {
			answer.After = time.Duration(min(seconds, int64(maximumWait/time.Second))) * time.Second
		}
	}
	return answer
}

// Rest ends the connections that are idle; a later message makes a new one.
func (w *Webhook) Rest() { w.client.CloseIdleConnections() }

// String names the channel; the receiver's address may hold a secret.
func (*Webhook) String() string { return "the receiver of webhooks" }

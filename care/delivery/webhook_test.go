package delivery_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care/delivery"
	"regulars/internal/program"
)

const secretText = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

func secret(t *testing.T) delivery.Secret {
	t.Helper()
	read, err := delivery.ParseSecret(secretText)
	if err != nil {
		t.Fatal(err)
	}
	return read
}

// request is one that a receiver got.
type request struct {
	headers http.Header
	body    []byte
}

// receiver takes webhooks and answers each as it is told; what it got comes over the channel.
func receiver(t *testing.T, answer func(http.ResponseWriter)) (*delivery.Webhook, <-chan request) {
	t.Helper()
	got := make(chan request, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || r.Method != http.MethodPost {
			t.Errorf("%s: %v", r.Method, err)
		}
		got <- request{r.Header, body}
		answer(w)
	}))
	t.Cleanup(server.Close)
	address, err := delivery.ParseReceiver(server.URL + "/hook")
	if err != nil {
		t.Fatal(err)
	}
	return delivery.NewWebhook(address, secret(t)), got
}

func TestWebhook_Request(t *testing.T) {
	t.Parallel()
	hook, got := receiver(t, func(w http.ResponseWriter) { w.WriteHeader(http.StatusAccepted) })
	phone := "+491701234567"
	message := greeting(func(m *delivery.Message) { m.Member.Phone, m.Class = &phone, program.Marketing })
	expect(t, "a message", delivery.Accepted, hook.Send(t.Context(), message))
	one := <-got
	if err := delivery.Verify(secret(t), one.headers, one.body, at.Add(time.Minute)); err != nil {
		t.Error(err)
	}
	if id := one.headers.Get("webhook-id"); id != message.ID.String() {
		t.Errorf("webhook-id is %q", id)
	}
	var read any
	if err := json.Unmarshal(one.body, &read); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"type": "message.queued", "id": message.ID.String(), "class": "MARKETING", "occasion": "BIRTHDAY", "subject": message.Subject, "body": message.Text,
		"member": map[string]any{"id": message.Member.ID.String(), "externalId": nil, "displayName": "Zoë", "phone": phone, "locale": "en"},
	}
	if diff := cmp.Diff(any(want), read); diff != "" {
		t.Error(diff)
	}
	// A later attempt is the same message, signed anew.
	message.At = at.Add(time.Hour)
	expect(t, "the same later", delivery.Accepted, hook.Send(t.Context(), message))
	again := <-got
	if again.headers.Get("webhook-id") != one.headers.Get("webhook-id") || again.headers.Get("webhook-timestamp") == one.headers.Get("webhook-timestamp") {
		t.Errorf("%v", again.headers)
	}
	if err := delivery.Verify(secret(t), again.headers, again.body, message.At); err != nil {
		t.Error(err)
	}
}

// The example of the convention's own documentation.
func TestVerify_Convention(t *testing.T) {
	t.Parallel()
	known, err := delivery.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	headers := http.Header{}
	headers.Set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
	headers.Set("webhook-timestamp", "1614265330")
	headers.Set("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
	if err := delivery.Verify(known, headers, []byte(`{"test": 2432232314}`), time.Unix(1614265330, 0)); err != nil {
		t.Error(err)
	}
}

// What was changed, repeated later or signed by others is refused.
func TestVerify(t *testing.T) {
	t.Parallel()
	hook, got := receiver(t, func(w http.ResponseWriter) { w.WriteHeader(http.StatusOK) })
	expect(t, "a message", delivery.Accepted, hook.Send(t.Context(), greeting()))
	one := <-got
	other, err := delivery.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)))
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		secret delivery.Secret
		now    time.Time
		change func(headers http.Header) []byte
		want   error
	}{
		{"as it came", secret(t), at, nil, nil},
		{"5 minutes later", secret(t), at.Add(5 * time.Minute), nil, nil},
		{"5 minutes before", secret(t), at.Add(-5 * time.Minute), nil, nil},
		{"later still", secret(t), at.Add(5*time.Minute + time.Second), nil, delivery.ErrSignature},
		{"before that", secret(t), at.Add(-5*time.Minute - time.Second), nil, delivery.ErrSignature},
		{"another secret", other, at, nil, delivery.ErrSignature},
		{"another body", secret(t), at, func(http.Header) []byte { return append(slices.Clone(one.body), ' ') }, delivery.ErrSignature},
		{"another id", secret(t), at, func(h http.Header) []byte { h.Set("webhook-id", "msg_x"); return one.body }, delivery.ErrSignature},
		{"another time", secret(t), at, func(h http.Header) []byte {
			h.Set("webhook-timestamp", fmt.Sprint(at.Unix()+1))
			return one.body
		}, delivery.ErrSignature},
		{"no time", secret(t), at, func(h http.Header) []byte { h.Set("webhook-timestamp", "soon"); return one.body }, delivery.ErrSignature},
		{"a time at the end of time", secret(t), at, func(h http.Header) []byte {
			h.Set("webhook-timestamp", "9223372036854775807")
			return one.body
		}, delivery.ErrSignature},
		{"no signature", secret(t), at, func(h http.Header) []byte { h.Del("webhook-signature"); return one.body }, delivery.ErrSignature},
		{"another one first", secret(t), at, func(h http.Header) []byte {
			h.Set("webhook-signature", "v1,AAAA v1a,x "+h.Get("webhook-signature"))
			return one.body
		}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			headers, body := one.headers.Clone(), one.body
			if test.change != nil {
				body = test.change(headers)
			}
			if err := delivery.Verify(test.secret, headers, body, test.now); err != test.want { //nolint:errorlint // it is returned as it is
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

func TestWebhook_Answers(t *testing.T) {
	t.Parallel()
	for status, want := range map[int]delivery.Outcome{
		200: delivery.Accepted, 202: delivery.Accepted, 204: delivery.Accepted, 301: delivery.Later, 307: delivery.Later,
		400: delivery.Refused, 401: delivery.Later, 403: delivery.Later, 404: delivery.Later, 405: delivery.Later, 410: delivery.Refused, 422: delivery.Refused,
		408: delivery.Later, 409: delivery.Later, 425: delivery.Later, 429: delivery.Later, 500: delivery.Later, 503: delivery.Later,
	} {
		for retry, after := range map[string]time.Duration{
			"": 0, "120": 2 * time.Minute, "999999999999": 4 * time.Hour, "-5": 0, "Wed, 21 Oct 2099 07:28:00 GMT": 0,
		} {
			t.Run(fmt.Sprint(status, retry), func(t *testing.T) {
				t.Parallel()
				// A redirect would come back to the same receiver, which would answer again.
				hook, got := receiver(t, func(w http.ResponseWriter) {
					w.Header().Set("Location", "/elsewhere")
					if retry != "" {
						w.Header().Set("Retry-After", retry)
					}
					w.WriteHeader(status)
				})
				answer := hook.Send(t.Context(), greeting())
				expect(t, "it", want, answer)
				if want != delivery.Later {
					after = 0
				}
				if answer.After != after || answer.Code != fmt.Sprint(status) || answer.Uncertain || len(got) != 1 {
					t.Errorf("%+v after %d requests", answer, len(got))
				}
			})
		}
	}
}

// A receiver that breaks off may have taken the message; where nobody listens, nothing was handed over.
func TestWebhook_Network(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	hook := delivery.NewWebhook(server.URL+"/path-secret", secret(t))
	if answer := hook.Send(t.Context(), greeting()); answer.Outcome != delivery.Later || !answer.Uncertain || strings.Contains(answer.Detail, "path-secret") {
		t.Errorf("broken off: %+v", answer)
	}
	server.Close()
	if answer := hook.Send(t.Context(), greeting()); answer.Outcome != delivery.Unreachable || answer.Uncertain || strings.Contains(answer.Detail, "path-secret") {
		t.Errorf("nobody: %+v", answer)
	}
}

func TestParseReceiver(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"https://push.example", "https://push.example/a?b=c", "http://localhost:9000/x", "http://127.0.0.1", "http://[::1]/"} {
		if got, err := delivery.ParseReceiver(text); err != nil || got != text {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "push.example", "http://push.example", "ftp://push.example", "https://", "https://user:secret@push.example", "https://push.example/#secret"} {
		if got, err := delivery.ParseReceiver(text); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q, %v", text, got, err)
		}
	}
}

func TestParseSecret(t *testing.T) {
	t.Parallel()
	if got := secret(t); fmt.Sprintf("%v %s %+v %#v", got, got, got, got) != strings.TrimSpace(strings.Repeat("whsec_… ", 4)) {
		t.Errorf("it is shown: %v", fmt.Sprintf("%v %s %+v %#v", got, got, got, got))
	}
	for _, text := range []string{"", "whsec_", "secret", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_c2VjcmV0", "whsec_secret!"} {
		if _, err := delivery.ParseSecret(text); err == nil || strings.Contains(err.Error(), "c2VjcmV0") || strings.Contains(err.Error(), "secret!") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

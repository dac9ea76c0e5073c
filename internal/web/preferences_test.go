package web_test

import (
	"bytes"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/care"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/ratelimit"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// reader is a member that has a mail, and pages to which its links lead.
type reader struct {
	*bundle
	db     *postgres.DB
	care   *care.Service
	member id.Member
	token  string
	t      *testing.T
}

func newReader(t *testing.T, locale string) *reader {
	t.Helper()
	world := loyaltytest.New(t)
	member := world.Enroll(func(input *loyalty.EnrollMemberInput) { input.Locale = &locale })
	keys := identity.NewSigningKeys(world.DB)
	r := &reader{bundle: setup(t), db: world.DB, care: care.New(world.DB, world.Service, keys, "https://club.example"), member: member.ID, t: t}
	r.parts.Care = r.care
	payload, err := json.Marshal(map[string]any{"m": member.ID, "c": program.Marketing, "h": program.Email})
	if err != nil {
		t.Fatal(err)
	}
	if r.token, err = keys.Sign(t.Context(), "preferences", payload); err != nil {
		t.Fatal(err)
	}
	r.say(program.Marketing)
	r.say(program.Care)
	return r
}

// say has the member allow mails of a class.
func (r *reader) say(class care.Class) {
	r.t.Helper()
	ctx := actor.With(r.t.Context(), actor.System("test"))
	if _, err := r.care.SetConsent(ctx, care.SetConsentInput{
		Member: &loyalty.MemberRef{ID: &r.member}, Class: class, Channel: program.Email, Granted: true, Source: "app",
	}); err != nil {
		r.t.Fatal(err)
	}
}

// allowed is what the member allows by e-mail.
func (r *reader) allowed() []care.Class {
	r.t.Helper()
	said, err := r.care.Consents(actor.With(r.t.Context(), actor.System("test")), []id.Member{r.member})
	if err != nil {
		r.t.Fatal(err)
	}
	allowed := []care.Class{}
	for _, one := range *said[r.member] {
		if one.Granted {
			allowed = append(allowed, one.Class)
		}
	}
	return allowed
}

// expect compares what the member allows by e-mail.
func (r *reader) expect(what string, want ...care.Class) {
	r.t.Helper()
	if diff := cmp.Diff(append([]care.Class{}, want...), r.allowed()); diff != "" {
		r.t.Errorf("%s: %s", what, diff)
	}
}

func (r *reader) request(method, address string, body []byte, contentType string) *httptest.ResponseRecorder {
	r.t.Helper()
	request := httptest.NewRequestWithContext(r.t.Context(), method, address, bytes.NewReader(body))
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	answer := r.serve(request)
	if answer.Code < http.StatusMultipleChoices && answer.Header().Get("Cache-Control") != "no-store" || answer.Header().Get("Referrer-Policy") != "no-referrer" {
		r.t.Errorf("%s %s: the headers are %v", method, address, answer.Header())
	}
	return answer
}

const formType = "application/x-www-form-urlencoded"

// Complaint 4: scanners that follow the links of mails unsubscribe whole companies (Rock #7034, emailflare #190, useSend #412, noptin
// #954, listmonk #1454). Whatever they do but a POST changes nothing; the page has one button.
func TestUnsubscribe_Complaint4_OnlyByPost(t *testing.T) {
	t.Parallel()
	r := newReader(t, "en")
	address := "/unsubscribe/" + r.token
	for _, method := range []string{http.MethodHead, http.MethodGet, http.MethodGet, http.MethodOptions, http.MethodPut} {
		answer := r.serve(httptest.NewRequestWithContext(t.Context(), method, address+"?List-Unsubscribe=One-Click", http.NoBody))
		if got := answer.Code == http.StatusOK; got != (method == http.MethodHead || method == http.MethodGet) {
			t.Errorf("%s is answered %d", method, answer.Code)
		}
	}
	r.expect("after looking", program.Care, program.Marketing)
	page := r.request(http.MethodGet, address, nil, "").Body.String()
	if strings.Count(page, "<button") != 1 || !strings.Contains(page, `<form method="post">`) || strings.Contains(page, "<script") {
		t.Errorf("the page is %s", page)
	}
}

// Complaint 4: the button of mail programs takes two clicks (listmonk #2608, #1685). One POST (RFC 8058) is enough, however its body is
// written, and of nothing else than the class of the mail.
func TestUnsubscribe_Complaint4_OneClick(t *testing.T) {
	t.Parallel()
	var several bytes.Buffer
	parts := multipart.NewWriter(&several)
	if err := parts.WriteField("List-Unsubscribe", "One-Click"); err != nil {
		t.Fatal(err)
	}
	if err := parts.Close(); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		body        []byte
		contentType string
	}{
		"form":      {[]byte("List-Unsubscribe=One-Click"), formType},
		"multipart": {several.Bytes(), parts.FormDataContentType()},
		"empty":     {nil, ""},
		"large":     {bytes.Repeat([]byte("x"), 1<<20), "text/plain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newReader(t, "en")
			for range 2 {
				answer := r.request(http.MethodPost, "/unsubscribe/"+r.token, test.body, test.contentType)
				if answer.Code != http.StatusOK || !strings.Contains(answer.Body.String(), "no more messages of this kind: offers, by e-mail") {
					t.Errorf("it is answered %d: %s", answer.Code, answer.Body)
				}
				r.expect("after the click", program.Care)
			}
		})
	}
}

// The page without sign-in shows and saves what the member allows, in its language, and says nothing of who it is.
func TestPreferences_Saved(t *testing.T) {
	t.Parallel()
	r := newReader(t, "zh-CN")
	address := "/preferences/" + r.token
	answer := r.request(http.MethodGet, address, nil, "")
	page := answer.Body.String()
	for _, want := range []string{
		`<html lang="zh-Hans">`, "全部退订", `value="MARKETING.EMAIL" checked>`, `value="COMMUNITY.EMAIL">`, `name="shown" value="CARE.EMAIL"`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s: %s", want, page)
		}
	}
	if policy := answer.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "form-action 'self'") || strings.Contains(policy, "script-src") {
		t.Errorf("the policy is %s", policy)
	}
	save := func(form url.Values) {
		t.Helper()
		answer := r.request(http.MethodPost, address, []byte(form.Encode()), formType)
		if answer.Code != http.StatusSeeOther || answer.Header().Get("Location") != "?saved" {
			t.Errorf("saving is answered %d: %v", answer.Code, answer.Header())
		}
	}
	save(url.Values{"shown": {"CARE.EMAIL", "MARKETING.EMAIL"}, "allowed": {"CARE.EMAIL", "COMMUNITY.EMAIL"}, "do": {"save"}})
	r.expect("after saving", program.Care, program.Community)
	save(url.Values{"shown": {"MARKETING.EMAIL"}, "allowed": {"MARKETING.EMAIL"}})
	save(url.Values{})
	r.expect("after a form without changes", program.Care, program.Community)
	save(url.Values{"shown": {"CARE.EMAIL"}, "allowed": {"MARKETING.EMAIL"}, "do": {"unsubscribe"}})
	r.expect("after unsubscribing from all")
	if page := r.request(http.MethodGet, address+"?saved", nil, "").Body.String(); !strings.Contains(page, "已保存") {
		t.Errorf("the page is %s", page)
	}
	if answer := r.request(http.MethodPost, address, bytes.Repeat([]byte("x"), 1<<20), formType); answer.Code != http.StatusBadRequest {
		t.Errorf("a large form is answered %d", answer.Code)
	}
}

// A link that is none, or not good any more, leads to a page that says so, in the language that the browser asks for.
func TestPreferences_Missing(t *testing.T) {
	t.Parallel()
	r := newReader(t, "en")
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		for _, page := range []string{"/unsubscribe/", "/preferences/"} {
			request := httptest.NewRequestWithContext(t.Context(), method, page+r.token+"x", http.NoBody)
			request.Header.Set("Accept-Language", "zh-CN,zh;q=0.9,en;q=0.8")
			answer := r.serve(request)
			if answer.Code != http.StatusNotFound || !strings.Contains(answer.Body.String(), "此链接已失效") {
				t.Errorf("%s %s is answered %d: %s", method, page, answer.Code, answer.Body)
			}
		}
	}
	r.expect("after bad links", program.Care, program.Marketing)
}

// Whoever asks too often waits, and a fault of ours is logged and told in one neutral sentence.
func TestPreferences_LimitedAndFault(t *testing.T) {
	t.Parallel()
	r := newReader(t, "en")
	if err := r.db.Close(); err != nil {
		t.Fatal(err)
	}
	r.parts.Strangers = ratelimit.New(1, time.Hour, 1, func() time.Time { return now })
	for _, want := range []int{http.StatusInternalServerError, http.StatusTooManyRequests} {
		answer := r.serve(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/preferences/"+r.token, http.NoBody))
		if answer.Code != want || strings.Contains(answer.Body.String(), "sql") {
			t.Errorf("it is answered %d: %s", answer.Code, answer.Body)
		}
	}
	if log := r.log.String(); !strings.Contains(log, "a page about messages failed") || strings.Contains(log, r.token) {
		t.Errorf("the log is %s", log)
	}
}

package web

import (
	"bytes"
	"context"
	"fmt"
	"html/template"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"regulars/care"
	"regulars/internal/problem"
	"regulars/internal/requestid"
)

// maximumForm is how many bytes a form may have.
const maximumForm = 16 << 10

// These are compiled in: whatever fails here is a mistake in them, which every test of this package meets.
var preferencePages = template.Must(template.ParseFS(pages, "pages/preferences/*.html"))

// preferencePage is what a page about messages shows.
type preferencePage struct {
	Text   *preferenceText
	Style  string
	Title  string
	Notice string
	Hint   string
	// Asks tells whether there is something to unsubscribe from, and Question what.
	Asks     bool
	Question string
	// Preferences is the address of the page about everything.
	Preferences string
	Groups      []preferenceGroup
}

// preferenceGroup is the choices of a class.
type preferenceGroup struct {
	Name, Hint string
	Choices    []preferenceChoice
}

// preferenceChoice is one of them, under the key that the form names it by.
type preferenceChoice struct {
	Key, Name string
	Allowed   bool
}

// preferences are the pages to which the links in mails lead: whoever has the link needs not sign in. Reading them changes nothing,
// however often and by whomever that is done; only a POST does.
type preferences struct {
	handler *Handler
	style   string
}

// servePreferences has the routes of the pages about messages, whose style sheet is at the address style.
func (h *Handler) servePreferences(style string) {
	p := preferences{handler: h, style: style}
	h.routes.HandleFunc("GET /unsubscribe/{token}", p.limited(p.askUnsubscribe))
	h.routes.HandleFunc("POST /unsubscribe/{token}", p.limited(p.unsubscribe))
	h.routes.HandleFunc("GET /preferences/{token}", p.limited(p.show))
	h.routes.HandleFunc("POST /preferences/{token}", p.limited(p.save))
}

// limited bounds the requests of each address and the time that they take, and answers what fails on our side.
func (p preferences) limited(answer func(w http.ResponseWriter, r *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		parts := p.handler.parts
		text := preferenceTextFor(r.Header.Get("Accept-Language"))
		if wait := parts.Strangers.Take(p.handler.remote(r), 1); wait > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(problem.RateLimited(wait, "").RetryAfter()))
			p.write(w, http.StatusTooManyRequests, "message", preferencePage{Text: text, Title: text.Limited})
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), parts.OperationTimeout)
		defer cancel()
		r.Body = http.MaxBytesReader(w, r.Body, maximumForm)
		if err := answer(w, r.WithContext(ctx)); err != nil {
			parts.Logger.ErrorContext(r.Context(), "a page about messages failed",
				slog.String("requestId", requestid.From(r.Context())), slog.Any("cause", err))
			p.write(w, http.StatusInternalServerError, "message", preferencePage{Text: text, Title: text.Fault})
		}
	}
}

// askUnsubscribe shows a page with one button.
func (p preferences) askUnsubscribe(w http.ResponseWriter, r *http.Request) error {
	found, err := p.handler.parts.Care.Preferences(r.Context(), r.PathValue("token"))
	return p.answerUnsubscribe(w, r, found, err)
}

// unsubscribe takes the click in a mail program (RFC 8058), or on our page. What the body holds does not matter: a POST to this
// address is the click.
func (p preferences) unsubscribe(w http.ResponseWriter, r *http.Request) error {
	found, err := p.handler.parts.Care.Unsubscribe(r.Context(), r.PathValue("token"))
	return p.answerUnsubscribe(w, r, found, err)
}

func (p preferences) answerUnsubscribe(w http.ResponseWriter, r *http.Request, found *care.Preferences, err error) error {
	if err != nil {
		return err
	}
	if found == nil {
		p.missing(w, r)
		return nil
	}
	text := preferenceTextFor(found.Locale)
	page := about(found, text)
	page.Preferences = "../preferences/" + r.PathValue("token")
	class, channel := text.Classes[found.Class], text.Channels[found.Channel]
	switch {
	case found.Needed:
		page.Notice = text.AlwaysSent
	case slices.Contains(found.All, care.Preference{Class: found.Class, Channel: found.Channel, Allowed: true}):
		page.Asks, page.Question = true, fmt.Sprintf(text.Question, class, channel)
	default:
		page.Notice = fmt.Sprintf(text.Unsubscribed, class, channel)
	}
	p.write(w, http.StatusOK, "unsubscribe", page)
	return nil
}

// show shows what the member allows.
func (p preferences) show(w http.ResponseWriter, r *http.Request) error {
	found, err := p.handler.parts.Care.Preferences(r.Context(), r.PathValue("token"))
	if err != nil {
		return err
	}
	if found == nil {
		p.missing(w, r)
		return nil
	}
	text := preferenceTextFor(found.Locale)
	page := about(found, text)
	if r.URL.Query().Has("saved") {
		page.Notice = text.Saved
	}
	for _, one := range found.All {
		if last := len(page.Groups) - 1; last < 0 || page.Groups[last].Name != text.Classes[one.Class] {
			page.Groups = append(page.Groups, preferenceGroup{Name: text.Classes[one.Class], Hint: text.Hints[one.Class]})
		}
		group := &page.Groups[len(page.Groups)-1]
		group.Choices = append(group.Choices, preferenceChoice{
			Key: string(one.Class) + "." + string(one.Channel), Name: text.Channels[one.Channel], Allowed: one.Allowed,
		})
	}
	p.write(w, http.StatusOK, "preferences", page)
	return nil
}

// save takes what was changed on the page, and leads back to it.
func (p preferences) save(w http.ResponseWriter, r *http.Request) error {
	//nolint:nilerr // what cannot be read is the sender's fault, and answered here
	if err := r.ParseForm(); err != nil {
		text := preferenceTextFor(r.Header.Get("Accept-Language"))
		p.write(w, http.StatusBadRequest, "message", preferencePage{Text: text, Title: text.Unreadable})
		return nil
	}
	service, token := p.handler.parts.Care, r.PathValue("token")
	var saved *care.Preferences
	var err error
	if r.PostForm.Get("do") == "unsubscribe" {
		saved, err = service.UnsubscribeFromAll(r.Context(), token)
	} else {
		saved, err = service.SavePreferences(r.Context(), token, changedPreferences(r.PostForm["shown"], r.PostForm["allowed"]))
	}
	switch {
	case err != nil:
		return err
	case saved == nil:
		p.missing(w, r)
	default:
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Referrer-Policy", "no-referrer")
		// Relative to where the browser is, also behind a proxy that cuts the path.
		w.Header().Set("Location", "?saved")
		w.WriteHeader(http.StatusSeeOther)
	}
	return nil
}

// changedPreferences are those whose box is not as it was shown: a page that was open for long says nothing of the others.
func changedPreferences(shown, allowed []string) []care.Preference {
	var changed []care.Preference
	add := func(key string, allowed bool) {
		class, channel, _ := strings.Cut(key, ".")
		changed = append(changed, care.Preference{Class: care.Class(class), Channel: care.Channel(channel), Allowed: allowed})
	}
	for _, key := range shown {
		if !slices.Contains(allowed, key) {
			add(key, false)
		}
	}
	for _, key := range allowed {
		if !slices.Contains(shown, key) {
			add(key, true)
		}
	}
	return changed
}

// about is what a page has to begin with.
func about(found *care.Preferences, text *preferenceText) preferencePage {
	return preferencePage{Text: text, Title: fmt.Sprintf(text.Title, found.Program)}
}

// missing answers a link that is none, or not good any more.
func (p preferences) missing(w http.ResponseWriter, r *http.Request) {
	text := preferenceTextFor(r.Header.Get("Accept-Language"))
	p.write(w, http.StatusNotFound, "message", preferencePage{Text: text, Title: text.Missing, Hint: text.MissingHint})
}

// write answers with a page of that name.
func (p preferences) write(w http.ResponseWriter, status int, name string, page preferencePage) {
	page.Style = p.style
	var rendered bytes.Buffer
	if err := preferencePages.ExecuteTemplate(&rendered, name, page); err != nil {
		p.handler.parts.Logger.Error("a page about messages cannot be written", slog.Any("cause", err))
	}
	writeForm(w, status, rendered.Bytes())
}

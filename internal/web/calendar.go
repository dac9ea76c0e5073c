package web

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"strings"

	"regulars/club/calendar"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/requestid"
)

// Who may keep a feed, and for how long without asking again.
const (
	shared   = "public, max-age=300"
	personal = "private, max-age=300"
)

// serveCalendars has the routes of the club's feeds.
func (h *Handler) serveCalendars() {
	for route, feed := range map[string]http.HandlerFunc{
		"club.ics": h.calendar(func(ctx context.Context, _ string) ([]byte, error) { return h.parts.Club.ClubFeed(ctx) }, shared),
		"event/{file}": h.calendar(func(ctx context.Context, name string) ([]byte, error) {
			return h.parts.Club.EventFeed(ctx, id.ParseEvent(name))
		}, shared),
		"occurrence/{file}": h.calendar(func(ctx context.Context, name string) ([]byte, error) {
			return h.parts.Club.OccurrenceFile(ctx, id.ParseOccurrence(name))
		}, shared),
		"member/{file}": h.calendar(func(ctx context.Context, token string) ([]byte, error) { return h.parts.Club.MemberFeed(ctx, token) }, personal),
	} {
		h.routes.HandleFunc("GET /calendar/"+route, feed)
	}
}

// calendar answers a feed that read returns by the name in the address, without its ending; nil: there is none. Calendars ask
// again and again: to one that has the feed as it is, it answers 304.
func (h *Handler) calendar(read func(ctx context.Context, name string) ([]byte, error), kept string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if wait := h.parts.Strangers.Take(h.remote(r), 1); wait > 0 {
			limited := problem.RateLimited(wait, "Too many requests.")
			w.Header().Set("Retry-After", strconv.Itoa(limited.RetryAfter()))
			http.Error(w, limited.Message, http.StatusTooManyRequests)
			return
		}
		name, ok := strings.CutSuffix(r.PathValue("file"), ".ics")
		if !ok && r.PathValue("file") != "" {
			http.NotFound(w, r)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), h.parts.OperationTimeout)
		defer cancel()
		body, err := read(ctx, name)
		if err != nil {
			h.parts.Logger.ErrorContext(r.Context(), "a calendar could not be read",
				slog.String("requestId", requestid.From(r.Context())), slog.Any("cause", err))
			http.Error(w, internalFault.Message, http.StatusInternalServerError)
			return
		}
		if body == nil {
			http.NotFound(w, r)
			return
		}
		sum := sha256.Sum256(body)
		tag := `"` + hex.EncodeToString(sum[:16]) + `"`
		w.Header().Set("Cache-Control", kept)
		w.Header().Set("ETag", tag)
		if has(r.Header.Get("If-None-Match"), tag) {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		w.Header().Set("Content-Type", calendar.ContentType)
		_, _ = w.Write(body)
	}
}

// has tells whether a list of tags holds one; between weak and strong there is no difference to who only wants to know.
func has(list, tag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

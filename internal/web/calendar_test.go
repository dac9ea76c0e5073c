package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/postgres/pgtest"
	"regulars/internal/ratelimit"
)

// Calendars ask without signing in, so their address is what is counted.
func TestCalendar_Limited(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.parts.Club = club.New(pgtest.New(t), nil, nil)
	b.parts.Strangers = ratelimit.New(1, time.Hour, 1, func() time.Time { return now })
	for _, want := range []int{http.StatusOK, http.StatusTooManyRequests} {
		answer := b.serve(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/calendar/club.ics", http.NoBody))
		if answer.Code != want || (want == http.StatusTooManyRequests) != (answer.Header().Get("Retry-After") == "3600") {
			t.Errorf("it answers %d, %v: %s", answer.Code, answer.Header(), answer.Body)
		}
	}
}

// A fault of ours is logged and told in one neutral sentence, and nothing of it is kept.
func TestCalendar_Fault(t *testing.T) {
	t.Parallel()
	b := setup(t)
	db := pgtest.New(t)
	b.parts.Club = club.New(db, nil, nil)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	answer := b.serve(httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/calendar/club.ics", http.NoBody))
	if answer.Code != http.StatusInternalServerError || strings.Contains(answer.Body.String(), "sql") || answer.Header().Get("Cache-Control") != "" {
		t.Errorf("it answers %d, %v: %s", answer.Code, answer.Header(), answer.Body)
	}
	if !strings.Contains(b.log.String(), "a calendar could not be read") {
		t.Errorf("the log is %s", b.log)
	}
}

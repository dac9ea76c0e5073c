package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"time"

	"regulars/internal/requestid"
)

// serveAlive answers 200 for as long as the process can answer at all.
func (h *Handler) serveAlive(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, "alive\n")
}

// serveReady answers 200 if requests can be served: the database answers, its migrations are those of this program, and
// the program is not about to stop.
func (h *Handler) serveReady(w http.ResponseWriter, r *http.Request) {
	if h.draining.Load() {
		http.Error(w, "draining", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	if err := h.parts.Database.Migrated(ctx); err != nil {
		h.parts.Logger.WarnContext(ctx, "not ready", slog.String("requestId", requestid.From(ctx)), slog.Any("cause", err))
		http.Error(w, "the database is not ready", http.StatusServiceUnavailable)
		return
	}
	_, _ = io.WriteString(w, "ready\n")
}

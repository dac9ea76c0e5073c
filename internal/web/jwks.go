package web

import (
	"context"
	"log/slog"
	"net/http"

	"regulars/internal/requestid"
)

// servePublicKeys answers what the program's signatures are verified with, e.g. by a scanner at a door without a network.
// Who meets a signature by a key that it does not have asks again.
func (h *Handler) servePublicKeys(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), identifyTime)
	defer cancel()
	keys, err := h.parts.SigningKeys.PublicKeys(ctx)
	if err != nil {
		h.parts.Logger.ErrorContext(r.Context(), "the public keys could not be read",
			slog.String("requestId", requestid.From(r.Context())), slog.Any("cause", err))
		http.Error(w, internalFault.Message, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	_, _ = w.Write(keys)
}

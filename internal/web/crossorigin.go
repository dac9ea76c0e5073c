package web

import (
	"net/http"
	"slices"
)

// crossOrigin lets the pages of origins call the API from a browser; without origins nobody's but its own. Callers sign in
// by bearer tokens, so browsers are never told to send credentials along. An origin that is not listed hears nothing:
// its browser then keeps the answer from it.
func crossOrigin(origins []string, next http.Handler) http.Handler {
	if len(origins) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Add("Vary", "Origin")
		if !slices.Contains(origins, origin) {
			next.ServeHTTP(w, r)
			return
		}
		header.Set("Access-Control-Allow-Origin", origin)
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", http.MethodPost)
			// The wildcard covers what clients add to trace and name themselves, but never Authorization.
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, X-Request-Id, *")
			header.Set("Access-Control-Max-Age", "7200")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		header.Set("Access-Control-Expose-Headers", "X-Request-Id, Retry-After")
		next.ServeHTTP(w, r)
	})
}

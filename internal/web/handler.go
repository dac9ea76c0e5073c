// Package web answers HTTP: the GraphQL endpoint with everything that stands before an operation (request id, limits,
// who is calling, the access log), the health of the process, and the page at /.
package web

import (
	"log/slog"
	"net/http"
	"net/netip"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"regulars/care"
	"regulars/club"
	"regulars/internal/identity"
	"regulars/internal/postgres"
	"regulars/internal/ratelimit"
	"regulars/internal/requestid"
)

// Parts are what a Handler is made of.
type Parts struct {
	// GraphQL answers the operations; it finds the caller by actor.From and the request's id by requestid.From.
	GraphQL http.Handler
	// Club has the feeds that calendars subscribe to.
	Club *club.Service
	// Care has what the links in mails lead to.
	Care     *care.Service
	Database *postgres.DB
	// Authenticator tells who is calling.
	Authenticator *identity.Authenticator
	SigningKeys   *identity.SigningKeys
	// MaximumBody is how many bytes an operation may have, OperationTimeout how long it may take from when it came.
	MaximumBody      int64
	OperationTimeout time.Duration
	// Callers bounds the operations of each caller, Strangers those of each address where nobody has signed in, and SignIns
	// the sign-ins that failed from each address.
	Callers   *ratelimit.Limiter
	Strangers *ratelimit.Limiter
	SignIns   *ratelimit.Limiter
	// TrustedProxies are those whose X-Forwarded-For tells an address.
	TrustedProxies []netip.Prefix
	// Origins are whose pages may call the API from a browser, besides our own.
	Origins []string
	// PublicURL is where people and apps reach the program, without a slash at the end.
	PublicURL string
	Logger    *slog.Logger
	Now       func() time.Time
}

// Handler answers every request to the program.
type Handler struct {
	parts    Parts
	routes   *http.ServeMux
	draining atomic.Bool
}

// NewHandler returns the handler made of parts, all of which must be given.
func NewHandler(parts Parts) *Handler {
	h := &Handler{parts: parts, routes: http.NewServeMux()}
	h.routes.Handle("/graphql", crossOrigin(parts.Origins, http.HandlerFunc(h.serveGraphQL)))
	h.routes.HandleFunc("GET /healthz", h.serveAlive)
	h.routes.HandleFunc("GET /readyz", h.serveReady)
	h.routes.HandleFunc("GET /.well-known/jwks.json", h.servePublicKeys)
	h.serveCalendars()
	front := newFrontPage(graphiQL, parts.PublicURL)
	front.register(h.routes)
	h.servePreferences(front.style)
	return h
}

// Drain makes /readyz answer 503 from now on; everything else is answered as before.
func (h *Handler) Drain() {
	h.draining.Store(true)
}

var acceptableRequestID = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// ServeHTTP answers a request under the id that its X-Request-Id names, or under a new one, and tells it in the answer.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := r.Header.Get("X-Request-Id")
	if !acceptableRequestID.MatchString(id) {
		id = uuid.NewString()
	}
	w.Header().Set("X-Request-Id", id)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if strings.HasPrefix(h.parts.PublicURL, "https://") {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	h.routes.ServeHTTP(w, r.WithContext(requestid.With(r.Context(), id)))
}

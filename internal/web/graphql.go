package web

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/internal/requestid"
)

// identifyTime is how long the database may take to tell who is calling, or which the public keys are.
const identifyTime = 2 * time.Second

// What a request may hold in bytes, if that is less than may be set. Strangers have only what signs them up, and members
// write no batches; anybody can be either.
const (
	maximumStrangerBody = 64 << 10
	maximumMemberBody   = 256 << 10
)

// serveGraphQL admits the request, hands it on and writes the access log: who, how it ended and how long it took, but
// nothing of what was asked or answered.
func (h *Handler) serveGraphQL(w http.ResponseWriter, r *http.Request) {
	start := h.parts.Now()
	ctx, cancel := context.WithTimeout(r.Context(), h.parts.OperationTimeout)
	defer cancel()
	r = r.WithContext(ctx)
	answer := &recorder{ResponseWriter: w}
	var caller actor.Actor
	defer func() {
		fault := recover()
		if err, ok := fault.(error); fault != nil && !(ok && errors.Is(err, http.ErrAbortHandler)) {
			h.parts.Logger.ErrorContext(r.Context(), "panic", slog.String("requestId", requestid.From(r.Context())),
				slog.Any("fault", fault), slog.String("stack", string(debug.Stack())))
			if answer.status == 0 {
				refusal{http.StatusInternalServerError, internalFault}.write(answer, r)
				fault = nil
			}
		}
		h.parts.Logger.InfoContext(r.Context(), "graphql", slog.String("requestId", requestid.From(r.Context())),
			slog.String("caller", caller.Caller), slog.Int("status", answer.status), slog.Duration("took", h.parts.Now().Sub(start)))
		if fault != nil {
			// Half an answer must not look like a whole one.
			panic(http.ErrAbortHandler)
		}
	}()

	admitted, caller, refused := h.admit(answer, r)
	if refused != nil {
		refused.write(answer, r)
		return
	}
	h.parts.GraphQL.ServeHTTP(answer, admitted)
}

// admit returns the request as the GraphQL handler wants it: with its caller, if it names one, and its body read.
func (h *Handler) admit(w http.ResponseWriter, r *http.Request) (*http.Request, actor.Actor, *refusal) {
	if r.Method != http.MethodPost {
		return nil, actor.Actor{}, &refusal{http.StatusMethodNotAllowed, problem.BadUserInput("Send the operation by POST.")}
	}
	if contentType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || contentType != "application/json" {
		return nil, actor.Actor{}, &refusal{http.StatusUnsupportedMediaType, problem.BadUserInput("Send the operation as application/json.")}
	}
	caller, signedIn, err := h.authenticate(r)
	if errors.Is(err, identity.ErrNotNow) {
		// An app whose token has expired gets a new one, whoever else calls from its address.
		return nil, actor.Actor{}, &refusal{http.StatusUnauthorized, problem.Unauthenticated}
	}
	if errors.Is(err, problem.Unauthenticated) {
		// Only failures are counted and only they are refused: a valid token passes, whoever else calls from its address.
		if wait := h.parts.SignIns.Take(h.remote(r), 1); wait > 0 {
			return nil, actor.Actor{}, &refusal{http.StatusTooManyRequests, problem.RateLimited(wait, "Too many sign-ins from your address have failed.")}
		}
		return nil, actor.Actor{}, &refusal{http.StatusUnauthorized, problem.Unauthenticated}
	}
	if err != nil {
		h.parts.Logger.ErrorContext(r.Context(), "the caller could not be identified",
			slog.String("requestId", requestid.From(r.Context())), slog.Any("cause", err))
		return nil, actor.Actor{}, &refusal{http.StatusInternalServerError, internalFault}
	}
	limiter, counted, maximum := h.parts.Callers, caller.Caller, h.parts.MaximumBody
	switch {
	case !signedIn:
		limiter, counted, maximum = h.parts.Strangers, h.remote(r), min(maximum, maximumStrangerBody)
	case caller.OnlyMember():
		maximum = min(maximum, maximumMemberBody)
	}
	if wait := limiter.Take(counted, 1); wait > 0 {
		return nil, caller, &refusal{http.StatusTooManyRequests, problem.RateLimited(wait, "You send more operations than are taken from one caller.")}
	}
	var body bytes.Buffer
	if _, err := io.Copy(&body, http.MaxBytesReader(w, r.Body, maximum)); err != nil {
		if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
			return nil, caller, &refusal{http.StatusRequestEntityTooLarge, problem.BadUserInput("The request is larger than %d bytes.", maximum)}
		}
		return nil, caller, &refusal{http.StatusBadRequest, problem.BadUserInput("The request ended before its body did.")}
	}
	if !isOperation(body.Bytes()) {
		return nil, caller, &refusal{http.StatusBadRequest, problem.BadUserInput("The body is not a JSON object with query, variables and operationName.")}
	}
	ctx := r.Context()
	if signedIn {
		ctx = actor.With(ctx, caller)
	}
	admitted := r.WithContext(ctx)
	admitted.Body = io.NopCloser(&body)
	return admitted, caller, nil
}

// isOperation tells whether the body has the form of a request of GraphQL over HTTP.
func isOperation(body []byte) bool {
	var operation struct {
		Query         string                     `json:"query"`
		OperationName string                     `json:"operationName"`
		Variables     map[string]json.RawMessage `json:"variables"`
		Extensions    map[string]json.RawMessage `json:"extensions"`
	}
	return json.Unmarshal(body, &operation) == nil
}

// authenticate returns the caller that the request's bearer token names; false without one. Anything in the header that
// is not a valid token is an error: whoever believes to be signed in must hear that it is not.
func (h *Handler) authenticate(r *http.Request) (actor.Actor, bool, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		return actor.Actor{}, false, nil
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if len(headers) > 1 || !strings.EqualFold(scheme, "Bearer") {
		return actor.Actor{}, false, problem.Unauthenticated
	}
	ctx, cancel := context.WithTimeout(r.Context(), identifyTime)
	defer cancel()
	caller, err := h.parts.Authenticator.Authenticate(ctx, strings.TrimSpace(token))
	return caller, err == nil, err
}

// recorder remembers the status of the answer; 0 while there is none.
type recorder struct {
	http.ResponseWriter
	status int
}

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(content []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(content)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

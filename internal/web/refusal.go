package web

import (
	"encoding/json"
	"mime"
	"net/http"
	"strconv"
	"strings"

	"regulars/internal/problem"
	"regulars/internal/requestid"
)

const graphQLResponse = "application/graphql-response+json"

var internalFault = problem.Failure{Code: problem.CodeInternal, Message: "Something went wrong on our side."}

// refusal is the answer to a request that never became an operation, in the shape of a GraphQL answer.
type refusal struct {
	status  int
	failure problem.Failure
}

func (f refusal) write(w http.ResponseWriter, r *http.Request) {
	type extensions struct {
		Code      problem.Code `json:"code"`
		RequestID string       `json:"requestId"`
	}
	type message struct {
		Message    string     `json:"message"`
		Extensions extensions `json:"extensions"`
	}
	// Texts and nothing else: this cannot fail.
	body, _ := json.Marshal(map[string][]message{
		"errors": {{f.failure.Message, extensions{f.failure.Code, requestid.From(r.Context())}}},
	})
	switch f.status {
	case http.StatusUnauthorized:
		w.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", http.MethodPost)
	case http.StatusTooManyRequests:
		w.Header().Set("Retry-After", strconv.Itoa(f.failure.RetryAfter()))
	}
	contentType := "application/json; charset=utf-8"
	if accepts(r, graphQLResponse) {
		contentType = graphQLResponse + "; charset=utf-8"
	}
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}

// accepts tells whether the request names the media type among those it wants.
func accepts(r *http.Request, mediaType string) bool {
	for _, header := range r.Header.Values("Accept") {
		for _, one := range strings.Split(header, ",") {
			named, parameters, err := mime.ParseMediaType(one)
			if err == nil && named == mediaType && parameters["q"] != "0" {
				return true
			}
		}
	}
	return false
}

package graph

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regulars/internal/actor"
	"regulars/internal/problem"
	"regulars/internal/requestid"
)

// presenter makes the one shape of top-level errors: a failure keeps its code and sentence; what the library says of a
// document or of its variables is BAD_USER_INPUT; everything else is a fault of ours, which is logged and shown as one
// sentence.
func presenter(logger *slog.Logger) graphql.ErrorPresenterFunc {
	return func(ctx context.Context, err error) *gqlerror.Error {
		request := requestid.From(ctx)
		presented := &gqlerror.Error{Path: graphql.GetPath(ctx)}
		var located *gqlerror.Error
		if errors.As(err, &located) {
			presented.Path, presented.Locations = located.Path, located.Locations
		}
		var failure problem.Failure
		switch {
		case errors.As(err, &failure):
		case !graphql.HasOperationContext(ctx):
			// The library's sentence repeats the body, however long it is.
			failure = problem.BadUserInput("The body is not a GraphQL request in JSON.")
		case located != nil && located.Err == nil:
			failure = problem.BadUserInput("%s", located.Message)
		default:
			caller, _ := actor.From(ctx)
			level, event := slog.LevelError, "operation failed"
			failure = problem.Failure{Code: problem.CodeInternal, Message: "Something went wrong on our side."}
			// What a stopped statement answers says nothing: the context knows why it was stopped.
			switch ended := ctx.Err(); {
			case errors.Is(ended, context.DeadlineExceeded):
				level, event = slog.LevelWarn, "operation took too long"
				failure.Message = "The operation took too long and was stopped. It can be sent again, with the same key if it has one."
			case ended != nil:
				level, event = slog.LevelInfo, "client went away"
			}
			logger.Log(ctx, level, event, slog.String("requestId", request), slog.String("caller", caller.Caller),
				slog.String("operation", operationName(ctx)), slog.Any("path", presented.Path.String()), slog.Any("cause", err))
		}
		presented.Message = cut(failure.Message)
		presented.Extensions = map[string]any{"code": failure.Code, "requestId": request}
		if failure.Wait > 0 {
			presented.Extensions[retryAfter] = failure.RetryAfter()
		}
		return presented
	}
}

// maximumMessage is how many characters an error says at most: the library's sentences repeat names of any length.
const maximumMessage = 500

func cut(message string) string {
	count := 0
	for at := range message {
		if count++; count > maximumMessage {
			return message[:at] + "…"
		}
	}
	return message
}

// retryAfter is where an error says how many seconds to wait; the answer's header says the longest of them.
const retryAfter = "retryAfter"

type headerKey struct{}

// withHeader returns a context that knows the header of the answer.
func withHeader(ctx context.Context, header http.Header) context.Context {
	return context.WithValue(ctx, headerKey{}, header)
}

// announceWait sets Retry-After where an error of the answer asks to wait.
func announceWait(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	response := next(ctx)
	wait := 0
	if response != nil {
		for _, one := range response.Errors {
			seconds, _ := one.Extensions[retryAfter].(int)
			wait = max(wait, seconds)
		}
	}
	if wait > 0 {
		ctx.Value(headerKey{}).(http.Header).Set("Retry-After", strconv.Itoa(wait))
	}
	return response
}

func operationName(ctx context.Context) string {
	if graphql.HasOperationContext(ctx) {
		return graphql.GetOperationContext(ctx).OperationName
	}
	return ""
}

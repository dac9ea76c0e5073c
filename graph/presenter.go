package graph

import (
	"context"
	"errors"
	"log/slog"

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
			logger.ErrorContext(ctx, "operation failed", slog.String("requestId", request), slog.String("caller", caller.Caller),
				slog.String("operation", operationName(ctx)), slog.Any("path", presented.Path.String()), slog.Any("cause", err))
			failure = problem.Failure{Code: problem.CodeInternal, Message: "Something went wrong on our side."}
		}
		presented.Message = failure.Message
		presented.Extensions = map[string]any{"code": failure.Code, "requestId": request}
		return presented
	}
}

func operationName(ctx context.Context) string {
	if graphql.HasOperationContext(ctx) {
		return graphql.GetOperationContext(ctx).OperationName
	}
	return ""
}

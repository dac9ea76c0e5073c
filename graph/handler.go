package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"

	"regulars/graph/generated"
	"regulars/internal/page"
	"regulars/loyalty"
)

// parsedDocuments is how many documents are kept parsed and validated: apps send few different ones.
const parsedDocuments = 1000

// NewHandler returns what answers POST requests of GraphQL over HTTP. It reads the caller (package actor) and the
// request's id (package requestid) from the request's context. Faults of ours go to logger and to nobody else.
func NewHandler(service *loyalty.Service, logger *slog.Logger) http.Handler {
	config := generated.Config{Resolvers: &Resolver{loyalty: service}}
	config.Complexity.Query.Members = func(child int, first *int, _ *string, _ *loyalty.MemberFilter) int { return pageCost(child, first) }
	config.Complexity.Query.EarningRules = func(child int, first *int, _ *string, _ *generated.EarningRuleFilter) int {
		return pageCost(child, first)
	}
	config.Complexity.Member.PointsHistory = func(child int, first *int, _ *string, _ *generated.PointsEntryFilter) int {
		return pageCost(child, first)
	}
	config.Complexity.Mutation.RecordPurchases = func(child int, input generated.RecordPurchasesInput) int {
		return 1 + len(input.Purchases)*child
	}
	// Every version has all versions.
	config.Complexity.EarningRule.Versions = func(child int) int { return 1 + page.DefaultSize*child }
	schema := generated.NewExecutableSchema(config)
	server := handler.New(schema)
	server.AddTransport(transport.POST{})
	server.SetQueryCache(lru.New[*ast.QueryDocument](parsedDocuments))
	server.SetParserTokenLimit(maximumTokens)
	server.Use(limits{accepted: lru.New[bool](parsedDocuments)})
	server.Use(extension.FixedComplexityLimit(maximumComplexity))
	server.Use(&coercion{})
	server.Use(extension.Introspection{})
	server.SetErrorPresenter(presenter(logger))
	server.SetRecoverFunc(func(_ context.Context, fault any) error {
		return fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
	})
	server.AroundFields(newGuard(schema.Schema()).field)
	server.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		return next(withLoaders(ctx, service))
	})
	server.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		// The fields of a mutation run one after the other; what one has loaded the next one changes.
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = withLoaders(ctx, service)
		}
		return next(ctx)
	})
	return server
}

package graph

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/extension"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"regulars/care"
	"regulars/club"
	"regulars/graph/generated"
	"regulars/internal/page"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/referral"
)

// NewHandler returns what answers POST requests of GraphQL over HTTP, within bounds. It reads the caller (package actor)
// and the request's id (package requestid) from the request's context, whose end stops the operation's statements. Faults of ours go to logger and to nobody else.
func NewHandler(services Services, bounds Limits, logger *slog.Logger) http.Handler {
	config := generated.Config{Resolvers: &Resolver{services}}
	config.Complexity.Query.Members = func(child int, first *int, _ *string, _ *loyalty.MemberFilter) int { return pageCost(child, first) }
	config.Complexity.Query.EarningRules = func(child int, first *int, _ *string, _ *generated.EarningRuleFilter) int {
		return pageCost(child, first)
	}
	config.Complexity.Query.Adjustments = func(child int, first *int, _ *string, _ []ledger.AdjustmentStatus) int {
		return pageCost(child, first)
	}
	config.Complexity.Query.Clients = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Query.WaitingReturns = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Query.JobRuns = func(child int, first *int, _, _ *string) int { return pageCost(child, first) }
	config.Complexity.Query.Jobs = func(child int) int { return 1 + page.DefaultSize*child }
	config.Complexity.Query.Backtests = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Query.AuditEntries = func(child int, first *int, _, _ *string) int { return pageCost(child, first) }
	config.Complexity.Member.PointsHistory = func(child int, first *int, _ *string, _ *generated.PointsEntryFilter) int {
		return pageCost(child, first)
	}
	config.Complexity.Member.Holds = func(child int, first *int, _ *string, _ *bool) int { return pageCost(child, first) }
	config.Complexity.Query.Rewards = func(child int, first *int, _ *string, _ *generated.RewardFilter) int {
		return pageCost(child, first)
	}
	config.Complexity.Member.Redemptions = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Query.Referrals = func(child int, first *int, _ *string, _ []referral.Status) int { return pageCost(child, first) }
	config.Complexity.Query.Households = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.ReferralSummary.Referrals = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	// A household has a handful of members.
	config.Complexity.Household.Members = func(child int) int { return 1 + page.DefaultSize*child }
	config.Complexity.Query.Events = func(child int, first *int, _ *string, _ *generated.EventFilter) int { return pageCost(child, first) }
	config.Complexity.Event.Occurrences = func(child int, first *int, _ *string, _, _ *time.Time) int { return pageCost(child, first) }
	config.Complexity.Occurrence.Bookings = func(child int, first *int, _ *string, _ []club.BookingStatus) int { return pageCost(child, first) }
	config.Complexity.Occurrence.Waitlist = pageCost
	config.Complexity.Member.Bookings = func(child int, first *int, _ *string, _ []club.BookingStatus) int { return pageCost(child, first) }
	config.Complexity.Query.Messages = func(child int, first *int, _ *string, _ *care.MessageFilter) int { return pageCost(child, first) }
	config.Complexity.Member.Inbox = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Member.Messages = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Member.ConsentHistory = func(child int, first *int, _ *string) int { return pageCost(child, first) }
	config.Complexity.Mutation.RecordPurchases = func(child int, input generated.RecordPurchasesInput) int {
		return 1 + len(input.Purchases)*child
	}
	// Every version has all versions, and may differ in many fields.
	config.Complexity.EarningRule.Versions = func(child int) int { return 1 + page.DefaultSize*child }
	config.Complexity.EarningRule.Changes = func(child int, _ *int) int { return 1 + page.DefaultSize*child }
	schema := generated.NewExecutableSchema(config)
	server := handler.New(schema)
	server.AddTransport(transport.POST{})
	server.SetQueryCache(newDocuments[*ast.QueryDocument]())
	server.SetParserTokenLimit(maximumTokens)
	server.SetDisableSuggestion(!bounds.Suggestions)
	server.SetValidationRulesFn(func() *rules.Rules { return validation(bounds.Suggestions) })
	server.Use(persisted{newDocuments[string]()})
	server.Use(limits{bounds, newDocuments[bool]()})
	server.Use(extension.FixedComplexityLimit(bounds.Complexity))
	server.Use(&coercion{})
	server.Use(extension.Introspection{})
	present := presenter(logger)
	server.SetErrorPresenter(present)
	server.SetRecoverFunc(func(_ context.Context, fault any) error {
		return fmt.Errorf("panic: %v\n%s", fault, debug.Stack())
	})
	server.AroundFields(newGuard(schema.Schema()).field)
	server.AroundOperations(func(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
		respond := next(withLoaders(ctx, services))
		return func(ctx context.Context) *graphql.Response {
			if response := respond(ctx); response != nil {
				return response
			}
			// The library answers nothing where the time was up before it began.
			return &graphql.Response{Errors: gqlerror.List{present(ctx, ctx.Err())}}
		}
	})
	server.AroundResponses(announceWait)
	server.AroundRootFields(func(ctx context.Context, next graphql.RootResolver) graphql.Marshaler {
		// The fields of a mutation run one after the other; what one has loaded the next one changes.
		if graphql.GetOperationContext(ctx).Operation.Operation == ast.Mutation {
			ctx = withLoaders(ctx, services)
		}
		return next(ctx)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		server.ServeHTTP(w, r.WithContext(withHeader(r.Context(), w.Header())))
	})
}

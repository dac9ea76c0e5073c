package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regulars/internal/problem"
)

// persisted lets clients send the hash of a document in place of its text, once they have sent both: Apollo's automatic
// persisted queries. The library's own keeps documents before anything has looked at them; here only those are kept that
// are valid and within the limits.
type persisted struct {
	documents *documents[string]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationInterceptor
} = persisted{}

// ExtensionName names the extension to the library.
func (persisted) ExtensionName() string { return "PersistedQueries" }

// Validate is asked by the library; there is nothing to check.
func (persisted) Validate(graphql.ExecutableSchema) error { return nil }

// Clients of Apollo look for this very sentence.
var persistedQueryNotFound = problem.Failure{Code: problem.CodePersistedQueryNotFound, Message: "PersistedQueryNotFound"}

// MutateOperationParameters puts the document in place of its hash, and refuses a hash that is not the document's.
func (p persisted) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	hash, named, err := persistedHash(request.Extensions)
	if err != nil || !named {
		return err
	}
	if request.Query == "" {
		known, ok := p.documents.Get(ctx, hash)
		if !ok {
			return gqlerror.Wrap(persistedQueryNotFound)
		}
		request.Query = known
		return nil
	}
	if sum := sha256.Sum256([]byte(request.Query)); hex.EncodeToString(sum[:]) != hash {
		return gqlerror.Errorf("the persisted query's sha256Hash is not the hash of the query")
	}
	return nil
}

// InterceptOperation keeps a document that came with its hash. By now it is valid, and no limit has refused it.
func (p persisted) InterceptOperation(ctx context.Context, next graphql.OperationHandler) graphql.ResponseHandler {
	operation := graphql.GetOperationContext(ctx)
	if hash, named, err := persistedHash(operation.Extensions); named && err == nil {
		p.documents.add(ctx, hash, operation.RawQuery, len(operation.RawQuery))
	}
	return next(ctx)
}

// persistedHash returns the hash that the extensions of a request name, false if they name none.
func persistedHash(extensions map[string]any) (string, bool, *gqlerror.Error) {
	given, ok := extensions["persistedQuery"]
	if !ok || given == nil {
		return "", false, nil
	}
	var asked struct {
		Version json.Number `json:"version"`
		Hash    string      `json:"sha256Hash"`
	}
	// It came as JSON, so it can be written as such.
	encoded, _ := json.Marshal(given)
	if err := json.Unmarshal(encoded, &asked); err != nil || asked.Version != "1" || asked.Hash == "" {
		return "", false, gqlerror.Errorf(`the extension persistedQuery is not of the form {"version": 1, "sha256Hash": "…"}`)
	}
	return asked.Hash, true, nil
}

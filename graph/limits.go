package graph

import (
	"context"
	"regexp"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"regulars/internal/page"
	"regulars/internal/problem"
)

// Limits bound every operation. All of them must be given.
type Limits struct {
	// Complexity is how many fields an operation may ask for, those of lists counted by the size of the page.
	Complexity int
	// Depth is how deep its fields may be nested.
	Depth int
	// Introspection lets callers read the schema, Suggestions lets errors name fields that were perhaps meant.
	Introspection bool
	Suggestions   bool
}

// What one operation may hold besides. A full page of members with their points, standing and a short history is well
// below.
const (
	maximumAliases = 50
	maximumFields  = 2_000
)

// pageCost counts the fields of a list as often as it has items at most.
func pageCost(child int, first *int) int {
	size := page.DefaultSize
	if first != nil && *first >= 0 && *first <= page.MaximumSize {
		size = *first
	}
	return 1 + size*child
}

// limits refuses operations that are too deep, too long or have too many aliases: as they are written before the library
// validates them, and as they are once fragments are in place before anything counts further.
type limits struct {
	Limits
	// accepted remembers documents that were short enough, so that they are not parsed again for it.
	accepted *documents[bool]
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationParameterMutator
	graphql.OperationContextMutator
} = limits{}

// ExtensionName names the extension to the library.
func (limits) ExtensionName() string { return "Limits" }

// Validate has nothing to check.
func (limits) Validate(graphql.ExecutableSchema) error { return nil }

// The library reads escaped halves of a character as two unknown ones.
var surrogate = regexp.MustCompile(`\\u[dD][89a-fA-F]`)

// MutateOperationParameters refuses a document that holds too much as it is written.
func (l limits) MutateOperationParameters(ctx context.Context, request *graphql.RawParams) *gqlerror.Error {
	if _, ok := l.accepted.Get(ctx, request.Query); ok {
		return nil
	}
	if surrogate.MatchString(request.Query) {
		return gqlerror.Errorf("the document has an escaped surrogate; write the character itself, or put the text into a variable")
	}
	// What does not parse comes back empty; the library says why in its turn.
	document, _ := parser.ParseQueryWithTokenLimit(&ast.Source{Input: request.Query}, maximumTokens)
	if document == nil {
		return nil
	}
	if refusal := measureDocument(document); refusal != nil {
		return refusal
	}
	l.accepted.Add(ctx, request.Query, true)
	return nil
}

// MutateOperationContext refuses an operation that exceeds a limit.
func (l limits) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	size := measure{limits: l.Limits}
	return size.walk(operation.Operation.SelectionSet, 1, false)
}

var introspectionOff = problem.Failure{Code: problem.CodeForbidden, Message: "The schema cannot be read here: introspection is switched off on this server."}

// measure is how large an operation is as far as it was walked. Fragments count wherever they are spread; the walk ends
// at the first limit, so a few fragments that spread each other many times cannot keep it busy.
type measure struct {
	limits  Limits
	fields  int
	aliases int
}

// walk measures selections. Those of the schema about itself are as deep as tools ask; the library bounds them.
func (m *measure) walk(selections ast.SelectionSet, depth int, schema bool) *gqlerror.Error {
	if depth > m.limits.Depth && !schema {
		return gqlerror.Errorf("the operation is nested deeper than %d levels", m.limits.Depth)
	}
	for _, selection := range selections {
		if m.fields++; m.fields > maximumFields {
			return gqlerror.Errorf("the operation has more than %d fields", maximumFields)
		}
		var children ast.SelectionSet
		below, about := depth, schema
		switch selection := selection.(type) {
		case *ast.Field:
			if selection.Alias != selection.Name {
				if m.aliases++; m.aliases > maximumAliases {
					return gqlerror.Errorf("the operation has more than %d aliases", maximumAliases)
				}
			}
			children = selection.SelectionSet
			below++
			about = schema || selection.Name == "__schema" || selection.Name == "__type"
			if about && !m.limits.Introspection {
				return gqlerror.Wrap(introspectionOff)
			}
		case *ast.InlineFragment:
			children = selection.SelectionSet
		case *ast.FragmentSpread:
			children = selection.Definition.SelectionSet
		}
		if len(children) > 0 {
			if err := m.walk(children, below, about); err != nil {
				return err
			}
		}
	}
	return nil
}

package graph

import (
	"context"
	"regexp"

	"github.com/99designs/gqlgen/graphql"
	"github.com/99designs/gqlgen/graphql/handler/lru"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"

	"regulars/internal/page"
)

// What one operation may ask for. A full page of members with their points, standing and a short history is well below.
const (
	maximumDepth   = 15
	maximumAliases = 50
	// Validating takes the square of the number of fields: a thousand take a tenth of a second.
	maximumWritten    = 1_000
	maximumFields     = 2_000
	maximumTokens     = 60_000
	maximumComplexity = 30_000
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
	// accepted remembers documents that were short enough, so that they are not parsed again for it.
	accepted *lru.LRU[bool]
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

// MutateOperationParameters refuses a document with too many fields.
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
	written := 0
	for _, operation := range document.Operations {
		written += fields(operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		written += fields(fragment.SelectionSet)
	}
	if written > maximumWritten {
		return gqlerror.Errorf("the document has more than %d fields", maximumWritten)
	}
	l.accepted.Add(ctx, request.Query, true)
	return nil
}

// fields counts selections as they are written.
func fields(selections ast.SelectionSet) int {
	count := len(selections)
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			count += fields(selection.SelectionSet)
		case *ast.InlineFragment:
			count += fields(selection.SelectionSet)
		}
	}
	return count
}

// MutateOperationContext refuses an operation that exceeds a limit.
func (limits) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	var size measure
	return size.walk(operation.Operation.SelectionSet, 1, false)
}

// measure is how large an operation is as far as it was walked. Fragments count wherever they are spread; the walk ends
// at the first limit, so a few fragments that spread each other many times cannot keep it busy.
type measure struct {
	fields  int
	aliases int
}

// walk measures selections. Those of the schema about itself are as deep as tools ask; the library bounds them.
func (m *measure) walk(selections ast.SelectionSet, depth int, schema bool) *gqlerror.Error {
	if depth > maximumDepth && !schema {
		return gqlerror.Errorf("the operation is nested deeper than %d levels", maximumDepth)
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

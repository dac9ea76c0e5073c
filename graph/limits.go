package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regulars/internal/page"
)

// What one operation may ask for. A full page of members with their points, standing and a short history is well below.
const (
	maximumDepth      = 15
	maximumAliases    = 50
	maximumFields     = 2_000
	maximumTokens     = 15_000
	maximumComplexity = 20_000
)

// pageCost counts the fields of a list as often as it has items at most.
func pageCost(child int, first *int) int {
	size := page.DefaultSize
	if first != nil && *first >= 0 && *first <= page.MaximumSize {
		size = *first
	}
	return 1 + size*child
}

// limits refuses operations that are too deep, too long or have too many aliases, before anything counts further.
type limits struct{}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = limits{}

// ExtensionName names the extension to the library.
func (limits) ExtensionName() string { return "Limits" }

// Validate has nothing to check.
func (limits) Validate(graphql.ExecutableSchema) error { return nil }

// MutateOperationContext refuses the operation if it exceeds a limit.
func (limits) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	var size measure
	return size.walk(operation.Operation.SelectionSet, 1)
}

// measure is how large an operation is as far as it was walked. Fragments count wherever they are spread; the walk ends
// at the first limit, so a few fragments that spread each other many times cannot keep it busy.
type measure struct {
	fields  int
	aliases int
}

func (m *measure) walk(selections ast.SelectionSet, depth int) *gqlerror.Error {
	if depth > maximumDepth {
		return gqlerror.Errorf("the operation is nested deeper than %d levels", maximumDepth)
	}
	for _, selection := range selections {
		if m.fields++; m.fields > maximumFields {
			return gqlerror.Errorf("the operation has more than %d fields", maximumFields)
		}
		var children ast.SelectionSet
		below := depth
		switch selection := selection.(type) {
		case *ast.Field:
			// Tools ask the schema about itself in great depth, and get no more than the schema.
			if selection.Name == "__schema" || selection.Name == "__type" {
				continue
			}
			if selection.Alias != selection.Name {
				if m.aliases++; m.aliases > maximumAliases {
					return gqlerror.Errorf("the operation has more than %d aliases", maximumAliases)
				}
			}
			children = selection.SelectionSet
			below++
		case *ast.InlineFragment:
			children = selection.SelectionSet
		case *ast.FragmentSpread:
			children = selection.Definition.SelectionSet
		}
		if len(children) > 0 {
			if err := m.walk(children, below); err != nil {
				return err
			}
		}
	}
	return nil
}

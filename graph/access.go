package graph

import (
	"context"
	"reflect"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
)

// access is what one @access says. Where the schema says nothing, nobody passes.
type access struct {
	everybody bool
	grants    []actor.Grant
	owner     bool
}

// guarded is a field that not everybody may see, and what @access says of it and of the objects that it answers.
type guarded struct {
	operation     bool
	field, object access
}

// coordinate names a field of an object type.
type coordinate struct{ object, field string }

// guard does what the schema says of access. The domain asks again before it does anything.
type guard map[coordinate]guarded

func newGuard(schema *ast.Schema) guard {
	g := guard{}
	for _, object := range schema.Types {
		if object.Kind != ast.Object || object.BuiltIn {
			continue
		}
		operation := object == schema.Query || object == schema.Mutation
		for _, field := range object.Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			said := field.Directives.ForName("access")
			if said == nil && !operation {
				said = object.Directives.ForName("access")
			}
			one := guarded{operation: operation, field: readAccess(said), object: access{everybody: true}}
			if of := schema.Types[field.Type.Name()]; of.Kind == ast.Object {
				one.object = readAccess(of.Directives.ForName("access"))
			}
			if operation || !one.field.everybody || !one.object.everybody {
				g[coordinate{object.Name, field.Name}] = one
			}
		}
	}
	return g
}

// readAccess reads a directive, whose arguments the library has checked.
func readAccess(said *ast.Directive) access {
	if said == nil {
		return access{}
	}
	var read access
	arguments := said.ArgumentMap(nil)
	for _, role := range arguments["roles"].([]any) {
		read.grants = append(read.grants, actor.Role(role.(string)))
	}
	for _, scope := range arguments["scopes"].([]any) {
		read.grants = append(read.grants, actor.Scope(scope.(string)))
	}
	read.owner = arguments["owner"].(bool)
	read.everybody = len(read.grants) == 0 && !read.owner
	return read
}

// lets tells whether the caller may pass, as far as that can be said without the object.
func (a access) lets(caller actor.Actor) bool {
	return a.everybody || caller.Has(a.grants...) || a.owner && caller.Has(actor.Member)
}

// field lets a caller pass. Else an operation is refused, and what stands below one is null.
func (g guard) field(ctx context.Context, next graphql.Resolver) (any, error) {
	here := graphql.GetFieldContext(ctx)
	one, ok := g[coordinate{here.Object, here.Field.Name}]
	if !ok {
		return next(ctx)
	}
	caller, ok := actor.From(ctx)
	switch {
	case !ok:
		return nil, problem.Unauthenticated
	case one.operation && !one.field.lets(caller):
		return nil, problem.Forbidden
	case !one.field.lets(caller) || !one.operation && !one.object.lets(caller):
		return nil, nil
	}
	if !one.operation && one.field.owner && !caller.Has(one.field.grants...) {
		if own, err := owns(ctx, here.Parent.Result); !own {
			return nil, err
		}
	}
	return next(ctx)
}

// owned is an object that belongs to a member.
type owned interface{ Owner() id.Member }

// owns tells whether the caller is the member to whom an object belongs.
func owns(ctx context.Context, object any) (bool, error) {
	// The items of a list come as pointers to them.
	if item := reflect.ValueOf(object); item.Kind() == reflect.Pointer && item.Elem().Kind() == reflect.Pointer {
		object = item.Elem().Interface()
	}
	belonging, ok := object.(owned)
	if !ok {
		return false, nil
	}
	viewer, err := load(ctx).viewer()
	return err == nil && viewer != nil && belonging.Owner() == viewer.ID, err
}

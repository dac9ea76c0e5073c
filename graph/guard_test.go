package graph

import (
	"context"
	"errors"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty"
)

const guardedSchema = `
enum Role { MEMBER SUPPORT ADMIN }
directive @access(roles: [Role!]! = [], scopes: [String!]! = [], owner: Boolean! = false) on OBJECT | FIELD_DEFINITION
type Query {
	open: String @access
	closed: String @access(roles: [ADMIN], scopes: ["members:read"])
	own: String @access(roles: [ADMIN], owner: true)
	unsaid: String
}
type Member @access(roles: [SUPPORT, ADMIN], scopes: ["members:read"], owner: true) {
	number: String
	email: String @access(roles: [ADMIN], owner: true)
	notes: String @access(roles: [ADMIN])
}
type Payload @access {
	member: Member
	note: Note
	replayed: Boolean
}
type Note @access(roles: [ADMIN]) { text: String }
type Unsaid { text: String }
`

// The domain shows nobody what the schema hides, so what the guard does is to be seen without it.
func TestGuard(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Input: guardedSchema})
	if err != nil {
		t.Fatal(err)
	}
	g := newGuard(schema)
	ada, eve := &loyalty.Member{ID: id.New[id.Member]()}, &loyalty.Member{ID: id.New[id.Member]()}
	callers := map[string]*actor.Actor{
		"nobody":       nil,
		"ada":          {Roles: []actor.Role{actor.Member}},
		"SUPPORT":      {Roles: []actor.Role{actor.Support}},
		"ADMIN":        {Roles: []actor.Role{actor.Admin}},
		"members:read": {Scopes: []actor.Scope{actor.MembersRead}},
		"program:read": {Scopes: []actor.Scope{actor.ProgramRead}},
	}
	const shown, hidden = "shown", "hidden"
	forbidden, unauthenticated := string(problem.CodeForbidden), string(problem.CodeUnauthenticated)
	for _, test := range []struct {
		object, field string
		parent        any
		want          map[string]string
	}{
		{"Query", "open", nil, map[string]string{"nobody": unauthenticated, "ada": shown, "SUPPORT": shown, "ADMIN": shown, "members:read": shown, "program:read": shown}},
		{"Query", "closed", nil, map[string]string{"nobody": unauthenticated, "ada": forbidden, "SUPPORT": forbidden, "ADMIN": shown, "members:read": shown, "program:read": forbidden}},
		{"Query", "own", nil, map[string]string{"nobody": unauthenticated, "ada": shown, "SUPPORT": forbidden, "ADMIN": shown, "members:read": forbidden, "program:read": forbidden}},
		{"Query", "unsaid", nil, map[string]string{"nobody": unauthenticated, "ada": forbidden, "SUPPORT": forbidden, "ADMIN": forbidden, "members:read": forbidden, "program:read": forbidden}},
		{"Member", "number", ada, map[string]string{"nobody": unauthenticated, "ada": shown, "SUPPORT": shown, "ADMIN": shown, "members:read": shown, "program:read": hidden}},
		{"Member", "number", eve, map[string]string{"ada": hidden, "SUPPORT": shown}},
		{"Member", "number", &eve, map[string]string{"ada": hidden, "SUPPORT": shown}},
		{"Member", "email", ada, map[string]string{"ada": shown, "SUPPORT": hidden, "ADMIN": shown, "members:read": hidden}},
		{"Member", "email", &ada, map[string]string{"ada": shown, "SUPPORT": hidden}},
		{"Member", "email", eve, map[string]string{"ada": hidden, "ADMIN": shown}},
		{"Member", "email", "nobody's", map[string]string{"ada": hidden, "ADMIN": shown}},
		{"Member", "notes", ada, map[string]string{"ada": hidden, "SUPPORT": hidden, "ADMIN": shown}},
		{"Payload", "member", nil, map[string]string{"ada": shown, "SUPPORT": shown, "members:read": shown, "program:read": hidden}},
		{"Payload", "note", nil, map[string]string{"ada": hidden, "SUPPORT": hidden, "ADMIN": shown, "members:read": hidden}},
		{"Payload", "replayed", nil, map[string]string{"ada": shown, "program:read": shown}},
		{"Unsaid", "text", nil, map[string]string{"ada": hidden, "SUPPORT": hidden, "ADMIN": hidden, "members:read": hidden}},
	} {
		for who, want := range test.want {
			ctx := context.WithValue(t.Context(), loadersKey{}, &loaders{viewer: func() (*loyalty.Member, error) {
				if who == "ada" {
					return ada, nil
				}
				return nil, nil
			}})
			if caller := callers[who]; caller != nil {
				ctx = actor.With(ctx, *caller)
			}
			ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Result: test.parent})
			ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: test.object, Field: graphql.CollectedField{Field: &ast.Field{Name: test.field}}})
			got := hidden
			answer, err := g.field(ctx, func(context.Context) (any, error) { return shown, nil })
			var failure problem.Failure
			switch {
			case errors.As(err, &failure):
				got = string(failure.Code)
			case answer != nil:
				got = shown
			}
			if got != want {
				t.Errorf("%s of a %s is %s to %s, want %s", test.field, test.object, got, who, want)
			}
		}
	}
}

package graph_test

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"

	"regulars/internal/actor"
)

var updateAccess = flag.Bool("update-access", false, "write the page of who may do what")

const accessPage = "../docs/access.md"

// said is an @access of the schema.
type said struct {
	roles  []actor.Role
	scopes []actor.Scope
	owner  bool
}

func readSaid(directive *ast.Directive) said {
	var read said
	for name, value := range directive.ArgumentMap(nil) {
		switch name {
		case "roles":
			for _, role := range value.([]any) {
				read.roles = append(read.roles, actor.Role(role.(string)))
			}
		case "scopes":
			for _, scope := range value.([]any) {
				read.scopes = append(read.scopes, actor.Scope(scope.(string)))
			}
		case "owner":
			read.owner = value.(bool)
		}
	}
	return read
}

func isRoot(definition *ast.Definition) bool {
	return definition.Name == "Query" || definition.Name == "Mutation"
}

func (s said) everybody() bool { return len(s.roles) == 0 && len(s.scopes) == 0 && !s.owner }

// sentence is how descriptions say it.
func (s said) sentence() string {
	if s.everybody() {
		return "For everybody who has signed in."
	}
	var who []string
	if len(s.roles) == len(actor.Roles) {
		who = append(who, "every role")
	} else {
		for _, role := range s.roles {
			who = append(who, string(role))
		}
	}
	for _, scope := range s.scopes {
		who = append(who, "`"+string(scope)+"`")
	}
	if s.owner {
		who = append(who, "the member itself")
	}
	if last := len(who) - 1; last > 0 {
		return "For " + strings.Join(who[:last], ", ") + " and " + who[last] + "."
	}
	return "For " + who[0] + "."
}

// row is a line of a table of docs/access.md.
func (s said) row(name string) string {
	cells := []string{"`" + name + "`"}
	for _, role := range actor.Roles {
		cell := ""
		switch {
		case s.everybody() || slices.Contains(s.roles, role):
			cell = "yes"
			if role == actor.Organizer && (name == "member" || name == "Member") {
				cell = "yes[^attendees]"
			}
		case role == actor.Member && s.owner:
			cell = "its own"
		}
		cells = append(cells, cell)
	}
	scopes := make([]string, len(s.scopes))
	for i, scope := range s.scopes {
		scopes[i] = "`" + string(scope) + "`"
	}
	if s.everybody() {
		scopes = []string{"all"}
	}
	return "| " + strings.Join(append(cells, strings.Join(scopes, ", ")), " | ") + " |\n"
}

// Every operation and every type says who may call or see it, in words of the domain, and operations also in their
// descriptions.
func TestAccess_IsSaid(t *testing.T) {
	t.Parallel()
	known := func(where string, directive *ast.Directive) {
		read := readSaid(directive)
		for _, role := range read.roles {
			if !slices.Contains(actor.Roles, role) {
				t.Errorf("%s: there is no role %s", where, role)
			}
		}
		for _, scope := range read.scopes {
			if !slices.Contains(actor.Scopes, scope) {
				t.Errorf("%s: there is no scope %s", where, scope)
			}
		}
	}
	for _, definition := range own(t) {
		root := isRoot(definition)
		if definition.Kind == ast.Object && !root {
			directive := definition.Directives.ForName("access")
			if directive == nil {
				t.Errorf("type %s does not say who may see it", definition.Name)
				continue
			}
			known(definition.Name, directive)
		}
		for _, field := range definition.Fields {
			directive := field.Directives.ForName("access")
			where := definition.Name + "." + field.Name
			switch {
			case strings.HasPrefix(field.Name, "__"):
			case root && directive == nil:
				t.Errorf("%s does not say who may call it", where)
			case root && !strings.Contains(field.Description, readSaid(directive).sentence()):
				t.Errorf("%s: the description lacks %q", where, readSaid(directive).sentence())
			case !root && directive != nil && field.Type.NonNull:
				t.Errorf("%s cannot be null for whoever may not see it", where)
			}
			if directive != nil {
				known(where, directive)
			}
		}
	}
}

// Whoever sees an object sees what it must have: a hidden object below a field that cannot be null would take the whole
// answer away.
func TestAccess_HidesNothingThatMustBe(t *testing.T) {
	t.Parallel()
	loaded := schema(t)
	for _, definition := range own(t) {
		if definition.Kind != ast.Object || isRoot(definition) {
			continue
		}
		outer := readSaid(definition.Directives.ForName("access"))
		for _, field := range definition.Fields {
			of := loaded.Types[field.Type.Name()]
			if of.Kind != ast.Object || !field.Type.NonNull || outer.everybody() {
				continue
			}
			inner := readSaid(of.Directives.ForName("access"))
			for _, role := range outer.roles {
				if !inner.everybody() && !slices.Contains(inner.roles, role) {
					t.Errorf("%s sees %s, but not %s, which it must have", role, definition.Name, field.Name)
				}
			}
			for _, scope := range outer.scopes {
				if !inner.everybody() && !slices.Contains(inner.scopes, scope) {
					t.Errorf("%s sees %s, but not %s, which it must have", scope, definition.Name, field.Name)
				}
			}
		}
	}
}

const accessIntroduction = `# Who may do what

People act by roles, which their identity provider gives them; machine clients (tills, shops, partners) by scopes, which
whoever made them gave them. *Its own* is the member itself. An operation outside of that is refused as FORBIDDEN; what is
hidden below one is null. Another's object is answered like one that does not exist.

This page is made from the schema by ` + "`make generate`" + `; a test runs every line of it against the server.

`

// TestAccess_Documentation keeps docs/access.md equal to the schema.
func TestAccess_Documentation(t *testing.T) {
	t.Parallel()
	loaded := schema(t)
	head := "| | MEMBER | ORGANIZER | MARKETER | SUPPORT | ADMIN | machine clients |\n| --- | --- | --- | --- | --- | --- | --- |\n"
	var page strings.Builder
	page.WriteString(accessIntroduction)
	for _, root := range []*ast.Definition{loaded.Query, loaded.Mutation} {
		fmt.Fprintf(&page, "## %s\n\n%s", map[string]string{"Query": "Queries", "Mutation": "Mutations"}[root.Name], head)
		fields := slices.Clone(root.Fields)
		slices.SortFunc(fields, func(a, b *ast.FieldDefinition) int { return strings.Compare(a.Name, b.Name) })
		for _, field := range fields {
			if !strings.HasPrefix(field.Name, "__") {
				page.WriteString(readSaid(field.Directives.ForName("access")).row(field.Name))
			}
		}
		page.WriteString("\n")
	}
	page.WriteString("## Objects\n\nTypes that are not listed are seen by whoever sees the object that has them, and so are fields.\n\n" + head)
	types := own(t)
	slices.SortFunc(types, func(a, b *ast.Definition) int { return strings.Compare(a.Name, b.Name) })
	for _, definition := range types {
		if definition.Kind != ast.Object || isRoot(definition) {
			continue
		}
		if read := readSaid(definition.Directives.ForName("access")); !read.everybody() {
			page.WriteString(read.row(definition.Name))
		}
		for _, field := range definition.Fields {
			if directive := field.Directives.ForName("access"); directive != nil {
				page.WriteString(readSaid(directive).row(definition.Name + "." + field.Name))
			}
		}
	}
	page.WriteString("\n[^attendees]: Its attendees; there are none before it has events.\n")
	if *updateAccess {
		if err := os.WriteFile(accessPage, []byte(page.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(accessPage)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(want), page.String()); difference != "" {
		t.Errorf("docs/access.md is not what the schema says; run make generate (-want +got):\n%s", difference)
	}
}

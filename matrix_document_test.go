package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
)

// rule is what an @access says; without grants and owner it is everybody who has signed in.
type rule struct {
	grants []string
	owner  bool
}

// lets tells whether the caller passes; own whether the object is its own.
func (r rule) lets(who caller, own bool) bool {
	if len(r.grants) == 0 && !r.owner {
		return who.name != nobody
	}
	return r.owner && own || slices.ContainsFunc(r.grants, func(grant string) bool { return slices.Contains(who.grants, grant) })
}

// rules are those of types, by their names, and of fields, as Type.field.
type rules map[string]rule

// contract reads the schema and what it says of access.
func contract(t *testing.T) (*ast.Schema, rules) {
	t.Helper()
	files, err := filepath.Glob("graph/schema/*.graphqls")
	if err != nil {
		t.Fatal(err)
	}
	var sources []*ast.Source
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		sources = append(sources, &ast.Source{Name: file, Input: string(text)})
	}
	schema, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	said := rules{}
	for _, object := range schema.Types {
		if object.Kind != ast.Object || object.BuiltIn || strings.HasPrefix(object.Name, "__") {
			continue
		}
		whole := object.Directives.ForName("access")
		if whole != nil {
			said[object.Name] = readRule(whole)
		}
		for _, field := range object.Fields {
			directive := field.Directives.ForName("access")
			if directive == nil {
				directive = whole
			}
			switch {
			case strings.HasPrefix(field.Name, "__"):
			case directive == nil:
				t.Errorf("the schema does not say who sees %s.%s", object.Name, field.Name)
			default:
				said[object.Name+"."+field.Name] = readRule(directive)
			}
		}
	}
	return schema, said
}

func readRule(directive *ast.Directive) rule {
	var made rule
	for name, value := range directive.ArgumentMap(nil) {
		switch value := value.(type) {
		case bool:
			made.owner = value
		case []any:
			for _, grant := range value {
				made.grants = append(made.grants, grant.(string))
			}
		default:
			panic("@access has an argument that is not known here: " + name)
		}
	}
	return made
}

// selected is a field of a document, with what is selected of its objects by type.
type selected struct {
	name       string // in the document, with arguments
	coordinate string
	of         *ast.Definition
	below      []*selection
}

// selection is the fields of a type; none where the document has them elsewhere.
type selection struct {
	object string
	fields []*selected
}

// repeating is how long a document gets by showing types more than once; the server takes documents of 1,000 fields.
const repeating = 500

// everything selects all that an operation leads to: every type with all its fields where it is nearest to the root and, while
// the document is short, below every other field that answers it; elsewhere no more than that an object is there. An answer that
// can be of any type is taken for kind.
func everything(schema *ast.Schema, operation, arguments, kind string) *selected {
	root, name, _ := strings.Cut(operation, ".")
	field := schema.Types[root].Fields.ForName(name)
	top := &selected{name: name + arguments, coordinate: operation, of: schema.Types[field.Type.Name()]}
	written, length := map[string]bool{}, 0
	for queue := []*selected{top}; len(queue) > 0; queue = queue[1:] {
		one := queue[0]
		for _, object := range schema.GetPossibleTypes(one.of) {
			if one == top && one.of.IsAbstractType() && object.Name != kind {
				continue
			}
			below := &selection{object: object.Name}
			one.below = append(one.below, below)
			if written[object.Name] && (written[one.coordinate] || length > repeating) {
				continue
			}
			written[object.Name], length = true, length+len(object.Fields)
			for _, field := range object.Fields {
				if !strings.HasPrefix(field.Name, "__") {
					below.fields = append(below.fields, &selected{name: field.Name, coordinate: object.Name + "." + field.Name, of: schema.Types[field.Type.Name()]})
				}
			}
			queue = append(queue, below.fields...)
		}
		written[one.coordinate] = true
	}
	return top
}

func (s *selected) write(document *strings.Builder) {
	document.WriteString(" " + s.name)
	if !s.of.IsCompositeType() {
		return
	}
	document.WriteString(" { __typename")
	for _, below := range s.below {
		if len(below.fields) > 0 {
			document.WriteString(" ... on " + below.object + " {")
			for _, field := range below.fields {
				field.write(document)
			}
			document.WriteString(" }")
		}
	}
	document.WriteString(" }")
}

// spots marks what an answer shows. A spot is the way to a field, its steps parted by slashes: each names a field and, if that
// answers an object, the object's type, e.g. "Query.node:Member/Member.points:PointsBalance/PointsBalance.held".
func (s *selected) spots(above string, value any, mark func(spot string)) {
	spot := above + s.coordinate
	if s.of.Kind == ast.Object {
		spot += ":" + s.of.Name
	}
	switch value := value.(type) {
	case nil:
	case []any:
		mark(spot)
		for _, item := range value {
			s.spots(above, item, mark)
		}
	case map[string]any:
		object, _ := value["__typename"].(string)
		spot = above + s.coordinate + ":" + object
		mark(spot)
		for _, below := range s.below {
			for _, field := range below.fields {
				if below.object == object {
					_, name, _ := strings.Cut(field.coordinate, ".")
					field.spots(spot+"/", value[name], mark)
				}
			}
		}
	default:
		mark(spot)
	}
}

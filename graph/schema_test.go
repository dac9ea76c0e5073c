package graph_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"regulars/internal/problem"
)

func schema(t *testing.T) *ast.Schema {
	t.Helper()
	files, err := filepath.Glob("schema/*.graphqls")
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
	loaded, err := gqlparser.LoadSchema(sources...)
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// own lists the types of our schema by name, without those that every schema has.
func own(t *testing.T) []*ast.Definition {
	t.Helper()
	var types []*ast.Definition
	for name, definition := range schema(t).Types {
		if !definition.BuiltIn && !strings.HasPrefix(name, "__") {
			types = append(types, definition)
		}
	}
	if len(types) < 50 {
		t.Fatalf("only %d types were found", len(types))
	}
	return types
}

func TestSchema_EverythingIsDescribed(t *testing.T) {
	t.Parallel()
	for _, definition := range own(t) {
		if definition.Description == "" {
			t.Errorf("%s is not described", definition.Name)
		}
		for _, field := range definition.Fields {
			if field.Description == "" && !strings.HasPrefix(field.Name, "__") {
				t.Errorf("%s.%s is not described", definition.Name, field.Name)
			}
			for _, argument := range field.Arguments {
				if argument.Description == "" && !strings.HasPrefix(field.Name, "__") {
					t.Errorf("%s.%s(%s:) is not described", definition.Name, field.Name, argument.Name)
				}
			}
		}
		for _, value := range definition.EnumValues {
			if value.Description == "" {
				t.Errorf("%s.%s is not described", definition.Name, value.Name)
			}
		}
	}
}

// Every mutation names the codes it answers, and every code it names exists.
func TestSchema_OperationsSayWhat(t *testing.T) {
	t.Parallel()
	known := make([]string, len(problem.Registry))
	for i, entry := range problem.Registry {
		known[i] = string(entry.Code)
	}
	for _, root := range []string{"Query", "Mutation"} {
		for _, field := range schema(t).Types[root].Fields {
			if strings.HasPrefix(field.Name, "__") {
				continue
			}
			_, listed, found := strings.Cut(field.Description, "Codes:")
			if root == "Mutation" && !found {
				t.Errorf("%s does not say what codes it answers", field.Name)
			}
			for _, code := range regexp.MustCompile(`\b[A-Z]+(_[A-Z]+)+\b`).FindAllString(listed, -1) {
				if !slices.Contains(known, code) {
					t.Errorf("%s names %s, which is not in the registry", field.Name, code)
				}
			}
		}
	}
}

// Every mutation takes one input and answers with a payload that has userErrors.
func TestSchema_MutationsLookAlike(t *testing.T) {
	t.Parallel()
	loaded := schema(t)
	for _, field := range loaded.Types["Mutation"].Fields {
		if len(field.Arguments) != 1 || field.Arguments[0].Name != "input" || !field.Arguments[0].Type.NonNull {
			t.Errorf("%s does not take one input", field.Name)
		}
		errors := loaded.Types[field.Type.Name()].Fields.ForName("userErrors")
		if errors == nil || errors.Type.String() != "[UserError!]!" {
			t.Errorf("%s does not answer with userErrors", field.Name)
		}
	}
}

// Every type that the domain answers as a user error is one of the schema's.
func TestSchema_UserErrors(t *testing.T) {
	t.Parallel()
	var names []string
	for _, definition := range schema(t).GetPossibleTypes(schema(t).Types["UserError"]) {
		names = append(names, definition.Name)
	}
	slices.Sort(names)
	if want := []string{"CapacityBelowTakenError", "ConflictError", "InputError", "InsufficientPointsError", "InvalidConditionError", "InvalidTemplateError"}; !slices.Equal(names, want) {
		t.Errorf("the schema has %v, the domain %v", names, want)
	}
}

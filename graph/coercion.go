package graph

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"regulars/graph/scalars"
	"regulars/internal/problem"
)

// coercion checks every argument of an operation before anything of it runs, whether it stands in the document or in the
// variables: that scalars are well formed, and that exactly one field is set where the schema says so. The library checks
// neither for variables, and scalars only while it executes, when a part of the operation may have run.
type coercion struct {
	schema *ast.Schema
}

var _ interface {
	graphql.HandlerExtension
	graphql.OperationContextMutator
} = &coercion{}

// ExtensionName names the extension to the library.
func (*coercion) ExtensionName() string { return "Coercion" }

// Validate keeps the schema.
func (c *coercion) Validate(schema graphql.ExecutableSchema) error {
	c.schema = schema.Schema()
	return nil
}

// MutateOperationContext refuses the operation at its first malformed argument.
func (c *coercion) MutateOperationContext(_ context.Context, operation *graphql.OperationContext) *gqlerror.Error {
	return c.selections(operation.Operation.SelectionSet, operation.Variables)
}

func (c *coercion) selections(selections ast.SelectionSet, variables map[string]any) *gqlerror.Error {
	for _, selection := range selections {
		var err *gqlerror.Error
		switch selection := selection.(type) {
		case *ast.Field:
			if err = c.arguments(selection, variables); err == nil {
				err = c.selections(selection.SelectionSet, variables)
			}
		case *ast.InlineFragment:
			err = c.selections(selection.SelectionSet, variables)
		case *ast.FragmentSpread:
			err = c.selections(selection.Definition.SelectionSet, variables)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *coercion) arguments(field *ast.Field, variables map[string]any) *gqlerror.Error {
	given := field.ArgumentMap(variables)
	for _, argument := range field.Definition.Arguments {
		if err := c.value(argument.Type, given[argument.Name], []string{argument.Name}); err != nil {
			return gqlerror.ErrorPosf(field.Position, "%s", err)
		}
	}
	return nil
}

func (c *coercion) value(expected *ast.Type, given any, path []string) error {
	if given == nil {
		return nil
	}
	if expected.Elem != nil {
		// The library makes lists of various types of single values in variables.
		items := reflect.ValueOf(given)
		if items.Kind() != reflect.Slice {
			// A single value stands for a list of one.
			return c.value(expected.Elem, given, path)
		}
		for i := range items.Len() {
			if err := c.value(expected.Elem, items.Index(i).Interface(), append(slices.Clone(path), strconv.Itoa(i))); err != nil {
				return err
			}
		}
		return nil
	}
	definition := c.schema.Types[expected.Name()]
	if definition.Kind == ast.InputObject {
		return c.object(definition, given, path)
	}
	if err := scalar(definition.Name, given); err != nil {
		message := err.Error()
		if failure := new(problem.Failure); errors.As(err, failure) {
			message = failure.Message
		}
		return fmt.Errorf("%s: %s", strings.Join(path, "."), message)
	}
	return nil
}

// signed are the fields whose durations may have a minus: they are from something, not of something.
var signed = []string{"CareCampaignInput.offset"}

func (c *coercion) object(definition *ast.Definition, given any, path []string) error {
	fields, ok := given.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: expected an object", strings.Join(path, "."))
	}
	if definition.Directives.ForName("oneOf") != nil {
		set := 0
		for _, value := range fields {
			if value != nil {
				set++
			}
		}
		if set != 1 || len(fields) != 1 {
			return fmt.Errorf("%s: set exactly one field of %s", strings.Join(path, "."), definition.Name)
		}
	}
	for _, field := range definition.Fields {
		if text, ok := fields[field.Name].(string); ok && slices.Contains(signed, definition.Name+"."+field.Name) {
			fields = maps.Clone(fields)
			fields[field.Name] = strings.TrimPrefix(text, "-")
		}
		if err := c.value(field.Type, fields[field.Name], append(slices.Clone(path), field.Name)); err != nil {
			return err
		}
	}
	return nil
}

func scalar(name string, given any) error {
	var err error
	switch name {
	case "DateTime":
		_, err = scalars.UnmarshalDateTime(given)
	case "Date":
		_, err = scalars.UnmarshalDate(given)
	case "LocalTime":
		_, err = scalars.UnmarshalLocalTime(given)
	case "Duration":
		_, err = scalars.UnmarshalDuration(given)
	case "Points":
		_, err = scalars.UnmarshalPoints(given)
	case "Decimal":
		_, err = scalars.UnmarshalDecimal(given)
	case "CurrencyCode":
		_, err = scalars.UnmarshalCurrencyCode(given)
	case "Int":
		_, err = scalars.UnmarshalInt(given)
	case "ID", "String":
		text, isText := given.(string)
		_, isNumber := scalars.Whole(given)
		switch {
		case strings.ContainsRune(text, 0):
			err = fmt.Errorf("a text holds no character U+0000")
		case !isText && (name == "String" || !isNumber):
			err = fmt.Errorf("expected a text")
		}
	}
	return err
}

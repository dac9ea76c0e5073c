package graph

import (
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// What a document may hold as it is written. Validating compares every two fields that are answered as one, follows
// every fragment from every other, and says of each value what is wrong with it: without bounds a few kilobytes cost
// seconds, and megabytes of errors. Within them the worst documents that we know take a twentieth of a second.
const (
	maximumWritten     = 1_000
	maximumDefinitions = 200
	maximumTokens      = 20_000
	// maximumTogether bounds the fields that are answered as one, and arguments, fields of an object and directives in one
	// place.
	maximumTogether   = 100
	maximumValueDepth = 20
	// maximumErrors is how many errors are found in a document that is refused.
	maximumErrors = 20
)

// written measures a document as it is written.
type written struct {
	fragments map[string]*ast.FragmentDefinition
	fields    int
	// expanded counts the fields of a definition, fragments in place.
	expanded int
	// refusal is the first limit that the document exceeds.
	refusal *gqlerror.Error
}

// measureDocument returns the limit that a document exceeds as it is written; nil if it exceeds none.
func measureDocument(document *ast.QueryDocument) *gqlerror.Error {
	w := &written{fragments: make(map[string]*ast.FragmentDefinition, len(document.Fragments))}
	if len(document.Operations)+len(document.Fragments) > maximumDefinitions {
		w.refuse("the document has more than %d operations and fragments", maximumDefinitions)
	}
	roots := make([]ast.SelectionSet, 0, maximumDefinitions)
	for _, operation := range document.Operations {
		for _, variable := range operation.VariableDefinitions {
			w.value(variable.DefaultValue, 1)
			w.directives(variable.Directives)
		}
		w.directives(operation.Directives)
		w.selections(operation.SelectionSet)
		roots = append(roots, operation.SelectionSet)
	}
	for _, fragment := range document.Fragments {
		w.fragments[fragment.Name] = fragment
		w.directives(fragment.Directives)
		w.selections(fragment.SelectionSet)
		roots = append(roots, fragment.SelectionSet)
	}
	if w.fields > maximumWritten {
		w.refuse("the document has more than %d fields", maximumWritten)
	}
	for _, root := range roots {
		w.expanded = 0
		w.together([]ast.SelectionSet{root})
	}
	return w.refusal
}

func (w *written) refuse(format string, limit int) {
	if w.refusal == nil {
		w.refusal = gqlerror.Errorf(format, limit)
	}
}

// selections counts fields and measures what is given to them.
func (w *written) selections(selections ast.SelectionSet) {
	w.fields += len(selections)
	for _, selection := range selections {
		switch selection := selection.(type) {
		case *ast.Field:
			w.arguments(selection.Arguments)
			w.directives(selection.Directives)
			w.selections(selection.SelectionSet)
		case *ast.InlineFragment:
			w.directives(selection.Directives)
			w.selections(selection.SelectionSet)
		case *ast.FragmentSpread:
			w.directives(selection.Directives)
		}
	}
}

func (w *written) directives(directives ast.DirectiveList) {
	if len(directives) > maximumTogether {
		w.refuse("the document has more than %d directives in one place", maximumTogether)
	}
	for _, directive := range directives {
		w.arguments(directive.Arguments)
	}
}

func (w *written) arguments(arguments ast.ArgumentList) {
	if len(arguments) > maximumTogether {
		w.refuse("the document has more than %d arguments in one place", maximumTogether)
	}
	for _, argument := range arguments {
		w.value(argument.Value, 1)
	}
}

func (w *written) value(value *ast.Value, depth int) {
	if value == nil || w.refusal != nil {
		return
	}
	if depth > maximumValueDepth {
		w.refuse("the document has a value that is nested deeper than %d levels", maximumValueDepth)
		return
	}
	if value.Kind == ast.ObjectValue && len(value.Children) > maximumTogether {
		w.refuse("the document has an object with more than %d fields", maximumTogether)
	}
	for _, child := range value.Children {
		w.value(child.Value, depth+1)
	}
}

// together counts the fields that are answered as one: those of one name in the selections, and below them those of one
// name in all that they select.
func (w *written) together(selections []ast.SelectionSet) {
	below, spread := map[string][]ast.SelectionSet{}, map[string]bool{}
	for _, one := range selections {
		w.collect(one, below, spread)
	}
	for _, children := range below {
		if w.refusal != nil {
			return
		}
		w.together(children)
	}
}

// collect adds what the fields of a selection select, and those of the fragments in it, each once, to that of their names.
func (w *written) collect(selections ast.SelectionSet, below map[string][]ast.SelectionSet, spread map[string]bool) {
	for _, selection := range selections {
		if w.refusal != nil {
			return
		}
		switch selection := selection.(type) {
		case *ast.Field:
			if w.expanded++; w.expanded > maximumFields {
				w.refuse("the operation has more than %d fields", maximumFields)
			}
			below[selection.Alias] = append(below[selection.Alias], selection.SelectionSet)
			if len(below[selection.Alias]) > maximumTogether {
				w.refuse("the document has more than %d fields of one name in one place", maximumTogether)
			}
		case *ast.InlineFragment:
			w.collect(selection.SelectionSet, below, spread)
		case *ast.FragmentSpread:
			fragment := w.fragments[selection.Name]
			if fragment == nil || spread[selection.Name] {
				continue
			}
			spread[selection.Name] = true
			w.collect(fragment.SelectionSet, below, spread)
		}
	}
}

// validation returns the rules by which documents are validated. They stop to tell after maximumErrors; without
// suggestions they name nothing that was perhaps meant.
func validation(suggestions bool) *rules.Rules {
	chosen := rules.NewDefaultRules()
	if !suggestions {
		for name, silent := range map[string]core.Rule{
			rules.KnownArgumentNamesRule.Name:  rules.KnownArgumentNamesRuleWithoutSuggestions,
			rules.KnownTypeNamesRule.Name:      rules.KnownTypeNamesRuleWithoutSuggestions,
			rules.ValuesOfCorrectTypeRule.Name: rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
			// The library would see to these two, but then they would tell without end.
			rules.FieldsOnCorrectTypeRule.Name: rules.FieldsOnCorrectTypeRuleWithoutSuggestions,
			rules.ScalarLeafsRule.Name:         rules.ScalarLeafsRuleWithoutSuggestions,
		} {
			chosen.RemoveRule(name)
			chosen.AddRule(silent.Name, silent.RuleFunc)
		}
	}
	told := 0
	for name, rule := range chosen.GetInner() {
		chosen.ReplaceRule(name, func(observers *core.Events, addError core.AddErrFunc) {
			rule(observers, func(options ...core.ErrorOption) {
				if told++; told <= maximumErrors {
					addError(options...)
				}
			})
		})
	}
	return chosen
}

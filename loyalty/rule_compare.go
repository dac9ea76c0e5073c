package loyalty

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// Changes is what the version says differently from the one of number since, nil: the one before it, in the order of the fields.
// It is nil if there is no such version, empty if that says the same.
func (r *EarningRule) Changes(since *int) ([]problem.RuleFieldChange, error) {
	number := r.Number - 1
	if since != nil {
		number = *since
	}
	other := r.version(number)
	if other == nil {
		return nil, nil
	}
	return compareVersions(other.Version, r.Version, r.currency)
}

// conflict says that newest is not the version that the caller started from, and what it says differently.
func conflict(ctx context.Context, tx *postgres.Tx, book *rulebook, field string, newest rules.Version, since int) error {
	made := problem.ConflictError{
		Code: problem.EditConflict, Message: "Someone else was faster; start again from the newest version.",
		Path: []string{"input", field}, CurrentVersion: newest.Number,
	}
	rule, err := selectRule(ctx, tx, newest.Rule, book.Currency, tx.Now)
	if err != nil {
		return err
	}
	if made.Changes, err = rule.version(newest.Number).Changes(&since); err != nil {
		return err
	}
	return made
}

// What a version is recorded with that nobody says.
var notSaid = []string{"rule", "version", "effectiveFrom", "publishedAt"}

// The fields of the input that are recorded under another name.
var saidAs = map[string]string{"pendingFor": "pending.for", "pendingUntilConfirmed": "pending.untilConfirmed"}

// compareVersions lists the fields of the input in which after differs from before. It reads what is recorded of versions, so that
// a field that comes to be is compared like all others.
func compareVersions(before, after rules.Version, currency value.Currency) ([]problem.RuleFieldChange, error) {
	old, err := fieldsOf(before, currency)
	if err != nil {
		return nil, err
	}
	young, err := fieldsOf(after, currency)
	if err != nil {
		return nil, err
	}
	names := slices.Clone(young.names)
	for i, name := range old.names {
		if _, both := young.texts[name]; !both {
			names = slices.Insert(names, min(i, len(names)), name)
		}
	}
	changes := []problem.RuleFieldChange{}
	for _, name := range names {
		was, is := old.texts[name], young.texts[name]
		if was != is {
			changes = append(changes, problem.RuleFieldChange{Field: name, Before: said(was), After: said(is)})
		}
	}
	return changes, nil
}

func said(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// fields are the fields of a version that say something, by their names in the input.
type fields struct {
	names []string
	texts map[string]string
}

func fieldsOf(version rules.Version, currency value.Currency) (fields, error) {
	encoded, err := json.Marshal(version)
	if err != nil {
		return fields{}, fmt.Errorf("compare versions of a rule: %w", err)
	}
	found := fields{texts: map[string]string{}}
	if err := found.add("", encoded); err != nil {
		return fields{}, fmt.Errorf("compare versions of a rule: %w", err)
	}
	for name, show := range map[string]func(int64) string{
		"award.perAmount.every": func(units int64) string { return value.Money{Minor: units, Currency: currency}.String() },
		"award.multiplier":      func(units int64) string { return string(value.Quantity(units).Decimal()) },
	} {
		if text, ok := found.texts[name]; ok {
			units, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return fields{}, fmt.Errorf("compare versions of a rule: %w", err)
			}
			found.texts[name] = show(units)
		}
	}
	return found, nil
}

// add takes the fields of an object apart, down to what has no fields.
func (f *fields) add(path string, encoded json.RawMessage) error {
	if encoded[0] == '{' {
		return eachOf(encoded, func(name string, one json.RawMessage) error { return f.add(path+"."+name, one) })
	}
	name := strings.TrimPrefix(path, ".")
	text, err := inText(encoded)
	if err != nil || text == "" || slices.Contains(notSaid, name) {
		return err
	}
	if other, ok := saidAs[name]; ok {
		name = other
	}
	f.names, f.texts[name] = append(f.names, name), text
	return nil
}

// inText shows a value to people: lists by their elements, objects by what they say.
func inText(encoded json.RawMessage) (string, error) {
	var parts []string
	switch encoded[0] {
	case '{':
		err := eachOf(encoded, func(name string, one json.RawMessage) error {
			text, err := inText(one)
			if text != "" {
				parts = append(parts, name+" "+text)
			}
			return err
		})
		return strings.Join(parts, ", "), err
	case '[':
		between := ", "
		err := eachOf(encoded, func(_ string, one json.RawMessage) error {
			if one[0] == '{' {
				between = "; "
			}
			text, err := inText(one)
			parts = append(parts, text)
			return err
		})
		return strings.Join(parts, between), err
	case '"':
		var text string
		err := json.Unmarshal(encoded, &text)
		return text, err
	case 'n':
		return "", nil
	}
	return string(encoded), nil
}

// eachOf visits the fields of an object in their order, or the elements of a list, which have no names.
func eachOf(encoded json.RawMessage, visit func(name string, one json.RawMessage) error) error {
	decoder := json.NewDecoder(bytes.NewReader(encoded))
	if _, err := decoder.Token(); err != nil {
		return err
	}
	for decoder.More() {
		var name string
		if encoded[0] == '{' {
			key, err := decoder.Token()
			if err != nil {
				return err
			}
			name, _ = key.(string)
		}
		var one json.RawMessage
		if err := decoder.Decode(&one); err != nil {
			return err
		}
		if err := visit(name, one); err != nil {
			return err
		}
	}
	return nil
}

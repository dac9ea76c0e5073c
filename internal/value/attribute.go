package value

import (
	"cmp"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"slices"
)

// Attribute is a name with a value, of a member or a fact; names are the program's own.
type Attribute struct {
	Name  string
	Value string
}

// Attributes are sorted by name, and no name stands twice. In the database they are a JSON object.
type Attributes []Attribute

// SortAttributes returns given as Attributes; false if a name stands twice.
func SortAttributes(given []Attribute) (Attributes, bool) {
	sorted := append(Attributes{}, given...)
	slices.SortFunc(sorted, func(a, b Attribute) int { return cmp.Compare(a.Name, b.Name) })
	unique := slices.CompactFunc(slices.Clone(sorted), func(a, b Attribute) bool { return a.Name == b.Name })
	return sorted, len(unique) == len(sorted)
}

// Map returns the attributes by name.
func (a Attributes) Map() map[string]string {
	byName := make(map[string]string, len(a))
	for _, one := range a {
		byName[one.Name] = one.Value
	}
	return byName
}

// Value gives the attributes to the database.
func (a Attributes) Value() (driver.Value, error) {
	encoded, err := json.Marshal(a.Map())
	if err != nil {
		return nil, fmt.Errorf("encode attributes: %w", err)
	}
	return string(encoded), nil
}

// Scan takes the attributes from the database.
func (a *Attributes) Scan(source any) error {
	encoded, ok := source.([]byte)
	if !ok {
		return fmt.Errorf("attributes cannot be read from %T", source)
	}
	var byName map[string]string
	if err := json.Unmarshal(encoded, &byName); err != nil {
		return fmt.Errorf("decode attributes: %w", err)
	}
	*a = make(Attributes, 0, len(byName))
	for name, text := range byName {
		*a = append(*a, Attribute{Name: name, Value: text})
	}
	slices.SortFunc(*a, func(x, y Attribute) int { return cmp.Compare(x.Name, y.Name) })
	return nil
}

package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vektah/gqlparser/v2/ast"
)

// The access matrix: everybody asks the running program for everything, and sees what @access says, no more and no less.
//
// Fields and types are found in the schema. A new operation needs a row in samples (matrix_world_test.go), whose answer shows
// its new types; a new field needs a world in which somebody has it. Then write the matrix anew with
// go test -run AccessMatrix -update-matrix . and read what has changed in it.

var updateMatrix = flag.Bool("update-matrix", false, "write the matrix of who sees what as it was found")

const matrixFile = "testdata/access/matrix.txt"

// matrix collects who was seen to see what, by field.
type matrix struct {
	mutex sync.Mutex
	seen  map[string]map[string]bool
}

func (m *matrix) add(coordinate, who string) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if m.seen[coordinate] == nil {
		m.seen[coordinate] = map[string]bool{}
	}
	m.seen[coordinate][who] = true
}

func TestAccessMatrix(t *testing.T) {
	t.Parallel()
	schema, said := contract(t)
	w := newWorld(t)
	found := &matrix{seen: map[string]map[string]bool{}}
	sampled := map[string]int{}
	t.Cleanup(func() { found.compare(t, schema, w.callers) })
	for _, one := range samples {
		if _, ok := said[one.operation]; !ok {
			t.Errorf("samples has %s, which the schema has not", one.operation)
			continue
		}
		sampled[one.operation]++
		t.Run(fmt.Sprintf("%s/%d", one.operation, sampled[one.operation]), func(t *testing.T) {
			t.Parallel()
			trial{sample: one, schema: schema, said: said, world: w, found: found}.run(t)
		})
	}
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation} {
		for _, field := range root.Fields {
			if operation := root.Name + "." + field.Name; sampled[operation] == 0 && !strings.HasPrefix(field.Name, "__") {
				t.Errorf("samples lacks %s", operation)
			}
		}
	}
}

// trial lets everybody use a sample.
type trial struct {
	sample
	schema *ast.Schema
	said   rules
	world  *world
	found  *matrix
}

func (r trial) run(t *testing.T) {
	var named []string
	for name := range r.world.absent {
		if strings.Contains(r.arguments, name) {
			named = append(named, name)
		}
	}
	kind := ""
	if len(named) > 0 {
		kind = r.world.absent[named[0]].kind
	}
	asked := everything(r.schema, r.operation, r.arguments, kind)
	var document strings.Builder
	root, field, _ := strings.Cut(r.operation, ".")
	document.WriteString(strings.ToLower(root) + " {")
	asked.write(&document)
	document.WriteString(" }")

	seen := make([]map[string]bool, len(r.world.callers))
	there := map[string]bool{}
	for i, who := range r.world.callers {
		body := r.world.ask(t, who, document.String(), nil)
		data := r.answered(t, who, body)
		seen[i] = map[string]bool{}
		asked.spots("", data[field], func(spot string) {
			// What only a stranger is shown is how it is refused.
			seen[i][spot], there[spot] = true, there[spot] || who.name != stranger
		})
		r.discreet(t, who, body)
		if kind != "" && r.hides(who, kind) {
			if none := r.world.ask(t, who, document.String(), r.world.absent); none != body {
				t.Errorf("%s is answered %s\nand of what does not exist %s", who.name, body, none)
			}
		}
	}
	if len(there) == 0 {
		t.Error("it shows nothing to anybody")
	}
	for _, spot := range slices.Sorted(maps.Keys(there)) {
		for i, who := range r.world.callers {
			r.compare(t, who, spot, seen[i][spot], there[spot])
		}
	}
}

// answered reads the answer: its only error is that the operation as a whole is not for the caller.
func (r trial) answered(t *testing.T, who caller, body string) map[string]any {
	t.Helper()
	var answer struct {
		Data   map[string]any
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	want := ""
	switch {
	case who.name == nobody:
		want = "UNAUTHENTICATED"
	case !r.said[r.operation].lets(who, who.member()):
		want = "FORBIDDEN"
	default:
		r.found.add(r.operation, r.label(who))
	}
	got := ""
	for _, one := range answer.Errors {
		got += one.Extensions.Code
	}
	if got != want {
		t.Errorf("%s is answered with the errors %q instead of %q: %s", who.name, got, want, body)
	}
	return answer.Data
}

// owns tells whether what the sample shows is the caller's own.
func (r trial) owns(who caller) bool {
	return who.name == owner || r.self && who.member()
}

// label names the caller in the matrix.
func (r trial) label(who caller) string {
	if r.owns(who) {
		return owner
	}
	return who.name
}

// hides tells whether the caller may not know if the thing exists that the sample names.
func (r trial) hides(who caller, kind string) bool {
	narrowed, ok := narrower[r.operation+":"+kind]
	return !r.said[kind].lets(who, r.owns(who)) || ok && !narrowed.lets(who, r.owns(who))
}

// may tells whether the caller may see the spot.
func (r trial) may(who caller, spot string) bool {
	for i, step := range strings.Split(spot, "/") {
		coordinate, object, _ := strings.Cut(step, ":")
		// An operation is for every member whose object it may name.
		if !r.said[coordinate].lets(who, r.owns(who) || i == 0 && who.member()) {
			return false
		}
		if object != "" && !r.said[object].lets(who, r.owns(who)) {
			return false
		}
		if narrowed, ok := narrower[step]; ok && !narrowed.lets(who, r.owns(who)) {
			return false
		}
	}
	return true
}

// compare holds what the caller saw against what it may see, if that is there. Where each meets its own that is only known of
// the one who has everything.
func (r trial) compare(t *testing.T, who caller, spot string, saw, there bool) {
	t.Helper()
	may, there := r.may(who, spot), there && (!r.self || who.name == owner)
	if saw && !may || there && may && !saw {
		t.Errorf("%s: the schema says %t, but seen is %t, at %s", who.name, may, saw, spot)
	}
	if saw {
		coordinate, _, _ := strings.Cut(spot[strings.LastIndex(spot, "/")+1:], ":")
		if coordinate != r.operation {
			r.found.add(coordinate, r.label(who))
		}
	}
}

// discreet looks for what the caller may not see in the answer as it came.
func (r trial) discreet(t *testing.T, who caller, body string) {
	t.Helper()
	for name, coordinate := range secrets {
		object, _, _ := strings.Cut(coordinate, ".")
		own := who.name == owner
		may := r.said[coordinate].lets(who, own) && r.said[object].lets(who, own)
		if narrowed, ok := narrower[coordinate]; ok {
			may = may && narrowed.lets(who, own)
		}
		if text := r.world.things[name]; !may && strings.Contains(body, text) {
			t.Errorf("%s is told %q: %s", who.name, text, body)
		}
	}
}

// compare holds the matrix against the one that is kept; nothing in it is seen by nobody.
func (m *matrix) compare(t *testing.T, schema *ast.Schema, callers []caller) {
	t.Helper()
	var lines []string
	for _, object := range schema.Types {
		if object.Kind != ast.Object || strings.HasPrefix(object.Name, "__") {
			continue
		}
		for _, field := range object.Fields {
			coordinate := object.Name + "." + field.Name
			var who []string
			everybody := true
			for _, one := range callers {
				if m.seen[coordinate][one.name] {
					who = append(who, one.name)
				} else if one.name != nobody && one.name != stranger {
					everybody = false
				}
			}
			switch {
			case strings.HasPrefix(field.Name, "__"):
				continue
			case slices.Contains(elsewhere, coordinate):
				continue
			case len(who) == 0:
				t.Errorf("nobody sees %s: the world lacks one, or no sample leads to it", coordinate)
			case everybody:
				who = []string{"everybody"}
			}
			lines = append(lines, fmt.Sprintf("%-40s %s\n", coordinate, strings.Join(who, ", ")))
		}
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	if *updateMatrix {
		if err := os.MkdirAll(filepath.Dir(matrixFile), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(matrixFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(matrixFile)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(want), got); difference != "" {
		t.Errorf("other callers see other fields than before; if that is meant, run go test -run AccessMatrix -update-matrix . (-want +got):\n%s", difference)
	}
}

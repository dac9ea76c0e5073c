package outbox

import (
	"encoding/json"
	"errors"
	"os"
	"regexp"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// docs/outbox.md shows every shape, with all of its fields and no others.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/outbox.md")
	if err != nil {
		t.Fatal(err)
	}
	shown := map[shape]bool{}
	for _, found := range regexp.MustCompile("(?s)### (\\S+), version (\\d+)\n.*?```json\n(.*?)\n```").FindAllSubmatch(page, -1) {
		version, err := strconv.Atoi(string(found[2]))
		if err != nil {
			t.Fatal(err)
		}
		documented := shape{Type(found[1]), version}
		shown[documented] = true
		payload, err := documented.read(found[3])
		if err != nil {
			t.Errorf("%v: %v", documented, err)
			continue
		}
		kept, err := json.Marshal(payload)
		if err != nil {
			t.Fatal(err)
		}
		var want, got map[string]any
		if err := errors.Join(json.Unmarshal(found[3], &want), json.Unmarshal(kept, &got)); err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("%v is kept otherwise than it is documented (-documented +kept):\n%s", documented, difference)
		}
	}
	for one := range shapes {
		if !shown[one] {
			t.Errorf("%v is not documented", one)
		}
	}
}

// A payload is read by the shape under which it is kept.
func TestShapes(t *testing.T) {
	t.Parallel()
	for one, read := range shapes {
		payload, err := read([]byte(`{}`))
		if err != nil {
			t.Fatal(err)
		}
		kept, version := payload.shape()
		if got := (shape{kept, version}); got != one {
			t.Errorf("what is read as %v is kept as %v", one, got)
		}
	}
}

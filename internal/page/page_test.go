package page_test

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/internal/page"
	"regulars/internal/problem"
)

func TestParse(t *testing.T) {
	t.Parallel()
	if got, err := page.Parse("x", nil, nil); err != nil || got != (page.Arguments{Size: page.DefaultSize}) {
		t.Errorf("by default: %v %v", got, err)
	}
	encode := func(text string) *string {
		encoded := base64.RawURLEncoding.EncodeToString([]byte(text))
		return &encoded
	}
	if got, err := page.Parse("x", new(int), encode("x:a:b")); err != nil || got != (page.Arguments{After: "a:b"}) {
		t.Errorf("with both: %v %v", got, err)
	}
	negative, large, garbage := -1, page.MaximumSize+1, "§"
	for name, test := range map[string]struct {
		first *int
		after *string
	}{
		"negative": {&negative, nil}, "too large": {&large, nil}, "garbage": {nil, &garbage}, "empty": {nil, new(string)},
		"of another list": {nil, encode("y:a")}, "without a key": {nil, encode("x:")}, "without a kind": {nil, encode("a")},
	} {
		_, err := page.Parse("x", test.first, test.after)
		var failure problem.Failure
		if !errors.As(err, &failure) || failure.Code != problem.CodeBadUserInput {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Read page by page, a list is the list, whatever the size of the pages.
func TestNew_WholeList(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		list := make([]int, rapid.IntRange(0, 30).Draw(t, "length"))
		for i := range list {
			list[i] = i + 1
		}
		size := rapid.IntRange(1, 12).Draw(t, "size")
		got := []int{}
		var after *string
		for pages := 0; ; pages++ {
			arguments, err := page.Parse("numbers", &size, after)
			if err != nil {
				t.Fatal(err)
			}
			from := 0
			if arguments.After != "" {
				from, _ = strconv.Atoi(arguments.After)
			}
			rest := list[from:]
			connection := page.New("numbers", arguments, slices.Clone(rest[:min(len(rest), arguments.Size+1)]), strconv.Itoa,
				func(context.Context) (int, error) { return len(list), nil })
			got = append(got, connection.Nodes...)
			if total, err := connection.Total(t.Context()); total != len(list) || err != nil {
				t.Fatalf("%d in all (%v)", total, err)
			}
			if len(connection.Edges) != len(connection.Nodes) || connection.PageInfo.HasPreviousPage != (pages > 0) {
				t.Fatalf("page %d: %+v", pages, connection)
			}
			if !connection.PageInfo.HasNextPage {
				break
			}
			after = connection.PageInfo.EndCursor
		}
		if difference := cmp.Diff(list, got); difference != "" {
			t.Fatal(difference)
		}
	})
}

func TestNew_Empty(t *testing.T) {
	t.Parallel()
	connection := page.New("x", page.Arguments{Size: 0}, []int{1}, strconv.Itoa, nil)
	want := page.Info{HasNextPage: true}
	if difference := cmp.Diff(want, connection.PageInfo); difference != "" || len(connection.Edges) != 0 {
		t.Errorf("%v %s", connection.Edges, difference)
	}
}

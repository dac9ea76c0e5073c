package template_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/care/occasion"
	"regulars/care/template"
)

// TestFields_Documented keeps the table of docs/templates.md equal to the fields that there are.
func TestFields_Documented(t *testing.T) {
	t.Parallel()
	const page, start, end = "../../docs/templates.md", "| name | type | what it is | occasions | example |\n| --- | --- | --- | --- | --- |\n", "\n\n"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(content), start)
	// A new table is empty, and then its end is the blank line behind its head.
	table, after, ended := strings.Cut("\n"+rest, end)
	if !found || !ended {
		t.Fatal("docs/templates.md has no table of fields")
	}
	var rows strings.Builder
	for _, one := range template.Fields() {
		occasions := "all"
		if len(one.Occasions) < len(occasion.Kinds) {
			names := make([]string, len(one.Occasions))
			for i, kind := range one.Occasions {
				names[i] = string(kind)
			}
			occasions = strings.Join(names, ", ")
		}
		fmt.Fprintf(&rows, "\n| `%s` | %s | %s | %s | `%s` |", one.Name, one.Type, one.Description, occasions, one.Example)
	}
	if *update {
		if err := os.WriteFile(page, []byte(before+start+rows.String()[1:]+end+after), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if difference := cmp.Diff(rows.String(), table); difference != "" {
		t.Errorf("docs/templates.md is not what there is; run go test ./care/template -run Documented -update (-want +got):\n%s", difference)
	}
}

package problem_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/problem"
)

var update = flag.Bool("update", false, "write the page of codes")

const page = "../../docs/problems.md"

const introduction = `# Problem codes

What stops a whole operation is a GraphQL error with its code in ` + "`extensions.code`" + `. What the caller of a mutation can act
on is in the ` + "`userErrors`" + ` of its answer, with a code, a sentence that is safe to show, and the path of the input field at
fault. Codes keep their meaning for ever; the list grows. The sentences may change: decide by codes.

| code | meaning |
| --- | --- |
`

// TestDocumentation keeps the page of codes equal to the registry.
func TestDocumentation(t *testing.T) {
	t.Parallel()
	got := introduction
	for _, one := range problem.Registry {
		got += fmt.Sprintf("| %#q | %s |\n", one.Code, strings.ReplaceAll(one.Meaning, "|", `\|`))
	}
	if *update {
		if err := os.WriteFile(page, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if difference := cmp.Diff(string(want), got); difference != "" {
		t.Errorf("docs/problems.md is not what the registry says; run make generate (-want +got):\n%s", difference)
	}
}

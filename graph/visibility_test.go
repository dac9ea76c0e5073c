package graph_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"regulars/internal/id"
)

// A cursor says where a list goes on, whosever list it was made for.
func TestVisibility_Cursors(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ask := func(who, document string) string {
		t.Helper()
		_, answer := s.send(t, who, map[string]any{"query": document})
		return answer
	}
	for _, name := range []string{"ada", "eve"} {
		ask("ADMIN", fmt.Sprintf(`mutation { enrollMember(input: {externalId: %q, idempotencyKey: %q}) { member { id } } }`, name, name))
	}
	adjusted := ask("ADMIN", `mutation { adjustPoints(input: {member: {externalId: "ada"}, points: 5, reason: "x", idempotencyKey: "x"}) { member { id } } }`)
	member := regexp.MustCompile(`mem_[0-9a-z]+`).FindString(adjusted)
	cursor := func(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }
	const history = `{ viewer { member { pointsHistory%s { edges { cursor node { id } } totalCount pageInfo { hasNextPage } } } } }`
	own := regexp.MustCompile(`"cursor":"([^"]+)"`).FindStringSubmatch(ask("MEMBER ada", fmt.Sprintf(history, "")))
	if own == nil || member == "" {
		t.Fatalf("ada has no history: %s", adjusted)
	}
	for list, cursors := range map[string][2]string{
		fmt.Sprintf(history, "(after: %q)"):       {own[1], cursor("entry:999")},
		`{ members(after: %q) { nodes { id } } }`: {cursor("member:" + member), cursor("member:" + id.New[id.Member]().String())},
	} {
		if foreign, none := ask("MEMBER eve", fmt.Sprintf(list, cursors[0])), ask("MEMBER eve", fmt.Sprintf(list, cursors[1])); foreign != none || strings.Contains(foreign, "ent_") {
			t.Errorf("another member's cursor is answered %s\none that nobody has %s", foreign, none)
		}
	}
}

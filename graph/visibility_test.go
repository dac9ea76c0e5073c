package graph_test

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"regulars/internal/id"
)

// What a caller may not see is answered to the byte like what does not exist.
func TestVisibility(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	ask := func(who, document string) string {
		t.Helper()
		_, answer := s.send(t, who, map[string]any{"query": document})
		return answer
	}
	taken := func(answer, prefix string) string {
		t.Helper()
		found := regexp.MustCompile(`\b` + prefix + `_[0-9a-z_]+`).FindString(answer)
		if found == "" {
			t.Fatalf("no %s in %s", prefix, answer)
		}
		return found
	}
	for _, name := range []string{"ada", "eve"} {
		ask("ADMIN", fmt.Sprintf(`mutation { enrollMember(input: {externalId: %q, idempotencyKey: %q}) { member { id } } }`, name, name))
	}
	rule := taken(ask("ADMIN", `mutation { createEarningRule(input: {name: "Base", award: {fixed: 5}}) { rule { id } } }`), "rul")
	ask("ADMIN", fmt.Sprintf(`mutation { publishEarningRule(input: {ruleId: %q}) { rule { id } } }`, rule))
	bought := ask("ADMIN", `mutation { recordPurchase(input: {member: {externalId: "ada"}, source: "s", externalId: "1", occurredAt: "2026-02-01T00:00:00Z",
		total: {amount: "5", currency: "EUR"}}) { activity { id } entries { id } member { id } } }`)
	adjusted := ask("ADMIN", `mutation { adjustPoints(input: {member: {externalId: "ada"}, points: 5, reason: "x", idempotencyKey: "x"}) { adjustment { id } } }`)

	client := ask("ADMIN", `mutation { createClient(input: {name: "Till", scopes: ["members:read"]}) { client { id } } }`)
	absent := id.New[id.Member]()
	for present, missing := range map[string]string{
		taken(bought, "mem"):   absent.String(),
		taken(bought, "act"):   id.Activity{Member: absent, Sequence: 2}.String(),
		taken(bought, "ent"):   id.Entry{Member: absent, Sequence: 3}.String(),
		taken(adjusted, "adj"): id.New[id.Adjustment]().String(),
		rule:                   id.New[id.Rule]().String(),
		taken(client, "cli"):   id.New[id.Client]().String(),
	} {
		const node = `{ node(id: %q) { __typename id } }`
		if seen := ask("ADMIN", fmt.Sprintf(node, present)); taken(seen, present[:3]) != present {
			t.Errorf("an admin does not see %s: %s", present, seen)
		}
		if hidden, none := ask("MEMBER eve", fmt.Sprintf(node, present)), ask("MEMBER eve", fmt.Sprintf(node, missing)); hidden != none {
			t.Errorf("another member's %s is answered %s\nan absent one is answered %s", present, hidden, none)
		}
	}
	const rename = `mutation { updateMember(input: {memberId: %q, displayName: "Mallory", email: "not one"}) { member { id } userErrors { code message path } } }`
	if hidden, none := ask("MEMBER eve", fmt.Sprintf(rename, taken(bought, "mem"))), ask("MEMBER eve", fmt.Sprintf(rename, absent)); hidden != none {
		t.Errorf("changing another member is answered %s\nan absent one %s", hidden, none)
	}
	// A cursor says where a list goes on, whosever list it was made for.
	cursor := func(key string) string { return base64.RawURLEncoding.EncodeToString([]byte(key)) }
	const history = `{ viewer { member { pointsHistory%s { edges { cursor node { id } } totalCount pageInfo { hasNextPage } } } } }`
	if own := ask("MEMBER ada", fmt.Sprintf(history, "")); !strings.Contains(own, cursor("entry:3")) {
		t.Errorf("ada's history lacks its cursor: %s", own)
	}
	for list, cursors := range map[string][2]string{
		fmt.Sprintf(history, "(after: %q)"):       {cursor("entry:3"), cursor("entry:999")},
		`{ members(after: %q) { nodes { id } } }`: {cursor("member:" + taken(bought, "mem")), cursor("member:" + absent.String())},
	} {
		if foreign, none := ask("MEMBER eve", fmt.Sprintf(list, cursors[0])), ask("MEMBER eve", fmt.Sprintf(list, cursors[1])); foreign != none || strings.Contains(foreign, "ent_") {
			t.Errorf("another member's cursor is answered %s\none that nobody has %s", foreign, none)
		}
	}
	const find = `{ member(by: {externalId: %q}) { id } }`
	for _, who := range []string{"MEMBER eve", "ORGANIZER", "MARKETER"} {
		if hidden, none := ask(who, fmt.Sprintf(find, "ada")), ask(who, fmt.Sprintf(find, "nobody")); hidden != none {
			t.Errorf("%s finds a member by %s\nand nobody by %s", who, hidden, none)
		}
	}
}

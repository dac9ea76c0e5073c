package graph_test

import (
	"fmt"
	"regexp"
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

	absent := id.New[id.Member]()
	for present, missing := range map[string]string{
		taken(bought, "mem"):   absent.String(),
		taken(bought, "act"):   id.Activity{Member: absent, Sequence: 2}.String(),
		taken(bought, "ent"):   id.Entry{Member: absent, Sequence: 3}.String(),
		taken(adjusted, "adj"): id.New[id.Adjustment]().String(),
		rule:                   id.New[id.Rule]().String(),
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
	const find = `{ member(by: {externalId: %q}) { id } }`
	for _, who := range []string{"MEMBER eve", "ORGANIZER", "MARKETER"} {
		if hidden, none := ask(who, fmt.Sprintf(find, "ada")), ask(who, fmt.Sprintf(find, "nobody")); hidden != none {
			t.Errorf("%s finds a member by %s\nand nobody by %s", who, hidden, none)
		}
	}
}

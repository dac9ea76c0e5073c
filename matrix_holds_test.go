package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"
)

// fillHolds makes a hold of ada's, and for each caller who may move points holds and facts to use up: each of a member of its
// own, since what one sample does would show in the history that another one answers. Everybody else shares what nobody uses up.
func (w *world) fillHolds(t *testing.T, do func(caller, string, string) string, keep func(string, string, string) string, admin caller) {
	t.Helper()
	hold := func(member, key string) string {
		t.Helper()
		return do(admin, fmt.Sprintf(`holdPoints(input: {member: {externalId: %q}, points: 1, reason: "till", expiresIn: "P30D", idempotencyKey: %q})`,
			member, key), "hold { id }")
	}
	do(admin, `recordReturn(input: {source: "desk", externalId: "early", purchaseSource: "till", purchaseExternalId: "to come",
		occurredAt: "<yesterday>", amount: {amount: "1.00", currency: "EUR"}})`, "waiting")
	keep("<waitingReturn>", `wai_\w+`, w.ask(t, admin, `{ waitingReturns { nodes { id } } }`, nil))
	keep("<hold>", `hld_\w+`, hold(w.things["<externalId>"], "ada's"))
	do(admin, `captureHold(input: {holdId: "<hold>", purchaseSource: "a till", purchaseExternalId: "1", idempotencyKey: "ada's"})`, "hold { id }")
	hold(w.things["<externalId>"], "ada's other")
	rule := regexp.MustCompile(`rul_\w+`).FindString(do(admin, `createEarningRule(input: {name: "Once it is sure", trigger: "VISIT", award: {fixed: 1},
		pending: {untilConfirmed: true}})`, "rule { id }"))
	do(admin, fmt.Sprintf(`publishEarningRule(input: {ruleId: %q})`, rule), "rule { id }")

	fresh := func(number int) map[string]string {
		t.Helper()
		things := map[string]string{}
		for _, name := range []string{"<holder>", "<captured>", "<refunded>", "<released>", "<confirmed>", "<canceled>"} {
			member := fmt.Sprintf("%s%d", name[1:len(name)-1], number)
			things[name] = regexp.MustCompile(`mem_\w+`).FindString(do(admin, fmt.Sprintf(`enrollMember(input: {externalId: %q, idempotencyKey: %q})`, member, member), "member { id }"))
			do(admin, fmt.Sprintf(`adjustPoints(input: {member: {externalId: %q}, points: 5, reason: "To use up", idempotencyKey: %q})`, member, member), "adjustment { id }")
			switch name {
			case "<captured>", "<refunded>", "<released>":
				things[name] = regexp.MustCompile(`hld_\w+`).FindString(hold(member, member))
			case "<confirmed>", "<canceled>":
				things[name] = regexp.MustCompile(`act_\w+`).FindString(do(admin, fmt.Sprintf(`recordActivity(input: {member: {externalId: %q}, type: "VISIT",
					source: "door", externalId: %q, occurredAt: "<yesterday>"})`, member, member), "activity { id }"))
			}
			if name == "<refunded>" {
				do(admin, fmt.Sprintf(`captureHold(input: {holdId: %q, idempotencyKey: %q})`, things[name], member), "hold { id }")
			}
		}
		return things
	}
	idle := fresh(len(w.callers))
	for i, who := range w.callers {
		theirs := idle
		if slices.ContainsFunc(who.grants, func(grant string) bool {
			return slices.Contains([]string{"SUPPORT", "ADMIN", "points:redeem", "purchases:write"}, grant)
		}) {
			theirs = fresh(i)
		}
		things := map[string]string{}
		maps.Copy(things, who.things)
		maps.Copy(things, theirs)
		w.callers[i].things = things
	}
}

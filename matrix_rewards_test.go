package main

import (
	"fmt"
	"regexp"
	"testing"
)

const redeemed = `(input: {member: {id: "<member>"}, rewardId: "<prize>", idempotencyKey: "redeem"})`

// fillRewards makes rewards, ada's redemptions, and for each caller some of eve's to use up. In the end nobody can have the
// reward, so that suspending ada changes no answer.
func (w *world) fillRewards(t *testing.T, do func(caller, string, string) string, keep func(string, string, string) string, admin caller) {
	t.Helper()
	const redemption, code = `red_\w+`, `[2-9A-Z]{5}-[2-9A-Z]{5}-[2-9A-Z]{5}`
	do(admin, `createReward(input: {name: "A machine", kind: PRODUCT, cost: 1000000, minTierId: "<tier>"})`, "reward { id }")
	w.things["<prize>"] = keep("<reward>", `rew_\w+`, do(admin, `createReward(input: {name: "A coffee", kind: VOUCHER, cost: 1, stock: 1000,
		perMemberLimit: 1000, availableFrom: "2020-01-01T00:00:00Z", availableUntil: "2120-01-01T00:00:00Z", voucherValidFor: "P1Y"})`, "reward { id }"))
	do(admin, `adjustPoints(input: {member: {externalId: "eve"}, points: 1000, reason: "To use up", idempotencyKey: "eve"})`, "adjustment { id }")
	number := 0
	redeem := func(member string) (id, voucher string) {
		t.Helper()
		number++
		made := do(admin, fmt.Sprintf(`redeemReward(input: {member: {externalId: %q}, rewardId: "<reward>", idempotencyKey: "%d"})`, member, number),
			"redemption { id voucherCode }")
		return regexp.MustCompile(redemption).FindString(made), regexp.MustCompile(code).FindString(made)
	}
	for _, member := range []string{w.things["<externalId>"], "eve"} {
		_, used := redeem(member)
		do(admin, fmt.Sprintf(`useVoucher(input: {code: %q, idempotencyKey: %q})`, used, member), "redemption { id }")
		canceled, _ := redeem(member)
		do(admin, fmt.Sprintf(`cancelRedemption(input: {redemptionId: %q, reason: "To see it", idempotencyKey: %q})`, canceled, member), "redemption { id }")
	}
	redeems := rule{grants: []string{"SUPPORT", "ADMIN", "points:redeem"}, owner: true}
	for i, who := range w.callers {
		if !redeems.lets(who, who.name == owner) {
			continue
		}
		made := do(who, `redeemReward`+redeemed, "redemption { id voucherCode }")
		if who.name == owner {
			keep("<redemption>", redemption, made)
			keep("<voucher>", code, made)
		}
		cancelable, _ := redeem("eve")
		_, usable := redeem("eve")
		w.callers[i].things = map[string]string{"<cancelable>": cancelable, "<usable>": usable}
	}
	do(admin, `archiveReward(input: {rewardId: "<reward>"})`, "reward { id }")
}

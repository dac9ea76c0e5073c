package main

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"
)

// fillReferrals lets ada invite two who have her mailbox, and admin approve of one of them and reject the other.
func (w *world) fillReferrals(t *testing.T, do func(caller, string, string) string, keep func(string, string, string) string, admin caller) {
	t.Helper()
	const code = `[2-9A-Z]{5}-[2-9A-Z]{5}`
	do(admin, `updateProgram(input: {referral: {referrerPoints: 2, refereePoints: 1, minimumPurchase: {amount: "10.00", currency: "EUR"}, maxPerMonth: 10}})`, "program { name }")
	own := regexp.MustCompile(code).FindString(w.ask(t, admin, `{ member(by: {id: "<member>"}) { referral { code } } }`, nil))
	keep("<invitation>", code, w.ask(t, admin, `{ member(by: {externalId: "eve"}) { referral { code } } }`, nil))
	w.things["<referralCode>"] = own
	for _, guest := range []string{"first", "second"} {
		do(admin, fmt.Sprintf(`enrollMember(input: {externalId: %[1]q, email: "ada4711+%[1]s@example.com", referralCode: %[2]q, idempotencyKey: %[1]q})`, guest, own), "member { id }")
		do(admin, fmt.Sprintf(`recordPurchase(input: {member: {externalId: %[1]q}, source: "guests", externalId: %[1]q, occurredAt: "<yesterday>",
			total: {amount: "10.00", currency: "EUR"}})`, guest), "activity { id }")
	}
	// The server sees to it by itself.
	waiting := w.await(t, admin, `{ referrals(status: [UNDER_REVIEW]) { nodes { id } } }`, func(answer string) bool { return strings.Count(answer, "ref_") == 2 })
	w.things["<rejected>"] = keep("<referral>", `ref_\w+`, waiting)
	do(admin, `rejectReferral(input: {referralId: "<rejected>", note: "One mailbox"})`, "referral { id }")
	keep("<referral>", `ref_\w+`, strings.ReplaceAll(waiting, w.things["<rejected>"], ""))
	do(admin, `approveReferral(input: {referralId: "<referral>", note: "They are sisters"})`, "referral { id }")
	w.await(t, admin, `{ node(id: "<referral>") { ... on Referral { status } } }`, func(answer string) bool { return strings.Contains(answer, "REWARDED") })
	first := regexp.MustCompile(`mem_\w+`).FindString(w.ask(t, admin, `{ member(by: {externalId: "first"}) { id } }`, nil))
	w.things["<guest>"] = first
	keep("<household>", `hsh_\w+`, do(admin, `allowHousehold(input: {memberIds: ["<member>", "<guest>"], note: "One flat"})`, "household { id }"))
	do(admin, `endHousehold(input: {householdId: "<household>"})`, "household { id }")
}

// await asks until the answer is what it should become.
func (w *world) await(t *testing.T, who caller, document string, become func(string) bool) string {
	t.Helper()
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for range 600 {
		if answer := w.ask(t, who, document, nil); become(answer) {
			return answer
		}
		<-again.C
	}
	t.Fatalf("%s\nis answered %s", document, w.ask(t, who, document, nil))
	return ""
}

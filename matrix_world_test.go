package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"regulars/cli"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
)

// sample is a use of an operation that does no harm however often it is repeated: a replay, or the same again. What stands in <> is
// a thing of the world, or of those that the caller alone uses up; <n> is a number that each caller has for itself.
type sample struct {
	operation, arguments string
	// self is where callers meet what is theirs; everywhere else it is ada's.
	self bool
}

const (
	purchased = `{member: {id: "<member>"}, source: "<source>", externalId: "1", occurredAt: "<yesterday>", total: {amount: "250.00", currency: "EUR"}, paidWithPoints: {amount: "1.00", currency: "EUR"}}`
	returned  = `(input: {source: "desk", externalId: "1", purchaseSource: "<source>", purchaseExternalId: "1", occurredAt: "<yesterday>", amount: {amount: "10.00", currency: "EUR"}})`
	came      = `(input: {member: {id: "<member>"}, type: "CHECK_IN", source: "door", externalId: "1", occurredAt: "<yesterday>"})`
	ladder    = `{name: "Member", rank: 0, threshold: 0}, {name: "Gold", rank: 1, threshold: 100, benefits: ["Cake"], multiplier: "1.5", earlyBooking: "P2D"},
		{name: "Ruby", rank: 2, threshold: 300, multiplier: "2", earlyBooking: "P3D"}, {name: "Platinum", rank: 3, threshold: 1000000, multiplier: "3", earlyBooking: "P4D"}`
	gift = `(input: {member: {id: "<member>"}, points: 7, reason: "<reason>", expiresAt: "<soon>", idempotencyKey: "gift"})`
)

// samples has every operation at least once, and together they must show every field of every type to somebody.
var samples = []sample{
	{operation: "Query.activity", arguments: `(source: "<source>", externalId: "1")`},
	{operation: "Query.adjustments"},
	{operation: "Query.auditEntries", arguments: `(first: 100)`},
	{operation: "Query.auditEntries", arguments: `(of: "<rule>")`},
	{operation: "Query.backtests", arguments: `(first: 100)`},
	{operation: "Query.careCampaigns"},
	{operation: "Query.careTemplates", arguments: `(occasion: BIRTHDAY)`},
	{operation: "Query.clients"},
	{operation: "Query.conditionFields"},
	{operation: "Query.earningRules"},
	{operation: "Query.jobRuns"},
	{operation: "Query.jobs"},
	{operation: "Query.member", arguments: `(by: {id: "<member>"})`},
	{operation: "Query.member", arguments: `(by: {externalId: "<externalId>"})`},
	{operation: "Query.member", arguments: `(by: {email: "<email>"})`},
	{operation: "Query.households", arguments: `(first: 2)`},
	{operation: "Query.events", arguments: `(filter: {status: [CANCELED, PUBLISHED]})`},
	{operation: "Query.members"},
	{operation: "Query.node", arguments: `(id: "<member>")`},
	{operation: "Query.node", arguments: `(id: "<activity>")`},
	{operation: "Query.node", arguments: `(id: "<entry>")`},
	{operation: "Query.node", arguments: `(id: "<adjustment>")`},
	{operation: "Query.node", arguments: `(id: "<rule>")`},
	{operation: "Query.node", arguments: `(id: "<tier>")`},
	{operation: "Query.node", arguments: `(id: "<backtest>")`},
	{operation: "Query.node", arguments: `(id: "<client>")`},
	{operation: "Query.node", arguments: `(id: "<auditEntry>")`},
	{operation: "Query.node", arguments: `(id: "<message>")`},
	{operation: "Query.node", arguments: `(id: "<consent>")`},
	{operation: "Query.node", arguments: `(id: "<campaign>")`},
	{operation: "Query.node", arguments: `(id: "<hold>")`},
	{operation: "Query.node", arguments: `(id: "<reward>")`},
	{operation: "Query.node", arguments: `(id: "<redemption>")`},
	{operation: "Query.node", arguments: `(id: "<waitingReturn>")`},
	{operation: "Query.messages"},
	{operation: "Query.upcomingOccasions", arguments: `(date: "2030-12-09")`},
	{operation: "Query.previewCareTemplate", arguments: `(input: {occasion: BIRTHDAY, template: {locale: "en", subject: "Hi", body: "Hi {{.Member.DisplayName}}"}})`},
	{operation: "Query.previewCareTemplate", arguments: `(input: {occasion: BIRTHDAY, template: {locale: "en", body: "Hi {{.Member.DisplayNam}}"}})`},
	{operation: "Query.previewPurchase", arguments: `(input: {total: {amount: "10.00", currency: "EUR"}})`},
	{operation: "Query.previewPurchase", arguments: `(input: {total: {amount: "-10.00", currency: "EUR"}})`},
	{operation: "Query.node", arguments: `(id: "<referral>")`},
	{operation: "Query.node", arguments: `(id: "<household>")`},
	{operation: "Query.node", arguments: `(id: "<jobRun>")`},
	{operation: "Query.node", arguments: `(id: "<tierMove>")`},
	{operation: "Query.node", arguments: `(id: "<booking>")`},
	{operation: "Query.node", arguments: `(id: "<waiting>")`},
	{operation: "Query.node", arguments: `(id: "<event>")`},
	{operation: "Query.node", arguments: `(id: "<date>")`},
	{operation: "Query.program"},
	{operation: "Query.referrals", arguments: `(status: [REWARDED, REJECTED])`},
	{operation: "Query.rewards", self: true},
	{operation: "Query.rewards", arguments: `(filter: {archived: true})`},
	{operation: "Query.tiers"},
	{operation: "Query.viewer", self: true},
	{operation: "Query.waitingReturns"},

	{operation: "Mutation.acceptOffer", arguments: `(input: {bookingId: "<booking>"})`},
	{operation: "Mutation.adjustPoints", arguments: gift},
	{operation: "Mutation.adjustPoints", arguments: `(input: {member: {id: "<member>"}, points: -1000000, reason: "Too many", idempotencyKey: "too many"})`},
	{operation: "Mutation.allowHousehold", arguments: `(input: {memberIds: ["<member>", "<guest>"], note: "One flat"})`},
	{operation: "Mutation.approveReferral", arguments: `(input: {referralId: "<referral>"})`},
	{operation: "Mutation.claimReferral", arguments: `(input: {memberId: "<member>", code: "<invitation>"})`},
	{operation: "Mutation.endHousehold", arguments: `(input: {householdId: "<household>"})`},
	{operation: "Mutation.rejectReferral", arguments: `(input: {referralId: "<rejected>"})`},
	{operation: "Mutation.applyTierChange", arguments: `(input: {mode: AT_NEXT_REVIEW, tiers: [` + ladder + `]})`},
	{operation: "Mutation.applyTierChange", arguments: `(input: {mode: NOW, tiers: []})`},
	{operation: "Mutation.approveAdjustment", arguments: `(input: {adjustmentId: "<adjustment>"})`},
	{operation: "Mutation.approveBooking", arguments: `(input: {bookingId: "<booking>"})`},
	{operation: "Mutation.archiveReward", arguments: `(input: {rewardId: "<reward>"})`},
	{operation: "Mutation.cancelBacktest", arguments: `(input: {backtestId: "<backtest>"})`},
	{operation: "Mutation.cancelEvent", arguments: `(input: {eventId: "<over>", reason: "Rain"})`},
	{operation: "Mutation.cancelEvent", arguments: `(input: {eventId: "<ended>", reason: "Rain"})`},
	{operation: "Mutation.cancelOccurrence", arguments: `(input: {occurrenceId: "<rained off>", reason: "Rain"})`},
	{operation: "Mutation.book", arguments: booked},
	{operation: "Mutation.cancelBooking", arguments: `(input: {bookingId: "<canceled booking>"})`},
	{operation: "Mutation.checkIn", arguments: `(input: {ticket: "<ticket>", occurrenceId: "<room>", scannedAt: "<yesterday>", nonce: "<n>"})`},
	{operation: "Mutation.completeOccurrence", arguments: `(input: {occurrenceId: "<completed>"})`},
	{operation: "Mutation.correctAttendance", arguments: `(input: {bookingId: "<attended>", attended: true, reason: "Seen"})`},
	{operation: "Mutation.declineBooking", arguments: `(input: {bookingId: "<declined booking>"})`},
	{operation: "Mutation.reconfirmBooking", arguments: `(input: {bookingId: "<unmoved>"})`},
	{operation: "Mutation.cancelRedemption", arguments: `(input: {redemptionId: "<cancelable>", reason: "It never came", idempotencyKey: "cancel <n>"})`},
	{operation: "Mutation.cancelRedemption", arguments: `(input: {redemptionId: "<redemption>", reason: "", idempotencyKey: "no reason"})`},
	{operation: "Mutation.cancelPending", arguments: `(input: {activityId: "<canceled>", reason: "Never came", idempotencyKey: "pending <n>"})`},
	{operation: "Mutation.captureHold", arguments: `(input: {holdId: "<captured>", idempotencyKey: "capture <n>"})`},
	{operation: "Mutation.confirmActivity", arguments: `(input: {activityId: "<confirmed>", idempotencyKey: "confirm <n>"})`},
	{operation: "Mutation.createClient", arguments: `(input: {name: "Client <n>", scopes: ["program:read"]})`},
	{operation: "Mutation.createEarningRule", arguments: `(input: {name: "Rule <n>", award: {fixed: 1}})`},
	{operation: "Mutation.createEarningRule", arguments: `(input: {name: "Rule <n>", award: {fixed: 1}, condition: "purchase.totl > 1.0"})`},
	{operation: "Mutation.createEvent", arguments: `(input: {name: "Event <n>", timeZone: "UTC", startsAt: "<noon>", duration: "PT1H"})`},
	{operation: "Mutation.createReward", arguments: `(input: {name: "Reward <n>", kind: PRODUCT, cost: 1000000})`},
	{operation: "Mutation.createTier", arguments: `(input: {name: "Tier <n>", rank: 1<n>, threshold: 10001<n>})`},
	{operation: "Mutation.declineAdjustment", arguments: `(input: {adjustmentId: "<declined>"})`},
	{operation: "Mutation.duplicateEarningRule", arguments: `(input: {ruleId: "<rule>", name: "Rule <n>"})`},
	{operation: "Mutation.endEarningRule", arguments: `(input: {ruleId: "<ended>"})`},
	{operation: "Mutation.duplicateEvent", arguments: `(input: {eventId: "<template>", startsAt: "<noon>"})`},
	{operation: "Mutation.editOccurrences", arguments: newPlace},
	{operation: "Mutation.editOccurrences", arguments: `(input: {occurrenceId: "<date>", scope: THIS, capacity: 1})`},
	{operation: "Mutation.enrollMember", arguments: `(input: {idempotencyKey: "join"})`, self: true},
	{operation: "Mutation.holdPoints", arguments: `(input: {member: {id: "<holder>"}, points: 1, reason: "till", idempotencyKey: "hold <n>"})`},
	{operation: "Mutation.pauseEarningRule", arguments: `(input: {ruleId: "<paused>"})`},
	{operation: "Mutation.previewTierChange", arguments: `(input: {tiers: [{name: "Member", rank: 0, threshold: 0}]})`},
	{operation: "Mutation.previewTierChange", arguments: `(input: {tiers: []})`},
	{operation: "Mutation.publishEarningRule", arguments: `(input: {ruleId: "<rule>"})`},
	{operation: "Mutation.publishEvent", arguments: `(input: {eventId: "<template>"})`},
	{operation: "Mutation.recordActivity", arguments: came},
	{operation: "Mutation.recordPurchase", arguments: `(input: ` + purchased + `)`},
	{operation: "Mutation.recordPurchases", arguments: `(input: {purchases: [` + purchased + `]})`},
	{operation: "Mutation.recordPurchases", arguments: `(input: {purchases: []})`},
	{operation: "Mutation.recordReturn", arguments: returned},
	{operation: "Mutation.redeemReward", arguments: redeemed},
	{operation: "Mutation.refundCapture", arguments: `(input: {holdId: "<refunded>", points: 1, reason: "Back", idempotencyKey: "refund <n>"})`},
	{operation: "Mutation.releaseHold", arguments: `(input: {holdId: "<released>"})`},
	{operation: "Mutation.reinstateMember", arguments: `(input: {memberId: "<member>", reason: "It was a mistake"})`},
	{operation: "Mutation.resumeEarningRule", arguments: `(input: {ruleId: "<rule>"})`},
	{operation: "Mutation.reverseAdjustment", arguments: `(input: {adjustmentId: "<declined>", reason: "Moved nothing", idempotencyKey: "back"})`},
	{operation: "Mutation.reviseEarningRule", arguments: `(input: {ruleId: "<rule>", basedOnVersion: 9, rule: {name: "Late", award: {fixed: 1}}})`},
	{operation: "Mutation.revokeClient", arguments: `(input: {clientId: "<revoked>"})`},
	{operation: "Mutation.rotateClientKey", arguments: `(input: {clientId: "<client>"})`},
	{operation: "Mutation.runJob", arguments: `(input: {job: "forget-runs"})`},
	{operation: "Mutation.runJob", arguments: `(input: {job: "make-coffee"})`},
	{operation: "Mutation.setConsent", arguments: agreed},
	{operation: "Mutation.markMessageRead", arguments: `(input: {messageId: "<message>"})`},
	{operation: "Mutation.saveCareCampaign", arguments: saved},
	{operation: "Mutation.setTierFloor", arguments: `(input: {memberId: "<member>", tierId: "<tier>", until: "<soon>", reason: "A guest"})`},
	{operation: "Mutation.startBacktest", arguments: `(input: ` + tried + `)`},
	{operation: "Mutation.startBacktest", arguments: `(input: {from: "<today>", to: "<yesterday>"})`},
	{operation: "Mutation.setCalendarLink", arguments: `(input: {active: true})`, self: true},
	{operation: "Mutation.shareEvent", arguments: `(input: {eventId: "<template>", organizer: "somebody"})`},
	{operation: "Mutation.suspendMember", arguments: `(input: {memberId: "<member>", reason: "To look into it"})`},
	{operation: "Mutation.unshareEvent", arguments: `(input: {eventId: "<template>", organizer: "nobody"})`},
	{operation: "Mutation.updateEvent", arguments: `(input: {eventId: "<template>", name: "Event <n>"})`},
	{operation: "Mutation.updateMember", arguments: `(input: {memberId: "<member>", displayName: "Ada"})`},
	{operation: "Mutation.updateMember", arguments: `(input: {memberId: "<member>", email: "not one"})`},
	{operation: "Mutation.updateReward", arguments: `(input: {rewardId: "<reward>", name: "A coffee"})`},
	{operation: "Mutation.updateReward", arguments: `(input: {rewardId: "<reward>", cost: 0})`},
	{operation: "Mutation.useVoucher", arguments: `(input: {code: "<usable>", idempotencyKey: "use <n>"})`},
	{operation: "Mutation.updateProgram", arguments: `(input: {name: "Regulars"})`},
}

// elsewhere are fields that no program has along with others that this one has.
var elsewhere = []string{
	"ExpiryPolicy.on",
	"JobRun.attempt",
	"JobRun.error",
	// What fails has found nothing.
	"Backtest.error",
}

// narrower is where the program shows a caller less than the schema does, as the descriptions there say.
var narrower = map[string]rule{
	// An organizer sees nobody before it has attendees.
	"Query.member:Member": {grants: []string{"SUPPORT", "ADMIN", "members:read"}},
	// Only who may look members up finds them, and what is theirs, by an id.
	"Query.node:Member":           {grants: []string{"SUPPORT", "ADMIN", "members:read"}, owner: true},
	"Query.node:Activity":         {grants: []string{"SUPPORT", "ADMIN", "members:read"}, owner: true},
	"Query.node:PointsEntry":      {grants: []string{"SUPPORT", "ADMIN", "members:read"}, owner: true},
	"Query.node:TierHistoryEntry": {grants: []string{"SUPPORT", "ADMIN", "members:read"}, owner: true},
	// Where it was said, and by whom, is nothing for machine clients.
	"Query.node:Consent": {grants: []string{"SUPPORT", "ADMIN"}, owner: true},
	// Attributes are as personal as externalId.
	"Attribute.name":  {grants: []string{"SUPPORT", "ADMIN", "members:read", "members:write"}, owner: true},
	"Attribute.value": {grants: []string{"SUPPORT", "ADMIN", "members:read", "members:write"}, owner: true},
	// Whoever names another member is refused, which is no replay.
	"RedeemRewardPayload.replayed": {grants: []string{"SUPPORT", "ADMIN", "points:redeem"}, owner: true},
	// Nobody else is a member, or a client.
	"Viewer.member:Member": {owner: true},
	"Viewer.client":        {grants: texts(actor.Scopes)},
	// Whoever names another's booking is refused, which is no replay.
	"BookingPayload.replayed": {grants: []string{"ORGANIZER", "SUPPORT", "ADMIN"}, owner: true},
	// Nobody else has a booking of its own.
	"Occurrence.viewerBooking:Booking": {owner: true},
}

// secrets are what no answer holds, in whatever field, for whoever may not see the field in which it stands.
var secrets = map[string]string{
	"<externalId>":   "Member.externalId",
	"<email>":        "Member.email",
	"<phone>":        "Member.phone",
	"<birthDate>":    "Member.birthDate",
	"<attribute>":    "Attribute.value",
	"<source>":       "Activity.source",
	"<reason>":       "Adjustment.reason",
	"<voucher>":      "Redemption.voucherCode",
	"<condition>":    "EarningRule.condition",
	"<referralCode>": "ReferralSummary.code",
	"<name>":         "Client.name",
	"<ticket>":       "Booking.ticket",
	"<greeting>":     "Message.body",
}

// caller is somebody who asks.
type caller struct {
	name   string
	number string
	token  string
	grants []string // roles or scopes
	// things are what it alone uses up, by their names in samples.
	things map[string]string
}

// The callers about whom more is to be said than what they were granted.
const (
	nobody   = "nobody"
	owner    = "own"
	stranger = "stranger"
)

func (c caller) member() bool { return c.name == owner || c.name == stranger }

// world is a program in which everything is there once, and everybody.
type world struct {
	url     string
	callers []caller
	// things are what samples name, by their names; absent is there another one that does not exist, of that type.
	things map[string]string
	absent map[string]thing
}

type thing struct{ kind, id string }

func newWorld(t *testing.T) *world {
	t.Helper()
	settings := settings(t)
	settings.API.MaximumComplexity = 1_000_000_000
	database, err := cli.OpenDatabase(t.Context(), settings, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin", Start: "2020-01-01T00:00:00Z"}, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	b := boot(t, settings, time.Now)
	now := time.Now().UTC().Truncate(time.Second)
	nowhere := id.New[id.Member]()
	w := &world{
		url: b.URL(),
		things: map[string]string{
			"<yesterday>": now.AddDate(0, 0, -1).Format(time.RFC3339), "<today>": now.Format(time.RFC3339), "<soon>": now.AddDate(0, 1, 0).Format(time.RFC3339),
			"<noon>":       now.AddDate(0, 1, 0).Format(time.DateOnly) + "T12:00",
			"<externalId>": "ada-4711", "<email>": "ada.4711@example.com", "<phone>": "+4930123456789", "<birthDate>": "1985-12-10",
			"<attribute>": "size 38 and a half", "<source>": "till-0815", "<reason>": "Sorry for the cold soup",
			"<condition>": "purchase.total > 1.375", "<name>": "The old till",
			"<greeting>": "Many happy returns to you, dear Ada",
		},
		absent: map[string]thing{
			"<member>":        {"Member", nowhere.String()},
			"<externalId>":    {"Member", "nobody-0"},
			"<email>":         {"Member", "nobody@example.com"},
			"<activity>":      {"Activity", id.Activity{Member: nowhere, Sequence: 2}.String()},
			"<entry>":         {"PointsEntry", id.Entry{Member: nowhere, Sequence: 3}.String()},
			"<adjustment>":    {"Adjustment", id.New[id.Adjustment]().String()},
			"<rule>":          {"EarningRule", id.New[id.Rule]().String()},
			"<tier>":          {"Tier", id.New[id.Tier]().String()},
			"<campaign>":      {"CareCampaign", id.New[id.Campaign]().String()},
			"<client>":        {"Client", id.New[id.Client]().String()},
			"<backtest>":      {"Backtest", id.New[id.Backtest]().String()},
			"<auditEntry>":    {"AuditEntry", id.New[id.AuditEntry]().String()},
			"<hold>":          {"Hold", id.New[id.Hold]().String()},
			"<reward>":        {"Reward", id.New[id.Reward]().String()},
			"<redemption>":    {"Redemption", id.New[id.Redemption]().String()},
			"<referral>":      {"Referral", id.New[id.Referral]().String()},
			"<household>":     {"Household", id.New[id.Household]().String()},
			"<event>":         {"Event", id.New[id.Event]().String()},
			"<date>":          {"Occurrence", id.New[id.Occurrence]().String()},
			"<booking>":       {"Booking", id.New[id.Booking]().String()},
			"<message>":       {"Message", id.New[id.Message]().String()},
			"<consent>":       {"Consent", id.Consent{Member: nowhere, Sequence: 1}.String()},
			"<waitingReturn>": {"WaitingReturn", id.New[id.WaitingReturn]().String()},
			"<jobRun>":        {"JobRun", id.New[id.JobRun]().String()},
			"<tierMove>":      {"TierHistoryEntry", id.TierMove{Member: nowhere, Sequence: 4}.String()},
		},
	}
	w.callers = []caller{
		{name: nobody},
		{name: owner, token: b.token(t, actor.Member, w.things["<externalId>"]), grants: []string{"MEMBER"}},
		{name: stranger, token: b.token(t, actor.Member, "eve"), grants: []string{"MEMBER"}},
	}
	for _, role := range actor.Roles[1:] {
		w.callers = append(w.callers, caller{name: string(role), token: b.token(t, role, "staff"), grants: []string{string(role)}})
	}
	w.fill(t, b.database.DB, w.callers[1], w.callers[2], w.callers[len(w.callers)-1])
	for i := range w.callers {
		w.callers[i].number = fmt.Sprintf("%02d", i)
	}
	return w
}

// fill makes the things, by the samples wherever they do it, and a machine client for each scope.
func (w *world) fill(t *testing.T, db *postgres.DB, ada, eve, admin caller) {
	t.Helper()
	do := func(as caller, operation, selection string) string {
		t.Helper()
		answer := w.ask(t, as, fmt.Sprintf(`mutation { %s { %s userErrors { code path } } }`, operation, selection), nil)
		if !strings.Contains(answer, `"userErrors":[]`) {
			t.Fatalf("%s\nis answered %s", operation, answer)
		}
		return answer
	}
	keep := func(name, form, answer string) string {
		t.Helper()
		found := regexp.MustCompile(form).FindString(answer)
		if found == "" {
			t.Fatalf("there is no %s in %s", name, answer)
		}
		w.things[name] = found
		return found
	}
	const key = `rgl_[a-z2-7]+_[a-z2-7]+`
	client := func(name string, scopes ...string) (id, usable string) {
		t.Helper()
		listed, err := json.Marshal(scopes)
		if err != nil {
			t.Fatal(err)
		}
		made := do(admin, fmt.Sprintf(`createClient(input: {name: %q, scopes: %s})`, name, listed), "client { id } key")
		return keep("<client>", `cli_\w+`, made), regexp.MustCompile(key).FindString(made)
	}

	do(eve, `enrollMember(input: {idempotencyKey: "join"})`, "member { id }")
	keep("<member>", `mem_\w+`, do(ada, `enrollMember(input: {idempotencyKey: "join"})`, "member { id }"))
	do(admin, `updateMember(input: {memberId: "<member>", displayName: "Ada", email: "<email>", phone: "<phone>", birthDate: "<birthDate>",
		attributes: [{name: "shoes", value: "<attribute>"}]})`, "member { id }")

	keep("<tier>", `tie_\w+`, do(admin, `createTier(input: {name: "Gold", rank: 1, threshold: 100, benefits: ["Cake"], multiplier: "1.5", earlyBooking: "P2D"})`, "tier { id }"))
	do(admin, `createTier(input: {name: "Ruby", rank: 2, threshold: 300, multiplier: "2", earlyBooking: "P3D"})`, "tier { id }")
	gold := w.things["<tier>"]
	w.things["<platinum>"] = keep("<tier>", `tie_\w+`, do(admin, `createTier(input: {name: "Platinum", rank: 3, threshold: 1000000, multiplier: "3", earlyBooking: "P4D"})`, "tier { id }"))
	w.things["<tier>"] = gold
	do(admin, `updateProgram(input: {costPerPoint: {amount: "0.01", currency: "EUR"}, adjustmentCaps: [{role: SUPPORT, pointsPerDay: 5}],
		expiry: {mode: AFTER_EARNING, after: "P10Y", roundUpTo: YEAR}, tierPolicy: {period: ROLLING, months: 12, grace: "P30D"},
		care: {quietFrom: "21:00", quietTo: "08:00", caps: [{class: MARKETING, channel: EMAIL, per: "P7D", messages: 3}]}})`, "program { name }")
	do(admin, `createEarningRule(input: {name: "Later", award: {fixed: 1}, pending: {for: "P14D"}, expiresAfter: "P1Y"})`, "rule { id }")
	do(admin, `createEarningRule(input: {name: "Once confirmed", award: {fixed: 1}, pending: {untilConfirmed: true}})`, "rule { id }")
	do(admin, `createEarningRule(input: {name: "Twice", award: {multiplier: "2"}})`, "rule { id }")
	do(admin, `createEarningRule(input: {name: "Tea on Tuesdays", award: {perAmount: {points: 1, every: {amount: "5.00", currency: "EUR"}, lineCondition: "line.sku == 'TEA'"}},
		windows: [{days: [TUESDAY], from: "14:00", until: "17:00"}], budget: 1000,
		limits: [{scope: MEMBER, period: WEEK, points: 50}, {scope: PROGRAM, period: LIFETIME, times: 100}]})`, "rule { id }")
	do(admin, `createEarningRule(input: {name: "At the door", trigger: "CHECK_IN", award: {fixed: 5}})`, "rule { id }")
	keep("<paused>", `rul_\w+`, do(admin, `createEarningRule(input: {name: "Not now", trigger: "REVIEW", award: {fixed: 5}})`, "rule { id }"))
	do(admin, `publishEarningRule(input: {ruleId: "<paused>"})`, "rule { id }")
	do(admin, `pauseEarningRule(input: {ruleId: "<paused>"})`, "rule { id }")
	keep("<ended>", `rul_\w+`, do(admin, `createEarningRule(input: {name: "Given up", trigger: "REVIEW", award: {fixed: 5}})`, "rule { id }"))
	do(admin, `reviseEarningRule(input: {ruleId: "<ended>", basedOnVersion: 1, rule: {name: "Given up", trigger: "REVIEW", award: {fixed: 6}}})`, "rule { id }")
	do(admin, `endEarningRule(input: {ruleId: "<ended>"})`, "rule { id }")
	keep("<rule>", `rul_\w+`, do(admin, `createEarningRule(input: {name: "A point a euro", condition: "<condition>", startsAt: "2020-01-01T00:00:00Z",
		endsAt: "2120-01-01T00:00:00Z", award: {perAmount: {points: 1, every: {amount: "1.00", currency: "EUR"}}}})`, "rule { id }"))
	do(admin, `publishEarningRule(input: {ruleId: "<rule>"})`, "rule { id }")
	keep("<auditEntry>", `aud_\w+`, w.ask(t, admin, `{ auditEntries(of: "<rule>") { nodes { id } } }`, nil))

	bought := do(admin, `recordPurchase(input: `+purchased+`)`, "activity { id } entries { id }")
	keep("<activity>", `act_\w+`, bought)
	keep("<entry>", `ent_\w+`, bought)
	do(admin, `recordReturn`+returned, "activity { id }")
	// She has a tier with a grace, one given by hand, and one to come.
	do(admin, `setTierFloor(input: {memberId: "<member>", tierId: "<tier>", until: "<soon>", reason: "A guest"})`, "member { id }")
	do(admin, `updateProgram(input: {tierPolicy: {period: ROLLING, months: 12, grace: "P30D", start: NEXT_PERIOD}})`, "program { name }")
	do(admin, `recordPurchase(input: {member: {id: "<member>"}, source: "<source>", externalId: "2", occurredAt: "<yesterday>", total: {amount: "100.00", currency: "EUR"}})`, "activity { id }")
	keep("<tierMove>", `mov_\w+`, w.ask(t, admin, `{ member(by: {id: "<member>"}) { tierHistory(first: 1) { nodes { id } } } }`, nil))
	do(admin, `recordActivity`+came, "activity { id }")
	do(admin, `adjustPoints`+gift, "adjustment { id }")

	w.things["<revoked>"], _ = client(w.things["<name>"], "program:read")
	do(admin, `revokeClient(input: {clientId: "<revoked>"})`, "client { id }")
	for _, scope := range texts(actor.Scopes) {
		_, usable := client("A client for "+scope, scope)
		w.callers = append(w.callers, caller{name: scope, token: usable, grants: []string{scope}})
	}
	// It is the last one, and so it stays <client>.
	_, usable := client("A client for everything", texts(actor.Scopes)...)
	everything := caller{name: "every scope", token: usable, grants: texts(actor.Scopes)}
	w.callers = append(w.callers, everything)

	// What a client asks for lies above its cap: one is declined, one approved and taken back.
	keep("<declined>", `adj_\w+`, do(everything, `adjustPoints(input: {member: {id: "<member>"}, points: 6, reason: "<reason>", idempotencyKey: "no"})`, "adjustment { id }"))
	do(admin, `declineAdjustment(input: {adjustmentId: "<declined>", note: "Too much"})`, "adjustment { id }")
	keep("<adjustment>", `adj_\w+`, do(everything, `adjustPoints(input: {member: {id: "<member>"}, points: 6, reason: "<reason>", expiresAt: "<soon>", idempotencyKey: "yes"})`, "adjustment { id }"))
	do(admin, `approveAdjustment(input: {adjustmentId: "<adjustment>", note: "Well"})`, "adjustment { id }")
	do(admin, `reverseAdjustment(input: {adjustmentId: "<adjustment>", reason: "Too much after all", idempotencyKey: "back"})`, "adjustment { id }")
	do(admin, `updateProgram(input: {adjustmentCaps: [{role: SUPPORT, pointsPerDay: 5000000}]})`, "program { name }")
	keep("<jobRun>", `run_\w+`, do(admin, `runJob(input: {job: "check-books"})`, "run { id }"))
	for !strings.Contains(w.ask(t, admin, `{ node(id: "<jobRun>") { ... on JobRun { status } } }`, nil), "SUCCEEDED") {
		if t.Context().Err() != nil {
			t.Fatal("the job does not end")
		}
	}
	w.fillRewards(t, do, keep, admin)
	w.fillHolds(t, do, keep, admin)
	w.fillBacktests(t, do, keep, admin)
	w.fillReferrals(t, do, keep, admin)
	w.fillCampaigns(t, db, do, keep, admin)
	w.fillEvents(t, db, do, keep)
	w.fillBookings(t, db, do, keep, ada, admin)
	w.fillMessages(t, db, do, keep, ada)
}

// ask sends a document in which names of things stand, and returns the answer. Of a thing in absent that one is named instead of
// what is there.
func (w *world) ask(t *testing.T, who caller, document string, absent map[string]thing) string {
	t.Helper()
	pairs := []string{"<n>", who.number}
	for name, there := range who.things {
		pairs = append(pairs, name, there)
	}
	for name, there := range w.things {
		if other, ok := absent[name]; ok {
			there = other.id
		}
		pairs = append(pairs, name, there)
	}
	operation, err := json.Marshal(map[string]string{"query": strings.NewReplacer(pairs...).Replace(document)})
	if err != nil {
		t.Fatal(err)
	}
	status, answer := post(t, w.url, who.token, string(operation))
	if status != http.StatusOK {
		t.Fatalf("%s\nis answered %d: %s", document, status, answer)
	}
	return requestIDForm.ReplaceAllString(answer, `"requestId":""`)
}

func texts[T ~string](values []T) []string {
	list := make([]string, len(values))
	for i, value := range values {
		list[i] = string(value)
	}
	return list
}

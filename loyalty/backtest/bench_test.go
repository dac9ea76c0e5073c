package backtest_test

import (
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

// BenchmarkBacktest tries a rule beside three others on 500,000 purchases of 100,000 members: how many a second, and by how much
// the program's memory grows at most. Run it with -benchtime 1x.
func BenchmarkBacktest(b *testing.B) {
	const members, purchases = 100_000, 500_000
	w := loyaltytest.New(b)
	backtests := backtest.New(w.DB, w.Service)
	w.Tier("Silver", 1, 500)
	limits := func(input *loyalty.EarningRuleInput) {
		limited(rules.MemberScope, rules.Day, 30)(input)
		limited(rules.MemberScope, rules.Month, 300)(input)
		limited(rules.MemberScope, rules.Lifetime, 5_000)(input)
	}
	rule := w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(10), when("purchase.total > 20.0"), limits)
	w.Rule(loyaltytest.Multiplier("1.5"), when(`member.tier == "Silver"`))
	w.Clock.Advance(365 * 24 * time.Hour)
	for _, statement := range []string{
		`insert into members (id, number, status, locale, time_zone, joined_at, attributes, recorded_at, referral_code)
			select gen_random_uuid(), n::text, 'ACTIVE', 'en', 'UTC', '2024-01-01', '{}', '2024-01-01', n::text from generate_series(1, 100000) as n`,
		`insert into tier_moves (member_id, sequence, at, recorded_at, to_tier_id, reason, ladder_version)
			select id, 1, joined_at, joined_at, tier_id, 'ENROLLED', 1 from members join ladder_tiers on version = 1 and rank = 0`,
		`insert into activities (member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, attributes)
			select id, n + 1, 'PURCHASE', 'till', number || '-' || n, at, at, 100 + (n * 977 + hashtext(number) % 1000 + 1000) % 9900, '{}'
			from members, generate_series(1, 5) as n,
				lateral (select '2025-02-01'::timestamptz + (abs(hashtext(number || n)) % 25000000) * interval '1 second' as at) as moment`,
		`insert into evaluations (member_id, sequence, points, qualifying, outcomes)
			select member_id, sequence, total / 100, total / 100, '[]' from activities`,
		`insert into purchase_lines (member_id, sequence, line, id, sku, quantity, amount, category)
			select member_id, sequence, line, line::text, 'SKU' || line, 1000000, total / 2, case line when 1 then 'coffee' else 'cake' end
			from activities, generate_series(1, 2) as line`,
		`analyze`,
	} {
		if _, err := w.DB.Exec(b.Context(), statement); err != nil {
			b.Fatal(err)
		}
	}
	run := func(b *testing.B, draft loyalty.EarningRuleInput) {
		b.Helper()
		for b.Loop() {
			runtime.GC()
			debug.FreeOSMemory()
			before := resident(b, "VmRSS")
			if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0o600); err != nil {
				b.Fatal(err)
			}
			started, err := backtests.Start(w.Admin, backtest.StartInput{Rule: &draft, ReplacesRuleID: &rule.Rule, From: day(0), To: w.Now()})
			if err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if _, err := backtests.Work(w.Admin); err != nil {
				b.Fatal(err)
			}
			took := time.Since(begun)
			done, err := backtests.Backtest(w.Admin, started.ID)
			if err != nil || done.Status != backtest.Succeeded || done.Done != purchases || done.Results().MembersAffected < members/2 {
				b.Fatal(done, err)
			}
			b.ReportMetric(purchases/took.Seconds(), "facts/s")
			b.Logf("the program's memory grew by %d MB", (resident(b, "VmHWM")-before)/1024)
		}
	}
	b.Run("totals", func(b *testing.B) { run(b, loyaltytest.RuleInput(w.PerAmount(2, "1.00"), limits)) })
	b.Run("lines", func(b *testing.B) {
		run(b, loyaltytest.RuleInput(w.PerAmount(2, "1.00"), limits, when(`purchase.lines.exists(line, line.category == "coffee")`)))
	})
}

// resident is a line of the program's status, in KB.
func resident(b *testing.B, name string) int {
	b.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		b.Fatal(err)
	}
	found := regexp.MustCompile(name + `:\s+(\d+) kB`).FindSubmatch(status)
	if found == nil {
		b.Fatalf("there is no %s in %s", name, status)
	}
	size, err := strconv.Atoi(string(found[1]))
	if err != nil {
		b.Fatal(err)
	}
	return size
}

package backtest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/backtest"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

func (b *bench) at(moment string) {
	b.t.Helper()
	at, err := time.Parse(time.RFC3339, moment)
	if err != nil {
		b.t.Fatal(err)
	}
	b.Clock.Set(at)
}

func TestStart_Refused(t *testing.T) {
	t.Parallel()
	b := euros(t)
	draft, err := b.Service.CreateEarningRule(b.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	if err != nil {
		t.Fatal(err)
	}
	b.Clock.Advance(time.Hour)
	good, unknown := loyaltytest.RuleInput(loyaltytest.Fixed(1)), id.New[id.Rule]()
	named := func(edit ruleEdit) *loyalty.EarningRuleInput {
		input := good
		edit(&input)
		return &input
	}
	from, to := b.Now().Add(-time.Hour), b.Now()
	for _, test := range []struct {
		name  string
		input backtest.StartInput
		want  []string
	}{
		{"no name", backtest.StartInput{Rule: named(func(i *loyalty.EarningRuleInput) { i.Name = "" }), From: from, To: to}, []string{"INVALID_NAME rule/name"}},
		{"a condition that does not compile", backtest.StartInput{Rule: named(when("purchase.totl > 1.0")), From: from, To: to}, []string{"INVALID_CONDITION rule/condition"}},
		{"a negative budget", backtest.StartInput{Rule: named(func(i *loyalty.EarningRuleInput) { i.Budget = pointer[int64](-1) }), From: from, To: to}, []string{"INVALID_LIMIT rule/budget"}},
		{"1e18 points", backtest.StartInput{Rule: named(func(i *loyalty.EarningRuleInput) { i.Award = loyaltytest.Fixed(1e18) }), From: from, To: to}, []string{"INVALID_POINTS rule/award/fixed"}},
		{"an end before the start", backtest.StartInput{Rule: named(func(i *loyalty.EarningRuleInput) { i.StartsAt, i.EndsAt = &to, &from }), From: from, To: to}, []string{"INVALID_SCHEDULE rule/endsAt"}},
		{"an unknown rule to replace", backtest.StartInput{Rule: &good, ReplacesRuleID: &unknown, From: from, To: to}, []string{"UNKNOWN_RULE replacesRuleId"}},
		{"a malformed rule to replace", backtest.StartInput{ReplacesRuleID: &id.Rule{}, From: from, To: to}, []string{"UNKNOWN_RULE replacesRuleId"}},
		{"a draft to replace", backtest.StartInput{Rule: &good, ReplacesRuleID: &draft.Rule, From: from, To: to}, []string{"NOT_PUBLISHED replacesRuleId"}},
		{"no period", backtest.StartInput{Rule: &good, From: to, To: to}, []string{"INVALID_PERIOD to"}},
		{"a period backwards", backtest.StartInput{Rule: &good, From: to, To: from}, []string{"INVALID_PERIOD to"}},
		{"a period that is not over", backtest.StartInput{Rule: &good, From: from, To: to.Add(time.Microsecond)}, []string{"INVALID_PERIOD to"}},
		{"all at once", backtest.StartInput{Rule: named(func(i *loyalty.EarningRuleInput) { i.Name = "" }), ReplacesRuleID: &unknown, From: to, To: from},
			[]string{"INVALID_NAME rule/name", "UNKNOWN_RULE replacesRuleId", "INVALID_PERIOD to"}},
	} {
		if _, err := b.backtests.Start(b.Admin, test.input); !slices.Equal(codes(err), test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
	for range backtest.MaximumWaiting {
		b.start(backtest.StartInput{From: from, To: to})
	}
	if _, err := b.backtests.Start(b.Admin, backtest.StartInput{From: from, To: to}); !slices.Equal(codes(err), []string{"TOO_MANY_BACKTESTS"}) {
		t.Errorf("one too many: %v", err)
	}
	if _, err := b.backtests.Cancel(b.Admin, id.New[id.Backtest]()); !slices.Equal(codes(err), []string{"UNKNOWN_BACKTEST backtestId"}) {
		t.Errorf("cancel nothing: %v", err)
	}
}

func TestBacktests_AreForMarketersAndAdmins(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Clock.Advance(time.Hour)
	input := b.all(nil, nil)
	started := b.start(input)
	for _, role := range actor.Roles {
		ctx, may := as(t.Context(), role), role == actor.Marketer || role == actor.Admin
		_, start := b.backtests.Start(ctx, input)
		_, list := b.backtests.Backtests(ctx, nil, nil)
		_, stop := b.backtests.Cancel(ctx, started.ID)
		seen, _ := b.backtests.Backtest(ctx, started.ID)
		if may != (start == nil) || may != (list == nil) || may != (stop == nil) || may != (seen != nil) {
			t.Errorf("%s: %v, %v, %v, %v", role, start, list, stop, seen)
		}
		if _, err := b.backtests.Work(ctx); err == nil {
			t.Errorf("%s works on backtests", role)
		}
		if _, err := b.backtests.Forget(ctx, b.Now()); err == nil {
			t.Errorf("%s forgets backtests", role)
		}
	}
}

// A campaign that is planned for next year can be tried on the last one, with its windows and conditions.
func TestBacktest_IgnoresWhenTheDraftStarts(t *testing.T) {
	t.Parallel()
	b := euros(t)
	ada := b.Enroll()
	b.Purchase(ada, "10.00")
	b.Clock.Advance(24 * time.Hour)
	b.Purchase(ada, "20.00")
	b.Clock.Advance(time.Second)
	planned := loyaltytest.RuleInput(b.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) {
		input.StartsAt, input.EndsAt = pointer(day(400)), pointer(day(430))
		input.Windows = []rules.Window{{Days: []rules.Weekday{"TUESDAY"}, From: 0, Until: 0}}
		input.Pending, input.ExpiresAfter = &loyalty.PendingInput{For: &value.Period{Days: 3}}, &value.Period{Years: 1}
	})
	if found := b.try(b.all(&planned, nil)); found.DraftPoints != 20 || found.PointsActual != 0 {
		t.Errorf("it finds %+v", found)
	}
}

// Rules remember what they had awarded before the period, less what was taken back by then; a draft begins with nothing.
func TestBacktest_Remembers(t *testing.T) {
	t.Parallel()
	b := euros(t)
	bounded := func(input *loyalty.EarningRuleInput) {
		limited(rules.MemberScope, rules.Lifetime, 100)(input)
		input.Budget = pointer[int64](150)
	}
	rule := b.Rule(b.PerAmount(1, "1.00"), bounded)
	ada, bob := b.Enroll(), b.Enroll()
	sold := b.Purchase(ada, "70.00")
	b.Purchase(bob, "30.00")
	b.Clock.Advance(time.Hour)
	b.Return(sold, func(input *loyalty.RecordReturnInput) { input.Amount = pointer(b.Money("20.00")) })
	b.Clock.Advance(24 * time.Hour)
	from := b.Now()
	b.Purchase(ada, "60.00")
	b.Purchase(bob, "60.00")
	b.Clock.Advance(time.Second)

	control := b.try(backtest.StartInput{From: from, To: b.Now()})
	if control.PointsIssued != 70 || control.PointsActual != 70 {
		t.Errorf("of 150 points 80 are given, 50 to ada, who gets 50 more, and bob what is left: %+v", control)
	}
	again := loyaltytest.RuleInput(b.PerAmount(1, "1.00"), bounded)
	if found := b.try(backtest.StartInput{Rule: &again, ReplacesRuleID: &rule.Rule, From: from, To: b.Now()}); found.PointsIssued != 120 {
		t.Errorf("a rule that begins anew gives 120: %+v", found)
	}
}

// C13: days are those of the program's calendar, also where an hour is skipped or repeated.
func TestBacktest_DaysOfTheProgram(t *testing.T) {
	t.Parallel()
	b := newBench(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
	b.Rule(b.PerAmount(1, "1.00"))
	ada := b.Enroll()
	for i, moment := range []string{
		"2025-03-29T22:59:59Z", "2025-03-29T23:00:00Z", "2025-03-30T21:59:59Z", "2025-03-30T22:00:00Z", // 30 March has 23 hours
		"2025-10-25T21:59:59Z", "2025-10-25T22:00:00Z", "2025-10-26T00:30:00Z", "2025-10-26T01:30:00Z", "2025-10-26T22:59:59Z", "2025-10-26T23:00:00Z",
	} {
		b.at(moment)
		b.Purchase(ada, fmt.Sprintf("%d.00", 1<<i))
	}
	b.Clock.Advance(time.Second)
	twice := loyaltytest.RuleInput(loyaltytest.Multiplier("2"))
	date := func(month time.Month, day int) value.Date { return value.Date{Year: 2025, Month: month, Day: day} }
	want := []backtest.Day{
		{Date: date(3, 29), Points: 2, Actual: 1}, {Date: date(3, 30), Points: 12, Actual: 6}, {Date: date(3, 31), Points: 16, Actual: 8},
		{Date: date(10, 25), Points: 32, Actual: 16}, {Date: date(10, 26), Points: 960, Actual: 480}, {Date: date(10, 27), Points: 1024, Actual: 512},
	}
	if difference := cmp.Diff(want, b.try(b.all(&twice, nil)).ByDay); difference != "" {
		t.Error(difference)
	}
}

// Who wins and who loses most comes first, 10 at most; what it costs is told at the program's cost of a point.
func TestBacktest_WinnersAndLosers(t *testing.T) {
	t.Parallel()
	b := euros(t)
	cost := b.Money("0.02")
	if _, err := b.Service.UpdateProgram(b.Admin, loyalty.ProgramEdit{CostPerPoint: &cost}); err != nil {
		t.Fatal(err)
	}
	rule := b.Rule(loyaltytest.Fixed(20))
	var members []*loyalty.Member
	for i := range 31 {
		members = append(members, b.Enroll())
		b.Purchase(members[i], fmt.Sprintf("%d.00", i+5))
	}
	b.Clock.Advance(time.Second)
	draft := loyaltytest.RuleInput(b.PerAmount(1, "1.00"))
	found := b.try(b.all(&draft, rule))
	if found.MembersAffected != 30 || found.Winners.Count != 15 || found.Losers.Count != 15 || found.Winners.Points != 120 || found.Losers.Points != 120 {
		t.Errorf("it finds %+v", found)
	}
	if want := (value.Money{Minor: 2 * 620, Currency: "EUR"}); found.Cost == nil || *found.Cost != want {
		t.Errorf("it costs %v instead of %s", found.Cost, want)
	}
	for i := range 10 {
		win, lose := found.Winners.Examples[i], found.Losers.Examples[i]
		if win.MemberID() != members[30-i].ID || win.Would != int64(35-i) || win.Actual != 20 {
			t.Errorf("winner %d is %+v", i, win)
		}
		if lose.MemberID() != members[i].ID || lose.Would != int64(i+5) || lose.Actual != 20 {
			t.Errorf("loser %d is %+v", i, lose)
		}
	}
	if len(found.Winners.Examples) != 10 || len(found.Losers.Examples) != 10 {
		t.Errorf("%d winners and %d losers are shown", len(found.Winners.Examples), len(found.Losers.Examples))
	}
}

var unsampled = cmpopts.IgnoreFields(loyalty.TierMove{}, "SampleIDs")

// More points may reach a higher tier; fewer lose one that stands on them, and no other one.
func TestBacktest_TierMoves(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Tier("Silver", 1, 100)
	b.Tier("Gold", 2, 200)
	rule := b.Rule(b.PerAmount(1, "1.00"))
	early, late := b.Enroll(), b.Enroll()
	silver, small := b.Enroll(), b.Enroll()
	b.Purchase(early, "150.00")
	b.Clock.Advance(24 * time.Hour)
	from := b.Now()
	b.Purchase(early, "20.00")
	b.Purchase(late, "150.00")
	b.Purchase(silver, "90.00")
	b.Purchase(silver, "15.00")
	b.Purchase(small, "1.00")
	b.Clock.Advance(time.Second)
	input := backtest.StartInput{ReplacesRuleID: &rule.Rule, From: from, To: b.Now()}
	if found, want := b.try(input).TierMoves, []loyalty.TierMove{{From: "Silver", To: "Member", Members: 2}}; !cmp.Equal(found, want, unsampled) {
		t.Errorf("without the rule %v, want %v", found, want)
	}
	twice := loyaltytest.RuleInput(b.PerAmount(2, "1.00"))
	input.Rule = &twice
	want := []loyalty.TierMove{{From: "Silver", To: "Gold", Members: 2}}
	if found := b.try(input).TierMoves; !cmp.Equal(found, want, unsampled) {
		t.Errorf("with a better rule %v, want %v", found, want)
	}
	input.ReplacesRuleID = nil
	much := loyaltytest.RuleInput(loyaltytest.Fixed(99))
	input.Rule = &much
	want = []loyalty.TierMove{{From: "Member", To: "Silver", Members: 1}, {From: "Silver", To: "Gold", Members: 3}}
	if found := b.try(input).TierMoves; !cmp.Equal(found, want, unsampled) {
		t.Errorf("with one more rule %v, want %v", found, want)
	}
}

// What cannot be counted fails, and says so.
func TestBacktest_Fails(t *testing.T) {
	t.Parallel()
	b := euros(t)
	ada := b.Enroll()
	b.Purchase(ada, "90000000.00")
	b.Clock.Advance(time.Second)
	mad := loyaltytest.RuleInput(b.PerAmount(1_000_000_000, "0.01"))
	started := b.start(b.all(&mad, nil))
	b.work()
	done := b.read(started.ID)
	if done.Status != backtest.Failed || done.Error == nil || !strings.Contains(*done.Error, "more points than can be counted") || done.Results() != nil {
		t.Errorf("the backtest is %+v", done)
	}
}

// Facts that came in one batch, more than are judged in one go, have their lines and attributes.
func TestBacktest_ManyFacts(t *testing.T) {
	t.Parallel()
	b := euros(t)
	ada := b.Enroll()
	b.many(ada, 4_500)
	counted := loyaltytest.RuleInput(loyaltytest.Fixed(1), when("activity.number > 10 && purchase.lines.size() == 1"))
	if found := b.try(b.all(&counted, nil)); found.PointsIssued != 4_490 || found.MembersAffected != 1 {
		t.Errorf("it finds %+v", found)
	}
}

// many records so many purchases.
func (b *bench) many(member *loyalty.Member, number int) {
	b.t.Helper()
	for number > 0 {
		inputs := make([]loyalty.RecordPurchaseInput, min(number, 1_000))
		for i := range inputs {
			inputs[i] = b.PurchaseInput(member, "1.00")
			inputs[i].Lines = []loyalty.PurchaseLineInput{b.Line("A", "1", "1.00")}
		}
		recorded, err := b.Service.RecordPurchases(b.Admin, inputs)
		if err != nil || len(recorded[0].UserErrors) > 0 {
			b.t.Fatal(err, recorded[0].UserErrors)
		}
		number -= len(inputs)
	}
	b.Clock.Advance(time.Second)
}

func TestBacktests_Pages(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Clock.Advance(time.Hour)
	var started []id.Backtest
	for range 5 {
		started = append(started, b.start(b.all(nil, nil)).ID)
	}
	slices.Reverse(started)
	var listed []id.Backtest
	for after := (*string)(nil); ; {
		page, err := b.backtests.Backtests(b.Admin, pointer(2), after)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range page.Nodes {
			listed = append(listed, one.ID)
		}
		if total, err := page.Total(b.Admin); err != nil || total != 5 {
			t.Errorf("there are %d, %v", total, err)
		}
		if after = page.PageInfo.EndCursor; !page.PageInfo.HasNextPage {
			break
		}
	}
	if !slices.Equal(listed, started) {
		t.Errorf("listed are %v instead of %v", listed, started)
	}
}

func TestForget(t *testing.T) {
	t.Parallel()
	b := euros(t)
	b.Clock.Advance(time.Hour)
	old := b.start(b.all(nil, nil))
	b.work()
	b.Clock.Advance(90 * 24 * time.Hour)
	running := b.start(b.all(nil, nil))
	if count, err := b.backtests.Forget(b.Admin, b.Now()); err != nil || count != 1 {
		t.Errorf("%d are forgotten, %v", count, err)
	}
	for wanted, kept := range map[id.Backtest]bool{old.ID: false, running.ID: true} {
		if found, err := b.backtests.Backtest(b.Admin, wanted); err != nil || kept != (found != nil) {
			t.Errorf("%s is %v, %v", wanted, found, err)
		}
	}
}

package loyalty_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

func bounded(limits ...rules.Limit) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Limits = limits }
}

func budget(points int64) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Budget = &points }
}

func carrying(input *loyalty.EarningRuleInput) { input.Award.PerAmount.CarryRemainder = true }

func pointsPer(scope rules.Scope, period rules.LimitPeriod, points int64) rules.Limit {
	return rules.Limit{Scope: scope, Period: period, Points: &points}
}

func timesPer(scope rules.Scope, period rules.LimitPeriod, times int) rules.Limit {
	return rules.Limit{Scope: scope, Period: period, Times: &times}
}

// did is what the rules did with a fact, as its evaluation tells it.
func did(t *testing.T, w *loyaltytest.World, recorded loyalty.Recorded) []string {
	t.Helper()
	words, err := w.Service.Explainer(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, outcome := range recorded.Evaluation.Outcomes {
		list = append(list, fmt.Sprintf("%s: %s", outcome.Status, words.Reason(&outcome)))
	}
	return list
}

func TestLimit_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	half, none := int64(50), int64(0)
	twice := 2
	for _, test := range []struct {
		name string
		edit ruleEdit
		want []string
	}{
		{"negative budget", budget(-1), []string{"INVALID_LIMIT budget"}},
		{"budget beyond counting", budget(1e18), []string{"INVALID_LIMIT budget"}},
		{"points and times", bounded(rules.Limit{Scope: rules.MemberScope, Period: rules.Day, Points: &half, Times: &twice}), []string{"INVALID_LIMIT limits/0"}},
		{"neither", bounded(rules.Limit{Scope: rules.MemberScope, Period: rules.Day}), []string{"INVALID_LIMIT limits/0"}},
		{"no points", bounded(timesPer(rules.MemberScope, rules.Day, 1), rules.Limit{Scope: rules.MemberScope, Period: rules.Day, Points: &none}), []string{"INVALID_LIMIT limits/1/points"}},
		{"negative times", bounded(timesPer(rules.ProgramScope, rules.Year, -1)), []string{"INVALID_LIMIT limits/0/times"}},
		{"too many", bounded(slices.Repeat([]rules.Limit{timesPer(rules.MemberScope, rules.Day, 1)}, 21)...), []string{"INVALID_LIMIT limits"}},
		{"a window of no day", func(input *loyalty.EarningRuleInput) { input.Windows = []rules.Window{{}} }, []string{"INVALID_SCHEDULE windows/0/days"}},
		{"a remainder of what is rounded up", func(input *loyalty.EarningRuleInput) {
			carrying(input)
			input.Award.PerAmount.Rounding = value.Ceil
		}, []string{"INVALID_AWARD award/perAmount/rounding"}},
	} {
		_, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(w.PerAmount(1, "1.00"), test.edit))
		refused(t, test.name, err, test.want...)
	}
}

// C11: what a limit cut is said with what it was cut from; the next period begins anew.
func TestLimit_Explained(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), bounded(pointsPer(rules.MemberScope, rules.Week, 50)), priority(1))
	w.Rule(loyaltytest.Fixed(3), budget(4))
	member, other := w.Enroll(), w.Enroll()
	equal(t, "below", []string{"APPLIED: 1 point for every 1.00 EUR of 40.00 EUR", "APPLIED: 3 points"}, did(t, w, w.Purchase(member, "40.00")))
	equal(t, "cut", []string{"LIMITED: weekly limit of 50 points: 40 cut to 10", "OUT_OF_BUDGET: budget of 4 points: 3 cut to 1"}, did(t, w, w.Purchase(member, "40.00")))
	equal(t, "used up", []string{"LIMITED: weekly limit of 50 points: 40 cut to 0", "OUT_OF_BUDGET: budget of 4 points: 3 cut to 0"}, did(t, w, w.Purchase(member, "40.00")))
	equal(t, "somebody else", []int64{40}, points(w.Purchase(other, "40.00")))
	w.Clock.Advance(7 * 24 * time.Hour)
	equal(t, "next week", []int64{40}, points(w.Purchase(member, "40.00")))
	equal(t, "late, of last week", nil, points(w.Purchase(member, "40.00", func(input *loyalty.RecordPurchaseInput) {
		input.OccurredAt = input.OccurredAt.AddDate(0, 0, -7)
	})))
	clean(t, w)
}

// A limit that earlier facts used up stays used by what is recorded first, and never takes back what was granted.
func TestLimit_LateFacts(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), bounded(pointsPer(rules.MemberScope, rules.Month, 50)))
	member := w.Enroll()
	earlier := func(days int) purchaseEdit {
		return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = w.Now().AddDate(0, 0, -days) }
	}
	equal(t, "now", []int64{45}, points(w.Purchase(member, "45.00")))
	equal(t, "a day ago, told late", []int64{5}, points(w.Purchase(member, "30.00", earlier(1))))
	equal(t, "the month before", []int64{30}, points(w.Purchase(member, "30.00", earlier(40))))
	equal(t, "balance", int64(80), w.Balance(member).Available)
	clean(t, w)
}

// Limits and budgets hold whoever comes at once, to the point.
func TestRace_Budget(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(loyaltytest.Fixed(30), budget(1000))
	w.Rule(loyaltytest.Fixed(7), bounded(timesPer(rules.MemberScope, rules.Lifetime, 3)))
	w.Clock.Tick(time.Millisecond)
	members := make([]*loyalty.Member, 8)
	for i := range members {
		members[i] = w.Enroll()
	}
	var group sync.WaitGroup
	for i := range 16 {
		group.Go(func() {
			for n := range 5 {
				inputs := []loyalty.RecordPurchaseInput{
					w.PurchaseInput(members[(i+n)%len(members)], "10.00"), w.PurchaseInput(members[(i+n+1)%len(members)], "10.00"),
				}
				if _, err := w.Service.RecordPurchases(w.Admin, inputs); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	var owned int64
	for _, member := range members {
		owned += w.Balance(member).Available
	}
	equal(t, "points of all", int64(1000+len(members)*3*7), owned)
	clean(t, w)
}

// What comes back gives room again, in the window of the purchase: points by the share, the time with all of it.
func TestLimit_Unwound(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), bounded(pointsPer(rules.MemberScope, rules.Month, 50)), priority(1))
	w.Rule(loyaltytest.Fixed(10), bounded(timesPer(rules.MemberScope, rules.Lifetime, 1)))
	member := w.Enroll()
	first := w.Purchase(member, "100.00")
	equal(t, "cut", []int64{50, 10}, points(first))
	equal(t, "half of it", []int64{-25, -5}, points(w.Return(first, byEuros("50.00"))))
	equal(t, "room for half", []int64{25}, points(w.Purchase(member, "40.00")))
	w.Clock.Advance(40 * 24 * time.Hour)
	equal(t, "the rest, in another month", []int64{-25, -5}, points(w.Return(first)))
	equal(t, "this month", []int64{50, 10}, points(w.Purchase(member, "60.00")))
	equal(t, "that month", []int64{25}, points(w.Purchase(member, "60.00", func(input *loyalty.RecordPurchaseInput) {
		input.OccurredAt = first.Activity.OccurredAt
	})))
	clean(t, w)
}

func TestLimit_UnwoundByCancel(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	until := true
	w.Rule(loyaltytest.Fixed(10), budget(10), func(input *loyalty.EarningRuleInput) {
		input.Pending = &loyalty.PendingInput{UntilConfirmed: &until}
	})
	member := w.Enroll()
	first := w.Purchase(member, "1.00")
	equal(t, "used up", nil, points(w.Purchase(member, "1.00")))
	if _, err := w.Service.CancelPending(w.Admin, first.Activity.ID(), "not delivered", w.Key()); err != nil {
		t.Fatal(err)
	}
	equal(t, "free again", []int64{10}, points(w.Purchase(member, "1.00")))
	clean(t, w)
}

// A limit that comes with a later version counts what earlier versions awarded.
func TestLimit_OfLaterVersion(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rule := w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	bought := w.Purchase(member, "30.00")
	w.Return(bought, byEuros("10.00"))
	input := loyaltytest.RuleInput(w.PerAmount(1, "1.00"), bounded(pointsPer(rules.MemberScope, rules.Year, 50)), budget(90))
	if _, err := w.Service.ReviseEarningRule(w.Admin, rule.Rule, 1, input); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	if _, err := w.Service.PublishEarningRule(w.Admin, rule.Rule, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	equal(t, "of 50", []int64{30}, points(w.Purchase(member, "100.00")))
	equal(t, "of 90", []int64{40}, points(w.Purchase(w.Enroll(), "100.00")))
	w.Return(bought)
	clean(t, w)
}

// What fills no step counts with the next purchase, and what comes back is taken from the running amount.
func TestCarry(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "10.00"), carrying)
	member := w.Enroll()
	first := w.Purchase(member, "7.00")
	equal(t, "7", []string{"NOT_MATCHED: less than 10.00 EUR; 7.00 EUR counts next time"}, did(t, w, first))
	second := w.Purchase(member, "5.00")
	equal(t, "12", []string{"APPLIED: 1 point for every 10.00 EUR of 5.00 EUR, and 7.00 EUR from before; 2.00 EUR counts next time"}, did(t, w, second))
	equal(t, "5 are left of 12: a step that the other purchase made", []int64{-1}, points(w.Return(first)))
	equal(t, "nothing is left", nil, points(w.Return(second)))
	third := w.Purchase(member, "25.00")
	equal(t, "25", []int64{2}, points(third))
	equal(t, "19 are left", []int64{-1}, points(w.Return(third, byEuros("6.00"))))
	equal(t, "all of it", []int64{-1}, points(w.Return(third)))
	equal(t, "balance", int64(0), w.Balance(member).Available)
	clean(t, w)
}

// A rule for lines awards what they are worth, and takes that back with them.
func TestLines(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), priority(1))
	w.Rule(w.PerAmount(2, "1.00"), func(input *loyalty.EarningRuleInput) {
		input.Award.PerAmount.LineCondition = pointer(`line.sku == "TEA"`)
	})
	member := w.Enroll()
	sold := w.Purchase(member, "20.00", tea(w))
	equal(t, "bought", []string{
		"APPLIED: 1 point for every 1.00 EUR of 20.00 EUR", "APPLIED: 2 points for every 1.00 EUR of 15.01 EUR in 2 lines",
	}, did(t, w, sold))
	equal(t, "the cup comes back", []int64{-5}, points(w.Return(sold, bySKU("CUP", "1"))))
	equal(t, "two of five teas", []int64{-5, -10}, points(w.Return(sold, byLine("3", "2"))))
	equal(t, "the rest", []int64{-10, -20}, points(w.Return(sold)))

	by := w.Purchase(member, "20.00", tea(w))
	equal(t, "a quarter, by amount", []int64{-5, -7}, points(w.Return(by, byEuros("5.00"))))
	equal(t, "the rest by amount", []int64{-15, -23}, points(w.Return(by, byEuros("15.00"))))
	clean(t, w)
}

// Awards may count what was taken off and what was paid with points.
func TestBasis(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	for i, basis := range []rules.Basis{{}, {BeforeDiscounts: true}, {PaidWithPoints: true}, {BeforeDiscounts: true, PaidWithPoints: true}} {
		w.Rule(w.PerAmount(1, "1.00"), priority(10-i), func(input *loyalty.EarningRuleInput) { input.Basis = &basis })
	}
	member := w.Enroll()
	sold := w.Purchase(member, "20.00", func(input *loyalty.RecordPurchaseInput) {
		paid, discount := w.Money("5.00"), w.Money("4.00")
		line := w.Line("TEA", "1", "20.00")
		line.Discount = &discount
		input.PaidWithPoints, input.Lines = &paid, []loyalty.PurchaseLineInput{line}
	})
	equal(t, "15 of 20, and 4 off", []int64{15, 19, 20, 24}, points(sold))
	equal(t, "half of it", []int64{-7, -9, -10, -12}, points(w.Return(sold, byEuros("10.00"))))
	equal(t, "all of it", []int64{-8, -10, -10, -12}, points(w.Return(sold)))
	clean(t, w)
}

// A preview says what recording then does, whoever and whatever it is.
func TestPreview(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Tier("Gold", 1, 60)
	w.Rule(w.PerAmount(1, "1.00"), bounded(pointsPer(rules.MemberScope, rules.Week, 100), pointsPer(rules.ProgramScope, rules.Lifetime, 300)))
	w.Rule(w.PerAmount(1, "7.00"), carrying)
	w.Rule(loyaltytest.Fixed(5), when(`member.tier == "Gold" && activity.source == "till"`))
	w.Rule(loyaltytest.Multiplier("1.5"), when(`purchase.lines.exists(line, line.sku == "TEA")`))
	members := []*loyalty.Member{w.Enroll(), w.Enroll()}
	for i := range 24 {
		input := w.PurchaseInput(members[i%2], []string{"20.00", "33.33", "0.00"}[i%3], func(input *loyalty.RecordPurchaseInput) {
			if i%3 == 0 {
				tea(w)(input)
			}
			if i%5 == 4 {
				input.OccurredAt = input.OccurredAt.AddDate(0, 0, -i)
			}
		})
		asked := loyalty.PreviewPurchaseInput{
			Member: &input.Member, Source: &input.Source, OccurredAt: &input.OccurredAt, Total: input.Total, Lines: input.Lines,
		}
		before := w.Balance(members[i%2])
		previewed, err := w.Service.PreviewPurchase(w.Admin, asked)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "balance", before, w.Balance(members[i%2]))
		recorded, err := w.Service.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{input})
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprint("purchase ", i), previewed, recorded[0].Evaluation)
		w.Clock.Advance(10 * time.Hour)
	}
	clean(t, w)
}

func TestPreview_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member, other := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("own") }), w.Enroll()
	ref, foreign := loyaltytest.Ref(member), loyaltytest.Ref(other)
	own := w.As("MEMBER", "own")
	marketer := w.As("MARKETER", "marketer")
	published := w.Rule(loyaltytest.Fixed(1))
	ask := func(edit func(*loyalty.PreviewPurchaseInput)) loyalty.PreviewPurchaseInput {
		input := loyalty.PreviewPurchaseInput{Member: &ref, Total: w.Money("10.00")}
		edit(&input)
		return input
	}
	nobody := func(input *loyalty.PreviewPurchaseInput) { input.Member = nil }
	_, err := w.Service.PreviewPurchase(own, ask(func(input *loyalty.PreviewPurchaseInput) { input.Member = &foreign }))
	refused(t, "of another", err, "UNKNOWN_MEMBER member")
	_, err = w.Service.PreviewPurchase(marketer, ask(func(*loyalty.PreviewPurchaseInput) {}))
	refused(t, "by a marketer", err, "UNKNOWN_MEMBER member")
	_, err = w.Service.PreviewPurchase(own, ask(func(input *loyalty.PreviewPurchaseInput) { input.DraftOf = &published.Rule }))
	refused(t, "a draft by a member", err, "UNKNOWN_RULE draftOf")
	_, err = w.Service.PreviewPurchase(marketer, ask(func(input *loyalty.PreviewPurchaseInput) {
		nobody(input)
		input.DraftOf = &published.Rule
	}))
	refused(t, "no draft", err, "NOT_A_DRAFT draftOf")
	_, err = w.Service.PreviewPurchase(marketer, ask(func(input *loyalty.PreviewPurchaseInput) {
		nobody(input)
		unknown := id.New[id.Rule]()
		input.DraftOf = &unknown
	}))
	refused(t, "no rule", err, "UNKNOWN_RULE draftOf")
	_, err = w.Service.PreviewPurchase(own, ask(func(input *loyalty.PreviewPurchaseInput) { input.Total = w.Money("-1.00") }))
	refused(t, "less than nothing", err, "NEGATIVE_TOTAL total")

	draft, err := w.Service.CreateEarningRule(marketer, loyaltytest.RuleInput(w.PerAmount(2, "1.00")))
	if err != nil {
		t.Fatal(err)
	}
	for what, edit := range map[string]func(*loyalty.PreviewPurchaseInput){"as it is": nobody, "with the draft": func(input *loyalty.PreviewPurchaseInput) {
		nobody(input)
		input.DraftOf = &draft.Rule
	}} {
		got, err := w.Service.PreviewPurchase(marketer, ask(edit))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, what, map[string]int64{"as it is": 1, "with the draft": 21}[what], got.Points)
	}
}

// The multiplier of a tier adds to the base as of when the fact happened, does not count towards tiers, and comes back with it.
func TestTierMultiplier(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) {
		wait := value.Period{Days: 14}
		input.Pending = &loyalty.PendingInput{For: &wait}
	})
	half := value.Decimal("1.5")
	if _, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{Name: "Gold", Rank: 1, Threshold: 100, Multiplier: &half}); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	member := w.Enroll()
	before := w.Now()
	equal(t, "reaches it", []int64{100}, points(w.Purchase(member, "100.00")))
	w.Clock.Advance(time.Hour)
	sold := w.Purchase(member, "15.00")
	equal(t, "holds it", []int64{15, 7}, points(sold))
	equal(t, "told", []string{"APPLIED: 1 point for every 1.00 EUR of 15.00 EUR", "APPLIED: bonus of the tier Gold: 7 points more"}, did(t, w, sold))
	equal(t, "spent with the base", sold.Entries[0].AvailableAt, sold.Entries[1].AvailableAt)
	equal(t, "of before", []int64{3}, points(w.Purchase(member, "3.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = before })))
	equal(t, "what counts", int64(118), w.Standing(member).QualifyingPoints)
	words, err := w.Service.Explainer(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "its title", "Bonus of your tier", words.Title(sold.Entries[1], "", false))
	equal(t, "comes back", []int64{-5, -2}, points(w.Return(sold, byEuros("5.00"))))
	if _, err := w.Service.CancelPending(w.Admin, sold.Activity.ID(), "not delivered", w.Key()); err != nil {
		t.Fatal(err)
	}
	equal(t, "pending", int64(103), w.Balance(member).Pending)
	clean(t, w)
}

// What limits cut of amounts that are carried over comes back with them in parts as at once.
func TestCarry_Cut(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), carrying, bounded(pointsPer(rules.MemberScope, rules.Lifetime, 5)))
	member := w.Enroll()
	sold := w.Purchase(member, "10.00")
	equal(t, "cut", []int64{5}, points(sold))
	for range 10 {
		w.Return(sold, byEuros("1.00"))
	}
	equal(t, "all of it came back", int64(0), w.Balance(member).Available)
	clean(t, w)

	// A step that was cut to nothing is lost before one that others were awarded.
	first := w.Purchase(member, "5.00")
	equal(t, "all that there is", []int64{5}, points(first))
	half, rest := w.Purchase(member, "0.60"), w.Purchase(member, "0.60")
	equal(t, "cut to nothing", []int64(nil), append(points(half), points(rest)...))
	equal(t, "costs nothing", []int64(nil), points(w.Return(half)))
	equal(t, "what is kept", int64(5), w.Balance(member).Available)
	clean(t, w)
}

// What was canceled is not taken back once more, from others.
func TestCarry_Canceled(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	until := true
	w.Rule(w.PerAmount(1, "1.00"), carrying, func(input *loyalty.EarningRuleInput) {
		input.Pending = &loyalty.PendingInput{UntilConfirmed: &until}
	})
	member := w.Enroll()
	w.Purchase(member, "10.00")
	canceled := w.Purchase(member, "10.00")
	if _, err := w.Service.CancelPending(w.Admin, canceled.Activity.ID(), "not delivered", w.Key()); err != nil {
		t.Fatal(err)
	}
	equal(t, "nothing more", []int64(nil), points(w.Return(canceled)))
	equal(t, "the other's", int64(10), w.Balance(member).Pending)
	clean(t, w)
}

// What was carried over at one price is not paid at another.
func TestCarry_OtherStep(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rule := w.Rule(w.PerAmount(1, "10.00"), carrying)
	member := w.Enroll()
	first := w.Purchase(member, "9.00")
	if _, err := w.Service.ReviseEarningRule(w.Admin, rule.Rule, 1, loyaltytest.RuleInput(w.PerAmount(1, "1.00"), carrying)); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	if _, err := w.Service.PublishEarningRule(w.Admin, rule.Rule, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Second)
	second := w.Purchase(member, "1.50")
	equal(t, "anew", []int64{1}, points(second))
	w.Return(first)
	w.Return(second)
	equal(t, "all of it came back", int64(0), w.Balance(member).Available)
	clean(t, w)
}

// A rule that another one silences carries nothing on, whether or not it would have given anything.
func TestCarry_Silenced(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "10.00"), carrying)
	w.Rule(loyaltytest.Fixed(3), when(`activity.source == "app"`), func(input *loyalty.EarningRuleInput) { input.Stacking = rules.Exclusive })
	member := w.Enroll()
	app := func(input *loyalty.RecordPurchaseInput) { input.Source = "app" }
	equal(t, "below a step", []int64{3}, points(w.Purchase(member, "9.00", app)))
	equal(t, "two steps", []int64{3}, points(w.Purchase(member, "25.00", app)))
	equal(t, "nothing from before", []int64(nil), points(w.Purchase(member, "9.00")))
	clean(t, w)
}

// What was worth nothing earns nothing, since nothing of it can come back; and what came back of some lines is not taken from
// others.
func TestLines_WorthNothing(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), priority(1), func(input *loyalty.EarningRuleInput) { input.Basis = &rules.Basis{BeforeDiscounts: true} })
	w.Rule(w.PerAmount(1, "1.00"), func(input *loyalty.EarningRuleInput) {
		input.Award.PerAmount.LineCondition = pointer(`line.sku == "TEA"`)
	})
	member := w.Enroll()
	with := func(lines ...loyalty.PurchaseLineInput) purchaseEdit {
		return func(input *loyalty.RecordPurchaseInput) { input.Lines = lines }
	}
	free := w.Line("TEA", "1", "0.00")
	free.Discount = pointer(w.Money("20.00"))
	equal(t, "given away", []int64(nil), points(w.Purchase(member, "0.00", with(free))))

	sold := w.Purchase(member, "10.00", with(w.Line("TEA", "1", "15.00"), w.Line("CUP", "1", "5.00"), w.Line("COUPON", "1", "-10.00")))
	equal(t, "with a coupon", []int64{10, 10}, points(sold))
	equal(t, "the coupon comes back", []int64(nil), points(w.Return(sold, bySKU("COUPON", "1"))))
	clean(t, w)
}

// Where clocks stand at the beginning of time, limits count all the same.
func TestLimit_YearOne(t *testing.T) {
	t.Parallel()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "America/New_York"})
	w.Rule(loyaltytest.Fixed(1), bounded(timesPer(rules.MemberScope, rules.Day, 1)))
	member := w.Enroll()
	first := func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = time.Date(1, 1, 1, 1, 0, 0, 0, time.UTC) }
	equal(t, "once", []int64{1}, points(w.Purchase(member, "1.00", first)))
	equal(t, "twice", []int64(nil), points(w.Purchase(member, "1.00", first)))
}

// A marketer tries a draft on members that there might be, and on days that are yet to come.
func TestPreview_Somebody(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	gold := w.Tier("Gold", 1, 1000)
	marketer := w.As("MARKETER", "marketer")
	tomorrow := w.Now().AddDate(0, 0, 1)
	draft, err := w.Service.CreateEarningRule(marketer, loyaltytest.RuleInput(loyaltytest.Fixed(5),
		when(`member.tier == "Gold" && activity.number == 10 && member.attributes["shoes"] == "43" && now.getDate() == `+fmt.Sprint(tomorrow.Day())),
		func(input *loyalty.EarningRuleInput) { input.StartsAt = &tomorrow }))
	if err != nil {
		t.Fatal(err)
	}
	input := loyalty.PreviewPurchaseInput{
		DraftOf: &draft.Rule, OccurredAt: &tomorrow, Total: w.Money("10.00"),
		Somebody: &loyalty.Somebody{TierID: &gold.ID, Purchases: 9, Attributes: []value.Attribute{{Name: "shoes", Value: "43"}}},
	}
	got, err := w.Service.PreviewPurchase(marketer, input)
	if err != nil || got.Points != 5 {
		t.Errorf("it earns %+v: %v", got, err)
	}
	input.Somebody.TierID = pointer(id.New[id.Tier]())
	input.Somebody.Purchases = -1
	_, err = w.Service.PreviewPurchase(marketer, input)
	refused(t, "no tier", err, "INVALID_TIERS somebody/tierId", "INVALID_AMOUNT somebody/purchases")
}

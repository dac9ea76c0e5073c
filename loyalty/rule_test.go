package loyalty_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

type ruleEdit = func(*loyalty.EarningRuleInput)

func on(trigger string) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Trigger = trigger }
}

func when(condition string) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Condition = &condition }
}

func priority(priority int) ruleEdit {
	return func(input *loyalty.EarningRuleInput) { input.Priority = priority }
}

// reasons are what the rules did, in order.
func reasons(recorded loyalty.Recorded) []rules.Reason {
	var list []rules.Reason
	for _, outcome := range recorded.Evaluation.Outcomes {
		list = append(list, outcome.Reason)
	}
	return list
}

func TestRule_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	per := func(points int64, every string) loyalty.AwardInput { return w.PerAmount(points, every) }
	for _, test := range []struct {
		name  string
		award loyalty.AwardInput
		edit  ruleEdit
		want  []string
	}{
		{"no name", loyaltytest.Fixed(1), func(input *loyalty.EarningRuleInput) { input.Name = "" }, []string{"INVALID_NAME name"}},
		{"trigger in lower case", loyaltytest.Fixed(1), on("visit"), []string{"INVALID_ACTIVITY_TYPE trigger"}},
		{"returns earn nothing", loyaltytest.Fixed(1), on("RETURN"), []string{"INVALID_ACTIVITY_TYPE trigger"}},
		{"ends before it starts", loyaltytest.Fixed(1), func(input *loyalty.EarningRuleInput) {
			input.StartsAt, input.EndsAt = pointer(w.Now()), pointer(w.Now())
		}, []string{"INVALID_SCHEDULE endsAt"}},
		{"condition", loyaltytest.Fixed(1), when("purchase.totl > 1.0"), []string{"INVALID_CONDITION condition"}},
		{"no points", loyaltytest.Fixed(0), on("VISIT"), []string{"INVALID_POINTS award/fixed"}},
		{"negative points", per(-1, "1.00"), nil, []string{"INVALID_POINTS award/perAmount/points"}},
		{"for nothing", per(1, "0.00"), nil, []string{"INVALID_AMOUNT award/perAmount/every"}},
		{"for too little", per(1, "0.001"), nil, []string{"INVALID_AMOUNT award/perAmount/every/amount", "INVALID_AMOUNT award/perAmount/every"}},
		{"amount of a visit", per(1, "1.00"), on("VISIT"), []string{"INVALID_AWARD award/perAmount"}},
		{"multiplier of 1", loyaltytest.Multiplier("1.0"), nil, []string{"INVALID_AWARD award/multiplier"}},
		{"multiplier too fine", loyaltytest.Multiplier("1.0000001"), nil, []string{"INVALID_AWARD award/multiplier"}},
		{"multiplier too large", loyaltytest.Multiplier("1000.1"), nil, []string{"INVALID_AWARD award/multiplier"}},
	} {
		edits := []ruleEdit{}
		if test.edit != nil {
			edits = append(edits, test.edit)
		}
		_, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(test.award, edits...))
		refused(t, test.name, err, test.want...)
	}
	_, err := w.Service.PublishEarningRule(w.Admin, id.New[id.Rule](), nil, nil)
	refused(t, "publish none", err, "UNKNOWN_RULE ruleId")
	_, err = w.Service.ReviseEarningRule(w.Admin, id.New[id.Rule](), 1, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	refused(t, "revise none", err, "UNKNOWN_RULE ruleId")
	list, err := w.Service.EarningRules(w.Admin, nil, nil, nil)
	if err != nil || len(list.Nodes) != 0 {
		t.Errorf("rules in the end: %v %v", list, err)
	}
}

func TestRule_Versions(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	draft, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "as a draft", nil, points(w.Purchase(member, "1.00")))
	_, err = w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, pointer(2))
	refused(t, "another version", err, "EDIT_CONFLICT expectedVersion")
	w.Clock.Advance(time.Hour)
	if _, err := w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, pointer(1)); err != nil {
		t.Fatal(err)
	}
	_, err = w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, nil)
	refused(t, "twice", err, "NOT_A_DRAFT ruleId")

	// The first version serves what happened at any time, once it is published.
	ago := func(by time.Duration) purchaseEdit {
		return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = input.OccurredAt.Add(-by) }
	}
	equal(t, "long ago", []int64{1}, points(w.Purchase(member, "1.00", ago(100*24*time.Hour))))

	revise := func(basedOn int, fixed int64, edits ...ruleEdit) error {
		_, err := w.Service.ReviseEarningRule(w.Admin, draft.Rule, basedOn, loyaltytest.RuleInput(loyaltytest.Fixed(fixed), edits...))
		return err
	}
	if err := revise(1, 2); err != nil {
		t.Fatal(err)
	}
	refused(t, "revised meanwhile", revise(1, 3), "EDIT_CONFLICT basedOnVersion")
	refused(t, "wrong once more", revise(2, 0), "INVALID_POINTS rule/award/fixed")
	equal(t, "the second as a draft", []int64{1}, points(w.Purchase(member, "1.00")))
	w.Clock.Advance(time.Hour)
	if _, err := w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	equal(t, "from now on", []int64{2}, points(w.Purchase(member, "1.00")))
	equal(t, "before it serves", []int64{1}, points(w.Purchase(member, "1.00", ago(2*time.Minute))))

	// The third serves from tomorrow on, and the fourth from before that, but is the newer one.
	tomorrow := w.Now().AddDate(0, 0, 1)
	if err := revise(2, 3); err != nil {
		t.Fatal(err)
	}
	scheduled, err := w.Service.PublishEarningRule(w.Admin, draft.Rule, &tomorrow, nil)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "status", loyalty.RuleScheduled, scheduled.Status)
	equal(t, "today", []int64{2}, points(w.Purchase(member, "1.00")))
	w.Clock.Set(tomorrow)
	equal(t, "tomorrow", []int64{3}, points(w.Purchase(member, "1.00")))
	equal(t, "tomorrow, of today", []int64{2}, points(w.Purchase(member, "1.00", ago(time.Microsecond))))
	found, err := w.Service.EarningRule(w.Admin, draft.Rule)
	if err != nil {
		t.Fatal(err)
	}
	var statuses []loyalty.EarningRuleStatus
	for _, version := range found.Versions {
		statuses = append(statuses, version.Status)
	}
	equal(t, "statuses", []loyalty.EarningRuleStatus{loyalty.RuleEnded, loyalty.RuleEnded, loyalty.RuleActive}, statuses)

	// A version may serve another trigger; the rule leaves the old one then.
	w.Clock.Advance(time.Minute)
	if err := revise(3, 4, on("VISIT")); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.PublishEarningRule(w.Admin, draft.Rule, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Minute)
	equal(t, "no purchase any more", nil, points(w.Purchase(member, "1.00")))
	equal(t, "visits", []int64{4}, points(w.Activity(member, "VISIT")))
	equal(t, "a purchase from before", []int64{3}, points(w.Purchase(member, "1.00", ago(90*time.Second))))
	clean(t, w)
}

func TestRule_Schedule(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	from, to := w.Now().Add(time.Hour), w.Now().Add(2*time.Hour)
	w.Rule(loyaltytest.Fixed(5), func(input *loyalty.EarningRuleInput) { input.StartsAt, input.EndsAt = &from, &to })
	w.Clock.Set(to.Add(time.Hour))
	for _, test := range []struct {
		at   time.Time
		want []int64
	}{{from.Add(-time.Microsecond), nil}, {from, []int64{5}}, {to.Add(-time.Microsecond), []int64{5}}, {to, nil}} {
		recorded := w.Purchase(member, "1.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = test.at })
		equal(t, test.at.String(), test.want, points(recorded))
	}
	draft, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(5), func(input *loyalty.EarningRuleInput) { input.EndsAt = &to }))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Service.PublishEarningRule(w.Admin, draft.Rule, pointer(w.Now()), nil)
	refused(t, "serves after its end", err, "INVALID_SCHEDULE from")
	clean(t, w)
}

func TestRule_Together(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(loyaltytest.Multiplier("1.5"), priority(9))
	w.Rule(w.PerAmount(1, "1.00"), priority(3))
	w.Rule(loyaltytest.Multiplier("2"), priority(3), when(`"double" in activity.attributes`))
	w.Rule(loyaltytest.Fixed(7), priority(5), when(`purchase.lines.exists(line, line.sku == "TEA" && line.quantity >= 1.5)`))
	w.Rule(loyaltytest.Fixed(100), when(`activity.attributes["class"] == "A"`))
	w.Rule(w.PerAmount(1, "50.00"), when(`member.joinedAt <= now && now.getHours() < 24 && purchase.total >= 9.99`))
	w.Rule(loyaltytest.Fixed(1), on("VISIT"))
	w.Rule(loyaltytest.Multiplier("3"), on("VISIT"))
	member := w.Enroll()
	tea := func(input *loyalty.RecordPurchaseInput) {
		input.Lines = []loyalty.PurchaseLineInput{w.Line("TEA", "1.5", "9.99")}
		input.Attributes = []value.Attribute{{Name: "double", Value: "yes"}}
	}
	recorded := w.Purchase(member, "9.99", tea)
	equal(t, "points", []int64{8, 7, 9, 16}, points(recorded))
	equal(t, "reasons", []rules.Reason{
		rules.ByMultiplier, rules.ByFixed, rules.ByAmount, rules.ByMultiplier, rules.ConditionFailed, rules.BelowOneStep,
	}, reasons(recorded))
	if detail := recorded.Evaluation.Outcomes[4].Detail; detail == "" {
		t.Error("it is not said why the condition failed")
	}
	recorded = w.Purchase(member, "0.99")
	equal(t, "points of little", nil, points(recorded))
	equal(t, "reasons of little", []rules.Reason{
		rules.NothingToRaise, rules.ConditionFalse, rules.BelowOneStep, rules.ConditionFalse, rules.ConditionFailed, rules.ConditionFalse,
	}, reasons(recorded))
	equal(t, "reasons of nothing", rules.WorthNothing, reasons(w.Purchase(member, "0"))[0])
	equal(t, "a visit", []int64{1, 2}, points(w.Activity(member, "VISIT")))
	equal(t, "something else", nil, points(w.Activity(member, "REVIEW")))
	clean(t, w)
}

func TestRule_Qualifying(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Rule(loyaltytest.Fixed(50), func(input *loyalty.EarningRuleInput) { input.Qualifying = false })
	member := w.Enroll()
	sold := w.Purchase(member, "10.00")
	equal(t, "qualifying", 10, w.Standing(member).QualifyingPoints)
	w.Return(sold, byEuros("5.00"))
	equal(t, "after a return", 5, w.Standing(member).QualifyingPoints)
	clean(t, w)
}

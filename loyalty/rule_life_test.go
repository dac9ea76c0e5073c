package loyalty_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/rules"
)

// statuses are those of a rule's versions, the one that stands for it first.
func statuses(t *testing.T, w *loyaltytest.World, rule id.Rule) []loyalty.EarningRuleStatus {
	t.Helper()
	found, err := w.Service.EarningRule(w.Admin, rule)
	if err != nil || found == nil {
		t.Fatalf("the rule: %v %v", found, err)
	}
	made := []loyalty.EarningRuleStatus{found.Status}
	for _, version := range found.Versions {
		made = append(made, version.Status)
	}
	return made
}

func occurred(at time.Time) purchaseEdit {
	return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = at }
}

// What happened while a rule was paused earns nothing by it, told in time or late; what happened before does, told late.
func TestRule_Paused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	rule := w.Rule(loyaltytest.Fixed(5)).Rule
	w.Clock.Advance(time.Hour)
	before := w.Now()
	w.Clock.Advance(time.Hour)
	paused, err := w.Service.PauseEarningRule(w.Admin, rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "since", pointer(w.Now()), paused.PausedAt)
	equal(t, "status", loyalty.RulePaused, paused.Status)
	during := w.Now()
	recorded := w.Purchase(member, "1.00")
	equal(t, "at once", nil, points(recorded))
	equal(t, "why", []rules.Reason{rules.RulePaused}, reasons(recorded))
	w.Clock.Advance(time.Hour)
	equal(t, "before, told late", []int64{5}, points(w.Purchase(member, "1.00", occurred(before))))
	again, err := w.Service.PauseEarningRule(w.Admin, rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "paused twice, since", pointer(during), again.PausedAt)

	resumed, err := w.Service.ResumeEarningRule(w.Admin, rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "resumed", loyalty.RuleActive, resumed.Status)
	equal(t, "no more", nil, resumed.PausedAt)
	equal(t, "from now on", []int64{5}, points(w.Purchase(member, "1.00")))
	equal(t, "meanwhile, told late", nil, points(w.Purchase(member, "1.00", occurred(during))))
	if _, err := w.Service.ResumeEarningRule(w.Admin, rule); err != nil {
		t.Fatal(err)
	}
	// Paused and resumed within an instant is as if nothing had been.
	for range 2 {
		if _, err := w.Service.PauseEarningRule(w.Admin, rule); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Service.ResumeEarningRule(w.Admin, rule); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "for an instant", []int64{5}, points(w.Purchase(member, "1.00")))
	clean(t, w)
}

func TestRule_Ended(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	rule := w.Rule(loyaltytest.Fixed(5)).Rule
	if _, err := w.Service.ReviseEarningRule(w.Admin, rule, 1, loyaltytest.RuleInput(loyaltytest.Fixed(6))); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour)
	before := w.Now()
	w.Clock.Advance(time.Hour)
	ended, err := w.Service.EndEarningRule(w.Admin, rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "when", pointer(w.Now()), ended.EndedAt)
	equal(t, "the version that served", 1, ended.Number)
	equal(t, "status", loyalty.RuleEnded, ended.Status)
	recorded := w.Purchase(member, "1.00")
	equal(t, "at once", nil, points(recorded))
	equal(t, "why", []rules.Reason{rules.RuleEnded}, reasons(recorded))
	equal(t, "before, told late", []int64{5}, points(w.Purchase(member, "1.00", occurred(before))))

	w.Clock.Advance(time.Hour)
	again, err := w.Service.EndEarningRule(w.Admin, rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ended twice, when", ended.EndedAt, again.EndedAt)
	_, err = w.Service.ResumeEarningRule(w.Admin, rule)
	refused(t, "resumed", err, "RULE_ENDED ruleId")
	_, err = w.Service.PauseEarningRule(w.Admin, rule)
	refused(t, "paused", err, "RULE_ENDED ruleId")
	_, err = w.Service.PublishEarningRule(w.Admin, rule, nil, nil)
	refused(t, "published", err, "RULE_ENDED ruleId")
	_, err = w.Service.ReviseEarningRule(w.Admin, rule, 2, loyaltytest.RuleInput(loyaltytest.Fixed(7)))
	refused(t, "revised", err, "RULE_ENDED ruleId")
	equal(t, "statuses", []loyalty.EarningRuleStatus{loyalty.RuleEnded, loyalty.RuleEnded, loyalty.RuleEnded}, statuses(t, w, rule))
	clean(t, w)
}

// Complaint C4: a return takes back what the purchase earned, also when its rule is paused or over by then.
func TestRule_ReturnAfterPauseAndEnd(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	rule := w.Rule(w.PerAmount(1, "1.00")).Rule
	sold := w.Purchase(member, "10.00")
	w.Clock.Advance(time.Hour)
	if _, err := w.Service.PauseEarningRule(w.Admin, rule); err != nil {
		t.Fatal(err)
	}
	equal(t, "paused", []int64{-4}, points(w.Return(sold, byEuros("4.00"))))
	if _, err := w.Service.EndEarningRule(w.Admin, rule); err != nil {
		t.Fatal(err)
	}
	equal(t, "ended", []int64{-6}, points(w.Return(sold, byEuros("6.00"))))
	clean(t, w)
}

func TestRule_LifeOfDrafts(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	draft, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Service.PauseEarningRule(w.Admin, draft.Rule)
	refused(t, "pause", err, "NOT_PUBLISHED ruleId")
	_, err = w.Service.ResumeEarningRule(w.Admin, draft.Rule)
	refused(t, "resume", err, "NOT_PUBLISHED ruleId")
	given, err := w.Service.EndEarningRule(w.Admin, draft.Rule)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "given up", loyalty.RuleEnded, given.Status)
	for name, change := range map[string]func(context.Context, id.Rule) (*loyalty.EarningRule, error){
		"pause": w.Service.PauseEarningRule, "resume": w.Service.ResumeEarningRule, "end": w.Service.EndEarningRule,
	} {
		_, err := change(w.Admin, id.New[id.Rule]())
		refused(t, name, err, "UNKNOWN_RULE ruleId")
	}
}

// What the versions of a rule do over time: by the clock, by their successors, and paused or ended with the rule.
func TestRule_Statuses(t *testing.T) {
	t.Parallel()
	type status = loyalty.EarningRuleStatus
	const draft, scheduled, active, paused, ended = loyalty.RuleDraft, loyalty.RuleScheduled, loyalty.RuleActive, loyalty.RulePaused, loyalty.RuleEnded
	w := loyaltytest.New(t)
	start := w.Now()
	day := func(days int) *time.Time { return pointer(start.AddDate(0, 0, days)) }
	made, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1), func(input *loyalty.EarningRuleInput) {
		input.StartsAt, input.EndsAt = day(1), day(20)
	}))
	if err != nil {
		t.Fatal(err)
	}
	rule := made.Rule
	publish := func(from *time.Time) {
		t.Helper()
		if _, err := w.Service.PublishEarningRule(w.Admin, rule, from, nil); err != nil {
			t.Fatal(err)
		}
	}
	revise := func(basedOn int) {
		t.Helper()
		if _, err := w.Service.ReviseEarningRule(w.Admin, rule, basedOn, loyaltytest.RuleInput(loyaltytest.Fixed(1))); err != nil {
			t.Fatal(err)
		}
	}
	life := func(change func(context.Context, id.Rule) (*loyalty.EarningRule, error)) {
		t.Helper()
		if _, err := change(w.Admin, rule); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		what string
		day  int
		do   func()
		want []status
	}{
		{"drafted", 0, nil, []status{draft, draft}},
		{"published before it starts", 0, func() { publish(nil) }, []status{scheduled, scheduled}},
		{"paused before it starts", 0, func() { life(w.Service.PauseEarningRule) }, []status{paused, paused}},
		{"resumed before it starts", 0, func() { life(w.Service.ResumeEarningRule) }, []status{scheduled, scheduled}},
		{"started by the clock", 1, nil, []status{active, active}},
		{"a second drafted", 2, func() { revise(1) }, []status{active, active, draft}},
		{"paused", 2, func() { life(w.Service.PauseEarningRule) }, []status{paused, paused, draft}},
		{"the second published from the fifth day while paused", 2, func() { publish(day(5)) }, []status{paused, paused, paused}},
		{"resumed", 3, func() { life(w.Service.ResumeEarningRule) }, []status{active, active, scheduled}},
		{"the second serves", 5, nil, []status{active, ended, active}},
		{"a third from the ninth day", 6, func() { revise(2); publish(day(9)) }, []status{active, ended, active, scheduled}},
		{"a fourth from before that: the third never serves", 6, func() { revise(3); publish(day(8)) }, []status{active, ended, active, ended, scheduled}},
		{"the fourth serves", 8, nil, []status{active, ended, ended, ended, active}},
		{"a fifth from the past", 9, func() { revise(4); publish(day(7)) }, []status{active, ended, ended, ended, ended, active}},
		{"paused again", 10, func() { life(w.Service.PauseEarningRule) }, []status{paused, ended, ended, ended, ended, paused}},
		{"ended while paused", 11, func() { life(w.Service.EndEarningRule) }, []status{ended, ended, ended, ended, ended, ended}},
	} {
		w.Clock.Set(*day(step.day))
		if step.do != nil {
			step.do()
		}
		equal(t, step.what, step.want, statuses(t, w, rule))
		current, err := w.Service.EarningRule(w.Admin, rule)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range []status{draft, scheduled, active, paused, ended} {
			list, err := w.Service.EarningRules(w.Admin, []status{one}, nil, nil)
			newest := step.want[len(step.want)-1]
			if err != nil || (len(list.Nodes) == 1) != (one == current.Status || one == draft && newest == draft) {
				t.Errorf("%s: among the %s there are %d: %v", step.what, one, len(list.Nodes), err)
			}
		}
	}
	// By itself a schedule ends as well; that can be mended by a next version.
	short := w.Rule(loyaltytest.Fixed(1), func(input *loyalty.EarningRuleInput) { input.EndsAt = day(12) }).Rule
	w.Clock.Set(*day(12))
	equal(t, "ended by its schedule", []status{ended, ended}, statuses(t, w, short))
	if _, err := w.Service.ReviseEarningRule(w.Admin, short, 1, loyaltytest.RuleInput(loyaltytest.Fixed(2))); err != nil {
		t.Fatal(err)
	}
	equal(t, "to go on", []status{ended, ended, draft}, statuses(t, w, short))
}

// A version that serves from the past counts for what is recorded from now on; what was recorded keeps what it earned.
func TestRule_PublishedFromThePast(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	rule := w.Rule(loyaltytest.Fixed(1)).Rule
	w.Clock.Advance(48 * time.Hour)
	yesterday := w.Now().Add(-24 * time.Hour)
	equal(t, "by the first", []int64{1}, points(w.Purchase(member, "1.00", occurred(yesterday))))
	if _, err := w.Service.ReviseEarningRule(w.Admin, rule, 1, loyaltytest.RuleInput(loyaltytest.Fixed(2))); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.PublishEarningRule(w.Admin, rule, &yesterday, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "by the second, told now", []int64{2}, points(w.Purchase(member, "1.00", occurred(yesterday))))
	equal(t, "by the first, of before", []int64{1}, points(w.Purchase(member, "1.00", occurred(yesterday.Add(-time.Microsecond)))))
	equal(t, "balance", int64(4), w.Balance(member).Available)
	clean(t, w)
}

func TestRule_Duplicated(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	original := w.Rule(w.PerAmount(3, "2.00"), when(`purchase.total > 5`), priority(7), func(input *loyalty.EarningRuleInput) { input.EndsAt = pointer(w.Now().AddDate(1, 0, 0)) })
	if _, err := w.Service.EndEarningRule(w.Admin, original.Rule); err != nil {
		t.Fatal(err)
	}
	same, err := w.Service.DuplicateEarningRule(w.Admin, original.Rule, nil)
	if err != nil {
		t.Fatal(err)
	}
	want, got := original.Version, same.Version
	if got.Rule == want.Rule || got.Number != 1 || got.PublishedAt != nil || got.EffectiveFrom != nil || same.Status != loyalty.RuleDraft {
		t.Errorf("it is no draft of its own: %+v", got)
	}
	want.Rule, want.PublishedAt = got.Rule, nil
	ignored := cmpopts.IgnoreUnexported(rules.Version{})
	if difference := cmp.Diff(want, got, ignored); difference != "" {
		t.Error(difference)
	}
	named, err := w.Service.DuplicateEarningRule(w.Admin, original.Rule, pointer(" Better "))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "its name", "Better", named.Name)
	_, err = w.Service.DuplicateEarningRule(w.Admin, original.Rule, pointer(" "))
	refused(t, "without a name", err, "INVALID_NAME name")
	_, err = w.Service.DuplicateEarningRule(w.Admin, id.New[id.Rule](), nil)
	refused(t, "of none", err, "UNKNOWN_RULE ruleId")
}

// Of several who pause, resume or end at once nobody fails and nothing happens twice; another replica knows with the next fact.
func TestRule_LifeTogether(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	member := w.Enroll()
	rule := w.Rule(loyaltytest.Fixed(5)).Rule
	replica := loyalty.New(w.DB)
	earned := func() []int64 {
		t.Helper()
		recorded, err := replica.RecordPurchases(w.Admin, []loyalty.RecordPurchaseInput{w.PurchaseInput(member, "1.00")})
		if err != nil || len(recorded[0].UserErrors) > 0 {
			t.Fatalf("%v %v", recorded, err)
		}
		return points(recorded[0])
	}
	together := func(change func(context.Context, id.Rule) (*loyalty.EarningRule, error)) {
		t.Helper()
		failures := make(chan error)
		for range 4 {
			go func() {
				_, err := change(w.Admin, rule)
				failures <- err
			}()
		}
		for range 4 {
			if err := <-failures; err != nil {
				t.Error(err)
			}
		}
	}
	equal(t, "before", []int64{5}, earned())
	together(w.Service.PauseEarningRule)
	equal(t, "paused", nil, earned())
	together(w.Service.ResumeEarningRule)
	equal(t, "resumed", []int64{5}, earned())
	together(w.Service.EndEarningRule)
	equal(t, "ended", nil, earned())
	entries, err := audit.NewLog(w.DB).Entries(w.Admin, nil, nil, pointer(rule.String()))
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, one := range entries.Nodes {
		actions = append(actions, one.Action)
	}
	equal(t, "changes", []string{"endEarningRule", "resumeEarningRule", "pauseEarningRule", "publishEarningRule", "createEarningRule"}, actions)
	clean(t, w)
}

// Who did what to a rule can be read, with before and after; what changed nothing is not there.
func TestRule_LifeRecorded(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rule := w.Rule(loyaltytest.Fixed(5)).Rule
	for _, change := range []func(context.Context, id.Rule) (*loyalty.EarningRule, error){
		w.Service.ResumeEarningRule, w.Service.PauseEarningRule, w.Service.PauseEarningRule, w.Service.ResumeEarningRule,
		w.Service.EndEarningRule, w.Service.EndEarningRule,
	} {
		if _, err := change(w.Admin, rule); err != nil {
			t.Fatal(err)
		}
	}
	entries, err := audit.NewLog(w.DB).Entries(w.Admin, nil, nil, pointer(rule.String()))
	if err != nil {
		t.Fatal(err)
	}
	at, err := w.Now().UTC().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const neither = `{"endedAt": null, "pausedAt": null}`
	paused, ended := `{"endedAt": null, "pausedAt": `+string(at)+`}`, `{"endedAt": `+string(at)+`, "pausedAt": null}`
	want := [][3]string{{"endEarningRule", neither, ended}, {"resumeEarningRule", paused, neither}, {"pauseEarningRule", neither, paused}}
	var got [][3]string
	for _, one := range entries.Nodes[:3] {
		got = append(got, [3]string{one.Action, *one.Before, *one.After})
	}
	equal(t, "changes", want, got)
	equal(t, "the next", "publishEarningRule", entries.Nodes[3].Action)
}

// The database itself refuses to change what was published, to take back an end and to forget a pause.
func TestRule_NeverChanges(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	rule := w.Rule(loyaltytest.Fixed(5)).Rule
	if _, err := w.Service.ReviseEarningRule(w.Admin, rule, 1, loyaltytest.RuleInput(loyaltytest.Fixed(6))); err != nil {
		t.Fatal(err)
	}
	for _, change := range []func(context.Context, id.Rule) (*loyalty.EarningRule, error){
		w.Service.PauseEarningRule, w.Service.ResumeEarningRule, w.Service.EndEarningRule,
	} {
		if _, err := change(w.Admin, rule); err != nil {
			t.Fatal(err)
		}
	}
	run := func(statement string) error {
		return w.DB.InTx(t.Context(), func(tx *postgres.Tx) error {
			_, err := tx.Exec(t.Context(), statement)
			return err
		})
	}
	for _, statement := range []string{
		`update rule_versions set name = 'another' where version = 1`,
		`update rule_versions set published_at = null, effective_from = null where version = 1`,
		`update rule_versions set effective_from = published_at where version = 1`,
		`delete from rule_versions where version = 1`,
		`delete from rule_versions where version = 2`,
		`truncate rule_versions`,
		`update rules set ended_at = null`,
		`update rules set ended_at = ended_at + interval '1 day'`,
		`delete from rules`,
		`truncate rules cascade`,
		`update rule_pauses set resumed_at = null`,
		`delete from rule_pauses`,
		`truncate rule_pauses`,
	} {
		if err := run(statement); err == nil {
			t.Errorf("done: %s", statement)
		}
	}
	if err := run(`update rule_versions set name = 'another' where version = 2`); err != nil {
		t.Errorf("a draft may change: %v", err)
	}
}

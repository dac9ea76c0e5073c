package loyalty_test

import (
	"errors"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/lots"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

var tenYears = value.Period{Years: 10}

// change updates the program.
func change(t *testing.T, w *loyaltytest.World, edit loyalty.ProgramEdit) *loyalty.Program {
	t.Helper()
	changed, err := w.Service.UpdateProgram(w.Admin, edit)
	if err != nil {
		t.Fatal(err)
	}
	return changed
}

func expiry(t *testing.T, w *loyaltytest.World, policy loyalty.ExpiryPolicy) {
	t.Helper()
	w.Clock.Advance(time.Second)
	change(t, w, loyalty.ProgramEdit{Expiry: &policy})
	w.Clock.Advance(time.Second)
}

type changeRow struct {
	Action string  `db:"action"`
	Object string  `db:"object"`
	Before *string `db:"before"`
	After  *string `db:"after"`
}

// changes are what the audit has of an action.
func changes(t *testing.T, w *loyaltytest.World, action string) []changeRow {
	t.Helper()
	var rows []changeRow
	if err := w.DB.Select(w.Admin, &rows, `select action, object, before::text, after::text from changes where action = $1 order by id`, action); err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestUpdateProgram(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	before, err := w.Service.Program(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "a new program", loyalty.Program{
		Program:      program.Program{Name: "Regulars", Currency: "EUR", TimeZone: "UTC", DefaultLocale: "en", Revision: before.Revision, Care: before.Care},
		ReturnPolicy: lots.MayGoNegative, Expiry: loyalty.ExpiryPolicy{Mode: lots.Never}, TierPolicy: rollingYear, LadderVersion: 1, AdjustmentCaps: []loyalty.AdjustmentCap{},
	}, *before)

	cost := w.Money("0.02")
	month := lots.Month
	edit := loyalty.ProgramEdit{
		Name: pointer(" Bean Club "), DefaultLocale: pointer("de-de"), CostPerPoint: &cost, ReturnPolicy: pointer(lots.WithinBalance),
		Expiry:         &loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &tenYears, RoundUpTo: &month},
		AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Admin, PointsPerDay: 1000}, {Role: actor.Support, PointsPerDay: 0}},
	}
	changed := change(t, w, edit)
	want := loyalty.Program{
		Program:      program.Program{Name: "Bean Club", Currency: "EUR", TimeZone: "UTC", DefaultLocale: "de-DE", CostMinor: pointer(int64(2)), Revision: before.Revision + 1, Care: before.Care},
		ReturnPolicy: lots.WithinBalance, Expiry: *edit.Expiry, TierPolicy: rollingYear, LadderVersion: 1,
		AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Support, PointsPerDay: 0}, {Role: actor.Admin, PointsPerDay: 1000}},
	}
	equal(t, "what was answered", want, *changed)
	read, err := w.Service.Program(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "what is read", want, *read)

	// The same again, and nothing at all, change nothing.
	change(t, w, edit)
	change(t, w, loyalty.ProgramEdit{})
	change(t, w, loyalty.ProgramEdit{ForgetCost: true, AdjustmentCaps: []loyalty.AdjustmentCap{}})
	equal(t, "audit", []changeRow{
		{"updateProgram", "program",
			pointer(`{"name": "Regulars", "expiry": {"mode": "NEVER"}, "costPerPoint": null, "returnPolicy": "MAY_GO_NEGATIVE", "defaultLocale": "en", "adjustmentCaps": []}`),
			pointer(`{"name": "Bean Club", "expiry": {"mode": "AFTER_EARNING", "after": "P10Y", "roundUpTo": "MONTH"}, "costPerPoint": 2, "returnPolicy": "WITHIN_BALANCE", "defaultLocale": "de-DE", "adjustmentCaps": [{"role": "SUPPORT", "pointsPerDay": 0}, {"role": "ADMIN", "pointsPerDay": 1000}]}`)},
		{"updateProgram", "program",
			pointer(`{"costPerPoint": 2, "adjustmentCaps": [{"role": "SUPPORT", "pointsPerDay": 0}, {"role": "ADMIN", "pointsPerDay": 1000}]}`),
			pointer(`{"costPerPoint": null, "adjustmentCaps": []}`)},
	}, changes(t, w, "updateProgram"))
	var versions int
	if err := w.DB.Get(w.Admin, &versions, `select count(*) from policies`); err != nil {
		t.Fatal(err)
	}
	equal(t, "versions of the policies", 1, versions)
}

func TestUpdateProgram_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	policy := func(mode lots.ExpiryMode, edits ...func(*loyalty.ExpiryPolicy)) loyalty.ProgramEdit {
		made := loyalty.ExpiryPolicy{Mode: mode}
		for _, edit := range edits {
			edit(&made)
		}
		return loyalty.ProgramEdit{Expiry: &made}
	}
	after := func(period value.Period) func(*loyalty.ExpiryPolicy) {
		return func(p *loyalty.ExpiryPolicy) { p.After = &period }
	}
	rounded := func(p *loyalty.ExpiryPolicy) { p.RoundUpTo = pointer(lots.Year) }
	on := func(year int) func(*loyalty.ExpiryPolicy) {
		return func(p *loyalty.ExpiryPolicy) { p.On = &value.Date{Year: year, Month: time.February, Day: 29} }
	}
	year := after(value.Period{Years: 1})
	for _, test := range []struct {
		name string
		edit loyalty.ProgramEdit
		want []string
	}{
		{"no name", loyalty.ProgramEdit{Name: pointer(" ")}, []string{"INVALID_NAME name"}},
		{"no locale", loyalty.ProgramEdit{DefaultLocale: pointer("German")}, []string{"INVALID_LOCALE defaultLocale"}},
		{"another currency", loyalty.ProgramEdit{CostPerPoint: &value.MoneyInput{Amount: "1", Currency: "USD"}}, []string{"CURRENCY_MISMATCH costPerPoint/currency"}},
		{"digits", loyalty.ProgramEdit{CostPerPoint: pointer(w.Money("0.001"))}, []string{"INVALID_AMOUNT costPerPoint/amount"}},
		{"less than nothing", loyalty.ProgramEdit{CostPerPoint: pointer(w.Money("-0.01"))}, []string{"INVALID_AMOUNT costPerPoint/amount"}},

		{"NEVER after a time", policy(lots.Never, year), []string{"INVALID_POLICY expiry/after"}},
		{"NEVER rounded", policy(lots.Never, rounded), []string{"INVALID_POLICY expiry/roundUpTo"}},
		{"NEVER on a day", policy(lots.Never, on(2028)), []string{"INVALID_POLICY expiry/on"}},
		{"AFTER_EARNING without a time", policy(lots.AfterEarning), []string{"INVALID_POLICY expiry/after"}},
		{"AFTER_EARNING at once", policy(lots.AfterEarning, after(value.Period{})), []string{"INVALID_POLICY expiry/after"}},
		{"AFTER_EARNING too late", policy(lots.AfterEarning, after(value.Period{Years: 100, Days: 1})), []string{"INVALID_POLICY expiry/after"}},
		{"AFTER_EARNING on a day", policy(lots.AfterEarning, year, on(2028)), []string{"INVALID_POLICY expiry/on"}},
		{"AFTER_ACTIVATION without a time", policy(lots.AfterActivation), []string{"INVALID_POLICY expiry/after"}},
		{"INACTIVITY without a time", policy(lots.Inactivity), []string{"INVALID_POLICY expiry/after"}},
		{"INACTIVITY rounded", policy(lots.Inactivity, year, rounded), []string{"INVALID_POLICY expiry/roundUpTo"}},
		{"ON_DATE without a day", policy(lots.OnDate), []string{"INVALID_POLICY expiry/on"}},
		{"ON_DATE after a time", policy(lots.OnDate, on(2028), year), []string{"INVALID_POLICY expiry/after"}},
		{"ON_DATE too late", policy(lots.OnDate, on(2126)), []string{"INVALID_POLICY expiry/on"}},

		{"a cap of others", loyalty.ProgramEdit{AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Support}, {Role: actor.Marketer}}}, []string{"INVALID_POLICY adjustmentCaps/1/role"}},
		{"two caps", loyalty.ProgramEdit{AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Support}, {Role: actor.Support}}}, []string{"INVALID_POLICY adjustmentCaps/1/role"}},
		{"a cap below nothing", loyalty.ProgramEdit{AdjustmentCaps: []loyalty.AdjustmentCap{{Role: actor.Support, PointsPerDay: -1}}}, []string{"INVALID_POINTS adjustmentCaps/0/pointsPerDay"}},
		{"all at once", loyalty.ProgramEdit{Name: pointer(""), Expiry: &loyalty.ExpiryPolicy{Mode: lots.OnDate}}, []string{"INVALID_NAME name", "INVALID_POLICY expiry/on"}},
	} {
		_, err := w.Service.UpdateProgram(w.Admin, test.edit)
		refused(t, test.name, err, test.want...)
	}
	for _, edit := range []loyalty.ProgramEdit{
		policy(lots.AfterEarning, year, rounded), policy(lots.AfterActivation, after(value.Period{Clock: time.Second}), rounded),
		policy(lots.Inactivity, after(value.Period{Years: 100})), policy(lots.OnDate, on(2020)), policy(lots.Never),
	} {
		change(t, w, edit)
	}
	for _, role := range []actor.Role{actor.Member, actor.Organizer, actor.Marketer, actor.Support} {
		if _, err := w.Service.UpdateProgram(w.As(role, "x"), loyalty.ProgramEdit{}); !errors.Is(err, problem.Forbidden) {
			t.Errorf("%s: %v", role, err)
		}
	}
}

// A new policy takes nothing that was given before it: what a lot was told, it keeps.
func TestUpdateProgram_EarlierPointsKeepTheirExpiry(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	w.Purchase(member, "1.00")
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.AfterEarning, After: &value.Period{Days: 30}})
	first := w.Now()
	w.Purchase(member, "2.00")
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.OnDate, On: &value.Date{Year: 2020, Month: time.June, Day: 30}})
	w.Purchase(member, "4.00")
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Never})
	w.Purchase(member, "8.00")
	equal(t, "expirations", []loyalty.PointsExpiration{
		{Points: 2, At: first.AddDate(0, 0, 30)}, {Points: 4, At: time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)},
	}, expirations(t, w, member))
	w.Clock.Advance(3 * 365 * 24 * time.Hour)
	equal(t, "in the end", 9, w.Balance(member).Available)
	w.Purchase(member, "1.00")
	clean(t, w)
}

// What a rule says of its points' expiry goes before the program's policy, and is counted from when they can be spent.
func TestUpdateProgram_RulesGoFirst(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.AfterActivation, After: &value.Period{Days: 100}})
	pending, lives := value.Period{Days: 10}, value.Period{Days: 5}
	w.Rule(loyaltytest.Fixed(1), pendingFor(pending), livesFor(lives))
	w.Rule(loyaltytest.Fixed(2), pendingFor(pending))
	w.Rule(loyaltytest.Fixed(4), livesFor(lives))
	member := w.Enroll()
	bought := w.Now()
	w.Purchase(member, "1.00")
	equal(t, "expirations", []loyalty.PointsExpiration{
		{Points: 4, At: bought.AddDate(0, 0, 5)}, {Points: 1, At: bought.AddDate(0, 0, 15)}, {Points: 2, At: bought.AddDate(0, 0, 110)},
	}, expirations(t, w, member))
	equal(t, "balance", lots.Balance{Available: 4, Pending: 3}, w.Balance(member).Balance)
	clean(t, w)
}

// INACTIVITY counts from its own beginning at the earliest, starts anew with what the member does, and ends with the policy.
func TestUpdateProgram_Inactivity(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member, quiet := w.Enroll(), w.Enroll()
	w.Purchase(member, "5.00")
	w.Purchase(quiet, "7.00")
	w.Clock.Advance(1000 * 24 * time.Hour)
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Inactivity, After: &value.Period{Days: 30}})
	since := w.Now().Add(-time.Second)
	equal(t, "nothing at once", 5, w.Balance(member).Available)
	w.Clock.Set(since.AddDate(0, 0, 20))
	w.Purchase(member, "1.00")
	heard := w.Now()
	w.Clock.Set(since.AddDate(0, 0, 30).Add(-time.Microsecond))
	equal(t, "just before", 7, w.Balance(quiet).Available)
	w.Clock.Advance(time.Microsecond)
	equal(t, "idle since the policy began", 0, w.Balance(quiet).Available)
	equal(t, "not idle", 6, w.Balance(member).Available)
	w.Clock.Set(heard.AddDate(0, 0, 29))
	expiry(t, w, loyalty.ExpiryPolicy{Mode: lots.Never})
	w.Clock.Advance(1000 * 24 * time.Hour)
	equal(t, "the policy ended before it struck", 6, w.Balance(member).Available)
	equal(t, "what it took stays taken", 0, w.Balance(quiet).Available)
	w.Purchase(quiet, "3.00")
	w.Purchase(member, "3.00")
	clean(t, w)
}

func TestRule_Maturing_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	long := value.Period{Years: 101}
	for _, test := range []struct {
		name string
		edit func(*loyalty.EarningRuleInput)
		want []string
	}{
		{"pending for nothing", pendingFor(value.Period{}), []string{"INVALID_DURATION pending/for"}},
		{"pending for too long", pendingFor(long), []string{"INVALID_DURATION pending/for"}},
		{"living for nothing", livesFor(value.Period{}), []string{"INVALID_DURATION expiresAfter"}},
		{"living for too long", livesFor(long), []string{"INVALID_DURATION expiresAfter"}},
	} {
		_, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1), test.edit))
		refused(t, test.name, err, test.want...)
	}
	made, err := w.Service.CreateEarningRule(w.Admin, loyaltytest.RuleInput(loyaltytest.Fixed(1), func(input *loyalty.EarningRuleInput) {
		input.Pending = &loyalty.PendingInput{UntilConfirmed: pointer(false)}
	}))
	if err != nil || made.Pending() != nil {
		t.Error(made, err)
	}
}

// rollingYear is the policy of tiers of a new program.
var rollingYear = loyalty.TierPolicy{
	Period: tiers.Rolling, Months: pointer(12), Validity: value.Months(12), Start: tiers.AtOnce, Downgrade: tiers.Requalify,
}

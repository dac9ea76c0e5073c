package loyalty_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// policy sets how tiers count and last. The clock moves on as with World.Rule.
func policy(t *testing.T, w *loyaltytest.World, input loyalty.TierPolicyInput) {
	t.Helper()
	w.Clock.Advance(time.Second)
	change(t, w, loyalty.ProgramEdit{TierPolicy: &input})
	w.Clock.Advance(time.Second)
}

func TestUpdateProgram_TierPolicy(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	grace, year := value.Period{Days: 30}, value.Months(24)
	changed := change(t, w, loyalty.ProgramEdit{TierPolicy: &loyalty.TierPolicyInput{
		Period: tiers.CalendarYear, Validity: &year, Start: pointer(tiers.NextPeriod), Downgrade: pointer(tiers.OneStep), Grace: &grace,
	}})
	want := loyalty.TierPolicy{Period: tiers.CalendarYear, Validity: year, Start: tiers.NextPeriod, Downgrade: tiers.OneStep, Grace: &grace}
	equal(t, "answered", want, changed.TierPolicy)
	equal(t, "said", pointer(`{"tierPolicy": {"grace": "P30D", "start": "NEXT_PERIOD", "period": "CALENDAR_YEAR", "validity": "P24M", "downgrade": "ONE_STEP"}}`),
		changes(t, w, "updateProgram")[0].After)
	changed = change(t, w, loyalty.ProgramEdit{TierPolicy: &loyalty.TierPolicyInput{Period: tiers.Rolling}})
	equal(t, "what is left out", rollingYear, changed.TierPolicy)
	read, err := w.Service.Program(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "read", rollingYear, read.TierPolicy)

	for _, test := range []struct {
		name  string
		input loyalty.TierPolicyInput
		want  []string
	}{
		{"no months", loyalty.TierPolicyInput{Period: tiers.Rolling, Months: pointer(0)}, []string{"INVALID_POLICY tierPolicy/months"}},
		{"too many months", loyalty.TierPolicyInput{Period: tiers.Rolling, Months: pointer(121)}, []string{"INVALID_POLICY tierPolicy/months"}},
		{"months of a year", loyalty.TierPolicyInput{Period: tiers.CalendarYear, Months: pointer(12)}, []string{"INVALID_POLICY tierPolicy/months"}},
		{"valid for nothing", loyalty.TierPolicyInput{Period: tiers.Lifetime, Validity: &value.Period{}}, []string{
			"INVALID_POLICY tierPolicy/validity"}},
		{"valid for less than a month", loyalty.TierPolicyInput{Period: tiers.Rolling, Validity: &value.Period{Days: 27}}, []string{"INVALID_POLICY tierPolicy/validity"}},
		{"valid for too long", loyalty.TierPolicyInput{Period: tiers.Lifetime, Validity: &value.Period{Years: 101}}, []string{"INVALID_POLICY tierPolicy/validity"}},
		{"more grace than validity", loyalty.TierPolicyInput{Period: tiers.Rolling, Validity: &grace, Grace: &year}, []string{"INVALID_POLICY tierPolicy/grace"}},
	} {
		_, err := w.Service.UpdateProgram(w.Admin, loyalty.ProgramEdit{TierPolicy: &test.input})
		refused(t, test.name, err, test.want...)
	}
}

// C5: the wrong tier for years, since nobody knew whether one purchase or their sum counted, and a threshold of 0 was skipped. The sum of
// a period counts, to the point and to the instant, in every period.
func TestStanding_C5_TheSumOfThePeriod(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		period tiers.Period
		// When a member who joined on 29 February 2024 buys for 60 and for 40; until when both count, in Berlin.
		first, second, until string
	}{
		{tiers.Rolling, "2025-03-29T12:00:00Z", "2025-09-01T10:00:00Z", "2026-03-29T11:00:00Z"},
		{tiers.CalendarYear, "2024-12-31T23:00:00Z", "2025-12-31T22:59:59Z", "2025-12-31T23:00:00Z"},
		{tiers.MembershipYear, "2025-02-27T23:00:00Z", "2026-02-27T22:59:59Z", "2026-02-27T23:00:00Z"},
		{tiers.Lifetime, "2024-03-29T12:00:00Z", "2031-03-29T12:00:00Z", ""},
	} {
		t.Run(string(test.period), func(t *testing.T) {
			t.Parallel()
			w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
			w.Clock.Set(instant(t, "2024-02-29T12:00:00Z"))
			w.Rule(w.PerAmount(1, "1.00"))
			w.Tier("Silver", 1, 100)
			policy(t, w, loyalty.TierPolicyInput{Period: test.period})
			member := w.Enroll()
			w.Clock.Set(instant(t, test.first))
			w.Purchase(member, "60.00")
			equal(t, "one purchase", "Member", w.Standing(member).Tier.Name)
			w.Clock.Set(instant(t, test.second))
			w.Purchase(member, "39.00")
			equal(t, "one short", int64(1), w.Standing(member).Next.Missing)
			w.Purchase(member, "1.00")
			equal(t, "the sum", "Silver", w.Standing(member).Tier.Name)
			equal(t, "points", int64(100), w.Standing(member).QualifyingPoints)
			if test.until != "" {
				w.Clock.Set(instant(t, test.until).Add(-time.Microsecond))
				equal(t, "to the last instant", int64(100), w.Standing(member).QualifyingPoints)
				w.Clock.Advance(time.Microsecond)
				if left := w.Standing(member).QualifyingPoints; left >= 100 {
					t.Errorf("%d points count after the period", left)
				}
				w.Purchase(member, "1.00")
			}
			clean(t, w)
		})
	}
}

func instant(t *testing.T, text string) time.Time {
	t.Helper()
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// C5b: a member is surprised that the whole order earns at the new tier's rate. A purchase is judged by the tier that was held
// before it; what reaches a tier does not earn by it.
func TestStanding_C5b_TheOrderThatReachesATier(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	w.Rule(loyaltytest.Multiplier("2"), func(input *loyalty.EarningRuleInput) { input.Condition = pointer(`member.tier == "Silver"`) })
	member := w.Enroll()
	equal(t, "the order that reaches it", []int64{150}, points(w.Purchase(member, "150.00")))
	equal(t, "Silver", "Silver", w.Standing(member).Tier.Name)
	w.Clock.Advance(time.Hour)
	equal(t, "the one after", []int64{10, 10}, points(w.Purchase(member, "10.00")))
	clean(t, w)
}

// C17: the tier follows the balance. Here it follows what was earned: neither spending nor expiry nor gifts move it.
func TestStanding_C17_ByWhatWasEarned(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"), livesFor(value.Period{Days: 10}))
	w.Tier("Silver", 1, 100)
	member, gifted := w.Enroll(), w.Enroll()
	w.Purchase(member, "100.00")
	w.Adjust(member, -100)
	equal(t, "spent", "Silver", w.Standing(member).Tier.Name)
	w.Purchase(member, "50.00")
	w.Clock.Advance(20 * 24 * time.Hour)
	equal(t, "expired", stands{Tier: "Silver", Since: w.Standing(member).Since, ValidUntil: w.Standing(member).ValidUntil, Qualifying: 150, Next: -1, Keep: 100}, standing(w, member))
	w.Adjust(gifted, 1000)
	equal(t, "gifted", "Member", w.Standing(gifted).Tier.Name)
	clean(t, w)
}

// A new policy counts anew at once, moves nobody by itself, and leaves what was answered before.
func TestUpdateProgram_TierPolicyChanges(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member, other := w.Enroll(), w.Enroll()
	w.Purchase(member, "90.00")
	w.Purchase(other, "100.00")
	w.Clock.Advance(300 * 24 * time.Hour)
	w.Purchase(member, "20.00")
	w.Clock.Advance(100 * 24 * time.Hour)
	w.Adjust(member, 1)
	at := w.Now()
	before := map[*loyalty.Member]*loyalty.TierStanding{}
	for _, one := range []*loyalty.Member{member, other} {
		before[one] = w.Standing(one)
	}
	equal(t, "rolling", int64(20), before[member].QualifyingPoints)
	policy(t, w, loyalty.TierPolicyInput{Period: tiers.Lifetime, Downgrade: pointer(tiers.NeverDown)})
	equal(t, "all that there was", int64(110), w.Standing(member).QualifyingPoints)
	equal(t, "moves nobody", "Silver", w.Standing(member).Tier.Name)
	w.Clock.Advance(time.Hour)
	w.Purchase(member, "1.00")
	equal(t, "with the next fact", int64(111), w.Standing(member).QualifyingPoints)
	if standing := w.Standing(member); standing.ValidUntil != nil || standing.Keep != nil {
		t.Errorf("nobody falls, and yet: %+v", standing)
	}
	w.Clock.Advance(1000 * 24 * time.Hour)
	w.Purchase(member, "1.00")
	equal(t, "kept", "Silver", w.Standing(member).Tier.Name)
	for one, want := range before {
		found, err := w.Service.Standings(w.Admin, ids(one), &at)
		if err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(want, found[one.ID]); difference != "" {
			t.Error(difference)
		}
	}
	clean(t, w)
}

// What is reached is shown as coming, and begins when its period does.
func TestStanding_NextPeriod(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	policy(t, w, loyalty.TierPolicyInput{Period: tiers.CalendarYear, Start: pointer(tiers.NextPeriod)})
	member := w.Enroll()
	w.Clock.Set(time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC))
	sold := w.Purchase(member, "150.00")
	begins := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	found := w.Standing(member)
	if found.Tier.Name != "Member" || found.Coming == nil || found.Coming.Tier.Name != "Silver" || !found.Coming.At.Equal(begins) {
		t.Fatalf("stands at %+v", found)
	}
	equal(t, "next is above what comes", "Gold", found.Next.Tier.Name)
	if !found.Next.By.Equal(begins) {
		t.Errorf("by %s", found.Next.By)
	}
	w.Return(sold)
	w.Clock.Set(begins.Add(-time.Microsecond))
	equal(t, "not before", "Member", w.Standing(member).Tier.Name)
	w.Clock.Set(begins)
	found = w.Standing(member)
	if found.Tier.Name != "Silver" || found.Coming != nil || !found.Since.Equal(begins) || !found.ValidUntil.Equal(begins.AddDate(1, 0, 0)) {
		t.Errorf("stands at %+v", found)
	}
	equal(t, "the job", 1, recalculate(t, w, 10))
	equal(t, "posted", found, w.Standing(member))
	w.Clock.Set(begins.AddDate(1, 0, 0))
	equal(t, "reviewed", "Member", w.Standing(member).Tier.Name)
	w.Purchase(member, "1.00")
	clean(t, w)
}

// Through the grace the tier is kept, and can be reached.
func TestStanding_Grace(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ bought, want string }{
		"reached within it": {"80.00", "Silver"}, "not reached": {"79.00", "Member"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ladder(t)
			policy(t, w, loyalty.TierPolicyInput{Period: tiers.Rolling, Grace: &value.Period{Days: 30}})
			member := w.Enroll()
			w.Purchase(member, "100.00")
			w.Clock.Advance(200 * 24 * time.Hour)
			w.Purchase(member, "20.00")
			ends := *w.Standing(member).ValidUntil
			w.Clock.Set(ends.AddDate(0, 0, 29))
			found := w.Standing(member)
			if found.Tier.Name != "Silver" || !found.ValidUntil.Equal(ends) || !found.GraceUntil.Equal(ends.AddDate(0, 0, 30)) ||
				found.Keep.Missing != 80 || !found.Keep.By.Equal(ends.AddDate(0, 0, 30)) {
				t.Fatalf("stands at %+v", found)
			}
			w.Purchase(member, test.bought)
			w.Clock.Set(ends.AddDate(0, 0, 30).Add(-time.Microsecond))
			equal(t, "to the last instant", "Silver", w.Standing(member).Tier.Name)
			w.Clock.Advance(time.Microsecond)
			equal(t, "then", test.want, w.Standing(member).Tier.Name)
			w.Purchase(member, "0.50")
			equal(t, "posted", test.want, w.Standing(member).Tier.Name)
			clean(t, w)
		})
	}
}

// Benefits are kept as they were said.
func TestCreateTier_Benefits(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	early := value.Period{Days: 2}
	made, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{
		Name: "Gold", Rank: 1, Threshold: 100, Multiplier: pointer(value.Decimal("1.25")), EarlyBooking: &early, Benefits: []string{"Tea"},
	})
	if err != nil {
		t.Fatal(err)
	}
	found, err := w.Service.Tier(w.Admin, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kept", *made, *found)
	equal(t, "multiplier", int64(1_250_000), *found.Multiplier)
	for _, multiplier := range []value.Decimal{"0.999999", "0.5", "1000.000001", "1.0000001", "-2"} {
		_, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{Name: "X", Rank: 2, Threshold: 200, Multiplier: &multiplier})
		refused(t, fmt.Sprintf("times %s", multiplier), err, "INVALID_TIERS multiplier")
	}
	// A tier keeps what an edit of the ladder leaves out, and loses what that clears.
	for _, step := range []struct {
		edit       loyalty.TierInput
		multiplier *int64
		early      *value.Period
		benefits   []string
	}{
		{loyalty.TierInput{}, made.Multiplier, &early, []string{"Tea"}},
		{loyalty.TierInput{Multiplier: pointer(value.Decimal("1"))}, nil, &early, []string{"Tea"}},
		{loyalty.TierInput{EarlyBooking: &value.Period{}, Benefits: []string{}}, nil, nil, []string{}},
	} {
		step.edit.ID, step.edit.Name, step.edit.Rank, step.edit.Threshold = &made.ID, "Golden", 1, 100
		changed, err := w.Service.ApplyTierChange(w.Admin, loyalty.ApplyTierChangeInput{
			Mode: tiers.Now, Tiers: []loyalty.TierInput{{Name: "Member"}, step.edit},
		})
		if err != nil {
			t.Fatal(err)
		}
		got := changed.Tiers[1]
		equal(t, "multiplier", step.multiplier, got.Multiplier)
		equal(t, "early booking", step.early, got.EarlyBooking)
		equal(t, "benefits", step.benefits, append([]string{}, got.Benefits...))
	}
	settings, err := w.Service.Program(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	old := settings.LadderVersion - 1
	_, err = w.Service.ApplyTierChange(w.Admin, loyalty.ApplyTierChangeInput{Mode: tiers.Now, Tiers: []loyalty.TierInput{{Name: "Member"}}, ExpectedVersion: &old})
	refused(t, "somebody was faster", err, "EDIT_CONFLICT expectedVersion")
	_, err = w.Service.PreviewTierChange(w.Admin, loyalty.TierChangeInput{Mode: tiers.Now, Tiers: []loyalty.TierInput{{Name: "Member"}}, ExpectedVersion: &old})
	refused(t, "somebody was faster", err, "EDIT_CONFLICT expectedVersion")
}

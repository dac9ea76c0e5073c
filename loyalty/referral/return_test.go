package referral_test

import (
	"testing"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/ledger"
)

// C1: buy, be rewarded, bring it back, keep the points: that does not work within the window of returns.
func TestReturn_C1_BuyReturnKeep(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	bob := s.invited(ada)
	bought := s.Purchase(bob, "15.00")
	equal(t, "bought", "REWARDED", s.statuses(ada))
	s.Clock.Advance(time.Hour)
	part := func(amount string) func(*loyalty.RecordReturnInput) {
		return func(input *loyalty.RecordReturnInput) { input.Amount = pointer(s.Money(amount)) }
	}
	s.Return(bought, part("5.00"))
	equal(t, "enough is left", "REWARDED", s.statuses(ada))
	s.Clock.Advance(14*24*time.Hour - time.Hour - time.Second)
	s.Return(bought, part("0.01"))
	equal(t, "too little is left", "JOINED", s.statuses(ada))
	s.owns("points", []int64{0, 0}, ada, bob)
	equal(t, "summary", int64(0), s.summary(ada).PointsEarned)
	// There may be another purchase within the time, and only within.
	s.Purchase(bob, "10.00")
	equal(t, "bought again", "REWARDED", s.statuses(ada))
	s.owns("points", []int64{50, 20}, ada, bob)
	one := s.of(ada)[0]
	equal(t, "taken back", 1, one.TakenBack)
	s.clean()
}

// What comes back after the window takes nothing back, however early or late it is told.
func TestReturn_AfterTheWindow(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.PendingFor = days(3) })
	ada := s.member("ada")
	bob := s.invited(ada)
	bought := s.Purchase(bob, "10.00")
	s.work()
	s.Clock.Advance(3 * 24 * time.Hour)
	s.Return(bought)
	equal(t, "status", "REWARDED", s.statuses(ada))
	equal(t, "available", []int64{50, 20}, []int64{s.Balance(ada).Available, s.Balance(bob).Available})
	s.clean()
}

// A return that happened within the window and is told after it counts where it happened: what was spent by then is owed, by the
// program's return policy.
func TestReturn_ToldLate(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	bob := s.invited(ada)
	bought := s.Purchase(bob, "10.00")
	s.work()
	came := s.Now().AddDate(0, 0, 13)
	s.Clock.Advance(20 * 24 * time.Hour)
	s.Adjust(ada, -40)
	s.Return(bought, func(input *loyalty.RecordReturnInput) { input.OccurredAt = came })
	equal(t, "status", "JOINED", s.statuses(ada))
	s.owns("points", []int64{-40, 0}, ada, bob)
	s.clean()
}

// What came back before it could be judged never counted; without a window, points are there at once and stay.
func TestReturn_BeforeAndWithoutAWindow(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.PendingFor = &value.Period{} })
	ada := s.member("ada")
	bob, cem := s.invited(ada), s.invited(ada)
	s.Return(s.Purchase(bob, "10.00"))
	bought := s.Purchase(cem, "10.00")
	equal(t, "status", "JOINED, REWARDED", s.statuses(ada))
	s.Clock.Advance(time.Second)
	equal(t, "available", []int64{50, 20}, []int64{s.Balance(ada).Available, s.Balance(cem).Available})
	s.Return(bought)
	equal(t, "status", "JOINED, REWARDED", s.statuses(ada))
	s.clean()
}

// Points of a referral lapse as others do.
func TestExpiry(t *testing.T) {
	t.Parallel()
	s := open(t)
	if _, err := s.Service.UpdateProgram(s.Admin, loyalty.ProgramEdit{Expiry: &loyalty.ExpiryPolicy{Mode: "AFTER_ACTIVATION", After: days(10)}}); err != nil {
		t.Fatal(err)
	}
	s.Clock.Advance(time.Second)
	ada := s.member("ada")
	bob := s.invited(ada)
	s.Purchase(bob, "10.00")
	s.work()
	s.Clock.Advance(24*24*time.Hour - time.Second)
	equal(t, "before", int64(50), s.Balance(ada).Available)
	s.Clock.Advance(time.Second)
	equal(t, "after", int64(0), s.Balance(ada).Available)
	s.Adjust(ada, 1)
	s.clean()
}

// As many are rewarded in a month of the program's zone as may be, by when they qualified; the others are told why not.
func TestMonthlyLimit(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.MaxPerMonth = pointer(2) })
	ada := s.member("ada")
	var guests []*loyalty.Member
	for range 4 {
		guests = append(guests, s.invited(ada))
	}
	february := time.Date(2025, time.February, 1, 0, 0, 0, 0, time.UTC)
	s.Clock.Set(february)
	at := func(when time.Time) func(*loyalty.RecordPurchaseInput) {
		return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = when }
	}
	first := s.Purchase(guests[0], "10.00", at(february.Add(-time.Microsecond)))
	s.work()
	s.Purchase(guests[1], "10.00", at(february.Add(-time.Microsecond)))
	s.work()
	s.Purchase(guests[2], "10.00", at(february.Add(-time.Microsecond)))
	s.work()
	s.Purchase(guests[3], "10.00", at(february))
	equal(t, "statuses", "REWARDED, REWARDED, REJECTED MONTHLY_LIMIT, REWARDED", s.statuses(ada))
	s.owns("points", []int64{150, 20, 20, 0, 20}, append([]*loyalty.Member{ada}, guests...)...)
	equal(t, "summary", []int{4, 3}, []int{s.summary(ada).Joined, s.summary(ada).Rewarded})
	// What was cut stays so.
	s.Return(first)
	equal(t, "statuses", "JOINED, REWARDED, REJECTED MONTHLY_LIMIT, REWARDED", s.statuses(ada))
	s.clean()
}

// 1e18 points: nothing is posted that cannot be counted.
func TestTooManyPoints(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.RefereePoints = value.MaximumPoints })
	ada := s.member("ada")
	bob := s.invited(ada)
	s.Adjust(bob, 1)
	s.Purchase(bob, "10.00")
	equal(t, "status", "REJECTED TOO_MANY_POINTS", s.statuses(ada))
	s.owns("points", []int64{0, 1}, ada, bob)
	s.clean()
}

// What stands in the histories of both.
func TestEntries(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	bob := s.invited(ada)
	bought := s.Purchase(bob, "10.00")
	s.work()
	s.Return(bought)
	s.work()
	explainer, err := s.Service.Explainer(s.Admin)
	if err != nil {
		t.Fatal(err)
	}
	histories, err := s.Service.Histories(s.Admin, []id.Member{ada.ID, bob.ID}, ledger.Filter{}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, history := range histories {
		var titles []string
		for _, entry := range history.Nodes {
			titles = append(titles, explainer.Title(entry, "", false))
		}
		equal(t, "titles", []string{"Points for a referral taken back", "Points for a referral"}, titles)
	}
}

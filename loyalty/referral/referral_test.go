package referral_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/reconcile"
	"regulars/loyalty/referral"
)

// stage is a program in which inviting gives 50 points to one and 20 to the other for a purchase of 10.00 within 30 days, which
// are final after 14, as far as edits say nothing else.
type stage struct {
	*loyaltytest.World
	t         testing.TB
	referrals *referral.Service
	serial    int
}

func open(t testing.TB, edits ...func(*loyalty.ReferralPolicyInput)) *stage {
	t.Helper()
	s := &stage{World: loyaltytest.New(t), t: t}
	s.referrals = referral.New(s.DB, s.Service, "https://club.example")
	s.set(edits...)
	return s
}

func (s *stage) set(edits ...func(*loyalty.ReferralPolicyInput)) {
	s.t.Helper()
	minimum := s.Money("10.00")
	policy := loyalty.ReferralPolicyInput{ReferrerPoints: 50, RefereePoints: 20, MinimumPurchase: &minimum}
	for _, edit := range edits {
		edit(&policy)
	}
	if _, err := s.Service.UpdateProgram(s.Admin, loyalty.ProgramEdit{Referral: &policy}); err != nil {
		s.t.Fatal(err)
	}
}

// code is the member's.
func (s *stage) code(member *loyalty.Member) string {
	s.t.Helper()
	return s.summary(member).Code
}

func (s *stage) summary(member *loyalty.Member) *referral.Summary {
	s.t.Helper()
	summaries, err := s.referrals.Summaries(s.Admin, []id.Member{member.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	return summaries[member.ID]
}

// member enrolls one that signs in under the name.
func (s *stage) member(name string, edits ...func(*loyalty.EnrollMemberInput)) *loyalty.Member {
	s.t.Helper()
	return s.Enroll(append([]func(*loyalty.EnrollMemberInput){func(input *loyalty.EnrollMemberInput) { input.ExternalID = &name }}, edits...)...)
}

// invited enrolls somebody by the member's code.
func (s *stage) invited(by *loyalty.Member, edits ...func(*loyalty.EnrollMemberInput)) *loyalty.Member {
	s.t.Helper()
	code := s.code(by)
	s.serial++
	return s.member(fmt.Sprintf("guest %d", s.serial), append([]func(*loyalty.EnrollMemberInput){
		func(input *loyalty.EnrollMemberInput) { input.ReferralCode = &code },
	}, edits...)...)
}

// work works until nothing is left to do.
func (s *stage) work() {
	s.t.Helper()
	for {
		done, err := s.referrals.Work(s.Admin)
		if err != nil {
			s.t.Fatal(err)
		}
		if done == 0 {
			return
		}
	}
}

// of lists the member's referrals as staff sees them, oldest first, after all work is done.
func (s *stage) of(by *loyalty.Member) []*referral.Referral {
	s.t.Helper()
	s.work()
	hundred := 100
	lists, err := s.referrals.Lists(s.Admin, []id.Member{by.ID}, &hundred, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	var oldest []*referral.Referral
	for _, one := range lists[by.ID].Nodes {
		oldest = append([]*referral.Referral{one}, oldest...)
	}
	return oldest
}

// statuses are those of the member's referrals, oldest first, with their reasons.
func (s *stage) statuses(by *loyalty.Member) string {
	s.t.Helper()
	var list []string
	for _, one := range s.of(by) {
		status := string(one.Status)
		if one.Reason != nil {
			status += " " + string(*one.Reason)
		}
		list = append(list, status)
	}
	return strings.Join(list, ", ")
}

// owns wants members to own so many points, pending included.
func (s *stage) owns(what string, want []int64, members ...*loyalty.Member) {
	s.t.Helper()
	var got []int64
	for _, member := range members {
		balance := s.Balance(member)
		got = append(got, balance.Available+balance.Pending-balance.Debt)
	}
	equal(s.t, what, want, got)
}

// clean wants the books to agree.
func (s *stage) clean() {
	s.t.Helper()
	report, err := reconcile.Check(s.Admin, s.DB, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, difference := range report.Differences {
		s.t.Error(difference)
	}
}

func (s *stage) claim(ctx context.Context, member *loyalty.Member, code string) error {
	_, err := s.Service.ClaimReferral(ctx, loyalty.ClaimReferralInput{MemberID: &member.ID, Code: code})
	return err
}

func equal[T any](t testing.TB, what string, want, got T) {
	t.Helper()
	if difference := cmp.Diff(want, got); difference != "" {
		t.Errorf("%s: %s", what, difference)
	}
}

// refused wants err to be the one problem "CODE path/below/input".
func refused(t testing.TB, what, want string, err error) {
	t.Helper()
	problems, ok := problem.UserErrors(err)
	if !ok || len(problems) != 1 {
		t.Fatalf("%s: got the error %v, want %s", what, err, want)
	}
	one := problems[0].(problem.InputError)
	equal(t, what, want, strings.TrimSpace(string(one.Code)+" "+strings.Join(one.Path[1:], "/")))
}

func pointer[T any](value T) *T { return &value }

func days(number int) *value.Period { return &value.Period{Days: number} }

// Both are rewarded for the first purchase that is worth enough; the points wait for the return window, and do not raise tiers.
func TestLife(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.Tier("Gold", 1, 10)
	ada := s.member("ada")
	bob := s.invited(ada)
	equal(t, "after joining", "JOINED", s.statuses(ada))
	s.Purchase(bob, "9.99")
	equal(t, "after a purchase that is too small", "JOINED", s.statuses(ada))
	s.Clock.Advance(time.Hour)
	bought := s.Now()
	s.Purchase(bob, "10.00")
	equal(t, "after one that is not", "REWARDED", s.statuses(ada))
	s.Purchase(bob, "500.00")
	equal(t, "after another one", "REWARDED", s.statuses(ada))
	s.owns("pending", []int64{50, 20}, ada, bob)
	equal(t, "available", int64(0), s.Balance(ada).Available+s.Balance(bob).Available)

	one := s.of(ada)[0]
	equal(t, "qualified at", bought, *one.QualifiedAt)
	equal(t, "final at", bought.AddDate(0, 0, 14), *one.FinalAt)
	equal(t, "signals", 0, len(one.Signals))
	equal(t, "summary", &referral.Summary{
		Member: ada.ID, Code: s.code(ada), Link: "https://club.example/join?code=" + s.code(ada), Joined: 1, Rewarded: 1, PointsEarned: 50,
	}, s.summary(ada))
	s.Clock.Set(one.FinalAt.Add(-time.Microsecond))
	equal(t, "before the end of the window", int64(0), s.Balance(ada).Available)
	s.Clock.Set(*one.FinalAt)
	equal(t, "at its end", []int64{50, 20}, []int64{s.Balance(ada).Available, s.Balance(bob).Available})
	equal(t, "tier", "Member", s.Standing(ada).Tier.Name)
	s.clean()
}

// Without a policy, and after one has ended, codes work and nothing is rewarded; the policy of when somebody joined counts.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	early := s.invited(ada)
	s.Clock.Advance(time.Second)
	s.set(func(input *loyalty.ReferralPolicyInput) { input.ReferrerPoints, input.RefereePoints = 7, 0 })
	later := s.invited(ada)
	s.Clock.Advance(time.Second)
	if _, err := s.Service.UpdateProgram(s.Admin, loyalty.ProgramEdit{EndReferral: true}); err != nil {
		t.Fatal(err)
	}
	late := s.invited(ada)
	for _, one := range []*loyalty.Member{early, later, late} {
		s.Purchase(one, "10.00")
	}
	equal(t, "statuses", "REWARDED, REWARDED, JOINED", s.statuses(ada))
	s.owns("points", []int64{57, 20, 0, 0}, ada, early, later, late)
	settings, err := s.Service.Program(s.Admin)
	if err != nil || settings.Referral != nil {
		t.Errorf("the program says %v, %v", settings.Referral, err)
	}
	s.clean()
}

// What is set is checked field by field, and completed.
func TestPolicy_Input(t *testing.T) {
	t.Parallel()
	s := open(t)
	for what, edit := range map[string]func(*loyalty.ReferralPolicyInput){
		"INVALID_POINTS referral/referrerPoints": func(i *loyalty.ReferralPolicyInput) { i.ReferrerPoints = -1 },
		"INVALID_POINTS referral/refereePoints":  func(i *loyalty.ReferralPolicyInput) { i.RefereePoints = 1 << 60 },
		"INVALID_POLICY referral/within":         func(i *loyalty.ReferralPolicyInput) { i.Within = &value.Period{} },
		"INVALID_POLICY referral/pendingFor":     func(i *loyalty.ReferralPolicyInput) { i.PendingFor = &value.Period{Years: 101} },
		"INVALID_POLICY referral/maxPerMonth":    func(i *loyalty.ReferralPolicyInput) { i.MaxPerMonth = pointer(0) },
		"INVALID_AMOUNT referral/minimumPurchase/amount": func(i *loyalty.ReferralPolicyInput) {
			i.MinimumPurchase.Amount = "-1.00"
		},
		"CURRENCY_MISMATCH referral/minimumPurchase/currency": func(i *loyalty.ReferralPolicyInput) {
			i.MinimumPurchase.Currency = "USD"
		},
	} {
		minimum := s.Money("10.00")
		input := loyalty.ReferralPolicyInput{ReferrerPoints: 1, MinimumPurchase: &minimum}
		edit(&input)
		_, err := s.Service.UpdateProgram(s.Admin, loyalty.ProgramEdit{Referral: &input})
		refused(t, what, what, err)
	}
	var settings *loyalty.Program
	for range 2 {
		var err error
		settings, err = s.Service.UpdateProgram(s.Admin, loyalty.ProgramEdit{Referral: &loyalty.ReferralPolicyInput{ReferrerPoints: 5}})
		if err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "the policy", &loyalty.ReferralPolicy{
		Version: 2, ReferrerPoints: 5, Currency: "EUR", Within: value.Period{Days: 30}, PendingFor: value.Period{Days: 14},
	}, settings.Referral)
	if settings.Referral.MinimumPurchase() != nil {
		t.Error("it wants a minimum")
	}
}

// Only what happens within the time counts, whenever it is told; any purchase does that is worth something where no minimum is set.
func TestWithin(t *testing.T) {
	t.Parallel()
	s := open(t, func(input *loyalty.ReferralPolicyInput) { input.Within, input.MinimumPurchase = days(7), nil })
	ada := s.member("ada")
	bob, cem, dan := s.invited(ada), s.invited(ada), s.invited(ada)
	joined := s.Now()
	s.Clock.Advance(40 * 24 * time.Hour)
	at := func(when time.Time) func(*loyalty.RecordPurchaseInput) {
		return func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = when }
	}
	s.Purchase(bob, "0.01", at(joined.AddDate(0, 0, 7).Add(-time.Microsecond)))
	s.Purchase(cem, "0.01", at(joined.AddDate(0, 0, 7)))
	s.Purchase(dan, "0.00", at(joined))
	equal(t, "statuses", "REWARDED, JOINED, JOINED", s.statuses(ada))
	// The window of returns is over already.
	s.Clock.Advance(time.Second)
	equal(t, "available", int64(50), s.Balance(ada).Available)
	s.clean()
}

// What staff, members and strangers see of a member's referrals.
func TestVisibility(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada", func(input *loyalty.EnrollMemberInput) { input.Email = pointer("ada@example.com") })
	s.member("eve")
	bob := s.invited(ada, func(input *loyalty.EnrollMemberInput) { input.Email = pointer("a.da+2@example.com") })
	s.Purchase(bob, "10.00")
	one := s.of(ada)[0]
	equal(t, "status", referral.UnderReview, one.Status)
	if _, err := s.referrals.Approve(s.Admin, one.ID, pointer("They are sisters")); err != nil {
		t.Fatal(err)
	}
	for _, who := range []string{"ada", "eve", "guest 1"} {
		seen, err := s.referrals.Referral(s.As(actor.Member, who), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, who+" sees it", who == "ada", seen != nil)
		if seen != nil && (seen.Status != referral.Qualified || len(seen.Signals) > 0 || seen.ReviewedBy != nil || seen.Note != nil) {
			t.Errorf("its referrer is told %+v", seen)
		}
		summaries, err := s.referrals.Summaries(s.As(actor.Member, who), []id.Member{ada.ID})
		equal(t, "summary of ada for "+who, who == "ada", err == nil && len(summaries) == 1)
	}
	for role, want := range map[actor.Role]bool{actor.Marketer: true, actor.Support: true, actor.Organizer: false} {
		seen, err := s.referrals.Referral(s.As(role, ""), one.ID)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, string(role), want, seen != nil)
		_, err = s.referrals.Referrals(s.As(role, ""), nil, nil, nil)
		equal(t, "the list for "+string(role), want, err == nil)
	}
}

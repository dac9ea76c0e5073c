package referral_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/ratelimit"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// counts of what an enrollment could leave behind.
func (s *stage) counts() []int {
	s.t.Helper()
	var all []int
	for _, table := range []string{"members", "member_keys", "accounts", "idempotency_keys", "notices", "referrals"} {
		var rows int
		if err := s.DB.Get(s.Admin, &rows, `select count(*) from `+table); err != nil {
			s.t.Fatal(err)
		}
		all = append(all, rows)
	}
	return all
}

// An unknown code stores nothing: not the member, none of its identifiers, no key; and the others of the slice are enrolled.
func TestEnroll_UnknownCode(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	before := s.counts()
	wrong := s.code(ada)[:9] + "2"
	if wrong == s.code(ada) {
		wrong = s.code(ada)[:9] + "3"
	}
	for _, code := range []string{wrong, "", "ABC", "23456-23452-23452", "22222-2222Z"} {
		answers, err := s.Service.Enroll(s.Admin, []loyalty.EnrollMemberInput{{
			Email: pointer("bob@example.com"), ExternalID: pointer("bob"), ReferralCode: &code, IdempotencyKey: "bob",
		}})
		if err != nil {
			t.Fatal(err)
		}
		refused(t, code, "UNKNOWN_REFERRAL_CODE referralCode", problem.Problems(answers[0].UserErrors))
		if answers[0].Member != nil {
			t.Errorf("%q makes a member", code)
		}
	}
	equal(t, "rows", before, s.counts())
	typed := strings.ToLower(strings.ReplaceAll(s.code(ada), "-", " "))
	unknown := "22222-22222"
	answers, err := s.Service.Enroll(s.Admin, []loyalty.EnrollMemberInput{
		{ExternalID: pointer("cem"), ReferralCode: &unknown, IdempotencyKey: "cem"},
		{ExternalID: pointer("bob"), ReferralCode: &typed, IdempotencyKey: "bob"},
		{ExternalID: pointer("bob"), ReferralCode: &typed, IdempotencyKey: "bob"},
		{ExternalID: pointer("bob"), IdempotencyKey: "bob"},
	})
	if err != nil {
		t.Fatal(err)
	}
	refused(t, "in a slice", "UNKNOWN_REFERRAL_CODE referralCode", problem.Problems(answers[0].UserErrors))
	equal(t, "who referred bob", ada.ID, *answers[1].Member.ReferredBy)
	equal(t, "the same again is a replay", true, *answers[2].Replayed)
	refused(t, "the same key without the code", "IDEMPOTENCY_KEY_REUSED idempotencyKey", problem.Problems(answers[3].UserErrors))
	equal(t, "statuses", "JOINED", s.statuses(ada))
	s.clean()
}

// Codes that nobody has cost guesses, and one whose check character is wrong tells nothing and costs nothing.
func TestCode_Guesses(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob := s.member("ada"), s.member("bob")
	service := s.Service.WithGuesses(ratelimit.New(1, time.Minute, 3, s.Clock.Now), nil)
	as := s.As(actor.Member, "bob")
	ask := func(code string) error {
		_, err := service.ClaimReferral(as, loyalty.ClaimReferralInput{Code: code})
		return err
	}
	for range 9 {
		refused(t, "a misread code", "UNKNOWN_REFERRAL_CODE code", ask("22222-22223"))
	}
	for range 3 {
		refused(t, "a guess", "UNKNOWN_REFERRAL_CODE code", ask("22222-22222"))
	}
	var failure problem.Failure
	if err := ask(s.code(ada)); !errors.As(err, &failure) || failure.Code != problem.CodeRateLimited {
		t.Errorf("out of guesses, a right code is answered %v", err)
	}
	code := s.code(ada)
	_, err := service.Enroll(as, []loyalty.EnrollMemberInput{{ReferralCode: &code, IdempotencyKey: "join"}})
	if !errors.As(err, &failure) || failure.Code != problem.CodeRateLimited {
		t.Errorf("out of guesses, an enrollment is answered %v", err)
	}
	s.Clock.Advance(time.Minute)
	if err := ask(s.code(ada)); err != nil {
		t.Error(err)
	}
	equal(t, "who referred bob", ada.ID, *s.reload(bob).ReferredBy)
}

func (s *stage) reload(member *loyalty.Member) *loyalty.Member {
	s.t.Helper()
	found, err := s.Service.Members(s.Admin, []id.Member{member.ID})
	if err != nil {
		s.t.Fatal(err)
	}
	return found[member.ID]
}

// A code can be claimed after joining, once, by the member itself and by staff, for as long as a purchase would count.
func TestClaim(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob, cem, dan := s.member("ada"), s.member("bob"), s.member("cem"), s.member("dan")
	// What was bought before counts as well.
	s.Purchase(bob, "10.00")
	if _, err := s.Service.ClaimReferral(s.As(actor.Member, "bob"), loyalty.ClaimReferralInput{Code: s.code(ada)}); err != nil {
		t.Fatal(err)
	}
	equal(t, "statuses", "REWARDED", s.statuses(ada))
	for range 2 {
		if err := s.claim(s.As(actor.Support, "staff"), cem, s.code(ada)); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "claimed twice", "REWARDED, JOINED", s.statuses(ada))
	refused(t, "another code", "ALREADY_REFERRED memberId", s.claim(s.Admin, cem, s.code(bob)))
	refused(t, "another one's", "UNKNOWN_MEMBER memberId", s.claim(s.As(actor.Member, "bob"), dan, s.code(ada)))
	refused(t, "of nobody", "UNKNOWN_MEMBER memberId", s.claim(s.Admin, &loyalty.Member{ID: id.New[id.Member]()}, s.code(ada)))
	if err := s.claim(s.As(actor.Marketer, "x"), dan, s.code(ada)); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a marketer is answered %v", err)
	}
	s.Clock.Set(dan.JoinedAt.AddDate(0, 0, 30))
	refused(t, "30 days later", "REFERRAL_TOO_LATE memberId", s.claim(s.Admin, dan, s.code(ada)))
	s.Clock.Advance(-time.Microsecond)
	if err := s.claim(s.Admin, dan, s.code(ada)); err != nil {
		t.Errorf("just before: %v", err)
	}
	s.clean()
}

// Nobody refers itself, nor whoever referred it, directly or through others.
func TestClaim_Circular(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	bob := s.invited(ada)
	cem := s.invited(bob)
	before := s.counts()
	refused(t, "its own", "SELF_REFERRAL code", s.claim(s.Admin, ada, s.code(ada)))
	refused(t, "whom it referred", "CIRCULAR_REFERRAL code", s.claim(s.Admin, ada, s.code(bob)))
	refused(t, "whom that one referred", "CIRCULAR_REFERRAL code", s.claim(s.Admin, ada, s.code(cem)))
	equal(t, "rows", before, s.counts())
	equal(t, "statuses", "JOINED", s.statuses(ada))
}

// Of claims at the same time that make a circle together, one is refused.
func TestClaim_CircularRace(t *testing.T) {
	t.Parallel()
	s := open(t)
	const size = 12
	members := make([]*loyalty.Member, size)
	codes := make([]string, size)
	for i := range members {
		members[i] = s.Enroll()
		codes[i] = s.code(members[i])
	}
	errs := make([]error, size)
	var group sync.WaitGroup
	for i := range members {
		group.Go(func() { errs[i] = s.claim(s.Admin, members[i], codes[(i+1)%size]) })
	}
	group.Wait()
	failed := 0
	for _, err := range errs {
		if err != nil {
			refused(t, "the last", "CIRCULAR_REFERRAL code", err)
			failed++
		}
	}
	equal(t, "refused", 1, failed)
}

// Purchases of members that nobody referred are told to nobody, and neither are those of others after their time.
func TestNotices_OnlyWhereTheyCount(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	bob := s.invited(ada)
	told := func() int {
		t.Helper()
		var count int
		if err := s.DB.Get(s.Admin, &count, `select count(*) from notices where type in ('referred.purchased', 'referred.returned')`); err != nil {
			t.Fatal(err)
		}
		return count
	}
	s.Return(s.Purchase(ada, "10.00"))
	equal(t, "of the referrer", 0, told())
	bought := s.Purchase(bob, "10.00")
	equal(t, "a purchase", 1, told())
	s.Clock.Advance(30 * 24 * time.Hour)
	s.Return(s.Purchase(bob, "10.00"))
	equal(t, "a purchase and a return, too late", 1, told())
	s.Return(bought)
	equal(t, "a late return of what counts", 2, told())
	s.Purchase(bob, "10.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = loyaltytest.Start })
	equal(t, "a late purchase", 3, told())
}

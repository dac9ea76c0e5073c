package referral_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/referral"
)

// signals are those of the member's referrals, oldest first.
func (s *stage) signals(by *loyalty.Member) string {
	s.t.Helper()
	var list []string
	for _, one := range s.of(by) {
		var names []string
		for _, signal := range one.Signals {
			names = append(names, string(signal))
		}
		list = append(list, strings.Join(names, "+"))
	}
	return strings.Join(list, ", ")
}

func (s *stage) attributes(member *loyalty.Member, attributes ...value.Attribute) {
	s.t.Helper()
	if _, err := s.Service.UpdateMember(s.Admin, member.ID, attributes, func(*loyalty.Member) {}); err != nil {
		s.t.Fatal(err)
	}
}

func with(attributes ...value.Attribute) func(*loyalty.RecordPurchaseInput) {
	return func(input *loyalty.RecordPurchaseInput) { input.Attributes = attributes }
}

// "Referral farming" of the field, each way that can be seen: it holds the reward and refuses nothing.
func TestSignals_ReferralFarming(t *testing.T) {
	t.Parallel()
	for name, one := range map[string]struct {
		ada, bob func(*loyalty.EnrollMemberInput)
		act      func(s *stage, ada, bob *loyalty.Member)
		want     string
	}{
		"nothing in common": {
			ada: func(i *loyalty.EnrollMemberInput) {
				i.Email, i.Phone, i.DisplayName, i.BirthDate = pointer("ada@example.com"), pointer("+4930123456"), pointer("Ada"), &value.Date{Year: 1990, Month: 1, Day: 1}
			},
			bob: func(i *loyalty.EnrollMemberInput) {
				i.Email, i.Phone, i.DisplayName, i.BirthDate = pointer("bob@example.com"), pointer("+4930123457"), pointer("Bob"), &value.Date{Year: 1990, Month: 1, Day: 1}
			},
			act: func(s *stage, ada, bob *loyalty.Member) {
				s.attributes(ada, value.Attribute{Name: "device", Value: "x"}, value.Attribute{Name: "city", Value: "Bonn"}, value.Attribute{Name: "cardToken", Value: ""})
				s.attributes(bob, value.Attribute{Name: "device", Value: "y"}, value.Attribute{Name: "city", Value: "Bonn"}, value.Attribute{Name: "cardToken", Value: ""})
			},
		},
		"the same mailbox": {
			ada:  func(i *loyalty.EnrollMemberInput) { i.Email = pointer("Ada.Bee@example.com") },
			bob:  func(i *loyalty.EnrollMemberInput) { i.Email = pointer("adabee+second@example.com") },
			want: "SAME_EMAIL",
		},
		"the same phone": {
			ada: func(i *loyalty.EnrollMemberInput) { i.Phone = pointer("+4930123456") },
			act: func(s *stage, _, bob *loyalty.Member) {
				s.attributes(bob, value.Attribute{Name: "phone", Value: "+49 30 123-456"})
			},
			want: "SAME_PHONE",
		},
		"the same device of both": {
			act: func(s *stage, ada, bob *loyalty.Member) {
				s.attributes(ada, value.Attribute{Name: "device", Value: "d1"})
				s.attributes(bob, value.Attribute{Name: "device", Value: "d1"})
			},
			want: "SAME_DEVICE",
		},
		"the same device of what they did": {
			act: func(s *stage, ada, bob *loyalty.Member) {
				s.Activity(ada, "APP_OPENED", func(i *loyalty.RecordActivityInput) {
					i.Attributes = []value.Attribute{{Name: "device", Value: "d1"}}
				})
				s.Purchase(bob, "1.00", with(value.Attribute{Name: "device", Value: "d1"}))
			},
			want: "SAME_DEVICE",
		},
		"the same card": {
			act: func(s *stage, ada, bob *loyalty.Member) {
				s.Purchase(ada, "1.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
				s.Purchase(bob, "1.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
			},
			want: "SAME_CARD",
		},
		"the same person": {
			ada: func(i *loyalty.EnrollMemberInput) {
				i.DisplayName, i.BirthDate = pointer("Ada Bee"), &value.Date{Year: 1990, Month: 1, Day: 1}
			},
			bob: func(i *loyalty.EnrollMemberInput) {
				i.DisplayName, i.BirthDate = pointer("ada bee"), &value.Date{Year: 1990, Month: 1, Day: 1}
			},
			want: "SELF_REFERRAL",
		},
		"two at once": {
			ada: func(i *loyalty.EnrollMemberInput) { i.Email = pointer("a.b@example.com") },
			bob: func(i *loyalty.EnrollMemberInput) { i.Email = pointer("ab@example.com") },
			act: func(s *stage, ada, bob *loyalty.Member) {
				s.attributes(ada, value.Attribute{Name: "device", Value: "d1"})
				s.attributes(bob, value.Attribute{Name: "device", Value: "d1"})
			},
			want: "SAME_DEVICE+SAME_EMAIL",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			none := func(*loyalty.EnrollMemberInput) {}
			if one.ada == nil {
				one.ada = none
			}
			if one.bob == nil {
				one.bob = none
			}
			ada := s.member("ada", one.ada)
			bob := s.invited(ada, one.bob)
			if one.act != nil {
				one.act(s, ada, bob)
			}
			equal(t, "before a purchase that counts", "JOINED", s.statuses(ada))
			s.Purchase(bob, "10.00")
			status, points := "REWARDED", []int64{50, 20}
			if one.want != "" {
				status, points = "UNDER_REVIEW", []int64{0, 0}
			}
			equal(t, "status", status, s.statuses(ada))
			equal(t, "signals", one.want, s.signals(ada))
			s.owns("points", points, ada, bob)
			s.clean()
		})
	}
}

// Six within a day are too many, for each of them that is not rewarded yet; five are not, nor six over more days.
func TestSignals_Velocity(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	guests := []*loyalty.Member{s.invited(ada)}
	s.Purchase(guests[0], "10.00")
	s.work()
	s.Clock.Advance(24*time.Hour - time.Second)
	for range 4 {
		guests = append(guests, s.invited(ada))
	}
	s.Purchase(guests[1], "10.00")
	equal(t, "five", "REWARDED, REWARDED, JOINED, JOINED, JOINED", s.statuses(ada))
	s.Clock.Advance(time.Second)
	guests = append(guests, s.invited(ada))
	s.Purchase(guests[5], "10.00")
	equal(t, "the sixth, a day after the first", "REWARDED, REWARDED, JOINED, JOINED, JOINED, REWARDED", s.statuses(ada))
	guests = append(guests, s.invited(ada))
	s.Purchase(guests[2], "10.00")
	s.Purchase(guests[6], "10.00")
	equal(t, "six within a day", "REWARDED, REWARDED, UNDER_REVIEW, JOINED, JOINED, REWARDED, UNDER_REVIEW", s.statuses(ada))
	equal(t, "signals", ", , VELOCITY, , , , VELOCITY", s.signals(ada))
}

// suspicious is a referral under review: both pay with the same card.
func (s *stage) suspicious() (ada, bob *loyalty.Member, one *referral.Referral) {
	s.t.Helper()
	ada = s.member("ada")
	s.Purchase(ada, "1.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
	bob = s.invited(ada)
	s.Purchase(bob, "10.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
	one = s.of(ada)[0]
	equal(s.t, "status", referral.UnderReview, one.Status)
	return ada, bob, one
}

func TestReview_Approve(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob, one := s.suspicious()
	list, err := s.referrals.Referrals(s.As(actor.Support, "x"), []referral.Status{referral.UnderReview}, nil, nil)
	if err != nil || len(list.Nodes) != 1 || list.Nodes[0].ID != one.ID {
		t.Fatalf("the queue is %v, %v", list, err)
	}
	for range 2 {
		if _, err := s.referrals.Approve(s.Admin, one.ID, pointer("Brothers")); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "approved", "REWARDED", s.statuses(ada))
	s.owns("points", []int64{50, 20}, ada, bob)
	reviewed := s.of(ada)[0]
	equal(t, "kept", "SAME_CARD Brothers system:test", string(reviewed.Signals[0])+" "+*reviewed.Note+" "+*reviewed.ReviewedBy)
	if _, err := s.referrals.Approve(s.Admin, one.ID, nil); err != nil {
		t.Errorf("approving it again: %v", err)
	}
	_, err = s.referrals.Reject(s.Admin, one.ID, nil)
	refused(t, "rejecting it afterwards", "NOT_UNDER_REVIEW referralId", err)
	_, err = s.referrals.Approve(s.As(actor.Support, "another"), one.ID, nil)
	refused(t, "another one, afterwards", "NOT_UNDER_REVIEW referralId", err)
	var changes []string
	if err := s.DB.Select(s.Admin, &changes, `select action || ' ' || (before ->> 'status') || ' ' || (after ->> 'status') from changes where object = $1`, one.ID.String()); err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", []string{"approveReferral UNDER_REVIEW QUALIFIED"}, changes)
	s.clean()
}

func TestReview_Reject(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob, one := s.suspicious()
	for range 2 {
		if _, err := s.referrals.Reject(s.Admin, one.ID, nil); err != nil {
			t.Fatal(err)
		}
	}
	s.Purchase(bob, "100.00")
	own := actor.With(t.Context(), actor.Actor{Caller: "x", Roles: []actor.Role{actor.Member, actor.Support}, ExternalID: "ada"})
	_, err := s.referrals.Approve(own, one.ID, nil)
	refused(t, "who is one of the two", "SELF_APPROVAL referralId", err)
	_, err = s.referrals.AllowHousehold(own, []id.Member{ada.ID, bob.ID}, "x")
	refused(t, "who lives there", "SELF_APPROVAL memberIds", err)
	equal(t, "rejected", "REJECTED REVIEWED", s.statuses(ada))
	s.owns("points", []int64{0, 0}, ada, bob)
	_, err = s.referrals.Approve(s.Admin, one.ID, nil)
	refused(t, "approving it afterwards", "NOT_UNDER_REVIEW referralId", err)
	_, err = s.referrals.Reject(s.Admin, id.New[id.Referral](), nil)
	refused(t, "what is not there", "UNKNOWN_REFERRAL referralId", err)
	_, err = s.referrals.Reject(s.Admin, one.ID, pointer(strings.Repeat("x", 501)))
	refused(t, "a long note", "REASON_REQUIRED note", err)
	for _, role := range []actor.Role{actor.Member, actor.Marketer, actor.Organizer} {
		if _, err := s.referrals.Reject(s.As(role, "ada"), one.ID, nil); err == nil {
			t.Errorf("%s reviews", role)
		}
	}
	s.clean()
}

// What comes back while somebody looks at it takes it from the queue; an approval does not cover what shows up after it.
func TestReview_MeetsReturns(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada := s.member("ada")
	s.Purchase(ada, "1.00", with(value.Attribute{Name: "cardToken", Value: "c1"}, value.Attribute{Name: "device", Value: "d1"}))
	bob := s.invited(ada)
	first := s.Purchase(bob, "10.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
	equal(t, "bought", "UNDER_REVIEW", s.statuses(ada))
	s.Return(first)
	equal(t, "came back", "JOINED", s.statuses(ada))
	second := s.Purchase(bob, "10.00")
	equal(t, "bought again", "UNDER_REVIEW", s.statuses(ada))
	if _, err := s.referrals.Approve(s.Admin, s.of(ada)[0].ID, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "approved", "REWARDED", s.statuses(ada))
	s.Return(second)
	third := s.Purchase(bob, "10.00")
	equal(t, "another purchase", "REWARDED", s.statuses(ada))
	s.Return(third)
	s.Purchase(bob, "10.00", with(value.Attribute{Name: "device", Value: "d1"}))
	equal(t, "another signal", "UNDER_REVIEW", s.statuses(ada))
	equal(t, "signals", "SAME_CARD+SAME_DEVICE", s.signals(ada))
	s.owns("points", []int64{0, 0}, ada, bob)
	s.clean()
}

// The allow-list for a household: what is shared there is no signal, once it is allowed and until that ends.
func TestHousehold(t *testing.T) {
	t.Parallel()
	s := open(t)
	ada, bob, _ := s.suspicious()
	cem := s.invited(ada)
	made, err := s.referrals.AllowHousehold(s.Admin, []id.Member{ada.ID, bob.ID}, "They share a flat and a card")
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "allowed", "REWARDED, JOINED", s.statuses(ada))
	s.Purchase(cem, "10.00", with(value.Attribute{Name: "cardToken", Value: "c1"}))
	equal(t, "one who does not live there", "REWARDED, UNDER_REVIEW", s.statuses(ada))
	equal(t, "signals are kept", "SAME_CARD, SAME_CARD", s.signals(ada))
	for range 2 {
		ended, err := s.referrals.EndHousehold(s.As(actor.Support, "x"), made.ID)
		if err != nil || ended.EndedAt == nil {
			t.Fatal(ended, err)
		}
	}
	equal(t, "ended", "REWARDED, UNDER_REVIEW", s.statuses(ada))
	list, err := s.referrals.Households(s.Admin, nil, nil)
	if err != nil || len(list.Nodes) != 1 || !slices.Equal(list.Nodes[0].Members, made.Members) {
		t.Errorf("households are %v, %v", list, err)
	}
	for want, members := range map[string][]id.Member{
		"INVALID_HOUSEHOLD memberIds": {ada.ID}, "UNKNOWN_MEMBER memberIds": {ada.ID, id.New[id.Member]()},
	} {
		_, err := s.referrals.AllowHousehold(s.Admin, members, "x")
		refused(t, want, want, err)
	}
	_, err = s.referrals.AllowHousehold(s.Admin, []id.Member{ada.ID, ada.ID}, "x")
	refused(t, "twice", "INVALID_HOUSEHOLD memberIds", err)
	_, err = s.referrals.AllowHousehold(s.Admin, []id.Member{ada.ID, bob.ID}, " ")
	refused(t, "no reason", "REASON_REQUIRED note", err)
	_, err = s.referrals.EndHousehold(s.Admin, id.New[id.Household]())
	refused(t, "none", "UNKNOWN_HOUSEHOLD householdId", err)
	var changes []string
	if err := s.DB.Select(s.Admin, &changes, `select action from changes where object = $1 order by id`, made.ID.String()); err != nil {
		t.Fatal(err)
	}
	equal(t, "changes", []string{"allowHousehold", "endHousehold"}, changes)
	s.clean()
}

package loyalty_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

type enrollEdit = func(*loyalty.EnrollMemberInput)

func TestEnroll_Normalized(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	joined := time.Date(2024, 5, 1, 12, 0, 0, 1500, time.FixedZone("", 7200))
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.Email, input.Phone, input.DisplayName = pointer(" Ann.Bee@Example.ORG "), pointer("+14155550123 "), pointer("  Ann Bee ")
		input.Locale, input.TimeZone, input.ExternalID = pointer("EN-gb"), pointer("Europe/London"), pointer("A 1")
		input.BirthDate, input.JoinedAt = &value.Date{Year: 2000, Month: 2, Day: 29}, &joined
	})
	number := member.Number
	want := loyalty.Member{
		ID: member.ID, Number: number, ExternalID: pointer("A 1"), Status: loyalty.Active, DisplayName: pointer("Ann Bee"),
		Email: pointer("Ann.Bee@Example.ORG"), Phone: pointer("+14155550123"), BirthDate: &value.Date{Year: 2000, Month: 2, Day: 29},
		Locale: "en-GB", TimeZone: "Europe/London", JoinedAt: time.Date(2024, 5, 1, 10, 0, 0, 1000, time.UTC), Attributes: value.Attributes{},
		ReferralCode: member.ReferralCode,
	}
	equal(t, "member", want, *member)
	if code, ok := value.ParseCode(member.ReferralCode, 10); !ok || code != member.ReferralCode {
		t.Errorf("the referral code is %q", member.ReferralCode)
	}
	for name, ref := range map[string]loyalty.MemberRef{
		"id": {ID: &member.ID}, "number": {Number: pointer(number[:4] + " " + number[4:8] + "-" + number[8:])},
		"external id": {ExternalID: pointer("A 1")}, "e-mail": {Email: pointer("ann.bee@EXAMPLE.org ")}, "phone": {Phone: pointer("+14155550123")},
	} {
		found, err := w.Service.Member(w.Admin, ref)
		if err != nil || found == nil || found.ID != member.ID {
			t.Errorf("by %s: %v %v", name, found, err)
		}
	}
	for name, ref := range map[string]loyalty.MemberRef{
		"nothing": {}, "another id": {ID: pointer(id.New[id.Member]())}, "external id in another case": {ExternalID: pointer("a 1")},
		"e-mail with a null": {Email: pointer("a\x00b")}, "number that is none": {Number: pointer("1")},
	} {
		if found, err := w.Service.Member(w.Admin, ref); err != nil || found != nil {
			t.Errorf("by %s: %v %v", name, found, err)
		}
	}
	if len(number) != 12 || number[0] == '0' || luhn(number) != 0 {
		t.Errorf("number %s", number)
	}
	plain := w.Enroll()
	equal(t, "defaults", []string{"en", "UTC", w.Now().String()}, []string{plain.Locale, plain.TimeZone, plain.JoinedAt.String()})
}

// luhn is 0 for numbers that end with their check digit.
func luhn(number string) int {
	sum := 0
	for i, digit := range number {
		value := int(digit - '0')
		if i%2 == len(number)%2 {
			value = value/5 + value*2%10
		}
		sum += value
	}
	return sum % 10
}

func TestEnroll_Refused(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.Email, input.Phone, input.ExternalID = pointer("taken@example.org"), pointer("+14155550123"), pointer("taken")
	})
	email := func(text string) enrollEdit {
		return func(input *loyalty.EnrollMemberInput) { input.Email = &text }
	}
	phone := func(text string) enrollEdit {
		return func(input *loyalty.EnrollMemberInput) { input.Phone = &text }
	}
	zone := func(text string) enrollEdit {
		return func(input *loyalty.EnrollMemberInput) { input.TimeZone = &text }
	}
	var inputs []loyalty.EnrollMemberInput
	var want [][]string
	for _, test := range []struct {
		edit enrollEdit
		want []string
	}{
		{email("ann"), []string{"INVALID_EMAIL email"}},
		{email("Ann <ann@example.org>"), []string{"INVALID_EMAIL email"}},
		{email("ann@example"), []string{"INVALID_EMAIL email"}},
		{email(strings.Repeat("a", 250) + "@example.org"), []string{"INVALID_EMAIL email"}},
		{email("a\x00@example.org"), []string{"INVALID_EMAIL email"}},
		{phone("030 1234"), []string{"INVALID_PHONE phone"}},
		{phone("+0123456789"), []string{"INVALID_PHONE phone"}},
		{zone("Berlin"), []string{"INVALID_TIME_ZONE timeZone"}},
		{zone("Local"), []string{"INVALID_TIME_ZONE timeZone"}},
		{zone(""), []string{"INVALID_TIME_ZONE timeZone"}},
		{func(input *loyalty.EnrollMemberInput) { input.Locale = pointer("english please") }, []string{"INVALID_LOCALE locale"}},
		{func(input *loyalty.EnrollMemberInput) { input.DisplayName = pointer(" ") }, []string{"INVALID_NAME displayName"}},
		{func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("") }, []string{"INVALID_EXTERNAL_ID externalId"}},
		{func(input *loyalty.EnrollMemberInput) { input.IdempotencyKey = "" }, []string{"INVALID_IDEMPOTENCY_KEY idempotencyKey"}},
		{func(input *loyalty.EnrollMemberInput) { input.BirthDate = &value.Date{Year: 1899, Month: 12, Day: 31} }, []string{"INVALID_DATE birthDate"}},
		{func(input *loyalty.EnrollMemberInput) { input.BirthDate = &value.Date{Year: 2025, Month: 1, Day: 8} }, []string{"INVALID_DATE birthDate"}},
		{func(input *loyalty.EnrollMemberInput) { input.JoinedAt = pointer(w.Now().Add(time.Hour)) }, []string{"INVALID_DATE joinedAt"}},
		{email("TAKEN@example.org"), []string{"EMAIL_TAKEN email"}},
		{phone("+14155550123"), []string{"PHONE_TAKEN phone"}},
		{func(input *loyalty.EnrollMemberInput) {
			input.ExternalID, input.Email = pointer("taken"), pointer("free@example.org")
		}, []string{"EXTERNAL_ID_TAKEN externalId"}},
		{func(input *loyalty.EnrollMemberInput) {
			input.Email, input.Phone, input.Locale = pointer("x"), pointer("x"), pointer("")
		}, []string{"INVALID_EMAIL email", "INVALID_PHONE phone", "INVALID_LOCALE locale"}},
	} {
		input := loyalty.EnrollMemberInput{IdempotencyKey: w.Key()}
		test.edit(&input)
		inputs, want = append(inputs, input), append(want, test.want)
	}
	good := loyalty.EnrollMemberInput{IdempotencyKey: w.Key(), DisplayName: pointer("Good")}
	inputs, want = append(inputs, good, good), append(want, nil, nil)
	answers, err := w.Service.Enroll(w.Admin, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		equal(t, "problems", want[i], told(answer.UserErrors))
		if (answer.Member == nil) != (len(want[i]) > 0) {
			t.Errorf("%v and %v", answer.Member, want[i])
		}
	}
	last := len(answers) - 1
	if answers[last].Member.ID != answers[last-1].Member.ID || *answers[last-1].Replayed || !*answers[last].Replayed {
		t.Error("the same key twice in one slice is not a replay")
	}
	// A refusal burns nothing: neither the key nor what was claimed with it.
	mended := inputs[len(inputs)-4]
	mended.ExternalID = nil
	answers, err = w.Service.Enroll(w.Admin, []loyalty.EnrollMemberInput{mended})
	if err != nil || len(answers[0].UserErrors) > 0 || *answers[0].Replayed {
		t.Errorf("mended: %v %v", answers, err)
	}
	clean(t, w)
}

func TestEnroll_Replayed(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	joined := w.Now().Add(-time.Hour)
	input := loyalty.EnrollMemberInput{IdempotencyKey: "key", Email: pointer("ann@example.org"), JoinedAt: &joined}
	again := input
	again.Email, again.JoinedAt = pointer(" ann@example.org"), pointer(joined.In(time.FixedZone("", 3600)))
	other := input
	other.Email = pointer("bob@example.org")
	var members []id.Member
	for i, one := range []loyalty.EnrollMemberInput{input, again} {
		answers, err := w.Service.Enroll(w.Admin, []loyalty.EnrollMemberInput{one})
		if err != nil || len(answers[0].UserErrors) > 0 || *answers[0].Replayed != (i > 0) {
			t.Fatal(answers, err)
		}
		members = append(members, answers[0].Member.ID)
	}
	equal(t, "the replay", members[0], members[1])
	answers, err := w.Service.Enroll(w.Admin, []loyalty.EnrollMemberInput{other})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "other input", []string{"IDEMPOTENCY_KEY_REUSED idempotencyKey"}, told(answers[0].UserErrors))
	// Keys are each caller's own.
	answers, err = w.Service.Enroll(w.As(actor.Support, "support"), []loyalty.EnrollMemberInput{other})
	if err != nil || len(answers[0].UserErrors) > 0 || *answers[0].Replayed {
		t.Errorf("another caller: %v %v", answers, err)
	}
	clean(t, w)
}

// Of two who want the same address at once one gets it, and the other hears why not.
func TestEnroll_Race(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	var group sync.WaitGroup
	for _, emails := range [][]string{{"Ann@example.org", "ann@EXAMPLE.org"}, {"bob@example.org", "BOB@example.org", "Bob@Example.Org"}} {
		inputs := make([]loyalty.EnrollMemberInput, len(emails))
		answers := make([]loyalty.Enrollment, len(emails))
		for i, email := range emails {
			inputs[i] = loyalty.EnrollMemberInput{IdempotencyKey: w.Key(), Email: &email}
			group.Go(func() {
				got, err := w.Service.Enroll(w.Admin, inputs[i:i+1])
				if err != nil {
					t.Error(err)
					return
				}
				answers[i] = got[0]
			})
		}
		group.Wait()
		winners := 0
		for _, answer := range answers {
			if answer.Member != nil {
				winners++
				continue
			}
			equal(t, "the loser", []string{"EMAIL_TAKEN email"}, told(answer.UserErrors))
		}
		equal(t, "winners", 1, winners)
	}
	clean(t, w)
}

func TestUpdateMember(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	ann := w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.Email, input.ExternalID = pointer("ann@example.org"), pointer("ann")
	})
	bob := w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.Email, input.ExternalID = pointer("bob@example.org"), pointer("bob")
	})
	email := func(text *string) loyalty.MemberEdit { return func(member *loyalty.Member) { member.Email = text } }
	_, err := w.Service.UpdateMember(w.Admin, bob.ID, nil, email(pointer("ANN@example.org")))
	refused(t, "taken", err, "EMAIL_TAKEN email")
	_, err = w.Service.UpdateMember(w.Admin, bob.ID, nil, email(pointer("nonsense")))
	refused(t, "nonsense", err, "INVALID_EMAIL email")
	_, err = w.Service.UpdateMember(w.Admin, id.New[id.Member](), nil, email(nil))
	refused(t, "nobody", err, "UNKNOWN_MEMBER memberId")
	_, err = w.Service.UpdateMember(w.As(actor.Member, "ann"), bob.ID, nil, email(nil))
	refused(t, "somebody else", err, "UNKNOWN_MEMBER memberId")
	if _, err := w.Service.UpdateMember(w.As(actor.Member, "ann"), ann.ID, []value.Attribute{}, email(nil)); !errors.Is(err, problem.Forbidden) {
		t.Errorf("attributes of one's own: %v", err)
	}
	// In another case it is the same address; given up, it is free.
	changed, err := w.Service.UpdateMember(w.As(actor.Member, "ann"), ann.ID, nil, email(pointer("Ann@Example.org")))
	if err != nil || *changed.Email != "Ann@Example.org" {
		t.Errorf("another case: %v %v", changed, err)
	}
	clean(t, w)
	if _, err := w.Service.UpdateMember(w.Admin, ann.ID, []value.Attribute{{Name: "b", Value: "1"}, {Name: "a", Value: ""}}, email(nil)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Service.UpdateMember(w.Admin, bob.ID, nil, email(pointer("ann@example.org"))); err != nil {
		t.Errorf("given up: %v", err)
	}
	found, err := w.Service.Member(w.Admin, loyalty.MemberRef{Email: pointer("ann@example.org")})
	if err != nil || found == nil || found.ID != bob.ID {
		t.Errorf("found by it: %v %v", found, err)
	}
	clean(t, w)
}

func TestSuspendMember(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	member := w.Enroll()
	_, err := w.Service.SuspendMember(w.Admin, member.ID, "")
	refused(t, "no reason", err, "REASON_REQUIRED reason")
	for range 2 {
		suspended, err := w.Service.SuspendMember(w.Admin, member.ID, "A test")
		if err != nil || suspended.Status != loyalty.Suspended {
			t.Errorf("suspended: %v %v", suspended, err)
		}
	}
	equal(t, "it earns", []int64{5}, points(w.Purchase(member, "5.00")))
	reinstated, err := w.Service.ReinstateMember(w.Admin, member.ID, "A test")
	if err != nil || reinstated.Status != loyalty.Active {
		t.Errorf("reinstated: %v %v", reinstated, err)
	}
	_, err = w.Service.SuspendMember(w.Admin, id.New[id.Member](), "A test")
	refused(t, "nobody", err, "UNKNOWN_MEMBER memberId")
	clean(t, w)
}

func TestListMembers(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	var all []id.Member
	for _, name := range []string{"Ann Bee", "anna", "Bob", "Ännchen"} {
		all = append(all, w.Enroll(func(input *loyalty.EnrollMemberInput) { input.DisplayName = &name }).ID)
	}
	if _, err := w.Service.SuspendMember(w.Admin, all[2], "A test"); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		filter loyalty.MemberFilter
		want   []id.Member
	}{
		"all":       {loyalty.MemberFilter{}, all},
		"by name":   {loyalty.MemberFilter{Query: pointer(" ANN")}, all[:2]},
		"suspended": {loyalty.MemberFilter{Status: pointer(loyalty.Suspended)}, all[2:3]},
		"nobody":    {loyalty.MemberFilter{Query: pointer("ann"), Status: pointer(loyalty.Suspended)}, nil},
		"a null":    {loyalty.MemberFilter{Query: pointer("\x00")}, nil},
	} {
		var got []id.Member
		var after *string
		for {
			list, err := w.Service.ListMembers(w.Admin, test.filter, pointer(1), after)
			if err != nil {
				t.Fatal(err)
			}
			for _, member := range list.Nodes {
				got = append(got, member.ID)
			}
			if total, err := list.Total(w.Admin); err != nil || total != len(test.want) {
				t.Errorf("%s: %d in all, want %d (%v)", name, total, len(test.want), err)
			}
			if after = list.PageInfo.EndCursor; !list.PageInfo.HasNextPage {
				break
			}
		}
		equal(t, name, test.want, got)
	}
}

// Of many in one slice that want the same address, the first gets it.
func TestEnroll_FirstOfASlice(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	address := "dup@example.org"
	inputs := make([]loyalty.EnrollMemberInput, 30)
	for i := range inputs {
		inputs[i] = loyalty.EnrollMemberInput{Email: &address, IdempotencyKey: w.Key()}
	}
	answers, err := w.Service.Enroll(w.Admin, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, answer := range answers {
		if first := i == 0; first != (answer.Member != nil) {
			t.Errorf("number %d: %v", i, answer.UserErrors)
		}
	}
	clean(t, w)
}

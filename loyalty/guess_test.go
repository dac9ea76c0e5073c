package loyalty_test

import (
	"errors"
	"testing"
	"time"

	"regulars/internal/actor"
	"regulars/internal/problem"
	"regulars/internal/ratelimit"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

const stock = 10

// guarded is a world with a service that gives each caller a stock of guesses and one more a minute.
func guarded(t *testing.T) (*loyaltytest.World, *loyalty.Service) {
	t.Helper()
	w := loyaltytest.New(t)
	return w, w.Service.WithGuesses(ratelimit.New(1, time.Minute, stock, w.Clock.Now))
}

func number(text string) loyalty.MemberRef { return loyalty.MemberRef{Number: &text} }

// limited wants err to be RATE_LIMITED for so long.
func limited(t *testing.T, what string, err error, wait time.Duration) {
	t.Helper()
	var failure problem.Failure
	if !errors.As(err, &failure) || failure.Code != problem.CodeRateLimited || failure.Wait != wait {
		t.Errorf("%s: got %v, want RATE_LIMITED for %v", what, err, wait)
	}
}

func answered(t *testing.T, what string, err error) {
	t.Helper()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

func TestGuesses_LookUp(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	member := w.Enroll()
	ctx := w.As(actor.Support, "guesser")
	for range 3 * stock {
		if found, err := service.Member(ctx, number(member.Number)); err != nil || found == nil {
			t.Fatalf("finding a member costs: %v, %v", found, err)
		}
	}
	for range stock {
		if found, err := service.Member(ctx, number("000000000000")); err != nil || found != nil {
			t.Fatalf("a guess is answered %v, %v", found, err)
		}
	}
	_, err := service.Member(ctx, number("000000000000"))
	limited(t, "a wrong guess", err, time.Minute)
	_, err = service.Member(ctx, number(member.Number))
	limited(t, "a right guess", err, time.Minute)
	found, err := service.Member(ctx, loyaltytest.Ref(member))
	answered(t, "a look-up by id", err)
	if found == nil {
		t.Error("a look-up by id finds nobody")
	}
	_, err = service.Member(w.As(actor.Support, "other"), number(member.Number))
	answered(t, "another caller", err)
	_, err = service.ListMembers(ctx, loyalty.MemberFilter{Query: &member.Number}, nil, nil)
	limited(t, "a search", err, time.Minute)
	list, err := service.ListMembers(ctx, loyalty.MemberFilter{}, nil, nil)
	answered(t, "a list", err)
	equal(t, "a list", 1, len(list.Nodes))
	_, err = service.WithGuesses(nil).Member(ctx, number(member.Number))
	answered(t, "a service without limits", err)
	w.Clock.Advance(time.Minute)
	if found, err := service.Member(ctx, number(member.Number)); err != nil || found == nil {
		t.Errorf("a minute later the right guess is answered %v, %v", found, err)
	}
}

// What a guess costs must not tell whether there was somebody who cannot be seen.
func TestGuesses_Unseen(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	there, ctx := w.Enroll(), w.As(actor.Organizer, "organizer")
	for range stock {
		if found, err := service.Member(ctx, number(there.Number)); err != nil || found != nil {
			t.Fatalf("an organizer is answered %v, %v", found, err)
		}
	}
	_, err := service.Member(ctx, number(there.Number))
	limited(t, "a member that cannot be seen", err, time.Minute)
}

func TestGuesses_Writes(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	member := w.Enroll()
	purchase := func(ref loyalty.MemberRef) loyalty.RecordPurchaseInput {
		return w.PurchaseInput(member, "5", func(input *loyalty.RecordPurchaseInput) { input.Member = ref })
	}
	activity := func(ref loyalty.MemberRef) loyalty.RecordActivityInput {
		return loyalty.RecordActivityInput{Member: ref, Type: "VISIT", Source: "s", ExternalID: w.Key(), OccurredAt: w.Now()}
	}
	adjust := func(ref loyalty.MemberRef) loyalty.AdjustPointsInput {
		return loyalty.AdjustPointsInput{Member: ref, Points: 1, Reason: "x", IdempotencyKey: w.Key()}
	}
	// A batch may cost more than is left.
	ctx, batch := w.As(actor.Support, "importer"), make([]loyalty.RecordPurchaseInput, stock+5)
	for i := range batch {
		batch[i] = purchase(number("0"))
	}
	recorded, err := service.RecordPurchases(ctx, batch)
	answered(t, "a batch", err)
	equal(t, "a batch of guesses", []string{"UNKNOWN_MEMBER member"}, told(recorded[stock+4].UserErrors))
	const debt = 6 * time.Minute

	_, err = service.RecordPurchases(ctx, []loyalty.RecordPurchaseInput{purchase(loyaltytest.Ref(member)), purchase(number(member.Number))})
	limited(t, "a purchase", err, debt)
	_, err = service.RecordActivities(ctx, []loyalty.RecordActivityInput{activity(number(member.Number))})
	limited(t, "an activity", err, debt)
	_, err = service.AdjustPoints(ctx, adjust(number(member.Number)))
	limited(t, "an adjustment", err, debt)
	_, err = service.FindMembers(ctx, []loyalty.MemberRef{number(member.Number)})
	limited(t, "a search", err, debt)
	if balance := w.Balance(member); balance.Available != 0 {
		t.Errorf("what was refused gave %d points", balance.Available)
	}

	_, err = service.RecordPurchases(ctx, []loyalty.RecordPurchaseInput{purchase(loyaltytest.Ref(member))})
	answered(t, "a purchase by id", err)
	_, err = service.RecordActivities(ctx, []loyalty.RecordActivityInput{activity(loyaltytest.Ref(member))})
	answered(t, "an activity by id", err)
	_, err = service.AdjustPoints(ctx, adjust(loyaltytest.Ref(member)))
	answered(t, "an adjustment by id", err)

	// Each of them costs a guess.
	for name, guess := range map[string]func() error{
		"activity": func() error {
			_, err := service.RecordActivities(w.As(actor.Support, "activity"), []loyalty.RecordActivityInput{activity(number("0"))})
			return err
		},
		"adjustment": func() error {
			_, err := service.AdjustPoints(w.As(actor.Support, "adjustment"), adjust(number("0")))
			if _, ok := problem.UserErrors(err); ok {
				return nil
			}
			return err
		},
		"list": func() error {
			_, err := service.ListMembers(w.As(actor.Support, "list"), loyalty.MemberFilter{Query: pointer("000000")}, pointer(0), nil)
			return err
		},
		"search": func() error {
			_, err := service.FindMembers(w.As(actor.Support, "search"), []loyalty.MemberRef{number("0")})
			return err
		},
	} {
		for range stock {
			answered(t, name, guess())
		}
		limited(t, name, guess(), time.Minute)
	}

	// The program itself is never limited.
	for range 2 {
		_, err = service.RecordPurchases(w.Admin, batch)
		answered(t, "the program itself", err)
	}
}

func TestGuesses_Taken(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.ExternalID, input.Email, input.Phone = pointer("ada"), pointer("ada@club.example"), pointer("+14155550123")
	})
	mallory := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("mallory") })
	enroll := func(who string, input loyalty.EnrollMemberInput) (loyalty.Enrollment, error) {
		input.IdempotencyKey = w.Key()
		answers, err := service.Enroll(w.As(actor.Member, who), []loyalty.EnrollMemberInput{input})
		if err != nil {
			return loyalty.Enrollment{}, err
		}
		return answers[0], nil
	}
	taken := loyalty.EnrollMemberInput{Email: pointer("ADA@club.example"), Phone: pointer("+14155550123")}
	for range stock / 2 {
		answer, err := enroll("eve", taken)
		answered(t, "an enrollment", err)
		equal(t, "an enrollment", []string{"EMAIL_TAKEN email", "PHONE_TAKEN phone"}, told(answer.UserErrors))
	}
	_, err := enroll("eve", taken)
	limited(t, "an e-mail address that is taken", err, time.Minute)
	_, err = enroll("eve", loyalty.EnrollMemberInput{Email: pointer("free@club.example")})
	limited(t, "an e-mail address that is free", err, time.Minute)
	_, err = enroll("eve", loyalty.EnrollMemberInput{ExternalID: pointer("eve")})
	answered(t, "a member that names nothing of others", err)

	// Here a free address costs nothing, and one of another member a guess.
	rename := func(email string) error {
		_, err := service.UpdateMember(w.As(actor.Member, "mallory"), mallory.ID, []value.Attribute(nil), func(member *loyalty.Member) { member.Email = &email })
		return err
	}
	for range stock {
		answered(t, "a change", rename("mallory@club.example"))
		refused(t, "a change", rename("ada@club.example"), "EMAIL_TAKEN email")
	}
	limited(t, "a change to what is taken", rename("ada@club.example"), time.Minute)
	limited(t, "a change to what is free", rename("m@club.example"), time.Minute)
	_, err = service.UpdateMember(w.As(actor.Member, "mallory"), mallory.ID, nil, func(member *loyalty.Member) { member.DisplayName = pointer("M") })
	answered(t, "a change of the name", err)
}

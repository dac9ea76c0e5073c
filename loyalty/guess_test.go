package loyalty_test

import (
	"context"
	"errors"
	"fmt"
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

// guarded is a world with a service that gives each caller a stock of guesses and one more a minute, and each member a stock of
// tries and one more an hour.
func guarded(t *testing.T) (*loyaltytest.World, *loyalty.Service) {
	t.Helper()
	w := loyaltytest.New(t)
	return w, w.Service.WithGuesses(ratelimit.New(1, time.Minute, stock, w.Clock.Now), ratelimit.New(1, time.Hour, stock, w.Clock.Now))
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
	_, err = service.WithGuesses(nil, nil).Member(ctx, number(member.Number))
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

// A member pays for every address and number that it names, whoever has it.
func TestGuesses_Tries(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.ExternalID, input.Email, input.Phone = pointer("ada"), pointer("ada@club.example"), pointer("+14155550123")
	})
	mallory := w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.ExternalID, input.Email = pointer("mallory"), pointer("m@club.example")
	})
	enroll := func(who string, input loyalty.EnrollMemberInput) (loyalty.Enrollment, error) {
		input.IdempotencyKey = w.Key()
		answers, err := service.Enroll(w.As(actor.Member, who), []loyalty.EnrollMemberInput{input})
		if err != nil {
			return loyalty.Enrollment{}, err
		}
		return answers[0], nil
	}
	taken := loyalty.EnrollMemberInput{Email: pointer("ADA@club.example"), Phone: pointer("+14155550123")}
	for range stock/2 - 1 {
		answer, err := enroll("eve", taken)
		answered(t, "an enrollment", err)
		equal(t, "an enrollment", []string{"EMAIL_TAKEN email", "PHONE_TAKEN phone"}, told(answer.UserErrors))
	}
	answer, err := enroll("eve", loyalty.EnrollMemberInput{Email: taken.Email})
	answered(t, "an enrollment", err)
	equal(t, "an enrollment", []string{"EMAIL_TAKEN email"}, told(answer.UserErrors))
	_, err = enroll("eve", taken)
	limited(t, "two with one try left", err, time.Hour)
	answer, err = enroll("eve", loyalty.EnrollMemberInput{Email: pointer("free@club.example")})
	answered(t, "the last try", err)
	equal(t, "the last try", nil, told(answer.UserErrors))
	_, err = enroll("eve", loyalty.EnrollMemberInput{Email: taken.Email})
	limited(t, "an e-mail address that is taken", err, time.Hour)
	_, err = enroll("eve", loyalty.EnrollMemberInput{Email: pointer("f@club.example")})
	limited(t, "an e-mail address that is free", err, time.Hour)
	_, err = enroll("eve", loyalty.EnrollMemberInput{})
	answered(t, "a member that names no contact", err)

	change := func(edit func(*loyalty.Member)) error {
		_, err := service.UpdateMember(w.As(actor.Member, "mallory"), mallory.ID, []value.Attribute(nil), edit)
		return err
	}
	rename := func(email string) error { return change(func(member *loyalty.Member) { member.Email = &email }) }
	clear := func(member *loyalty.Member) { member.Email, member.Phone = nil, nil }
	for i := range stock / 2 {
		answered(t, "its own address", rename("M@club.example"))
		answered(t, "no address", change(clear))
		answered(t, "an address", rename("m@club.example"))
		refused(t, fmt.Sprint("an address of another member, ", i), rename("ada@club.example"), "EMAIL_TAKEN email")
	}
	limited(t, "a change to what is taken", rename("ada@club.example"), time.Hour)
	limited(t, "a change to what is free", rename("free2@club.example"), time.Hour)
	answered(t, "a change of the name", change(func(member *loyalty.Member) { member.DisplayName = pointer("M") }))
	answered(t, "no address", change(clear))
	w.Clock.Advance(time.Hour)
	answered(t, "an hour later", rename("m@club.example"))
	limited(t, "once in an hour", rename("ada@club.example"), time.Hour)

	// Out of tries, nothing is asked of the database.
	waiting, cancel := context.WithCancel(w.As(actor.Member, "mallory"))
	cancel()
	_, err = service.UpdateMember(waiting, mallory.ID, nil, func(member *loyalty.Member) { member.Email = pointer("x@club.example") })
	limited(t, "without a database", err, time.Hour)
	_, err = service.Enroll(waiting, []loyalty.EnrollMemberInput{{Email: pointer("x@club.example"), IdempotencyKey: w.Key()}})
	limited(t, "without a database", err, time.Hour)
}

// What the database makes the program do twice is paid for once.
func TestGuesses_Retries(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	member := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("eve") })
	if _, err := w.DB.Exec(t.Context(), `
		create sequence runs;
		create function fail_first() returns trigger language plpgsql as $$
		begin
			if nextval('runs') % 3 <> 0 then raise exception using errcode = '40001'; end if;
			return new;
		end $$;
		create trigger fail_first before insert on activities for each statement execute function fail_first();
		create trigger fail_first before update on members for each statement execute function fail_first()`); err != nil {
		t.Fatal(err)
	}
	ctx := w.As(actor.Support, "guesser")
	unknown := w.PurchaseInput(member, "10")
	unknown.Member = number("0")
	recorded, err := service.RecordPurchases(ctx, []loyalty.RecordPurchaseInput{w.PurchaseInput(member, "10"), unknown})
	answered(t, "a purchase", err)
	equal(t, "a purchase", nil, told(recorded[0].UserErrors))
	for range stock - 1 {
		_, err := service.Member(ctx, number("0"))
		answered(t, "a guess that is left", err)
	}
	_, err = service.Member(ctx, number("0"))
	limited(t, "a guess too many", err, time.Minute)

	for i := range stock {
		_, err := service.UpdateMember(w.As(actor.Member, "eve"), member.ID, nil, func(changed *loyalty.Member) {
			changed.Email = pointer(fmt.Sprintf("eve%d@club.example", i))
		})
		answered(t, "a try that is left", err)
	}
	var runs int
	if err := w.DB.Get(t.Context(), &runs, `select last_value from runs`); err != nil || runs != 3*(1+stock) {
		t.Errorf("the transactions ran %d times, %v", runs, err)
	}
}

// A change of another member tells nothing and costs nothing.
func TestGuesses_TriesOfStrangers(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	ada := w.Enroll(func(input *loyalty.EnrollMemberInput) { input.ExternalID = pointer("ada") })
	for range 2 * stock {
		_, err := service.UpdateMember(w.As(actor.Member, "eve"), ada.ID, nil, func(member *loyalty.Member) { member.Email = pointer("x@club.example") })
		refused(t, "another member", err, "UNKNOWN_MEMBER memberId")
	}
}

// One visitor of a shop cannot stop its sign-ups.
func TestGuesses_SignUps(t *testing.T) {
	t.Parallel()
	w, service := guarded(t)
	taken := loyalty.EnrollMemberInput{ExternalID: pointer("ada"), Email: pointer("ada@club.example"), Phone: pointer("+14155550123")}
	w.Enroll(func(input *loyalty.EnrollMemberInput) {
		input.ExternalID, input.Email, input.Phone = taken.ExternalID, taken.Email, taken.Phone
	})
	other := w.Enroll()
	for name, ctx := range map[string]context.Context{
		"shop":    actor.With(t.Context(), actor.Actor{Caller: "client:shop", Scopes: []actor.Scope{actor.MembersWrite}}),
		"support": w.As(actor.Support, ""), "admin": w.As(actor.Admin, ""),
	} {
		for range 2 * stock {
			taken.IdempotencyKey = w.Key()
			answers, err := service.Enroll(ctx, []loyalty.EnrollMemberInput{taken})
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			equal(t, name, []string{"EXTERNAL_ID_TAKEN externalId", "EMAIL_TAKEN email", "PHONE_TAKEN phone"}, told(answers[0].UserErrors))
			_, err = service.UpdateMember(ctx, other.ID, nil, func(member *loyalty.Member) { member.Email = taken.Email })
			refused(t, name, err, "EMAIL_TAKEN email")
		}
		answers, err := service.Enroll(ctx, []loyalty.EnrollMemberInput{{Email: pointer(name + "@club.example"), IdempotencyKey: w.Key()}})
		answered(t, name, err)
		equal(t, name, nil, told(answers[0].UserErrors))
	}
}

package loyalty_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
)

// stands is a standing in short.
type stands struct {
	Tier       string
	Since      time.Time
	ValidUntil *time.Time
	Qualifying int64
	// What is missing for the next tier and to keep this one; -1: nothing to reach, or to worry about.
	Next, Keep int64
}

func standing(w *loyaltytest.World, member *loyalty.Member) stands {
	found := w.Standing(member)
	short := stands{Tier: found.Tier.Name, Since: found.Since, ValidUntil: found.ValidUntil, Qualifying: found.QualifyingPoints, Next: -1, Keep: -1}
	if found.Next != nil {
		short.Next = found.Next.Missing
	}
	if found.Keep != nil {
		short.Keep = found.Keep.Missing
	}
	return short
}

// sameInstants compares instants, whatever zone they are written in.
var sameInstants = cmp.Comparer(func(a, b time.Time) bool { return a.Equal(b) })

func wantStanding(t *testing.T, what string, want, got stands) {
	t.Helper()
	if difference := cmp.Diff(want, got, sameInstants); difference != "" {
		t.Errorf("%s: %s", what, difference)
	}
}

func ladder(t *testing.T) *loyaltytest.World {
	t.Helper()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Tier("Silver", 1, 100)
	w.Tier("Gold", 2, 500)
	return w
}

func TestStanding_Rise(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	joined := w.Now()
	member := w.Enroll()
	wantStanding(t, "at first", stands{Tier: "Member", Since: joined, Next: 100, Keep: -1}, standing(w, member))
	w.Clock.Advance(time.Hour)
	first := w.Purchase(member, "99.00")
	wantStanding(t, "one short", stands{Tier: "Member", Since: joined, Qualifying: 99, Next: 1, Keep: -1}, standing(w, member))
	w.Clock.Advance(time.Hour)
	reached, until := w.Now(), w.Now().AddDate(1, 0, 0)
	w.Purchase(member, "1.00")
	silver := stands{Tier: "Silver", Since: reached, ValidUntil: &until, Qualifying: 100, Next: 400, Keep: 100}
	wantStanding(t, "reached", silver, standing(w, member))

	// Spending and corrections move nothing.
	w.Adjust(member, -90)
	w.Adjust(member, 1000)
	wantStanding(t, "after spending", silver, standing(w, member))

	// Neither does a return, until the review; but what was taken back is missing for the next tier.
	w.Return(first)
	silver.Qualifying, silver.Next = 1, 499
	wantStanding(t, "after a return", silver, standing(w, member))
	w.Clock.Advance(time.Hour)
	reached, until = w.Now(), w.Now().AddDate(1, 0, 0)
	w.Purchase(member, "499.00")
	wantStanding(t, "top", stands{Tier: "Gold", Since: reached, ValidUntil: &until, Qualifying: 500, Next: -1, Keep: 500}, standing(w, member))
	clean(t, w)
}

// A late fact counts where it happened, and moves the tier from when it is known.
func TestStanding_LateFact(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll()
	w.Clock.Advance(30 * 24 * time.Hour)
	happened := w.Now()
	w.Clock.Advance(300 * 24 * time.Hour)
	known, until := w.Now(), w.Now().AddDate(1, 0, 0)
	w.Purchase(member, "150.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = happened })
	wantStanding(t, "known", stands{Tier: "Silver", Since: known, ValidUntil: &until, Qualifying: 150, Next: 350, Keep: 100}, standing(w, member))
	w.Clock.Set(happened.AddDate(1, 0, 0).Add(-time.Microsecond))
	equal(t, "counts until", 150, standing(w, member).Qualifying)
	w.Clock.Advance(time.Microsecond)
	equal(t, "counts no more", 0, standing(w, member).Qualifying)

	ancient := w.Enroll()
	w.Purchase(ancient, "150.00", func(input *loyalty.RecordPurchaseInput) { input.OccurredAt = w.Now().AddDate(-1, 0, 0) })
	equal(t, "too old to count", "Member", standing(w, ancient).Tier)
	clean(t, w)
}

// What is read after years without a posting is what the next posting writes.
func TestStanding_Reviews(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	start := w.Now().Add(time.Hour)
	day := func(n int) time.Time { return start.AddDate(0, 0, n) }
	type step struct {
		at   int
		want stands
	}
	until := func(n, years int) *time.Time { return pointer(day(n).AddDate(years, 0, 0)) }
	for name, test := range map[string]struct {
		purchases map[int]string
		steps     []step
	}{
		"lapses, and lapses further": {map[int]string{0: "500.00", 200: "120.00"}, []step{
			{364, stands{Tier: "Gold", Since: day(0), ValidUntil: until(0, 1), Qualifying: 620, Next: -1, Keep: 380}},
			{365, stands{Tier: "Silver", Since: day(365), ValidUntil: until(0, 2), Qualifying: 120, Next: 380, Keep: 100}},
			{565, stands{Tier: "Silver", Since: day(365), ValidUntil: until(0, 2), Qualifying: 0, Next: 500, Keep: 100}},
			{730, stands{Tier: "Member", Since: day(730), Next: 100, Keep: -1}},
			{3000, stands{Tier: "Member", Since: day(730), Next: 100, Keep: -1}},
		}},
		"is kept, and lapses later": {map[int]string{0: "100.00", 300: "100.00"}, []step{
			{365, stands{Tier: "Silver", Since: day(0), ValidUntil: until(0, 2), Qualifying: 100, Next: 400, Keep: 100}},
			{730, stands{Tier: "Member", Since: day(730), Next: 100, Keep: -1}},
		}},
		"keeps what is earned already": {map[int]string{0: "100.00", 300: "130.00"}, []step{
			{301, stands{Tier: "Silver", Since: day(0), ValidUntil: until(0, 1), Qualifying: 230, Next: 270, Keep: -1}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ladder(t)
			read, posted := w.Enroll(), w.Enroll()
			for n := range 301 {
				if total, ok := test.purchases[n]; ok {
					w.Clock.Set(day(n))
					w.Purchase(read, total)
					w.Purchase(posted, total)
				}
			}
			for _, step := range test.steps {
				w.Clock.Set(day(step.at))
				wantStanding(t, fmt.Sprintf("day %d, read", step.at), step.want, standing(w, read))
				w.Purchase(posted, "0.50")
				wantStanding(t, fmt.Sprintf("day %d, posted", step.at), step.want, standing(w, posted))
			}
			w.Purchase(read, "0.50")
			wantStanding(t, "posted in the end", test.steps[len(test.steps)-1].want, standing(w, read))
			clean(t, w)
		})
	}
}

// Periods follow the program's calendar, whatever its clocks do.
func TestStanding_Calendar(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ reached, until, review string }{
		"into summer time":   {"2025-03-29T12:00:00Z", "2026-03-29T11:00:00Z", "Member"},
		"out of summer time": {"2025-10-25T12:00:00Z", "2026-10-25T13:00:00Z", "Member"},
		"29 February":        {"2028-02-29T22:30:00Z", "2029-02-28T22:30:00Z", "Silver"},
		"last of the month":  {"2025-12-31T23:30:00Z", "2026-12-31T23:30:00Z", "Member"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
			w.Rule(w.PerAmount(1, "1.00"))
			w.Tier("Silver", 1, 100)
			member := w.Enroll()
			reached, _ := time.Parse(time.RFC3339, test.reached)
			until, _ := time.Parse(time.RFC3339, test.until)
			w.Clock.Set(reached)
			w.Purchase(member, "100.00")
			wantStanding(t, "reached", stands{Tier: "Silver", Since: reached, ValidUntil: &until, Qualifying: 100, Next: -1, Keep: standing(w, member).Keep}, standing(w, member))
			w.Clock.Set(until.Add(-time.Microsecond))
			equal(t, "to the last instant", "Silver", standing(w, member).Tier)
			w.Clock.Set(until)
			// On 28 February the 29th of the year before lies within the last 12 months.
			equal(t, "reviewed", test.review, standing(w, member).Tier)
			w.Purchase(member, "0.50")
			equal(t, "posted", test.review, standing(w, member).Tier)
			clean(t, w)
		})
	}
}

// On 29 February what qualified on the 28th of the year before counts no more than it did on the 28th.
func TestStanding_LeapDay(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	member := w.Enroll()
	w.Clock.Set(time.Date(2027, 2, 28, 12, 30, 0, 0, time.UTC))
	w.Purchase(member, "60.00")
	w.Clock.Set(time.Date(2028, 2, 28, 13, 0, 0, 0, time.UTC))
	equal(t, "on the 28th", 0, standing(w, member).Qualifying)
	w.Purchase(member, "60.00")
	w.Clock.Set(time.Date(2028, 2, 29, 12, 0, 0, 0, time.UTC))
	equal(t, "on the 29th", 60, standing(w, member).Qualifying)
	w.Purchase(member, "1.00")
	equal(t, "on the 29th, posted", 61, standing(w, member).Qualifying)
	clean(t, w)
}

func TestCreateTier_Refused(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	for _, test := range []struct {
		name  string
		input loyalty.TierInput
		want  []string
	}{
		{"no name", loyalty.TierInput{Rank: 3, Threshold: 900}, []string{"INVALID_NAME name"}},
		{"threshold of 0", loyalty.TierInput{Name: "X", Rank: 3}, []string{
			"INVALID_POINTS threshold", "INVALID_TIERS threshold", "INVALID_TIERS threshold", "INVALID_TIERS threshold"}},
		{"the lowest rank", loyalty.TierInput{Name: "X", Threshold: 50}, []string{"INVALID_TIERS rank"}},
		{"rank taken", loyalty.TierInput{Name: "X", Rank: 1, Threshold: 50}, []string{"INVALID_TIERS rank"}},
		{"threshold taken", loyalty.TierInput{Name: "X", Rank: 3, Threshold: 500}, []string{"INVALID_TIERS threshold"}},
		{"name taken", loyalty.TierInput{Name: "Gold", Rank: 3, Threshold: 900}, []string{"INVALID_TIERS name"}},
		{"higher and easier", loyalty.TierInput{Name: "X", Rank: 3, Threshold: 200}, []string{"INVALID_TIERS threshold"}},
	} {
		_, err := w.Service.CreateTier(w.Admin, test.input)
		refused(t, test.name, err, test.want...)
	}
	found, err := w.Service.Tiers(w.Admin)
	if err != nil || len(found) != 3 {
		t.Errorf("%v %v", found, err)
	}
}

// A new tier promotes those who reach it, batch by batch, and goes on where it was interrupted.
// How the program counts is for those who may read it; where a member stands is for whoever works with members.
func TestTiers_Access(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	gold := w.Tier("Gold", 1, 100)
	member := w.Enroll()
	client := func(scopes ...actor.Scope) context.Context {
		return actor.With(t.Context(), actor.Actor{Caller: "client:till", Scopes: scopes})
	}
	for name, ctx := range map[string]context.Context{
		"member": w.As(actor.Member, "x"), "organizer": w.As(actor.Organizer, "x"), "marketer": w.As(actor.Marketer, "x"),
		"support": w.As(actor.Support, "x"), "admin": w.As(actor.Admin, "x"), "program:read": client(actor.ProgramRead),
	} {
		if ladder, err := w.Service.Tiers(ctx); err != nil || len(ladder) != 2 {
			t.Errorf("%s: tiers are %v, %v", name, ladder, err)
		}
		if settings, err := w.Service.Program(ctx); err != nil || settings == nil {
			t.Errorf("%s: the program is %v, %v", name, settings, err)
		}
	}
	till := client(actor.PurchasesWrite, actor.MembersRead, actor.MembersWrite)
	if _, err := w.Service.Tiers(till); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a till reads the ladder: %v", err)
	}
	if _, err := w.Service.Program(till); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a till reads the program: %v", err)
	}
	standings, err := w.Service.Standings(till, []id.Member{member.ID}, nil)
	if err != nil || standings[member.ID] == nil || standings[member.ID].Next.Tier.ID != gold.ID {
		t.Errorf("for a till the member stands at %v, %v", standings[member.ID], err)
	}
	if tier, err := w.Service.Tier(till, gold.ID); err != nil || tier == nil || tier.Name != "Gold" {
		t.Errorf("for a till the tier is %v, %v", tier, err)
	}
	if tier, err := w.Service.Tier(till, id.New[id.Tier]()); err != nil || tier != nil {
		t.Errorf("a tier that is not there is %v, %v", tier, err)
	}
}

func TestCreateTier_Promotes(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	const crowd = 1300
	var members []id.Member
	for len(members) < crowd {
		inputs := make([]loyalty.EnrollMemberInput, crowd/2)
		for i := range inputs {
			inputs[i].IdempotencyKey = w.Key()
		}
		answers, err := w.Service.Enroll(w.Admin, inputs)
		if err != nil {
			t.Fatal(err)
		}
		purchases := make([]loyalty.RecordPurchaseInput, len(answers))
		for i, answer := range answers {
			members = append(members, answer.Member.ID)
			total := "60.00"
			if i%13 == 0 {
				total = "40.00"
			}
			purchases[i] = w.PurchaseInput(answer.Member, total)
		}
		if _, err := w.Service.RecordPurchases(w.Admin, purchases); err != nil {
			t.Fatal(err)
		}
	}
	// The program dies behind the first batch, as far as the database can tell.
	if _, err := w.DB.Exec(w.Admin, `create function die() returns trigger language plpgsql as 'begin raise exception $$dead$$; end'`); err != nil {
		t.Fatal(err)
	}
	if _, err := w.DB.Exec(w.Admin, fmt.Sprintf(`create trigger dies before insert on tier_moves for each row when (new.member_id = '%s') execute function die()`,
		uuid.UUID(members[crowd/2+5]))); err != nil {
		t.Fatal(err)
	}
	w.Clock.Advance(time.Hour)
	made, err := w.Service.CreateTier(w.Admin, loyalty.TierInput{Name: "Silver", Rank: 1, Threshold: 50})
	if err == nil || !strings.Contains(err.Error(), "dead") {
		t.Fatalf("interrupted: %v", err)
	}
	holders := func() int {
		t.Helper()
		list, err := w.Service.ListMembers(w.Admin, loyalty.MemberFilter{TierID: &made.ID}, pointer(0), nil)
		if err != nil {
			t.Fatal(err)
		}
		total, err := list.Total(w.Admin)
		if err != nil {
			t.Fatal(err)
		}
		return total
	}
	posted := func() int {
		t.Helper()
		var moves int
		if err := w.DB.Get(w.Admin, &moves, `select count(*) from tier_moves where reason = 'LADDER_CHANGED'`); err != nil {
			t.Fatal(err)
		}
		return moves
	}
	equal(t, "posted by the first batch", 500, posted())
	equal(t, "hold it at once", crowd-crowd/13, holders())
	clean(t, w)
	if _, err := w.DB.Exec(w.Admin, `drop trigger dies on tier_moves`); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := w.Service.FinishPromotions(w.Admin); err != nil {
			t.Fatal(err)
		}
		equal(t, "posted in the end", crowd-crowd/13, posted())
		equal(t, "promoted in the end", crowd-crowd/13, holders())
	}
	clean(t, w)
}

// A filter by tier sees what has run out, posted or not.
func TestListMembers_ByTier(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	ann, bob := w.Enroll(), w.Enroll()
	w.Purchase(ann, "100.00")
	w.Clock.Advance(200 * 24 * time.Hour)
	w.Purchase(bob, "100.00")
	w.Clock.Advance(200 * 24 * time.Hour)
	ladder, err := w.Service.Tiers(w.Admin)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][]id.Member{"Member": {ann.ID}, "Silver": {bob.ID}, "Gold": nil} {
		for _, tier := range ladder {
			if tier.Name != name {
				continue
			}
			list, err := w.Service.ListMembers(w.Admin, loyalty.MemberFilter{TierID: &tier.ID}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			var got []id.Member
			for _, edge := range list.Edges {
				got = append(got, edge.Node.ID)
			}
			equal(t, name, want, got)
		}
	}
}

// A review that is posted later is the one that was read: tiers that came after it change nothing of it.
func TestCreateTier_NotBeforeItWas(t *testing.T) {
	t.Parallel()
	w := loyaltytest.New(t)
	w.Rule(w.PerAmount(1, "1.00"))
	w.Tier("Silver", 1, 100)
	member := w.Enroll()
	w.Clock.Advance(time.Hour)
	start := w.Now()
	w.Purchase(member, "100.00")
	w.Clock.Set(start.AddDate(0, 0, 300))
	w.Purchase(member, "250.00")
	w.Clock.Set(start.AddDate(0, 0, 400))
	until := start.AddDate(2, 0, 0)
	wantStanding(t, "kept", stands{Tier: "Silver", Since: start, ValidUntil: &until, Qualifying: 250, Next: -1, Keep: 100}, standing(w, member))
	made := w.Tier("Gold", 2, 200)
	found := w.Standing(member)
	if found.Tier.ID != made.ID || found.Since.Before(start.AddDate(0, 0, 400)) || found.ValidUntil.Before(start.AddDate(1, 0, 400)) {
		t.Errorf("%s since %s until %s", found.Tier.Name, found.Since, found.ValidUntil)
	}
	clean(t, w)
}

package loyalty_test

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"regulars/internal/actor"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
	"regulars/loyalty/loyaltytest"
	"regulars/loyalty/tiers"
)

// The job looks only at members who are due, posts what is read already, and leaves nothing.
func TestRecalculateTiers(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	members := crowd(w, "20.00", "150.00", "600.00", "100.00", "700.00")
	if done := recalculate(t, w, 2); done != 0 {
		t.Errorf("%d members were due", done)
	}
	w.Clock.Advance(200 * 24 * time.Hour)
	w.Purchase(members[3], "100.00")
	w.Clock.Advance(200 * 24 * time.Hour)
	before := make([]*loyalty.TierStanding, len(members))
	for i, member := range members {
		before[i] = w.Standing(member)
	}
	equal(t, "due", 4, recalculate(t, w, 3))
	for i, member := range members {
		equal(t, fmt.Sprint("member ", i), before[i], w.Standing(member))
	}
	equal(t, "again", 0, recalculate(t, w, 3))
	clean(t, w)
	for name, ctx := range map[string]context.Context{"marketer": w.As(actor.Marketer, "x"), "support": w.As(actor.Support, "x")} {
		if _, err := w.Service.RecalculateTiers(ctx, 1); err == nil {
			t.Errorf("%s runs the job", name)
		}
	}
}

// However the job is killed, what it has done is done once, and it goes on with the rest.
func TestRecalculateTiers_Killed(t *testing.T) {
	t.Parallel()
	w := ladder(t)
	members := crowd(w, "150.00", "150.00", "150.00", "150.00", "150.00", "150.00")
	w.Clock.Advance(400 * 24 * time.Hour)
	execute(t, w, `create function die() returns trigger language plpgsql as 'begin raise exception $$dead$$; end'`,
		fmt.Sprintf(`create trigger dies before insert on tier_moves for each row when (new.member_id = '%s') execute function die()`, uuid.UUID(members[3].ID)))
	canceled, cancel := context.WithCancel(w.Admin)
	if done, err := w.Service.RecalculateTiers(canceled, 3); done != 3 || err != nil {
		t.Fatalf("the first batch: %d, %v", done, err)
	}
	if _, err := w.Service.RecalculateTiers(w.Admin, 3); err == nil {
		t.Fatal("the second batch lives")
	}
	cancel()
	if _, err := w.Service.RecalculateTiers(canceled, 3); err == nil {
		t.Fatal("a caller that has gone is served")
	}
	clean(t, w)
	execute(t, w, `drop trigger dies on tier_moves`)
	equal(t, "the rest", 3, recalculate(t, w, 2))
	for _, member := range members {
		equal(t, "lines", []tiers.Reason{tiers.Lapsed, tiers.Reached, tiers.Enrolled}, moved(t, w, member))
	}
	clean(t, w)
}

func execute(t *testing.T, w *loyaltytest.World, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := w.DB.Exec(w.Admin, statement); err != nil {
			t.Fatal(err)
		}
	}
}

// history is the lines of a member's tier history, newest first.
func history(t *testing.T, w *loyaltytest.World, member *loyalty.Member) []*loyalty.TierHistoryEntry {
	t.Helper()
	pages, err := w.Service.TierHistories(w.Admin, ids(member), pointer(100), nil)
	if err != nil {
		t.Fatal(err)
	}
	var lines []*loyalty.TierHistoryEntry
	for _, edge := range pages[member.ID].Edges {
		lines = append(lines, edge.Node)
	}
	return lines
}

func moved(t *testing.T, w *loyaltytest.World, member *loyalty.Member) []tiers.Reason {
	t.Helper()
	var list []tiers.Reason
	for _, line := range history(t, w, member) {
		list = append(list, line.Reason)
	}
	return list
}

// Recomputation gives the same whether the job ran all the time, now and then or never: two programs live the same life, one with
// the job and one without, and stand the same at every step, as they do for whoever asks about an earlier instant; in the end
// their histories are the same but for when they were posted.
func TestRecalculateTiers_Same(t *testing.T) {
	t.Parallel()
	lazy, busy := twin(t), twin(t)
	both := []*loyaltytest.World{lazy, busy}
	rapid.Check(t, func(r *rapid.T) {
		members := make([]*loyalty.Member, len(both))
		for i, w := range both {
			policy(t, w, loyalty.TierPolicyInput{Period: tiers.Rolling})
			apply(t, w, loyalty.ApplyTierChangeInput{Tiers: steps(step("Silver", 1, 100), step("Gold", 2, 500)), Mode: tiers.AtNextReview})
			members[i] = w.Enroll()
		}
		type answer struct {
			at   time.Time
			want string
		}
		var answers []answer
		for range rapid.IntRange(6, 12).Draw(r, "steps") {
			what := rapid.SampledFrom([]string{"buy", "buy", "buy", "return", "wait", "wait", "policy", "ladder", "floor", "job"}).Draw(r, "what")
			number, other := rapid.IntRange(0, 900).Draw(r, "number"), rapid.IntRange(0, 5).Draw(r, "other")
			for i, w := range both {
				w.Clock.Advance(time.Second)
				live(t, w, members[i], what, number, other, i == 1)
				w.Clock.Advance(time.Second)
			}
			at := lazy.Now()
			one, two := stated(t, lazy, members[0], nil), stated(t, busy, members[1], nil)
			if one != two {
				r.Fatalf("after %s %d %d: without the job %s, with it %s", what, number, other, one, two)
			}
			answers = append(answers, answer{at, one})
		}
		for _, one := range answers {
			for i, w := range both {
				if got := stated(t, w, members[i], &one.at); got != one.want {
					r.Fatalf("as of %s: %s, it was %s", one.at, got, one.want)
				}
			}
		}
		var lines [2][]string
		for i, w := range both {
			recalculate(t, w, 10)
			for _, line := range history(t, w, members[i]) {
				lines[i] = append(lines[i], fmt.Sprint(second(&line.At), line.Reason, line.To.Name, second(line.ValidUntil), line.Sentence))
			}
		}
		if difference := cmp.Diff(lines[0], lines[1]); difference != "" {
			r.Fatal(difference)
		}
	})
	for _, w := range both {
		clean(t, w)
	}
}

func twin(t *testing.T) *loyaltytest.World {
	t.Helper()
	w := loyaltytest.NewFrom(t, program.Seed{Currency: "EUR", TimeZone: "Europe/Berlin"})
	w.Rule(w.PerAmount(1, "1.00"))
	w.Tier("Silver", 1, 100)
	w.Tier("Gold", 2, 500)
	return w
}

// stated is what a member is told of where it stands.
func stated(t *testing.T, w *loyaltytest.World, member *loyalty.Member, asOf *time.Time) string {
	t.Helper()
	found, err := w.Service.Standings(w.Admin, ids(member), asOf)
	if err != nil {
		t.Fatal(err)
	}
	s := found[member.ID]
	text := fmt.Sprintf("%s since %s until %s, %d points", s.Tier.Name, second(&s.Since), second(s.ValidUntil), s.QualifyingPoints)
	if s.Coming != nil {
		text += fmt.Sprintf(", %s at %s", s.Coming.Tier.Name, second(&s.Coming.At))
	}
	if s.Floor != nil {
		text += fmt.Sprintf(", at least %s until %s", s.Floor.Tier.Name, second(&s.Floor.Until))
	}
	if s.Keep != nil {
		text += fmt.Sprintf(", %d to keep by %s", s.Keep.Missing, second(s.Keep.By))
	}
	return text
}

// second is an instant but for the microseconds by which what is posted together follows each other.
func second(at *time.Time) string {
	if at == nil {
		return "ever"
	}
	return at.UTC().Format(time.RFC3339)
}

// live is a step of a life.
func live(t *testing.T, w *loyaltytest.World, member *loyalty.Member, what string, number, other int, job bool) {
	t.Helper()
	switch what {
	case "buy":
		w.Purchase(member, strconv.Itoa(number)+".00", func(input *loyalty.RecordPurchaseInput) {
			input.OccurredAt = w.Now().AddDate(0, -other, 0)
		})
	case "return":
		w.Return(w.Purchase(member, strconv.Itoa(number)+".00"))
	case "wait":
		w.Clock.Advance(time.Duration(number) * 24 * time.Hour)
	case "policy":
		policy(t, w, loyalty.TierPolicyInput{
			Period: []tiers.Period{tiers.Rolling, tiers.CalendarYear, tiers.MembershipYear, tiers.Lifetime}[number%4],
			Start:  pointer([]tiers.Start{tiers.AtOnce, tiers.NextPeriod}[other%2]), Downgrade: pointer([]tiers.Downgrade{tiers.Requalify, tiers.OneStep, tiers.NeverDown}[other%3]),
			Validity: &value.Period{Months: 1 + number%20}, Grace: &value.Period{Days: other},
		})
	case "ladder":
		input := loyalty.ApplyTierChangeInput{Mode: []tiers.Mode{tiers.Now, tiers.AtNextReview}[number%2]}
		if other%2 == 0 {
			input.Tiers = append(input.Tiers, step("Silver", 1, int64(50+number%100)))
		}
		if other < 4 {
			input.Tiers = append(input.Tiers, step("Gold", 2, int64(200+number)))
		}
		input.Tiers = steps(input.Tiers...)
		if other == 3 && input.Mode == tiers.Now {
			input.ProtectUntil = pointer(w.Now().AddDate(0, 0, 1+number))
		}
		apply(t, w, input)
	case "floor":
		name := []string{"Silver", "Gold", ""}[other%3]
		until := pointer(w.Now().AddDate(0, 0, 1+number))
		if found, err := w.Service.Tiers(w.Admin); err != nil {
			t.Fatal(err)
		} else if name == "" || len(found) < 3 {
			name, until = "", nil
		}
		give(t, w, member, name, until)
	}
	if job {
		recalculate(t, w, 1+other)
	}
}

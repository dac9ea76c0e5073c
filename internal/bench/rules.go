package bench

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/rules"
)

// judgings is how many facts are judged between two looks at the clock: one takes microseconds.
const judgings = 100

// rules measures how long a purchase of five lines is judged by 1, 20 and 200 rules that serve, without a database.
func (w *world) rules() *measurement {
	found := map[int]*series{}
	counts := []int{1, 20, 200}
	for _, count := range counts {
		found[count] = &series{Line: Line{Name: "rules", Operation: fmt.Sprintf("a purchase judged, rules: %d", count), Clients: 1}}
	}
	return &measurement{
		name: "rules",
		run: func(ctx context.Context, _ int) error {
			for _, count := range counts {
				if err := w.judge(ctx, count, found[count]); err != nil {
					return err
				}
			}
			return nil
		},
		lines: func() []Line {
			lines := make([]Line, len(counts))
			for i, count := range counts {
				lines[i] = found[count].line()
			}
			return lines
		},
	}
}

// judge judges a purchase again and again by so many rules.
func (w *world) judge(ctx context.Context, count int, into *series) error {
	asked, err := rules.NewSet(manyRules(count, w.start), nil, time.UTC)
	if err != nil {
		return err
	}
	member := rules.Member{Tier: "Gold", JoinedAt: w.start.AddDate(-1, 0, 0), Locale: "en", Attributes: map[string]string{"shoes": "43"}}
	fact := rules.Fact{
		Type: rules.Purchase, Source: "till", OccurredAt: w.start, RecordedAt: w.start, Total: &value.Money{Minor: 9_995, Currency: currency},
		Attributes: map[string]string{"device": "pos-7"},
	}
	for i := range 5 {
		fact.Lines = append(fact.Lines, rules.Line{SKU: fmt.Sprint("SKU-", i), Quantity: rules.Million, Amount: 1_999, Category: "tea", Brand: "own"})
	}
	memory := rules.Memory{Member: map[rules.Counter]rules.Usage{}, Program: map[rules.Counter]rules.Usage{}, Carried: map[rules.Step]int64{}}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var one sample
	began := w.Clock.real()
	for ctx.Err() == nil && w.Clock.real().Sub(began) < w.Duration {
		asking := w.Clock.real()
		for range judgings {
			if _, fits := asked.Evaluate(member, fact, memory); !fits {
				return fmt.Errorf("%d rules award more than can be counted", count)
			}
		}
		one.took = append(one.took, w.Clock.real().Sub(asking)/judgings)
	}
	lasted := w.Clock.real().Sub(began)
	runtime.ReadMemStats(&after)
	judged := float64(len(one.took) * judgings)
	one.perSecond = judged / lasted.Seconds()
	allocations := float64(after.Mallocs-before.Mallocs) / judged
	into.Allocations = &allocations
	slices.Sort(one.took)
	into.samples = append(into.samples, one)
	return ctx.Err()
}

// manyRules are published ones of all kinds; most have a condition, and hold for the purchase above or nearly do.
func manyRules(count int, published time.Time) []rules.Version {
	points, half := int64(50), int64(1_500_000)
	weekly := rules.Limit{Scope: rules.MemberScope, Period: rules.Week, Points: &points}
	kinds := []rules.Version{
		{Condition: `purchase.total >= 50`, Award: rules.Award{PerAmount: &rules.PerAmount{Points: 1, Every: 100}}, Limits: []rules.Limit{weekly}},
		{Condition: `member.tier == "Gold" && now.getDayOfWeek() != 9`, Award: rules.Award{Fixed: &points}},
		{Condition: `member.attributes["shoes"] == "42"`, Award: rules.Award{Fixed: &points}, Stacking: rules.BestOf},
		{Award: rules.Award{PerAmount: &rules.PerAmount{Points: 2, Every: 500, LineCondition: `line.category == "tea" && line.amount > 10`}}},
		{Condition: `purchase.lines.exists(line, line.brand == "other")`, Award: rules.Award{Multiplier: &half}},
	}
	made := make([]rules.Version, count)
	for i := range made {
		one := kinds[i%len(kinds)]
		one.Rule, one.Number, one.Trigger, one.Priority, one.PublishedAt = id.New[id.Rule](), 1, rules.Purchase, -i, &published
		if one.Stacking == "" {
			one.Stacking = rules.Add
		}
		if per := one.Award.PerAmount; per != nil {
			per.Rounding = value.Floor
		}
		made[i] = one
	}
	return made
}

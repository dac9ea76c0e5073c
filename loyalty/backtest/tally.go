package backtest

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// maximumExamples bounds the examples of a side.
const maximumExamples = 10

// tally adds up what facts earned and would have earned.
type tally struct {
	program program.Program
	zone    *time.Location
	members map[id.Member]sums
	days    map[value.Date]sums
	all     sums
	draft   int64
	// undecided is of how many facts the draft's condition could not be decided.
	undecided int
}

type sums struct{ would, actual int64 }

func (s sums) plus(one loyalty.Rejudged) sums {
	return sums{would: s.would + one.Would, actual: s.actual + one.Actual}
}

func newTally(settings program.Program) (*tally, error) {
	zone, err := settings.Zone()
	return &tally{program: settings, zone: zone, members: map[id.Member]sums{}, days: map[value.Date]sums{}}, err
}

func (t *tally) add(one loyalty.Rejudged) error {
	if one.Undecided {
		t.undecided++
	}
	if one.Would == 0 && one.Actual == 0 {
		return nil
	}
	t.all = t.all.plus(one)
	if t.all.would > value.MaximumPoints || t.all.actual > value.MaximumPoints {
		return problem.At(problem.InvalidPoints, nil, "More points would be issued in all than can be counted.")
	}
	t.draft += one.Draft
	t.members[one.Member] = t.members[one.Member].plus(one)
	day := value.DateOf(one.OccurredAt.In(t.zone))
	t.days[day] = t.days[day].plus(one)
	return nil
}

func (t *tally) results() *Results {
	made := &Results{PointsIssued: t.all.would, PointsActual: t.all.actual, DraftPoints: t.draft, Undecided: t.undecided, ByDay: make([]Day, 0, len(t.days))}
	for _, date := range slices.SortedFunc(maps.Keys(t.days), func(a, b value.Date) int { return cmp.Compare(a.String(), b.String()) }) {
		made.ByDay = append(made.ByDay, Day{Date: date, Points: t.days[date].would, Actual: t.days[date].actual})
	}
	made.Cost, made.ActualCost = t.cost(t.all.would), t.cost(t.all.actual)
	var winners, losers []Example
	for member, got := range t.members {
		one := Example{Member: uuid.UUID(member), Would: got.would, Actual: got.actual}
		switch {
		case got.would > got.actual:
			winners = append(winners, one)
		case got.would < got.actual:
			losers = append(losers, one)
		}
	}
	made.MembersAffected = len(winners) + len(losers)
	made.Winners, made.Losers = side(winners), side(losers)
	return made
}

// cost is what points cost the program, nil if that is not set.
func (t *tally) cost(points int64) *value.Money {
	if t.program.CostMinor == nil {
		return nil
	}
	cost, ok := value.MultiplyDivide(points, *t.program.CostMinor, 1, value.Floor)
	if !ok {
		return nil
	}
	return &value.Money{Minor: cost, Currency: t.program.Currency}
}

func side(members []Example) Side {
	difference := func(one Example) int64 { return max(one.Would-one.Actual, one.Actual-one.Would) }
	slices.SortFunc(members, func(a, b Example) int {
		return cmp.Or(cmp.Compare(difference(b), difference(a)), bytes.Compare(a.Member[:], b.Member[:]))
	})
	made := Side{Count: len(members), Examples: append([]Example{}, members[:min(len(members), maximumExamples)]...)}
	for _, one := range members {
		made.Points += difference(one)
	}
	return made
}

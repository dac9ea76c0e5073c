package loyalty

import (
	"context"
	"slices"
	"strconv"
	"time"

	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
)

// AdjustmentCap is how many points a day somebody of a role moves by hand without a second person, taken and given alike.
type AdjustmentCap struct {
	Role         actor.Role `db:"role" json:"role"`
	PointsPerDay int64      `db:"points_per_day" json:"pointsPerDay"`
}

// adjusters may give and take points by hand; a machine client's cap is that of support.
var adjusters = []actor.Grant{actor.Support, actor.Admin, actor.PointsAdjust}

// capOf is the largest cap of the caller; false if it has a role without one. The program itself has none.
func (b *rulebook) capOf(caller actor.Actor) (largest int64, capped bool) {
	if caller.Internal() {
		return 0, false
	}
	for _, held := range []struct {
		role actor.Role
		by   []actor.Grant
	}{
		{actor.Admin, []actor.Grant{actor.Admin}},
		{actor.Support, []actor.Grant{actor.Support, actor.PointsAdjust}},
	} {
		if !caller.Has(held.by...) {
			continue
		}
		i := slices.IndexFunc(b.caps, func(one AdjustmentCap) bool { return one.Role == held.role })
		if i < 0 {
			return 0, false
		}
		largest = max(largest, b.caps[i].PointsPerDay)
	}
	return largest, true
}

// allowance is what a caller may still move by hand, without a second person, on the day of an instant.
type allowance struct {
	caller string
	capped bool
	cap    int64
}

// allow makes sure that nobody else uses up what the caller may move until the transaction ends. It comes before all keys.
func (p *Posting) allow(ctx context.Context, caller actor.Actor) (allowance, error) {
	made := allowance{caller: caller.Caller}
	if made.cap, made.capped = p.book.capOf(caller); !made.capped {
		return made, nil
	}
	return made, ledger.LockAdjusterTx(ctx, p.tx, caller.Caller)
}

// covers tells whether so many points, given or taken at t, lie within the cap of the day.
func (a allowance) covers(ctx context.Context, q postgres.Runner, points int64, t time.Time, zone *time.Location) (bool, error) {
	if !a.capped {
		return true, nil
	}
	year, month, day := t.In(zone).Date()
	moved, err := ledger.MovedAloneTx(ctx, q, a.caller,
		time.Date(year, month, day, 0, 0, 0, 0, zone), time.Date(year, month, day+1, 0, 0, 0, 0, zone))
	return moved+max(points, -points) <= a.cap, err
}

// checkCaps adds what is wrong with caps, as the field adjustmentCaps of an input.
func checkCaps(problems *problem.Problems, caps []AdjustmentCap) {
	seen := map[actor.Role]bool{}
	for i, one := range caps {
		at := func(field string) []string { return []string{"adjustmentCaps", strconv.Itoa(i), field} }
		switch {
		case one.Role != actor.Support && one.Role != actor.Admin:
			problems.Add(problem.InvalidPolicy, at("role"), "Only %s and %s adjust points.", actor.Support, actor.Admin)
		case seen[one.Role]:
			problems.Add(problem.InvalidPolicy, at("role"), "A role has one cap.")
		}
		seen[one.Role] = true
		if one.PointsPerDay < 0 || one.PointsPerDay > value.MaximumPoints {
			problems.Add(problem.InvalidPoints, at("pointsPerDay"), "A cap is 0 to %d points; for no cap leave the role out.", int64(value.MaximumPoints))
		}
	}
}

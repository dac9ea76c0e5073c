package loyalty

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

// Adjustment returns an adjustment by its id, nil if there is none or the caller may not see it. Support, admins and
// PointsAdjust see all; nobody else does, since reasons are for staff.
func (s *Service) Adjustment(ctx context.Context, wanted id.Adjustment) (*ledger.Adjustment, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	adjustments, err := ledger.AdjustmentsTx(ctx, s.db, []id.Adjustment{wanted})
	if err != nil || len(adjustments) == 0 || !caller.Has(adjusters...) {
		return nil, err
	}
	return adjustments[0], nil
}

// Gifts tells of adjustments whether they are gifts. It names nothing of a member, so whoever sees the entries may ask.
func (s *Service) Gifts(ctx context.Context, wanted []id.Adjustment) (map[id.Adjustment]*bool, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	adjustments, err := ledger.AdjustmentsTx(ctx, s.db, wanted)
	made := make(map[id.Adjustment]*bool, len(adjustments))
	for _, one := range adjustments {
		given := one.RequestedBy == giver
		made[one.ID] = &given
	}
	return made, err
}

const adjustmentPages = "adjustment"

// Adjustments lists adjustments, newest first; statuses, if any, narrow the list. For support and admins.
func (s *Service) Adjustments(ctx context.Context, statuses []ledger.AdjustmentStatus, first *int, after *string) (*AdjustmentConnection, error) {
	if _, err := actor.Require(ctx, actor.Support, actor.Admin); err != nil {
		return nil, err
	}
	arguments, err := page.Parse(adjustmentPages, first, after)
	if err != nil {
		return nil, err
	}
	before := id.ParseAdjustment(arguments.After)
	if arguments.After != "" && before == (id.Adjustment{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	if len(statuses) == 0 {
		statuses = []ledger.AdjustmentStatus{ledger.AdjustmentPosted, ledger.AdjustmentWaiting, ledger.AdjustmentDeclined}
	}
	adjustments, err := ledger.ListAdjustmentsTx(ctx, s.db, statuses, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	return page.New(adjustmentPages, arguments, adjustments,
		func(one *ledger.Adjustment) string { return one.ID.String() },
		func(ctx context.Context) (int, error) { return ledger.CountAdjustmentsTx(ctx, s.db, statuses) }), nil
}

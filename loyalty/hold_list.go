package loyalty

import (
	"context"
	"strconv"
	"sync"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
	"regulars/loyalty/ledger"
)

const holdPages = "hold"

// holdSight is of which members the caller may see the holds: whoever moves what members spend sees all, a member its own.
func (s *Service) holdSight(ctx context.Context) (sight, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return sight{}, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	seen.all = caller.Has(redeemers...)
	return seen, err
}

// Hold returns a hold by its id, nil if there is none or the caller may not see it: support, admins and PointsRedeem see all, a
// member its own.
func (s *Service) Hold(ctx context.Context, wanted id.Hold) (*ledger.Hold, error) {
	seen, err := s.holdSight(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := ledger.HoldsTx(ctx, s.db, []id.Hold{wanted})
	if err != nil || len(holds) == 0 || !seen.of(holds[0].Member) {
		return nil, err
	}
	return holds[0].See(s.now()), nil
}

// Holds lists the holds of those of the members that the caller may see, each one's newest first: support, admins and
// PointsRedeem see all members', a member its own. open, if given, narrows the lists to those that are open, or to those that are
// not. All lists are of the same page.
func (s *Service) Holds(ctx context.Context, wanted []id.Member, open *bool, first *int, after *string) (map[id.Member]*HoldConnection, error) {
	seen, err := s.holdSight(ctx)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(holdPages, first, after)
	if err != nil {
		return nil, err
	}
	var before int64
	if arguments.After != "" {
		if before, err = strconv.ParseInt(arguments.After, 10, 64); err != nil || before <= 0 {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	members, now := seen.filter(wanted), s.now()
	listed, err := ledger.ListHoldsTx(ctx, s.db, members, open, now, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() (map[id.Member]int, error) { return ledger.CountHoldsTx(ctx, s.db, members, open, now) })
	pages := make(map[id.Member]*HoldConnection, len(members))
	for _, member := range members {
		for _, hold := range listed[member] {
			hold.See(now)
		}
		pages[member] = page.New(holdPages, arguments, listed[member],
			func(hold *ledger.Hold) string { return strconv.FormatInt(hold.Sequence, 10) },
			func(context.Context) (int, error) {
				all, err := counts()
				return all[member], err
			})
	}
	return pages, nil
}

// HoldsOfEntries returns the holds of which entries captured or gave back points, as far as the caller may see them; other
// entries are left out. Who sees which says Hold.
func (s *Service) HoldsOfEntries(ctx context.Context, entries []*ledger.Entry) (map[*ledger.Entry]*ledger.Hold, error) {
	seen, err := s.holdSight(ctx)
	if err != nil {
		return nil, err
	}
	holds, err := ledger.HoldsOfEntriesTx(ctx, s.db, entries)
	if err != nil {
		return nil, err
	}
	now := s.now()
	type number struct {
		member   id.Member
		sequence int64
	}
	byNumber := make(map[number]*ledger.Hold, len(holds))
	for _, hold := range holds {
		if seen.of(hold.Member) {
			byNumber[number{hold.Member, hold.Sequence}] = hold.See(now)
		}
	}
	found := make(map[*ledger.Entry]*ledger.Hold, len(entries))
	for _, entry := range entries {
		if entry.HoldSequence != nil {
			found[entry] = byNumber[number{entry.Member, *entry.HoldSequence}]
		}
	}
	return found, nil
}

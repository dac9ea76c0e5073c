package loyalty

import (
	"context"
	"strconv"
	"sync"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// PointsBalance is what a member owns at one instant.
type PointsBalance struct {
	Member id.Member
	// Available can be spent now, Pending only later; Held is set aside; Debt is owed.
	Available int64
	Pending   int64
	Held      int64
	Debt      int64
	// Expires tells whether any of it ever lapses.
	Expires bool
}

// Balances says what those of the members own that exist and that the caller may see: whoever works with members all, a
// member itself. Points that have expired are not counted, whether or not anything posted that.
func (s *Service) Balances(ctx context.Context, wanted []id.Member) (map[id.Member]*PointsBalance, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	balances := make(map[id.Member]*PointsBalance, len(wanted))
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		accounts, err := ledger.AccountsTx(ctx, tx, seen.filter(wanted))
		if err != nil {
			return err
		}
		var lapsing []id.Member
		for _, account := range accounts {
			if account.Lapsing(tx.Now) {
				lapsing = append(lapsing, account.Member)
			}
		}
		open, err := ledger.OpenLotsTx(ctx, tx, lapsing)
		if err != nil {
			return err
		}
		for _, account := range accounts {
			balance := &PointsBalance{
				Member: account.Member, Available: account.Balance + account.Debt, Debt: account.Debt, Expires: account.NextExpiryAt != nil,
			}
			if account.Lapsing(tx.Now) {
				balance.Available = lots.Available(open[account.Member], tx.Now)
			}
			balances[account.Member] = balance
		}
		return nil
	})
	return balances, err
}

// PointsExpiration is points that lapse at one instant.
type PointsExpiration = lots.Expiration

// OpenLots is what a member has of which something remains, to be looked at by the clock.
type OpenLots struct {
	lots []lots.Lot
	zone *time.Location
	at   time.Time
}

// Expiring lists what lapses within the period, earliest first.
func (o *OpenLots) Expiring(within value.Period) []PointsExpiration {
	return append([]PointsExpiration{}, lots.Expirations(o.lots, o.at, within.After(o.at, o.zone))...)
}

// OpenLots returns the open lots of those of the members that exist and that the caller may see: whoever works
// with members all, a member itself.
func (s *Service) OpenLots(ctx context.Context, wanted []id.Member) (map[id.Member]*OpenLots, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	book, err := s.rulebook(ctx, s.db)
	if err != nil {
		return nil, err
	}
	visible := seen.filter(wanted)
	open, err := ledger.OpenLotsTx(ctx, s.db, visible)
	if err != nil {
		return nil, err
	}
	owned := make(map[id.Member]*OpenLots, len(visible))
	for _, member := range visible {
		owned[member] = &OpenLots{lots: open[member], zone: book.zone, at: s.now()}
	}
	return owned, nil
}

const historyPages = "entry"

// Histories lists the entries of those of the members that exist and that the caller may see, each one's newest first:
// support, admins and MembersRead see all members', a member its own. All lists are of the same page.
func (s *Service) Histories(ctx context.Context, wanted []id.Member, filter ledger.Filter, first *int, after *string) (map[id.Member]*PointsEntryConnection, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(historyPages, first, after)
	if err != nil {
		return nil, err
	}
	var before int64
	if arguments.After != "" {
		if before, err = strconv.ParseInt(arguments.After, 10, 64); err != nil || before <= 0 {
			return nil, problem.BadUserInput("after is not a cursor of this list")
		}
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	seen.all = caller.Has(actor.Support, actor.Admin, actor.MembersRead)
	visible := seen.filter(wanted)
	entries, err := ledger.HistoriesTx(ctx, s.db, visible, filter, before, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() (map[id.Member]int, error) { return ledger.CountsTx(ctx, s.db, visible, filter) })
	histories := make(map[id.Member]*PointsEntryConnection, len(visible))
	for _, member := range visible {
		histories[member] = page.New(historyPages, arguments, entries[member],
			func(entry *ledger.Entry) string { return strconv.FormatInt(entry.Sequence, 10) },
			func(context.Context) (int, error) {
				all, err := counts()
				return all[member], err
			})
	}
	return histories, nil
}

// Entries returns those of the entries that exist and that the caller may see.
func (s *Service) Entries(ctx context.Context, wanted []id.Entry) (map[id.Entry]*ledger.Entry, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return nil, err
	}
	rows, err := ledger.EntriesTx(ctx, s.db, wanted)
	if err != nil {
		return nil, err
	}
	entries := make(map[id.Entry]*ledger.Entry, len(rows))
	for _, row := range rows {
		if seen.of(row.Member) {
			entries[row.ID()] = row
		}
	}
	return entries, nil
}

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

// PointsBalance is what a member owns at one instant: as it was answered then, or will be if nothing new is recorded.
type PointsBalance struct {
	lots.Balance
	Member id.Member
	// AsOf is the instant; nil: now.
	AsOf *time.Time
	// Lapses tells whether any of it ever may.
	Lapses bool
}

// Balances says what those of the members own that exist and that the caller may see, at asOf, nil: now: whoever works with
// members sees all, a member itself. Activation, expiry and the end of holds are true by the clock, whether or not anything
// posted them; before a member existed it owned nothing.
func (s *Service) Balances(ctx context.Context, wanted []id.Member, asOf *time.Time) (map[id.Member]*PointsBalance, error) {
	balances := make(map[id.Member]*PointsBalance, len(wanted))
	err := s.readHoldings(ctx, wanted, asOf, func(book *rulebook, account *ledger.Account, t time.Time) bool {
		cached, right := account.Cached(book.terms.At(t), t)
		if right && !t.Before(account.RecordedAt) {
			lapses := account.NextChangeAt != nil || book.terms.Lapses()
			balances[account.Member] = &PointsBalance{Balance: cached, Member: account.Member, AsOf: asOf, Lapses: lapses}
			return true
		}
		return false
	}, func(_ *rulebook, member id.Member, owned *lots.Holding, t time.Time) {
		balances[member] = &PointsBalance{Balance: owned.Balance(t), Member: member, AsOf: asOf, Lapses: true}
	})
	return balances, err
}

// PointsExpiration is points that lapse at one instant.
type PointsExpiration = lots.Expiration

// Expirations is what a member owns that may lapse, looked at from one instant.
type Expirations struct {
	owned *lots.Holding
	zone  *time.Location
	at    time.Time
}

// Expiring lists what lapses within the period if nothing new is recorded, earliest first.
func (e *Expirations) Expiring(within value.Period) []PointsExpiration {
	return append([]PointsExpiration{}, e.owned.Expirations(e.at, within.After(e.at, e.zone))...)
}

// Expirations says what may lapse of those of the members that exist and that the caller may see, looked at from asOf, nil:
// now: whoever works with members sees all, a member itself.
func (s *Service) Expirations(ctx context.Context, wanted []id.Member, asOf *time.Time) (map[id.Member]*Expirations, error) {
	found := make(map[id.Member]*Expirations, len(wanted))
	err := s.readHoldings(ctx, wanted, asOf, func(*rulebook, *ledger.Account, time.Time) bool { return false },
		func(book *rulebook, member id.Member, owned *lots.Holding, t time.Time) {
			found[member] = &Expirations{owned: owned, zone: book.zone, at: t}
		})
	return found, err
}

// readHoldings reads what members own that the caller may see, at asOf, nil: now. Those for which known says so need not be
// read; the others are handed to look.
func (s *Service) readHoldings(ctx context.Context, wanted []id.Member, asOf *time.Time,
	known func(*rulebook, *ledger.Account, time.Time) bool, look func(*rulebook, id.Member, *lots.Holding, time.Time),
) error {
	caller, err := actor.Require(ctx)
	if err != nil {
		return err
	}
	seen, err := s.sight(ctx, s.db, caller)
	if err != nil {
		return err
	}
	return s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		book, err := s.rulebook(ctx, tx)
		if err != nil {
			return err
		}
		accounts, err := ledger.AccountsTx(ctx, tx, seen.filter(wanted))
		if err != nil {
			return err
		}
		// What was recorded in the same instant as much else has moved on a little.
		instant := func(account *ledger.Account) time.Time {
			if asOf != nil {
				return asOf.UTC().Truncate(time.Microsecond)
			}
			if tx.Now.Before(account.RecordedAt) {
				return account.RecordedAt
			}
			return tx.Now
		}
		var present, past []id.Member
		byMember := make(map[id.Member]*ledger.Account, len(accounts))
		for _, account := range accounts {
			byMember[account.Member] = account
			switch t := instant(account); {
			case known(book, account, t):
			case t.Before(account.RecordedAt):
				past = append(past, account.Member)
			default:
				present = append(present, account.Member)
			}
		}
		owned, err := ledger.HoldingsTx(ctx, tx, present)
		if err != nil {
			return err
		}
		for member, one := range owned {
			one.Idle = byMember[member].Idle(book.terms.At(instant(byMember[member])))
			look(book, member, one, instant(byMember[member]))
		}
		if len(past) == 0 {
			return nil
		}
		t := asOf.UTC().Truncate(time.Microsecond)
		then, err := ledger.HoldingsAtTx(ctx, tx, book.terms.At(t), past, t)
		for member, one := range then {
			look(book, member, one, t)
		}
		return err
	})
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

package ledger

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/lots"
)

// Batch is a set of locked accounts, and what will be posted to them when it is written.
type Batch struct {
	tx       *postgres.Tx
	terms    Terms
	holdings map[id.Member]*holding
	entries  []Entry
	draws    []draw
	// placed are new holds, closed those that are over.
	placed    []*Hold
	holdDraws []holdDraw
	closed    []*Hold
	confirms  []confirmation
}

// holding is an account with what it holds, as far as that is loaded, and what a batch makes of it.
type holding struct {
	account *Account
	// recordedBefore is when anything was recorded last before the batch.
	recordedBefore time.Time
	lots.Holding
	// loaded tells whether lots, holds and debts are all that is open; else they are what the batch made itself.
	loaded bool
	// What lots and debts were when they were loaded; those that are not in here are new.
	lotsBefore  map[int64]lots.Lot
	debtsBefore map[int64]int64
	// lapsed is what of lots has expired and no reversal has counted yet, of those that were asked for and of those that
	// the batch let expire.
	lapsed map[int64]int64
}

// draw says that the debit entry took points from the lot, or gave them back, and which row posted that: the entry itself, or
// the accrual, the hold or the restoration that paid its debt.
type draw struct {
	member   id.Member
	entry    int64
	lot      int64
	points   int64
	postedBy int64
}

// Lock locks the accounts of members, in the order of their ids, and posts what the clock has done to them. Members without an
// account are left out: see [Batch.Account].
func Lock(ctx context.Context, tx *postgres.Tx, terms Terms, members []id.Member) (*Batch, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, id.Compare)
	accounts, err := lockAccounts(ctx, tx, slices.Compact(members))
	if err != nil {
		return nil, fmt.Errorf("lock accounts: %w", err)
	}
	batch := &Batch{tx: tx, terms: terms, holdings: make(map[id.Member]*holding, len(accounts))}
	var stale []id.Member
	for i := range accounts {
		account := &accounts[i]
		batch.holdings[account.Member] = &holding{
			account: account, recordedBefore: account.RecordedAt, lotsBefore: map[int64]lots.Lot{}, debtsBefore: map[int64]int64{}, lapsed: map[int64]int64{},
			Holding: lots.Holding{Idle: account.Idle(terms)},
		}
		if _, right := account.Cached(terms, instant(tx, account)); !right || account.Debt > 0 {
			stale = append(stale, account.Member)
		}
	}
	if err := batch.Load(ctx, stale); err != nil {
		return nil, err
	}
	for _, member := range stale {
		h := batch.holdings[member]
		batch.advance(h, instant(tx, h.account))
	}
	return batch, nil
}

// Load fetches the open lots, holds and debts of members, which everything but [Batch.Credit] needs. Members without an
// account are passed over.
func (b *Batch) Load(ctx context.Context, members []id.Member) error {
	var missing []id.Member
	for _, member := range members {
		if h, ok := b.holdings[member]; ok && !h.loaded {
			missing = append(missing, member)
			h.loaded = true
		}
	}
	if len(missing) == 0 {
		return nil
	}
	loaded, err := HoldingsTx(ctx, b.tx, missing)
	if err != nil {
		return err
	}
	for _, member := range missing {
		h, all := b.holdings[member], loaded[member]
		for _, lot := range all.Lots {
			h.lotsBefore[lot.Sequence] = lot
		}
		for _, debt := range all.Debts {
			h.debtsBefore[debt.Sequence] = debt.Remaining
		}
		h.Lots, h.Holds, h.Debts = append(h.Lots, all.Lots...), all.Holds, all.Debts
	}
	return nil
}

// Account returns the locked account of a member, nil if there is none. What the caller sets of its tier is written with
// the batch; the rest is the batch's own.
func (b *Batch) Account(member id.Member) *Account {
	if h, ok := b.holdings[member]; ok {
		return h.account
	}
	return nil
}

// RecordedBefore is when anything was recorded last of the member before the batch.
func (b *Batch) RecordedBefore(member id.Member) time.Time {
	return b.holdings[member].recordedBefore
}

// Instant is what Next will say, without giving it away.
func (b *Batch) Instant(member id.Member) time.Time {
	return instant(b.tx, b.holdings[member].account)
}

// Next gives the member's next fact its recordedAt, later than anything recorded of the member before.
func (b *Batch) Next(member id.Member) time.Time {
	account := b.holdings[member].account
	account.RecordedAt = instant(b.tx, account)
	return account.RecordedAt
}

// Number gives one of the member's rows its sequence number.
func (b *Batch) Number(member id.Member) int64 {
	account := b.holdings[member].account
	account.Sequence++
	return account.Sequence
}

func instant(tx *postgres.Tx, account *Account) time.Time { return account.Next(tx.Now) }

// Fits tells whether the member can be given so many points without its balance outgrowing value.MaximumPoints.
func (b *Batch) Fits(member id.Member, points int64) bool {
	account := b.holdings[member].account
	return account.Balance <= value.MaximumPoints-points
}

// Hear notes that the member did something at t: it is not idle then.
func (b *Batch) Hear(member id.Member, t time.Time) {
	h := b.holdings[member]
	h.account.hear(t)
	h.Idle = h.account.Idle(b.terms)
}

// Write writes what was posted, in a few statements over all members. The batch is done with then.
func (b *Batch) Write(ctx context.Context) error {
	var made, drawn []memberLot
	var owed, paid []memberDebt
	accounts := make([]*Account, 0, len(b.holdings))
	for member, h := range b.holdings {
		// What is cached is of when anything was recorded last: it is not brought up to date by looking.
		if h.account.RecordedAt.Equal(h.recordedBefore) {
			continue
		}
		for _, lot := range h.Lots {
			before, existed := h.lotsBefore[lot.Sequence]
			switch one := (memberLot{Member: member, Lot: lot}); {
			case !existed:
				made = append(made, one)
			case before != lot:
				drawn = append(drawn, one)
			}
		}
		for _, debt := range h.Debts {
			before, existed := h.debtsBefore[debt.Sequence]
			switch one := (memberDebt{Member: member, Debt: debt}); {
			case !existed:
				owed = append(owed, one)
			case before != debt.Remaining:
				paid = append(paid, one)
			}
		}
		h.cache()
		accounts = append(accounts, h.account)
	}
	for _, write := range []func() error{
		func() error { return insertEntries(ctx, b.tx, b.entries) },
		func() error { return insertLots(ctx, b.tx, made) },
		func() error { return updateLots(ctx, b.tx, drawn) },
		func() error { return insertDraws(ctx, b.tx, b.draws) },
		func() error { return insertDebts(ctx, b.tx, owed) },
		func() error { return updateDebts(ctx, b.tx, paid) },
		func() error { return insertHolds(ctx, b.tx, b.placed) },
		func() error { return insertHoldDraws(ctx, b.tx, b.holdDraws) },
		func() error { return updateHolds(ctx, b.tx, b.closed) },
		func() error { return insertConfirmations(ctx, b.tx, b.confirms) },
		func() error { return updateAccounts(ctx, b.tx, accounts) },
		func() error { return outbox.PutTx(ctx, b.tx, notices(b.entries)) },
	} {
		if err := write(); err != nil {
			return fmt.Errorf("write postings: %w", err)
		}
	}
	return nil
}

// cache notes in the account what it holds. Where only new lots are known, they add to what was cached.
func (h *holding) cache() {
	account := h.account
	at := account.RecordedAt
	next := h.NextChange(at)
	if !h.loaded {
		for _, lot := range h.Lots {
			if lot.Pending(at) {
				account.Pending += lot.Remaining
			}
		}
		if known := account.NextChangeAt; known != nil && (next == nil || known.Before(*next)) {
			next = known
		}
		account.NextChangeAt = next
		return
	}
	now := h.Balance(at)
	account.Pending, account.Held, account.Debt, account.NextChangeAt = now.Pending, now.Held, now.Debt, next
}

package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/lots"
)

// Batch is a set of locked accounts, and what will be posted to them when it is written.
type Batch struct {
	tx       *postgres.Tx
	holdings map[id.Member]*holding
	entries  []Entry
	draws    []draw
}

// draw says that the debit entry took points from the lot, and which entry posted that: the debit itself, or the accrual
// that paid its debt.
type draw struct {
	member   id.Member
	entry    int64
	lot      int64
	points   int64
	postedBy int64
}

// Lock locks the accounts of members, in the order of their ids, and posts what has expired of their lots. Members
// without an account are left out: see [Batch.Account].
func Lock(ctx context.Context, tx *postgres.Tx, members []id.Member) (*Batch, error) {
	members = slices.Clone(members)
	slices.SortFunc(members, id.Compare)
	accounts, err := lockAccounts(ctx, tx, slices.Compact(members))
	if err != nil {
		return nil, fmt.Errorf("lock accounts: %w", err)
	}
	batch := &Batch{tx: tx, holdings: make(map[id.Member]*holding, len(accounts))}
	var stale []id.Member
	for i := range accounts {
		account := &accounts[i]
		batch.holdings[account.Member] = &holding{account: account, lotsBefore: map[int64]int64{}, debtsBefore: map[int64]int64{}}
		if account.Debt > 0 || account.Lapsing(instant(tx, account)) {
			stale = append(stale, account.Member)
		}
	}
	if err := batch.Load(ctx, stale); err != nil {
		return nil, err
	}
	for _, member := range stale {
		batch.lapse(batch.holdings[member])
	}
	return batch, nil
}

// Load fetches the open lots and debts of members, which [Batch.Debit] and [Batch.Reverse] need. Members without an
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
	open, err := selectOpenLots(ctx, b.tx, missing)
	if err != nil {
		return fmt.Errorf("load open lots: %w", err)
	}
	for _, one := range open {
		h := b.holdings[one.Member]
		h.lots = append(h.lots, one.Lot)
		h.lotsBefore[one.Sequence] = one.Remaining
	}
	owed, err := selectOpenDebts(ctx, b.tx, missing)
	if err != nil {
		return fmt.Errorf("load open debts: %w", err)
	}
	for _, one := range owed {
		h := b.holdings[one.Member]
		h.debts = append(h.debts, one.Debt)
		h.debtsBefore[one.Sequence] = one.Remaining
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

func instant(tx *postgres.Tx, account *Account) time.Time {
	if next := account.RecordedAt.Add(time.Microsecond); tx.Now.Before(next) {
		return next
	}
	return tx.Now
}

// Fits tells whether the member can be given so many points without its balance outgrowing value.MaximumPoints.
func (b *Batch) Fits(member id.Member, points int64) bool {
	account := b.holdings[member].account
	return account.Balance <= value.MaximumPoints-points
}

// Credit posts an entry of positive points as a lot that can be spent from the entry's recordedAt on, and pays the
// member's debts from it, oldest first. Entry's Member, Kind, Points, OccurredAt, RecordedAt, what caused it, what
// qualifies and ExpiresAt are given; it returns the entry with its number and balance.
func (b *Batch) Credit(entry Entry) Entry {
	h := b.holdings[entry.Member]
	entry = b.post(h, entry)
	h.lots = append(h.lots, lots.Lot{
		Sequence: entry.Sequence, Points: entry.Points, Remaining: entry.Points,
		EarnedAt: entry.OccurredAt, AvailableAt: entry.RecordedAt, ExpiresAt: entry.ExpiresAt,
	})
	b.payDebts(h, entry)
	b.lapse(h)
	return entry
}

// Available is what the member can spend at t. Its lots must be loaded.
func (b *Batch) Available(member id.Member, t time.Time) int64 {
	return lots.Available(b.holdings[member].lots, t)
}

// Debit posts an entry of negative points, taken from the member's lots in burn order. Its lots must be loaded. It
// returns false, and posts nothing, if fewer can be spent.
func (b *Batch) Debit(entry Entry) (Entry, bool) {
	h := b.holdings[entry.Member]
	if lots.Available(h.lots, entry.RecordedAt) < -entry.Points {
		return Entry{}, false
	}
	entry = b.post(h, entry)
	draws, _ := lots.Take(h.lots, -entry.Points, entry.RecordedAt)
	b.draw(entry, draws)
	return entry, true
}

// Reverse posts an entry of negative points, or none, that takes back the entry that it reverses: first from the lot
// which that one created, then from the others in burn order; what is still missing becomes a debt. The member's lots
// must be loaded.
func (b *Batch) Reverse(entry Entry) Entry {
	h := b.holdings[entry.Member]
	entry = b.post(h, entry)
	own, missing := lots.TakeFrom(h.lots, *entry.ReversesSequence, -entry.Points, entry.RecordedAt)
	b.draw(entry, own)
	others, missing := lots.Take(h.lots, missing, entry.RecordedAt)
	b.draw(entry, others)
	if missing > 0 {
		h.debts = append(h.debts, Debt{Sequence: entry.Sequence, Points: missing, Remaining: missing})
		h.account.Debt += missing
	}
	return entry
}

func (b *Batch) post(h *holding, entry Entry) Entry {
	h.account.Balance += entry.Points
	entry.Sequence = b.Number(entry.Member)
	entry.BalanceAfter = h.account.Balance
	b.entries = append(b.entries, entry)
	return entry
}

func (b *Batch) draw(entry Entry, draws []lots.Draw) {
	for _, one := range draws {
		b.draws = append(b.draws, draw{
			member: entry.Member, entry: entry.Sequence, lot: one.Lot, points: one.Points, postedBy: entry.Sequence,
		})
	}
}

func (b *Batch) payDebts(h *holding, accrual Entry) {
	slices.SortFunc(h.debts, func(a, b Debt) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for i := range h.debts {
		debt := &h.debts[i]
		paid, missing := lots.TakeFrom(h.lots, accrual.Sequence, debt.Remaining, accrual.RecordedAt)
		for _, one := range paid {
			b.draws = append(b.draws, draw{
				member: accrual.Member, entry: debt.Sequence, lot: one.Lot, points: one.Points, postedBy: accrual.Sequence,
			})
		}
		h.account.Debt -= debt.Remaining - missing
		debt.Remaining = missing
	}
}

// lapse posts the expiry of what has lapsed, one entry a lot, as of the instant at which it did.
func (b *Batch) lapse(h *holding) {
	lapsed := lots.Lapse(h.lots, instant(b.tx, h.account))
	if len(lapsed) == 0 {
		return
	}
	recordedAt := b.Next(h.account.Member)
	for _, one := range lapsed {
		i := slices.IndexFunc(h.lots, func(lot lots.Lot) bool { return lot.Sequence == one.Lot })
		expiredAt := *h.lots[i].ExpiresAt
		entry := b.post(h, Entry{
			Member: h.account.Member, Kind: Expiry, Points: -one.Points, OccurredAt: expiredAt, RecordedAt: recordedAt,
			QualifiesAt: expiredAt,
		})
		b.draw(entry, []lots.Draw{one})
	}
}

// Write writes what was posted, in a few statements over all members. The batch is done with then.
func (b *Batch) Write(ctx context.Context) error {
	var made, drawn []memberLot
	var owed, paid []memberDebt
	accounts := make([]*Account, 0, len(b.holdings))
	for _, h := range b.holdings {
		for _, lot := range h.lots {
			before, existed := h.lotsBefore[lot.Sequence]
			switch one := (memberLot{Member: h.account.Member, Lot: lot}); {
			case !existed:
				made = append(made, one)
			case before != lot.Remaining:
				drawn = append(drawn, one)
			}
		}
		for _, debt := range h.debts {
			before, existed := h.debtsBefore[debt.Sequence]
			switch one := (memberDebt{Member: h.account.Member, Debt: debt}); {
			case !existed:
				owed = append(owed, one)
			case before != debt.Remaining:
				paid = append(paid, one)
			}
		}
		h.account.NextExpiryAt = nextExpiry(h)
		accounts = append(accounts, h.account)
	}
	for _, write := range []func() error{
		func() error { return insertEntries(ctx, b.tx, b.entries) },
		func() error { return insertLots(ctx, b.tx, made) },
		func() error { return updateLots(ctx, b.tx, drawn) },
		func() error { return insertDraws(ctx, b.tx, b.draws) },
		func() error { return insertDebts(ctx, b.tx, owed) },
		func() error { return updateDebts(ctx, b.tx, paid) },
		func() error { return updateAccounts(ctx, b.tx, accounts) },
	} {
		if err := write(); err != nil {
			return fmt.Errorf("write postings: %w", err)
		}
	}
	return nil
}

// nextExpiry looks at all open lots where they are loaded; else the ones that the batch made can only bring it forward.
func nextExpiry(h *holding) *time.Time {
	next := lots.NextExpiry(h.lots)
	if known := h.account.NextExpiryAt; !h.loaded && known != nil && (next == nil || known.Before(*next)) {
		return known
	}
	return next
}

package ledger

import (
	"slices"
	"time"

	"regulars/internal/id"
	"regulars/loyalty/lots"
)

// Credit posts an entry of positive points as a lot that can be spent from entry.AvailableAt on, nil: once it is confirmed,
// and pays the member's debts from it, oldest first. Entry's Member, Kind, Points, OccurredAt, RecordedAt, what caused it,
// what qualifies, AvailableAt and ExpiresAt are given; it returns the entry with its number and balance.
func (b *Batch) Credit(entry Entry) Entry {
	h := b.holdings[entry.Member]
	entry = b.post(h, entry)
	paid := h.Holding.Credit(lots.Lot{
		Sequence: entry.Sequence, Points: entry.Points, Remaining: entry.Points,
		EarnedAt: entry.OccurredAt, AvailableAt: entry.AvailableAt, ExpiresAt: entry.ExpiresAt,
	}, entry.RecordedAt)
	b.pay(entry.Member, paid, entry.Sequence)
	b.advance(h, h.account.RecordedAt)
	return entry
}

// Available is what the member can spend at t. Its lots must be loaded.
func (b *Batch) Available(member id.Member, t time.Time) int64 {
	return b.holdings[member].Balance(t).Available
}

// Pending tells whether the points of the lot that the accrual created cannot be spent yet at t and have not lapsed, whatever
// remains of them. The lot must be loaded ([Batch.LoadLots]).
func (b *Batch) Pending(accrual *Entry, t time.Time) bool {
	h := b.holdings[accrual.Member]
	return slices.ContainsFunc(h.Lots, func(lot lots.Lot) bool {
		return lot.Sequence == accrual.Sequence && lot.Pending(t) && !h.Expired(lot, t)
	})
}

// Debit posts an entry of negative points, taken from the member's lots in burn order. Its lots must be loaded. It
// returns false, and posts nothing, if fewer can be spent.
func (b *Batch) Debit(entry Entry) (Entry, bool) {
	h := b.holdings[entry.Member]
	// A hold that ended since the account was locked gives back with the next write.
	then := h.Clone()
	draws, missing := then.Take(-entry.Points, entry.RecordedAt)
	if missing > 0 {
		return Entry{}, false
	}
	h.Holding = then
	entry = b.post(h, entry)
	b.draw(entry, draws)
	return entry, true
}

// Reverse posts an entry that takes points of the accrual back which entry.ReversesSequence names: first from the lot which
// that one created; what of it has lapsed counts as taken back; what was spent is dealt with by the program's policy. It
// sets the entry's points to what was taken. Of an adjustment, which entry.AdjustmentID names, all that is left of the lot is
// taken, whatever the policy. The member's lots must be loaded, and what of the lot has lapsed ([Batch.LoadLapsed]).
func (b *Batch) Reverse(entry Entry, points int64) Entry {
	h := b.holdings[entry.Member]
	own := *entry.ReversesSequence
	_, policy := b.terms.At(entry.RecordedAt).InForce()
	reverse := h.Holding.Reverse
	if entry.AdjustmentID != nil {
		reverse = h.Undo
	}
	made := reverse(own, points, h.lapsed[own], policy, entry.RecordedAt)
	h.lapsed[own] -= made.Lapsed
	entry.Points, entry.Lapsed, entry.Shortfall = -made.Taken(), made.Lapsed, made.Shortfall
	entry = b.post(h, entry)
	b.draw(entry, made.Own)
	b.draw(entry, made.Others)
	if made.Owed > 0 {
		h.Owe(entry.Sequence, made.Owed)
	}
	return entry
}

// Restore posts an entry of positive points that gives back what was drawn: the lots have their expiry as it was, and what
// has lapsed meanwhile lapses at once. The member's lots must be loaded, and those of the draws ([Batch.LoadLots]).
func (b *Batch) Restore(entry Entry, draws []lots.Draw) Entry {
	h := b.holdings[entry.Member]
	entry = b.post(h, entry)
	for _, one := range draws {
		b.draws = append(b.draws, draw{
			member: entry.Member, entry: entry.Sequence, lot: one.Lot, points: -one.Points, postedBy: entry.Sequence,
		})
	}
	b.pay(entry.Member, h.Holding.Restore(draws, entry.RecordedAt), entry.Sequence)
	b.advance(h, h.account.RecordedAt)
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

func (b *Batch) pay(member id.Member, payments []lots.Payment, postedBy int64) {
	for _, one := range payments {
		b.draws = append(b.draws, draw{member: member, entry: one.Debt, lot: one.Lot, points: one.Points, postedBy: postedBy})
	}
}

// advance posts at recordedAt what the clock has done by then: the expiry of what has lapsed, one entry a lot, as of the instant
// at which it did, and the end of holds. What follows at once from an entry is recorded at its instant: others of the same
// fact may come after it.
func (b *Batch) advance(h *holding, recordedAt time.Time) {
	events := h.Advance(recordedAt)
	if len(events) == 0 {
		return
	}
	member := h.account.Member
	h.account.RecordedAt = recordedAt
	for _, event := range events {
		if event.Ended != nil {
			b.closed = append(b.closed, &Hold{
				Member: member, Sequence: event.Ended.Sequence, Status: HoldExpired, ClosedAt: &recordedAt,
			})
			b.pay(member, event.Paid, event.Ended.Sequence)
			continue
		}
		entry := b.post(h, Entry{
			Member: member, Kind: Expiry, Points: -event.Lapsed.Points, OccurredAt: event.At, RecordedAt: recordedAt, QualifiesAt: event.At,
		})
		b.draw(entry, []lots.Draw{*event.Lapsed})
		h.lapsed[event.Lapsed.Lot] += event.Lapsed.Points
	}
}

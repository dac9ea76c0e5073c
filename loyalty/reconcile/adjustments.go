package reconcile

import (
	"regulars/loyalty/ledger"
)

// checkAdjustments compares what staff gave and took with its entries: an adjustment that is posted has one, one that was
// taken back two, and one that waits or was declined none.
func (b *books) checkAdjustments() {
	entries := map[int64]*ledger.Entry{}
	for i := range b.entries {
		if entry := &b.entries[i]; entry.Kind == ledger.Adjusted || entry.Kind == ledger.Reversal && entry.AdjustmentID != nil {
			entries[entry.Sequence] = entry
		}
	}
	for i := range b.adjustments {
		one := &b.adjustments[i]
		if one.Status != ledger.AdjustmentPosted {
			continue
		}
		if entry := b.entryOf(one, one.EntrySequence, entries); entry != nil {
			recordedAt := &one.RequestedAt
			if !one.Alone() {
				recordedAt = one.ReviewedAt
			}
			b.expect(Adjustments, "entries", entry.Sequence, "kind", ledger.Adjusted, entry.Kind)
			b.expect(Adjustments, "entries", entry.Sequence, "points", one.Points, entry.Points)
			b.expect(Adjustments, "entries", entry.Sequence, "recorded_at", recordedAt, entry.RecordedAt)
			b.expect(Adjustments, "entries", entry.Sequence, "expires_at", one.ExpiresAt, entry.ExpiresAt)
		}
		if one.ReversedAt == nil {
			continue
		}
		if entry := b.entryOf(one, one.ReversalSequence, entries); entry != nil {
			b.expect(Adjustments, "entries", entry.Sequence, "kind", ledger.Reversal, entry.Kind)
			b.expect(Adjustments, "entries", entry.Sequence, "reverses", one.EntrySequence, entry.ReversesSequence)
			b.expect(Adjustments, "entries", entry.Sequence, "points taken back", one.Points, reversed(entry))
			b.expect(Adjustments, "entries", entry.Sequence, "recorded_at", one.ReversedAt, entry.RecordedAt)
		}
	}
	for sequence := range entries {
		b.expect(Adjustments, "entries", sequence, "adjustment", "one", "none")
	}
}

// entryOf takes the entry of an adjustment from those that are left; nil if it is not there.
func (b *books) entryOf(of *ledger.Adjustment, sequence *int64, entries map[int64]*ledger.Entry) *ledger.Entry {
	var entry *ledger.Entry
	if sequence != nil {
		entry = entries[*sequence]
	}
	if entry == nil {
		b.differs(Adjustments, "adjustments "+of.ID.String(), "entry", "one", "none")
		return nil
	}
	delete(entries, *sequence)
	b.expect(Adjustments, "entries", entry.Sequence, "adjustment", of.ID, entry.AdjustmentID)
	b.expect(Adjustments, "entries", entry.Sequence, "qualifying", int64(0), entry.Qualifying)
	return entry
}

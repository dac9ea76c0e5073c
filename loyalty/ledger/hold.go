package ledger

import (
	"time"

	"regulars/internal/id"
	"regulars/loyalty/lots"
)

// HoldStatus says what became of a hold.
type HoldStatus string

// The statuses of holds.
const (
	HoldOpen     HoldStatus = "OPEN"
	HoldCaptured HoldStatus = "CAPTURED"
	HoldReleased HoldStatus = "RELEASED"
	HoldExpired  HoldStatus = "EXPIRED"
)

// Hold is points that a member has set aside until it is captured, released or ends by itself.
type Hold struct {
	ID       id.Hold   `db:"id"`
	Member   id.Member `db:"member_id"`
	Sequence int64     `db:"sequence"`
	// Points is how many were set aside.
	Points   int64     `db:"points"`
	Reason   string    `db:"reason"`
	PlacedBy string    `db:"placed_by"`
	PlacedAt time.Time `db:"placed_at"`
	EndsAt   time.Time `db:"ends_at"`
	// Status and ClosedAt are what was recorded; an open hold is over from EndsAt on, see See.
	Status   HoldStatus `db:"status"`
	ClosedAt *time.Time `db:"closed_at"`
	// EntrySequence is the entry that captured points of it.
	EntrySequence *int64 `db:"entry_sequence"`
	// Captured is how many points that entry took; what was given back of them since is counted too.
	Captured int64 `db:"captured"`
	// PurchaseSource and PurchaseExternalID name the sale that was paid with it.
	PurchaseSource     *string `db:"purchase_source"`
	PurchaseExternalID *string `db:"purchase_external_id"`
}

// IsNode marks the hold as one of the API's nodes.
func (Hold) IsNode() {}

// Owner returns the member whose points it sets aside.
func (h *Hold) Owner() id.Member { return h.Member }

// See makes Status and ClosedAt true by the clock at t, whether or not anything posted that the hold ended.
func (h *Hold) See(t time.Time) *Hold {
	if h.Status == HoldOpen && over(&h.EndsAt, t) {
		h.Status = HoldExpired
	}
	if h.Status == HoldExpired {
		h.ClosedAt = &h.EndsAt
	}
	return h
}

// Place sets points aside for a hold whose ID, Member, Points, Reason, PlacedBy, PlacedAt and EndsAt are given. The member's
// lots must be loaded. It returns false, and places nothing, if fewer can be spent.
func (b *Batch) Place(hold Hold) (*Hold, bool) {
	h := b.holdings[hold.Member]
	number := h.account.Sequence + 1
	if h.Reserve(number, hold.Points, hold.EndsAt, hold.PlacedAt) > 0 {
		return nil, false
	}
	hold.Sequence, hold.Status = b.Number(hold.Member), HoldOpen
	b.placed = append(b.placed, &hold)
	reserved, _ := h.Hold(hold.Sequence)
	for _, one := range reserved.Draws {
		b.holdDraws = append(b.holdDraws, holdDraw{Member: hold.Member, Hold: hold.Sequence, Draw: one})
	}
	return &hold, true
}

// Capture ends an open hold with an entry of negative points, taken from what it set aside, in burn order; the rest is
// given back. hold's PurchaseSource and PurchaseExternalID are kept. The member's lots must be loaded. It returns false if
// the hold is not open any more.
func (b *Batch) Capture(hold *Hold, entry Entry) (Entry, bool) {
	h := b.holdings[hold.Member]
	if _, ok := h.Hold(hold.Sequence); !ok {
		return Entry{}, false
	}
	entry.HoldSequence = &hold.Sequence
	entry = b.post(h, entry)
	captured, paid := h.Holding.Capture(hold.Sequence, -entry.Points, entry.RecordedAt)
	b.draw(entry, captured)
	b.pay(hold.Member, paid, hold.Sequence)
	hold.Status, hold.ClosedAt, hold.EntrySequence, hold.Captured = HoldCaptured, &entry.RecordedAt, &entry.Sequence, -entry.Points
	b.closed = append(b.closed, hold)
	b.advance(h, h.account.RecordedAt)
	return entry, true
}

// Release ends an open hold at t and gives its points back. The member's lots must be loaded. It returns false if the hold
// is not open any more.
func (b *Batch) Release(hold *Hold, t time.Time) bool {
	h := b.holdings[hold.Member]
	if _, ok := h.Hold(hold.Sequence); !ok {
		return false
	}
	_, paid := h.Holding.Capture(hold.Sequence, 0, t)
	b.pay(hold.Member, paid, hold.Sequence)
	hold.Status, hold.ClosedAt = HoldReleased, &t
	b.closed = append(b.closed, hold)
	b.advance(h, h.account.RecordedAt)
	return true
}

// confirmation is that what a fact awarded until confirmed can be spent.
type confirmation struct {
	member     id.Member
	sequence   int64
	activity   int64
	recordedAt time.Time
	by         string
}

// Confirm makes what remains of lots spendable from t on that a fact of the member awarded until confirmed; expiry says when
// each lapses from then on, by the number of its entry. The lots must be loaded ([Batch.LoadLots]). It returns false if none of
// them waited.
func (b *Batch) Confirm(activity id.Activity, expiry map[int64]*time.Time, by string, t time.Time) bool {
	h := b.holdings[activity.Member]
	waited := false
	for i := range h.Lots {
		lot := &h.Lots[i]
		expiresAt, ok := expiry[lot.Sequence]
		if !ok || lot.AvailableAt != nil {
			continue
		}
		waited = true
		lot.AvailableAt, lot.ExpiresAt = &t, expiresAt
	}
	if waited {
		b.confirms = append(b.confirms, confirmation{
			member: activity.Member, sequence: b.Number(activity.Member), activity: activity.Sequence, recordedAt: t, by: by,
		})
		b.advance(h, h.account.RecordedAt)
	}
	return waited
}

// holdDraw is points that a hold set aside of one lot.
type holdDraw struct {
	Member id.Member `db:"member_id"`
	Hold   int64     `db:"hold_sequence"`
	lots.Draw
}

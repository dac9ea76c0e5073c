package reconcile

import (
	"time"

	"github.com/google/uuid"

	"regulars/internal/id"
	"regulars/loyalty/ledger"
)

// referred tells whether the entry is of a referral: it has an operation, and no fact or adjustment.
func referred(entry *ledger.Entry) bool {
	return entry.OperationID != nil && entry.ActivitySequence == nil && entry.AdjustmentID == nil &&
		(entry.Kind == ledger.Accrual || entry.Kind == ledger.Reversal)
}

// checkReferrals compares each referral of the member, on either side, with the entries that were posted for it: what it is
// rewarded with stands once, as it says, and all else was taken back whole.
func (b *books) checkReferrals() {
	given, taken := map[uuid.UUID][]*ledger.Entry{}, map[int64]*ledger.Entry{}
	for i := range b.entries {
		entry := &b.entries[i]
		switch {
		case !referred(entry):
		case entry.Kind == ledger.Accrual:
			given[*entry.OperationID] = append(given[*entry.OperationID], entry)
		case entry.ReversesSequence != nil:
			if taken[*entry.ReversesSequence] != nil {
				b.expect(Referrals, "entries", entry.Sequence, "entry that it takes back, for the first time", "one", "none")
			}
			taken[*entry.ReversesSequence] = entry
		}
	}
	for _, one := range b.referrals {
		standing := 0
		for _, entry := range given[one.ID] {
			b.expect(Referrals, "entries", entry.Sequence, "qualifying", int64(0), entry.Qualifying)
			if back := taken[entry.Sequence]; back != nil {
				b.expect(Referrals, "entries", back.Sequence, "operation_id", one.ID, back.OperationID)
				b.expect(Referrals, "entries", back.Sequence, "points taken back", entry.Points, reversed(back))
				delete(taken, entry.Sequence)
				continue
			}
			standing++
			b.expect(Referrals, "entries", entry.Sequence, "entry that its referral names", entry.Sequence, one.Sequence)
			b.expect(Referrals, "entries", entry.Sequence, "points", one.Points, entry.Points)
			b.expect(Referrals, "entries", entry.Sequence, "available_at", one.FinalAt, entry.AvailableAt)
			b.expect(Referrals, "entries", entry.Sequence, "occurred_at", one.QualifiedAt, entry.OccurredAt)
		}
		wanted := 0
		if one.Sequence != nil {
			wanted = 1
		}
		b.expect(Referrals, "referrals "+id.Referral(one.ID).String()+" of member", 1, "entries that stand", wanted, standing)
		delete(given, one.ID)
	}
	for _, entries := range given {
		b.expect(Referrals, "entries", entries[0].Sequence, "referral", "one", "none")
	}
	for _, entry := range taken {
		b.expect(Referrals, "entries", entry.Sequence, "entry of a referral that it takes back", "one", "none")
	}
}

// referralRow is one side of a referral: what that member got.
type referralRow struct {
	Member      id.Member  `db:"member_id"`
	ID          uuid.UUID  `db:"id"`
	QualifiedAt *time.Time `db:"qualified_at"`
	FinalAt     *time.Time `db:"final_at"`
	Points      *int64     `db:"points"`
	Sequence    *int64     `db:"sequence"`
}

const selectReferrals = `
	select referrer_id as member_id, id, qualified_at, final_at, referrer_points as points, referrer_sequence as sequence
	from referrals where referrer_id > $1 and referrer_id <= $2
	union all
	select referee_id, id, qualified_at, final_at, referee_points, referee_sequence
	from referrals where referee_id > $1 and referee_id <= $2
	order by member_id, id`

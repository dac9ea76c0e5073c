package reconcile

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// sliceSpan is how far apart the facts of one slice are recorded at most: a microsecond each. What the clock makes due
// is posted when a slice begins; what falls due amid it, with the next one.
const sliceSpan = 2 * loyalty.MaximumBatch * time.Microsecond

// postings are lots, draws and debts as they follow from the entries alone.
type postings struct {
	balance int64
	// lots are those with something left, spent the others.
	lots  []lots.Lot
	spent []lots.Lot
	draws map[drawn]taken
	debts []ledger.Debt
	// nextExpiry is when the first of lots lapses; late are those that lapsed and were noted to be missing.
	nextExpiry *time.Time
	late       map[int64]bool
}

// drawn names a draw, taken says what it is.
type drawn struct{ entry, lot int64 }

type taken struct{ points, postedBy int64 }

// checkPostings replays all entries in order and compares what comes out.
func (b *books) checkPostings(timeline []row) {
	rebuilt := &postings{draws: map[drawn]taken{}, late: map[int64]bool{}}
	for _, next := range timeline {
		if next.activity != nil || next.entry != nil && next.entry.Kind == ledger.Adjusted {
			rebuilt.checkDue(b, next.recordedAt)
		}
		if next.entry != nil {
			rebuilt.post(b, next.entry)
		}
	}
	b.checkLots(rebuilt)
	b.checkDraws(rebuilt)
	b.checkDebts(rebuilt)
	var owed int64
	for _, debt := range rebuilt.debts {
		owed += debt.Remaining
	}
	b.expect(Balances, "accounts", 1, "balance", rebuilt.balance, b.account.Balance)
	b.expect(Debts, "accounts", 1, "debt", owed, b.account.Debt)
	b.expect(Expiries, "accounts", 1, "next_expiry_at", rebuilt.nextExpiry, b.account.NextExpiryAt)
}

func (p *postings) post(b *books, entry *ledger.Entry) {
	p.balance += entry.Points
	b.expect(Balances, "entries", entry.Sequence, "balance_after", p.balance, entry.BalanceAfter)
	switch {
	case entry.Kind == ledger.Expiry:
		p.expire(b, entry)
	case entry.Points > 0:
		p.credit(entry)
	case entry.Kind == ledger.Reversal:
		missing := -entry.Points
		if entry.ReversesSequence != nil {
			missing = p.draw(entry, func() ([]lots.Draw, int64) {
				return lots.TakeFrom(p.lots, *entry.ReversesSequence, missing, entry.RecordedAt)
			})
		}
		missing = p.draw(entry, func() ([]lots.Draw, int64) { return lots.Take(p.lots, missing, entry.RecordedAt) })
		if missing > 0 {
			p.debts = append(p.debts, ledger.Debt{Sequence: entry.Sequence, Points: missing, Remaining: missing})
		}
	case entry.Kind == ledger.Adjusted:
		missing := p.draw(entry, func() ([]lots.Draw, int64) { return lots.Take(p.lots, -entry.Points, entry.RecordedAt) })
		b.expect(Draws, "entries", entry.Sequence, "points beyond what could be spent", int64(0), missing)
	default:
		b.expect(Balances, "entries", entry.Sequence, "points of an accrual, more than", int64(0), entry.Points)
	}
	if entry.Points <= 0 {
		p.lots = slices.DeleteFunc(p.lots, func(lot lots.Lot) bool {
			if lot.Remaining == 0 {
				p.spent = append(p.spent, lot)
			}
			return lot.Remaining == 0
		})
		p.nextExpiry = lots.NextExpiry(p.lots)
	}
}

func (p *postings) draw(entry *ledger.Entry, take func() ([]lots.Draw, int64)) (missing int64) {
	draws, missing := take()
	for _, one := range draws {
		p.draws[drawn{entry.Sequence, one.Lot}] = taken{one.Points, entry.Sequence}
	}
	return missing
}

// credit makes a lot, which pays debts first, the oldest before the others.
func (p *postings) credit(entry *ledger.Entry) {
	made := lots.Lot{
		Sequence: entry.Sequence, Points: entry.Points, Remaining: entry.Points, EarnedAt: entry.OccurredAt,
		AvailableAt: entry.RecordedAt, ExpiresAt: entry.ExpiresAt,
	}
	for i := range p.debts {
		if paid := min(p.debts[i].Remaining, made.Remaining); paid > 0 {
			p.draws[drawn{p.debts[i].Sequence, made.Sequence}] = taken{paid, entry.Sequence}
			p.debts[i].Remaining -= paid
			made.Remaining -= paid
		}
	}
	if made.Remaining == 0 {
		p.spent = append(p.spent, made)
		return
	}
	p.lots = append(p.lots, made)
	if made.ExpiresAt != nil && (p.nextExpiry == nil || made.ExpiresAt.Before(*p.nextExpiry)) {
		p.nextExpiry = made.ExpiresAt
	}
}

// expire takes the whole of the lot that had lapsed first.
func (p *postings) expire(b *books, entry *ledger.Entry) {
	slices.SortFunc(p.lots, lots.Compare)
	i := slices.IndexFunc(p.lots, func(lot lots.Lot) bool { return lot.Remaining > 0 && lot.Expired(entry.RecordedAt) })
	if i < 0 {
		b.expect(Expiries, "entries", entry.Sequence, "points, none of which had expired", int64(0), entry.Points)
		return
	}
	lapsed := &p.lots[i]
	b.expect(Expiries, "entries", entry.Sequence, "points", -lapsed.Remaining, entry.Points)
	b.expect(Expiries, "entries", entry.Sequence, "occurred_at", lapsed.ExpiresAt, entry.OccurredAt)
	p.draws[drawn{entry.Sequence, lapsed.Sequence}] = taken{lapsed.Remaining, entry.Sequence}
	lapsed.Remaining = 0
}

// checkDue makes sure that what had expired when something was recorded was posted before it.
func (p *postings) checkDue(b *books, recordedAt time.Time) {
	due := recordedAt.Add(-sliceSpan)
	if p.nextExpiry == nil || due.Before(*p.nextExpiry) {
		return
	}
	for _, lot := range p.lots {
		if lot.Expired(due) && !p.late[lot.Sequence] {
			p.late[lot.Sequence] = true
			b.expect(Expiries, "lots", lot.Sequence, "expiry, posted before what was recorded at "+show(recordedAt), lot.ExpiresAt, nil)
		}
	}
}

func (b *books) checkLots(rebuilt *postings) {
	expected := map[int64]lots.Lot{}
	for _, lot := range slices.Concat(rebuilt.lots, rebuilt.spent) {
		expected[lot.Sequence] = lot
	}
	for _, found := range b.lots {
		lot, ok := expected[found.Sequence]
		if !ok {
			b.expect(Lots, "lots", found.Sequence, "entry that credits it", "one", "none")
			continue
		}
		b.expect(Lots, "lots", found.Sequence, "points", lot.Points, found.Points)
		b.expect(Lots, "lots", found.Sequence, "remaining", lot.Remaining, found.Remaining)
		b.expect(Lots, "lots", found.Sequence, "earned_at", lot.EarnedAt, found.EarnedAt)
		b.expect(Lots, "lots", found.Sequence, "available_at", lot.AvailableAt, found.AvailableAt)
		b.expect(Lots, "lots", found.Sequence, "expires_at", lot.ExpiresAt, found.ExpiresAt)
		b.expect(Lots, "lots", found.Sequence, "open", lot.Remaining > 0, found.Open)
		delete(expected, found.Sequence)
	}
	for sequence := range expected {
		b.expect(Lots, "entries", sequence, "lot", "one", "none")
	}
}

func (b *books) checkDraws(rebuilt *postings) {
	for _, found := range b.draws {
		at := drawn{found.Entry, found.Lot}
		what := "draw from lot " + strconv.FormatInt(found.Lot, 10)
		one, ok := rebuilt.draws[at]
		if !ok {
			b.expect(Draws, "draws", found.Entry, what, nil, found.Points)
			continue
		}
		b.expect(Draws, "draws", found.Entry, what, one.points, found.Points)
		b.expect(Draws, "draws", found.Entry, what+", posted by", one.postedBy, found.PostedBy)
		delete(rebuilt.draws, at)
	}
	missing := make([]drawn, 0, len(rebuilt.draws))
	for at := range rebuilt.draws {
		missing = append(missing, at)
	}
	slices.SortFunc(missing, func(a, b drawn) int { return cmp.Or(cmp.Compare(a.entry, b.entry), cmp.Compare(a.lot, b.lot)) })
	for _, at := range missing {
		b.expect(Draws, "draws", at.entry, "draw from lot "+strconv.FormatInt(at.lot, 10), rebuilt.draws[at].points, nil)
	}
}

func (b *books) checkDebts(rebuilt *postings) {
	expected := map[int64]ledger.Debt{}
	for _, debt := range rebuilt.debts {
		expected[debt.Sequence] = debt
	}
	for _, found := range b.debts {
		debt, ok := expected[found.Sequence]
		if !ok {
			b.expect(Debts, "debts", found.Sequence, "entry that owes it", "one", "none")
			continue
		}
		b.expect(Debts, "debts", found.Sequence, "points", debt.Points, found.Points)
		b.expect(Debts, "debts", found.Sequence, "remaining", debt.Remaining, found.Remaining)
		b.expect(Debts, "debts", found.Sequence, "open", debt.Remaining > 0, found.Open)
		delete(expected, found.Sequence)
	}
	for sequence := range expected {
		b.expect(Debts, "entries", sequence, "debt", "one", "none")
	}
}

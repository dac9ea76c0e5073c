package reconcile

import (
	"cmp"
	"slices"
	"time"

	"regulars/loyalty"
	"regulars/loyalty/ledger"
	"regulars/loyalty/lots"
)

// sliceSpan is how far apart the facts of one slice are recorded at most: a microsecond each. What the clock makes due
// is posted when a slice begins; what falls due amid it, with the next one.
const sliceSpan = 2 * loyalty.MaximumBatch * time.Microsecond

// postings are what a member holds as it follows from the entries, the holds and the clock.
type postings struct {
	*books
	lots.Holding
	balance int64
	heard   time.Time
	// last is when the last of what was replayed was recorded.
	last  time.Time
	draws map[drawn]int64
	// lapsed is what of each lot has expired and no reversal has counted.
	lapsed map[int64]int64
	// due are the expiries that the clock has brought about and that are to be posted next, late those noted to be missing.
	due  []lots.Event
	late map[int64]bool
}

// drawn names a draw.
type drawn struct{ entry, lot, postedBy int64 }

// checkPostings replays everything that was recorded, in order, and compares what comes out.
func (b *books) checkPostings(timeline []row) {
	rebuilt := &postings{books: b, draws: map[drawn]int64{}, lapsed: map[int64]int64{}, late: map[int64]bool{}}
	ends := b.ends()
	for _, next := range timeline {
		for len(ends) > 0 && !next.recordedAt.Before(*ends[0].ClosedAt) {
			rebuilt.end(ends[0])
			ends = ends[1:]
		}
		if next.recordedAt.After(rebuilt.last) && (next.entry == nil || next.entry.Kind != ledger.Expiry) {
			rebuilt.checkDue(next.recordedAt)
		}
		rebuilt.last = next.recordedAt
		rebuilt.idle(next.recordedAt)
		rebuilt.replay(next)
	}
	for _, hold := range ends {
		rebuilt.end(hold)
		rebuilt.last = *hold.ClosedAt
	}
	rebuilt.checkPosted()
	rebuilt.checkLots()
	rebuilt.checkDraws()
	rebuilt.checkDebts()
	rebuilt.checkAccount()
}

// ends are the holds that are over but not captured, in the order in which that was recorded.
func (b *books) ends() []*holdRow {
	var over []*holdRow
	for i := range b.holds {
		if hold := &b.holds[i]; hold.ClosedAt != nil && hold.Status != ledger.HoldCaptured {
			over = append(over, hold)
		}
	}
	slices.SortFunc(over, func(a, b *holdRow) int {
		return cmp.Or(a.ClosedAt.Compare(*b.ClosedAt), a.EndsAt.Compare(b.EndsAt), cmp.Compare(a.Sequence, b.Sequence))
	})
	return over
}

func (p *postings) replay(next row) {
	switch {
	case next.move != nil && next.move.From == nil:
		p.hear(next.recordedAt)
	case next.activity != nil:
		p.hear(next.activity.OccurredAt)
	case next.hold != nil:
		p.hear(next.recordedAt)
		missing := p.Reserve(next.hold.Sequence, next.hold.Points, next.hold.EndsAt, next.hold.PlacedAt)
		p.expect(Holds, "holds", next.hold.Sequence, "points beyond what could be spent", int64(0), missing)
		p.checkHold(next.hold)
	case next.confirm != nil:
		p.confirm(next.confirm)
	case next.entry != nil:
		p.post(next.entry)
	}
}

func (p *postings) hear(t time.Time) {
	if t.After(p.heard) {
		p.heard = t
	}
	p.idle(p.last)
}

// idle works out when the member becomes idle by what is known at t.
func (p *postings) idle(t time.Time) {
	p.Idle = lots.Idle(p.check.terms.At(t).Expiry, p.heard, p.check.terms.Zone)
}

// run lets the clock run to t and remembers what is to be posted of that.
func (p *postings) run(t time.Time) {
	p.idle(t)
	for _, event := range p.Advance(t) {
		if event.Ended != nil {
			p.pay(event.Paid, event.Ended.Sequence)
			continue
		}
		p.due = append(p.due, event)
	}
}

// end ends a hold that is over: by the clock, or since it was released.
func (p *postings) end(hold *holdRow) {
	if hold.Status == ledger.HoldExpired {
		p.run(*hold.ClosedAt)
		_, open := p.Hold(hold.Sequence)
		p.expect(Holds, "holds", hold.Sequence, "still open at its end", false, open)
		return
	}
	if _, open := p.Hold(hold.Sequence); !open {
		p.expect(Holds, "holds", hold.Sequence, "open until it was released", true, open)
		return
	}
	_, paid := p.Capture(hold.Sequence, 0, *hold.ClosedAt)
	p.pay(paid, hold.Sequence)
}

func (p *postings) confirm(one *confirmationRow) {
	stored := map[int64]lotRow{}
	for _, lot := range p.books.lots {
		stored[lot.Sequence] = lot
	}
	for _, entry := range p.entries {
		if entry.Kind != ledger.Accrual || entry.ActivitySequence == nil || *entry.ActivitySequence != one.Activity || entry.AvailableAt != nil {
			continue
		}
		for i := range p.Lots {
			// What was taken back or had lapsed is not confirmed with the rest.
			kept := stored[entry.Sequence]
			if lot := &p.Lots[i]; lot.Sequence == entry.Sequence && kept.AvailableAt != nil && kept.AvailableAt.Equal(one.RecordedAt) {
				lot.AvailableAt, lot.ExpiresAt = &one.RecordedAt, kept.ExpiresAt
			}
		}
	}
}

func (p *postings) post(entry *ledger.Entry) {
	p.balance += entry.Points
	p.expect(Balances, "entries", entry.Sequence, "balance_after", p.balance, entry.BalanceAfter)
	switch entry.Kind {
	case ledger.Expiry:
		p.expire(entry)
	case ledger.Reversal:
		// An adjustment that took points gives them back as a redemption does.
		if entry.Points > 0 {
			p.restore(entry)
			return
		}
		p.reverse(entry)
	case ledger.Redemption:
		p.hear(entry.RecordedAt)
		p.redeem(entry)
	case ledger.RedemptionCancel:
		p.restore(entry)
	case ledger.Accrual, ledger.Adjusted:
		switch {
		case entry.Points > 0:
			if entry.Kind == ledger.Adjusted {
				p.hear(entry.RecordedAt)
			}
			p.credit(entry)
		case entry.Kind == ledger.Adjusted:
			p.redeem(entry)
		default:
			p.expect(Balances, "entries", entry.Sequence, "points of an accrual, more than", int64(0), entry.Points)
		}
	}
}

func (p *postings) credit(entry *ledger.Entry) {
	p.pay(p.Credit(lots.Lot{
		Sequence: entry.Sequence, Points: entry.Points, Remaining: entry.Points, EarnedAt: entry.OccurredAt,
		AvailableAt: entry.AvailableAt, ExpiresAt: entry.ExpiresAt,
	}, entry.RecordedAt), entry.Sequence)
}

// redeem takes points in burn order, or those that a hold set aside.
func (p *postings) redeem(entry *ledger.Entry) {
	if entry.HoldSequence != nil {
		if _, open := p.Hold(*entry.HoldSequence); !open {
			p.expect(Holds, "entries", entry.Sequence, "hold, open until it was captured", true, open)
			return
		}
		captured, paid := p.Capture(*entry.HoldSequence, -entry.Points, entry.RecordedAt)
		p.draw(entry, captured)
		p.pay(paid, *entry.HoldSequence)
		return
	}
	draws, missing := p.Take(-entry.Points, entry.RecordedAt)
	p.draw(entry, draws)
	p.expect(Draws, "entries", entry.Sequence, "points beyond what could be spent", int64(0), missing)
}

func (p *postings) reverse(entry *ledger.Entry) {
	if entry.ReversesSequence == nil {
		p.expect(Reversals, "entries", entry.Sequence, "reverses", "an entry", nil)
		return
	}
	own := *entry.ReversesSequence
	_, policy := p.check.terms.At(entry.RecordedAt).InForce()
	reverse := p.Reverse
	if entry.AdjustmentID != nil {
		reverse = p.Undo
	}
	made := reverse(own, reversed(entry), p.lapsed[own], policy, entry.RecordedAt)
	p.lapsed[own] -= made.Lapsed
	p.expect(Reversals, "entries", entry.Sequence, "points taken", -made.Taken(), entry.Points)
	p.expect(Reversals, "entries", entry.Sequence, "lapsed", made.Lapsed, entry.Lapsed)
	p.expect(Reversals, "entries", entry.Sequence, "shortfall", made.Shortfall, entry.Shortfall)
	p.draw(entry, made.Own)
	p.draw(entry, made.Others)
	if made.Owed > 0 {
		p.Owe(entry.Sequence, made.Owed)
	}
}

// restore gives back what the entry that it reverses took last.
func (p *postings) restore(entry *ledger.Entry) {
	if entry.ReversesSequence == nil {
		p.expect(Reversals, "entries", entry.Sequence, "reverses", "an entry", nil)
		return
	}
	taken := p.drawnBy(*entry.ReversesSequence)
	given := lots.Last(taken, entry.Points)
	var points int64
	for _, one := range given {
		p.draws[drawn{entry.Sequence, one.Lot, entry.Sequence}] -= one.Points
		points += one.Points
	}
	p.expect(Reversals, "entries", entry.Sequence, "points given back, at most what was taken", points, entry.Points)
	p.pay(p.Restore(given, entry.RecordedAt), entry.Sequence)
}

// drawnBy is what an entry took and what was not given back yet, in burn order.
func (p *postings) drawnBy(debit int64) []lots.Draw {
	reversing := map[int64]bool{debit: true}
	for _, entry := range p.entries {
		if entry.ReversesSequence != nil && *entry.ReversesSequence == debit {
			reversing[entry.Sequence] = true
		}
	}
	taken := map[int64]int64{}
	for at, points := range p.draws {
		if reversing[at.entry] {
			taken[at.lot] += points
		}
	}
	slices.SortFunc(p.Lots, lots.Compare)
	var draws []lots.Draw
	for _, lot := range p.Lots {
		if points := taken[lot.Sequence]; points > 0 {
			draws = append(draws, lots.Draw{Lot: lot.Sequence, Points: points})
		}
	}
	return draws
}

func (p *postings) draw(entry *ledger.Entry, draws []lots.Draw) {
	for _, one := range draws {
		p.draws[drawn{entry.Sequence, one.Lot, entry.Sequence}] += one.Points
	}
}

func (p *postings) pay(payments []lots.Payment, postedBy int64) {
	for _, one := range payments {
		p.draws[drawn{one.Debt, one.Lot, postedBy}] += one.Points
	}
}

// expire posts the first of the expiries that the clock has brought about by then.
func (p *postings) expire(entry *ledger.Entry) {
	if len(p.due) == 0 {
		p.run(entry.RecordedAt)
	}
	if len(p.due) == 0 {
		p.expect(Expiries, "entries", entry.Sequence, "points, none of which had expired", int64(0), entry.Points)
		return
	}
	event := p.due[0]
	p.due = p.due[1:]
	p.expect(Expiries, "entries", entry.Sequence, "points", -event.Lapsed.Points, entry.Points)
	p.expect(Expiries, "entries", entry.Sequence, "occurred_at", event.At, entry.OccurredAt)
	p.draw(entry, []lots.Draw{*event.Lapsed})
	p.lapsed[event.Lapsed.Lot] += event.Lapsed.Points
}

// checkDue makes sure that what the clock had done when something was recorded was posted before it.
func (p *postings) checkDue(recordedAt time.Time) {
	p.checkPosted()
	due := recordedAt.Add(-sliceSpan)
	p.idle(due)
	if !p.Due(due) {
		return
	}
	then := p.Clone()
	for _, event := range then.Advance(due) {
		switch {
		case event.Ended != nil && !p.late[event.Ended.Sequence]:
			p.late[event.Ended.Sequence] = true
			p.expect(Holds, "holds", event.Ended.Sequence, "end, posted before what was recorded at "+show(recordedAt), event.At, nil)
		case event.Lapsed != nil && !p.late[event.Lapsed.Lot]:
			p.late[event.Lapsed.Lot] = true
			p.expect(Expiries, "lots", event.Lapsed.Lot, "expiry, posted before what was recorded at "+show(recordedAt), event.At, nil)
		}
	}
}

// checkPosted makes sure that everything that lapsed when something was posted was posted as well.
func (p *postings) checkPosted() {
	for _, event := range p.due {
		p.expect(Expiries, "lots", event.Lapsed.Lot, "expiry, posted with the others", event.At, nil)
	}
	p.due = nil
}

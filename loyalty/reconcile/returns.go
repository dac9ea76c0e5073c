package reconcile

import (
	"slices"

	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// returning is the replay of what came back of a member's purchases.
type returning struct {
	*books
	purchases map[int64]*purchase
	returns   map[int64]*activityRow
	// reversals are the entries by which returns took points back, came the lines that came back, by the return.
	reversals map[int64][]*ledger.Entry
	came      map[int64][]returnedRow
	// carried is what rules carry over, and latest their awards, newest first.
	carried map[rules.Step]int64
	latest  map[rules.Step][]*award
}

type purchase struct {
	activity *activityRow
	returned int64
	// byAmount is what of that came back without saying of which lines.
	byAmount int64
	// lines is what came back of each.
	lines  map[int]int64
	awards []*award
}

type award struct {
	outcome rules.Outcome
	// entry is nil where nothing was granted, but an amount carried on.
	entry              *ledger.Entry
	points, qualifying int64
	// canceled is what was taken back while it was pending; nil if nothing was.
	canceled *ledger.Entry
	// absorbed is how many of the points that were desired returns have cost, of what carries over.
	absorbed int64
}

// reversal is what a return is expected to take back of an award.
type reversal struct {
	of                 *award
	points, qualifying int64
}

// checkReturns replays the returns of each purchase in order: what each took back of each award, and that no more came
// back than was sold.
func (b *books) checkReturns() {
	replay := &returning{
		books: b, purchases: map[int64]*purchase{}, returns: map[int64]*activityRow{}, reversals: map[int64][]*ledger.Entry{},
		came: map[int64][]returnedRow{}, carried: map[rules.Step]int64{}, latest: map[rules.Step][]*award{},
	}
	replay.open()
	for i := range b.activities {
		activity := &b.activities[i]
		if activity.Type != typeReturn {
			replay.carry(replay.purchases[activity.Sequence])
			continue
		}
		replay.returns[activity.Sequence] = activity
		var sold *purchase
		if activity.Purchase != nil && *activity.Purchase < activity.Sequence {
			sold = replay.purchases[*activity.Purchase]
		}
		if sold == nil || sold.activity.Type != typePurchase || sold.activity.Total == nil || activity.Total == nil {
			b.expect(Returns, "activities", activity.Sequence, "purchase with a total", "one", "none")
			continue
		}
		replay.checkReturn(sold, activity)
		delete(replay.reversals, activity.Sequence)
	}
	for _, one := range replay.purchases {
		for _, award := range one.awards {
			replay.settle(award, b.account.Sequence+1)
		}
	}
	for _, entries := range replay.reversals {
		b.expect(Reversals, "entries", entries[0].Sequence, "return of a purchase", "one", "none")
	}
	replay.checkRemainders()
	replay.checkReturnedLines()
}

// open puts awards to their purchases, and reversals to what posted them.
func (r *returning) open() {
	for i := range r.activities {
		if one := &r.activities[i]; one.Type != typeReturn {
			r.purchases[one.Sequence] = &purchase{activity: one, lines: map[int]int64{}}
		}
	}
	accruals := map[int64][]*ledger.Entry{}
	var canceled []*ledger.Entry
	for i := range r.entries {
		entry := &r.entries[i]
		switch {
		case entry.Kind == ledger.Accrual && entry.ActivitySequence != nil:
			accruals[*entry.ActivitySequence] = append(accruals[*entry.ActivitySequence], entry)
		case entry.Kind == ledger.Reversal && entry.ActivitySequence != nil && r.purchases[*entry.ActivitySequence] != nil:
			canceled = append(canceled, entry)
		case entry.Kind == ledger.Reversal && entry.ActivitySequence != nil:
			r.reversals[*entry.ActivitySequence] = append(r.reversals[*entry.ActivitySequence], entry)
		case entry.Kind == ledger.Reversal && entry.AdjustmentID == nil && !referred(entry):
			r.expect(Reversals, "entries", entry.Sequence, "return", "one", "none")
		}
	}
	for _, evaluation := range r.evaluations {
		if sold := r.purchases[evaluation.Sequence]; sold != nil {
			sold.earn(evaluation, accruals[evaluation.Sequence])
		}
	}
	for _, entry := range canceled {
		r.checkCanceled(r.purchases[*entry.ActivitySequence], entry)
	}
	for _, row := range r.books.returned {
		r.came[row.Sequence] = append(r.came[row.Sequence], row)
	}
}

// earn puts entries to the outcomes that they come from. Where they do not agree, that was said already.
func (p *purchase) earn(evaluation evaluationRow, entries []*ledger.Entry) {
	outcomes, err := evaluation.outcomes()
	if err != nil {
		return
	}
	for _, outcome := range outcomes {
		switch {
		case outcome.Granted > 0 && len(entries) > 0:
			p.awards = append(p.awards, &award{outcome: outcome, entry: entries[0]})
			entries = entries[1:]
		case outcome.Remainder != nil:
			p.awards = append(p.awards, &award{outcome: outcome})
		}
	}
}

// checkCanceled compares what was taken back of a pending award with what was left of it.
func (r *returning) checkCanceled(of *purchase, entry *ledger.Entry) {
	i := slices.IndexFunc(of.awards, func(one *award) bool {
		return entry.ReversesSequence != nil && one.entry != nil && one.entry.Sequence == *entry.ReversesSequence
	})
	if i < 0 || of.awards[i].canceled != nil {
		r.expect(Reversals, "entries", entry.Sequence, "award of the fact, canceled once", "one", "none")
		return
	}
	of.awards[i].canceled = entry
}

// settle makes sure that all that was left of an award was taken back if it was canceled before row number until.
func (r *returning) settle(one *award, until int64) {
	entry := one.canceled
	if entry == nil || entry.Sequence > until {
		return
	}
	r.expect(Reversals, "entries", entry.Sequence, "points, all that was left", one.entry.Points-one.points, reversed(entry))
	r.expect(Reversals, "entries", entry.Sequence, "qualifying, all that was left", one.qualifying-one.entry.Qualifying, entry.Qualifying)
	one.points, one.qualifying, one.canceled = one.entry.Points, one.entry.Qualifying, nil
}

// reversed is how much an entry counts as taken back.
func reversed(entry *ledger.Entry) int64 { return -entry.Points + entry.Lapsed + entry.Shortfall }

// step is what the rule of an outcome gives for every full amount; false if that was never said.
func (r *returning) step(outcome rules.Outcome) (rules.PerAmount, bool) {
	published := r.check.rules[ruleVersion{Rule: outcome.Rule, Version: outcome.Version}]
	if published.Points == nil || published.Every == nil {
		return rules.PerAmount{}, false
	}
	return rules.PerAmount{Points: *published.Points, Every: *published.Every}, true
}

// carry goes on with what a purchase left over.
func (r *returning) carry(sold *purchase) {
	for _, one := range sold.awards {
		if one.outcome.Remainder == nil {
			continue
		}
		per, ok := r.step(one.outcome)
		if !ok {
			r.expect(Rules, "evaluations", sold.activity.Sequence, "award by amount of the version", "one", "none")
			continue
		}
		step := per.Step(one.outcome.Rule)
		r.expect(Remainders, "evaluations", sold.activity.Sequence, "carried over", r.carried[step], one.outcome.Carried)
		r.carried[step] = *one.outcome.Remainder
		r.latest[step] = append([]*award{one}, r.latest[step]...)
	}
}

// cameBack is how much of what an award stands on has come back.
func (p *purchase) cameBack(one *award) int64 {
	outcome, total := one.outcome, *p.activity.Total
	switch {
	case outcome.Lines == nil:
		return p.returned
	case p.returned == total:
		return outcome.Basis
	}
	var own int64
	for number, amount := range p.lines {
		if slices.Contains(outcome.Lines, number) {
			own += amount
		}
	}
	return outcome.CameBack(own, p.byAmount, total)
}

func (r *returning) checkReturn(sold *purchase, came *activityRow) {
	before := make([]int64, len(sold.awards))
	for i, one := range sold.awards {
		before[i] = sold.cameBack(one)
	}
	sold.returned += *came.Total
	if len(r.came[came.Sequence]) == 0 {
		sold.byAmount += *came.Total
	}
	for _, row := range r.came[came.Sequence] {
		sold.lines[row.Line] += row.Amount
	}
	if *came.Total < 0 || sold.returned > *sold.activity.Total {
		r.expect(Returns, "activities", came.Sequence, "total of all returns, at most the purchase's", sold.activity.Total, sold.returned)
	}
	var expected []reversal
	for i, one := range sold.awards {
		if one.outcome.Remainder != nil {
			expected = append(expected, r.uncarry(one, before[i], sold.cameBack(one), came.Sequence)...)
			continue
		}
		r.settle(one, came.Sequence)
		returned := sold.cameBack(one)
		points := max(rules.Reversed(one.entry.Points, returned, one.outcome.Basis)-one.points, 0)
		qualifying := max(rules.Reversed(one.entry.Qualifying, returned, one.outcome.Basis)-one.qualifying, 0)
		expected = append(expected, one.take(points, qualifying)...)
	}
	r.checkReversals(came, expected)
}

func (a *award) take(points, qualifying int64) []reversal {
	if points == 0 && qualifying == 0 {
		return nil
	}
	a.points += points
	a.qualifying += qualifying
	return []reversal{{of: a, points: points, qualifying: qualifying}}
}

// uncarry takes what came back from the running amount, and the steps that it loses from the rule's awards.
func (r *returning) uncarry(one *award, before, after, until int64) []reversal {
	per, ok := r.step(one.outcome)
	if !ok {
		return nil
	}
	step := per.Step(one.outcome.Rule)
	var lost int64
	lost, r.carried[step] = per.Uncarry(one.outcome, r.carried[step], before, after)
	var taken []reversal
	for _, award := range append([]*award{one}, r.latest[step]...) {
		takes, owed := award.outcome.Absorb(award.absorbed, lost)
		award.absorbed += takes
		lost -= takes
		if award.entry == nil {
			continue
		}
		r.settle(award, until)
		if points := min(owed, award.entry.Points-award.points); points > 0 {
			taken = append(taken, award.take(points, min(points, award.entry.Qualifying-award.qualifying))...)
		}
	}
	return taken
}

func (r *returning) checkReversals(came *activityRow, expected []reversal) {
	found := r.reversals[came.Sequence]
	for i, one := range expected {
		accrual := one.of.entry
		if i >= len(found) {
			r.expect(Reversals, "activities", came.Sequence, "reversal of entry", accrual.Sequence, nil)
			continue
		}
		entry := found[i]
		r.expect(Reversals, "entries", entry.Sequence, "reverses", accrual.Sequence, entry.ReversesSequence)
		r.expect(Reversals, "entries", entry.Sequence, "points", -one.points, -reversed(entry))
		r.expect(Reversals, "entries", entry.Sequence, "qualifying", -one.qualifying, entry.Qualifying)
		r.expect(Reversals, "entries", entry.Sequence, "qualifies_at", accrual.QualifiesAt, entry.QualifiesAt)
		r.expect(Reversals, "entries", entry.Sequence, "rule", accrual.Rule, entry.Rule)
		r.expect(Reversals, "entries", entry.Sequence, "rule_version", accrual.RuleVersion, entry.RuleVersion)
		r.expect(Reversals, "entries", entry.Sequence, "occurred_at", came.OccurredAt, entry.OccurredAt)
		r.expect(Reversals, "entries", entry.Sequence, "recorded_at", came.RecordedAt, entry.RecordedAt)
	}
	for _, entry := range found[min(len(expected), len(found)):] {
		r.expect(Reversals, "entries", entry.Sequence, "points", int64(0), entry.Points)
	}
}

// checkRemainders compares what rules carry over, and what returns have cost of it, with what is kept of that.
func (r *returning) checkRemainders() {
	kept := map[rules.Step]int64{}
	for _, row := range r.remainders {
		kept[row.Step] = row.Remainder
		if _, ok := r.carried[row.Step]; !ok {
			r.carried[row.Step] = 0
		}
	}
	for step, remainder := range r.carried {
		if kept[step] != remainder {
			r.differs(Remainders, "rule_remainders "+step.Rule.String(), "remainder", show(remainder), show(kept[step]))
		}
	}
	type of struct {
		sequence int64
		rule     id.Rule
	}
	absorbed := map[of]int64{}
	for _, row := range r.absorptions {
		absorbed[of{row.Sequence, row.Rule}] = row.Points
	}
	for sequence, sold := range r.purchases {
		for _, one := range sold.awards {
			key := of{sequence, one.outcome.Rule}
			if one.outcome.Remainder != nil {
				r.expect(Remainders, "rule_absorptions", sequence, "points that returns have cost", one.absorbed, absorbed[key])
				delete(absorbed, key)
			}
		}
	}
	for key, points := range absorbed {
		r.expect(Remainders, "rule_absorptions", key.sequence, "points that returns have cost", int64(0), points)
	}
}

// checkReturnedLines adds up what came back of each line: no more than was sold, and the amount by the quantity's share.
func (r *returning) checkReturnedLines() {
	type line struct {
		purchase int64
		line     int
	}
	came := map[line]returnedRow{}
	for _, row := range r.books.returned {
		activity := r.returns[row.Sequence]
		if activity == nil || activity.Purchase == nil || *activity.Purchase != row.Purchase || row.SoldQuantity == nil {
			r.expect(Returns, "return_lines", row.Sequence, "line of the purchase", "one", "none")
			continue
		}
		at := line{row.Purchase, row.Line}
		before := came[at]
		row.Quantity += before.Quantity
		row.Amount += before.Amount
		came[at] = row
		if row.Quantity <= before.Quantity || row.Quantity > *row.SoldQuantity {
			r.expect(Returns, "return_lines", row.Sequence, "quantity in all, at most what was sold", row.SoldQuantity.Decimal(), row.Quantity.Decimal())
			continue
		}
		amount, sign := *row.SoldAmount, int64(1)
		if amount < 0 {
			amount, sign = -amount, -1
		}
		// Not more came back than was sold, so the share fits.
		share, _ := value.MultiplyDivide(amount, int64(row.Quantity), int64(*row.SoldQuantity), value.Floor)
		r.expect(Returns, "return_lines", row.Sequence, "amount in all", sign*share, row.Amount)
	}
}

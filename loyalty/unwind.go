package loyalty

import (
	"slices"

	"regulars/internal/id"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// award is what an outcome of a purchase came to, with what reversals have taken back of it, as positive numbers.
type award struct {
	outcome rules.Outcome
	// entry is nil where nothing was granted, but an amount carried on.
	entry              *ledger.Entry
	reversedPoints     int64
	reversedQualifying int64
	// purchase is the number of the fact. Of what carries over, absorbed is how many of the points that were desired returns have
	// cost, of which so many were stored.
	purchase         int64
	absorbed, stored int64
}

// left is what no reversal has taken back.
func (a *award) left() int64 {
	if a.entry == nil {
		return 0
	}
	return a.entry.Points - a.reversedPoints
}

// owed is what the award has to give back once so much of its basis has come back in all.
func (a *award) owed(returned int64) (points, qualifying int64) {
	basis := *a.entry.Basis
	// More may have been taken back than came back: points that were never confirmed.
	points = max(rules.Reversed(a.entry.Points, returned, basis)-a.reversedPoints, 0)
	qualifying = max(rules.Reversed(a.entry.Qualifying, returned, basis)-a.reversedQualifying, 0)
	return points, qualifying
}

// awarded are the entries that returns may take back.
func (d *decisions) awarded() []*ledger.Entry {
	var entries []*ledger.Entry
	add := func(one *award) {
		if one.entry != nil && !slices.Contains(entries, one.entry) {
			entries = append(entries, one.entry)
		}
	}
	for _, sold := range d.purchases {
		for _, one := range sold.awards {
			add(one)
		}
	}
	for _, latest := range d.carrying {
		for _, one := range latest {
			add(one)
		}
	}
	return entries
}

// cameBack is how much of what an outcome stands on has come back: of its lines what came back of them, and of what came back
// as an amount their share; of the purchase as a whole all that came back.
func (p *purchase) cameBack(outcome rules.Outcome) int64 {
	if outcome.Lines == nil {
		return p.returned
	}
	if p.returned == *p.TotalMinor {
		return outcome.Basis
	}
	var own int64
	for _, number := range outcome.Lines {
		own += p.lines[number-1].returnedAmount
	}
	return outcome.CameBack(own, p.byAmount, *p.TotalMinor)
}

// takeBack works out what a return brings back and reverses its share of what the purchase earned.
func (d *decisions) takeBack(one *fact) {
	sold := d.purchases[one.returning.purchase]
	before := make([]int64, len(sold.awards))
	for i, made := range sold.awards {
		before[i] = sold.cameBack(made.outcome)
	}
	worth, lines, problems := sold.take(one.returning)
	if len(problems) > 0 {
		one.problems = problems
		return
	}
	one.total = &worth
	d.enter(one)
	one.recorded.Activity.PurchaseSequence = &sold.Sequence
	one.returning.came = lines
	for i, made := range sold.awards {
		returned := sold.cameBack(made.outcome)
		if made.outcome.Remainder != nil {
			d.uncarry(one, made, before[i], returned)
			continue
		}
		points, qualifying := made.owed(returned)
		d.reverse(one, made, points, qualifying)
	}
}

// uncarry takes from the running amount of a rule that carries over what came back of it, and reverses the steps that it loses:
// of what this purchase was awarded, then of the rule's latest other awards, which stand on amounts that were carried on.
func (d *decisions) uncarry(one *fact, made *award, before, after int64) {
	outcome := made.outcome
	version, _ := d.book.rules.Version(outcome.Rule, outcome.Version)
	per := version.Award.PerAmount
	step := per.Step(outcome.Rule)
	memory := d.memories.member(one.member)
	var lost int64
	lost, memory.Carried[step] = per.Uncarry(outcome, memory.Carried[step], before, after)
	for _, award := range append([]*award{made}, d.carrying[ownStep{Member: one.member, Step: step}]...) {
		takes, owed := award.outcome.Absorb(award.absorbed, lost)
		award.absorbed += takes
		lost -= takes
		if points := min(owed, award.left()); points > 0 {
			d.reverse(one, award, points, min(points, award.entry.Qualifying-award.reversedQualifying))
		}
	}
}

// absorbed are the awards whose share in what was lost has grown.
func (d *decisions) absorbed() []absorption {
	var grown []absorption
	add := func(member id.Member, one *award) {
		if one.absorbed > one.stored {
			grown = append(grown, absorption{Member: member, Purchase: one.purchase, Rule: one.outcome.Rule, Points: one.absorbed})
			one.stored = one.absorbed
		}
	}
	for _, sold := range d.purchases {
		for _, one := range sold.awards {
			add(sold.Member, one)
		}
	}
	for key, latest := range d.carrying {
		for _, one := range latest {
			add(key.Member, one)
		}
	}
	return grown
}

// reverse posts that a return takes back points of an award.
func (d *decisions) reverse(one *fact, made *award, points, qualifying int64) {
	if points == 0 && qualifying == 0 {
		return
	}
	made.reversedPoints += points
	made.reversedQualifying += qualifying
	activity := one.recorded.Activity
	entry := d.batch.Reverse(ledger.Entry{
		Member: one.member, Kind: ledger.Reversal, OccurredAt: one.occurredAt,
		RecordedAt: activity.RecordedAt, ActivitySequence: &activity.Sequence, ReversesSequence: &made.entry.Sequence,
		Rule: made.entry.Rule, RuleVersion: made.entry.RuleVersion, Qualifying: -qualifying, QualifiesAt: made.entry.QualifiesAt,
	}, points)
	one.recorded.Entries = append(one.recorded.Entries, &entry)
	d.standings.count(one.member, entry.Qualifying, entry.QualifiesAt, entry.RecordedAt)
	d.memories.forget(made.entry, points, points > 0 && made.left() == 0)
}

package reconcile

import (
	"encoding/json"
	"slices"

	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

const (
	typePurchase = rules.Purchase
	typeReturn   = "RETURN"
)

// checkFacts compares evaluations with the entries that they led to, and purchases with their lines.
func (b *books) checkFacts() {
	caused := map[int64][]*ledger.Entry{}
	for i := range b.entries {
		entry := &b.entries[i]
		switch {
		case entry.Kind != ledger.Accrual || referred(entry):
		case entry.ActivitySequence == nil:
			b.expect(Evaluations, "entries", entry.Sequence, "fact", "one", "none")
		default:
			caused[*entry.ActivitySequence] = append(caused[*entry.ActivitySequence], entry)
		}
	}
	evaluations := map[int64]evaluationRow{}
	for _, evaluation := range b.evaluations {
		evaluations[evaluation.Sequence] = evaluation
	}
	sold := map[int64]soldRow{}
	for _, lines := range b.sold {
		sold[lines.Sequence] = lines
	}
	for _, activity := range b.activities {
		if activity.Type == typeReturn {
			continue
		}
		evaluation, ok := evaluations[activity.Sequence]
		if !ok {
			b.expect(Evaluations, "activities", activity.Sequence, "evaluation", "one", "none")
		} else {
			b.checkEvaluation(activity, evaluation, caused[activity.Sequence])
		}
		if lines, ok := sold[activity.Sequence]; ok {
			b.checkLines(activity, lines)
		}
		delete(evaluations, activity.Sequence)
		delete(caused, activity.Sequence)
		delete(sold, activity.Sequence)
	}
	for sequence := range evaluations {
		b.expect(Evaluations, "evaluations", sequence, "evaluation of no such fact", "none", "one")
	}
	for sequence, entries := range caused {
		b.expect(Evaluations, "entries", entries[0].Sequence, "fact", "one that rules were asked about", sequence)
	}
	for sequence := range sold {
		b.expect(Purchases, "purchase_lines", sequence, "lines of no such purchase", "none", "some")
	}
}

// checkEvaluation compares what was granted with what was posted, award by award.
func (b *books) checkEvaluation(activity activityRow, evaluation evaluationRow, entries []*ledger.Entry) {
	var outcomes []rules.Outcome
	if err := json.Unmarshal(evaluation.Outcomes, &outcomes); err != nil {
		b.expect(Evaluations, "evaluations", evaluation.Sequence, "outcomes", "readable", err.Error())
		return
	}
	var points, qualifying int64
	var granted []rules.Outcome
	for _, outcome := range outcomes {
		points += outcome.Granted
		qualifying += outcome.Qualifying
		if outcome.Granted != 0 {
			granted = append(granted, outcome)
		}
	}
	b.expect(Evaluations, "evaluations", evaluation.Sequence, "points", points, evaluation.Points)
	b.expect(Evaluations, "evaluations", evaluation.Sequence, "qualifying", qualifying, evaluation.Qualifying)
	b.expect(Evaluations, "evaluations", evaluation.Sequence, "number of entries", len(granted), len(entries))
	for i := range min(len(granted), len(entries)) {
		award, entry := granted[i], entries[i]
		b.expect(Evaluations, "entries", entry.Sequence, "rule", award.Rule, entry.Rule)
		b.expect(Evaluations, "entries", entry.Sequence, "rule_version", award.Version, entry.RuleVersion)
		b.expect(Evaluations, "entries", entry.Sequence, "points", award.Granted, entry.Points)
		b.expect(Evaluations, "entries", entry.Sequence, "qualifying", award.Qualifying, entry.Qualifying)
		b.expect(Evaluations, "entries", entry.Sequence, "basis", award.Basis, entry.Basis)
		b.expect(Evaluations, "entries", entry.Sequence, "occurred_at", activity.OccurredAt, entry.OccurredAt)
		b.expect(Evaluations, "entries", entry.Sequence, "qualifies_at", activity.OccurredAt, entry.QualifiesAt)
		b.expect(Evaluations, "entries", entry.Sequence, "recorded_at", activity.RecordedAt, entry.RecordedAt)
		published, ok := b.check.rules[ruleVersion{Rule: award.Rule, Version: award.Version}]
		switch {
		case !ok:
			b.expect(Rules, "entries", entry.Sequence, "published version of the rule", "one", "none")
		case entry.RecordedAt.Before(published.PublishedAt):
			b.expect(Rules, "entries", entry.Sequence, "recorded_at, not before the rule was published", published.PublishedAt, entry.RecordedAt)
		}
	}
}

// checkLines allows each line a rounding of one minor unit.
func (b *books) checkLines(activity activityRow, lines soldRow) {
	if activity.Type != typePurchase || activity.Total == nil {
		b.expect(Purchases, "activities", activity.Sequence, "type of a fact with lines", typePurchase, activity.Type)
		return
	}
	if difference := *activity.Total - lines.Amount; difference > lines.Lines || difference < -lines.Lines {
		b.expect(Purchases, "activities", activity.Sequence, "total, as the lines add up", lines.Amount, activity.Total)
	}
}

// checkReturns replays the returns of each purchase in order: what each took back of each award, and that no more came
// back than was sold.
func (b *books) checkReturns() {
	purchases := map[int64]*purchase{}
	for i := range b.activities {
		if one := &b.activities[i]; one.Type != typeReturn {
			purchases[one.Sequence] = &purchase{activity: one}
		}
	}
	reversals := map[int64][]*ledger.Entry{}
	for i := range b.entries {
		switch entry := &b.entries[i]; {
		case entry.Kind == ledger.Accrual && entry.ActivitySequence != nil && purchases[*entry.ActivitySequence] != nil:
			one := purchases[*entry.ActivitySequence]
			one.awards = append(one.awards, &award{entry: entry})
		case entry.Kind == ledger.Reversal && entry.ActivitySequence != nil && purchases[*entry.ActivitySequence] != nil:
			b.checkCanceled(purchases[*entry.ActivitySequence], entry)
		case entry.Kind == ledger.Reversal && entry.ActivitySequence != nil:
			reversals[*entry.ActivitySequence] = append(reversals[*entry.ActivitySequence], entry)
		case entry.Kind == ledger.Reversal && entry.AdjustmentID == nil && !referred(entry):
			b.expect(Reversals, "entries", entry.Sequence, "return", "one", "none")
		}
	}
	returns := map[int64]*activityRow{}
	for i := range b.activities {
		activity := &b.activities[i]
		if activity.Type != typeReturn {
			continue
		}
		returns[activity.Sequence] = activity
		var sold *purchase
		if activity.Purchase != nil && *activity.Purchase < activity.Sequence {
			sold = purchases[*activity.Purchase]
		}
		if sold == nil || sold.activity.Type != typePurchase || sold.activity.Total == nil || activity.Total == nil {
			b.expect(Returns, "activities", activity.Sequence, "purchase with a total", "one", "none")
			continue
		}
		b.checkReturn(sold, activity, reversals[activity.Sequence])
		delete(reversals, activity.Sequence)
	}
	for _, one := range purchases {
		for _, award := range one.awards {
			if award.canceled != nil {
				b.settleCanceled(award)
			}
		}
	}
	for _, entries := range reversals {
		b.expect(Reversals, "entries", entries[0].Sequence, "return of a purchase", "one", "none")
	}
	b.checkReturnedLines(returns)
}

type purchase struct {
	activity *activityRow
	returned int64
	awards   []*award
}

type award struct {
	entry              *ledger.Entry
	points, qualifying int64
	// canceled is what was taken back while it was pending; nil if nothing was.
	canceled *ledger.Entry
}

// checkCanceled compares what was taken back of a pending award with what was left of it.
func (b *books) checkCanceled(of *purchase, entry *ledger.Entry) {
	i := slices.IndexFunc(of.awards, func(one *award) bool {
		return entry.ReversesSequence != nil && one.entry.Sequence == *entry.ReversesSequence
	})
	if i < 0 || of.awards[i].canceled != nil {
		b.expect(Reversals, "entries", entry.Sequence, "award of the fact, canceled once", "one", "none")
		return
	}
	of.awards[i].canceled = entry
}

// settleCanceled makes sure that all that was left of an award was taken back.
func (b *books) settleCanceled(one *award) {
	entry := one.canceled
	b.expect(Reversals, "entries", entry.Sequence, "points, all that was left", one.entry.Points-one.points, reversed(entry))
	b.expect(Reversals, "entries", entry.Sequence, "qualifying, all that was left", one.qualifying-one.entry.Qualifying, entry.Qualifying)
	one.points, one.qualifying, one.canceled = one.entry.Points, one.entry.Qualifying, nil
}

// reversed is how much an entry counts as taken back.
func reversed(entry *ledger.Entry) int64 { return -entry.Points + entry.Lapsed + entry.Shortfall }

func (b *books) checkReturn(sold *purchase, came *activityRow, reversals []*ledger.Entry) {
	sold.returned += *came.Total
	if *came.Total < 0 || sold.returned > *sold.activity.Total {
		b.expect(Returns, "activities", came.Sequence, "total of all returns, at most the purchase's", sold.activity.Total, sold.returned)
	}
	next := 0
	for _, award := range sold.awards {
		var basis int64
		if award.entry.Basis != nil {
			basis = *award.entry.Basis
		}
		if award.canceled != nil && award.canceled.Sequence < came.Sequence {
			b.settleCanceled(award)
		}
		points := max(rules.Reversed(award.entry.Points, sold.returned, basis)-award.points, 0)
		qualifying := max(rules.Reversed(award.entry.Qualifying, sold.returned, basis)-award.qualifying, 0)
		award.points += points
		award.qualifying += qualifying
		if points == 0 && qualifying == 0 {
			continue
		}
		if next == len(reversals) {
			b.expect(Reversals, "activities", came.Sequence, "reversal of entry", award.entry.Sequence, nil)
			continue
		}
		entry := reversals[next]
		next++
		b.expect(Reversals, "entries", entry.Sequence, "reverses", award.entry.Sequence, entry.ReversesSequence)
		b.expect(Reversals, "entries", entry.Sequence, "points", -points, -reversed(entry))
		b.expect(Reversals, "entries", entry.Sequence, "qualifying", -qualifying, entry.Qualifying)
		b.expect(Reversals, "entries", entry.Sequence, "qualifies_at", award.entry.QualifiesAt, entry.QualifiesAt)
		b.expect(Reversals, "entries", entry.Sequence, "rule", award.entry.Rule, entry.Rule)
		b.expect(Reversals, "entries", entry.Sequence, "rule_version", award.entry.RuleVersion, entry.RuleVersion)
		b.expect(Reversals, "entries", entry.Sequence, "occurred_at", came.OccurredAt, entry.OccurredAt)
		b.expect(Reversals, "entries", entry.Sequence, "recorded_at", came.RecordedAt, entry.RecordedAt)
	}
	for _, entry := range reversals[next:] {
		b.expect(Reversals, "entries", entry.Sequence, "points", int64(0), entry.Points)
	}
}

// checkReturnedLines adds up what came back of each line: no more than was sold, and the amount by the quantity's share.
func (b *books) checkReturnedLines(returns map[int64]*activityRow) {
	type line struct {
		purchase int64
		line     int
	}
	came := map[line]returnedRow{}
	for _, row := range b.returned {
		activity := returns[row.Sequence]
		if activity == nil || activity.Purchase == nil || *activity.Purchase != row.Purchase || row.SoldQuantity == nil {
			b.expect(Returns, "return_lines", row.Sequence, "line of the purchase", "one", "none")
			continue
		}
		at := line{row.Purchase, row.Line}
		before := came[at]
		row.Quantity += before.Quantity
		row.Amount += before.Amount
		came[at] = row
		if row.Quantity <= before.Quantity || row.Quantity > *row.SoldQuantity {
			b.expect(Returns, "return_lines", row.Sequence, "quantity in all, at most what was sold", row.SoldQuantity.Decimal(), row.Quantity.Decimal())
			continue
		}
		amount, sign := *row.SoldAmount, int64(1)
		if amount < 0 {
			amount, sign = -amount, -1
		}
		// Not more came back than was sold, so the share fits.
		share, _ := value.MultiplyDivide(amount, int64(row.Quantity), int64(*row.SoldQuantity), value.Floor)
		b.expect(Returns, "return_lines", row.Sequence, "amount in all", sign*share, row.Amount)
	}
}

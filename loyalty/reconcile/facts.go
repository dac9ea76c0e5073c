package reconcile

import (
	"encoding/json"

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
	outcomes, err := evaluation.outcomes()
	if err != nil {
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
		b.expect(Evaluations, "entries", entry.Sequence, "points", award.Granted, entry.Points)
		b.expect(Evaluations, "entries", entry.Sequence, "qualifying", award.Qualifying, entry.Qualifying)
		b.expect(Evaluations, "entries", entry.Sequence, "basis", award.Basis, entry.Basis)
		b.expect(Evaluations, "entries", entry.Sequence, "occurred_at", activity.OccurredAt, entry.OccurredAt)
		b.expect(Evaluations, "entries", entry.Sequence, "qualifies_at", activity.OccurredAt, entry.QualifiesAt)
		b.expect(Evaluations, "entries", entry.Sequence, "recorded_at", activity.RecordedAt, entry.RecordedAt)
		b.checkAwarder(award, entry)
	}
}

// checkAwarder makes sure that who awarded is who the entry names, and was published then; a tier is not named by entries.
func (b *books) checkAwarder(award rules.Outcome, entry *ledger.Entry) {
	if award.Tier != nil {
		b.expect(Evaluations, "entries", entry.Sequence, "rule", nil, entry.Rule)
		return
	}
	b.expect(Evaluations, "entries", entry.Sequence, "rule", award.Rule, entry.Rule)
	b.expect(Evaluations, "entries", entry.Sequence, "rule_version", award.Version, entry.RuleVersion)
	published, ok := b.check.rules[ruleVersion{Rule: award.Rule, Version: award.Version}]
	switch {
	case !ok:
		b.expect(Rules, "entries", entry.Sequence, "published version of the rule", "one", "none")
	case entry.RecordedAt.Before(published.PublishedAt):
		b.expect(Rules, "entries", entry.Sequence, "recorded_at, not before the rule was published", published.PublishedAt, entry.RecordedAt)
	}
}

func (e evaluationRow) outcomes() ([]rules.Outcome, error) {
	var outcomes []rules.Outcome
	err := json.Unmarshal(e.Outcomes, &outcomes)
	return outcomes, err
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

package loyalty

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
)

// loadAwards reads what the outcomes of purchases came to, in their order.
func loadAwards(ctx context.Context, tx *postgres.Tx, wanted []id.Activity, into map[id.Activity]*purchase) error {
	unique := slices.Clone(wanted)
	slices.SortFunc(unique, compareActivities)
	unique = slices.Compact(unique)
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, unique)
	if err != nil {
		return err
	}
	entries = slices.DeleteFunc(entries, func(entry *ledger.Entry) bool { return entry.Kind != ledger.Accrual })
	reversed, err := ledger.ReversedTx(ctx, tx, entries)
	if err != nil {
		return err
	}
	evaluations, err := selectEvaluations(ctx, tx, unique)
	if err != nil {
		return err
	}
	absorbed, err := selectAbsorptions(ctx, tx, unique)
	if err != nil {
		return err
	}
	accruals := map[id.Activity][]*ledger.Entry{}
	for _, entry := range entries {
		caused := id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence}
		accruals[caused] = append(accruals[caused], entry)
	}
	for caused, evaluation := range evaluations {
		rest := accruals[caused]
		for _, outcome := range evaluation.Outcomes {
			if outcome.Granted == 0 && outcome.Remainder == nil {
				continue
			}
			one := &award{outcome: outcome, purchase: caused.Sequence}
			if outcome.Granted > 0 {
				one.give(rest[0], reversed)
				rest = rest[1:]
			}
			if outcome.Remainder != nil {
				one.absorbed = absorbed[absorption{Member: caused.Member, Purchase: caused.Sequence, Rule: outcome.Rule}]
				one.stored = one.absorbed
			}
			into[caused].awards = append(into[caused].awards, one)
		}
	}
	return nil
}

// give says which entry the award came to.
func (a *award) give(entry *ledger.Entry, reversed map[id.Entry]ledger.Entry) {
	taken := reversed[entry.ID()]
	a.entry, a.reversedPoints, a.reversedQualifying = entry, -taken.Points, -taken.Qualifying
}

// absorption is how many of the points that a purchase desired of a rule returns have cost.
type absorption struct {
	Member   id.Member `db:"member_id"`
	Purchase int64     `db:"sequence"`
	Rule     id.Rule   `db:"rule_id"`
	Points   int64     `db:"points"`
}

// selectAbsorptions reads those of purchases; the keys have no points.
func selectAbsorptions(ctx context.Context, q postgres.Runner, wanted []id.Activity) (map[absorption]int64, error) {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return nil, err
	}
	var rows []absorption
	if err := q.Select(ctx, &rows, `
		select member_id, sequence, rule_id, points
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join rule_absorptions using (member_id, sequence)`, members, sequences); err != nil {
		return nil, err
	}
	absorbed := make(map[absorption]int64, len(rows))
	for _, row := range rows {
		points := row.Points
		row.Points = 0
		absorbed[row] = points
	}
	return absorbed, nil
}

func upsertAbsorptions(ctx context.Context, tx *postgres.Tx, grown []absorption) error {
	return postgres.ExecRows(ctx, tx, grown, `
		insert into rule_absorptions (member_id, sequence, rule_id, points)
		select * from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[])
		on conflict (member_id, sequence, rule_id) do update set points = excluded.points`,
		func(a absorption) any { return a.Member },
		func(a absorption) any { return a.Purchase },
		func(a absorption) any { return a.Rule },
		func(a absorption) any { return a.Points },
	)
}

// loadCarrying reads, of rules that carried over what purchases were worth, the latest awards, newest first: as many as returns of
// those may cost. Those of the purchases themselves are left out.
func loadCarrying(ctx context.Context, tx *postgres.Tx, book *rulebook, purchases map[id.Activity]*purchase) (map[ownStep][]*award, error) {
	most := map[ownStep]int64{}
	for _, sold := range purchases {
		for _, one := range sold.awards {
			if one.outcome.Remainder != nil {
				version, _ := book.rules.Version(one.outcome.Rule, one.outcome.Version)
				per := version.Award.PerAmount
				most[ownStep{Member: sold.Member, Step: per.Step(one.outcome.Rule)}] += one.outcome.Counted()/per.Every + 1
			}
		}
	}
	carrying := map[ownStep][]*award{}
	for key, steps := range most {
		latest, err := selectCarrying(ctx, tx, key, steps+int64(len(purchases)))
		if err != nil {
			return nil, err
		}
		if carrying[key], err = awardsOf(ctx, tx, key.Member, latest, purchases); err != nil {
			return nil, err
		}
	}
	return carrying, nil
}

// carriedOutcome is an outcome of a purchase that carried over, with what returns have cost of it.
type carriedOutcome struct {
	Sequence int64  `db:"sequence"`
	Outcome  []byte `db:"outcome"`
	Absorbed int64  `db:"absorbed"`
}

// selectCarrying finds so many of the member's latest outcomes of a step that returns have not cost all of, newest first. Each is
// a step at least.
func selectCarrying(ctx context.Context, q postgres.Runner, wanted ownStep, limit int64) ([]carriedOutcome, error) {
	var found []carriedOutcome
	err := q.Select(ctx, &found, `
		select evaluations.sequence, told.outcome, coalesce(absorbed.points, 0) as absorbed
		from evaluations
		cross join lateral jsonb_array_elements(evaluations.outcomes) as told (outcome)
		join rule_versions on rule_versions.rule_id = $2 and rule_versions.version = (told.outcome ->> 'version')::int
			and rule_versions.award_points = $3 and rule_versions.award_every = $4
		left join rule_absorptions as absorbed on absorbed.member_id = $1 and absorbed.sequence = evaluations.sequence and absorbed.rule_id = $2
		where evaluations.member_id = $1 and told.outcome ->> 'rule' = $6 and told.outcome ? 'remainder'
			and (told.outcome ->> 'desired')::bigint > coalesce(absorbed.points, 0)
		order by evaluations.sequence desc
		limit $5`, wanted.Member, wanted.Rule, wanted.Points, wanted.Every, limit, wanted.Rule.String())
	return found, err
}

// awardsOf makes awards of outcomes of a member, but for those of the purchases.
func awardsOf(ctx context.Context, tx *postgres.Tx, member id.Member, latest []carriedOutcome, purchases map[id.Activity]*purchase) ([]*award, error) {
	var awards []*award
	var facts []id.Activity
	for _, row := range latest {
		fact := id.Activity{Member: member, Sequence: row.Sequence}
		if purchases[fact] != nil {
			continue
		}
		one := &award{purchase: row.Sequence, absorbed: row.Absorbed, stored: row.Absorbed}
		if err := json.Unmarshal(row.Outcome, &one.outcome); err != nil {
			return nil, fmt.Errorf("decode an outcome: %w", err)
		}
		awards, facts = append(awards, one), append(facts, fact)
	}
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, facts)
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(entry *ledger.Entry) bool { return entry.Kind != ledger.Accrual || entry.Rule == nil })
	reversed, err := ledger.ReversedTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	for _, one := range awards {
		i := slices.IndexFunc(entries, func(entry *ledger.Entry) bool {
			return *entry.ActivitySequence == one.purchase && *entry.Rule == one.outcome.Rule
		})
		if i >= 0 {
			one.give(entries[i], reversed)
		}
	}
	return awards, nil
}

package loyalty

import (
	"context"
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
	accruals := map[id.Activity][]*ledger.Entry{}
	for _, entry := range entries {
		caused := id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence}
		accruals[caused] = append(accruals[caused], entry)
	}
	for caused, evaluation := range evaluations {
		rest := accruals[caused]
		for _, outcome := range evaluation.Outcomes {
			switch {
			case outcome.Granted > 0:
				taken := reversed[rest[0].ID()]
				into[caused].awards = append(into[caused].awards, &award{
					outcome: outcome, entry: rest[0], reversedPoints: -taken.Points, reversedQualifying: -taken.Qualifying,
				})
				rest = rest[1:]
			case outcome.Remainder != nil:
				into[caused].awards = append(into[caused].awards, &award{outcome: outcome})
			}
		}
	}
	return nil
}

// loadCarrying reads, of rules that carried over what purchases were worth, the latest awards: as many as returns of those may
// take back. Awards of the purchases themselves are the same as theirs.
func loadCarrying(ctx context.Context, tx *postgres.Tx, book *rulebook, purchases map[id.Activity]*purchase) (map[ownRule][]*award, error) {
	most := map[ownRule]int64{}
	own := map[id.Entry]*award{}
	for _, sold := range purchases {
		for _, one := range sold.awards {
			if one.entry != nil {
				own[one.entry.ID()] = one
			}
			if one.outcome.Remainder != nil {
				version, _ := book.rules.Version(one.outcome.Rule, one.outcome.Version)
				per := version.Award.PerAmount
				worth := one.outcome.Basis + one.outcome.Discount
				most[ownRule{Member: sold.Member, Rule: one.outcome.Rule}] += (worth/per.Every + 1) * per.Points
			}
		}
	}
	carrying := map[ownRule][]*award{}
	latest, err := selectLatestAwards(ctx, tx, most)
	if err != nil || len(latest) == 0 {
		return carrying, err
	}
	entries, err := ledger.EntriesTx(ctx, tx, latest)
	if err != nil {
		return nil, err
	}
	reversed, err := ledger.ReversedTx(ctx, tx, entries)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b *ledger.Entry) int { return int(b.Sequence - a.Sequence) })
	for _, entry := range entries {
		one, ok := own[entry.ID()]
		if !ok {
			taken := reversed[entry.ID()]
			one = &award{entry: entry, reversedPoints: -taken.Points, reversedQualifying: -taken.Qualifying}
		}
		key := ownRule{Member: entry.Member, Rule: *entry.Rule}
		carrying[key] = append(carrying[key], one)
	}
	return carrying, nil
}

// selectLatestAwards finds members' latest awards of rules, newest first, until so many points are left of them.
func selectLatestAwards(ctx context.Context, q postgres.Runner, most map[ownRule]int64) ([]id.Entry, error) {
	if len(most) == 0 {
		return nil, nil
	}
	var keys []ownRule
	for key := range most {
		keys = append(keys, key)
	}
	members, err := postgres.Array(keys, func(r ownRule) any { return r.Member })
	if err != nil {
		return nil, err
	}
	listed, err := postgres.Array(keys, func(r ownRule) any { return r.Rule })
	if err != nil {
		return nil, err
	}
	points, err := postgres.Array(keys, func(r ownRule) any { return most[r] })
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"sequence"`
	}
	err = q.Select(ctx, &rows, `
		with awards as (
			select accruals.member_id, accruals.rule_id, accruals.sequence, wanted.points as most,
				accruals.points - coalesce(sum(reversals.lapsed + reversals.shortfall - reversals.points), 0) as remaining
			from unnest($1::uuid[], $2::uuid[], $3::bigint[]) as wanted (member_id, rule_id, points)
			join entries as accruals on accruals.member_id = wanted.member_id and accruals.rule_id = wanted.rule_id
			left join entries as reversals on reversals.member_id = accruals.member_id and reversals.reverses = accruals.sequence
			where accruals.kind = 'ACCRUAL'
			group by accruals.member_id, accruals.rule_id, accruals.sequence, wanted.points
		), summed as (
			select member_id, sequence, remaining, most,
				sum(remaining) over (partition by member_id, rule_id order by sequence desc) as through
			from awards
			where remaining > 0
		)
		select member_id, sequence from summed where through - remaining < most`, members, listed, points)
	found := make([]id.Entry, len(rows))
	for i, row := range rows {
		found[i] = id.Entry{Member: row.Member, Sequence: row.Sequence}
	}
	return found, err
}

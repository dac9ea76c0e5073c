package loyalty

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/ledger"
	"regulars/loyalty/rules"
)

// activityKeyRow is who recorded a fact first. Sequence is null only until the transaction that records it is through.
type activityKeyRow struct {
	Hash      uuid.UUID `db:"hash"`
	Member    id.Member `db:"member_id"`
	Sequence  *int64    `db:"sequence"`
	InputHash uuid.UUID `db:"input_hash"`
}

// insertActivityKeys takes keys in order, waits for others that are taking the same ones, and returns those it got.
func insertActivityKeys(ctx context.Context, tx *postgres.Tx, byKey map[uuid.UUID]*fact) (map[uuid.UUID]bool, error) {
	if len(byKey) == 0 {
		return nil, nil
	}
	wanted := slices.SortedFunc(maps.Keys(byKey), id.Compare)
	members := make([]id.Member, len(wanted))
	hashes := make([]uuid.UUID, len(wanted))
	for i, key := range wanted {
		members[i], hashes[i] = byKey[key].member, byKey[key].hash
	}
	var got []uuid.UUID
	err := tx.Select(ctx, &got, `
		insert into activity_keys (hash, member_id, input_hash)
		select hash, member_id, input_hash
		from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as wanted (hash, member_id, input_hash)
		on conflict (hash) do nothing
		returning hash`,
		pq.StringArray(id.Texts(wanted)), pq.StringArray(id.Texts(members)), pq.StringArray(id.Texts(hashes)))
	claimed := make(map[uuid.UUID]bool, len(got))
	for _, key := range got {
		claimed[key] = true
	}
	return claimed, err
}

func selectActivityKeys(ctx context.Context, q postgres.Runner, keys []uuid.UUID) ([]activityKeyRow, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	var rows []activityKeyRow
	err := q.Select(ctx, &rows, `select hash, member_id, sequence, input_hash from activity_keys where hash = any($1::uuid[])`,
		pq.StringArray(id.Texts(keys)))
	return rows, err
}

func releaseActivityKeys(ctx context.Context, tx *postgres.Tx, refused []*fact) error {
	return postgres.ExecRows(ctx, tx, refused, `delete from activity_keys where hash = any($1::uuid[])`,
		func(one *fact) any { return one.key })
}

// insertFacts writes facts with their lines and evaluations, and tells their keys where they are.
func insertFacts(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	if err := insertActivities(ctx, tx, facts); err != nil {
		return err
	}
	if err := placeActivityKeys(ctx, tx, facts); err != nil {
		return err
	}
	var sold []placedLine[purchaseLine]
	var came []placedLine[returnLine]
	var evaluated []*fact
	for _, one := range facts {
		for _, line := range one.lines {
			sold = append(sold, placedLine[purchaseLine]{one.recorded.Activity, line})
		}
		if one.returning != nil {
			for _, line := range one.returning.came {
				came = append(came, placedLine[returnLine]{one.recorded.Activity, line})
			}
		}
		if one.recorded.Evaluation != nil {
			evaluated = append(evaluated, one)
		}
	}
	if err := insertPurchaseLines(ctx, tx, sold); err != nil {
		return err
	}
	if err := insertReturnLines(ctx, tx, came); err != nil {
		return err
	}
	return insertEvaluations(ctx, tx, evaluated)
}

// placedLine is a line with the fact it belongs to.
type placedLine[T any] struct {
	activity *Activity
	line     T
}

func insertActivities(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	return postgres.ExecRows(ctx, tx, facts, `
		insert into activities (member_id, sequence, type, source, external_id, occurred_at, recorded_at, total,
			purchase_sequence, attributes)
		select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
			$8::bigint[], $9::bigint[], $10::jsonb[])`,
		func(f *fact) any { return f.recorded.Activity.Member },
		func(f *fact) any { return f.recorded.Activity.Sequence },
		func(f *fact) any { return f.recorded.Activity.Type },
		func(f *fact) any { return f.recorded.Activity.Source },
		func(f *fact) any { return f.recorded.Activity.ExternalID },
		func(f *fact) any { return f.recorded.Activity.OccurredAt },
		func(f *fact) any { return f.recorded.Activity.RecordedAt },
		func(f *fact) any { return f.recorded.Activity.TotalMinor },
		func(f *fact) any { return f.recorded.Activity.PurchaseSequence },
		func(f *fact) any { return f.recorded.Activity.Attributes },
	)
}

func placeActivityKeys(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	return postgres.ExecRows(ctx, tx, facts, `
		update activity_keys set sequence = placed.sequence
		from unnest($1::uuid[], $2::bigint[]) as placed (hash, sequence)
		where activity_keys.hash = placed.hash`,
		func(f *fact) any { return f.key },
		func(f *fact) any { return f.recorded.Activity.Sequence },
	)
}

func insertPurchaseLines(ctx context.Context, tx *postgres.Tx, sold []placedLine[purchaseLine]) error {
	return postgres.ExecRows(ctx, tx, sold, `
		insert into purchase_lines (member_id, sequence, line, id, sku, quantity, amount, discount, category, brand)
		select * from unnest($1::uuid[], $2::bigint[], $3::int[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
			$8::bigint[], $9::text[], $10::text[])`,
		func(p placedLine[purchaseLine]) any { return p.activity.Member },
		func(p placedLine[purchaseLine]) any { return p.activity.Sequence },
		func(p placedLine[purchaseLine]) any { return p.line.Line },
		func(p placedLine[purchaseLine]) any { return p.line.ID },
		func(p placedLine[purchaseLine]) any { return p.line.SKU },
		func(p placedLine[purchaseLine]) any { return int64(p.line.Quantity) },
		func(p placedLine[purchaseLine]) any { return p.line.Amount },
		func(p placedLine[purchaseLine]) any { return p.line.Discount },
		func(p placedLine[purchaseLine]) any { return p.line.Category },
		func(p placedLine[purchaseLine]) any { return p.line.Brand },
	)
}

func insertReturnLines(ctx context.Context, tx *postgres.Tx, came []placedLine[returnLine]) error {
	return postgres.ExecRows(ctx, tx, came, `
		insert into return_lines (member_id, sequence, purchase_sequence, line, quantity, amount)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::int[], $5::bigint[], $6::bigint[])`,
		func(p placedLine[returnLine]) any { return p.activity.Member },
		func(p placedLine[returnLine]) any { return p.activity.Sequence },
		func(p placedLine[returnLine]) any { return p.activity.PurchaseSequence },
		func(p placedLine[returnLine]) any { return p.line.Line },
		func(p placedLine[returnLine]) any { return int64(p.line.Quantity) },
		func(p placedLine[returnLine]) any { return p.line.Amount },
	)
}

func insertEvaluations(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	outcomes := make(map[*fact]string, len(facts))
	for _, one := range facts {
		encoded, err := json.Marshal(one.recorded.Evaluation.Outcomes)
		if err != nil {
			return fmt.Errorf("encode an evaluation: %w", err)
		}
		outcomes[one] = string(encoded)
	}
	return postgres.ExecRows(ctx, tx, facts, `
		insert into evaluations (member_id, sequence, points, qualifying, outcomes)
		select * from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::jsonb[])`,
		func(f *fact) any { return f.recorded.Activity.Member },
		func(f *fact) any { return f.recorded.Activity.Sequence },
		func(f *fact) any { return f.recorded.Evaluation.Points },
		func(f *fact) any { return f.recorded.Evaluation.Qualifying },
		func(f *fact) any { return outcomes[f] },
	)
}

const activityColumns = `member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, purchase_sequence, attributes`

// pairs writes activities as the two arrays that statements join by.
func pairs(wanted []id.Activity) (members, sequences string, err error) {
	if members, err = postgres.Array(wanted, func(a id.Activity) any { return a.Member }); err != nil {
		return "", "", err
	}
	sequences, err = postgres.Array(wanted, func(a id.Activity) any { return a.Sequence })
	return members, sequences, err
}

func selectActivities(ctx context.Context, q postgres.Runner, wanted []id.Activity) ([]*Activity, error) {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return nil, err
	}
	var rows []*Activity
	err = q.Select(ctx, &rows, `
		select `+activityColumns+`
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join activities using (member_id, sequence)`, members, sequences)
	return rows, err
}

// findActivities finds facts by their source and external id, in the order of inputs; nil for those that were never
// recorded.
func findActivities[T any](ctx context.Context, q postgres.Runner, inputs []T, name func(T) (source, externalID string)) ([]*Activity, error) {
	keys := make([]uuid.UUID, len(inputs))
	for i, input := range inputs {
		key, err := activityKey(name(input))
		if err != nil {
			return nil, err
		}
		keys[i] = key
	}
	placed, err := selectActivityKeys(ctx, q, keys)
	if err != nil {
		return nil, err
	}
	byKey := make(map[uuid.UUID]id.Activity, len(placed))
	wanted := make([]id.Activity, len(placed))
	for i, row := range placed {
		wanted[i] = id.Activity{Member: row.Member, Sequence: *row.Sequence}
		byKey[row.Hash] = wanted[i]
	}
	rows, err := selectActivities(ctx, q, wanted)
	if err != nil {
		return nil, err
	}
	byID := make(map[id.Activity]*Activity, len(rows))
	for _, row := range rows {
		byID[row.ID()] = row
	}
	found := make([]*Activity, len(inputs))
	for i, key := range keys {
		found[i] = byID[byKey[key]]
	}
	return found, nil
}

func selectEvaluations(ctx context.Context, q postgres.Runner, wanted []id.Activity) (map[id.Activity]*rules.Evaluation, error) {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Member     id.Member `db:"member_id"`
		Sequence   int64     `db:"sequence"`
		Points     int64     `db:"points"`
		Qualifying int64     `db:"qualifying"`
		Outcomes   []byte    `db:"outcomes"`
	}
	if err := q.Select(ctx, &rows, `
		select member_id, sequence, points, qualifying, outcomes
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join evaluations using (member_id, sequence)`, members, sequences); err != nil {
		return nil, err
	}
	evaluations := make(map[id.Activity]*rules.Evaluation, len(rows))
	for _, row := range rows {
		evaluation := &rules.Evaluation{Points: row.Points, Qualifying: row.Qualifying}
		if err := json.Unmarshal(row.Outcomes, &evaluation.Outcomes); err != nil {
			return nil, fmt.Errorf("decode an evaluation: %w", err)
		}
		evaluations[id.Activity{Member: row.Member, Sequence: row.Sequence}] = evaluation
	}
	return evaluations, nil
}

// loadPurchases reads purchases with what came back of them and what they earned. The accounts are locked.
func loadPurchases(ctx context.Context, tx *postgres.Tx, wanted []id.Activity) (map[id.Activity]*purchase, error) {
	loaded := make(map[id.Activity]*purchase, len(wanted))
	if len(wanted) == 0 {
		return loaded, nil
	}
	activities, err := selectActivities(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	for _, activity := range activities {
		loaded[activity.ID()] = &purchase{Activity: *activity}
	}
	if err := loadReturned(ctx, tx, wanted, loaded); err != nil {
		return nil, err
	}
	if err := loadLines(ctx, tx, wanted, loaded); err != nil {
		return nil, err
	}
	return loaded, loadAwards(ctx, tx, wanted, loaded)
}

func loadReturned(ctx context.Context, tx *postgres.Tx, wanted []id.Activity, into map[id.Activity]*purchase) error {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return err
	}
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"purchase_sequence"`
		Returned int64     `db:"returned"`
		Returns  int       `db:"returns"`
	}
	if err := tx.Select(ctx, &rows, `
		select member_id, purchase_sequence, sum(total)::bigint as returned, count(*) as returns
		from (select distinct member_id, purchase_sequence from unnest($1::uuid[], $2::bigint[]) as listed (member_id, purchase_sequence)) as wanted
		join activities using (member_id, purchase_sequence)
		group by member_id, purchase_sequence`, members, sequences); err != nil {
		return err
	}
	for _, row := range rows {
		one := into[id.Activity{Member: row.Member, Sequence: row.Sequence}]
		one.returned, one.returns = row.Returned, row.Returns
	}
	return nil
}

func loadLines(ctx context.Context, tx *postgres.Tx, wanted []id.Activity, into map[id.Activity]*purchase) error {
	members, sequences, err := pairs(wanted)
	if err != nil {
		return err
	}
	var rows []struct {
		Member   id.Member `db:"member_id"`
		Sequence int64     `db:"sequence"`
		purchaseLine
		ReturnedQuantity value.Quantity `db:"returned_quantity"`
		ReturnedAmount   int64          `db:"returned_amount"`
	}
	if err := tx.Select(ctx, &rows, `
		select purchase_lines.member_id, purchase_lines.sequence, purchase_lines.line, id, sku, purchase_lines.quantity,
			purchase_lines.amount, discount, category, brand,
			coalesce(sum(return_lines.quantity), 0)::bigint as returned_quantity,
			coalesce(sum(return_lines.amount), 0)::bigint as returned_amount
		from (select distinct member_id, sequence from unnest($1::uuid[], $2::bigint[]) as listed (member_id, sequence)) as wanted
		join purchase_lines using (member_id, sequence)
		left join return_lines on return_lines.member_id = purchase_lines.member_id
			and return_lines.purchase_sequence = purchase_lines.sequence and return_lines.line = purchase_lines.line
		group by purchase_lines.member_id, purchase_lines.sequence, purchase_lines.line
		order by purchase_lines.member_id, purchase_lines.sequence, purchase_lines.line`, members, sequences); err != nil {
		return err
	}
	for _, row := range rows {
		one := into[id.Activity{Member: row.Member, Sequence: row.Sequence}]
		one.lines = append(one.lines, soldLine{
			purchaseLine: row.purchaseLine, returnedQuantity: row.ReturnedQuantity, returnedAmount: row.ReturnedAmount,
		})
	}
	return nil
}

func loadAwards(ctx context.Context, tx *postgres.Tx, wanted []id.Activity, into map[id.Activity]*purchase) error {
	unique := slices.Clone(wanted)
	slices.SortFunc(unique, compareActivities)
	entries, err := ledger.EntriesOfActivitiesTx(ctx, tx, slices.Compact(unique))
	if err != nil {
		return err
	}
	reversed, err := ledger.ReversedTx(ctx, tx, entries)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		taken := reversed[entry.ID()]
		one := into[id.Activity{Member: entry.Member, Sequence: *entry.ActivitySequence}]
		one.awards = append(one.awards, award{
			entry: entry, reversedPoints: -taken.Points, reversedQualifying: -taken.Qualifying,
		})
	}
	return nil
}

func compareActivities(a, b id.Activity) int {
	return cmp.Or(id.Compare(a.Member, b.Member), cmp.Compare(a.Sequence, b.Sequence))
}

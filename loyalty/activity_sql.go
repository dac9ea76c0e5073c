package loyalty

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// activityKeyRow is who recorded a fact first. Sequence is null until the transaction that records it is through; of a return
// that waits for its purchase, Member is the zero id as well.
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
	// A return that waits is nobody's yet.
	var got []uuid.UUID
	err := tx.Select(ctx, &got, `
		insert into activity_keys (hash, member_id, input_hash)
		select hash, nullif(member_id, $4), input_hash
		from unnest($1::uuid[], $2::uuid[], $3::uuid[]) as wanted (hash, member_id, input_hash)
		on conflict (hash) do nothing
		returning hash`,
		pq.StringArray(id.Texts(wanted)), pq.StringArray(id.Texts(members)), pq.StringArray(id.Texts(hashes)),
		id.Member{})
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

func insertActivities(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	return postgres.ExecRows(ctx, tx, facts, `
		insert into activities (member_id, sequence, type, source, external_id, occurred_at, recorded_at, total,
			paid_with_points, purchase_sequence, attributes)
		select * from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
			$8::bigint[], $9::bigint[], $10::bigint[], $11::jsonb[])`,
		func(f *fact) any { return f.recorded.Activity.Member },
		func(f *fact) any { return f.recorded.Activity.Sequence },
		func(f *fact) any { return f.recorded.Activity.Type },
		func(f *fact) any { return f.recorded.Activity.Source },
		func(f *fact) any { return f.recorded.Activity.ExternalID },
		func(f *fact) any { return f.recorded.Activity.OccurredAt },
		func(f *fact) any { return f.recorded.Activity.RecordedAt },
		func(f *fact) any { return f.recorded.Activity.TotalMinor },
		func(f *fact) any { return f.recorded.Activity.PaidMinor },
		func(f *fact) any { return f.recorded.Activity.PurchaseSequence },
		func(f *fact) any { return f.recorded.Activity.Attributes },
	)
}

func placeActivityKeys(ctx context.Context, tx *postgres.Tx, facts []*fact) error {
	return postgres.ExecRows(ctx, tx, facts, `
		update activity_keys set sequence = placed.sequence, member_id = placed.member_id, input_hash = placed.input_hash
		from unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::uuid[]) as placed (hash, sequence, member_id, input_hash)
		where activity_keys.hash = placed.hash`,
		func(f *fact) any { return f.key },
		func(f *fact) any { return f.recorded.Activity.Sequence },
		func(f *fact) any { return f.member },
		func(f *fact) any { return f.hash },
	)
}

const activityColumns = `member_id, sequence, type, source, external_id, occurred_at, recorded_at, total, paid_with_points,
	purchase_sequence, attributes`

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
	var wanted []id.Activity
	for _, row := range placed {
		// A return that waits was not recorded yet.
		if row.Sequence != nil {
			at := id.Activity{Member: row.Member, Sequence: *row.Sequence}
			wanted = append(wanted, at)
			byKey[row.Hash] = at
		}
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

func compareActivities(a, b id.Activity) int {
	return cmp.Or(id.Compare(a.Member, b.Member), cmp.Compare(a.Sequence, b.Sequence))
}

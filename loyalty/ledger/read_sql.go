package ledger

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/lots"
)

// AccountsTx reads accounts without locking them; members that have none are left out.
func AccountsTx(ctx context.Context, q postgres.Runner, members []id.Member) ([]*Account, error) {
	var accounts []*Account
	err := q.Select(ctx, &accounts, `select `+accountColumns+` from accounts where member_id = any($1::uuid[])`,
		pq.StringArray(id.Texts(members)))
	return accounts, err
}

const entryColumns = `member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, activity_sequence, adjustment_id,
	reverses, rule_id, rule_version, basis, qualifying, qualifies_at, expires_at, available_at, lapsed, shortfall, hold_sequence,
	operation_id`

// EntriesTx reads entries by their ids; absent ones are left out.
func EntriesTx(ctx context.Context, q postgres.Runner, wanted []id.Entry) ([]*Entry, error) {
	members, err := postgres.Array(wanted, func(e id.Entry) any { return e.Member })
	if err != nil {
		return nil, err
	}
	sequences, err := postgres.Array(wanted, func(e id.Entry) any { return e.Sequence })
	if err != nil {
		return nil, err
	}
	var entries []*Entry
	err = q.Select(ctx, &entries, `
		select `+entryColumns+`
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, sequence)
		join entries using (member_id, sequence)`, members, sequences)
	return entries, err
}

// EntriesOfActivitiesTx reads the entries that facts caused, each fact's in order.
func EntriesOfActivitiesTx(ctx context.Context, q postgres.Runner, activities []id.Activity) ([]*Entry, error) {
	members, err := postgres.Array(activities, func(a id.Activity) any { return a.Member })
	if err != nil {
		return nil, err
	}
	sequences, err := postgres.Array(activities, func(a id.Activity) any { return a.Sequence })
	if err != nil {
		return nil, err
	}
	var entries []*Entry
	err = q.Select(ctx, &entries, `
		select `+entryColumns+`
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, activity_sequence)
		join entries using (member_id, activity_sequence)
		order by member_id, sequence`, members, sequences)
	return entries, err
}

// reversed is how much of an entry reversals have taken back.
type reversed struct {
	Member     id.Member `db:"member_id"`
	Sequence   int64     `db:"reverses"`
	Points     int64     `db:"points"`
	Qualifying int64     `db:"qualifying"`
}

// ReversedTx says how much of entries reversals have taken back so far, as negative numbers, what had lapsed or was given up
// included; those of which nothing has are left out.
func ReversedTx(ctx context.Context, q postgres.Runner, wanted []*Entry) (map[id.Entry]Entry, error) {
	members, err := postgres.Array(wanted, func(e *Entry) any { return e.Member })
	if err != nil {
		return nil, err
	}
	sequences, err := postgres.Array(wanted, func(e *Entry) any { return e.Sequence })
	if err != nil {
		return nil, err
	}
	var rows []reversed
	if err := q.Select(ctx, &rows, `
		select member_id, reverses, sum(points - lapsed - shortfall)::bigint as points, sum(qualifying)::bigint as qualifying
		from unnest($1::uuid[], $2::bigint[]) as wanted (member_id, reverses)
		join entries using (member_id, reverses)
		group by member_id, reverses`, members, sequences); err != nil {
		return nil, err
	}
	taken := make(map[id.Entry]Entry, len(rows))
	for _, row := range rows {
		taken[id.Entry{Member: row.Member, Sequence: row.Sequence}] = Entry{Points: row.Points, Qualifying: row.Qualifying}
	}
	return taken, nil
}

// HoldingsTx reads what members own: their open lots, holds and debts, and the lots that open holds have drawn on.
func HoldingsTx(ctx context.Context, q postgres.Runner, members []id.Member) (map[id.Member]*lots.Holding, error) {
	owned := make(map[id.Member]*lots.Holding, len(members))
	for _, member := range members {
		owned[member] = &lots.Holding{}
	}
	if len(members) == 0 {
		return owned, nil
	}
	open, err := selectOpenLots(ctx, q, members)
	if err != nil {
		return nil, fmt.Errorf("load open lots: %w", err)
	}
	for _, one := range open {
		owned[one.Member].Lots = append(owned[one.Member].Lots, one.Lot)
	}
	held, err := selectOpenHolds(ctx, q, members)
	if err != nil {
		return nil, fmt.Errorf("load open holds: %w", err)
	}
	for member, holds := range held {
		owned[member].Holds = holds
	}
	owed, err := selectOpenDebts(ctx, q, members)
	if err != nil {
		return nil, fmt.Errorf("load open debts: %w", err)
	}
	for _, one := range owed {
		owned[one.Member].Debts = append(owned[one.Member].Debts, one.Debt)
	}
	return owned, nil
}

// Filter narrows a member's history; the zero value does not. Times are of occurredAt, in [From, To).
type Filter struct {
	Kinds []Kind
	From  *time.Time
	To    *time.Time
}

const historyFilter = `
		where member_id = wanted.id
			and (cardinality($2::text[]) = 0 or kind = any($2::text[]))
			and ($3::timestamptz is null or occurred_at >= $3)
			and ($4::timestamptz is null or occurred_at < $4)`

func (f Filter) arguments(members []id.Member) []any {
	kinds := make(pq.StringArray, len(f.Kinds))
	for i, kind := range f.Kinds {
		kinds[i] = string(kind)
	}
	return []any{pq.StringArray(id.Texts(members)), kinds, f.From, f.To}
}

// HistoriesTx reads entries of members, each one's newest first, from the one before the given number on; 0: from the
// newest. limit is of each.
func HistoriesTx(ctx context.Context, q postgres.Runner, members []id.Member, filter Filter, before int64, limit int) (map[id.Member][]*Entry, error) {
	var entries []*Entry
	err := q.Select(ctx, &entries, `
		select `+entryColumns+`
		from unnest($1::uuid[]) as wanted (id)
		cross join lateral (
			select `+entryColumns+` from entries`+historyFilter+`
				and ($5::bigint = 0 or sequence < $5)
			order by sequence desc
			limit $6) as listed
		order by member_id, sequence desc`, append(filter.arguments(members), before, limit)...)
	histories := make(map[id.Member][]*Entry, len(members))
	for _, entry := range entries {
		histories[entry.Member] = append(histories[entry.Member], entry)
	}
	return histories, err
}

// CountsTx counts the entries that HistoriesTx lists of each member over all pages.
func CountsTx(ctx context.Context, q postgres.Runner, members []id.Member, filter Filter) (map[id.Member]int, error) {
	var rows []struct {
		Member  id.Member `db:"member_id"`
		Entries int       `db:"entries"`
	}
	err := q.Select(ctx, &rows, `
		select wanted.id as member_id, counted.entries
		from unnest($1::uuid[]) as wanted (id)
		cross join lateral (select count(*) as entries from entries`+historyFilter+`) as counted`, filter.arguments(members)...)
	counts := make(map[id.Member]int, len(rows))
	for _, row := range rows {
		counts[row.Member] = row.Entries
	}
	return counts, err
}

// EntryOfOperationTx reads the entry that an operation under an idempotency key posted for the member; nil if it posted none.
func EntryOfOperationTx(ctx context.Context, q postgres.Runner, member id.Member, operation uuid.UUID) (*Entry, error) {
	var entries []*Entry
	err := q.Select(ctx, &entries, `
		select `+entryColumns+` from entries where member_id = $1 and operation_id = $2`, member, operation)
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return entries[0], nil
}

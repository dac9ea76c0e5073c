package loyalty

import (
	"context"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// placedLine is a line with the fact it belongs to.
type placedLine[T any] struct {
	activity *Activity
	line     T
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
		ByAmount int64     `db:"by_amount"`
		Returns  int       `db:"returns"`
	}
	if err := tx.Select(ctx, &rows, `
		select member_id, purchase_sequence, sum(total)::bigint as returned, count(*) as returns,
			coalesce(sum(total) filter (where not exists (
				select from return_lines where return_lines.member_id = activities.member_id and return_lines.sequence = activities.sequence
			)), 0)::bigint as by_amount
		from (select distinct member_id, purchase_sequence from unnest($1::uuid[], $2::bigint[]) as listed (member_id, purchase_sequence)) as wanted
		join activities using (member_id, purchase_sequence)
		group by member_id, purchase_sequence`, members, sequences); err != nil {
		return err
	}
	for _, row := range rows {
		one := into[id.Activity{Member: row.Member, Sequence: row.Sequence}]
		one.returned, one.byAmount, one.returns = row.Returned, row.ByAmount, row.Returns
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

package loyalty

import (
	"context"
	"time"

	"regulars/internal/postgres"
)

// In these statements "offset 0" has PostgreSQL look up one after the other what is asked for, which is little, whatever it
// knows or does not know yet of how large the tables are.

func selectSoldLines(ctx context.Context, q postgres.Runner, asked []MemberSKU, until time.Time) ([]SoldLine, error) {
	members, err := postgres.Array(asked, func(a MemberSKU) any { return a.Member })
	if err != nil {
		return nil, err
	}
	skus, err := postgres.Array(asked, func(a MemberSKU) any { return a.SKU })
	if err != nil {
		return nil, err
	}
	var lines []SoldLine
	err = q.Select(ctx, &lines, `
		select sold.member_id, sold.sku, activities.source, activities.external_id, sold.id as line_id, activities.occurred_at, sold.quantity,
			coalesce((
				select sum(return_lines.quantity)
				from return_lines
				where return_lines.member_id = sold.member_id and return_lines.purchase_sequence = sold.sequence
					and return_lines.line = sold.line
			), 0)::bigint as returned
		from (select distinct member_id, sku from unnest($1::uuid[], $2::text[]) as listed (member_id, sku)) as asked
		join lateral (
			select member_id, sequence, line, id, sku, quantity
			from purchase_lines
			where purchase_lines.member_id = asked.member_id and purchase_lines.sku = asked.sku and purchase_lines.quantity > 0
			offset 0
		) as sold on true
		join activities on activities.member_id = sold.member_id and activities.sequence = sold.sequence
		where activities.occurred_at <= $3
		order by sold.member_id, sold.sku, activities.occurred_at desc, sold.sequence desc, sold.line desc`,
		members, skus, until)
	return lines, err
}

func selectRecordedReturns(ctx context.Context, q postgres.Runner, source string, asked []ReturnsNamed) ([]RecordedReturn, error) {
	members, err := postgres.Array(asked, func(a ReturnsNamed) any { return a.Member })
	if err != nil {
		return nil, err
	}
	prefixes, err := postgres.Array(asked, func(a ReturnsNamed) any { return a.Prefix })
	if err != nil {
		return nil, err
	}
	var returns []RecordedReturn
	err = q.Select(ctx, &returns, `
		select came.member_id, came.external_id, purchases.source as purchase_source, purchases.external_id as purchase_external_id,
			lines.sku, lines.quantity, came.total,
			coalesce((
				select -sum(entries.points)
				from entries
				where entries.member_id = came.member_id and entries.activity_sequence = came.sequence
			), 0)::bigint as points
		from (select distinct member_id, prefix from unnest($2::uuid[], $3::text[]) as listed (member_id, prefix)) as asked
		join lateral (
			select member_id, sequence, purchase_sequence, external_id, total
			from activities
			where activities.member_id = asked.member_id and activities.purchase_sequence is not null
				and activities.source = $1 and starts_with(activities.external_id, asked.prefix)
			offset 0
		) as came on true
		join activities as purchases on purchases.member_id = came.member_id and purchases.sequence = came.purchase_sequence
		join lateral (
			select min(sold.sku) as sku, sum(return_lines.quantity)::bigint as quantity
			from return_lines
			join purchase_lines as sold on sold.member_id = return_lines.member_id
				and sold.sequence = return_lines.purchase_sequence and sold.line = return_lines.line
			where return_lines.member_id = came.member_id and return_lines.sequence = came.sequence
			having count(*) > 0
		) as lines on true
		order by came.member_id, came.sequence`, source, members, prefixes)
	return returns, err
}

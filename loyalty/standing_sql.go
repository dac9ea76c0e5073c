package loyalty

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// countQualifying answers windows, by member; a member stands once among them.
func countQualifying(ctx context.Context, q postgres.Runner, windows []window) (map[id.Member]counted, error) {
	if len(windows) == 0 {
		return nil, nil
	}
	members, err := postgres.Array(windows, func(w window) any { return w.Member })
	if err != nil {
		return nil, err
	}
	after, err := postgres.Array(windows, func(w window) any { return w.After })
	if err != nil {
		return nil, err
	}
	var rows []counted
	if err := q.Select(ctx, &rows, `
		select asked.member_id, coalesce(sum(entries.qualifying), 0)::bigint as points, min(entries.qualifies_at) as earliest
		from unnest($1::uuid[], $2::timestamptz[]) as asked (member_id, after)
		join entries on entries.member_id = asked.member_id and entries.qualifies_at > asked.after and entries.qualifying <> 0
		group by asked.member_id`, members, after); err != nil {
		return nil, err
	}
	answers := make(map[id.Member]counted, len(rows))
	for _, row := range rows {
		answers[row.Member] = row
	}
	return answers, nil
}

func insertMoves(ctx context.Context, tx *postgres.Tx, moves []move) error {
	return postgres.ExecRows(ctx, tx, moves, `
		insert into tier_moves (member_id, sequence, at, recorded_at, from_tier_id, to_tier_id, reason, ladder_version, valid_until)
		select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::uuid[], $6::uuid[], $7::text[],
			$8::int[], $9::timestamptz[])`,
		func(m move) any { return m.Member },
		func(m move) any { return m.Sequence },
		func(m move) any { return m.At },
		func(m move) any { return m.RecordedAt },
		func(m move) any { return m.From },
		func(m move) any { return m.To },
		func(m move) any { return string(m.Reason) },
		func(m move) any { return m.LadderVersion },
		func(m move) any { return m.ValidUntil },
	)
}

// past is a tier that a member held from At on.
type past struct {
	Member id.Member `db:"member_id"`
	At     time.Time `db:"at"`
	To     id.Tier   `db:"to_tier_id"`
}

// selectMoves reads the tier histories of members, each in order.
func selectMoves(ctx context.Context, q postgres.Runner, members []id.Member) ([]past, error) {
	var moves []past
	err := q.Select(ctx, &moves, `
		select member_id, at, to_tier_id from tier_moves where member_id = any($1::uuid[]) order by member_id, sequence`,
		pq.StringArray(id.Texts(members)))
	return moves, err
}

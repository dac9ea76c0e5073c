package loyalty

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/outbox"
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
	after, err := postgres.Array(windows, func(w window) any {
		// The window of an instant in the year 1 begins before any year that PostgreSQL reads.
		if first := (time.Time{}); w.After.Before(first) {
			return first
		}
		return w.After
	})
	if err != nil {
		return nil, err
	}
	known, err := postgres.Array(windows, func(w window) any { return w.Known })
	if err != nil {
		return nil, err
	}
	var rows []counted
	if err := q.Select(ctx, &rows, `
		select asked.member_id, coalesce(sum(entries.qualifying), 0)::bigint as points, min(entries.qualifies_at) as earliest
		from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) as asked (member_id, after, known)
		join entries on entries.member_id = asked.member_id and entries.qualifies_at > asked.after and entries.qualifying <> 0
			and (asked.known is null or entries.recorded_at <= asked.known)
		group by asked.member_id`, members, after, known); err != nil {
		return nil, err
	}
	answers := make(map[id.Member]counted, len(rows))
	for _, row := range rows {
		answers[row.Member] = row
	}
	return answers, nil
}

// insertMoves writes moves of members whose accounts are locked, and tells others of those to another tier.
func insertMoves(ctx context.Context, tx *postgres.Tx, moves []move) error {
	if err := postgres.ExecRows(ctx, tx, moves, `
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
	); err != nil {
		return err
	}
	var told []outbox.Notice
	for _, one := range moves {
		if one.From == nil || *one.From != one.To {
			told = append(told, outbox.Notice{Member: one.Member, Payload: outbox.TierChanged{
				From: one.From, To: one.To, At: one.At, ValidUntil: one.ValidUntil, Reason: string(one.Reason),
			}})
		}
	}
	return outbox.PutTx(ctx, tx, told)
}

// past is a tier that a member held from At on.
type past struct {
	Member     id.Member  `db:"member_id"`
	Sequence   int64      `db:"sequence"`
	At         time.Time  `db:"at"`
	RecordedAt time.Time  `db:"recorded_at"`
	From       *id.Tier   `db:"from_tier_id"`
	To         id.Tier    `db:"to_tier_id"`
	ValidUntil *time.Time `db:"valid_until"`
}

// selectMoves reads the tier histories of members, each in order.
func selectMoves(ctx context.Context, q postgres.Runner, members []id.Member) ([]past, error) {
	var moves []past
	err := q.Select(ctx, &moves, `
		select member_id, sequence, at, recorded_at, from_tier_id, to_tier_id, valid_until from tier_moves where member_id = any($1::uuid[]) order by member_id, sequence`,
		pq.StringArray(id.Texts(members)))
	return moves, err
}

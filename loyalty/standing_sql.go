package loyalty

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
)

// countQualifying answers windows, one each.
func countQualifying(ctx context.Context, q postgres.Runner, windows []window) ([]counted, error) {
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
	var rows []struct {
		Place int `db:"place"`
		counted
	}
	if err := q.Select(ctx, &rows, `
		select asked.place, coalesce(sum(entries.qualifying), 0)::bigint as points, min(entries.qualifies_at) as earliest
		from unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) with ordinality as asked (member_id, after, known, place)
		join entries on entries.member_id = asked.member_id and entries.qualifies_at > asked.after and entries.qualifying <> 0
			and (asked.known is null or entries.recorded_at <= asked.known)
		group by asked.place`, members, after, known); err != nil {
		return nil, err
	}
	answers := make([]counted, len(windows))
	for _, row := range rows {
		answers[row.Place-1] = row.counted
	}
	return answers, nil
}

// insertMoves writes moves of members whose accounts are locked, and tells others of those to another tier.
func insertMoves(ctx context.Context, tx *postgres.Tx, moves []move) error {
	if err := postgres.ExecRows(ctx, tx, moves, `
		insert into tier_moves (member_id, sequence, at, recorded_at, from_tier_id, reason, to_tier_id, earned_tier_id, valid_until,
			grace_until, coming_tier_id, coming_at, floor_tier_id, floor_until, ladder_version)
		select * from unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::uuid[], $6::text[], $7::uuid[],
			$8::uuid[], $9::timestamptz[], $10::timestamptz[], $11::uuid[], $12::timestamptz[], $13::uuid[], $14::timestamptz[],
			$15::int[])`,
		func(m move) any { return m.Member },
		func(m move) any { return m.Sequence },
		func(m move) any { return m.At },
		func(m move) any { return m.RecordedAt },
		func(m move) any { return m.From },
		func(m move) any { return string(m.Reason) },
		func(m move) any { return m.Held },
		func(m move) any { return m.Earned },
		func(m move) any { return m.ValidUntil },
		func(m move) any { return m.GraceUntil },
		func(m move) any { return m.Coming },
		func(m move) any { return m.ComingAt },
		func(m move) any { return m.Floor },
		func(m move) any { return m.FloorUntil },
		func(m move) any { return m.LadderVersion },
	); err != nil {
		return err
	}
	var told []outbox.Notice
	for _, one := range moves {
		if one.From == nil || *one.From != one.Held {
			told = append(told, outbox.Notice{Member: one.Member, Payload: outbox.TierChanged{
				From: one.From, To: one.Held, At: one.At, ValidUntil: one.ValidUntil, Reason: string(one.Reason),
			}})
		}
	}
	return outbox.PutTx(ctx, tx, told)
}

const moveColumns = `member_id, sequence, at, recorded_at, from_tier_id, reason, to_tier_id, earned_tier_id, valid_until, grace_until,
	coming_tier_id, coming_at, floor_tier_id, floor_until, ladder_version`

// selectMoves reads the tier histories of members, each in order.
func selectMoves(ctx context.Context, q postgres.Runner, members []id.Member) ([]move, error) {
	var moves []move
	err := q.Select(ctx, &moves, `
		select `+moveColumns+`
		from tier_moves where member_id = any($1::uuid[]) order by member_id, sequence`, pq.StringArray(id.Texts(members)))
	return moves, err
}

// selectHistories reads so many of the moves of each member, newest first, below a sequence number; 0: from the newest on.
func selectHistories(ctx context.Context, q postgres.Runner, members []id.Member, below int64, limit int) ([]move, error) {
	var moves []move
	err := q.Select(ctx, &moves, `
		select `+moveColumns+`
		from unnest($1::uuid[]) as wanted (id)
		cross join lateral (
			select `+moveColumns+`
			from tier_moves
			where member_id = wanted.id and ($2 = 0 or sequence < $2)
			order by sequence desc
			limit $3) as tier_moves
		order by member_id, sequence desc`, pq.StringArray(id.Texts(members)), below, limit)
	return moves, err
}

func countMoves(ctx context.Context, q postgres.Runner, member id.Member) (int, error) {
	var moves int
	err := q.Get(ctx, &moves, `select count(*) from tier_moves where member_id = $1`, member)
	return moves, err
}

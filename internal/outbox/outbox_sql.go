package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

type row struct {
	ID         int64      `db:"id"`
	Member     *id.Member `db:"member_id"`
	Type       Type       `db:"type"`
	Version    int        `db:"version"`
	Payload    string     `db:"payload"`
	RecordedAt time.Time  `db:"recorded_at"`
}

func (r row) notice() (Notice, error) {
	notice := Notice{ID: r.ID, RecordedAt: r.RecordedAt}
	if r.Member != nil {
		notice.Member = *r.Member
	}
	var err error
	if notice.Payload, err = (shape{r.Type, r.Version}).read([]byte(r.Payload)); err != nil {
		return Notice{}, fmt.Errorf("read notice %d: %w", r.ID, err)
	}
	return notice, nil
}

// insert writes the rows in their order. The condition gives the transaction its number, if it has none, before the first
// row is given its id: fences stand on that.
func insert(ctx context.Context, tx *postgres.Tx, rows []row) error {
	return postgres.ExecRows(ctx, tx, rows, `
		insert into notices (member_id, type, version, payload, recorded_at)
		select member_id, type, version, payload::jsonb, recorded_at
		from unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::timestamptz[])
			with ordinality as put (member_id, type, version, payload, recorded_at, number)
		where pg_current_xact_id() is not null
		order by number`,
		func(r row) any { return r.Member },
		func(r row) any { return string(r.Type) },
		func(r row) any { return r.Version },
		func(r row) any { return r.Payload },
		func(r row) any { return r.RecordedAt },
	)
}

// lock keeps others from being the consumer until the transaction ends; false if somebody is. Unlike the lock of a row it
// gives the transaction no number, so work that writes nothing delays nobody.
func lock(ctx context.Context, tx *postgres.Tx, consumer string) (bool, error) {
	var mine bool
	err := tx.Get(ctx, &mine, `select pg_try_advisory_xact_lock(hashtextextended('notices of ' || $1, 0))`, consumer)
	return mine, err
}

// place is how far a consumer has read, and how far it may.
type place struct {
	ReadTo int64 `db:"read_to"`
	Fence  int64 `db:"fence"`
	// Foreign tells whether the fence was set in another cluster, whose transactions have other numbers: the database was
	// restored from a dump.
	Foreign bool `db:"foreign"`
}

// selectPlace returns the place of a consumer, that before all notices if it is new.
func selectPlace(ctx context.Context, q postgres.Runner, consumer string) (place, error) {
	var found place
	err := q.Get(ctx, &found, `
		select read_to, fence, fence_transaction >= pg_snapshot_xmax(pg_current_snapshot()) as foreign
		from notice_consumers where name = $1`, consumer)
	if errors.Is(err, sql.ErrNoRows) {
		return place{}, nil
	}
	return found, err
}

// selectLast returns the last id that was given out, also by transactions that are open.
func selectLast(ctx context.Context, q postgres.Runner) (int64, error) {
	var last int64
	err := q.Get(ctx, &last, `select coalesce(pg_sequence_last_value('notices_id_seq'), 0)`)
	return last, err
}

func upsertFence(ctx context.Context, tx *postgres.Tx, consumer string, fence int64) error {
	_, err := tx.Exec(ctx, `
		insert into notice_consumers (name, read_to, fence, fence_transaction) values ($1, 0, $2, pg_current_xact_id())
		on conflict (name) do update set fence = excluded.fence, fence_transaction = excluded.fence_transaction`, consumer, fence)
	return err
}

// selectSettled returns the place of a consumer that has something to read up to a fence that is settled; else
// sql.ErrNoRows. A fence is settled when all transactions of this database that are older than the one that set it have
// ended. Each one holds a lock on its own number until it is seen by whoever looks next; one that is prepared has no
// session. The first test only spares the second one: it holds for all databases of the cluster.
func selectSettled(ctx context.Context, q postgres.Runner, consumer string) (place, error) {
	var found place
	err := q.Get(ctx, &found, `
		select read_to, fence from notice_consumers
		where name = $1 and read_to < fence and (
			fence_transaction < pg_snapshot_xmin(pg_current_snapshot())
			or not exists (
				select from pg_locks left join pg_stat_activity using (pid)
				where locktype = 'transactionid' and mode = 'ExclusiveLock' and granted
					and age(transactionid) > age(fence_transaction::xid)
					and (pid is null or datname = current_database())
			)
		)`, consumer)
	return found, err
}

func selectNotices(ctx context.Context, q postgres.Runner, at place, limit int) ([]row, error) {
	var rows []row
	err := q.Select(ctx, &rows, `
		select id, member_id, type, version, payload, recorded_at
		from notices where id > $1 and id <= $2
		order by id limit $3`, at.ReadTo, at.Fence, limit)
	return rows, err
}

func updatePlace(ctx context.Context, tx *postgres.Tx, consumer string, readTo int64) error {
	_, err := tx.Exec(ctx, `update notice_consumers set read_to = $2 where name = $1`, consumer, readTo)
	return err
}

// deleteRead looks at the oldest notices that all consumers have read and deletes what of them is old enough.
func deleteRead(ctx context.Context, q postgres.Runner, before time.Time, limit int) (int64, error) {
	return q.Exec(ctx, `
		with oldest as (
			select id, recorded_at from notices
			where id <= coalesce((select min(read_to) from notice_consumers), 9223372036854775807)
			order by id limit $2
		)
		delete from notices using oldest where notices.id = oldest.id and oldest.recorded_at < $1`, before, limit)
}

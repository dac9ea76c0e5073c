package bench

import (
	"context"
	"time"

	"regulars/care"
	"regulars/internal/id"
	"regulars/internal/postgres"
)

func selectVersion(ctx context.Context, q postgres.Runner) (string, error) {
	var version string
	err := q.Get(ctx, &version, `show server_version`)
	return version, err
}

// copyDatabase copies a database that nobody is connected to. The names are made by this program.
func copyDatabase(ctx context.Context, q postgres.Runner, from, to string) error {
	_, err := q.Exec(ctx, `create database "`+to+`" template "`+from+`"`)
	return err
}

// settle has the planner know the tables, and old row versions gone.
func settle(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `vacuum analyze`)
	return err
}

// numberMembers lets pgbench find members by their number; the ones that stand apart have none.
func numberMembers(ctx context.Context, q postgres.Runner) error {
	for _, statement := range []string{
		`create table bench_members (n bigint primary key, member_id uuid not null)`,
		`insert into bench_members (n, member_id)
		select substring(external_id from 7)::bigint, id from members where external_id ~ '^bench-[0-9]+$'`,
		`vacuum analyze bench_members`,
	} {
		if _, err := q.Exec(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// insertAdjustments takes a point of the member count times, as many adjustments by hand would: the member has one lot and
// nothing else.
func insertAdjustments(ctx context.Context, tx *postgres.Tx, member id.Member, count int) error {
	for _, statement := range []string{`
		insert into adjustments (id, member_id, entry_sequence, points, reason, requested_at, requested_by, status)
		select gen_random_uuid(), member_id, sequence + number, -1, 'A point spent', recorded_at + number * interval '1 microsecond',
			'system:bench', 'POSTED'
		from accounts, generate_series(1, $2::bigint) as number
		where member_id = $1`, `
		insert into entries (member_id, sequence, kind, points, balance_after, occurred_at, recorded_at, adjustment_id, qualifying,
			qualifies_at)
		select member_id, entry_sequence, 'ADJUSTMENT', -1, accounts.balance - (entry_sequence - accounts.sequence), requested_at,
			requested_at, id, 0, requested_at
		from accounts join adjustments using (member_id)
		where member_id = $1 and points = -1 and entry_sequence <= accounts.sequence + $2`, `
		insert into draws (member_id, entry_sequence, lot_sequence, points, posted_by)
		select adjustments.member_id, entry_sequence, lots.sequence, 1, entry_sequence
		from adjustments join lots using (member_id)
		where member_id = $1 and adjustments.points = -1 and entry_sequence <= lots.sequence + $2`,
		`update lots set remaining = remaining - $2 where member_id = $1`,
		`update accounts set sequence = sequence + $2, balance = balance - $2, recorded_at = recorded_at + $2 * interval '1 microsecond'
		where member_id = $1`,
	} {
		if _, err := tx.Exec(ctx, statement, member, count); err != nil {
			return err
		}
	}
	return nil
}

// insertConsents has every member allow mails that greet.
func insertConsents(ctx context.Context, q postgres.Runner, at time.Time) error {
	_, err := q.Exec(ctx, `
		insert into consents (member_id, sequence, class, channel, granted, source, at, actor)
		select id, 1, 'CARE', 'EMAIL', true, 'bench', $1, 'system:bench' from members`, at)
	return err
}

// expireWaiting ends all messages that wait to be sent.
func expireWaiting(ctx context.Context, q postgres.Runner) error {
	_, err := q.Exec(ctx, `update messages set status = 'EXPIRED', reason = 'TOO_LATE', due_at = null where due_at is not null`)
	return err
}

// insertLetters lets a mail wait for so many members.
func insertLetters(ctx context.Context, q postgres.Runner, to care.Message, count int) error {
	_, err := q.Exec(ctx, `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, locale, subject, body,
			html, created_at, send_after, send_before, due_at)
		select id, gen_random_uuid(), $1, $2, $3, $4, 'CARE', 'EMAIL', 'QUEUED', 'en', $5, $6, $7, $8, $8, $9, $8
		from members
		where email is not null
		limit $10`,
		to.CampaignID, string(to.Occasion), to.OccasionKey, to.OccasionDate, to.Subject, to.Body, to.HTML, to.CreatedAt, to.SendBefore, count)
	return err
}

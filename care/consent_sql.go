package care

import (
	"context"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

const consentColumns = `member_id, sequence, class, channel, granted, at, source, text_version, actor`

// lockConsents keeps others from saying anything about the member until the transaction ends.
func lockConsents(ctx context.Context, tx *postgres.Tx, member id.Member) error {
	_, err := tx.Exec(ctx, `select pg_advisory_xact_lock(hashtextextended('consents of ' || $1, 0))`, member.String())
	return err
}

// selectConsents reads what members last said of each class and channel, by member.
func selectConsents(ctx context.Context, q postgres.Runner, members []id.Member) ([]Consent, error) {
	var consents []Consent
	err := q.Select(ctx, &consents, `
		select distinct on (member_id, class, channel) `+consentColumns+`
		from consents
		where member_id = any($1::uuid[])
		order by member_id, class, channel, sequence desc`, pq.StringArray(id.Texts(members)))
	return consents, err
}

func insertConsent(ctx context.Context, tx *postgres.Tx, said Consent) error {
	_, err := tx.Exec(ctx, `
		insert into consents (`+consentColumns+`) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		said.Member, said.Sequence, said.Class, said.Channel, said.Granted, said.Since, said.Source, said.TextVersion, said.By)
	return err
}

// suppressWaiting ends what waits to be sent to the member about a topic that it allows no more.
func suppressWaiting(ctx context.Context, tx *postgres.Tx, member id.Member, about consentTopic) error {
	_, err := tx.Exec(ctx, `
		update messages
		set status = 'SUPPRESSED', reason = $4, detail = null, due_at = null, subject = null, body = '', html = null
		where member_id = $1 and class = $2 and channel = $3 and status in ('QUEUED', 'DEFERRED')`,
		member, about.class, about.channel, NoConsent)
	return err
}

// listConsents reads pages of all that was said of members, newest first: what was said before the number of before, 0: all.
func listConsents(ctx context.Context, q postgres.Runner, members []id.Member, before int64, limit int) (map[id.Member][]*Consent, error) {
	var rows []*Consent
	err := q.Select(ctx, &rows, `
		select `+consentColumns+`
		from unnest($1::uuid[]) as wanted (owner)
		cross join lateral (
			select `+consentColumns+`
			from consents
			where member_id = wanted.owner and ($2 = 0 or sequence < $2)
			order by sequence desc
			limit $3) as page`, pq.StringArray(id.Texts(members)), before, limit)
	said := make(map[id.Member][]*Consent, len(members))
	for _, row := range rows {
		said[row.Member] = append(said[row.Member], row)
	}
	return said, err
}

func countConsents(ctx context.Context, q postgres.Runner, members []id.Member) (map[id.Member]int, error) {
	return countByMember(ctx, q, `select member_id, count(*) as count from consents where member_id = any($1::uuid[]) group by member_id`,
		pq.StringArray(id.Texts(members)))
}

// countByMember runs a statement that counts something of members.
func countByMember(ctx context.Context, q postgres.Runner, statement string, arguments ...any) (map[id.Member]int, error) {
	var rows []struct {
		Member id.Member `db:"member_id"`
		Count  int       `db:"count"`
	}
	err := q.Select(ctx, &rows, statement, arguments...)
	counts := make(map[id.Member]int, len(rows))
	for _, row := range rows {
		counts[row.Member] = row.Count
	}
	return counts, err
}

// selectLocale reads the language of a member, nil: there is no such member.
func selectLocale(ctx context.Context, q postgres.Runner, member id.Member) (*string, error) {
	var locales []string
	err := q.Select(ctx, &locales, `select locale from members where id = $1`, member)
	if err != nil || len(locales) == 0 {
		return nil, err
	}
	return &locales[0], nil
}

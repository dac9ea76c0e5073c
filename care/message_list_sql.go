package care

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// selection is which messages of members are meant, as a condition that may name the instant $2.
type selection string

const (
	everyMessage   selection = `$2::timestamptz is not null`
	inboxMessages  selection = `channel = 'INBOX' and status = 'DELIVERED' and send_after <= $2`
	unreadMessages           = inboxMessages + ` and read_at is null`
)

// list reads pages of the members' messages, newest first: what is older than that of before, the zero id: all.
func (s selection) list(ctx context.Context, q postgres.Runner, members []id.Member, now time.Time, before id.Message, limit int) (map[id.Member][]*Message, error) {
	var rows []*Message
	err := q.Select(ctx, &rows, `
		select `+messageColumns+`
		from unnest($1::uuid[]) as wanted (owner)
		cross join lateral (
			select `+messageColumns+`
			from messages
			where member_id = wanted.owner and `+string(s)+` and ($3 = '00000000-0000-0000-0000-000000000000'::uuid or id < $3)
			order by id desc
			limit $4) as page`, pq.StringArray(id.Texts(members)), now, before, limit)
	listed := make(map[id.Member][]*Message, len(members))
	for _, row := range rows {
		listed[row.Member] = append(listed[row.Member], row)
	}
	return listed, err
}

func (s selection) count(ctx context.Context, q postgres.Runner, members []id.Member, now time.Time) (map[id.Member]int, error) {
	return countByMember(ctx, q, `
		select member_id, count(*) as count from messages where member_id = any($1::uuid[]) and `+string(s)+` group by member_id`,
		pq.StringArray(id.Texts(members)), now)
}

const filtered = `($1::uuid is null or campaign_id = $1) and ($2::text is null or status = $2) and ($3::text is null or reason = $3)
	and ($4::text is null or channel = $4)`

// selectMessages reads messages, newest first, that are older than that of before, the zero id: from the newest on.
func selectMessages(ctx context.Context, q postgres.Runner, filter MessageFilter, before id.Message, limit int) ([]*Message, error) {
	var found []*Message
	err := q.Select(ctx, &found, `
		select `+messageColumns+`
		from messages
		where `+filtered+` and ($5 = '00000000-0000-0000-0000-000000000000'::uuid or id < $5)
		order by id desc
		limit $6`, filter.CampaignID, filter.Status, filter.Reason, filter.Channel, before, limit)
	return found, err
}

func countMessages(ctx context.Context, q postgres.Runner, filter MessageFilter) (int, error) {
	var count int
	err := q.Get(ctx, &count, `select count(*) from messages where `+filtered, filter.CampaignID, filter.Status, filter.Reason, filter.Channel)
	return count, err
}

// selectMessage reads a message, nil: there is none.
func selectMessage(ctx context.Context, q postgres.Runner, wanted id.Message) (*Message, error) {
	var found []*Message
	err := q.Select(ctx, &found, `select `+messageColumns+` from messages where id = $1`, wanted)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// selectInboxMessage reads a message of the member's inbox, nil: it is not there.
func selectInboxMessage(ctx context.Context, q postgres.Runner, member id.Member, wanted id.Message, now time.Time) (*Message, error) {
	var found []*Message
	err := q.Select(ctx, &found, `select `+messageColumns+` from messages where member_id = $1 and id = $3 and `+string(inboxMessages), member, now, wanted)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

func markRead(ctx context.Context, tx *postgres.Tx, member id.Member, wanted id.Message) error {
	_, err := tx.Exec(ctx, `update messages set read_at = $2 where member_id = $1 and id = $3 and `+string(unreadMessages), member, tx.Now, wanted)
	return err
}

package care

import (
	"context"
	"time"

	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

// person is a member as messages address it.
type person struct {
	candidate
	Number      string  `db:"number"`
	Status      string  `db:"status"`
	DisplayName *string `db:"display_name"`
	Email       *string `db:"email"`
	ExternalID  *string `db:"external_id"`
	Phone       *string `db:"phone"`
}

func selectPeople(ctx context.Context, q postgres.Runner, wanted []id.Member) ([]*person, error) {
	var people []*person
	err := q.Select(ctx, &people, `
		select `+personColumns+`, '' as subject, members.number, members.status, members.display_name, members.email, members.external_id, members.phone
		from members
		where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return people, err
}

// refusedAddress is one that a mail server has refused for good, by addressHash.
type refusedAddress struct {
	Member id.Member `db:"member_id"`
	Hash   []byte    `db:"address_hash"`
}

func selectRefusedAddresses(ctx context.Context, q postgres.Runner, members []id.Member) ([]refusedAddress, error) {
	var held []refusedAddress
	err := q.Select(ctx, &held, `select member_id, address_hash from refused_addresses where member_id = any($1::uuid[])`,
		pq.StringArray(id.Texts(members)))
	return held, err
}

// contactRow is a message that a member got, or gets, or was to get.
type contactRow struct {
	Member   id.Member `db:"member_id"`
	Occasion Occasion  `db:"occasion"`
	Key      string    `db:"occasion_key"`
	Class    Class     `db:"class"`
	Channel  Channel   `db:"channel"`
	At       time.Time `db:"at"`
	// Counts tells whether the member gets it.
	Counts bool `db:"counts"`
}

// selectContacts reads what members got since an instant, what they are about to get, and what was decided not to be sent.
func selectContacts(ctx context.Context, q postgres.Runner, members []id.Member, since time.Time) ([]contactRow, error) {
	var rows []contactRow
	err := q.Select(ctx, &rows, `
		select member_id, occasion, occasion_key, class, channel, coalesce(sent_at, send_after) as at,
			status in ('QUEUED', 'DEFERRED', 'SENDING', 'SENT', 'DELIVERED') as counts
		from messages
		where member_id = any($1::uuid[]) and created_at > $2`,
		pq.StringArray(id.Texts(members)), since)
	return rows, err
}

package care

import (
	"context"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
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
	// Refused tells whether a mail server has refused the address for good.
	Refused bool `db:"refused"`
}

func selectPeople(ctx context.Context, q postgres.Runner, wanted []id.Member) ([]*person, error) {
	var people []*person
	err := q.Select(ctx, &people, `
		select `+personColumns+`, '' as subject, members.number, members.status, members.display_name, members.email, members.external_id, members.phone,
			exists (
				select from refused_addresses
				where refused_addresses.member_id = members.id and refused_addresses.address_hash = sha256(lower(members.email)::bytea)) as refused
		from members
		where id = any($1::uuid[])`, pq.StringArray(id.Texts(wanted)))
	return people, err
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

// insertMessages writes messages about occasions that have none on their channels.
func insertMessages(ctx context.Context, tx *postgres.Tx, messages []*Message) error {
	return postgres.ExecRows(ctx, tx, messages, `
		insert into messages (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, detail, locale,
			subject, body, html, created_at, send_after, send_before, due_at, sent_at)
		select member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, detail, locale,
			subject, body, html, created_at, send_after, send_before, due_at, sent_at
		from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::date[], $7::text[], $8::text[], $9::text[], $10::text[],
			$11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::timestamptz[], $17::timestamptz[], $18::timestamptz[],
			$19::timestamptz[], $20::timestamptz[])
			as made (member_id, id, campaign_id, occasion, occasion_key, occasion_date, class, channel, status, reason, detail, locale,
				subject, body, html, created_at, send_after, send_before, due_at, sent_at)
		on conflict (member_id, occasion_key, channel) do nothing`,
		func(m *Message) any { return m.Member },
		func(m *Message) any { return m.ID },
		func(m *Message) any { return m.CampaignID },
		func(m *Message) any { return string(m.Occasion) },
		func(m *Message) any { return m.OccasionKey },
		func(m *Message) any { return m.OccasionDate },
		func(m *Message) any { return string(m.Class) },
		func(m *Message) any { return string(m.Channel) },
		func(m *Message) any { return string(m.Status) },
		func(m *Message) any { return (*string)(m.Reason) },
		func(m *Message) any { return m.Detail },
		func(m *Message) any { return m.Locale },
		func(m *Message) any { return m.Subject },
		func(m *Message) any { return m.Body },
		func(m *Message) any { return m.HTML },
		func(m *Message) any { return m.CreatedAt },
		func(m *Message) any { return m.SendAfter },
		func(m *Message) any { return m.SendBefore },
		func(m *Message) any { return m.DueAt },
		func(m *Message) any { return m.SentAt },
	)
}

// giftID is what a gift comes once for.
type giftID struct {
	Member id.Member
	Key    string
}

// selectGifts reads which gift the occasions have had, by their keys, as the occasions of two years have that are one after a birth date
// was corrected.
func selectGifts(ctx context.Context, tx *postgres.Tx, wanted []*decision) (map[giftID]*gift, error) {
	members, keys, yearly := make([]id.Member, len(wanted)), make([]string, len(wanted)), make([]string, len(wanted))
	for i, one := range wanted {
		members[i], keys[i] = one.Member, one.giftKey()
		if one.yearly != "" {
			yearly[i] = one.campaign.prefix() + "____"
		}
	}
	var rows []*gift
	err := tx.Select(ctx, &rows, `
		select gifts.member_id, wanted.occasion_key, gifts.campaign_id, gifts.points, gifts.expires_at, gifts.adjustment_id
		from unnest($1::uuid[], $2::text[], $3::text[]) as wanted (member_id, occasion_key, yearly)
		join gifts on gifts.member_id = wanted.member_id
			and (gifts.occasion_key = wanted.occasion_key or gifts.occasion_key like wanted.yearly and gifts.given_at > $4)`,
		pq.StringArray(id.Texts(members)), pq.StringArray(keys), pq.StringArray(yearly), tx.Now.Add(-again))
	had := make(map[giftID]*gift, len(rows))
	for _, one := range rows {
		had[giftID{one.Member, one.Key}] = one
	}
	return had, err
}

func insertGifts(ctx context.Context, tx *postgres.Tx, given []*gift) error {
	return postgres.ExecRows(ctx, tx, given, `
		insert into gifts (member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id)
		select member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id
		from unnest($1::uuid[], $2::text[], $3::uuid[], $4::bigint[], $5::timestamptz[], $6::timestamptz[], $7::uuid[])
			as made (member_id, occasion_key, campaign_id, points, expires_at, given_at, adjustment_id)`,
		func(one *gift) any { return one.Member },
		func(one *gift) any { return one.Key },
		func(one *gift) any { return one.CampaignID },
		func(one *gift) any { return one.Points },
		func(one *gift) any { return one.ExpiresAt },
		func(*gift) any { return tx.Now },
		func(one *gift) any { return one.Adjustment },
	)
}

// insertHappenings notes what happened, unless that is noted.
func insertHappenings(ctx context.Context, tx *postgres.Tx, happened []happening) error {
	return postgres.ExecRows(ctx, tx, happened, `
		insert into happenings (member_id, occasion, subject, at)
		select member_id, occasion, subject, at from unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[]) as made (member_id, occasion, subject, at)
		on conflict (member_id, occasion, subject) do nothing`,
		func(one happening) any { return one.Member },
		func(one happening) any { return string(one.Occasion) },
		func(one happening) any { return one.Subject },
		func(one happening) any { return one.At },
	)
}

// updateDecided notes that everything of the campaign was decided that was due by then, unless the campaign was changed.
func updateDecided(ctx context.Context, tx *postgres.Tx, campaign id.Campaign, version int, at time.Time) error {
	_, err := tx.Exec(ctx, `update care_campaigns set decided_at = $3 where id = $1 and version = $2 and decided_at < $3`, campaign, version, at)
	return err
}

// booked is what is booked, as a message tells of it.
type booked struct {
	Booking uuid.UUID `db:"id"`
	Status  string    `db:"status"`
	// Expected tells whether the member is to come and the event to take place, which begins at StartsAt.
	Expected    bool                `db:"expected"`
	StartsAt    time.Time           `db:"starts_at"`
	Name        string              `db:"name"`
	Venue       *string             `db:"venue"`
	StartsLocal value.LocalDateTime `db:"starts_local"`
}

func selectBooked(ctx context.Context, tx *postgres.Tx, wanted []uuid.UUID) (map[uuid.UUID]booked, error) {
	ids := make([]string, len(wanted))
	for i, one := range wanted {
		ids[i] = one.String()
	}
	var rows []booked
	err := tx.Select(ctx, &rows, `
		select bookings.id, bookings.status, events.name, coalesce(occurrences.venue, events.venue) as venue, occurrences.starts_local,
			occurrences.starts_at, bookings.status = 'CONFIRMED' and occurrences.status = 'SCHEDULED' and events.status = 'PUBLISHED' as expected
		from bookings
		join occurrences on occurrences.id = bookings.occurrence_id
		join events on events.id = occurrences.event_id
		where bookings.id = any($1::uuid[])`, pq.StringArray(ids))
	found := make(map[uuid.UUID]booked, len(rows))
	for _, one := range rows {
		found[one.Booking] = one
	}
	return found, err
}

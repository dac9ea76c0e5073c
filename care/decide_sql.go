package care

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
)

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

// updateDecided notes that everything of the campaign was decided that was due by then, unless the campaign was changed.
func updateDecided(ctx context.Context, tx *postgres.Tx, campaign id.Campaign, version int, at time.Time) error {
	_, err := tx.Exec(ctx, `update care_campaigns set decided_at = $3 where id = $1 and version = $2 and decided_at < $3`, campaign, version, at)
	return err
}

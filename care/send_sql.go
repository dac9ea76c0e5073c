package care

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
)

// selectDueMessage locks the message of a channel that is due longest and that nobody else has; nil if there is none.
func selectDueMessage(ctx context.Context, tx *postgres.Tx, channel Channel, now time.Time) (*Message, error) {
	var message Message
	err := tx.Get(ctx, &message, `
		select `+messageColumns+` from messages where channel = $1 and due_at <= $2 order by due_at limit 1 for update skip locked`, channel, now)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &message, err
}

// selectRecipient reads to whom a message goes; nil if the member is gone.
func selectRecipient(ctx context.Context, tx *postgres.Tx, message *Message) (*recipient, error) {
	var to recipient
	err := tx.Get(ctx, &to, `
		select members.status, members.external_id, members.display_name, members.email, members.phone, members.locale, members.time_zone,
			program.time_zone as program_zone, program.care,
			coalesce((select care_campaigns.enabled from care_campaigns where care_campaigns.id = $4), true) as on,
			coalesce((
				select consents.granted from consents
				where consents.member_id = $1 and consents.class = $2 and consents.channel = $3
				order by consents.sequence desc
				limit 1), false) as granted
		from members
		cross join program
		where members.id = $1`, message.Member, message.Class, message.Channel, message.CampaignID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || message.Channel != program.Email || to.Email == nil {
		return &to, err
	}
	err = tx.Get(ctx, &to.Held, `select exists (select from refused_addresses where member_id = $1 and address_hash = $2)`,
		message.Member, addressHash(*to.Email))
	return &to, err
}

// claimMessage makes a locked message a sender's from now until a time, and counts the attempt.
func claimMessage(ctx context.Context, tx *postgres.Tx, message *Message, now, until time.Time) error {
	if message.HandedAt != nil {
		message.Uncertain++
	}
	message.Status, message.Attempts, message.ClaimedAt, message.HandedAt, message.DueAt = Sending, message.Attempts+1, &now, &now, &until
	_, err := tx.Exec(ctx, `
		update messages set status = 'SENDING', reason = null, attempts = $3, uncertain = $4, claimed_at = $5, handed_at = $5, due_at = $6
		where member_id = $1 and id = $2`, message.Member, message.ID, message.Attempts, message.Uncertain, now, until)
	return err
}

// settleMessage is done with a locked message that is not sent. What was said of attempts before stays; of what is suppressed
// the text does not.
func settleMessage(ctx context.Context, tx *postgres.Tx, message *Message, status Status, reason Reason) error {
	_, err := tx.Exec(ctx, `
		update messages set status = $3, reason = $4, due_at = null,
			subject = case when $3 <> 'SUPPRESSED' then subject end, body = case when $3 <> 'SUPPRESSED' then body else '' end,
			html = case when $3 <> 'SUPPRESSED' then html end
		where member_id = $1 and id = $2`, message.Member, message.ID, status, reason)
	return err
}

// deferMessage keeps a locked message until an instant.
func deferMessage(ctx context.Context, tx *postgres.Tx, message *Message, reason Reason, until time.Time) error {
	_, err := tx.Exec(ctx, `
		update messages set status = 'DEFERRED', reason = $3, due_at = $4, send_after = greatest(send_after, $4) where member_id = $1 and id = $2`,
		message.Member, message.ID, reason, until)
	return err
}

// noted is what became of a message that was handed over.
type noted struct {
	Status Status
	Reason *Reason
	Detail *string
	DueAt  *time.Time
	SentAt *time.Time
	// Untried takes the attempt back, Uncertain lets it stand that the message may have arrived.
	Untried, Uncertain bool
}

// updateNoted notes it, unless the claim has lapsed and somebody else has the message, or is done with it: then it returns false.
// The text of what is suppressed does not stay.
func updateNoted(ctx context.Context, tx *postgres.Tx, message *Message, became noted) (bool, error) {
	changed, err := tx.Exec(ctx, `
		update messages set status = $4, reason = $5, detail = $6, due_at = $7, sent_at = $8, attempts = attempts - $9::boolean::int,
			handed_at = case when $4 = 'SENT' or $10 then handed_at end,
			subject = case when $4 <> 'SUPPRESSED' then subject end, body = case when $4 <> 'SUPPRESSED' then body else '' end,
			html = case when $4 <> 'SUPPRESSED' then html end
		where member_id = $1 and id = $2 and status = 'SENDING' and claimed_at = $3`,
		message.Member, message.ID, *message.ClaimedAt, became.Status, became.Reason, became.Detail, became.DueAt, became.SentAt,
		became.Untried, became.Uncertain)
	return changed > 0, err
}

// insertRefusedAddress keeps that a mail server has refused the address.
func insertRefusedAddress(ctx context.Context, tx *postgres.Tx, member id.Member, hash []byte, reason string, now time.Time) error {
	_, err := tx.Exec(ctx, `
		insert into refused_addresses (member_id, address_hash, reason, refused_at) values ($1, $2, $3, $4)
		on conflict (member_id, address_hash) do update set reason = excluded.reason, refused_at = excluded.refused_at`,
		member, hash, reason, now)
	return err
}

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

// selectRecipient reads to whom a message of the class goes on the channel; nil if the member is gone.
func selectRecipient(ctx context.Context, tx *postgres.Tx, member id.Member, class Class, channel Channel) (*recipient, error) {
	var to recipient
	err := tx.Get(ctx, &to, `
		select status, external_id, display_name, email, phone, locale, coalesce((
			select granted from consents where member_id = $1 and class = $2 and channel = $3 order by id desc limit 1), false) granted
		from members
		where id = $1`, member, class, channel)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil || channel != program.Email || to.Email == nil {
		return &to, err
	}
	err = tx.Get(ctx, &to.Held, `select exists (select from refused_addresses where member_id = $1 and address_hash = $2)`,
		member, addressHash(*to.Email))
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

// settleMessage is done with a locked message that is not sent. What was said of attempts before stays.
func settleMessage(ctx context.Context, tx *postgres.Tx, message *Message, status Status, reason Reason) error {
	_, err := tx.Exec(ctx, `update messages set status = $3, reason = $4, due_at = null where member_id = $1 and id = $2`,
		message.Member, message.ID, status, reason)
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
func updateNoted(ctx context.Context, tx *postgres.Tx, message *Message, became noted) (bool, error) {
	changed, err := tx.Exec(ctx, `
		update messages set status = $4, reason = $5, detail = $6, due_at = $7, sent_at = $8, attempts = attempts - $9::boolean::int,
			handed_at = case when $4 = 'SENT' or $10 then handed_at end
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

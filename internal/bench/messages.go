package bench

import (
	"context"
	"errors"
	"fmt"

	"regulars/care"
	"regulars/care/delivery"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// letters is how many mails wait in each part, if there are so many members.
const letters = 10_000

// messages measures the job that hands mails to a mail server, which stands on this machine and takes them all.
func (w *world) messages() *measurement {
	return w.night("messages", "mails handed over", "the mails", w.post, "", 0)
}

// post lets mails of birthdays wait and hands them all over. What the occasions left is not sent.
func (w *world) post(ctx context.Context, part int) (found sample, err error) {
	values := template.Sample(occasion.Birthday)
	compiled, err := template.Compile(template.Defaults(occasion.Birthday)[0], occasion.Birthday)
	if err != nil {
		return sample{}, err
	}
	filled, err := compiled.Fill(values)
	if err != nil {
		return sample{}, err
	}
	wanted := min(letters, w.Members)
	if err := w.db.InTx(ctx, func(tx *postgres.Tx) error {
		if err := expireWaiting(ctx, tx); err != nil {
			return err
		}
		return insertLetters(ctx, tx, care.Message{
			CampaignID: w.campaign, Occasion: occasion.Birthday, OccasionKey: fmt.Sprint("birthday:bench-", part), OccasionDate: value.DateOf(tx.Now),
			Subject: filled.Subject, Body: filled.Body, HTML: &filled.HTML, CreatedAt: tx.Now, SendBefore: tx.Now.Add(day),
		}, wanted)
	}); err != nil {
		return sample{}, err
	}
	office, err := openPostOffice(ctx)
	if err != nil {
		return sample{}, err
	}
	defer func() { err = errors.Join(err, office.close()) }()
	began := w.Clock.real()
	sent, err := w.care().SendMessages(ctx, delivery.Channels{Mail: office.mailer}, w.db, func() {})
	if err != nil {
		return sample{}, err
	}
	took := w.Clock.real().Sub(began)
	if sent.Sent != wanted || office.taken.Load() != int64(wanted) {
		return sample{}, fmt.Errorf("%d mails wait, and the mail server has taken %d: %+v", wanted, office.taken.Load(), sent)
	}
	return whole(wanted, took), nil
}

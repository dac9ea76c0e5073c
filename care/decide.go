package care

import (
	"context"
	"fmt"
	"time"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/value"
	"regulars/loyalty"
)

// decision is what is decided about an occasion.
type decision struct {
	*found
	// rulings are those on channels on which nothing was decided before.
	rulings map[Channel]ruling
	gift    *gift
}

// gift is points that come with an occasion.
type gift struct {
	Member     id.Member     `db:"member_id"`
	Key        string        `db:"occasion_key"`
	CampaignID id.Campaign   `db:"campaign_id"`
	Points     int64         `db:"points"`
	ExpiresAt  *time.Time    `db:"expires_at"`
	Adjustment id.Adjustment `db:"adjustment_id"`
}

// decide decides about occasions, each once, and returns about how many: it writes a message for each channel and gives what is
// given. They are in the order of their priority.
func (s *Service) decide(ctx context.Context, tx *postgres.Tx, round *round, list []*found) (int, error) {
	list, err := s.confirm(ctx, tx, list)
	if err != nil || len(list) == 0 {
		return 0, err
	}
	people, listeners, err := round.meet(ctx, members(list))
	if err != nil {
		return 0, err
	}
	decisions := make([]*decision, len(list))
	for i, one := range list {
		decisions[i] = &decision{found: one, rulings: map[Channel]ruling{}}
		for _, channel := range one.campaign.Channels {
			who := listeners[one.Member]
			about := decidedKey{one.key, channel}
			if who.decided[about] {
				continue
			}
			who.decided[about] = true
			made := judge(round.settings.Care, who, one, channel, tx.Now)
			decisions[i].rulings[channel] = made
			if made.status != Suppressed {
				who.contacts = append(who.contacts, contact{class: one.campaign.Class, channel: channel, key: one.key, yearly: one.yearly, at: made.sendAfter})
			}
		}
	}
	if err := s.give(ctx, tx, decisions); err != nil {
		return 0, err
	}
	var messages []*Message
	texts := newTexts(round.settings)
	for _, one := range decisions {
		for _, channel := range one.campaign.Channels {
			if _, decided := one.rulings[channel]; !decided {
				continue
			}
			messages = append(messages, texts.message(people[one.Member], one, channel, tx.Now))
		}
	}
	if err := insertMessages(ctx, tx, messages); err != nil {
		return 0, fmt.Errorf("write messages: %w", err)
	}
	return len(list), nil
}

// meet reads members as the policy sees them.
func (r *round) meet(ctx context.Context, wanted []id.Member) (map[id.Member]*person, map[id.Member]*listener, error) {
	rows, err := selectPeople(ctx, r.tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	people, listeners := map[id.Member]*person{}, map[id.Member]*listener{}
	for _, one := range rows {
		zone := r.zone
		if own, err := value.ParseZone(one.TimeZone); err == nil {
			zone = own
		}
		people[one.Member] = one
		listeners[one.Member] = &listener{
			left: one.Status == left, refused: one.Refused, zone: zone, consents: map[consentKey]bool{},
			addressed: map[Channel]bool{}, decided: map[decidedKey]bool{},
		}
		for _, channel := range program.Channels {
			listeners[one.Member].addressed[channel] = reachable(channel, one.Email, one.Phone, one.ExternalID)
		}
	}
	consents, err := selectConsents(ctx, r.tx, wanted)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range consents {
		listeners[one.Member].consents[consentKey{one.Class, one.Channel}] = one.Granted
	}
	since := r.tx.Now.Add(-again)
	for _, limit := range r.settings.Care.Caps {
		if from := limit.Per.Before(r.tx.Now, time.UTC).AddDate(0, 0, -1); from.Before(since) {
			since = from
		}
	}
	contacts, err := selectContacts(ctx, r.tx, wanted, since)
	if err != nil {
		return nil, nil, err
	}
	for _, one := range contacts {
		who := listeners[one.Member]
		who.decided[decidedKey{one.Key, one.Channel}] = true
		if !one.Counts {
			continue
		}
		who.contacts = append(who.contacts, contact{class: one.Class, channel: one.Channel, key: one.Key, yearly: yearly(one.Occasion, one.Key), at: one.At})
	}
	if len(r.settings.Care.Caps) > 0 {
		for _, one := range people {
			r.await(one, listeners[one.Member])
		}
	}
	return people, listeners, nil
}

// yearly is the key of what comes again each year, without the year.
func yearly(kind Occasion, key string) string {
	campaign := Campaign{Occasion: kind}
	prefix := campaign.prefix()
	if kind != occasion.Birthday && kind != occasion.MembershipAnniversary || len(key) < len(prefix)+4 {
		return ""
	}
	return prefix + key[len(prefix)+4:]
}

// await finds what comes to a member today by its own dates and is not decided.
func (r *round) await(one *person, who *listener) {
	today := value.DateOf(r.tx.Now.In(who.zone))
	for _, campaign := range r.campaigns {
		if campaign.Occasion != occasion.Birthday && campaign.Occasion != occasion.MembershipAnniversary {
			continue
		}
		own := one.candidate
		own.settle(r.zone)
		located := campaign.locate(&own, r.settings, today)
		if located == nil || located.window.Day != today || located.window.Late(r.tx.Now) {
			continue
		}
		for _, channel := range campaign.Channels {
			reached := who.addressed[channel] && (channel != program.Email || !who.refused)
			allowed := !asksConsent(campaign.Class, channel) || who.consents[consentKey{campaign.Class, channel}]
			if !who.decided[decidedKey{located.key, channel}] && reached && allowed {
				who.awaited = append(who.awaited, awaited{priority: campaign.priority(), class: campaign.Class, channel: channel, day: today, key: located.key})
			}
		}
	}
}

// give gives the gifts of occasions that have come in time, once for each occasion: whether the member allows messages does
// not matter.
func (s *Service) give(ctx context.Context, tx *postgres.Tx, decisions []*decision) error {
	var wanted []*decision
	for _, one := range decisions {
		if one.campaign.GiftPoints != nil && !one.window.Late(tx.Now) && !one.refused() {
			wanted = append(wanted, one)
		}
	}
	if len(wanted) == 0 {
		return nil
	}
	posting, err := s.loyalty.PostTx(ctx, tx)
	if err != nil {
		return err
	}
	var receivers []*found
	for _, one := range wanted {
		receivers = append(receivers, one.found)
	}
	if err := posting.Open(ctx, members(receivers)); err != nil {
		return err
	}
	had, err := selectGifts(ctx, tx, wanted)
	if err != nil {
		return err
	}
	var given []*gift
	for _, one := range wanted {
		made := &gift{Member: one.Member, Key: one.giftKey(), CampaignID: one.campaign.ID, Points: *one.campaign.GiftPoints}
		if earlier := had[giftID{made.Member, made.Key}]; earlier != nil {
			// On a channel that was added later, the campaign tells of it as well.
			if earlier.CampaignID == made.CampaignID {
				one.gift = earlier
			}
			continue
		}
		if valid := one.campaign.GiftValidFor; valid != nil {
			at := valid.After(tx.Now, posting.Zone())
			made.ExpiresAt = &at
		}
		adjustment, fits := posting.Give(loyalty.Gift{
			Member: made.Member, Points: made.Points, Reason: one.giftReason(), ExpiresAt: made.ExpiresAt,
		})
		if !fits {
			continue
		}
		made.Adjustment = adjustment.ID
		had[giftID{made.Member, made.Key}] = made
		one.gift = made
		given = append(given, made)
	}
	if err := posting.Write(ctx); err != nil {
		return err
	}
	return insertGifts(ctx, tx, given)
}

// refused tells whether the occasion is none for the member: it has left, was greeted for it a short time ago, or another campaign
// has spoken of it.
func (d *decision) refused() bool {
	for _, made := range d.rulings {
		if made.reason == nil || *made.reason != Left && *made.reason != Duplicate {
			return false
		}
	}
	return true
}

// giftKey is the occasion, whenever it is spoken of: a gift comes once for it.
func (f *found) giftKey() string {
	if suffix := f.campaign.suffix(); suffix != "" {
		return f.key[:len(f.key)-len(suffix)]
	}
	return f.key
}

// giftReason is what staff reads of the gift.
func (f *found) giftReason() string {
	return f.campaign.Name
}

package care

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty"
)

// gift is points that come with an occasion.
type gift struct {
	Member     id.Member     `db:"member_id"`
	Key        string        `db:"occasion_key"`
	CampaignID id.Campaign   `db:"campaign_id"`
	Points     int64         `db:"points"`
	ExpiresAt  *time.Time    `db:"expires_at"`
	Adjustment id.Adjustment `db:"adjustment_id"`
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
			Member: made.Member, Points: made.Points, Reason: one.campaign.Name, ExpiresAt: made.ExpiresAt,
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

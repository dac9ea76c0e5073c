package care

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/id"
)

// campaignReaders may read what members are told, by which campaigns.
var campaignReaders = []actor.Grant{actor.Marketer, actor.Support, actor.Admin}

// Campaigns returns all campaigns in the order in which they were made; there are 200 at most. For marketers, support and admins.
func (s *Service) Campaigns(ctx context.Context) ([]*Campaign, error) {
	if _, err := actor.Require(ctx, campaignReaders...); err != nil {
		return nil, err
	}
	return selectCampaigns(ctx, s.db, false)
}

// Campaign returns a campaign by its id, nil if there is none or the caller may not see it. For marketers, support and admins.
func (s *Service) Campaign(ctx context.Context, wanted id.Campaign) (*Campaign, error) {
	caller, err := actor.Require(ctx)
	if err != nil || !caller.Has(campaignReaders...) {
		return nil, err
	}
	found, err := selectCampaignsByID(ctx, s.db, []id.Campaign{wanted})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0], nil
}

// Counts is how many messages of a campaign are where.
type Counts struct {
	Queued, Deferred, Sending, Sent, Delivered, Bounced, Failed, Expired int
	// Suppressed are those that are not sent, by the reason why, in the order of these.
	Suppressed []Suppression
	// Uncertain is how often one was sent again although it may have arrived.
	Uncertain int
}

// Suppression is how many messages are not sent for a reason.
type Suppression struct {
	Reason Reason
	Count  int
}

// Counts returns how many messages of campaigns are where. For marketers, support and admins.
func (s *Service) Counts(ctx context.Context, wanted []id.Campaign) (map[id.Campaign]*Counts, error) {
	if _, err := actor.Require(ctx, campaignReaders...); err != nil {
		return nil, err
	}
	rows, err := selectCounts(ctx, s.db, wanted)
	if err != nil {
		return nil, err
	}
	counts := map[id.Campaign]*Counts{}
	for _, one := range wanted {
		counts[one] = &Counts{Suppressed: []Suppression{}}
	}
	for _, row := range rows {
		counts[row.Campaign].add(row)
	}
	return counts, nil
}

func (c *Counts) add(row countRow) {
	c.Uncertain += row.Uncertain
	if row.Status == Suppressed {
		c.Suppressed = append(c.Suppressed, Suppression{Reason: *row.Reason, Count: row.Count})
		return
	}
	counted := map[Status]*int{
		Queued: &c.Queued, Deferred: &c.Deferred, Sending: &c.Sending, Sent: &c.Sent, Delivered: &c.Delivered, Bounced: &c.Bounced,
		Failed: &c.Failed, Expired: &c.Expired,
	}
	*counted[row.Status] += row.Count
}

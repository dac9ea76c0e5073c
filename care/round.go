package care

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/care/occasion"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/value"
)

// decidedAtOnce is how many occasions one transaction decides about.
const decidedAtOnce = 500

// remembered is for how many days what nobody decided about is noted as too late: what was missed before is not mentioned.
const remembered = 31

// aroundTheWorld is how far clocks are apart, at most: from Baker Island to Kiritimati.
const aroundTheWorld = 26 * time.Hour

// round is what one transaction decides by.
type round struct {
	tx        *postgres.Tx
	settings  program.Program
	zone      *time.Location
	campaigns []*Campaign
}

// begin reads by what is decided. Campaigns are in the order of their occasions' priority.
func (s *Service) begin(ctx context.Context, tx *postgres.Tx) (*round, error) {
	settings, err := program.Load(ctx, tx)
	if err != nil {
		return nil, err
	}
	zone, err := settings.Zone()
	if err != nil {
		return nil, err
	}
	campaigns, err := selectCampaigns(ctx, tx, true)
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(campaigns, func(a, b *Campaign) int { return cmp.Compare(a.priority(), b.priority()) })
	return &round{tx: tx, settings: settings, zone: zone, campaigns: campaigns}, nil
}

// priority is the place of the campaign's occasion among all: the first ones are told where only so many may be.
func (c *Campaign) priority() int { return slices.Index(occasion.Kinds, c.Occasion) }

// considers tells whether an occasion is decided about now: it has come, and was not over before its campaign, the member, or
// what is known of it was there.
func (r *round) considers(one *found) bool {
	if r.tx.Now.Before(one.window.From) || !one.window.DayEnds.After(*one.campaign.EnabledAt) {
		return false
	}
	switch one.campaign.Occasion {
	case occasion.Birthday:
		if one.BirthDateChangedAt != nil && !one.window.To.After(*one.BirthDateChangedAt) {
			return false
		}
		return one.window.To.After(one.RecordedAt)
	case occasion.MembershipAnniversary, occasion.Holiday:
		// Whose it is, and which day, depends on where the member lives.
		if one.TimeZoneChangedAt != nil && !one.window.To.After(*one.TimeZoneChangedAt) {
			return false
		}
		return one.window.To.After(one.RecordedAt)
	case occasion.TierAtRisk:
		// Who was not at risk when it was time is not told so later. Who moves east may find that it was time yesterday.
		return !one.campaign.DecidedAt.After(*one.campaign.EnabledAt) || one.window.From.After(one.campaign.DecidedAt.Add(-aroundTheWorld))
	default:
		return true
	}
}

// DecideOccasions decides about everything that is due: what is said to whom, and what is not, and why; gifts are given. It
// works in short transactions, may be stopped at any instant and goes on from what it finds. One caller at a time works for a
// database. advance is told how many occasions were decided. For admins; a job calls it.
func (s *Service) DecideOccasions(ctx context.Context, advance func(int)) error {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return err
	}
	for {
		heard, decided, err := s.hear(ctx)
		if err != nil {
			return fmt.Errorf("hear what happened: %w", err)
		}
		advance(decided)
		if heard == 0 {
			break
		}
	}
	var campaigns []*Campaign
	if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		round, err := s.begin(ctx, tx)
		if err != nil {
			return err
		}
		campaigns = round.campaigns
		return nil
	}); err != nil {
		return err
	}
	for _, campaign := range campaigns {
		if err := s.decideCampaign(ctx, campaign, advance); err != nil {
			return fmt.Errorf("decide about %s: %w", campaign.ID, err)
		}
	}
	return nil
}

// decideCampaign decides about what is due of one campaign: on all days that are not over everywhere since it was last done.
func (s *Service) decideCampaign(ctx context.Context, campaign *Campaign, advance func(int)) error {
	now := s.now()
	anew := !campaign.DecidedAt.After(*campaign.EnabledAt) || value.DateOf(campaign.DecidedAt.UTC()).Before(value.DateOf(now))
	if campaign.Occasion == occasion.WinBack && anew {
		if err := s.db.InTx(ctx, func(tx *postgres.Tx) error { return updateAllHearings(ctx, tx) }); err != nil {
			return err
		}
	}
	// Days begin in Kiritimati and end in Baker Island.
	since := *campaign.DecidedAt
	if oldest := now.AddDate(0, 0, -remembered); since.Before(oldest) {
		since = oldest
	}
	first, end := value.DateOf(since.UTC().Add(-12*time.Hour)), value.DateOf(now.Add(14*time.Hour))
	if campaign.Occasion == occasion.EventReminder {
		// What was moved up is to be told even if the day of its reminder is over.
		if ahead := occasion.AddDays(value.DateOf(now), -longest(campaign.Offset.Period)-1); ahead.Before(first) {
			first = ahead
		}
	}
	wanted := search{campaign: campaign, day: first, until: now, limit: decidedAtOnce}
	for more := true; more; {
		var decided int
		var next search
		if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
			decided, next, more = 0, wanted, false
			round, err := s.begin(ctx, tx)
			if err != nil {
				return err
			}
			// It may have been changed meanwhile: then the next run decides.
			if !slices.ContainsFunc(round.campaigns, func(one *Campaign) bool { return one.ID == campaign.ID && one.Version == campaign.Version }) {
				return nil
			}
			// Days of which nothing is due cost no transaction of their own.
			for !end.Before(next.day) {
				page, err := s.find(ctx, tx, round.settings, next)
				if err != nil {
					return err
				}
				if err := updateHearings(ctx, tx, page.heard); err != nil {
					return err
				}
				if next.after = page.next; !page.more {
					next.day, next.after = occasion.AddDays(next.day, 1), place{}
				}
				due := slices.DeleteFunc(page.list, func(one *found) bool { return !round.considers(one) })
				if len(due) > 0 || page.more {
					more = true
					decided, err = s.decide(ctx, tx, round, due)
					return err
				}
			}
			return updateDecided(ctx, tx, campaign.ID, campaign.Version, now)
		}); err != nil {
			return err
		}
		wanted = next
		advance(decided)
	}
	return nil
}

// members are those whom occasions are of, each once, in the order of their ids.
func members(list []*found) []id.Member {
	all := make([]id.Member, len(list))
	for i, one := range list {
		all[i] = one.Member
	}
	slices.SortFunc(all, id.Compare)
	return slices.Compact(all)
}

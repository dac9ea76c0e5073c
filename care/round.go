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

// considers tells whether an occasion is decided about now: it has come, and was not over before its campaign, or the member,
// was there.
func (r *round) considers(one *found) bool {
	if r.tx.Now.Before(one.window.From) || !one.window.DayEnds.After(*one.campaign.EnabledAt) {
		return false
	}
	switch one.campaign.Occasion {
	case occasion.Birthday, occasion.MembershipAnniversary, occasion.Holiday:
		return one.window.To.After(one.RecordedAt)
	case occasion.TierAtRisk:
		// Who was not at risk when it was time is not told so later.
		return !one.campaign.DecidedAt.After(*one.campaign.EnabledAt) || one.window.From.After(*one.campaign.DecidedAt)
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
	// Days begin in Kiritimati and end in Baker Island.
	since := *campaign.DecidedAt
	if oldest := now.AddDate(0, 0, -remembered); since.Before(oldest) {
		since = oldest
	}
	first, last := value.DateOf(since.UTC().Add(-12*time.Hour)), value.DateOf(now.Add(14*time.Hour))
	for day := first; !last.Before(day); day = occasion.AddDays(day, 1) {
		wanted := search{campaign: campaign, day: day, limit: decidedAtOnce}
		for more := true; more; {
			var decided int
			var next place
			if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
				round, err := s.begin(ctx, tx)
				if err != nil {
					return err
				}
				// It may have been changed meanwhile: then the next run decides.
				if !slices.ContainsFunc(round.campaigns, func(one *Campaign) bool { return one.ID == campaign.ID && one.Version == campaign.Version }) {
					more = false
					return nil
				}
				page, err := s.find(ctx, tx, round.settings, wanted)
				if err != nil {
					return err
				}
				if err := updateHearings(ctx, tx, page.heard); err != nil {
					return err
				}
				due := slices.DeleteFunc(page.list, func(one *found) bool { return !round.considers(one) })
				next, more = page.next, page.more
				decided, err = s.decide(ctx, tx, round, due)
				return err
			}); err != nil {
				return err
			}
			wanted.after = next
			advance(decided)
		}
	}
	return s.db.InTx(ctx, func(tx *postgres.Tx) error { return updateDecided(ctx, tx, campaign.ID, campaign.Version, now) })
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

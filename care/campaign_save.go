package care

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"reflect"
	"strings"

	"regulars/care/template"
	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/program"
	"regulars/internal/value"
)

// SaveCampaignInput is all that is said of a campaign; see [Campaign].
type SaveCampaignInput struct {
	// ID is nil for a new campaign.
	ID       *id.Campaign
	Name     string
	Occasion Occasion
	Class    Class
	Channels []Channel
	// Texts are one for each locale.
	Texts  []template.Text
	SendAt value.LocalTime
	// Offset is nil for what is usual: 30 days before points lapse or a tier ends, the day before an event, 90 days after a member
	// was last heard of, and otherwise on the occasion.
	Offset       *value.Offset
	Holidays     []string
	GiftPoints   *int64
	GiftValidFor *value.Period
	Enabled      bool
	// Version is the one that the caller started from, nil: whichever it is.
	Version *int
}

// maximumCampaigns is how many there may be.
const maximumCampaigns = 200

// SaveCampaign keeps a new campaign, or all that is said of one that there is; its occasion stays. One that is switched on, or
// changes its days while it is on, is about what comes from then on. What was decided before stays. For marketers and admins.
//
// Problems: UNKNOWN_CAMPAIGN, EDIT_CONFLICT, INVALID_NAME, INVALID_CAMPAIGN, INVALID_LOCALE, INVALID_TEMPLATE,
// INVALID_DURATION, INVALID_POINTS.
func (s *Service) SaveCampaign(ctx context.Context, input SaveCampaignInput) (*Campaign, error) {
	caller, err := actor.Require(ctx, actor.Marketer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var after *Campaign
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		settings, err := program.Load(ctx, tx)
		if err != nil {
			return err
		}
		if err := lockCampaigns(ctx, tx); err != nil {
			return err
		}
		before, err := campaignBefore(ctx, tx, input)
		if err != nil {
			return err
		}
		made, problems := input.campaign(before, settings.DefaultLocale)
		if err := problems.Err(); err != nil {
			return err
		}
		after = made
		return writeCampaign(ctx, tx, caller, before, after)
	})
	if err != nil {
		return nil, err
	}
	return after, nil
}

// campaignBefore is the campaign that is changed, nil for a new one.
func campaignBefore(ctx context.Context, tx *postgres.Tx, input SaveCampaignInput) (*Campaign, error) {
	if input.ID == nil {
		count, err := countCampaigns(ctx, tx)
		if err == nil && count >= maximumCampaigns {
			err = problem.At(problem.InvalidCampaign, nil, "There are %d campaigns already: change one of them.", maximumCampaigns)
		}
		return nil, err
	}
	found, err := selectCampaignsByID(ctx, tx, []id.Campaign{*input.ID})
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, problem.At(problem.UnknownCampaign, []string{"id"}, "There is no such campaign.")
	}
	if input.Version != nil && *input.Version != found[0].Version {
		return nil, problem.ConflictError{
			Code: problem.EditConflict, Message: "Someone else was faster; start again from the newest version.",
			Path: []string{"input", "version"}, CurrentVersion: found[0].Version, Changes: []problem.RuleFieldChange{},
		}
	}
	return found[0], nil
}

// writeCampaign keeps what was saved, if anything changes.
func writeCampaign(ctx context.Context, tx *postgres.Tx, caller actor.Actor, before, after *Campaign) error {
	var was any
	if before == nil {
		after.ID, after.Version, after.CreatedAt, after.ChangedAt = id.New[id.Campaign](), 1, tx.Now, tx.Now
	} else {
		if reflect.DeepEqual(before.said(), after.said()) {
			*after = *before
			return nil
		}
		was = before.said()
		after.Version, after.ChangedAt = before.Version+1, tx.Now
	}
	if after.Enabled && (before == nil || !before.Enabled || before.movesTo(after)) {
		after.EnabledAt, after.DecidedAt = &tx.Now, &tx.Now
	}
	write := updateCampaign
	if before == nil {
		write = insertCampaign
	}
	if err := write(ctx, tx, after); err != nil {
		return err
	}
	return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "saveCareCampaign", Object: after.ID.String(), Before: was, After: after.said()})
}

// movesTo tells whether the campaign is about other days when it becomes after.
func (c *Campaign) movesTo(after *Campaign) bool {
	return c.Offset != after.Offset || strings.Join(c.Holidays, "\n") != strings.Join(after.Holidays, "\n")
}

// said is what can be changed of a campaign, as the audit keeps it: texts are told apart by their hashes.
func (c *Campaign) said() map[string]any {
	texts := map[string]string{}
	for _, one := range c.Texts {
		// Texts are strings, which can always be written as JSON.
		written, _ := json.Marshal(one)
		sum := sha256.Sum256(written)
		texts[one.Locale] = hex.EncodeToString(sum[:8])
	}
	return map[string]any{
		"name": c.Name, "occasion": c.Occasion, "class": c.Class, "channels": c.Channels, "texts": texts, "sendAt": c.SendAt, "offset": c.Offset,
		"holidays": strings.Join(c.Holidays, ", "), "giftPoints": c.GiftPoints, "giftValidFor": c.GiftValidFor, "enabled": c.Enabled,
	}
}

package demo

import (
	"context"
	"fmt"
	"slices"

	"regulars/care"
	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/program"
	"regulars/internal/value"
)

// campaigns are what the club tells its members, in the words that come with the program.
var campaigns = []care.SaveCampaignInput{
	{
		Name: "Happy birthday", Occasion: occasion.Birthday, Class: program.Care, SendAt: 9 * 60,
		GiftPoints: points(50), GiftValidFor: &value.Period{Days: 30},
	},
	{Name: "Welcome", Occasion: occasion.Welcome, Class: program.Care, SendAt: 9 * 60},
	{Name: "A new tier", Occasion: occasion.TierReached, Class: program.Care, SendAt: 9 * 60},
	{Name: "Before points lapse", Occasion: occasion.PointsExpiring, Class: program.Service, SendAt: 10 * 60},
	{Name: "The day before an event", Occasion: occasion.EventReminder, Class: program.Service, SendAt: 9 * 60},
	{Name: "We miss you", Occasion: occasion.WinBack, Class: program.Marketing, SendAt: 10 * 60},
}

func points(of int64) *int64 { return &of }

// promise switches on what is missing of the campaigns. They are about what comes from then on, and not about the history.
func (b *builder) promise(ctx context.Context) error {
	there, err := b.care.Campaigns(ctx)
	if err != nil {
		return err
	}
	for _, wanted := range campaigns {
		if slices.ContainsFunc(there, func(one *care.Campaign) bool { return one.Name == wanted.Name }) {
			continue
		}
		wanted.Channels, wanted.Enabled = []care.Channel{program.Inbox, program.Email}, true
		wanted.Texts = template.Defaults(wanted.Occasion)
		if !slices.ContainsFunc(wanted.Texts, func(one template.Text) bool { return one.Locale == b.plan.locale }) {
			// A club in another language speaks English until somebody writes its texts.
			own := wanted.Texts[0]
			own.Locale = b.plan.locale
			wanted.Texts = append(wanted.Texts, own)
		}
		if _, err := b.care.SaveCampaign(ctx, wanted); err != nil {
			return fmt.Errorf("campaign %q: %w", wanted.Name, err)
		}
	}
	return nil
}

package care

import (
	"time"

	"regulars/care/template"
	"regulars/internal/id"
	"regulars/internal/program"
	"regulars/internal/value"
)

// texts fills the texts of campaigns for one transaction.
type texts struct {
	settings program.Program
	compiled map[textKey]*template.Compiled
}

type textKey struct {
	campaign id.Campaign
	locale   string
}

func newTexts(settings program.Program) *texts {
	return &texts{settings: settings, compiled: map[textKey]*template.Compiled{}}
}

// message is what was decided about an occasion on a channel, with its text.
func (t *texts) message(who *person, one *decision, channel Channel, now time.Time) *Message {
	made := one.rulings[channel]
	text := template.Choose(one.campaign.Texts, who.Locale, t.settings.DefaultLocale)
	message := &Message{
		Member: one.Member, ID: id.New[id.Message](), CampaignID: one.campaign.ID, Occasion: one.campaign.Occasion, OccasionKey: one.key,
		OccasionDate: one.date, Class: one.campaign.Class, Channel: channel, Status: made.status, Reason: made.reason, Locale: text.Locale,
		CreatedAt: now, SendAfter: made.sendAfter, SendBefore: one.window.To,
	}
	if made.status == Suppressed {
		message.SendAfter = one.window.From
		return message
	}
	filled, err := t.fill(text, who, one)
	if err != nil {
		// One text that cannot be filled keeps nobody else waiting.
		reason, detail := InvalidText, err.Error()
		message.Status, message.Reason, message.Detail = Failed, &reason, &detail
		return message
	}
	message.Subject, message.Body, message.HTML = filled.Subject, filled.Body, &filled.HTML
	if message.Subject == nil && channel == program.Email {
		message.Subject = &t.settings.Name
	}
	if made.status == Delivered {
		message.SentAt = &now
	} else {
		message.DueAt = &made.sendAfter
	}
	return message
}

func (t *texts) fill(text template.Text, who *person, one *decision) (template.Filled, error) {
	key := textKey{one.campaign.ID, text.Locale}
	compiled := t.compiled[key]
	if compiled == nil {
		var err error
		if compiled, err = template.Compile(text, one.campaign.Occasion); err != nil {
			return template.Filled{}, err
		}
		t.compiled[key] = compiled
	}
	return compiled.Fill(t.values(text, who, one))
}

// values are what the text may show.
func (t *texts) values(text template.Text, who *person, one *decision) template.Values {
	values := template.Values{
		Member:  template.Member{Number: who.Number},
		Program: template.Program{Name: t.settings.Name},
		Occasion: template.Occasion{
			Date: one.date, Years: one.years, Tier: one.told.tier, Points: one.told.points, ExpiresOn: one.told.expiresOn, Event: one.told.event,
			StartsAt: one.told.startsAt, Venue: one.told.venue,
		},
	}
	if who.DisplayName != nil {
		values.Member.DisplayName = *who.DisplayName
	}
	if one.holiday != nil {
		values.Occasion.Holiday = one.holiday.Title(text.Locale)
	}
	if one.gift != nil {
		values.Occasion.GiftPoints = one.gift.Points
		if one.gift.ExpiresAt != nil {
			day := value.DateOf(one.gift.ExpiresAt.Add(-time.Microsecond).In(one.home.Zone))
			values.Occasion.GiftExpiresOn = &day
		}
	}
	return values
}

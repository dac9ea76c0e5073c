package care

import (
	"regulars/care/occasion"
	"regulars/internal/program"
	"regulars/internal/value"
)

// repeat is the occasion as one that comes each year since one.
func (f *found) repeat(since int) {
	f.years = f.date.Year - since
	f.key = f.campaign.yearKey(f.date)
	f.yearly = yearly(f.campaign.Occasion, f.key)
	f.window = f.campaign.terms().OnDay(f.date, f.home)
}

// locate says when and under which key a campaign speaks of the candidate's occasion; nil: it has none.
func (c *Campaign) locate(one *candidate, settings program.Program, day value.Date) *found {
	made := &found{candidate: one, campaign: c}
	onMarch1 := settings.Care.LeapsToMarch()
	switch c.Occasion {
	case occasion.Birthday:
		made.date = c.terms().Date(day)
		if one.BirthDate == nil {
			return nil
		}
		if birthday, exists := occasion.BirthdayIn(*one.BirthDate, made.date.Year, onMarch1); !exists || birthday != made.date {
			return nil
		}
		made.repeat(one.BirthDate.Year)
		if one.BirthDate.Year == value.UnknownYear {
			made.years = 0
		}
	case occasion.MembershipAnniversary:
		made.date = c.terms().Date(day)
		joined := value.DateOf(one.JoinedAt.In(one.home.Zone))
		if anniversary, years := occasion.AnniversaryIn(joined, made.date.Year, onMarch1); years < 1 || anniversary != made.date {
			return nil
		}
		made.repeat(joined.Year)
	case occasion.Holiday:
		made.date = c.terms().Date(day)
		made.holiday = c.holiday(occasion.Country(one.Locale, one.TimeZone), made.date)
		if made.holiday == nil {
			return nil
		}
		made.key = c.holidayKey(made.holiday)
		made.window = c.terms().OnDay(made.date, one.home)
	case occasion.WinBack:
		made.date = value.DateOf(one.HeardAt.In(one.home.Zone))
		made.key = c.key(value.DateOf(one.HeardAt.UTC()).String())
		made.window = c.terms().Of(*one.HeardAt, one.home)
	case occasion.TierAtRisk, occasion.PointsExpiring, occasion.EventReminder:
		made.date = value.DateOf(one.At.In(one.home.Zone))
		made.key = c.key(one.Subject)
		made.window = c.terms().Until(*one.At, one.home)
		// Who books behind the reminder needs none.
		if c.Occasion == occasion.EventReminder && one.BookedAt.After(made.window.From) {
			return nil
		}
	case occasion.Welcome, occasion.TierReached, occasion.EventThanks:
		made.date = value.DateOf(one.At.In(one.home.Zone))
		made.key = c.key(one.Subject)
		made.window = c.terms().Of(*one.At, one.home)
	}
	return made
}

package care

import (
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/language"

	"regulars/care/occasion"
	"regulars/care/template"
	"regulars/internal/problem"
	"regulars/internal/value"
)

const (
	maximumCampaignName = 200
	maximumTexts        = 50
	maximumHolidays     = 200
)

// campaign makes of the input the campaign that before becomes, nil: a new one, and says what is wrong with it.
func (i SaveCampaignInput) campaign(before *Campaign, defaultLocale string) (*Campaign, problem.Problems) {
	made := &Campaign{}
	if before != nil {
		*made = *before
	}
	made.Name, made.Occasion, made.Class, made.Channels, made.SendAt = strings.TrimSpace(i.Name), i.Occasion, i.Class, i.Channels, i.SendAt
	made.Enabled, made.GiftPoints, made.GiftValidFor, made.Holidays = i.Enabled, i.GiftPoints, i.GiftValidFor, i.Holidays
	made.Offset = spans[i.Occasion].usual
	if i.Offset != nil {
		made.Offset = *i.Offset
	}
	var problems problem.Problems
	if made.Name == "" || utf8.RuneCountInString(made.Name) > maximumCampaignName {
		problems.Add(problem.InvalidName, []string{"name"}, "A name has 1 to %d characters.", maximumCampaignName)
	}
	if before != nil && before.Occasion != made.Occasion {
		problems.Add(problem.InvalidCampaign, []string{"occasion"}, "A campaign for %s stays one: save another one for %s.", before.Occasion, made.Occasion)
	}
	if len(made.Channels) == 0 {
		problems.Add(problem.InvalidCampaign, []string{"channels"}, "Name at least one channel.")
	}
	for at, one := range made.Channels {
		if slices.Index(made.Channels, one) < at {
			problems.Add(problem.InvalidCampaign, []string{"channels", strconv.Itoa(at)}, "%s is named twice.", one)
		}
	}
	if span := spans[made.Occasion]; !span.holds(made.Offset) {
		problems.Add(problem.InvalidDuration, []string{"offset"}, "For %s it is said %s.", made.Occasion, span.inWords)
	}
	made.checkHolidays(&problems)
	made.checkGift(&problems)
	made.Texts = checkTexts(&problems, i.Texts, made.Occasion, defaultLocale)
	return made, problems
}

func (c *Campaign) checkHolidays(problems *problem.Problems) {
	if len(c.Holidays) > 0 && c.Occasion != occasion.Holiday || len(c.Holidays) > maximumHolidays {
		problems.Add(problem.InvalidCampaign, []string{"holidays"}, "Campaigns for HOLIDAY name holidays, at most %d; others none.", maximumHolidays)
		return
	}
	known := occasion.HolidayNames()
	for at, one := range c.Holidays {
		if !slices.Contains(known, one) {
			problems.Add(problem.InvalidCampaign, []string{"holidays", strconv.Itoa(at)}, "There is no holiday %q: there are %s.", one, strings.Join(known, ", "))
		} else if slices.Index(c.Holidays, one) < at {
			problems.Add(problem.InvalidCampaign, []string{"holidays", strconv.Itoa(at)}, "%s is named twice.", one)
		}
	}
}

func (c *Campaign) checkGift(problems *problem.Problems) {
	if c.GiftPoints == nil && c.GiftValidFor == nil {
		return
	}
	if !slices.Contains(template.Gifts, c.Occasion) {
		problems.Add(problem.InvalidCampaign, []string{"giftPoints"}, "No points come with messages for %s.", c.Occasion)
		return
	}
	if c.GiftPoints == nil {
		problems.Add(problem.InvalidCampaign, []string{"giftValidFor"}, "Say how many points come with the message.")
	} else if *c.GiftPoints < 1 || *c.GiftPoints > value.MaximumPoints {
		problems.Add(problem.InvalidPoints, []string{"giftPoints"}, "A gift is 1 to %d points.", int64(value.MaximumPoints))
	}
	if c.GiftValidFor != nil && (*c.GiftValidFor == value.Period{} || longest(*c.GiftValidFor) > maximumGiftDays) {
		problems.Add(problem.InvalidDuration, []string{"giftValidFor"}, "A gift lapses after a second to 10 years.")
	}
}

const maximumGiftDays = 10 * 366

// checkTexts returns the texts with their locales written in one way. One of them is in the program's locale.
func checkTexts(problems *problem.Problems, texts []template.Text, kind Occasion, defaultLocale string) []template.Text {
	if len(texts) > maximumTexts {
		problems.Add(problem.InvalidCampaign, []string{"templates"}, "A campaign has at most %d templates.", maximumTexts)
		return nil
	}
	var checked []template.Text
	for at, one := range texts {
		path := []string{"templates", strconv.Itoa(at)}
		tag, err := language.Parse(one.Locale)
		if err != nil || tag == language.Und {
			problems.Add(problem.InvalidLocale, append(path, "locale"), "A locale is a BCP 47 tag, e.g. en or zh-Hans.")
			continue
		}
		one.Locale = tag.String()
		if slices.ContainsFunc(checked, func(other template.Text) bool { return other.Locale == one.Locale }) {
			problems.Add(problem.InvalidCampaign, append(path, "locale"), "There are two templates in %s.", one.Locale)
		}
		if _, err := template.Compile(one, kind); err != nil {
			found, _ := problem.UserErrors(err)
			*problems = append(*problems, problem.Below(path, found)...)
		}
		checked = append(checked, one)
	}
	wanted := language.Make(defaultLocale).String()
	if !slices.ContainsFunc(checked, func(one template.Text) bool { return one.Locale == wanted }) {
		*problems = append(*problems, problem.InvalidTemplateError{
			Code: problem.InvalidTemplate, Message: "There is no template in " + wanted + ", the program's locale.",
			Path: []string{"input", "templates"}, Locale: wanted, Line: 1,
		})
	}
	return checked
}

// span is how much before or after an occasion something may be said about it.
type span struct {
	usual value.Offset
	// It lies from least to most days after the occasion; negative: before.
	least, most int
	// clock admits hours and minutes, calendar months and years; without them an offset is whole days, so that a day has one
	// occasion.
	clock, calendar bool
	inWords         string
}

func daysBefore(n int) value.Offset {
	return value.Offset{Period: value.Period{Days: n}, Before: true}
}

var spans = map[Occasion]span{
	occasion.Birthday:              {least: -60, most: 60, inWords: "at most 60 days before or after, in whole days, e.g. -P7D"},
	occasion.MembershipAnniversary: {least: -60, most: 60, inWords: "at most 60 days before or after, in whole days, e.g. -P7D"},
	occasion.Holiday:               {least: -60, most: 60, inWords: "at most 60 days before or after, in whole days, e.g. -P7D"},
	occasion.Welcome:               {least: 0, most: 60, clock: true, inWords: "at once or at most 60 days after, e.g. P1D or PT2H"},
	occasion.TierReached:           {least: 0, most: 60, clock: true, inWords: "at once or at most 60 days after, e.g. P1D or PT2H"},
	occasion.EventThanks:           {least: 0, most: 60, clock: true, inWords: "at once or at most 60 days after, e.g. P1D or PT2H"},
	occasion.TierAtRisk:            {usual: daysBefore(30), least: -180, most: -1, inWords: "1 to 180 days before, in whole days, e.g. -P30D"},
	occasion.PointsExpiring:        {usual: daysBefore(30), least: -30, most: -1, inWords: "1 to 30 days before, in whole days, e.g. -P7D"},
	occasion.EventReminder:         {usual: daysBefore(1), least: -60, most: -1, clock: true, inWords: "at most 60 days before, e.g. -P1D or -PT2H"},
	occasion.WinBack: {
		usual: value.Offset{Period: value.Period{Days: 90}}, least: 7, most: 3 * 366, calendar: true, inWords: "7 days to 3 years after, e.g. P90D",
	},
}

func (s span) holds(offset value.Offset) bool {
	period := offset.Period
	if period.Clock != 0 && !s.clock || (period.Months != 0 || period.Years != 0) && !s.calendar {
		return false
	}
	long := longest(period)
	if offset.Before {
		long = -long
	}
	return s.least <= long && long <= s.most
}

// longest is how many days a period may have, begun ones counted.
func longest(p value.Period) int {
	const day = 24 * time.Hour
	return p.Years*366 + p.Months*31 + p.Weeks*7 + p.Days + int((p.Clock+day-1)/day)
}

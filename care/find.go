package care

import (
	"context"
	"fmt"
	"strings"
	"time"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/value"
)

// candidate is a member of whom an occasion may be due.
type candidate struct {
	Member id.Member `db:"member_id"`
	// Subject names which one it is, where a member has several of the kind; At is when it is, if that is an instant.
	Subject           string      `db:"subject"`
	At                *time.Time  `db:"at"`
	BirthDate         *value.Date `db:"birth_date"`
	JoinedAt          time.Time   `db:"joined_at"`
	RecordedAt        time.Time   `db:"recorded_at"`
	Locale            string      `db:"locale"`
	TimeZone          string      `db:"time_zone"`
	EarlierTimeZone   *string     `db:"earlier_time_zone"`
	TimeZoneChangedAt *time.Time  `db:"time_zone_changed_at"`
	// BirthDateChangedAt is since when the birth date is known, nil: since the member is.
	BirthDateChangedAt *time.Time `db:"birth_date_changed_at"`
	HeardAt            *time.Time `db:"heard_at"`
	BookedAt           *time.Time `db:"booked_at"`
	home               occasion.Home
}

// found is an occasion of a member, of which a campaign says something.
type found struct {
	*candidate
	campaign *Campaign
	// key is the occasion once and for all; yearly is the same for what comes again each year.
	key    string
	yearly string
	// date is the occasion's day where the member lives.
	date   value.Date
	window occasion.Window
	years  int
	// holiday is which one.
	holiday *occasion.Day
	// What confirm adds.
	told told
}

// place is from where a page of candidates is read on.
type place struct {
	At      time.Time
	Member  id.Member
	Subject string
}

func (c *candidate) place() place {
	from := place{Member: c.Member, Subject: c.Subject}
	if c.At != nil {
		from.At = *c.At
	}
	return from
}

// settle finds out where the candidate lives. A zone that this program does not know is read as the program's.
func (c *candidate) settle(fallback *time.Location) {
	c.home = home(c.TimeZone, fallback)
	if c.EarlierTimeZone == nil || c.TimeZoneChangedAt == nil {
		return
	}
	if zone, err := value.ParseZone(*c.EarlierTimeZone); err == nil {
		c.home.Earlier, c.home.Moved = zone, *c.TimeZoneChangedAt
	}
}

// home is a zone by its name, or what stands for one that this program does not know.
func home(name string, fallback *time.Location) occasion.Home {
	zone, err := value.ParseZone(name)
	if err != nil {
		zone = fallback
	}
	return occasion.Home{Zone: zone}
}

// search is what is looked for: what a campaign says on a day.
type search struct {
	campaign *Campaign
	day      value.Date
	// all finds also what is decided.
	all bool
	// until leaves out holidays that are celebrated later, which have the most members by far; zero: none.
	until time.Time
	after place
	limit int
}

func (c *Campaign) terms() occasion.Terms {
	return occasion.Terms{SendAt: c.SendAt, Offset: c.Offset}
}

// suffix tells the keys of what is said before or after an occasion from those of what is said on it.
func (c *Campaign) suffix() string {
	if c.Offset.Period == (value.Period{}) {
		return ""
	}
	return ":" + c.Offset.String()
}

// prefix begins the keys of the campaign's occasions.
func (c *Campaign) prefix() string {
	return strings.ReplaceAll(strings.ToLower(string(c.Occasion)), "_", "-") + ":"
}

// channelTexts are the campaign's channels as the database knows them.
func (c *Campaign) channelTexts() []string {
	texts := make([]string, len(c.Channels))
	for i, channel := range c.Channels {
		texts[i] = string(channel)
	}
	return texts
}

// findings are a page of what was found.
type findings struct {
	// list are the occasions that are spoken of on the day of the search.
	list []*found
	// heard are members of whom was heard later than was noted.
	heard []id.Member
	// next is from where the search goes on; more tells whether it does.
	next place
	more bool
}

// find reads a page of candidates. What is decided is left out unless all is asked for.
func (s *Service) find(ctx context.Context, q postgres.Runner, settings program.Program, wanted search) (findings, error) {
	fallback, err := settings.Zone()
	if err != nil {
		return findings{}, err
	}
	var page []*candidate
	switch wanted.campaign.Occasion {
	case occasion.Birthday:
		page, err = selectBorn(ctx, q, wanted, wanted.key(wanted.date()), days(wanted.date(), settings.Care.LeapsToMarch(), 0))
	case occasion.MembershipAnniversary:
		page, err = selectJoined(ctx, q, wanted, wanted.key(wanted.date()), days(wanted.date(), settings.Care.LeapsToMarch(), 1))
	case occasion.Holiday:
		page, err = s.celebrating(ctx, q, fallback, wanted)
	case occasion.WinBack:
		page, err = selectUnheard(ctx, q, wanted)
	case occasion.TierAtRisk:
		page, err = selectEnding(ctx, q, wanted)
	case occasion.EventReminder:
		page, err = selectComing(ctx, q, wanted)
	case occasion.Welcome, occasion.TierReached, occasion.PointsExpiring, occasion.EventThanks:
		page, err = selectHappened(ctx, q, wanted)
	default:
		return findings{}, fmt.Errorf("nobody knows how to find %s", wanted.campaign.Occasion)
	}
	if err != nil {
		return findings{}, fmt.Errorf("find %s: %w", wanted.campaign.Occasion, err)
	}
	made := findings{more: len(page) == wanted.limit}
	for _, one := range page {
		one.settle(fallback)
		if one.HeardAt != nil && value.DateOf(one.At.UTC()).Before(value.DateOf(one.HeardAt.UTC())) {
			made.heard = append(made.heard, one.Member)
			continue
		}
		if located := wanted.campaign.locate(one, settings, wanted.day); located != nil && located.window.Day == wanted.day {
			made.list = append(made.list, located)
		}
	}
	if len(page) > 0 {
		made.next = page[len(page)-1].place()
	}
	return made, nil
}

// date is that of the occasions that are spoken of on the day of the search, of kinds whose offset has whole days alone.
func (w search) date() value.Date { return w.campaign.terms().Date(w.day) }

// key is the key of what comes on a date of the year.
func (w search) key(date value.Date) string {
	return fmt.Sprintf("%s%04d%s", w.campaign.prefix(), date.Year, w.campaign.suffix())
}

// span holds all instants whose occasions may be spoken of on the day of the search, wherever members live.
func (w search) span() (from, to time.Time) {
	back := value.Offset{Period: w.campaign.Offset.Period, Before: !w.campaign.Offset.Before}
	day := time.Date(w.day.Year, w.day.Month, w.day.Day, 0, 0, 0, 0, time.UTC)
	// Zones lie 14 hours ahead to 12 behind, and months differ by three days.
	slack := 1
	if w.campaign.Offset.Period.Months != 0 || w.campaign.Offset.Period.Years != 0 {
		slack = 5
	}
	return back.From(day, time.UTC).AddDate(0, 0, -slack), back.From(day, time.UTC).AddDate(0, 0, 1+slack)
}

// days are the days of the year, as month * 100 + day, of whatever comes again on a date, with so many before and after it.
func days(date value.Date, onMarch1 bool, around int) []int64 {
	var list []int64
	for by := -around; by <= around; by++ {
		one := occasion.AddDays(date, by)
		list = append(list, int64(one.Month)*100+int64(one.Day))
	}
	leapDay := value.Date{Year: value.UnknownYear, Month: time.February, Day: 29}
	if leapDay.InYear(date.Year, onMarch1) == date || around > 0 {
		list = append(list, 229)
	}
	if around > 0 {
		// In the year of joining, 28 February and 1 March may have been neighbors, if they are none in this one.
		list = append(list, 228, 301)
	}
	return list
}

// repeat is the occasion as one that comes each year since one.
func (f *found) repeat(since int) {
	f.years = f.date.Year - since
	f.key = fmt.Sprintf("%s%04d%s", f.campaign.prefix(), f.date.Year, f.campaign.suffix())
	f.yearly = f.campaign.prefix() + f.campaign.suffix()
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
		made.key = fmt.Sprintf("%s%s:%04d%s", c.prefix(), made.holiday.Name, made.date.Year, c.suffix())
		made.window = c.terms().OnDay(made.date, one.home)
	case occasion.WinBack:
		made.date = value.DateOf(one.HeardAt.In(one.home.Zone))
		made.key = c.prefix() + value.DateOf(one.HeardAt.UTC()).String() + c.suffix()
		made.window = c.terms().Of(*one.HeardAt, one.home)
	case occasion.TierAtRisk, occasion.PointsExpiring:
		made.date = value.DateOf(one.At.In(one.home.Zone))
		made.key = c.prefix() + one.Subject + c.suffix()
		made.window = c.terms().Until(*one.At, one.home)
	case occasion.EventReminder:
		made.date = value.DateOf(one.At.In(one.home.Zone))
		made.key = c.prefix() + one.Subject + c.suffix()
		made.window = c.terms().Until(*one.At, one.home)
		// Who books behind the reminder needs none.
		if one.BookedAt.After(made.window.From) {
			return nil
		}
	case occasion.Welcome, occasion.TierReached, occasion.EventThanks:
		made.date = value.DateOf(one.At.In(one.home.Zone))
		made.key = c.prefix() + one.Subject + c.suffix()
		made.window = c.terms().Of(*one.At, one.home)
	}
	return made
}

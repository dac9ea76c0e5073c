package care

import (
	"context"
	"fmt"
	"time"

	"regulars/care/occasion"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/program"
	"regulars/internal/value"
)

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
		page, err = selectBorn(ctx, q, wanted, wanted.campaign.yearKey(wanted.date()), days(wanted.date(), settings.Care.LeapsToMarch(), 0))
	case occasion.MembershipAnniversary:
		page, err = selectJoined(ctx, q, wanted, wanted.campaign.yearKey(wanted.date()), days(wanted.date(), settings.Care.LeapsToMarch(), 1))
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

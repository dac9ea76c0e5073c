package club_test

import (
	"context"
	"testing"
	"time"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/problem"
	"regulars/internal/value"
	"regulars/loyalty/loyaltytest"
)

// clubhouse is a club of its own, whose clock starts on a Monday morning in January 2025, and an organizer of it.
type clubhouse struct {
	*loyaltytest.World
	club      *club.Service
	organizer context.Context
	t         testing.TB
}

func open(t testing.TB) *clubhouse {
	t.Helper()
	world := loyaltytest.New(t)
	return &clubhouse{World: world, club: club.New(world.DB, world.Service, identity.NewSigningKeys(world.DB)).At("https://club.example"), organizer: world.As(actor.Organizer, "carol"), t: t}
}

func (c *clubhouse) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func wall(text string) value.LocalDateTime {
	read, err := value.ParseLocalDateTime(text)
	if err != nil {
		panic(err)
	}
	return read
}

func at(text string) time.Time {
	read, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return read
}

// input is an event of two hours with 12 seats in Berlin.
func input(startsAt, recurrence string, edits ...func(*club.CreateEventInput)) club.CreateEventInput {
	twelve := 12
	made := club.CreateEventInput{
		Name: "Cupping", TimeZone: "Europe/Berlin", StartsAt: wall(startsAt), Duration: value.Period{Clock: 2 * time.Hour}, Capacity: &twelve,
		Waitlist: true, SeatsPerBooking: 10, OfferValidFor: value.Period{Clock: time.Hour}, CheckInOpensBefore: value.Period{Clock: time.Hour},
	}
	if recurrence != "" {
		made.Recurrence = &recurrence
	}
	for _, edit := range edits {
		edit(&made)
	}
	return made
}

// draft plans an event, event publishes it, too.
func (c *clubhouse) draft(startsAt, recurrence string, edits ...func(*club.CreateEventInput)) *club.Event {
	c.t.Helper()
	made, err := c.club.CreateEvent(c.organizer, input(startsAt, recurrence, edits...))
	c.must(err)
	return made
}

func (c *clubhouse) event(startsAt, recurrence string, edits ...func(*club.CreateEventInput)) *club.Event {
	c.t.Helper()
	published, err := c.club.PublishEvent(c.organizer, c.draft(startsAt, recurrence, edits...).ID)
	c.must(err)
	return published
}

// dates are the occurrences of an event, all of them, in the order of their starts.
func (c *clubhouse) dates(event *club.Event) []*club.Occurrence {
	c.t.Helper()
	var all []*club.Occurrence
	hundred := 100
	var after *string
	for {
		pages, err := c.club.Occurrences(c.Admin, []id.Event{event.ID}, nil, nil, &hundred, after)
		c.must(err)
		page := pages[event.ID]
		all = append(all, page.Nodes...)
		if !page.PageInfo.HasNextPage {
			return all
		}
		after = page.PageInfo.EndCursor
	}
}

// starts are when the dates of an event begin, in its zone.
func (c *clubhouse) starts(event *club.Event) []string {
	c.t.Helper()
	zone, err := time.LoadLocation(event.TimeZone)
	c.must(err)
	var texts []string
	for _, one := range c.dates(event) {
		text := one.StartsAt.In(zone).Format("2006-01-02T15:04")
		if one.Status != club.Scheduled {
			text += " " + string(one.Status)
		}
		texts = append(texts, text)
	}
	return texts
}

// take has seats of an occurrence taken, as bookings do.
func (c *clubhouse) take(occurrence *club.Occurrence, seats int) {
	c.t.Helper()
	_, err := c.DB.Exec(c.t.Context(), `update occurrences set seats_taken = $2 where id = $1`, occurrence.ID, seats)
	c.must(err)
}

func (c *clubhouse) edit(occurrence *club.Occurrence, scope club.EditScope, edit club.EditOccurrencesInput) []*club.Occurrence {
	c.t.Helper()
	edit.OccurrenceID, edit.Scope = occurrence.ID, scope
	changed, err := c.club.EditOccurrences(c.organizer, edit)
	c.must(err)
	return changed
}

func code(t testing.TB, err error, want problem.Code) {
	t.Helper()
	problems, ok := problem.UserErrors(err)
	if !ok || len(problems) == 0 {
		t.Fatalf("it answers %v, want %s", err, want)
	}
	var got problem.Code
	switch one := problems[0].(type) {
	case problem.InputError:
		got = one.Code
	case problem.CapacityBelowTakenError:
		got = one.Code
	}
	if got != want {
		t.Errorf("it answers %v, want %s", err, want)
	}
}

func start(text string) *value.LocalDateTime {
	read := wall(text)
	return &read
}

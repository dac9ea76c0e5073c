package club_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// Complaint 7: what is expanded at a fixed offset from UTC drifts when clocks change.
func TestEvent_Complaint7_KeepsItsTimeOnTheWall(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-03-24T19:00", "FREQ=WEEKLY;COUNT=3")
	var got []string
	for _, one := range c.dates(event) {
		got = append(got, one.StartsAt.UTC().Format(time.RFC3339)+" "+one.EndsAt.Sub(one.StartsAt).String())
	}
	want := []string{"2025-03-24T18:00:00Z 2h0m0s", "2025-03-31T17:00:00Z 2h0m0s", "2025-04-07T17:00:00Z 2h0m0s"}
	if difference := cmp.Diff(want, got); difference != "" {
		t.Error(difference)
	}
}

// A time that clocks skip is read with the offset from before, one that they show twice is the first; hours that pass are
// hours, whatever clocks do meanwhile.
func TestEvent_WhereClocksChange(t *testing.T) {
	t.Parallel()
	c := open(t)
	for startsAt, want := range map[string]string{
		"2025-03-30T02:30": "2025-03-30T01:30:00Z 2025-03-30T03:30:00Z",
		"2025-10-26T02:30": "2025-10-26T00:30:00Z 2025-10-26T02:30:00Z",
		"2025-10-26T01:30": "2025-10-25T23:30:00Z 2025-10-26T01:30:00Z",
	} {
		one := c.dates(c.event(startsAt, ""))[0]
		if got := one.StartsAt.UTC().Format(time.RFC3339) + " " + one.EndsAt.UTC().Format(time.RFC3339); got != want {
			t.Errorf("%s takes place at %s, want %s", startsAt, got, want)
		}
	}
}

// A rule without an end is cut off: at 12 months, and at 1,200 dates ahead; as time goes on the following ones come, once.
func TestMaterializeOccurrences(t *testing.T) {
	t.Parallel()
	c := open(t)
	weekly := c.event("2025-01-07T19:00", "FREQ=WEEKLY")
	often := c.draft("2025-01-07T09:00", "FREQ=DAILY;BYHOUR=9,11,13,15")
	done := c.event("2025-01-07T19:00", "FREQ=WEEKLY;COUNT=2")
	check := func(event *club.Event, count int, last string) {
		t.Helper()
		starts := c.starts(event)
		if len(starts) != count || starts[count-1] != last {
			t.Errorf("%s has %d dates up to %s, want %d up to %s", *event.Recurrence, len(starts), starts[len(starts)-1], count, last)
		}
	}
	check(weekly, 53, "2026-01-06T19:00")
	check(often, 1200, "2025-11-02T15:00")
	materialize := func(want int) {
		t.Helper()
		if made, err := c.club.MaterializeOccurrences(c.Admin); err != nil || made != want {
			t.Errorf("%d were made, want %d: %v", made, want, err)
		}
	}
	materialize(0)
	c.Clock.Advance(15 * 24 * time.Hour)
	materialize(2 + 57)
	materialize(0)
	check(weekly, 55, "2026-01-20T19:00")
	check(often, 1257, "2025-11-17T09:00")
	check(done, 2, "2025-01-14T19:00")
	if _, err := c.club.CancelEvent(c.organizer, weekly.ID, "The roaster broke."); err != nil {
		t.Fatal(err)
	}
	c.Clock.Advance(30 * 24 * time.Hour)
	if _, err := c.club.MaterializeOccurrences(c.organizer); !errors.Is(err, problem.Forbidden) {
		t.Errorf("an organizer is answered %v", err)
	}
	materialize(120)
}

// A draft that lay for long has its dates of the next 12 months once it is published.
func TestPublishEvent_MaterializesAhead(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.draft("2025-01-07T19:00", "FREQ=WEEKLY")
	c.Clock.Advance(70 * 24 * time.Hour)
	for range 2 {
		_, err := c.club.PublishEvent(c.organizer, draft.ID)
		c.must(err)
	}
	if starts := c.starts(draft); len(starts) != 62 || starts[61] != "2026-03-10T19:00" {
		t.Errorf("%d dates up to %s", len(starts), starts[len(starts)-1])
	}
	if difference := cmp.Diff([]string{"createEvent", "publishEvent"}, c.actions(draft.ID.String())); difference != "" {
		t.Error(difference)
	}
}

// Bad input is answered quickly, whatever it asks for.
func TestCreateEvent_Refused(t *testing.T) {
	t.Parallel()
	c := open(t)
	for name, test := range map[string]struct {
		input club.CreateEventInput
		want  problem.Code
	}{
		"a rule of 10^9 dates":     {input("2025-02-01T19:00", "FREQ=DAILY;COUNT=1000000000"), problem.InvalidRecurrence},
		"a rule of too many dates": {input("2025-02-01T19:00", "FREQ=DAILY;UNTIL=20350101"), problem.InvalidRecurrence},
		"a zone that is not there": {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.TimeZone = "Europe/Atlantis" }), problem.InvalidTimeZone},
		"the zone of the machine":  {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.TimeZone = "Local" }), problem.InvalidTimeZone},
		"a path instead of a zone": {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.TimeZone = "../etc/passwd" }), problem.InvalidTimeZone},
		"no seats":                 {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { zero := 0; i.Capacity = &zero }), problem.InvalidCapacity},
		"a month long":             {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.Duration = value.Months(1) }), problem.InvalidDuration},
		"no time at all":           {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.Duration = value.Period{} }), problem.InvalidDuration},
		"a century ago":            {input("1925-02-01T19:00", ""), problem.InvalidTime},
		"a tier that is not there": {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) {
			tier := id.New[id.Tier]()
			i.BookingWindows = []club.BookingWindow{{MinTierID: &tier}}
		}), problem.InvalidBookingTerms},
		"two windows for everybody":         {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.BookingWindows = make([]club.BookingWindow, 2) }), problem.InvalidBookingTerms},
		"an offer that is good for no time": {input("2025-02-01T19:00", "", func(i *club.CreateEventInput) { i.OfferValidFor = value.Period{} }), problem.InvalidBookingTerms},
	} {
		_, err := c.club.CreateEvent(c.organizer, test.input)
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code(t, err, test.want)
		})
	}
	if events, err := c.club.Events(c.Admin, club.EventFilter{}, nil, nil); err != nil || len(events.Nodes) != 0 {
		t.Errorf("something was made: %v", err)
	}
}

// Drafts are nobody's business but their organizers'; what was published stays to be seen.
func TestEvent_Sight(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.draft("2025-02-01T19:00", "")
	public := c.event("2025-02-02T19:00", "")
	canceled := c.event("2025-02-03T19:00", "")
	if _, err := c.club.CancelEvent(c.organizer, canceled.ID, "Rain"); err != nil {
		t.Fatal(err)
	}
	other := c.As(actor.Organizer, "dave")
	for name, test := range map[string]struct {
		ctx  context.Context
		want []id.Event
	}{
		"the owner":   {c.organizer, []id.Event{draft.ID, public.ID, canceled.ID}},
		"an admin":    {c.Admin, []id.Event{draft.ID, public.ID, canceled.ID}},
		"another one": {other, []id.Event{public.ID, canceled.ID}},
		"a member":    {c.As(actor.Member, "carol"), []id.Event{public.ID, canceled.ID}},
		"a marketer":  {c.As(actor.Marketer, "carol"), []id.Event{public.ID, canceled.ID}},
		"support":     {c.As(actor.Support, "carol"), []id.Event{public.ID, canceled.ID}},
	} {
		all := club.EventFilter{Status: []club.EventStatus{club.Draft, club.Published, club.EventCanceled}}
		events, err := c.club.Events(test.ctx, all, nil, nil)
		c.must(err)
		var got []id.Event
		for _, event := range events.Nodes {
			got = append(got, event.ID)
		}
		found, err := c.club.EventsByID(test.ctx, []id.Event{draft.ID, public.ID, canceled.ID})
		c.must(err)
		dates, err := c.club.OccurrencesByID(test.ctx, []id.Occurrence{c.dates(draft)[0].ID, c.dates(public)[0].ID, c.dates(canceled)[0].ID})
		c.must(err)
		if difference := cmp.Diff(test.want, got); difference != "" || len(found) != len(test.want) || len(dates) != len(test.want) {
			t.Errorf("%s sees %d, %d dates: %s", name, len(found), len(dates), difference)
		}
		if total, err := events.Total(test.ctx); err != nil || total != len(test.want) {
			t.Errorf("%s counts %d: %v", name, total, err)
		}
	}
}

// Another organizer hears of an event what it would hear of none, until it is shared; a former one again.
func TestShareEvent(t *testing.T) {
	t.Parallel()
	c := open(t)
	draft := c.draft("2025-02-01T19:00", "")
	other := c.As(actor.Organizer, "dave")
	dave, _ := actor.From(other)
	denied := func() {
		t.Helper()
		_, err := c.club.UpdateEvent(other, draft.ID, func(event *club.Event) { event.Name = "Mine" })
		_, absent := c.club.UpdateEvent(other, id.New[id.Event](), func(*club.Event) {})
		if difference := cmp.Diff(absent, err); difference != "" {
			t.Errorf("it tells an event apart from none: %s", difference)
		}
		_, err = c.club.EditOccurrences(other, club.EditOccurrencesInput{OccurrenceID: c.dates(draft)[0].ID, Scope: club.This})
		_, absent = c.club.EditOccurrences(other, club.EditOccurrencesInput{OccurrenceID: id.New[id.Occurrence](), Scope: club.This})
		if difference := cmp.Diff(absent, err); difference != "" {
			t.Errorf("it tells a date apart from none: %s", difference)
		}
	}
	denied()
	_, err := c.club.ShareEvent(c.organizer, club.ShareEventInput{EventID: draft.ID, Organizer: dave.Caller})
	c.must(err)
	if _, err := c.club.UpdateEvent(other, draft.ID, func(event *club.Event) { event.Name = "Ours" }); err != nil {
		t.Error(err)
	}
	// It is shared with a person, not with whatever that person may be besides.
	if found, err := c.club.EventsByID(actor.With(t.Context(), actor.Actor{Caller: dave.Caller, Roles: []actor.Role{actor.Support}}), []id.Event{draft.ID}); err != nil || len(found) > 0 {
		t.Errorf("who does not organize sees a draft: %v", err)
	}
	_, err = c.club.ShareEvent(other, club.ShareEventInput{EventID: draft.ID, Organizer: "somebody"})
	code(t, err, problem.UnknownEvent)
	_, err = c.club.UnshareEvent(c.Admin, club.ShareEventInput{EventID: draft.ID, Organizer: dave.Caller})
	c.must(err)
	denied()
}

// Complaint 7: a duplicate keeps the answers of the first.
func TestDuplicateEvent_Complaint7_KeepsNoBookings(t *testing.T) {
	t.Parallel()
	c := open(t)
	template := c.event("2025-02-01T19:00", "FREQ=WEEKLY;COUNT=2")
	c.take(c.dates(template)[0], 7)
	rule := "FREQ=DAILY;COUNT=3"
	made, err := c.club.DuplicateEvent(c.organizer, club.DuplicateEventInput{EventID: template.ID, StartsAt: wall("2025-03-01T10:00"), Recurrence: &rule})
	c.must(err)
	if made.Status != club.Draft || made.Name != template.Name || *made.Capacity != 12 {
		t.Errorf("it is %+v", made)
	}
	if difference := cmp.Diff([]string{"2025-03-01T10:00", "2025-03-02T10:00", "2025-03-03T10:00"}, c.starts(made)); difference != "" {
		t.Error(difference)
	}
	for _, one := range c.dates(made) {
		if one.SeatsTaken != 0 {
			t.Errorf("%d seats are taken", one.SeatsTaken)
		}
	}
	_, err = c.club.DuplicateEvent(c.As(actor.Organizer, "dave"), club.DuplicateEventInput{EventID: template.ID, StartsAt: wall("2025-03-01T10:00")})
	code(t, err, problem.UnknownEvent)
}

// A canceled event ends what is not over, and tells others once; what is over stays.
func TestCancelEvent(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-01-07T19:00", "FREQ=WEEKLY;COUNT=3")
	c.Clock.Advance(4 * 24 * time.Hour)
	_, err := c.club.CancelEvent(c.organizer, event.ID, "The roaster broke.")
	c.must(err)
	if difference := cmp.Diff([]string{"2025-01-07T19:00", "2025-01-14T19:00 CANCELED", "2025-01-21T19:00 CANCELED"}, c.starts(event)); difference != "" {
		t.Error(difference)
	}
	_, err = c.club.CancelOccurrence(c.organizer, c.dates(event)[0].ID, "Late")
	code(t, err, problem.EventOver)
	var told []outbox.Payload
	_, err = outbox.Consume(t.Context(), c.DB, "test", 100, func(_ context.Context, _ *postgres.Tx, notices []outbox.Notice) error {
		for _, notice := range notices {
			told = append(told, notice.Payload)
		}
		return nil
	})
	c.must(err)
	want := []outbox.Payload{
		outbox.EventChanged{Event: event.ID, Status: "PUBLISHED", At: at("2025-01-06T09:00:00Z")},
		outbox.EventChanged{Event: event.ID, Status: "CANCELED", At: at("2025-01-10T09:00:00Z")},
	}
	if difference := cmp.Diff(want, told); difference != "" {
		t.Error(difference)
	}
	actions := c.actions(event.ID.String())
	if difference := cmp.Diff([]string{"createEvent", "publishEvent", "cancelEvent"}, actions); difference != "" {
		t.Error(difference)
	}
}

// actions are what was recorded of an object.
func (c *clubhouse) actions(object string) []string {
	c.t.Helper()
	var actions []string
	c.must(c.DB.Select(c.t.Context(), &actions, `select action from changes where object = $1 order by id`, object))
	return slices.Clone(actions)
}

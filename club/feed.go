package club

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/club/calendar"
	"regulars/club/plan"
	"regulars/internal/id"
	"regulars/internal/value"
)

const (
	// keptCanceled is how long calendars are told that a date was canceled: those that ask seldom must hear of it, too.
	keptCanceled = 30 * 24 * time.Hour
	// keptPast is how long a series that is over stays in the club's feed.
	keptPast = 90 * 24 * time.Hour
	// calendarName is what the club's feed is called in calendars.
	calendarName = "Club"
)

// ClubFeed returns all published events as a calendar to subscribe to. It is for everybody, signed in or not.
func (s *Service) ClubFeed(ctx context.Context) ([]byte, error) {
	now := s.now()
	events, err := selectFeed(ctx, s.db, now.Add(-keptPast), now.Add(-keptCanceled))
	if err != nil {
		return nil, err
	}
	return s.feed(ctx, calendarName, events, now)
}

// EventFeed returns a published event as a calendar to subscribe to, nil if there is none of this id. It is for everybody,
// signed in or not.
func (s *Service) EventFeed(ctx context.Context, wanted id.Event) ([]byte, error) {
	events, err := selectEvents(ctx, s.db, sight{}, []id.Event{wanted})
	if err != nil || len(events) == 0 {
		return nil, err
	}
	return s.feed(ctx, events[0].Name, events, s.now())
}

// OccurrenceFile returns one date of a published event as a file for calendars, nil if there is none of this id. It is for
// everybody, signed in or not.
func (s *Service) OccurrenceFile(ctx context.Context, wanted id.Occurrence) ([]byte, error) {
	return s.dates(ctx, []id.Occurrence{wanted}, "")
}

// dates is a calendar of single dates of published events, nil without any; its name is by default that of the first event.
func (s *Service) dates(ctx context.Context, wanted []id.Occurrence, name string) ([]byte, error) {
	rows, err := selectOccurrences(ctx, s.db, sight{}, wanted)
	if err != nil || len(rows) == 0 && name == "" {
		return nil, err
	}
	slices.SortFunc(rows, func(a, b *Occurrence) int {
		return cmp.Or(a.StartsAt.Compare(b.StartsAt), id.Compare(a.ID, b.ID))
	})
	var ids []id.Event
	for _, one := range rows {
		ids = append(ids, one.EventID)
	}
	events, err := selectEvents(ctx, s.db, sight{}, ids)
	if err != nil {
		return nil, err
	}
	made := calendar.Calendar{Name: name}
	for _, one := range rows {
		event := events[slices.IndexFunc(events, func(event *Event) bool { return event.ID == one.EventID })]
		zone, err := event.zone()
		if err != nil {
			return nil, err
		}
		made.Entries = append(made.Entries, event.single(zone, one))
		made.Name = cmp.Or(made.Name, event.Name)
	}
	return made.Write(), nil
}

// feed is a calendar of whole events.
func (s *Service) feed(ctx context.Context, name string, events []*Event, now time.Time) ([]byte, error) {
	ids := make([]id.Event, len(events))
	for i, event := range events {
		ids[i] = event.ID
	}
	rows, err := selectPlanned(ctx, s.db, ids)
	if err != nil {
		return nil, err
	}
	of := map[id.Event][]*Occurrence{}
	for _, one := range rows {
		of[one.EventID] = append(of[one.EventID], one)
	}
	made := calendar.Calendar{Name: name, Through: value.Months(ahead).After(now, time.UTC)}
	for _, event := range events {
		planned, err := event.plan()
		if err != nil {
			return nil, fmt.Errorf("the plan of %s: %w", event.ID, err)
		}
		zone, err := event.zone()
		if err != nil {
			return nil, err
		}
		for _, part := range parts(of[event.ID]) {
			made.Entries = append(made.Entries, event.entries(planned, zone, part, now)...)
		}
	}
	return made.Write(), nil
}

// parts splits the dates of an event, in the order of its plan, into those that go alike.
func parts(rows []*Occurrence) [][]*Occurrence {
	of := map[int][]*Occurrence{}
	var order []int
	for _, one := range rows {
		if of[one.Part] == nil {
			order = append(order, one.Part)
		}
		of[one.Part] = append(of[one.Part], one)
	}
	split := make([][]*Occurrence, len(order))
	for i, part := range order {
		split[i] = of[part]
	}
	return split
}

// entries are those of one part of a series: one with a rule, and one for each date that takes place otherwise; or one for
// each date, where no rule tells them.
func (e *Event) entries(planned *plan.Plan, zone *time.Location, part []*Occurrence, now time.Time) []calendar.Entry {
	var entries []calendar.Entry
	var kept []*Occurrence
	var dropped []value.LocalDateTime
	for _, one := range part {
		forgotten := one.Status == OccurrenceCanceled && one.CanceledAt.Before(now.Add(-keptCanceled))
		switch {
		case forgotten && !one.Added:
			dropped = append(dropped, one.PlannedLocal)
		case forgotten:
		case one.Added:
			entries = append(entries, e.single(zone, one))
		default:
			kept = append(kept, one)
		}
	}
	if len(kept) == 0 {
		return entries
	}
	usual := kept[len(kept)-1]
	for _, one := range kept {
		if one.Status == Scheduled && !one.OwnStart && !one.OwnDuration && !one.OwnVenue {
			usual = one
		}
	}
	shift := usual.StartsLocal.Sub(usual.PlannedLocal)
	rule, ok := planned.Rule(kept[0].PlannedLocal, shift)
	if !ok || usual.OwnStart {
		for _, one := range kept {
			entries = append(entries, e.single(zone, one))
		}
		return entries
	}
	last := kept[len(kept)-1].PlannedLocal
	master := e.entry(zone, usual)
	master.UID, master.Sequence, master.Changed = e.uid(usual.Part), e.Sequence, e.ChangedAt
	master.Start, master.At, master.Rule = kept[0].PlannedLocal.Add(shift), time.Time{}, rule
	goesOn := planned.Endless() && usual.Part == e.Part && e.Status != EventCanceled
	if !goesOn {
		master.Until = last.Add(shift).In(zone)
	}
	for _, date := range append(dropped, planned.Excluded()...) {
		if date.Compare(kept[0].PlannedLocal) > 0 && (goesOn || date.Compare(last) < 0) {
			master.Except = append(master.Except, date.Add(shift))
		}
	}
	slices.SortFunc(master.Except, value.LocalDateTime.Compare)
	master.Canceled = !slices.ContainsFunc(kept, func(one *Occurrence) bool { return one.Status != OccurrenceCanceled })
	entries = append(entries, master)
	for _, one := range kept {
		date := one.PlannedLocal.Add(shift)
		if one.StartsLocal == date && one.Duration == usual.Duration && same(one.Venue, usual.Venue) && (one.Status == OccurrenceCanceled) == master.Canceled && date.OnceIn(zone) {
			continue
		}
		other := e.entry(zone, one)
		other.UID, other.Sequence, other.RecurrenceID = master.UID, e.Sequence, &date
		entries = append(entries, other)
	}
	return entries
}

// single is the entry of one date by itself.
func (e *Event) single(zone *time.Location, one *Occurrence) calendar.Entry {
	entry := e.entry(zone, one)
	entry.UID = one.ID.String() + "@regulars"
	return entry
}

func (e *Event) entry(zone *time.Location, one *Occurrence) calendar.Entry {
	entry := calendar.Entry{
		Sequence: one.Sequence, Changed: one.ChangedAt, Summary: e.Name, Description: orEmpty(e.Description), Location: orEmpty(one.Venue),
		Zone: zone, Start: value.LocalDateTimeOf(one.StartsAt.In(zone)), Duration: one.Duration, Canceled: one.Status == OccurrenceCanceled,
	}
	if !entry.Start.OnceIn(zone) {
		entry.At = one.StartsAt
	}
	return entry
}

// uid is that of a part of the series in calendars.
func (e *Event) uid(part int) string {
	if part == 0 {
		return e.ID.String() + "@regulars"
	}
	return fmt.Sprintf("%s-%d@regulars", e.ID, part)
}

func orEmpty(text *string) string {
	if text == nil {
		return ""
	}
	return *text
}

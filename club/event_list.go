package club

import (
	"context"
	"slices"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

// The lists of the API.
type (
	// EventConnection is a page of events.
	EventConnection = page.Connection[*Event]
	// EventEdge is an event in a page.
	EventEdge = page.Edge[*Event]
	// OccurrenceConnection is a page of an event's occurrences.
	OccurrenceConnection = page.Connection[*Occurrence]
	// OccurrenceEdge is an occurrence in a page.
	OccurrenceEdge = page.Edge[*Occurrence]
)

const (
	eventPages      = "event"
	occurrencePages = "occurrence"
)

// EventFilter narrows a list of events.
type EventFilter struct {
	// Events with a date that takes place at least in part in [From, To); nil: that side is open.
	From *time.Time
	To   *time.Time
	// Status is nil for all but canceled events.
	Status []EventStatus
	// BookedOnly leaves dates that the calling member has a live booking of.
	BookedOnly bool
}

// eventKey is where a list of events is read on; the zero key: from the start.
type eventKey struct {
	first *time.Time
	id    id.Event
}

// occurrenceKey is where a list of occurrences is read on; the zero key: from the start.
type occurrenceKey struct {
	startsAt *time.Time
	id       id.Occurrence
}

// splitKey reads a cursor of an instant and an id.
func splitKey(key string) (*time.Time, string, error) {
	if key == "" {
		return nil, "", nil
	}
	written, rest, _ := strings.Cut(key, "|")
	at, err := time.Parse(time.RFC3339Nano, written)
	if err != nil {
		return nil, "", problem.BadUserInput("after is not a cursor of this list")
	}
	return &at, rest, nil
}

func joinKey(at time.Time, rest string) string { return at.UTC().Format(time.RFC3339Nano) + "|" + rest }

// Events lists events, by the first of their dates that the filter lets through: those that were published, and drafts that
// the caller organizes. For everybody who has signed in.
func (s *Service) Events(ctx context.Context, filter EventFilter, first *int, after *string) (*EventConnection, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(eventPages, first, after)
	if err != nil {
		return nil, err
	}
	at, rest, err := splitKey(arguments.After)
	if err != nil {
		return nil, err
	}
	wanted := asked{EventFilter: filter, sight: sightOf(caller), now: s.now()}
	if filter.BookedOnly {
		viewer, err := s.loyalty.Viewer(ctx)
		if err != nil {
			return nil, err
		}
		// Who is no member has booked nothing.
		wanted.booked = &id.Member{}
		if viewer != nil {
			wanted.booked = &viewer.ID
		}
	}
	rows, err := selectMatching(ctx, s.db, wanted, eventKey{at, id.ParseEvent(rest)}, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	events, keys := make([]*Event, len(rows)), make(map[*Event]string, len(rows))
	for i, row := range rows {
		events[i] = &row.Event
		keys[events[i]] = joinKey(row.First, row.ID.String())
	}
	return page.New(eventPages, arguments, events, func(event *Event) string { return keys[event] },
		func(ctx context.Context) (int, error) { return countMatching(ctx, s.db, wanted) }), nil
}

// EventsByID returns those of the events that exist and that the caller may see. For everybody who has signed in.
func (s *Service) EventsByID(ctx context.Context, wanted []id.Event) (map[id.Event]*Event, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	events, err := selectEvents(ctx, s.db, sightOf(caller), wanted)
	found := make(map[id.Event]*Event, len(events))
	for _, event := range events {
		found[event.ID] = event
	}
	return found, err
}

// OccurrencesByID returns those of the occurrences that exist and whose events the caller may see. For everybody who has
// signed in.
func (s *Service) OccurrencesByID(ctx context.Context, wanted []id.Occurrence) (map[id.Occurrence]*Occurrence, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := selectOccurrences(ctx, s.db, sightOf(caller), wanted)
	found := make(map[id.Occurrence]*Occurrence, len(rows))
	for _, one := range rows {
		found[one.ID] = one
	}
	return found, err
}

// Occurrences lists the dates of each of the events in the order of their starts: those that take place at least in part in
// [from, to), nil: that side is open. Events that the caller may not see have none. For everybody who has signed in.
func (s *Service) Occurrences(ctx context.Context, events []id.Event, from, to *time.Time, first *int, after *string) (map[id.Event]*OccurrenceConnection, error) {
	visible, err := s.EventsByID(ctx, events)
	if err != nil {
		return nil, err
	}
	arguments, err := page.Parse(occurrencePages, first, after)
	if err != nil {
		return nil, err
	}
	at, rest, err := splitKey(arguments.After)
	if err != nil {
		return nil, err
	}
	wanted := slices.DeleteFunc(slices.Clone(events), func(one id.Event) bool { return visible[one] == nil })
	rows, err := selectListed(ctx, s.db, wanted, from, to, occurrenceKey{at, id.ParseOccurrence(rest)}, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	of := make(map[id.Event][]*Occurrence, len(events))
	for _, one := range rows {
		of[one.EventID] = append(of[one.EventID], one)
	}
	pages := make(map[id.Event]*OccurrenceConnection, len(wanted))
	for _, event := range wanted {
		pages[event] = page.New(occurrencePages, arguments, of[event],
			func(one *Occurrence) string { return joinKey(one.StartsAt, one.ID.String()) },
			func(ctx context.Context) (int, error) { return countListed(ctx, s.db, event, from, to) })
	}
	return pages, nil
}

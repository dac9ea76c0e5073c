package graph

import (
	"context"
	"time"

	"regulars/club"
	"regulars/graph/generated"
	"regulars/internal/id"
	"regulars/loyalty"
)

func eventPayload(one *club.Event, err error) (*generated.EventPayload, error) {
	problems, err := refused(err)
	return &generated.EventPayload{Event: one, UserErrors: problems}, err
}

func occurrencePayload(one *club.Occurrence, err error) (*generated.OccurrencePayload, error) {
	problems, err := refused(err)
	return &generated.OccurrencePayload{Occurrence: one, UserErrors: problems}, err
}

func editPayload(changed []*club.Occurrence, err error) (*generated.EditOccurrencesPayload, error) {
	problems, err := refused(err)
	return &generated.EditOccurrencesPayload{Occurrences: changed, UserErrors: problems}, err
}

func calendarPayload(ctx context.Context, member *loyalty.Member, err error) (*generated.CalendarLinkPayload, error) {
	problems, err := refused(err)
	if member == nil || err != nil {
		return &generated.CalendarLinkPayload{UserErrors: problems}, err
	}
	url, err := load(ctx).calendars.Load(ctx, member.ID)
	return &generated.CalendarLinkPayload{CalendarURL: url, Member: member}, err
}

func eventFilter(filter *generated.EventFilter) club.EventFilter {
	if filter == nil {
		return club.EventFilter{}
	}
	return club.EventFilter{From: filter.From.Value(), To: filter.To.Value(), Status: filter.Status.Value(), BookedOnly: orFalse(filter.BookedOnly.Value())}
}

// dates is a page of an event's occurrences.
func (l *loaders) dates(ctx context.Context, event id.Event, from, to *time.Time, first *int, after *string) (*club.OccurrenceConnection, error) {
	return l.eventDates.load(ctx, event, []any{from, to, first, after}, func(ctx context.Context, events []id.Event) (map[id.Event]*club.OccurrenceConnection, error) {
		return l.club.Occurrences(ctx, events, from, to, first, after)
	})
}

// windows are nil where everybody may book.
func windows(event *club.Event) []*club.BookingWindow {
	if event.BookingWindows == nil {
		return nil
	}
	return pointers(event.BookingWindows)
}

// owner is whose event it is, nil for whoever does not organize it.
func (l *loaders) owner(ctx context.Context, event *club.Event) (*string, error) {
	organizers, err := l.organizers.Load(ctx, event)
	if organizers == nil || err != nil {
		return nil, err
	}
	return &event.Owner, nil
}

// organizersOf is who organizes an event besides its owner, nil for whoever does not.
func (l *loaders) organizersOf(ctx context.Context, event *club.Event) ([]string, error) {
	organizers, err := l.organizers.Load(ctx, event)
	if organizers == nil || err != nil {
		return nil, err
	}
	return *organizers, nil
}

// occurrencesEdit is what an input changes of dates: fields that it leaves out stay.
func occurrencesEdit(input generated.EditOccurrencesInput) club.EditOccurrencesInput {
	return club.EditOccurrencesInput{
		OccurrenceID: id.ParseOccurrence(input.OccurrenceID), Scope: input.Scope, StartsAt: input.StartsAt.Value(), Duration: input.Duration.Value(),
		Venue:    club.Setting[string]{Given: input.Venue.IsSet(), Value: input.Venue.Value()},
		Capacity: club.Setting[int]{Given: input.Capacity.IsSet(), Value: input.Capacity.Value()},
	}
}

// eventEdit is what an input changes of an event: fields that it leaves out stay, null clears; what an event must have and is
// cleared is refused, or a switch that is off.
func eventEdit(input generated.UpdateEventInput) club.EventEdit {
	return func(changed *club.Event) {
		if name, ok := input.Name.ValueOK(); ok {
			changed.Name = orEmpty(name)
		}
		if description, ok := input.Description.ValueOK(); ok {
			changed.Description = description
		}
		if flag, ok := input.RequiresApproval.ValueOK(); ok {
			changed.RequiresApproval = orFalse(flag)
		}
		if flag, ok := input.Waitlist.ValueOK(); ok {
			changed.Waitlist = orFalse(flag)
		}
		if windows, ok := input.BookingWindows.ValueOK(); ok {
			changed.BookingWindows = nil
			if windows != nil {
				changed.BookingWindows = values(windows)
			}
		}
		if seats, ok := input.SeatsPerBooking.ValueOK(); ok {
			changed.SeatsPerBooking = orZero(seats)
		}
		if closes, ok := input.BookingClosesBefore.ValueOK(); ok {
			changed.BookingClosesBefore = closes
		}
		if closes, ok := input.CancelClosesBefore.ValueOK(); ok {
			changed.CancelClosesBefore = closes
		}
		if valid, ok := input.OfferValidFor.ValueOK(); ok {
			changed.OfferValidFor = orZero(valid)
		}
		if opens, ok := input.CheckInOpensBefore.ValueOK(); ok {
			changed.CheckInOpensBefore = orZero(opens)
		}
		if points, ok := input.AttendancePoints.ValueOK(); ok {
			changed.AttendancePoints = points
		}
	}
}

func orZero[T any](value *T) T {
	var zero T
	if value != nil {
		return *value
	}
	return zero
}

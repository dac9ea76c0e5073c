package club

import (
	"context"

	"regulars/club/plan"
	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// CreateEventInput is a new event; see Event.
type CreateEventInput struct {
	Name        string
	Description *string
	TimeZone    string
	// StartsAt is the first date, by the clocks of TimeZone.
	StartsAt   value.LocalDateTime
	Duration   value.Period
	Recurrence *string
	// ExcludedDates are dates of the rule that are left out, AddedDates those beside it.
	ExcludedDates       []value.LocalDateTime
	AddedDates          []value.LocalDateTime
	Venue               *string
	Capacity            *int
	RequiresApproval    bool
	Waitlist            bool
	BookingWindows      []BookingWindow
	SeatsPerBooking     int
	BookingClosesBefore *value.Period
	CancelClosesBefore  *value.Period
	OfferValidFor       value.Period
	CheckInOpensBefore  value.Period
	AttendancePoints    *int64
}

// CreateEvent plans an event: a draft, which its organizers alone see, with its dates as occurrences. A rule with an end has
// all of them, one without those of the next 12 months. The caller owns it. For organizers and admins.
//
// Problems: INVALID_NAME, INVALID_TIME_ZONE, INVALID_TIME, INVALID_DURATION, INVALID_RECURRENCE, INVALID_CAPACITY,
// INVALID_BOOKING_TERMS, INVALID_POINTS.
func (s *Service) CreateEvent(ctx context.Context, input CreateEventInput) (*Event, error) {
	return s.create(ctx, "createEvent", &Event{
		Name: input.Name, Description: input.Description, TimeZone: input.TimeZone, StartsLocal: input.StartsAt,
		Recurrence: input.Recurrence, ExcludedDates: input.ExcludedDates, AddedDates: input.AddedDates, Duration: input.Duration,
		Venue: input.Venue, Capacity: input.Capacity, BookingWindows: input.BookingWindows, RequiresApproval: input.RequiresApproval,
		Waitlist: input.Waitlist, SeatsPerBooking: input.SeatsPerBooking, BookingClosesBefore: input.BookingClosesBefore,
		CancelClosesBefore: input.CancelClosesBefore, OfferValidFor: input.OfferValidFor, CheckInOpensBefore: input.CheckInOpensBefore,
		AttendancePoints: input.AttendancePoints,
	})
}

// DuplicateEventInput says which event serves as a template, and what is new.
type DuplicateEventInput struct {
	EventID id.Event
	// Name is nil for that of the template.
	Name *string
	// StartsAt is the first date, by the clocks of the template's zone.
	StartsAt value.LocalDateTime
	// Recurrence is the rule of the new event's dates; nil: StartsAt is the only one.
	Recurrence *string
}

// DuplicateEvent plans an event as another one was planned, which is its template: all is taken over but its dates, its
// owner, its organizers and its bookings. For organizers, of events that they organize, and admins.
//
// Problems: UNKNOWN_EVENT and those of CreateEvent.
func (s *Service) DuplicateEvent(ctx context.Context, input DuplicateEventInput) (*Event, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return nil, err
	}
	events, err := selectEvents(ctx, s.db, sight{all: true}, []id.Event{input.EventID})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, unknownEvent()
	}
	if mine, err := organizes(ctx, s.db, caller, events[0]); err != nil || !mine {
		if err == nil {
			err = unknownEvent()
		}
		return nil, err
	}
	template := events[0]
	made := &Event{
		Name: template.Name, Description: template.Description, TimeZone: template.TimeZone, StartsLocal: input.StartsAt,
		Recurrence: input.Recurrence, Duration: template.Duration, Venue: template.Venue, Capacity: template.Capacity,
		BookingWindows: template.BookingWindows, RequiresApproval: template.RequiresApproval, Waitlist: template.Waitlist,
		SeatsPerBooking: template.SeatsPerBooking, BookingClosesBefore: template.BookingClosesBefore,
		CancelClosesBefore: template.CancelClosesBefore, OfferValidFor: template.OfferValidFor,
		CheckInOpensBefore: template.CheckInOpensBefore, AttendancePoints: template.AttendancePoints,
	}
	if input.Name != nil {
		made.Name = *input.Name
	}
	return s.create(ctx, "duplicateEvent", made)
}

// create checks a new event and keeps it with its dates.
func (s *Service) create(ctx context.Context, action string, made *Event) (*Event, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return nil, err
	}
	made.ID, made.Owner, made.Status = id.New[id.Event](), caller.Caller, Draft
	if made.Recurrence = trimmed(made.Recurrence); made.Recurrence != nil {
		canonical := plan.Canonical(*made.Recurrence)
		made.Recurrence = &canonical
	}
	problems, err := s.normalize(ctx, made)
	if err != nil {
		return nil, err
	}
	if zone, err := value.ParseZone(made.TimeZone); err != nil {
		problems.Add(problem.InvalidTimeZone, []string{"timeZone"}, "A time zone is one of the IANA database, e.g. Europe/Berlin.")
	} else if checkStart(&problems, made.StartsLocal.In(zone), s.now()); len(problems) == 0 {
		if _, err := made.plan(); err != nil {
			return nil, err
		}
	}
	if err := problems.Err(); err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		made.CreatedAt, made.ChangedAt = tx.Now, tx.Now
		if err := insertEvent(ctx, tx, made); err != nil {
			return err
		}
		if _, err := materialize(ctx, tx, made); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: action, Object: made.ID.String(), After: made})
	})
	if err != nil {
		return nil, err
	}
	return made, nil
}

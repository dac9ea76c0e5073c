package club

import (
	"context"
	"reflect"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// EventEdit changes what is said of an event: its name and description, and how it is booked. What concerns its dates is not
// its business.
type EventEdit func(*Event)

// PublishEvent shows a draft to everybody and opens it for booking. Its dates of the next 12 months are occurrences from then
// on. Publishing it again changes nothing. For organizers, of events that they organize, and admins.
//
// Problems: UNKNOWN_EVENT, ALREADY_CANCELED.
func (s *Service) PublishEvent(ctx context.Context, wanted id.Event) (*Event, error) {
	return s.changeEvent(ctx, wanted, "publishEvent", func(tx *postgres.Tx, _ actor.Actor, event *Event) error {
		if event.Status == EventCanceled {
			return problem.At(problem.AlreadyCanceled, []string{"eventId"}, "The event was canceled.")
		}
		if event.Status == Published {
			return nil
		}
		event.Status, event.PublishedAt = Published, &tx.Now
		if _, err := materialize(ctx, tx, event); err != nil {
			return err
		}
		return outbox.PutTx(ctx, tx, []outbox.Notice{{Payload: outbox.EventChanged{Event: event.ID, Status: string(Published), At: tx.Now}}})
	})
}

// UpdateEvent changes what is said of an event and how it is booked; bookings that there are stay as they are. For
// organizers, of events that they organize, and admins.
//
// Problems: UNKNOWN_EVENT, ALREADY_CANCELED, INVALID_NAME, INVALID_BOOKING_TERMS, INVALID_POINTS.
func (s *Service) UpdateEvent(ctx context.Context, wanted id.Event, edit EventEdit) (*Event, error) {
	return s.changeEvent(ctx, wanted, "updateEvent", func(tx *postgres.Tx, _ actor.Actor, event *Event) error {
		if event.Status == EventCanceled {
			return problem.At(problem.AlreadyCanceled, []string{"eventId"}, "The event was canceled.")
		}
		before := *event
		edit(event)
		problems, err := s.normalize(ctx, event)
		if err != nil {
			return err
		}
		if err := problems.Err(); err != nil || reflect.DeepEqual(before, *event) {
			return err
		}
		event.Sequence++
		event.ChangedAt = tx.Now
		if err := touchOccurrences(ctx, tx, event); err != nil {
			return err
		}
		if err := updateEvent(ctx, tx, event); err != nil {
			return err
		}
		return s.reset(ctx, tx, event.ID)
	})
}

// CancelEvent ends an event: none of its dates that are not over takes place, and whoever booked one is told. Those that are
// over stay as they were. For organizers, of events that they organize, and admins.
//
// Problems: UNKNOWN_EVENT, REASON_REQUIRED, ALREADY_CANCELED.
func (s *Service) CancelEvent(ctx context.Context, wanted id.Event, reason string) (*Event, error) {
	return s.changeEvent(ctx, wanted, "cancelEvent", func(tx *postgres.Tx, _ actor.Actor, event *Event) error {
		reason, err := checkReason(reason)
		if err != nil {
			return err
		}
		if event.Status == EventCanceled {
			return problem.At(problem.AlreadyCanceled, []string{"eventId"}, "The event was canceled before.")
		}
		told := event.Status == Published
		event.Status, event.CanceledAt, event.CancelReason = EventCanceled, &tx.Now, &reason
		event.Sequence++
		occurrences, err := lockOccurrences(ctx, tx, event.ID)
		if err != nil {
			return err
		}
		var ended []*Occurrence
		for _, one := range occurrences {
			if one.Status == Scheduled && one.EndsAt.After(tx.Now) {
				ended = append(ended, one)
			}
		}
		if err := s.cancel(ctx, tx, event, ended, reason); err != nil || !told {
			return err
		}
		return outbox.PutTx(ctx, tx, []outbox.Notice{{Payload: outbox.EventChanged{Event: event.ID, Status: string(EventCanceled), At: tx.Now}}})
	})
}

// CancelOccurrence ends one date of an event, which does not take place; whoever booked it is told. For organizers, of events
// that they organize, and admins.
//
// Problems: UNKNOWN_OCCURRENCE, REASON_REQUIRED, ALREADY_CANCELED, EVENT_OVER.
func (s *Service) CancelOccurrence(ctx context.Context, wanted id.Occurrence, reason string) (*Occurrence, error) {
	var canceled *Occurrence
	err := s.changeOccurrence(ctx, wanted, func(tx *postgres.Tx, caller actor.Actor, event *Event) error {
		reason, err := checkReason(reason)
		if err != nil {
			return err
		}
		if canceled, err = lockOccurrence(ctx, tx, wanted); err != nil {
			return err
		}
		if err := canceled.open(tx); err != nil {
			return err
		}
		before := *canceled
		event.Sequence++
		if err := s.cancel(ctx, tx, event, []*Occurrence{canceled}, reason); err != nil {
			return err
		}
		if event.Status == Published {
			if err := tellChanged(ctx, tx, []*Occurrence{canceled}); err != nil {
				return err
			}
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "cancelOccurrence", Object: wanted.String(), Before: before, After: canceled})
	})
	if err != nil {
		return nil, err
	}
	return canceled, nil
}

// cancel ends occurrences, which are locked, and what was booked of them.
func (s *Service) cancel(ctx context.Context, tx *postgres.Tx, event *Event, ended []*Occurrence, reason string) error {
	ids := make([]id.Occurrence, len(ended))
	for i, one := range ended {
		one.Status, one.CanceledAt, one.CancelReason = OccurrenceCanceled, &tx.Now, &reason
		one.Sequence, one.ChangedAt = event.Sequence, tx.Now
		ids[i] = one.ID
	}
	if err := updateOccurrences(ctx, tx, ended); err != nil || len(ended) == 0 {
		return err
	}
	return s.hostCanceled(ctx, tx, ids, reason)
}

// open refuses what cannot be changed any more.
func (o *Occurrence) open(tx *postgres.Tx) error {
	switch {
	case o.Status == OccurrenceCanceled:
		return problem.At(problem.AlreadyCanceled, []string{"occurrenceId"}, "The date was canceled before.")
	case o.Status == Completed || !o.EndsAt.After(tx.Now):
		return problem.At(problem.EventOver, []string{"occurrenceId"}, "The date is over.")
	}
	return nil
}

// tellChanged puts a notice for each of the occurrences that were changed or canceled.
func tellChanged(ctx context.Context, tx *postgres.Tx, changed []*Occurrence) error {
	notices := make([]outbox.Notice, len(changed))
	for i, one := range changed {
		notices[i].Payload = outbox.OccurrenceChanged{
			Event: one.EventID, Occurrence: one.ID, Status: string(one.Status), StartsAt: one.StartsAt, Sequence: one.Sequence, At: tx.Now,
		}
	}
	return outbox.PutTx(ctx, tx, notices)
}

// changeEvent does work with an event of the caller's that nobody changes meanwhile, and keeps what it changed.
func (s *Service) changeEvent(ctx context.Context, wanted id.Event, action string, work func(*postgres.Tx, actor.Actor, *Event) error) (*Event, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return nil, err
	}
	var event *Event
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		var err error
		if event, err = lockEvent(ctx, tx, caller, wanted, unknownEvent()); err != nil {
			return err
		}
		before := *event
		if err := work(tx, caller, event); err != nil {
			return err
		}
		if reflect.DeepEqual(before, *event) {
			return nil
		}
		event.ChangedAt = tx.Now
		if err := updateEvent(ctx, tx, event); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: action, Object: wanted.String(), Before: before, After: event})
	})
	if err != nil {
		return nil, err
	}
	return event, nil
}

// changeOccurrence does work with the event of an occurrence, of the caller's, that nobody changes meanwhile, and keeps what
// it changed of the event.
func (s *Service) changeOccurrence(ctx context.Context, wanted id.Occurrence, work func(*postgres.Tx, actor.Actor, *Event) error) error {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return err
	}
	return s.db.InTx(ctx, func(tx *postgres.Tx) error {
		events, err := selectEventOf(ctx, tx, wanted)
		if err != nil {
			return err
		}
		if len(events) == 0 {
			return unknownOccurrence()
		}
		event, err := lockEvent(ctx, tx, caller, events[0], unknownOccurrence())
		if err != nil {
			return err
		}
		before := *event
		if err := work(tx, caller, event); err != nil || reflect.DeepEqual(before, *event) {
			return err
		}
		event.ChangedAt = tx.Now
		return updateEvent(ctx, tx, event)
	})
}

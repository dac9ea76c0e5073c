package club

import (
	"context"
	"strings"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

const (
	maximumOrganizer  = 500
	maximumOrganizers = 100
)

// sight is which events a caller organizes, and so sees as drafts and may change.
type sight struct {
	// all tells that it may with every event.
	all bool
	// organizer is who it is among those who organize events; empty for nobody.
	organizer string
}

// sightOf finds out which events the caller organizes: an admin all of them, an organizer its own and those shared with it.
func sightOf(caller actor.Actor) sight {
	seen := sight{all: caller.Has(actor.Admin)}
	if caller.Has(actor.Organizer) {
		seen.organizer = caller.Caller
	}
	return seen
}

// organizes tells whether the caller organizes the event.
func organizes(ctx context.Context, q postgres.Runner, caller actor.Actor, event *Event) (bool, error) {
	seen := sightOf(caller)
	if seen.all || seen.organizer != "" && seen.organizer == event.Owner {
		return true, nil
	}
	if seen.organizer == "" {
		return false, nil
	}
	shared, err := selectShared(ctx, q, seen.organizer, []id.Event{event.ID})
	return shared[event.ID], err
}

// Organizes tells which of the events the caller organizes. For everybody who has signed in.
func (s *Service) Organizes(ctx context.Context, events []*Event) (map[*Event]bool, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen, answers, wanted := sightOf(caller), make(map[*Event]bool, len(events)), make([]id.Event, len(events))
	for i, event := range events {
		wanted[i] = event.ID
		answers[event] = seen.all || seen.organizer != "" && seen.organizer == event.Owner
	}
	if seen.all || seen.organizer == "" {
		return answers, nil
	}
	shared, err := selectShared(ctx, s.db, seen.organizer, wanted)
	for _, event := range events {
		answers[event] = answers[event] || shared[event.ID]
	}
	return answers, err
}

// lockEvent reads an event that the caller organizes and that nobody changes until the transaction ends.
func lockEvent(ctx context.Context, tx *postgres.Tx, caller actor.Actor, wanted id.Event, unknown error) (*Event, error) {
	events, err := lockEvents(ctx, tx, []id.Event{wanted})
	if err != nil {
		return nil, err
	}
	if len(events) == 0 {
		return nil, unknown
	}
	if mine, err := organizes(ctx, tx, caller, events[0]); err != nil || !mine {
		if err == nil {
			err = unknown
		}
		return nil, err
	}
	return events[0], nil
}

// Organizers returns whom each of the events is shared with, in order; of those that the caller organizes, others are left
// out. For everybody who has signed in.
func (s *Service) Organizers(ctx context.Context, events []*Event) (map[*Event]*[]string, error) {
	mine, err := s.Organizes(ctx, events)
	if err != nil {
		return nil, err
	}
	var wanted []id.Event
	for _, event := range events {
		if mine[event] {
			wanted = append(wanted, event.ID)
		}
	}
	shared, err := selectOrganizers(ctx, s.db, wanted)
	answers := make(map[*Event]*[]string, len(events))
	for _, event := range events {
		if mine[event] {
			names := shared[event.ID]
			answers[event] = &names
		}
	}
	return answers, err
}

// ShareEventInput names an event and somebody to organize it.
type ShareEventInput struct {
	EventID id.Event
	// Organizer is the caller's name, as changes name who made them.
	Organizer string
}

// ShareEvent lets somebody else organize an event, too: see and change it, as far as that person has the role. Sharing it
// again changes nothing. For the event's owner and admins.
//
// Problems: UNKNOWN_EVENT, INVALID_ORGANIZER.
func (s *Service) ShareEvent(ctx context.Context, input ShareEventInput) (*Event, error) {
	return s.share(ctx, input, "shareEvent", func(ctx context.Context, tx *postgres.Tx, by actor.Actor, event *Event, organizer string) (int64, error) {
		shared, err := selectOrganizers(ctx, tx, []id.Event{event.ID})
		if err != nil {
			return 0, err
		}
		if len(shared[event.ID]) >= maximumOrganizers {
			return 0, problem.At(problem.InvalidOrganizer, []string{"organizer"}, "An event has at most %d organizers.", maximumOrganizers)
		}
		return insertOrganizer(ctx, tx, event.ID, organizer, by.Caller)
	})
}

// UnshareEvent ends that somebody organizes an event besides its owner. Doing it again changes nothing. For the event's
// owner and admins.
//
// Problems: UNKNOWN_EVENT, INVALID_ORGANIZER.
func (s *Service) UnshareEvent(ctx context.Context, input ShareEventInput) (*Event, error) {
	return s.share(ctx, input, "unshareEvent", func(ctx context.Context, tx *postgres.Tx, _ actor.Actor, event *Event, organizer string) (int64, error) {
		return deleteOrganizer(ctx, tx, event.ID, organizer)
	})
}

// share does work with who organizes an event. Only its owner and admins decide that: to those it is shared with it is there,
// but not theirs to give away.
func (s *Service) share(ctx context.Context, input ShareEventInput, action string,
	work func(context.Context, *postgres.Tx, actor.Actor, *Event, string) (int64, error),
) (*Event, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return nil, err
	}
	organizer := strings.TrimSpace(input.Organizer)
	var event *Event
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		var err error
		if event, err = lockEvent(ctx, tx, caller, input.EventID, unknownEvent()); err != nil {
			return err
		}
		if !caller.Has(actor.Admin) && event.Owner != caller.Caller {
			return unknownEvent()
		}
		if !loyalty.Within(organizer, maximumOrganizer) || organizer == event.Owner {
			return problem.At(problem.InvalidOrganizer, []string{"organizer"}, "Name an organizer in 1 to %d characters, somebody else than the owner.", maximumOrganizer)
		}
		changed, err := work(ctx, tx, caller, event, organizer)
		if err != nil || changed == 0 {
			return err
		}
		change := audit.Change{Action: action, Object: event.ID.String(), After: map[string]any{"organizer": organizer}}
		if action == "unshareEvent" {
			change.Before, change.After = change.After, nil
		}
		return audit.RecordTx(ctx, tx, caller, change)
	})
	if err != nil {
		return nil, err
	}
	return event, nil
}

func unknownEvent() error {
	return problem.At(problem.UnknownEvent, []string{"eventId"}, "There is no such event.")
}

func unknownOccurrence() error {
	return problem.At(problem.UnknownOccurrence, []string{"occurrenceId"}, "There is no such date.")
}

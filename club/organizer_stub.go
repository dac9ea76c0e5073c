package club

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

func organizes(ctx context.Context, q postgres.Runner, caller actor.Actor, event *Event) (bool, error) {
	if caller.Has(actor.Admin) || caller.Has(actor.Organizer) && caller.Caller == event.Owner {
		return true, nil
	}
	if !caller.Has(actor.Organizer) {
		return false, nil
	}
	var shared bool
	err := q.Get(ctx, &shared, `select exists (select from event_organizers where event_id = $1 and organizer = $2)`, event.ID, caller.Caller)
	return shared, err
}

func unknownOccurrence() error {
	return problem.At(problem.UnknownOccurrence, []string{"occurrenceId"}, "There is no such date.")
}

func (s *Service) Organizes(ctx context.Context, events []*Event) (map[*Event]bool, error) {
	caller, err := actor.Require(ctx)
	answers := map[*Event]bool{}
	for _, event := range events {
		if err == nil {
			answers[event], err = organizes(ctx, s.db, caller, event)
		}
	}
	return answers, err
}

const occurrenceColumns = roomColumns

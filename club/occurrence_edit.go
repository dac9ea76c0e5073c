package club

import (
	"context"
	"slices"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/internal/value"
)

// EditScope says which dates of an event an edit concerns.
type EditScope string

// The scopes of edits.
const (
	This             EditScope = "THIS"
	ThisAndFollowing EditScope = "THIS_AND_FOLLOWING"
	All              EditScope = "ALL"
)

// Setting is what is given for something that can be cleared: nothing is given, nil clears.
type Setting[T any] struct {
	Given bool
	Value *T
}

// EditOccurrencesInput changes dates of an event.
type EditOccurrencesInput struct {
	OccurrenceID id.Occurrence
	Scope        EditScope
	// StartsAt is when the occurrence begins, by the clocks of the event's zone; the others of the scope move by the same
	// difference on the wall. Nil: they stay.
	StartsAt *value.LocalDateTime
	Duration *value.Period
	Venue    Setting[string]
	Capacity Setting[int]
}

// EditOccurrences changes when, how long and where dates of an event take place, and how many seats they have. No booking is
// lost: occurrences keep their ids and their bookings, and whoever booked one that moved is asked to confirm anew. With a
// wider scope, dates that come later are made as the edit says; what was changed of one date alone stays as it is there; dates
// that are canceled, completed or over, and others than the one named that have begun, stay as they were. It returns the
// dates that were changed, by their starts. For organizers, of events that they organize, and admins.
//
// Problems: UNKNOWN_OCCURRENCE, ALREADY_CANCELED, EVENT_OVER, INVALID_TIME, INVALID_DURATION, INVALID_NAME, INVALID_CAPACITY,
// CAPACITY_BELOW_TAKEN (a problem.CapacityBelowTakenError; nothing is changed).
func (s *Service) EditOccurrences(ctx context.Context, input EditOccurrencesInput) ([]*Occurrence, error) {
	changed := []*Occurrence{}
	err := s.changeOccurrence(ctx, input.OccurrenceID, func(tx *postgres.Tx, caller actor.Actor, event *Event) error {
		occurrences, err := lockScope(ctx, tx, event.ID, input)
		if err != nil {
			return err
		}
		were := make([]Occurrence, len(occurrences))
		for i, one := range occurrences {
			were[i] = *one
		}
		edit, err := newEdit(input, event, occurrences, tx)
		if err != nil {
			return err
		}
		before := *edit.anchor
		changed = edit.apply(tx.Now)
		if err := s.fits(ctx, tx, changed); err != nil || len(changed) == 0 && !edit.later() {
			return err
		}
		edit.series()
		event.Sequence++
		for _, one := range changed {
			one.Sequence, one.ChangedAt = event.Sequence, tx.Now
		}
		// The part changes of others, too.
		var rewritten []*Occurrence
		for i, one := range occurrences {
			if *one != were[i] {
				rewritten = append(rewritten, one)
			}
		}
		if err := updateOccurrences(ctx, tx, rewritten); err != nil {
			return err
		}
		if err := s.consequences(ctx, tx, event, edit, changed); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "editOccurrences", Object: input.OccurrenceID.String(), Before: before,
			After: map[string]any{"scope": input.Scope, "occurrence": edit.anchor, "changed": len(changed)},
		})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(changed, func(a, b *Occurrence) int { return a.StartsAt.Compare(b.StartsAt) })
	return changed, nil
}

// lockScope reads the occurrences that an edit may concern, each of which nobody books or changes until the transaction ends.
func lockScope(ctx context.Context, tx *postgres.Tx, event id.Event, input EditOccurrencesInput) ([]*Occurrence, error) {
	if input.Scope != This {
		return lockOccurrences(ctx, tx, event)
	}
	one, err := lockOccurrence(ctx, tx, input.OccurrenceID)
	return []*Occurrence{one}, err
}

// edit is an edit of an event's dates under way.
type edit struct {
	input       EditOccurrencesInput
	event       *Event
	zone        *time.Location
	anchor      *Occurrence
	occurrences []*Occurrence // those that it may concern, by their dates in the plan
	targets     []*Occurrence // those concerned that can be changed
	shift       time.Duration // on the wall
	moved       []id.Occurrence
	raised      []id.Occurrence
}

// newEdit checks an edit. occurrences are those that it may concern, locked.
func newEdit(input EditOccurrencesInput, event *Event, occurrences []*Occurrence, tx *postgres.Tx) (*edit, error) {
	zone, err := event.zone()
	if err != nil {
		return nil, err
	}
	e := &edit{input: input, event: event, zone: zone, occurrences: slices.Clone(occurrences)}
	slices.SortFunc(e.occurrences, func(a, b *Occurrence) int { return a.PlannedLocal.Compare(b.PlannedLocal) })
	e.anchor = e.occurrences[slices.IndexFunc(e.occurrences, func(one *Occurrence) bool { return one.ID == input.OccurrenceID })]
	if err := e.anchor.open(tx); err != nil {
		return nil, err
	}
	var problems problem.Problems
	if input.Duration != nil {
		checkDuration(&problems, *input.Duration)
	}
	e.input.Venue.Value = checkVenue(&problems, input.Venue.Value)
	checkCapacity(&problems, input.Capacity.Value)
	if input.StartsAt != nil {
		e.shift = input.StartsAt.Sub(e.anchor.StartsLocal)
		checkStart(&problems, input.StartsAt.In(zone), tx.Now)
		if e.shift != 0 && !e.anchor.StartsAt.After(tx.Now) {
			problems.Add(problem.EventOver, []string{"startsAt"}, "The date has begun and cannot be moved any more.")
		}
	}
	for _, one := range e.occurrences {
		concerned := one == e.anchor || input.Scope == All || input.Scope == ThisAndFollowing && one.PlannedLocal.Compare(e.anchor.PlannedLocal) > 0
		if concerned && one.Status == Scheduled && (one == e.anchor || one.StartsAt.After(tx.Now)) {
			e.targets = append(e.targets, one)
		}
	}
	for _, one := range e.targets {
		if e.shift != 0 && (one == e.anchor || !one.OwnStart) && !one.StartsLocal.Add(e.shift).In(zone).After(tx.Now) {
			problems.Add(problem.InvalidTime, []string{"startsAt"}, "A date cannot be moved into the past.")
			break
		}
	}
	return e, problems.Err()
}

// later tells whether dates that are no occurrences yet change.
func (e *edit) later() bool {
	in := e.input
	return in.Scope != This && (e.shift != 0 || in.Duration != nil && *in.Duration != e.event.Duration ||
		in.Venue.Given && !same(in.Venue.Value, e.event.Venue) || in.Capacity.Given && !same(in.Capacity.Value, e.event.Capacity))
}

// apply changes the dates concerned in memory, and returns those that did change.
func (e *edit) apply(now time.Time) []*Occurrence {
	changed := []*Occurrence{}
	alone := e.input.Scope == This
	for _, one := range e.targets {
		before := *one
		named := one == e.anchor
		if e.shift != 0 && (named || !one.OwnStart) {
			one.StartsLocal = one.StartsLocal.Add(e.shift)
			one.OwnStart = alone || one.OwnStart
		}
		if e.input.Duration != nil && (named || !one.OwnDuration) {
			one.Duration = *e.input.Duration
			one.OwnDuration = alone && (one.OwnDuration || one.Duration != before.Duration)
		}
		if e.input.Venue.Given && (named || !one.OwnVenue) {
			one.Venue = e.input.Venue.Value
			one.OwnVenue = alone && (one.OwnVenue || !same(one.Venue, before.Venue))
		}
		if e.input.Capacity.Given && (named || !one.OwnCapacity) {
			one.Capacity = e.input.Capacity.Value
			one.OwnCapacity = alone && (one.OwnCapacity || !same(one.Capacity, before.Capacity))
		}
		one.place(e.zone)
		movedIt := !one.StartsAt.Equal(before.StartsAt)
		if movedIt {
			one.MovedAt = &now
			e.moved = append(e.moved, one.ID)
		}
		if larger(one.Capacity, before.Capacity) {
			e.raised = append(e.raised, one.ID)
		}
		if movedIt || !one.EndsAt.Equal(before.EndsAt) || !same(one.Venue, before.Venue) || !same(one.Capacity, before.Capacity) {
			changed = append(changed, one)
		}
	}
	return changed
}

// series has dates that come later follow a wider edit, and makes the rest of each part that has gone its own way a part of
// its own, whose dates are alike.
func (e *edit) series() {
	if e.input.Scope == This {
		return
	}
	e.event.ShiftSeconds += int64(e.shift / time.Second)
	if e.input.Duration != nil {
		e.event.Duration = *e.input.Duration
	}
	if e.input.Venue.Given {
		e.event.Venue = e.input.Venue.Value
	}
	if e.input.Capacity.Given {
		e.event.Capacity = e.input.Capacity.Value
	}
	if e.shift == 0 && e.input.Duration == nil && !e.input.Venue.Given || len(e.targets) == 0 {
		return
	}
	last := 0
	for _, one := range e.occurrences {
		last = max(last, one.Part)
	}
	renamed := map[int]int{}
	left := map[int]bool{}
	behind := false
	for _, one := range e.occurrences {
		behind = behind || one == e.targets[0]
		if !behind {
			left[one.Part] = true
			continue
		}
		if left[one.Part] && renamed[one.Part] == 0 {
			last++
			renamed[one.Part] = last
		}
		if part := renamed[one.Part]; part != 0 {
			one.Part = part
		}
	}
	if part := renamed[e.event.Part]; part != 0 {
		e.event.Part = part
	}
}

// fits refuses seats that are taken and would not be there any more.
func (s *Service) fits(ctx context.Context, tx *postgres.Tx, changed []*Occurrence) error {
	var crowded []*Occurrence
	for _, one := range changed {
		if one.Capacity != nil && one.SeatsTaken > *one.Capacity {
			crowded = append(crowded, one)
		}
	}
	if len(crowded) == 0 {
		return nil
	}
	refused := problem.CapacityBelowTakenError{
		Code: problem.CapacityBelowTaken, Path: []string{"input", "capacity"},
		Message: "More seats are taken than would be left. Move or cancel bookings first, or keep the capacity.",
	}
	for _, one := range crowded {
		bookings, err := s.seated(ctx, tx, one.ID)
		if err != nil {
			return err
		}
		refused.Occurrences = append(refused.Occurrences, problem.CapacityConflict{
			OccurrenceID: one.ID.String(), SeatsTaken: one.SeatsTaken, BookingIDs: bookings,
		})
	}
	return refused
}

// consequences are what an edit means for those who booked, and others.
func (s *Service) consequences(ctx context.Context, tx *postgres.Tx, event *Event, edit *edit, changed []*Occurrence) error {
	if len(edit.moved) > 0 {
		if err := s.moved(ctx, tx, edit.moved); err != nil {
			return err
		}
	}
	if len(edit.raised) > 0 {
		if err := s.capacityRaised(ctx, tx, edit.raised); err != nil {
			return err
		}
	}
	if event.Status != Published {
		return nil
	}
	return tellChanged(ctx, tx, changed)
}

func same[T comparable](a, b *T) bool {
	return a == b || a != nil && b != nil && *a == *b
}

// larger tells whether a capacity is more than another; nil is without limit.
func larger(a, b *int) bool {
	return b != nil && (a == nil || *a > *b)
}

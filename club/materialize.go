package club

import (
	"context"
	"time"

	"regulars/club/plan"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
)

// ahead is how many months of a rule without an end are occurrences.
const ahead = 12

// materializeBatch is how many events a transaction of MaterializeOccurrences looks after.
const materializeBatch = 20

// MaterializeOccurrences makes occurrences of the dates that have come within 12 months, of all events whose rule has no
// end, and returns how many it made. It works in short transactions and can be stopped and repeated at any time. For admins;
// a job calls it.
func (s *Service) MaterializeOccurrences(ctx context.Context) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	made, behind := 0, id.Event{}
	for {
		var events []*Event
		batch := 0
		err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
			batch = 0
			var err error
			if events, err = lockDue(ctx, tx, tx.Now.AddDate(0, ahead, 0), behind, materializeBatch); err != nil {
				return err
			}
			for _, event := range events {
				count, err := materialize(ctx, tx, event)
				if err != nil {
					return err
				}
				batch += count
			}
			return nil
		})
		if err != nil {
			return made, err
		}
		made += batch
		if len(events) < materializeBatch {
			return made, nil
		}
		behind = events[len(events)-1].ID
	}
}

// materialize makes occurrences of the event's dates that are none yet: of a plan with an end all of them, of one without
// those of the next 12 months, so that at most plan.MaximumDates lie ahead. The event is locked, or new. It returns how many
// it made.
func materialize(ctx context.Context, tx *postgres.Tx, event *Event) (int, error) {
	planned, err := event.plan()
	if err != nil {
		return 0, err
	}
	zone, err := event.zone()
	if err != nil {
		return 0, err
	}
	behind, upcoming, err := selectLastPlanned(ctx, tx, event.ID, tx.Now)
	if err != nil {
		return 0, err
	}
	horizon, limit := value.LocalDateTime{Year: 9999, Month: 12, Day: 31}, plan.MaximumDates
	if planned.Endless() {
		from := tx.Now
		if start := event.StartsLocal.In(zone); start.After(from) {
			from = start
		}
		horizon, limit = value.LocalDateTimeOf(value.Months(ahead).After(from, zone).In(zone)), limit-upcoming
	} else if behind != nil {
		return 0, nil
	}
	dates, more := planned.Dates(behind, horizon, max(limit, 0))
	rows := make([]*Occurrence, len(dates))
	for i, date := range dates {
		rows[i] = &Occurrence{
			ID: id.New[id.Occurrence](), EventID: event.ID, PlannedLocal: date.Local, Added: date.Added, Part: event.Part,
			StartsLocal: date.Local.Add(time.Duration(event.ShiftSeconds) * time.Second), Duration: event.Duration,
			Venue: event.Venue, Capacity: event.Capacity, Status: Scheduled, Sequence: event.Sequence, ChangedAt: tx.Now,
		}
		rows[i].place(zone)
	}
	event.MaterializedTo = nil
	if planned.Endless() {
		to := horizon
		switch {
		case more && len(dates) > 0:
			to = dates[len(dates)-1].Local
		case more && behind != nil:
			to = *behind
		}
		at := to.In(zone)
		event.MaterializedTo = &at
	}
	if err := insertOccurrences(ctx, tx, rows); err != nil {
		return 0, err
	}
	return len(rows), updateMaterialized(ctx, tx, event)
}

// place reckons when an occurrence begins and ends.
func (o *Occurrence) place(zone *time.Location) {
	o.StartsAt = o.StartsLocal.In(zone).UTC()
	o.EndsAt = o.Duration.After(o.StartsAt, zone)
}

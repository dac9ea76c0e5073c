package club

import (
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// OccurrenceStatus is what became of an occurrence.
type OccurrenceStatus string

// The statuses of occurrences.
const (
	Scheduled          OccurrenceStatus = "SCHEDULED"
	OccurrenceCanceled OccurrenceStatus = "CANCELED"
	Completed          OccurrenceStatus = "COMPLETED"
)

// Occurrence is one date of an event; as JSON, what is recorded of its changes. Who takes or frees seats holds its row's
// lock.
type Occurrence struct {
	ID      id.Occurrence `db:"id" json:"occurrence"`
	EventID id.Event      `db:"event_id" json:"event"`
	// PlannedLocal is its date in the event's plan, for ever.
	PlannedLocal value.LocalDateTime `db:"planned_local" json:"-"`
	// Added tells whether the date was added to the rule's.
	Added bool `db:"added" json:"-"`
	// Part is the part of the series that it belongs to.
	Part int `db:"part" json:"-"`
	// It takes place in [StartsAt, EndsAt); StartsLocal is what the clocks of the event's zone show at the start.
	StartsLocal value.LocalDateTime `db:"starts_local" json:"-"`
	StartsAt    time.Time           `db:"starts_at" json:"startsAt"`
	EndsAt      time.Time           `db:"ends_at" json:"endsAt"`
	Duration    value.Period        `db:"duration" json:"-"`
	Venue       *string             `db:"venue" json:"venue"`
	// Capacity is how many seats it has; nil: as many as come.
	Capacity *int `db:"capacity" json:"capacity"`
	// SeatsTaken are the seats of bookings whose status holds them.
	SeatsTaken int `db:"seats_taken" json:"-"`
	// Waitlisted is how many bookings wait, without those that have an offer.
	Waitlisted int              `db:"waitlisted" json:"-"`
	Status     OccurrenceStatus `db:"status" json:"status"`
	Sequence   int              `db:"sequence" json:"-"`
	// What was changed of this one alone: a change of the others leaves it as it is.
	OwnStart    bool `db:"own_start" json:"-"`
	OwnDuration bool `db:"own_duration" json:"-"`
	OwnVenue    bool `db:"own_venue" json:"-"`
	OwnCapacity bool `db:"own_capacity" json:"-"`
	// MovedAt is when it was last moved; nil: never.
	MovedAt      *time.Time `db:"moved_at" json:"-"`
	ChangedAt    time.Time  `db:"changed_at" json:"-"`
	CanceledAt   *time.Time `db:"canceled_at" json:"-"`
	CancelReason *string    `db:"cancel_reason" json:"cancelReason,omitempty"`
	CompletedAt  *time.Time `db:"completed_at" json:"-"`
}

// IsNode marks the occurrence as one of the API's nodes.
func (Occurrence) IsNode() {}

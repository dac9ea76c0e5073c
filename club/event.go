package club

import (
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"time"

	"regulars/internal/id"
	"regulars/internal/value"
)

// EventStatus is what became of an event.
type EventStatus string

// The statuses of events.
const (
	// Draft events are seen by their organizers only.
	Draft EventStatus = "DRAFT"
	// Published events are seen by everybody and can be booked.
	Published EventStatus = "PUBLISHED"
	// EventCanceled events do not take place any more.
	EventCanceled EventStatus = "CANCELED"
)

// BookingWindow is from when on who may book.
type BookingWindow struct {
	// MinTierID is the lowest tier that the window is for; nil: everybody.
	MinTierID *id.Tier `json:"minTier"`
	// OpensBefore is how long before the start it opens, on the calendar of the event's zone.
	OpensBefore value.Period `json:"opensBefore"`
}

// BookingWindows are all windows of an event; nil: everybody may book from publishing on.
type BookingWindows []BookingWindow

// Value gives the windows to the database.
func (b BookingWindows) Value() (driver.Value, error) {
	if b == nil {
		return nil, nil
	}
	encoded, err := json.Marshal([]BookingWindow(b))
	return string(encoded), err
}

// Scan takes the windows from the database.
func (b *BookingWindows) Scan(source any) error {
	switch source := source.(type) {
	case nil:
		*b = nil
		return nil
	case []byte:
		return json.Unmarshal(source, (*[]BookingWindow)(b))
	}
	return fmt.Errorf("booking windows cannot be read from %T", source)
}

// Event is what the club does; as JSON, what is recorded of its changes.
type Event struct {
	ID id.Event `db:"id" json:"event"`
	// Owner is the caller whose event it is, as actor.Actor names it.
	Owner       string      `db:"owner" json:"owner"`
	Name        string      `db:"name" json:"name"`
	Description *string     `db:"description" json:"description"`
	Status      EventStatus `db:"status" json:"status"`
	// TimeZone is the zone of the event's clocks, by its name in the IANA database.
	TimeZone string `db:"time_zone" json:"timeZone"`
	// StartsLocal is the first date of the plan.
	StartsLocal value.LocalDateTime `db:"starts_local" json:"startsAt"`
	// Recurrence is the rule of the dates behind it (RFC 5545); nil: there are none by a rule.
	Recurrence    *string    `db:"recurrence" json:"recurrence"`
	ExcludedDates LocalDates `db:"excluded_dates" json:"excludedDates,omitempty"`
	AddedDates    LocalDates `db:"added_dates" json:"addedDates,omitempty"`
	// MaterializedTo is up to where the plan's dates are occurrences; nil: all of them are.
	MaterializedTo *time.Time `db:"materialized_to" json:"-"`
	// ShiftSeconds is by how much later than planned dates take place that are no occurrences yet, on a clock that nobody
	// sets. Duration, Venue and Capacity are theirs, too.
	ShiftSeconds int64        `db:"shift_seconds" json:"shiftSeconds"`
	Duration     value.Period `db:"duration" json:"duration"`
	Venue        *string      `db:"venue" json:"venue"`
	// Capacity is how many seats a date has; nil: as many as come.
	Capacity *int `db:"capacity" json:"capacity"`
	// Sequence rises with every change of anything in the event.
	Sequence int `db:"sequence" json:"-"`
	// Part is how often the rest of the series went its own way.
	Part int `db:"part" json:"-"`

	BookingWindows   BookingWindows `db:"booking_windows" json:"bookingWindows"`
	RequiresApproval bool           `db:"requires_approval" json:"requiresApproval"`
	// Waitlist tells whether who finds no seat waits for one.
	Waitlist bool `db:"waitlist" json:"waitlist"`
	// SeatsPerBooking is how many seats a booking can have, guests among them.
	SeatsPerBooking int `db:"seats_per_booking" json:"seatsPerBooking"`
	// BookingClosesBefore is how long before the start booking ends; nil: at the end.
	BookingClosesBefore *value.Period `db:"booking_closes_before" json:"bookingClosesBefore"`
	// CancelClosesBefore is how long before the start members can cancel; nil: until the start.
	CancelClosesBefore *value.Period `db:"cancel_closes_before" json:"cancelClosesBefore"`
	// OfferValidFor is how long a freed seat is offered to who waits.
	OfferValidFor value.Period `db:"offer_valid_for" json:"offerValidFor"`
	// CheckInOpensBefore is how long before the start the door opens.
	CheckInOpensBefore value.Period `db:"check_in_opens_before" json:"checkInOpensBefore"`
	// AttendancePoints are given for coming, without a rule; nil: none.
	AttendancePoints *int64 `db:"attendance_points" json:"attendancePoints"`

	CreatedAt    time.Time  `db:"created_at" json:"-"`
	ChangedAt    time.Time  `db:"changed_at" json:"-"`
	PublishedAt  *time.Time `db:"published_at" json:"-"`
	CanceledAt   *time.Time `db:"canceled_at" json:"-"`
	CancelReason *string    `db:"cancel_reason" json:"cancelReason,omitempty"`
}

// IsNode marks the event as one of the API's nodes.
func (Event) IsNode() {}

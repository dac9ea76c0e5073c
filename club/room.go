package club

import (
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"regulars/club/waitlist"
	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
	"regulars/loyalty/ledger"
)

// room is an occurrence whose row is locked, and what was changed of its bookings. Every change of a booking goes through
// one: so seats are counted by construction, and whatever frees one, those who wait are asked when the room is left.
type room struct {
	*Occurrence
	event *Event
	zone  *time.Location
	now   time.Time
	// taken and waiting is what the occurrence's counters change by.
	taken, waiting int
	added, changed []*Booking
	// why is for the audit alone; nil: it has the booking's reason.
	why     *string
	notices []outbox.Notice
}

// enter locks the occurrence and posts what has lapsed there. It is UNKNOWN_OCCURRENCE for one of a draft.
func (s *Service) enter(ctx context.Context, tx *postgres.Tx, wanted id.Occurrence) (*room, error) {
	rooms, err := s.enterAll(ctx, tx, []id.Occurrence{wanted})
	if err != nil {
		return nil, err
	}
	if len(rooms) == 0 || rooms[0].event.Status == Draft {
		return nil, unknownOccurrence()
	}
	return rooms[0], nil
}

// enterAll locks those of the occurrences that exist, in the order of their ids, and posts what has lapsed there.
func (s *Service) enterAll(ctx context.Context, tx *postgres.Tx, wanted []id.Occurrence) ([]*room, error) {
	locked, err := lockRooms(ctx, tx, wanted)
	if err != nil {
		return nil, fmt.Errorf("lock occurrences: %w", err)
	}
	events, err := selectTerms(ctx, tx, locked)
	if err != nil {
		return nil, err
	}
	rooms := make([]*room, len(locked))
	for i := range locked {
		one := &locked[i]
		event, ok := events[one.EventID]
		if !ok {
			return nil, fmt.Errorf("%s has no event", one.ID)
		}
		zone, err := time.LoadLocation(event.TimeZone)
		if err != nil {
			return nil, err
		}
		rooms[i] = &room{Occurrence: &one.Occurrence, event: event, zone: zone, now: tx.Now}
		if !one.Lapsed {
			continue
		}
		offers, err := selectInRoom(ctx, tx, one.ID, Offered)
		if err != nil {
			return nil, err
		}
		for _, offered := range offers {
			if offered.lapsed(tx.Now) {
				rooms[i].move(offered, lapse, *offered.OfferExpiresAt)
			}
		}
		// Seats that came free come to those who wait, not to who happens to come now.
		if err := s.promote(ctx, tx, rooms[i]); err != nil {
			return nil, err
		}
		if err := rooms[i].write(ctx, tx); err != nil {
			return nil, err
		}
	}
	return rooms, nil
}

// free is how many seats nobody has.
func (r *room) free() int {
	if r.Capacity == nil {
		return math.MaxInt32
	}
	return *r.Capacity - r.SeatsTaken - r.taken
}

// offersUntil is from when on nobody is offered anything, nor does an offer stand: booking is over, or it has begun.
func (r *room) offersUntil() time.Time {
	closes := r.event.bookingCloses(r.Occurrence, r.zone)
	if r.StartsAt.Before(closes) {
		return r.StartsAt
	}
	return closes
}

// offering tells whether freed seats are offered now.
func (r *room) offering() bool {
	return r.Status == Scheduled && r.event.Status == Published && r.now.Before(r.offersUntil())
}

// add takes a new booking in.
func (r *room) add(made *Booking) {
	r.count(made, 1)
	r.added = append(r.added, made)
	r.tell(made)
}

// move does action with the booking at an instant; false: that cannot be done with it.
func (r *room) move(booking *Booking, action bookingAction, at time.Time) bool {
	to, ok := booking.Status.after(action)
	if !ok {
		return false
	}
	r.count(booking, -1)
	booking.Status, booking.ChangedAt = to, at
	r.count(booking, 1)
	r.touch(booking)
	r.tell(booking)
	return true
}

// count counts the booking in or out.
func (r *room) count(booking *Booking, sign int) {
	if booking.Status.Holds() {
		r.taken += sign * booking.Seats
	}
	if booking.Status == Waitlisted {
		r.waiting += sign
	}
}

// touch has the booking written.
func (r *room) touch(booking *Booking) {
	if !slices.Contains(r.changed, booking) && !slices.Contains(r.added, booking) {
		r.changed = append(r.changed, booking)
	}
}

// tell puts a notice of what became of the booking.
func (r *room) tell(booking *Booking) {
	payload := outbox.BookingChanged{
		Booking: booking.ID, Occurrence: booking.OccurrenceID, Status: string(booking.Status), Seats: booking.Seats, At: booking.ChangedAt,
	}
	if booking.Status == Offered {
		payload.OfferExpiresAt = booking.OfferExpiresAt
	}
	r.notices = append(r.notices, outbox.Notice{Member: booking.Member, Payload: payload})
}

// promote offers free seats to those who wait, by their rank. Who has more than what is free is passed over and keeps the
// place.
func (s *Service) promote(ctx context.Context, tx *postgres.Tx, r *room) error {
	if !r.offering() || r.free() <= 0 || r.Waitlisted+r.waiting == 0 {
		return nil
	}
	// The line is read as it is with what was done until now.
	if err := r.write(ctx, tx); err != nil {
		return err
	}
	waiting, err := s.line(ctx, tx, r.Occurrence)
	if err != nil {
		return err
	}
	for _, party := range waitlist.Choose(waiting.ordered, r.free()) {
		booking := waiting.bookings[party.Booking]
		ends := waitlist.OfferEnds(r.now, r.event.OfferValidFor.After(r.now, r.zone), r.offersUntil())
		booking.OfferExpiresAt = &ends
		r.move(booking, offer, r.now)
	}
	return nil
}

// leave asks those who wait about seats that came free and writes what was done in the rooms. No lock is taken after it but
// that of the audit.
func (s *Service) leave(ctx context.Context, tx *postgres.Tx, rooms ...*room) error {
	var notices []outbox.Notice
	for _, one := range rooms {
		if err := s.promote(ctx, tx, one); err != nil {
			return err
		}
		if err := one.write(ctx, tx); err != nil {
			return fmt.Errorf("write %s: %w", one.ID, err)
		}
		notices = append(notices, one.notices...)
	}
	return ledger.TellTx(ctx, tx, notices)
}

func (r *room) write(ctx context.Context, tx *postgres.Tx) error {
	if r.taken != 0 || r.waiting != 0 {
		if err := updateCounters(ctx, tx, r.ID, r.taken, r.waiting); err != nil {
			return err
		}
		r.SeatsTaken, r.Waitlisted = r.SeatsTaken+r.taken, r.Waitlisted+r.waiting
		r.taken, r.waiting = 0, 0
	}
	if err := insertBookings(ctx, tx, r.added); err != nil {
		return err
	}
	if err := updateBookings(ctx, tx, r.changed); err != nil {
		return err
	}
	r.added, r.changed = nil, nil
	return nil
}

package club

import (
	"context"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// stake is what a booking is to a caller.
type stake struct {
	// own: it is the caller's. served: the caller serves members. hosted: the caller organizes the event.
	own, served, hosted bool
}

// stake finds out what the booking is to the caller.
func (s *Service) stake(ctx context.Context, tx *postgres.Tx, caller actor.Actor, event *Event, booking *Booking) (stake, error) {
	self, err := s.self(ctx, tx, caller)
	if err != nil {
		return stake{}, err
	}
	hosted, err := organizes(ctx, tx, caller, event)
	return stake{own: self != id.Member{} && self == booking.Member, served: caller.Has(bookers...), hosted: hosted}, err
}

// self is the member that is calling; the zero id if none is.
func (s *Service) self(ctx context.Context, tx *postgres.Tx, caller actor.Actor) (id.Member, error) {
	if !caller.Has(actor.Member) {
		return id.Member{}, nil
	}
	member, err := s.loyalty.SubjectTx(ctx, tx, caller, nil)
	if _, unknown := problem.UserErrors(err); unknown {
		return id.Member{}, nil
	}
	if err != nil {
		return id.Member{}, err
	}
	return member.ID, nil
}

// onBooking does work with a booking under the lock of its occurrence. work returns false if there was nothing to do; may tells
// for whom it is. The audit keeps what was done to a member, not what it did itself.
func (s *Service) onBooking(ctx context.Context, action string, wanted id.Booking, may func(stake) bool,
	work func(*postgres.Tx, *room, *Booking, stake) (bool, error),
) (*BookingAnswer, error) {
	caller, err := actor.Require(ctx, actor.Member, actor.Organizer, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	var answer *BookingAnswer
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		occurrence, err := selectRoomOf(ctx, tx, wanted)
		if err != nil {
			return err
		}
		rooms, err := s.enterAll(ctx, tx, []id.Occurrence{occurrence})
		if err != nil {
			return err
		}
		if len(rooms) == 0 {
			return unknownBooking()
		}
		room := rooms[0]
		bookings, err := selectBookings(ctx, tx, []id.Booking{wanted})
		if err != nil {
			return err
		}
		booking := bookings[0]
		has, err := s.stake(ctx, tx, caller, room.event, booking)
		if err != nil {
			return err
		}
		if !may(has) {
			return unknownBooking()
		}
		before := bookingState(booking)
		changed, err := work(tx, room, booking, has)
		if err != nil {
			return err
		}
		answer = &BookingAnswer{Booking: booking, Replayed: !changed}
		if err := s.leave(ctx, tx, room); err != nil || !changed || has.own {
			return err
		}
		after := bookingState(booking)
		if room.why == nil {
			room.why = booking.Reason
		}
		after["reason"] = room.why
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: action, Object: wanted.String(), Before: before, After: after})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func forHolder(has stake) bool { return has.own || has.served }
func forHost(has stake) bool   { return has.hosted }
func forBoth(has stake) bool   { return has.own || has.served || has.hosted }

func unknownBooking() error {
	return problem.At(problem.UnknownBooking, []string{"bookingId"}, "There is no such booking.")
}

func bookingEnded(status BookingStatus) error {
	return problem.At(problem.BookingEnded, []string{"bookingId"}, "The booking is %s: this cannot be done with it.", status)
}

// AcceptOffer takes the seats that are offered. Accepting again changes nothing. For support, admins and the member itself.
//
// Problems: UNKNOWN_BOOKING, OFFER_EXPIRED, BOOKING_ENDED for a booking that has no offer.
func (s *Service) AcceptOffer(ctx context.Context, wanted id.Booking) (*BookingAnswer, error) {
	return s.onBooking(ctx, "acceptOffer", wanted, forHolder, func(tx *postgres.Tx, room *room, booking *Booking, _ stake) (bool, error) {
		switch {
		case booking.Status == Confirmed && booking.OfferExpiresAt != nil:
			return false, nil
		case booking.Status == OfferExpired:
			return false, problem.At(problem.OfferExpired, []string{"bookingId"}, "The offer has lapsed, and its seats went to the next.")
		case !room.move(booking, accept, tx.Now):
			return false, bookingEnded(booking.Status)
		}
		return true, nil
	})
}

// ReconfirmBooking says that the member comes although the occurrence was moved. Saying so again, or unasked, changes nothing.
// For support, admins and the member itself.
//
// Problems: UNKNOWN_BOOKING, BOOKING_ENDED.
func (s *Service) ReconfirmBooking(ctx context.Context, wanted id.Booking) (*BookingAnswer, error) {
	return s.onBooking(ctx, "reconfirmBooking", wanted, forHolder, func(_ *postgres.Tx, room *room, booking *Booking, _ stake) (bool, error) {
		switch {
		case booking.Status != Confirmed:
			return false, bookingEnded(booking.Status)
		case booking.ReconfirmationRequestedAt == nil:
			return false, nil
		}
		booking.ReconfirmationRequestedAt = nil
		room.touch(booking)
		return true, nil
	})
}

// CancelBookingInput is a booking that is not wanted any more.
type CancelBookingInput struct {
	BookingID id.Booking
	Reason    *string
}

// CancelBooking ends a booking, an offer or a wait, and offers its seats to who waits next. Members cancel what is confirmed
// until the event's deadline, and until the start if it was moved and they have not answered; support does so for them at any
// time, and a host removes. Canceling again changes nothing. For support, admins, the event's organizers and the member itself.
//
// Problems: UNKNOWN_BOOKING, CANCEL_CLOSED, BOOKING_ENDED for one that was checked in, declined or is over, REASON_REQUIRED for
// a reason that is too long.
func (s *Service) CancelBooking(ctx context.Context, input CancelBookingInput) (*BookingAnswer, error) {
	if err := checkNote(input.Reason, "reason"); err != nil {
		return nil, err
	}
	return s.onBooking(ctx, "cancelBooking", input.BookingID, forBoth, func(tx *postgres.Tx, room *room, booking *Booking, has stake) (bool, error) {
		action := cancel
		if has.hosted && !has.own {
			action = remove
		}
		late := !tx.Now.Before(room.event.cancelCloses(room.Occurrence, room.zone))
		if booking.ReconfirmationRequestedAt != nil {
			late = !tx.Now.Before(room.StartsAt)
		}
		switch {
		case booking.Status == CanceledByMember || booking.Status == CanceledByHost:
			return false, nil
		case booking.CheckedInAt != nil:
			return false, problem.At(problem.BookingEnded, []string{"bookingId"}, "The member was checked in.")
		case booking.Status == Confirmed && late && has.own && !has.served:
			return false, problem.At(problem.CancelClosed, []string{"bookingId"}, "It is too late to cancel; ask the host.")
		case !room.move(booking, action, tx.Now):
			return false, bookingEnded(booking.Status)
		}
		booking.Reason = input.Reason
		return true, nil
	})
}

// ReviewBookingInput is a request that a host decides about; Note is for the member.
type ReviewBookingInput struct {
	BookingID id.Booking
	Note      *string
}

// ApproveBooking gives a request its seats, or a place in the line as of when it was made if they are not free. It lets in who
// waits, too, where seats are free: after the start nobody is offered any. Approving again changes nothing. For the event's
// organizers and admins.
//
// Problems: UNKNOWN_BOOKING, EVENT_OVER, FULLY_BOOKED, BOOKING_ENDED, REASON_REQUIRED for a note that is too long.
func (s *Service) ApproveBooking(ctx context.Context, input ReviewBookingInput) (*BookingAnswer, error) {
	if err := checkNote(input.Note, "note"); err != nil {
		return nil, err
	}
	return s.onBooking(ctx, "approveBooking", input.BookingID, forHost, func(tx *postgres.Tx, room *room, booking *Booking, _ stake) (bool, error) {
		if booking.Status == Confirmed {
			return false, nil
		}
		if booking.Status != Requested && booking.Status != Waitlisted {
			return false, bookingEnded(booking.Status)
		}
		if !tx.Now.Before(room.EndsAt) {
			return false, problem.At(problem.EventOver, []string{"bookingId"}, "This is over.")
		}
		to, err := room.seat(booking.Seats)
		switch {
		case err != nil || booking.Status == to:
			return false, problem.At(problem.FullyBooked, []string{"bookingId"}, "Not that many seats are free.")
		case to == Waitlisted:
			booking.WaitingSince = &booking.BookedAt
			return true, done(room.move(booking, queue, tx.Now), booking)
		}
		booking.Reason = input.Note
		return true, done(room.move(booking, approve, tx.Now), booking)
	})
}

// DeclineBooking refuses a request, or one that waits. Declining again changes nothing. For the event's organizers and admins.
//
// Problems: UNKNOWN_BOOKING, BOOKING_ENDED, REASON_REQUIRED for a note that is too long.
func (s *Service) DeclineBooking(ctx context.Context, input ReviewBookingInput) (*BookingAnswer, error) {
	if err := checkNote(input.Note, "note"); err != nil {
		return nil, err
	}
	return s.onBooking(ctx, "declineBooking", input.BookingID, forHost, func(tx *postgres.Tx, room *room, booking *Booking, _ stake) (bool, error) {
		if booking.Status == Declined {
			return false, nil
		}
		booking.Reason = input.Note
		return true, done(room.move(booking, decline, tx.Now), booking)
	})
}

// done is the answer to whether a booking could be moved.
func done(ok bool, booking *Booking) error {
	if !ok {
		return bookingEnded(booking.Status)
	}
	return nil
}

func checkNote(note *string, field string) error {
	if note != nil && !loyalty.Within(*note, loyalty.MaximumReason) {
		return problem.At(problem.ReasonRequired, []string{field}, "Write from 1 to %d characters, or nothing.", loyalty.MaximumReason)
	}
	return nil
}

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

// CompleteOccurrence says who came and who did not: of the confirmed, those whose ticket was shown. Who still waits or asks is
// declined. It is one short transaction; what the members get for coming is recorded behind it, and by AwardAttendance if that
// is interrupted. An organizer does so from the start on. Completing again changes nothing. For the event's organizers and
// admins.
//
// Problems: UNKNOWN_OCCURRENCE, NOT_STARTED, EVENT_CANCELED.
func (s *Service) CompleteOccurrence(ctx context.Context, wanted id.Occurrence) (*Occurrence, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Admin)
	if err != nil {
		return nil, err
	}
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		room, err := s.enter(ctx, tx, wanted)
		if err != nil {
			return err
		}
		hosted, err := organizes(ctx, tx, caller, room.event)
		switch {
		case err != nil:
			return err
		case !hosted:
			return unknownOccurrence()
		case room.Status == Completed:
			return s.leave(ctx, tx, room)
		case room.Status == OccurrenceCanceled:
			return problem.At(problem.EventCanceled, []string{"occurrenceId"}, "What does not take place has no attendance.")
		case tx.Now.Before(room.StartsAt):
			return problem.At(problem.NotStarted, []string{"occurrenceId"}, "This has not begun.")
		}
		if err := s.complete(ctx, tx, room); err != nil {
			return err
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{
			Action: "completeOccurrence", Object: wanted.String(), Before: map[string]any{"status": Scheduled}, After: map[string]any{"status": Completed},
		})
	})
	if err != nil {
		return nil, err
	}
	if err := s.awardAll(ctx, wanted); err != nil {
		return nil, err
	}
	return selectCompleted(ctx, s.db, wanted)
}

// complete marks everybody and closes the room.
func (s *Service) complete(ctx context.Context, tx *postgres.Tx, room *room) error {
	bookings, err := selectInRoom(ctx, tx, room.ID, Requested, Confirmed, Waitlisted, Offered)
	if err != nil {
		return err
	}
	var came []*Booking
	for _, booking := range bookings {
		switch {
		case booking.Status == Confirmed && booking.CheckedInAt != nil:
			room.move(booking, attend, tx.Now)
			came = append(came, booking)
		case booking.Status == Confirmed:
			room.move(booking, miss, tx.Now)
		case booking.Status == Offered:
			room.move(booking, lapse, tx.Now)
		default:
			room.move(booking, decline, tx.Now)
		}
	}
	if err := s.attended(ctx, tx, room, came); err != nil {
		return err
	}
	room.Status, room.CompletedAt = Completed, &tx.Now
	if err := updateCompleted(ctx, tx, room.ID); err != nil {
		return err
	}
	return s.leave(ctx, tx, room)
}

// CompleteEnded completes at most so many occurrences that have ended, and returns how many, 0: there are none left. Each is a
// transaction of its own: it can be stopped and repeated at any time. What coming is worth is left to AwardAttendance. For
// admins; a job calls it.
func (s *Service) CompleteEnded(ctx context.Context, limit int) (int, error) {
	caller, err := actor.Require(ctx, actor.Admin)
	if err != nil {
		return 0, err
	}
	ended, err := selectEnded(ctx, s.db, s.now(), limit)
	if err != nil {
		return 0, err
	}
	for done, wanted := range ended {
		if err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
			room, err := s.enter(ctx, tx, wanted)
			if err != nil {
				return err
			}
			if room.Status != Scheduled || tx.Now.Before(room.EndsAt) {
				return s.leave(ctx, tx, room)
			}
			if err := s.complete(ctx, tx, room); err != nil {
				return err
			}
			return audit.RecordTx(ctx, tx, caller, audit.Change{
				Action: "completeOccurrence", Object: wanted.String(), Before: map[string]any{"status": Scheduled},
				After: map[string]any{"status": Completed},
			})
		}); err != nil {
			return done, err
		}
	}
	return len(ended), nil
}

// CorrectAttendanceInput says of a booking whether its member came after all.
type CorrectAttendanceInput struct {
	BookingID id.Booking
	Attended  bool
	Reason    string
}

// CorrectAttendance corrects whether the member of a booking came; what it got for that follows: it is given, or taken back.
// Saying what is said already changes nothing. For the event's organizers and admins.
//
// Problems: UNKNOWN_BOOKING, REASON_REQUIRED, NOT_COMPLETED before the occurrence is, BOOKING_ENDED for one that was not
// confirmed.
func (s *Service) CorrectAttendance(ctx context.Context, input CorrectAttendanceInput) (*BookingAnswer, error) {
	if !loyalty.Within(input.Reason, loyalty.MaximumReason) {
		return nil, problem.At(problem.ReasonRequired, []string{"reason"}, "Give a reason of 1 to %d characters.", loyalty.MaximumReason)
	}
	answer, err := s.onBooking(ctx, "correctAttendance", input.BookingID, forHost, func(tx *postgres.Tx, room *room, booking *Booking, _ stake) (bool, error) {
		switch {
		case room.Status != Completed:
			return false, problem.At(problem.NotCompleted, []string{"bookingId"}, "Complete the occurrence first.")
		case booking.Status != Attended && booking.Status != NoShow:
			return false, bookingEnded(booking.Status)
		case (booking.Status == Attended) == input.Attended:
			return false, nil
		}
		room.why = &input.Reason
		if input.Attended {
			room.move(booking, attend, tx.Now)
			return true, s.attended(ctx, tx, room, []*Booking{booking})
		}
		room.move(booking, miss, tx.Now)
		return true, revokeAttendance(ctx, tx, booking.ID)
	})
	if err != nil {
		return nil, err
	}
	return answer, s.awardAll(ctx, answer.Booking.OccurrenceID)
}

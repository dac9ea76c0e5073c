package club

import (
	"context"
	"time"

	"regulars/internal/id"
	"regulars/internal/outbox"
	"regulars/internal/postgres"
)

// moved asks those booked on occurrences that were moved to confirm anew, tells all who have a stake in them, and ends offers
// with what is offered. The occurrences are locked, and no lock is taken after it.
func (s *Service) moved(ctx context.Context, tx *postgres.Tx, occurrences []id.Occurrence) error {
	rooms, err := s.enterAll(ctx, tx, occurrences)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		bookings, err := selectInRoom(ctx, tx, room.ID, Requested, Confirmed, Waitlisted, Offered)
		if err != nil {
			return err
		}
		for _, booking := range bookings {
			if booking.Status == Confirmed {
				// Who was let in before has not come to what takes place now.
				booking.ReconfirmationRequestedAt, booking.CheckedInAt = &tx.Now, nil
				room.touch(booking)
			}
			room.clip(booking)
			room.notices = append(room.notices, outbox.Notice{Member: booking.Member, Payload: outbox.BookingMoved{
				Booking: booking.ID, Occurrence: room.ID, StartsAt: room.StartsAt, Reconfirm: booking.Status == Confirmed, At: tx.Now,
			}})
			if booking.lapsed(tx.Now) {
				room.move(booking, lapse, tx.Now)
			}
		}
	}
	return s.leave(ctx, tx, rooms...)
}

// clip ends an offer with what is offered.
func (r *room) clip(booking *Booking) {
	if until := r.offersUntil(); booking.Status == Offered && booking.OfferExpiresAt.After(until) {
		booking.OfferExpiresAt = &until
		r.touch(booking)
	}
}

// reset ends offers that an event's new terms do not let stand, and offers what they do.
func (s *Service) reset(ctx context.Context, tx *postgres.Tx, event id.Event) error {
	occurrences, err := selectAsked(ctx, tx, event)
	if err != nil {
		return err
	}
	rooms, err := s.enterAll(ctx, tx, occurrences)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		offers, err := selectInRoom(ctx, tx, room.ID, Offered)
		if err != nil {
			return err
		}
		for _, offered := range offers {
			if room.clip(offered); offered.lapsed(tx.Now) {
				room.move(offered, lapse, tx.Now)
			}
		}
	}
	return s.leave(ctx, tx, rooms...)
}

// capacityRaised offers seats to who waits for occurrences that have more of them now. The occurrences are locked, and no
// lock is taken after it.
func (s *Service) capacityRaised(ctx context.Context, tx *postgres.Tx, occurrences []id.Occurrence) error {
	rooms, err := s.enterAll(ctx, tx, occurrences)
	if err != nil {
		return err
	}
	return s.leave(ctx, tx, rooms...)
}

// hostCanceled cancels all live bookings of occurrences that do not take place any more, and tells whoever had one. The
// occurrences are locked, and no lock is taken after it.
func (s *Service) hostCanceled(ctx context.Context, tx *postgres.Tx, occurrences []id.Occurrence, reason string) error {
	rooms, err := s.enterAll(ctx, tx, occurrences)
	if err != nil {
		return err
	}
	for _, room := range rooms {
		bookings, err := selectInRoom(ctx, tx, room.ID, Requested, Confirmed, Waitlisted, Offered)
		if err != nil {
			return err
		}
		for _, booking := range bookings {
			booking.Reason = &reason
			room.move(booking, remove, tx.Now)
		}
	}
	return s.leave(ctx, tx, rooms...)
}

// seated returns the ids of the bookings that hold seats of an occurrence, as the API shows them, oldest first. The occurrence
// is locked.
func (s *Service) seated(ctx context.Context, tx *postgres.Tx, occurrence id.Occurrence) ([]string, error) {
	bookings, err := selectInRoom(ctx, tx, occurrence, Confirmed, Offered, Attended, NoShow)
	texts := make([]string, len(bookings))
	for i, booking := range bookings {
		texts[i] = booking.ID.String()
	}
	return texts, err
}

// booked returns the occurrences that a member comes or came to, and those that it had booked and that were canceled since an
// instant. Who only asks or waits has nothing in its calendar.
func (s *Service) booked(ctx context.Context, q postgres.Runner, member id.Member, since time.Time) ([]id.Occurrence, error) {
	return selectBooked(ctx, q, member, since)
}

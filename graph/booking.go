package graph

import (
	"context"

	"regulars/club"
	"regulars/graph/generated"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/problem"
)

func bookingPayload(answer *club.BookingAnswer, err error) (*generated.BookingPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.BookingPayload{UserErrors: problems}, err
	}
	return &generated.BookingPayload{Booking: answer.Booking, Replayed: &answer.Replayed}, nil
}

func checkInPayload(answer *club.CheckInAnswer, err error) (*generated.CheckInPayload, error) {
	problems, err := refused(err)
	if answer == nil || err != nil {
		return &generated.CheckInPayload{UserErrors: problems}, err
	}
	return &generated.CheckInPayload{Booking: answer.Booking, Result: &answer.Result, Replayed: &answer.Replayed}, nil
}

// bookings is a page of an occurrence's bookings.
func (l *loaders) bookings(ctx context.Context, occurrence *club.Occurrence, statuses []club.BookingStatus, first *int, after *string) (*club.BookingConnection, error) {
	return l.roomBookings.load(ctx, occurrence, []any{statuses, first, after}, func(ctx context.Context, occurrences []*club.Occurrence) (map[*club.Occurrence]*club.BookingConnection, error) {
		return l.club.Bookings(ctx, occurrences, statuses, first, after)
	})
}

// booked is a page of a member's bookings.
func (l *loaders) booked(ctx context.Context, member id.Member, statuses []club.BookingStatus, first *int, after *string) (*club.BookingConnection, error) {
	return l.memberBookings.load(ctx, member, []any{statuses, first, after}, func(ctx context.Context, members []id.Member) (map[id.Member]*club.BookingConnection, error) {
		return l.club.MemberBookings(ctx, members, statuses, first, after)
	})
}

// line is who waits for an occurrence, the first of them, nil for whoever may not see it.
func (l *loaders) line(ctx context.Context, occurrence *club.Occurrence, first *int) ([]*club.Booking, error) {
	size := page.DefaultSize
	if first != nil {
		size = *first
	}
	if size < 0 || size > page.MaximumSize {
		return nil, problem.BadUserInput("first must be from 0 to %d", page.MaximumSize)
	}
	waiting, err := l.lines.Load(ctx, occurrence)
	if waiting == nil || err != nil {
		return nil, err
	}
	return (*waiting)[:min(size, len(*waiting))], nil
}

// position is where a booking stands in the line, nil for one that does not wait.
func (l *loaders) position(ctx context.Context, booking *club.Booking) (*int, error) {
	place, err := l.places.Load(ctx, booking)
	if place == nil || err != nil {
		return nil, err
	}
	return &place.Position, nil
}

// positionReason is why it stands there.
func (l *loaders) positionReason(ctx context.Context, booking *club.Booking) (*string, error) {
	place, err := l.places.Load(ctx, booking)
	if place == nil || err != nil {
		return nil, err
	}
	return &place.Reason, nil
}

// seatsTaken is by the clock: nobody holds the seats of an offer that has lapsed.
func (l *loaders) seatsTaken(ctx context.Context, occurrence *club.Occurrence) (int, error) {
	lapsed, err := l.lapsedSeats.Load(ctx, occurrence.ID)
	if lapsed == nil || err != nil {
		return occurrence.SeatsTaken, err
	}
	return occurrence.SeatsTaken - *lapsed, nil
}

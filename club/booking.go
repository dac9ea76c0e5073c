package club

import (
	"context"
	"time"

	"regulars/internal/actor"
	"regulars/internal/audit"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
)

// Booking is a member's place in one occurrence. It never disappears: what ends it is a status.
type Booking struct {
	ID           id.Booking    `db:"id"`
	OccurrenceID id.Occurrence `db:"occurrence_id"`
	Member       id.Member     `db:"member_id"`
	// Seats are the member's and its guests'.
	Seats int `db:"seats"`
	// Status is by the clock of when it was read.
	Status   BookingStatus `db:"status"`
	BookedAt time.Time     `db:"booked_at"`
	BookedBy string        `db:"booked_by"`
	// ChangedAt is when the status last changed.
	ChangedAt time.Time `db:"changed_at"`
	// WaitingSince is from when on it has waited for seats; nil: it never did.
	WaitingSince *time.Time `db:"waiting_since"`
	// OfferExpiresAt is from when an offer does not stand any more; nil: it never had one.
	OfferExpiresAt *time.Time `db:"offer_expires_at"`
	// ReconfirmationRequestedAt is since when the member is asked whether it still comes; nil: it is not. No answer loses nothing.
	ReconfirmationRequestedAt *time.Time `db:"reconfirmation_requested_at"`
	// CheckedInAt is when the ticket was first shown at the door; nil: it was not.
	CheckedInAt *time.Time `db:"checked_in_at"`
	// Reason is why it was declined or canceled; nil: none was given.
	Reason *string `db:"reason"`
}

// IsNode marks the booking as one of the API's nodes.
func (Booking) IsNode() {}

// Owner returns the member who booked.
func (b *Booking) Owner() id.Member { return b.Member }

// see makes the status that of t: an offer lapses whether or not anything posted it.
func (b *Booking) see(t time.Time) *Booking {
	if b.lapsed(t) {
		b.Status, b.ChangedAt = OfferExpired, *b.OfferExpiresAt
	}
	return b
}

func (b *Booking) lapsed(t time.Time) bool {
	return b.Status == Offered && !t.Before(*b.OfferExpiresAt)
}

// BookInput is seats that a member wants; without Member it is the caller itself.
type BookInput struct {
	OccurrenceID   id.Occurrence
	Member         *loyalty.MemberRef
	Seats          int
	IdempotencyKey string
}

// BookingAnswer answers what was done with a booking.
type BookingAnswer struct {
	Booking  *Booking
	Replayed bool
}

// booking may be done for others by these; a member books for itself.
var bookers = []actor.Grant{actor.Support, actor.Admin}

// Book books seats in an occurrence: CONFIRMED if they are free, REQUESTED if a host approves first, else WAITLISTED. A member
// books for itself, within the event's windows; support and admins for anybody, whom neither windows nor approval hold up.
// Nobody books beyond the capacity.
//
// Problems: UNKNOWN_OCCURRENCE, UNKNOWN_MEMBER, INVALID_SEATS, EVENT_CANCELED, EVENT_OVER, NOT_OPEN, TIER_TOO_LOW,
// ALREADY_BOOKED, FULLY_BOOKED where there is no waiting list, INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) Book(ctx context.Context, input BookInput) (*BookingAnswer, error) {
	caller, err := actor.Require(ctx, append([]actor.Grant{actor.Member}, bookers...)...)
	if err != nil {
		return nil, err
	}
	var problems problem.Problems
	if idempotency.Check(&problems, input.IdempotencyKey); input.Seats < 1 || input.Seats > maximumPerBooking {
		problems.Add(problem.InvalidSeats, []string{"seats"}, "Book from 1 seat to %d.", maximumPerBooking)
	}
	if len(problems) > 0 {
		return nil, problems
	}
	var answer *BookingAnswer
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		member, err := s.loyalty.SubjectTx(ctx, tx, caller, input.Member, "member")
		if err != nil {
			return err
		}
		// Everybody who books waits for the occurrence: what does not need its lock is read before.
		held, ladder, err := s.loyalty.HeldTiersTx(ctx, tx, []id.Member{member.ID})
		if err != nil {
			return err
		}
		room, err := s.enter(ctx, tx, input.OccurrenceID)
		if err != nil {
			return err
		}
		made := &Booking{
			ID: id.New[id.Booking](), OccurrenceID: input.OccurrenceID, Member: member.ID, Seats: input.Seats, BookedAt: tx.Now,
			BookedBy: caller.Caller, ChangedAt: tx.Now,
		}
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "book", Key: input.IdempotencyKey,
			Input: map[string]any{"occurrence": input.OccurrenceID.String(), "member": member.ID.String(), "seats": input.Seats},
		}}, []id.Booking{made.ID})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return claims[0].Problem
		case claims[0].Replayed:
			if answer, err = replayBooking(ctx, tx, claims[0].Made); err != nil {
				return err
			}
			// What had lapsed when the room was entered is told all the same.
			return s.leave(ctx, tx, room)
		}
		booked, err := selectLive(ctx, tx, input.OccurrenceID, member.ID)
		if err != nil {
			return err
		}
		who := &guest{tier: held[member.ID], ladder: ladder, booked: booked != nil, hosted: caller.Has(bookers...)}
		if made.Status, err = room.admit(who, input.Seats, tx.Now); err != nil {
			return err
		}
		if made.Status == Waitlisted {
			made.WaitingSince = &tx.Now
		}
		room.add(made)
		if err := s.leave(ctx, tx, room); err != nil {
			return err
		}
		answer = &BookingAnswer{Booking: made}
		if !who.hosted {
			return nil
		}
		return audit.RecordTx(ctx, tx, caller, audit.Change{Action: "book", Object: made.ID.String(), After: bookingState(made)})
	})
	if err != nil {
		return nil, err
	}
	return answer, nil
}

func replayBooking(ctx context.Context, tx *postgres.Tx, wanted id.Booking) (*BookingAnswer, error) {
	found, err := selectBookings(ctx, tx, []id.Booking{wanted})
	if err != nil {
		return nil, err
	}
	return &BookingAnswer{Booking: found[0].see(tx.Now), Replayed: true}, nil
}

// bookingState is what the audit keeps of a booking.
func bookingState(b *Booking) map[string]any {
	return map[string]any{"occurrence": b.OccurrenceID.String(), "member": b.Member.String(), "seats": b.Seats, "status": b.Status}
}

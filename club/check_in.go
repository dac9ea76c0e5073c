package club

import (
	"context"
	"strings"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/idempotency"
	"regulars/internal/postgres"
	"regulars/internal/problem"
)

// CheckInResult is what a door is told of a ticket.
type CheckInResult string

// The results of showing a ticket.
const (
	Admitted        CheckInResult = "ADMITTED"
	AlreadyIn       CheckInResult = "ALREADY_IN"
	NotBooked       CheckInResult = "NOT_BOOKED"
	WrongOccurrence CheckInResult = "WRONG_OCCURRENCE"
	TicketCanceled  CheckInResult = "CANCELED"
	InvalidTicket   CheckInResult = "INVALID_TICKET"
	TooEarly        CheckInResult = "TOO_EARLY"
)

const (
	maximumTicket = 2000
	// clockTolerance is how far ahead of ours the clock of a scanner may be.
	clockTolerance = 5 * time.Minute
)

// doors may check in at any door; organizers at those of their events.
var doors = []actor.Grant{actor.Organizer, actor.Admin, actor.CheckInWrite}

// CheckInInput is a ticket that was shown at the door of an occurrence.
type CheckInInput struct {
	Ticket       string
	OccurrenceID id.Occurrence
	// ScannedAt is when it was shown, by the scanner's clock.
	ScannedAt time.Time
	// Nonce makes a retry the same scan: unique per caller.
	Nonce string
	// Offline tells that the scanner decided by itself and tells of it later.
	Offline bool
}

// Scan is what was done with a ticket. It never changes.
type Scan struct {
	ID           id.Scan       `db:"id"`
	OccurrenceID id.Occurrence `db:"occurrence_id"`
	// BookingID is nil for a ticket that is none.
	BookingID  *id.Booking   `db:"booking_id"`
	Result     CheckInResult `db:"result"`
	Offline    bool          `db:"offline"`
	ScannedAt  time.Time     `db:"scanned_at"`
	RecordedAt time.Time     `db:"recorded_at"`
	ScannedBy  string        `db:"scanned_by"`
}

// CheckInAnswer answers a scan: Booking is nil for a ticket that is not of this occurrence.
type CheckInAnswer struct {
	Booking  *Booking
	Result   CheckInResult
	Replayed bool
}

// CheckIn takes note of a ticket that was shown, and says whether its holder is let in. Scans are facts with their own time:
// told days later, after the occurrence was completed, one still makes an attendance of a no-show. For the event's organizers,
// admins and CheckInWrite.
//
// Problems: UNKNOWN_OCCURRENCE, OCCURRED_IN_FUTURE, EVENT_OVER for a ticket that was shown after the end,
// INVALID_IDEMPOTENCY_KEY, IDEMPOTENCY_KEY_REUSED.
func (s *Service) CheckIn(ctx context.Context, input CheckInInput) (*CheckInAnswer, error) {
	caller, err := actor.Require(ctx, doors...)
	if err != nil {
		return nil, err
	}
	var problems problem.Problems
	if idempotency.Check(&problems, input.Nonce); len(problems) > 0 {
		return nil, atNonce(problem.InvalidIdempotencyKey, "A nonce has 1 to %d characters.", idempotency.MaximumKeyLength)
	}
	var shown *ticket
	if text := strings.TrimSpace(input.Ticket); len(text) <= maximumTicket {
		if shown, err = s.readTicket(ctx, text); err != nil {
			return nil, err
		}
	}
	var answer *CheckInAnswer
	late := false
	err = s.db.InTx(ctx, func(tx *postgres.Tx) error {
		room, err := s.enter(ctx, tx, input.OccurrenceID)
		if err != nil {
			return err
		}
		if hosted, err := organizes(ctx, tx, caller, room.event); err != nil || !hosted && !caller.Has(actor.CheckInWrite) {
			if err == nil {
				err = unknownOccurrence()
			}
			return err
		}
		scan := &Scan{
			ID: id.New[id.Scan](), OccurrenceID: room.ID, Offline: input.Offline, RecordedAt: tx.Now, ScannedBy: caller.Caller,
			ScannedAt: input.ScannedAt.UTC().Truncate(time.Microsecond),
		}
		if scan.ScannedAt.After(tx.Now.Add(clockTolerance)) {
			return problem.At(problem.OccurredInFuture, []string{"scannedAt"}, "This lies more than 5 minutes in the future.")
		}
		claims, err := idempotency.Claim(ctx, tx, []idempotency.Request{{
			Caller: caller.Caller, Operation: "checkIn", Key: input.Nonce,
			Input: map[string]any{"ticket": input.Ticket, "occurrence": room.ID.String(), "scannedAt": input.ScannedAt},
		}}, []id.Scan{scan.ID})
		switch {
		case err != nil:
			return err
		case claims[0].Problem != nil:
			return atNonce(problem.IdempotencyKeyReused, "This nonce was used before with another ticket.")
		case claims[0].Replayed:
			if answer, err = replayScan(ctx, tx, claims[0].Made); err != nil {
				return err
			}
			return s.leave(ctx, tx, room)
		}
		if answer, late, err = s.scan(ctx, tx, room, scan, shown); err != nil {
			return err
		}
		if err := insertScan(ctx, tx, scan); err != nil {
			return err
		}
		return s.leave(ctx, tx, room)
	})
	if err != nil {
		return nil, err
	}
	if late {
		err = s.awardAll(ctx, input.OccurrenceID)
	}
	return answer, err
}

func atNonce(code problem.Code, format string, arguments ...any) error {
	return problem.At(code, []string{"nonce"}, format, arguments...)
}

func replayScan(ctx context.Context, tx *postgres.Tx, wanted id.Scan) (*CheckInAnswer, error) {
	scan, err := selectScan(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	answer := &CheckInAnswer{Result: scan.Result, Replayed: true}
	if scan.BookingID == nil {
		return answer, nil
	}
	found, err := selectBookings(ctx, tx, []id.Booking{*scan.BookingID})
	if err == nil {
		answer.Booking = found[0].see(tx.Now)
	}
	return answer, err
}

// scan decides about a ticket. It returns true if an attendance came of it that is to be recorded now.
func (s *Service) scan(ctx context.Context, tx *postgres.Tx, room *room, scan *Scan, shown *ticket) (*CheckInAnswer, bool, error) {
	answer := func(result CheckInResult, booking *Booking) *CheckInAnswer {
		scan.Result = result
		if booking != nil {
			scan.BookingID = &booking.ID
		}
		return &CheckInAnswer{Result: result, Booking: booking}
	}
	if shown == nil {
		return answer(InvalidTicket, nil), false, nil
	}
	if shown.Occurrence != room.ID {
		return answer(WrongOccurrence, nil), false, nil
	}
	bookings, err := selectBookings(ctx, tx, []id.Booking{shown.Booking})
	if err != nil || len(bookings) == 0 {
		return answer(InvalidTicket, nil), false, err
	}
	booking := bookings[0]
	result := room.door(booking, scan.ScannedAt)
	if !scan.ScannedAt.Before(room.EndsAt) && result == Admitted {
		return nil, false, problem.At(problem.EventOver, []string{"scannedAt"}, "This was over by then.")
	}
	late := false
	// Of two doors that were offline the later one to tell may have been the first.
	if result == AlreadyIn && booking.CheckedInAt.After(scan.ScannedAt) && !scan.ScannedAt.Before(room.doorOpens()) {
		booking.CheckedInAt = &scan.ScannedAt
		room.touch(booking)
	}
	if result == Admitted {
		booking.CheckedInAt = &scan.ScannedAt
		room.touch(booking)
		if booking.Status == NoShow {
			room.move(booking, attend, tx.Now)
			late = true
			err = s.attended(ctx, tx, room, []*Booking{booking})
		}
	}
	return answer(result, booking), late, err
}

func (r *room) doorOpens() time.Time {
	return r.event.CheckInOpensBefore.Before(r.StartsAt, r.zone)
}

// door says whether the booking's ticket, shown at t, lets its holder in.
func (r *room) door(booking *Booking, t time.Time) CheckInResult {
	switch {
	case r.Status == OccurrenceCanceled || booking.Status == CanceledByMember || booking.Status == CanceledByHost:
		return TicketCanceled
	case booking.Status != Confirmed && booking.Status != Attended && booking.Status != NoShow:
		return NotBooked
	case booking.CheckedInAt != nil:
		return AlreadyIn
	case t.Before(r.doorOpens()):
		return TooEarly
	}
	return Admitted
}

// Door counts the seats of an occurrence as somebody at its door sees them.
type Door struct {
	// Expected are the seats of confirmed bookings, Arrived those of them that were checked in.
	Expected int `db:"expected"`
	Arrived  int `db:"arrived"`
}

// Doors counts who has arrived at those of the occurrences whose events the caller organizes; CheckInWrite sees all. For
// organizers, admins and CheckInWrite.
func (s *Service) Doors(ctx context.Context, occurrences []*Occurrence) (map[*Occurrence]*Door, error) {
	caller, err := actor.Require(ctx, doors...)
	if err != nil {
		return nil, err
	}
	hosted, err := s.hosted(ctx, caller, occurrences)
	if err != nil {
		return nil, err
	}
	var wanted []id.Occurrence
	for _, one := range occurrences {
		if hosted[one.EventID] || caller.Has(actor.CheckInWrite) {
			wanted = append(wanted, one.ID)
		}
	}
	counts, err := countDoors(ctx, s.db, wanted)
	answers := make(map[*Occurrence]*Door, len(wanted))
	for _, one := range occurrences {
		if hosted[one.EventID] || caller.Has(actor.CheckInWrite) {
			door := counts[one.ID]
			answers[one] = &door
		}
	}
	return answers, err
}

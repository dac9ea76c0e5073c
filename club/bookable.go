package club

import (
	"context"
	"fmt"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty/tiers"
)

// Bookability says whether the viewing member can book an occurrence now.
type Bookability struct {
	Can bool
	// Code says why not; nil if it can.
	Code *problem.Code
	// Reason says why not as a sentence that a member understands or, if it can, what will come of it; nil: a seat.
	Reason *string
	// OpensAt is from when on it can, if it only has to wait; nil: that is not so.
	OpensAt *time.Time
}

// guest is what of a member decides whether it can book.
type guest struct {
	tier   tiers.Tier
	ladder tiers.Ladder
	// booked tells that it has a live booking.
	booked bool
	// hosted tells that staff books for it: neither windows nor approval hold it up.
	hosted bool
}

// refusal is why an occurrence cannot be booked.
type refusal struct {
	code   problem.Code
	reason string
	opens  *time.Time
}

func (r *refusal) problem() error {
	return problem.At(r.code, []string{"occurrenceId"}, "%s", r.reason)
}

const minuteLayout = "2 January 2006, 15:04"

// bookingCloses is from when on nobody books any more.
func (e *Event) bookingCloses(o *Occurrence, zone *time.Location) time.Time {
	if e.BookingClosesBefore == nil {
		return o.EndsAt
	}
	return e.BookingClosesBefore.Before(o.StartsAt, zone)
}

// cancelCloses is from when on members do not cancel what is confirmed any more.
func (e *Event) cancelCloses(o *Occurrence, zone *time.Location) time.Time {
	if e.CancelClosesBefore == nil {
		return o.StartsAt
	}
	return e.CancelClosesBefore.Before(o.StartsAt, zone)
}

// judge says why who cannot book the occurrence at t; nil: it can. Booking and telling beforehand both ask here.
func (e *Event) judge(o *Occurrence, who *guest, t time.Time, zone *time.Location) *refusal {
	refuse := func(code problem.Code, format string, arguments ...any) *refusal {
		return &refusal{code: code, reason: fmt.Sprintf(format, arguments...)}
	}
	switch {
	case o.Status == OccurrenceCanceled || e.Status == EventCanceled:
		return refuse(problem.EventCanceled, "This does not take place.")
	case o.Status == Completed || !t.Before(o.EndsAt):
		return refuse(problem.EventOver, "This is over.")
	case who.booked:
		return refuse(problem.AlreadyBooked, "There is a booking already.")
	case who.hosted:
		return nil
	case e.Status != Published:
		return refuse(problem.NotOpen, "This is not published yet.")
	}
	if closes := e.bookingCloses(o, zone); !t.Before(closes) {
		return refuse(problem.NotOpen, "Booking closed on %s.", closes.In(zone).Format(minuteLayout))
	}
	return e.judgeWindows(o, who, t, zone)
}

func (e *Event) judgeWindows(o *Occurrence, who *guest, t time.Time, zone *time.Location) *refusal {
	if e.BookingWindows == nil {
		return nil
	}
	var opens *time.Time
	var least *tiers.Tier
	for _, window := range e.BookingWindows {
		if window.MinTierID != nil {
			tier, known := who.ladder.Tier(*window.MinTierID)
			if !known {
				continue
			}
			if who.tier.Rank < tier.Rank {
				if least == nil || tier.Rank < least.Rank {
					least = &tier
				}
				continue
			}
		}
		at := window.OpensBefore.Before(o.StartsAt, zone)
		// What an organizer says of a tier is said; what is for everybody opens earlier for tiers that have this benefit.
		if early := who.tier.EarlyBooking; early != nil && window.MinTierID == nil {
			at = early.Before(at, zone)
		}
		if opens == nil || at.Before(*opens) {
			opens = &at
		}
	}
	switch {
	case opens != nil && !t.Before(*opens):
		return nil
	case opens != nil:
		return &refusal{
			code: problem.NotOpen, reason: fmt.Sprintf("Booking opens on %s.", opens.In(zone).Format(minuteLayout)), opens: opens,
		}
	case least != nil:
		return &refusal{code: problem.TierTooLow, reason: fmt.Sprintf("This is for %s and above.", least.Name)}
	}
	return &refusal{code: problem.NotOpen, reason: "Nobody can book this."}
}

// admit decides what a booking of so many seats begins as.
func (r *room) admit(who *guest, seats int, t time.Time) (BookingStatus, error) {
	if refused := r.event.judge(r.Occurrence, who, t, r.zone); refused != nil {
		return "", refused.problem()
	}
	most := r.event.SeatsPerBooking
	if r.Capacity != nil && *r.Capacity < most {
		most = *r.Capacity
	}
	if seats > most {
		return "", problem.At(problem.InvalidSeats, []string{"seats"}, "A booking has at most %d of these seats.", most)
	}
	if r.event.RequiresApproval && !who.hosted {
		return Requested, nil
	}
	return r.seat(seats)
}

// seat is what becomes of a party that may come: it has its seats or waits for them.
func (r *room) seat(seats int) (BookingStatus, error) {
	switch {
	case seats <= r.free():
		return Confirmed, nil
	case r.event.Waitlist && r.offering():
		return Waitlisted, nil
	}
	return "", problem.At(problem.FullyBooked, []string{"occurrenceId"}, "Not that many seats are free.")
}

// Bookabilities says of each occurrence whether the viewing member can book it now. Who is no member is told whether somebody of
// the lowest tier can. For everybody who has signed in.
func (s *Service) Bookabilities(ctx context.Context, occurrences []*Occurrence) (map[*Occurrence]*Bookability, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	answers := make(map[*Occurrence]*Bookability, len(occurrences))
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		events, err := selectTermsOf(ctx, tx, occurrences)
		if err != nil {
			return err
		}
		who, booked, err := s.guest(ctx, tx, caller, occurrences)
		if err != nil {
			return err
		}
		wanted := make([]id.Occurrence, len(occurrences))
		for i, one := range occurrences {
			wanted[i] = one.ID
		}
		lapsed, err := selectLapsedSeats(ctx, tx, wanted, tx.Now)
		if err != nil {
			return err
		}
		for _, one := range occurrences {
			event, ok := events[one.EventID]
			if !ok {
				return fmt.Errorf("%s has no event", one.ID)
			}
			zone, err := time.LoadLocation(event.TimeZone)
			if err != nil {
				return err
			}
			this := *who
			this.booked = booked[one.ID] != nil && booked[one.ID].see(tx.Now).Status.Live()
			answers[one] = event.bookability(one, &this, lapsed[one.ID], tx.Now, zone)
		}
		return nil
	})
	return answers, err
}

// bookability says what to expect of booking where offers of so many seats have lapsed that were not posted.
func (e *Event) bookability(o *Occurrence, who *guest, lapsed int, t time.Time, zone *time.Location) *Bookability {
	refused := e.judge(o, who, t, zone)
	here := &room{Occurrence: o, event: e, zone: zone, now: t, taken: -lapsed}
	waits := "All seats are taken: you would be on the waiting list."
	asks := "A host approves bookings."
	switch {
	case refused != nil:
		return &Bookability{Code: &refused.code, Reason: &refused.reason, OpensAt: refused.opens}
	case e.RequiresApproval:
		return &Bookability{Can: true, Reason: &asks}
	case here.free() > 0 && (lapsed == 0 || o.Waitlisted == 0):
		return &Bookability{Can: true}
	case e.Waitlist && here.offering():
		return &Bookability{Can: true, Reason: &waits}
	}
	code, reason := problem.FullyBooked, "All seats are taken."
	return &Bookability{Code: &code, Reason: &reason}
}

// guest reads what decides about the viewing member, and what it has booked.
func (s *Service) guest(ctx context.Context, tx *postgres.Tx, caller actor.Actor, occurrences []*Occurrence) (*guest, map[id.Occurrence]*Booking, error) {
	who := &guest{}
	var member []id.Member
	if caller.Has(actor.Member) {
		viewer, err := s.loyalty.SubjectTx(ctx, tx, caller, nil)
		if _, unknown := problem.UserErrors(err); err != nil && !unknown {
			return nil, nil, err
		}
		if viewer != nil {
			member = append(member, viewer.ID)
		}
	}
	held, ladder, err := s.loyalty.HeldTiersTx(ctx, tx, member)
	if err != nil {
		return nil, nil, err
	}
	who.tier, who.ladder = ladder.Base(), ladder
	if len(member) == 0 {
		return who, nil, nil
	}
	if tier, ok := held[member[0]]; ok {
		who.tier = tier
	}
	wanted := make([]id.Occurrence, len(occurrences))
	for i, one := range occurrences {
		wanted[i] = one.ID
	}
	booked, err := selectLatest(ctx, tx, member[0], wanted)
	return who, booked, err
}

// ViewerBookings returns the viewing member's booking of each occurrence: the live one, else the last. For everybody who has
// signed in.
func (s *Service) ViewerBookings(ctx context.Context, wanted []id.Occurrence) (map[id.Occurrence]*Booking, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	viewer, err := s.loyalty.Viewer(ctx)
	if err != nil || viewer == nil {
		return nil, err
	}
	booked, err := selectLatest(ctx, s.db, viewer.ID, wanted)
	now := s.now()
	for _, one := range booked {
		one.see(now)
	}
	return booked, err
}

// LapsedSeats sums up the seats of offers that have lapsed and were not posted: nobody holds them, although they are counted
// still. For everybody who has signed in.
func (s *Service) LapsedSeats(ctx context.Context, wanted []id.Occurrence) (map[id.Occurrence]*int, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	lapsed, err := selectLapsedSeats(ctx, s.db, wanted, s.now())
	answers := make(map[id.Occurrence]*int, len(lapsed))
	for occurrence, seats := range lapsed {
		answers[occurrence] = &seats
	}
	return answers, err
}

package club

import (
	"context"
	"time"

	"regulars/club/waitlist"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/internal/value"
	"regulars/loyalty/tiers"
)

// missedFor is how long an event counts to which somebody booked and did not come.
var missedFor = value.Months(12)

// line is who waits for seats of an occurrence, in the order of the rank.
type line struct {
	ordered  []waitlist.Party
	bookings map[id.Booking]*Booking
}

// line reads who waits for seats of the occurrence.
func (s *Service) line(ctx context.Context, tx *postgres.Tx, o *Occurrence) (*line, error) {
	lines, err := s.lines(ctx, tx, []id.Occurrence{o.ID})
	if err != nil || lines[o.ID] == nil {
		return &line{}, err
	}
	return lines[o.ID], nil
}

// lines reads who waits for seats of each of the occurrences.
func (s *Service) lines(ctx context.Context, tx *postgres.Tx, wanted []id.Occurrence) (map[id.Occurrence]*line, error) {
	waiting, err := selectWaiting(ctx, tx, wanted)
	if err != nil {
		return nil, err
	}
	members := make([]id.Member, len(waiting))
	for i, one := range waiting {
		members[i] = one.Member
	}
	held, ladder, err := s.loyalty.HeldTiersTx(ctx, tx, members)
	if err != nil {
		return nil, err
	}
	missed, err := countMissed(ctx, tx, members, missedFor.Before(tx.Now, time.UTC))
	if err != nil {
		return nil, err
	}
	lines := map[id.Occurrence]*line{}
	for _, one := range waiting {
		here := lines[one.OccurrenceID]
		if here == nil {
			here = &line{bookings: map[id.Booking]*Booking{}}
			lines[one.OccurrenceID] = here
		}
		tier, ok := held[one.Member]
		if !ok {
			tier = ladder.Base()
		}
		here.bookings[one.ID] = one
		here.ordered = append(here.ordered, waitlist.Party{
			Booking: one.ID, Seats: one.Seats, Since: *one.WaitingSince, Tier: tier.Name, Steps: steps(ladder, tier), NoShows: missed[one.Member],
		})
	}
	for _, here := range lines {
		here.ordered = waitlist.Order(here.ordered)
	}
	return lines, nil
}

// steps is how many tiers are below the given one.
func steps(ladder tiers.Ladder, tier tiers.Tier) int {
	below := 0
	for _, other := range ladder.Tiers {
		if other.Rank < tier.Rank {
			below++
		}
	}
	return below
}

// Place is where a booking stands among those that wait, from 1, and why, in words for its member.
type Place struct {
	Position int
	Reason   string
}

// Places says of those of the bookings that wait where they stand. Callers have the bookings from this service, which shows them
// to whom they concern. For everybody who has signed in.
func (s *Service) Places(ctx context.Context, bookings []*Booking) (map[*Booking]*Place, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	var wanted []id.Occurrence
	for _, one := range bookings {
		if one.Status == Waitlisted {
			wanted = append(wanted, one.OccurrenceID)
		}
	}
	if len(wanted) == 0 {
		return nil, nil
	}
	places := make(map[*Booking]*Place, len(wanted))
	err := s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		lines, err := s.lines(ctx, tx, wanted)
		if err != nil {
			return err
		}
		zones, err := selectZones(ctx, tx, wanted)
		if err != nil {
			return err
		}
		found := map[id.Booking]*Place{}
		for occurrence, here := range lines {
			zone, err := time.LoadLocation(zones[occurrence])
			if err != nil {
				return err
			}
			for i, party := range here.ordered {
				found[party.Booking] = &Place{Position: i + 1, Reason: party.Explain(i+1, len(here.ordered), zone)}
			}
		}
		for _, one := range bookings {
			if place := found[one.ID]; place != nil {
				places[one] = place
			}
		}
		return nil
	})
	return places, err
}

// PostLapsedOffers posts offers that have lapsed and offers their seats to who waits next, in at most so many occurrences; it
// returns in how many, 0: there is nothing left. Nothing waits for it that is told or decided: what reads goes by the clock,
// and what writes posts first. It is one transaction and can be repeated at any time. For admins; a job calls it.
func (s *Service) PostLapsedOffers(ctx context.Context, limit int) (int, error) {
	if _, err := actor.Require(ctx, actor.Admin); err != nil {
		return 0, err
	}
	posted := 0
	err := s.db.InTx(ctx, func(tx *postgres.Tx) error {
		lapsed, err := selectLapsed(ctx, tx, tx.Now, limit)
		if err != nil {
			return err
		}
		rooms, err := s.enterAll(ctx, tx, lapsed)
		if err != nil {
			return err
		}
		posted = len(rooms)
		return s.leave(ctx, tx, rooms...)
	})
	return posted, err
}

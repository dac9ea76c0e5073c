package demo

import (
	"context"
	"fmt"
	"slices"
	"time"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/value"
	"regulars/loyalty"
)

// The evening that is over when the club is shown takes place in its last week, and of how many of its guests one comes.
const (
	lastEvening = weeks - 1
	oneStays    = 4
)

// evenings are what the club invites to: the first is over at the end, the others are to come.
func (p *plan) evenings() []club.CreateEventInput {
	input := func(name, description string, starts time.Time, seats int) club.CreateEventInput {
		return club.CreateEventInput{
			Name: name, Description: &description, TimeZone: p.zone.String(), StartsAt: value.LocalDateTimeOf(starts.In(p.zone)),
			Duration: value.Period{Clock: 2 * time.Hour}, Capacity: &seats, Waitlist: true, SeatsPerBooking: 2, OfferValidFor: value.Period{Days: 1},
			CheckInOpensBefore: value.Period{Clock: time.Hour}, CancelClosesBefore: &value.Period{Days: 1},
		}
	}
	roaster := input("Behind the roaster", "The roaster lights the drum and answers questions.", p.at(7*lastEvening+1, 19, 0), 10)
	tasting := input("The weekly tasting", "Three coffees of one country, blind.", p.at(7*weeks+3, 19, 0), 12)
	weekly := "FREQ=WEEKLY"
	tasting.Recurrence, tasting.BookingWindows = &weekly, []club.BookingWindow{{OpensBefore: value.Period{Days: 28}}}
	latte := input("Milk and patience", "Latte art for beginners, with milk for everybody.", p.at(7*weeks+9, 10, 0), 4)
	points := int64(30)
	latte.AttendancePoints, latte.RequiresApproval = &points, true
	return []club.CreateEventInput{roaster, tasting, latte}
}

// guests are so many members who have joined by an instant, in the order of the plan and without those who stand apart.
func (p *plan) guests(by time.Time, skip, count int) []*person {
	var chosen []*person
	for i, one := range p.people {
		if i%7 == skip && *one.ExternalID != robin && *one.ExternalID != suspended && one.JoinedAt.Before(by) && len(chosen) < count {
			chosen = append(chosen, one)
		}
	}
	return chosen
}

// invite publishes the event unless that is done, and returns the first of its dates.
func (b *builder) invite(ctx context.Context, wanted club.CreateEventInput) (*club.Occurrence, error) {
	all := 100
	there, err := b.club.Events(ctx, club.EventFilter{}, &all, nil)
	if err != nil {
		return nil, err
	}
	var event *club.Event
	if at := slices.IndexFunc(there.Nodes, func(one *club.Event) bool { return one.Name == wanted.Name }); at >= 0 {
		event = there.Nodes[at]
	} else if event, err = b.club.CreateEvent(ctx, wanted); err != nil {
		return nil, fmt.Errorf("event %q: %w", wanted.Name, err)
	}
	if event.Status == club.Draft {
		if _, err := b.club.PublishEvent(ctx, event.ID); err != nil {
			return nil, fmt.Errorf("publish event %q: %w", wanted.Name, err)
		}
	}
	one := 1
	dates, err := b.club.Occurrences(ctx, []id.Event{event.ID}, nil, nil, &one, nil)
	if err != nil {
		return nil, err
	}
	return dates[event.ID].Nodes[0], nil
}

// book books a seat for the member, a second after whoever booked before.
func (b *builder) book(ctx context.Context, date *club.Occurrence, externalID string) (*club.Booking, error) {
	b.pass(time.Second)
	answer, err := b.club.Book(ctx, club.BookInput{
		OccurrenceID: date.ID, Member: &loyalty.MemberRef{ExternalID: &externalID}, Seats: 1, IdempotencyKey: "demo:" + date.ID.String() + externalID,
	})
	if err != nil {
		return nil, fmt.Errorf("book for %s: %w", externalID, err)
	}
	return answer.Booking, nil
}

// gather lets the evening take place that is over at the end: two wait in vain, and of those who booked some do not come.
func (b *builder) gather(ctx context.Context) error {
	date, err := b.invite(ctx, b.plan.evenings()[0])
	if err != nil {
		return err
	}
	var booked []*club.Booking
	if date.Status == club.Scheduled {
		for _, one := range b.plan.guests(b.plan.opening.Add((lastEvening-1)*week), 1, *date.Capacity+2) {
			booking, err := b.book(ctx, date, *one.ExternalID)
			if err != nil {
				return err
			}
			if booking.Status == club.Confirmed {
				booked = append(booked, booking)
			}
		}
	}
	b.clock.at = date.StartsAt.Add(-20 * time.Minute)
	tickets, err := b.club.Tickets(ctx, booked)
	if err != nil {
		return err
	}
	for i, one := range booked {
		b.pass(time.Minute)
		if i%oneStays == oneStays-1 {
			continue
		}
		if _, err := b.club.CheckIn(ctx, club.CheckInInput{
			Ticket: *tickets[one], OccurrenceID: date.ID, ScannedAt: b.clock.at, Nonce: "demo:" + one.ID.String(),
		}); err != nil {
			return fmt.Errorf("check in: %w", err)
		}
	}
	b.clock.at = date.EndsAt
	if _, err := b.club.CompleteOccurrence(ctx, date.ID); err != nil {
		return fmt.Errorf("complete an evening: %w", err)
	}
	return nil
}

// announce plans the evenings that are to come, and fills the next of each.
func (b *builder) announce(ctx context.Context) error {
	for i, wanted := range b.plan.evenings()[1:] {
		date, err := b.invite(ctx, wanted)
		if err != nil {
			return err
		}
		// Robin comes to the first, where seats are left; for the other one more ask than there are seats.
		names := []string{robin}
		for _, one := range b.plan.guests(b.plan.end.Add(-week), 2+i, 7) {
			names = append(names, *one.ExternalID)
		}
		for _, name := range names[i:] {
			if _, err := b.book(ctx, date, name); err != nil {
				return err
			}
		}
	}
	return nil
}

package bench

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
	"regulars/internal/value"
)

const (
	eventsDocument = `{ events(first: 20) { nodes { id name occurrences(first: 5) { nodes { id startsAt endsAt status seatsTaken waitlisted ` +
		`bookable { can } } } } pageInfo { hasNextPage } } }`
	checkInDocument = `mutation($input: CheckInInput!) { checkIn(input: $input) { result booking { status seats member { displayName } } ` +
		`userErrors { code message } } }`
)

// What an app shows: so many events with so many dates each. And who wants a seat at once, for one in ten of whom there is one.
const (
	shownEvents, datesOfEvent = 25, 20
	crowd, crowdPerSeat       = 1000, 10
	guests                    = 1000
)

func (w *world) club() *club.Service {
	return club.New(w.db, w.service, identity.NewSigningKeys(w.db))
}

// evening is an event at a time, without any terms that would hold a booking up.
func evening(name string, starts time.Time) club.CreateEventInput {
	return club.CreateEventInput{
		Name: name, TimeZone: "UTC", StartsAt: value.LocalDateTimeOf(starts.UTC()), Duration: value.Period{Clock: 2 * time.Hour}, Waitlist: true,
		SeatsPerBooking: 1, OfferValidFor: value.Period{Days: 1}, CheckInOpensBefore: value.Period{Clock: time.Hour},
	}
}

// open publishes an event and returns the first of its dates.
func (w *world) open(ctx context.Context, input club.CreateEventInput) (id.Occurrence, error) {
	events := w.club()
	made, err := events.CreateEvent(ctx, input)
	if err != nil {
		return id.Occurrence{}, err
	}
	if _, err := events.PublishEvent(ctx, made.ID); err != nil {
		return id.Occurrence{}, err
	}
	one := 1
	dates, err := events.Occurrences(ctx, []id.Event{made.ID}, nil, nil, &one, nil)
	if err != nil {
		return id.Occurrence{}, err
	}
	return dates[made.ID].Nodes[0].ID, nil
}

// fillEvents plans what an app shows.
func (w *world) fillEvents(ctx context.Context) error {
	for i := range shownEvents {
		input := evening(fmt.Sprint("Evening ", i+1), w.start.Add(60*day+time.Duration(i)*time.Hour))
		input.Recurrence = text(fmt.Sprintf("FREQ=WEEKLY;COUNT=%d", datesOfEvent))
		if _, err := w.open(ctx, input); err != nil {
			return err
		}
	}
	return nil
}

// events measures a page of the events that an app shows.
func (w *world) events() *measurement {
	return w.alone("events", fmt.Sprintf("page 1 of events with %d dates", shownEvents*datesOfEvent), usual, func(ctx context.Context, c *caller) error {
		_, err := c.ask(ctx, eventsDocument, map[string]any{})
		return err
	})
}

// alone measures work by clients over HTTP that has nothing beside it.
func (w *world) alone(name, title string, clients int, work func(context.Context, *caller) error) *measurement {
	found := &series{Line: Line{Name: name, Operation: title, Clients: clients}}
	return &measurement{
		name:  name,
		lines: func() []Line { return []Line{found.line()} },
		run: func(ctx context.Context, _ int) error {
			one, err := w.load(ctx, clients, work, func(since time.Duration) bool { return since >= w.Duration })
			found.samples = append(found.samples, one)
			return err
		},
	}
}

// booking measures many members who book at the instant at which booking opens, where there are seats for few. It asks the
// domain: so many connections of HTTP would measure the machine's limits. How long one waits counts from the opening.
func (w *world) booking() *measurement {
	members := min(crowd, w.Members)
	seats := max(members/crowdPerSeat, 1)
	found := &series{Line: Line{Name: "booking", Operation: fmt.Sprintf("%d members book %d seats at once", members, seats), Clients: members}}
	return &measurement{
		name:  "booking",
		lines: func() []Line { return []Line{found.line()} },
		run: func(ctx context.Context, round int) error {
			input := evening(fmt.Sprint("Opening ", round), w.Clock.Now().Add(7*day))
			input.Capacity, input.BookingWindows = &seats, []club.BookingWindow{{OpensBefore: value.Period{Days: 8}}}
			date, err := w.open(ctx, input)
			if err != nil {
				return err
			}
			one, err := w.storm(ctx, date, members, seats)
			found.samples = append(found.samples, one)
			return err
		},
	}
}

// storm lets members book at once. Any answer but a seat or a place in the line is an error, and so is a seat more or less.
func (w *world) storm(ctx context.Context, date id.Occurrence, members, seats int) (sample, error) {
	events := w.club()
	answers := make([]club.BookingStatus, members)
	errs := make([]error, members)
	found := sample{took: make([]time.Duration, members)}
	var group sync.WaitGroup
	opens := make(chan struct{})
	var began time.Time
	for i := range members {
		group.Go(func() {
			caller := actor.With(ctx, actor.Actor{Caller: "bench|" + externalID(i+1), ExternalID: externalID(i + 1), Roles: []actor.Role{actor.Member}})
			<-opens
			answer, err := events.Book(caller, club.BookInput{OccurrenceID: date, Seats: 1, IdempotencyKey: date.String()})
			found.took[i] = w.Clock.real().Sub(began)
			if errs[i] = err; err == nil {
				answers[i] = answer.Booking.Status
			}
		})
	}
	began = w.Clock.real()
	close(opens)
	group.Wait()
	found.perSecond = float64(members) / w.Clock.real().Sub(began).Seconds()
	slices.Sort(found.took)
	became := map[club.BookingStatus]int{}
	for i, status := range answers {
		if errs[i] != nil {
			return sample{}, fmt.Errorf("book: %w", errs[i])
		}
		became[status]++
	}
	if became[club.Confirmed] != seats || became[club.Waitlisted] != members-seats {
		return sample{}, fmt.Errorf("%d members who booked %d seats became %v", members, seats, became)
	}
	return found, nil
}

// door measures how many tickets a second are checked in at the door of one date, by so many scanners.
func (w *world) door(scanners int) *measurement {
	found := &series{Line: Line{Name: "door", Operation: "a ticket checked in at one door", Clients: scanners}}
	return &measurement{
		name:  "door",
		lines: func() []Line { return []Line{found.line()} },
		run: func(ctx context.Context, round int) error {
			date, err := w.open(ctx, evening(fmt.Sprintf("Door %d of %d", round, scanners), w.Clock.Now().Add(30*time.Minute)))
			if err != nil {
				return err
			}
			tickets, err := w.seat(ctx, date)
			if err != nil {
				return err
			}
			// Clients stop when the last ticket is shown.
			left := make(chan string, len(tickets))
			for _, one := range tickets {
				left <- one
			}
			one, err := w.load(ctx, scanners, func(ctx context.Context, c *caller) error {
				select {
				case ticket := <-left:
					_, err := c.ask(ctx, checkInDocument, map[string]any{"input": map[string]any{
						"ticket": ticket, "occurrenceId": date.String(), "scannedAt": c.Clock.Now(), "nonce": c.unique(),
					}})
					return err
				default:
					return nil
				}
			}, func(since time.Duration) bool { return since >= w.Duration || len(left) == 0 })
			found.samples = append(found.samples, one)
			return err
		},
	}
}

// seat books seats for members and returns their tickets.
func (w *world) seat(ctx context.Context, date id.Occurrence) ([]string, error) {
	events := w.club()
	booked := make([]*club.Booking, min(guests, w.Members))
	for i := range booked {
		member := ref(externalID(i + 1))
		answer, err := events.Book(ctx, club.BookInput{OccurrenceID: date, Member: &member, Seats: 1, IdempotencyKey: date.String() + externalID(i+1)})
		if err != nil {
			return nil, err
		}
		booked[i] = answer.Booking
	}
	signed, err := events.Tickets(ctx, booked)
	if err != nil {
		return nil, err
	}
	tickets := make([]string, len(booked))
	for i, one := range booked {
		tickets[i] = *signed[one]
	}
	return tickets, nil
}

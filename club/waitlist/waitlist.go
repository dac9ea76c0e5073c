// Package waitlist decides who of those who wait comes next, and says why in words. It is pure.
//
// # The rank
//
// Who waits longest comes first. Each step of the ladder below a party's tier counts as [StepWorth] of waiting more, each
// event in the last year to which it booked and did not come as [NoShowCost] of waiting less, at most [MaximumNoShows] of
// them. So a party has one instant since which it counts as waiting, and the order of two parties does not change by time
// passing alone.
package waitlist

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"regulars/internal/id"
)

// What counts besides the time.
const (
	StepWorth      = 24 * time.Hour
	NoShowCost     = 48 * time.Hour
	MaximumNoShows = 5
)

// shortestOffer is for how long an offer stands at least, unless the event allows less.
const shortestOffer = 15 * time.Minute

// Party is a booking that waits for seats.
type Party struct {
	Booking id.Booking
	// Seats are wanted together or not at all.
	Seats int
	// Since is from when on it has waited.
	Since time.Time
	// Tier is what the member's tier is called, Steps how many tiers are below that one.
	Tier  string
	Steps int
	// NoShows is to how many events of the last year the member booked and did not come.
	NoShows int
}

// CountsSince is the instant since which the party counts as waiting: what it is ranked by.
func (p Party) CountsSince() time.Time {
	return p.Since.Add(-p.bonus()).Add(p.cost())
}

func (p Party) bonus() time.Duration { return time.Duration(p.Steps) * StepWorth }

func (p Party) cost() time.Duration {
	return time.Duration(min(p.NoShows, MaximumNoShows)) * NoShowCost
}

// Order returns the parties in the order in which seats are offered to them: by CountsSince, then by how long they have
// waited, then by the id of the booking.
func Order(parties []Party) []Party {
	ordered := slices.Clone(parties)
	slices.SortFunc(ordered, func(a, b Party) int {
		if order := a.CountsSince().Compare(b.CountsSince()); order != 0 {
			return order
		}
		if order := a.Since.Compare(b.Since); order != 0 {
			return order
		}
		return bytes.Compare(a.Booking[:], b.Booking[:])
	})
	return ordered
}

// Choose returns those of the parties, as they are ordered, who are offered so many free seats: each whom what is left still
// fits. The others are passed over and keep their places.
func Choose(ordered []Party, free int) []Party {
	var chosen []Party
	for _, party := range ordered {
		if party.Seats <= free {
			chosen = append(chosen, party)
			free -= party.Seats
		}
	}
	return chosen
}

// OfferEnds is until when an offer stands that is made at now: until full, if there is time enough until closes, when no offer
// stands any more; else for half of that time, so that the next in line has a chance too, but for a quarter of an hour at
// least.
func OfferEnds(now, full, closes time.Time) time.Time {
	ends := now.Add(min(full.Sub(now), max(closes.Sub(now)/2, shortestOffer))).Truncate(time.Microsecond)
	if ends.After(closes) {
		return closes
	}
	return ends
}

// Explain says to the member why the party has its place, times in zone. Places count from 1.
func (p Party) Explain(place, of int, zone *time.Location) string {
	var text strings.Builder
	fmt.Fprintf(&text, "Place %d of %d: waiting since %s", place, of, p.Since.In(zone).Format("2 January 2006, 15:04"))
	if p.Steps > 0 {
		fmt.Fprintf(&text, "; %s counts as %s more", p.Tier, days(p.bonus()))
	}
	if p.NoShows > 0 {
		events := "one event"
		if p.NoShows > 1 {
			events = strconv.Itoa(p.NoShows) + " events"
		}
		fmt.Fprintf(&text, "; %s missed in the last year: %s less", events, days(p.cost()))
	}
	text.WriteString(".")
	if p.Seats > 1 {
		fmt.Fprintf(&text, " %d seats must be free together.", p.Seats)
	}
	return text.String()
}

func days(worth time.Duration) string {
	if worth == 24*time.Hour {
		return "a day of waiting"
	}
	return strconv.Itoa(int(worth/(24*time.Hour))) + " days of waiting"
}

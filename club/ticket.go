package club

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/identity"
)

// ticketPurpose is what tickets are signed for: the typ of the signature.
const ticketPurpose = "ticket"

// ticket is what the QR code of a booking holds, signed: who has the program's public keys reads and checks it offline.
type ticket struct {
	Booking    id.Booking    `json:"b"`
	Occurrence id.Occurrence `json:"o"`
}

// Tickets returns the tickets of those of the bookings that have one: the confirmed ones and those that took place, to their
// members, organizers and admins. A ticket is a JSON Web Signature in its compact form. For everybody who has signed in.
func (s *Service) Tickets(ctx context.Context, bookings []*Booking) (map[*Booking]*string, error) {
	if _, err := actor.Require(ctx); err != nil {
		return nil, err
	}
	seen, err := s.hostedOrOwn(ctx, bookings)
	if err != nil {
		return nil, err
	}
	tickets := make(map[*Booking]*string, len(bookings))
	for _, one := range bookings {
		if !seen[one] || !one.Status.Holds() || one.Status == Offered {
			continue
		}
		payload, err := json.Marshal(ticket{Booking: one.ID, Occurrence: one.OccurrenceID})
		if err != nil {
			return nil, err
		}
		signed, err := s.keys.Sign(ctx, ticketPurpose, payload)
		if err != nil {
			return nil, fmt.Errorf("sign a ticket: %w", err)
		}
		tickets[one] = &signed
	}
	return tickets, nil
}

// readTicket returns what a text holds that was signed as a ticket here; nil: it was not.
func (s *Service) readTicket(ctx context.Context, text string) (*ticket, error) {
	payload, err := s.keys.Verify(ctx, ticketPurpose, text)
	if errors.Is(err, identity.ErrSignature) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	// What we signed for the purpose is a ticket; anything else in it leads to no booking.
	var read ticket
	_ = json.Unmarshal(payload, &read)
	return &read, nil
}

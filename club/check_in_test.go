package club_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"regulars/club"
	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/loyalty/loyaltytest"
)

// started is an occurrence whose door is open, with a confirmed booking and its ticket.
func (h *house) started(name string, edits ...func(*date)) (id.Occurrence, *club.Booking, string) {
	h.t.Helper()
	occurrence, member := h.date(10, append([]func(*date){func(d *date) { d.in = 30 * time.Minute }}, edits...)...), h.enroll(name)
	booking := h.book(member, occurrence, 2, club.Confirmed)
	return occurrence, booking, h.ticket(member, booking)
}

// Complaint 9: a scanner without a network fails at the door. Whoever has the public keys checks a ticket without the program.
func TestTicket_Complaint9_VerifiedOffline(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, booking, ticket := h.started("ada")
	published, err := h.keys.PublicKeys(t.Context())
	h.must(err)
	var keys jose.JSONWebKeySet
	h.must(json.Unmarshal(published, &keys))
	signed, err := jose.ParseSignedCompact(ticket, []jose.SignatureAlgorithm{jose.EdDSA})
	h.must(err)
	payload, err := signed.Verify(keys.Key(signed.Signatures[0].Protected.KeyID)[0])
	h.must(err)
	var read map[string]string
	h.must(json.Unmarshal(payload, &read))
	equal(t, "payload", map[string]string{"b": booking.ID.String(), "o": occurrence.String()}, read)
	equal(t, "purpose", "ticket", signed.Signatures[0].Protected.ExtraHeaders[jose.HeaderType].(string))
	if len(ticket) > 350 {
		t.Errorf("a ticket of %d characters makes a large QR code", len(ticket))
	}
}

// Tickets are for the member, the event's organizers and admins, and of what has a seat.
func TestTicket_Access(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, booking, _ := h.started("ada")
	for name, want := range map[string]bool{"ada": true, "bob": false} {
		if name != "ada" {
			h.enroll(name)
		}
		one := h.read(booking)
		tickets, err := h.club.Tickets(h.As(actor.Member, name), []*club.Booking{one})
		h.must(err)
		equal(t, name, want, tickets[one] != nil)
	}
	one := h.read(booking)
	for name, want := range map[string]bool{host: true, "test|other": false} {
		tickets, err := h.club.Tickets(actor.With(t.Context(), actor.Actor{Caller: name, Roles: []actor.Role{actor.Organizer}}), []*club.Booking{one})
		h.must(err)
		equal(t, name, want, tickets[one] != nil)
	}
	tickets, err := h.club.Tickets(h.As(actor.Support, "desk"), []*club.Booking{one})
	h.must(err)
	equal(t, "support", 0, len(tickets))
	full := h.full()
	waiting := h.read(h.book(h.enroll("eve"), full, 1, club.Waitlisted))
	tickets, err = h.club.Tickets(h.Admin, []*club.Booking{waiting})
	h.must(err)
	equal(t, "who waits", 0, len(tickets))
}

// Every ticket that is not good is told by its own code, and changes nothing.
func TestCheckIn_Results(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.enroll("member a"), h.enroll("member b")
	occurrence, booking, ticket := h.started("ada")
	_, _, otherTicket := h.started("eve")
	parts := strings.Split(ticket, ".")
	foreign := within(t, loyaltytest.New(t))
	foreignOccurrence, _, foreignTicket := foreign.started("ada")
	otherPurpose, err := h.keys.Sign(t.Context(), "feed", []byte(`{"b":"`+booking.ID.String()+`","o":"`+occurrence.String()+`"}`))
	h.must(err)
	absent, err := h.keys.Sign(t.Context(), "ticket", []byte(`{"b":"bkg_nobody","o":"`+occurrence.String()+`"}`))
	h.must(err)
	for name, one := range map[string]struct {
		ticket string
		want   club.CheckInResult
	}{
		"nothing":             {"", club.InvalidTicket},
		"garbage":             {"not a ticket", club.InvalidTicket},
		"forged":              {parts[0] + "." + strings.Split(otherTicket, ".")[1] + "." + parts[2], club.InvalidTicket},
		"no signature":        {parts[0] + "." + parts[1] + ".", club.InvalidTicket},
		"another club's":      {foreignTicket, club.InvalidTicket},
		"signed for a feed":   {otherPurpose, club.InvalidTicket},
		"no such booking":     {absent, club.InvalidTicket},
		"another occurrence":  {otherTicket, club.WrongOccurrence},
		"too long":            {strings.Repeat("a", 100_000), club.InvalidTicket},
		"with white space":    {" " + ticket + "\n", club.Admitted},
		"shown a second time": {ticket, club.AlreadyIn},
	} {
		if one.want != club.Admitted && one.want != club.AlreadyIn {
			equal(t, name, one.want, h.checkIn(one.ticket, occurrence).Result)
		}
	}
	equal(t, "nobody is in", true, h.read(booking).CheckedInAt == nil)
	equal(t, "good", club.Admitted, h.checkIn(" "+ticket+"\n", occurrence).Result)
	equal(t, "replayed by somebody else", club.AlreadyIn, h.checkIn(ticket, occurrence).Result)

	early := h.date(3)
	confirmed := h.book(ada, early, 1, club.Confirmed)
	earlyTicket := h.ticket(ada, confirmed)
	equal(t, "too early", club.TooEarly, h.checkIn(earlyTicket, early).Result)
	h.cancel(ada, confirmed)
	equal(t, "canceled", club.TicketCanceled, h.checkIn(earlyTicket, early).Result)
	full := h.full()
	waiting := h.book(bob, full, 1, club.Waitlisted)
	unbooked, err := h.keys.Sign(t.Context(), "ticket", []byte(`{"b":"`+waiting.ID.String()+`","o":"`+full.String()+`"}`))
	h.must(err)
	equal(t, "not booked", club.NotBooked, h.checkIn(unbooked, full).Result)

	_, err = h.club.CheckIn(h.door, club.CheckInInput{Ticket: foreignTicket, OccurrenceID: foreignOccurrence, Nonce: "1"})
	refused(t, "no such occurrence", err, "UNKNOWN_OCCURRENCE occurrenceId")
	other := actor.With(t.Context(), actor.Actor{Caller: "test|other", Roles: []actor.Role{actor.Organizer}})
	_, err = h.club.CheckIn(other, club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence, Nonce: "1"})
	refused(t, "another's door", err, "UNKNOWN_OCCURRENCE occurrenceId")
	_, err = h.club.CheckIn(h.door, club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence})
	refused(t, "no nonce", err, "INVALID_IDEMPOTENCY_KEY nonce")
	future := h.Now().Add(time.Hour)
	_, err = h.club.CheckIn(h.door, club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence, Nonce: "2", ScannedAt: future})
	refused(t, "in the future", err, "OCCURRED_IN_FUTURE scannedAt")
	if _, err := h.club.CheckIn(h.as(ada), club.CheckInInput{}); !errors.Is(err, problem.Forbidden) {
		t.Errorf("a member checks in: %v", err)
	}
}

// A retry of a scan is the same scan; the same nonce for another ticket is refused; many at once make one check-in.
func TestCheckIn_Nonce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	occurrence, booking, ticket := h.started("ada")
	_, _, otherTicket := h.started("bob")
	input := club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence, ScannedAt: h.Now(), Nonce: "scan 1"}
	var group sync.WaitGroup
	results := make([]*club.CheckInAnswer, 8)
	for i := range results {
		group.Go(func() {
			var err error
			if results[i], err = h.club.CheckIn(h.door, input); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	first := 0
	for _, one := range results {
		equal(t, "result", club.Admitted, one.Result)
		equal(t, "booking", booking.ID, one.Booking.ID)
		if !one.Replayed {
			first++
		}
	}
	equal(t, "check-ins", 1, first)
	input.Ticket = otherTicket
	_, err := h.club.CheckIn(h.door, input)
	refused(t, "another ticket", err, "IDEMPOTENCY_KEY_REUSED nonce")
	one := h.occurrence(occurrence)
	doors, err := h.club.Doors(h.host, []*club.Occurrence{one})
	h.must(err)
	equal(t, "at the door", &club.Door{Expected: 2, Arrived: 2}, doors[one])
}

// Complaint 9: scans of a door without a network are facts with their own time, by the same rules, and may come days later, in
// any order; the time of telling is not the time of arriving.
func TestCheckIn_Complaint9_OfflineScans(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	occurrence, booking, ticket := h.started("ada")
	ada := booking.Member
	starts := h.occurrence(occurrence).StartsAt
	h.Clock.Advance(3 * time.Hour)
	_, err := h.club.CompleteOccurrence(h.host, occurrence)
	h.must(err)
	equal(t, "nobody told of it", club.NoShow, h.status(booking))
	h.Clock.Advance(4 * 24 * time.Hour)
	scan := func(at time.Time) *club.CheckInAnswer {
		return h.checkIn(ticket, occurrence, func(input *club.CheckInInput) { input.ScannedAt, input.Offline = at, true })
	}
	equal(t, "before the door", club.TooEarly, scan(starts.Add(-2*time.Hour)).Result)
	_, err = h.club.CheckIn(h.door, club.CheckInInput{Ticket: ticket, OccurrenceID: occurrence, ScannedAt: h.Now(), Nonce: h.Key(), Offline: true})
	refused(t, "shown after the end", err, "EVENT_OVER scannedAt")
	equal(t, "told late", club.Admitted, scan(starts.Add(10*time.Minute)).Result)
	equal(t, "the other door was first", club.AlreadyIn, scan(starts.Add(time.Minute)).Result)
	read := h.read(booking)
	equal(t, "attended", club.Attended, read.Status)
	equal(t, "arrived", starts.Add(time.Minute), read.CheckedInAt.UTC())
	equal(t, "points", int64(10), h.available(ada))
	h.facts(booking, "CHECK_IN "+starts.Add(10*time.Minute).Format(time.RFC3339))
}

// available are the points that a member can spend.
func (h *house) available(member id.Member) int64 {
	h.t.Helper()
	balances, err := h.Service.Balances(h.Admin, []id.Member{member}, nil)
	h.must(err)
	return balances[member].Available
}

// facts expects the facts recorded for a booking: type and time.
func (h *house) facts(booking *club.Booking, want ...string) {
	h.t.Helper()
	var got []string
	h.must(h.DB.Select(h.Admin, &got, `
		select type || ' ' || to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
		from activities where source = 'club' and external_id like $1 || '%' order by external_id`, booking.ID.String()))
	equal(h.t, "facts", want, got)
}

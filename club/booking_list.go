package club

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"sync"
	"time"

	"regulars/internal/actor"
	"regulars/internal/id"
	"regulars/internal/page"
	"regulars/internal/postgres"
	"regulars/internal/problem"
	"regulars/loyalty"
	"regulars/loyalty/tiers"
)

// The lists of the API.
type (
	// BookingConnection is a page of bookings.
	BookingConnection = page.Connection[*Booking]
	// BookingEdge is a booking in a page.
	BookingEdge = page.Edge[*Booking]
)

const bookingPages = "booking"

// hosted tells which of the occurrences' events the caller organizes.
func (s *Service) hosted(ctx context.Context, caller actor.Actor, occurrences []*Occurrence) (map[id.Event]bool, error) {
	hosted := map[id.Event]bool{}
	if !caller.Has(actor.Organizer, actor.Admin) {
		return hosted, nil
	}
	events, err := selectTermsOf(ctx, s.db, occurrences)
	if err != nil {
		return nil, err
	}
	wanted := make([]*Event, 0, len(events))
	for _, event := range events {
		wanted = append(wanted, event)
	}
	mine, err := s.Organizes(ctx, wanted)
	for event, is := range mine {
		hosted[event.ID] = is
	}
	return hosted, err
}

// hostedOrOwn tells which of the bookings are the caller's own or of events that it organizes.
func (s *Service) hostedOrOwn(ctx context.Context, bookings []*Booking) (map[*Booking]bool, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen := make(map[*Booking]bool, len(bookings))
	if caller.Has(actor.Member) {
		viewer, err := s.loyalty.Viewer(ctx)
		if err != nil {
			return nil, err
		}
		for _, one := range bookings {
			seen[one] = viewer != nil && one.Member == viewer.ID
		}
	}
	if !caller.Has(actor.Organizer, actor.Admin) {
		return seen, nil
	}
	wanted := make([]id.Occurrence, len(bookings))
	for i, one := range bookings {
		wanted[i] = one.OccurrenceID
	}
	occurrences, err := selectRooms(ctx, s.db, wanted)
	if err != nil {
		return nil, err
	}
	list := make([]*Occurrence, 0, len(occurrences))
	for _, one := range occurrences {
		list = append(list, one)
	}
	hosted, err := s.hosted(ctx, caller, list)
	for _, one := range bookings {
		if occurrence := occurrences[one.OccurrenceID]; occurrence != nil && hosted[occurrence.EventID] {
			seen[one] = true
		}
	}
	return seen, err
}

// Booking returns a booking by its id, nil if there is none or the caller may not see it: support, admins and CheckInWrite see all,
// organizers those of their events, a member its own.
func (s *Service) Booking(ctx context.Context, wanted id.Booking) (*Booking, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	found, err := selectBookings(ctx, s.db, []id.Booking{wanted})
	if err != nil || len(found) == 0 {
		return nil, err
	}
	if !caller.Has(bookers...) && !caller.Has(actor.CheckInWrite) {
		seen, err := s.hostedOrOwn(ctx, found)
		if err != nil || !seen[found[0]] {
			return nil, err
		}
	}
	return found[0].see(s.now()), nil
}

// Bookings lists the bookings of those of the occurrences whose events the caller organizes, in the order in which they were
// made; support and admins see all. Statuses, unless nil, narrow the lists. All lists are of the same page.
func (s *Service) Bookings(ctx context.Context, occurrences []*Occurrence, statuses []BookingStatus, first *int, after *string) (map[*Occurrence]*BookingConnection, error) {
	visible, err := s.rooms(ctx, occurrences)
	if err != nil {
		return nil, err
	}
	wanted := make([]id.Occurrence, len(visible))
	for i, one := range visible {
		wanted[i] = one.ID
	}
	pages, err := s.list(ctx, listBookings, countBookings, ids(wanted), statuses, first, after)
	answers := make(map[*Occurrence]*BookingConnection, len(visible))
	for _, one := range visible {
		answers[one] = pages[one.ID.String()]
	}
	return answers, err
}

// rooms are those of the occurrences of which the caller sees who comes.
func (s *Service) rooms(ctx context.Context, occurrences []*Occurrence) ([]*Occurrence, error) {
	caller, err := actor.Require(ctx, actor.Organizer, actor.Support, actor.Admin)
	if err != nil {
		return nil, err
	}
	if caller.Has(bookers...) {
		return occurrences, nil
	}
	hosted, err := s.hosted(ctx, caller, occurrences)
	var visible []*Occurrence
	for _, one := range occurrences {
		if hosted[one.EventID] {
			visible = append(visible, one)
		}
	}
	return visible, err
}

// MemberBookings lists the bookings of those of the members that the caller may see, each one's newest first: support and admins
// see all members', a member its own. All lists are of the same page.
func (s *Service) MemberBookings(ctx context.Context, members []id.Member, statuses []BookingStatus, first *int, after *string) (map[id.Member]*BookingConnection, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	var wanted []id.Member
	if caller.Has(bookers...) {
		wanted = members
	} else if viewer, err := s.loyalty.Viewer(ctx); err != nil {
		return nil, err
	} else if viewer != nil {
		for _, member := range members {
			if member == viewer.ID {
				wanted = append(wanted, member)
			}
		}
	}
	pages, err := s.list(ctx, listMemberBookings, countMemberBookings, ids(wanted), statuses, first, after)
	answers := make(map[id.Member]*BookingConnection, len(wanted))
	for _, one := range wanted {
		answers[one] = pages[one.String()]
	}
	return answers, err
}

// owner is of whom a list is: a text of the API with what the database reads.
type owner struct{ text, row string }

func ids[T interface {
	~[16]byte
	String() string
}](wanted []T) []owner {
	rows, owners := id.Texts(wanted), make([]owner, len(wanted))
	for i, one := range wanted {
		owners[i] = owner{text: one.String(), row: rows[i]}
	}
	return owners
}

type (
	lister  func(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time, after id.Booking, limit int) (map[string][]*Booking, error)
	counter func(ctx context.Context, q postgres.Runner, of []owner, statuses []BookingStatus, t time.Time) (map[string]int, error)
)

// list makes the pages of several lists, by the texts of whose they are.
func (s *Service) list(ctx context.Context, read lister, count counter, of []owner, statuses []BookingStatus, first *int, after *string) (map[string]*BookingConnection, error) {
	arguments, err := page.Parse(bookingPages, first, after)
	if err != nil {
		return nil, err
	}
	last := id.ParseBooking(arguments.After)
	if arguments.After != "" && last == (id.Booking{}) {
		return nil, problem.BadUserInput("after is not a cursor of this list")
	}
	now := s.now()
	listed, err := read(ctx, s.db, of, statuses, now, last, arguments.Size+1)
	if err != nil {
		return nil, err
	}
	// Whoever asks for one total gets all of them counted together.
	counts := sync.OnceValues(func() (map[string]int, error) { return count(ctx, s.db, of, statuses, now) })
	pages := make(map[string]*BookingConnection, len(of))
	for _, one := range of {
		for _, booking := range listed[one.row] {
			booking.see(now)
		}
		pages[one.text] = page.New(bookingPages, arguments, listed[one.row], func(b *Booking) string { return b.ID.String() },
			func(context.Context) (int, error) {
				all, err := counts()
				return all[one.row], err
			})
	}
	return pages, nil
}

// Lines returns who waits for seats of those of the occurrences whose events the caller organizes, who comes next first;
// support and admins see all.
func (s *Service) Lines(ctx context.Context, occurrences []*Occurrence) (map[*Occurrence]*[]*Booking, error) {
	visible, err := s.rooms(ctx, occurrences)
	if err != nil {
		return nil, err
	}
	wanted := make([]id.Occurrence, len(visible))
	for i, one := range visible {
		wanted[i] = one.ID
	}
	answers := make(map[*Occurrence]*[]*Booking, len(visible))
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		lines, err := s.lines(ctx, tx, wanted)
		for _, one := range visible {
			waiting := []*Booking{}
			if here := lines[one.ID]; here != nil {
				for _, party := range here.ordered {
					waiting = append(waiting, here.bookings[party.Booking])
				}
			}
			answers[one] = &waiting
		}
		return err
	})
	return answers, err
}

// Attendees returns who booked: to support, admins and the member itself all that they may see of it, to organizers of their
// events and CheckInWrite the name and the end of the card's number. For everybody who has signed in.
func (s *Service) Attendees(ctx context.Context, bookings []*Booking) (map[*Booking]*loyalty.Member, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	members := make([]id.Member, len(bookings))
	for i, one := range bookings {
		members[i] = one.Member
	}
	known, err := s.loyalty.Members(ctx, members)
	if err != nil {
		return nil, err
	}
	seen, err := s.hostedOrOwn(ctx, bookings)
	if err != nil {
		return nil, err
	}
	met, err := s.loyalty.AcquaintancesTx(ctx, s.db, members)
	attendees := make(map[*Booking]*loyalty.Member, len(bookings))
	for _, one := range bookings {
		if attendees[one] = known[one.Member]; attendees[one] == nil && (seen[one] || caller.Has(actor.CheckInWrite)) {
			attendees[one] = masked(met[one.Member])
		}
	}
	return attendees, err
}

// masked leaves of the number on a member's card what lets a door compare it, and nobody use it.
func masked(member *loyalty.Member) *loyalty.Member {
	if member != nil && len(member.Number) > 4 {
		rest := len(member.Number) - 4
		member.Number = strings.Repeat("*", rest) + member.Number[rest:]
	}
	return member
}

// AttendeeStandings says where those of the members stand, at asOf, nil: now, who booked an event that the caller organizes; to
// CheckInWrite, who booked any. For everybody who has signed in.
func (s *Service) AttendeeStandings(ctx context.Context, members []id.Member, asOf *time.Time) (map[id.Member]*loyalty.TierStanding, error) {
	caller, err := actor.Require(ctx)
	if err != nil {
		return nil, err
	}
	seen := sightOf(caller)
	met, err := selectMet(ctx, s.db, members, seen.all || caller.Has(actor.CheckInWrite), seen.organizer)
	if err != nil || len(met) == 0 {
		return nil, err
	}
	return s.loyalty.AcquaintanceStandings(ctx, met, asOf)
}

// AttendeeTiers returns the tiers that those who booked hold now, to whoever sees Attendees.
func (s *Service) AttendeeTiers(ctx context.Context, bookings []*Booking) (map[*Booking]*tiers.Tier, error) {
	attendees, err := s.Attendees(ctx, bookings)
	if err != nil {
		return nil, err
	}
	answers := make(map[*Booking]*tiers.Tier, len(bookings))
	err = s.db.InSnapshot(ctx, func(tx *postgres.Tx) error {
		members := make([]id.Member, len(bookings))
		for i, one := range bookings {
			members[i] = one.Member
		}
		held, ladder, err := s.loyalty.HeldTiersTx(ctx, tx, members)
		for _, one := range bookings {
			if attendees[one] == nil {
				continue
			}
			tier, ok := held[one.Member]
			if !ok {
				tier = ladder.Base()
			}
			answers[one] = &tier
		}
		return err
	})
	return answers, err
}

// AttendeeTable returns who comes to an occurrence as comma-separated values (RFC 4180): a line each booking, in the order in
// which they were made. What a spreadsheet would take for a formula begins with an apostrophe. For the event's organizers,
// support and admins; nil for others'.
func (s *Service) AttendeeTable(ctx context.Context, occurrence *Occurrence) (*string, error) {
	visible, err := s.rooms(ctx, []*Occurrence{occurrence})
	if err != nil || len(visible) == 0 {
		return nil, err
	}
	bookings, err := selectInRoom(ctx, s.db, occurrence.ID, BookingStatuses...)
	if err != nil {
		return nil, err
	}
	attendees, err := s.Attendees(ctx, bookings)
	if err != nil {
		return nil, err
	}
	held, err := s.AttendeeTiers(ctx, bookings)
	if err != nil {
		return nil, err
	}
	var text strings.Builder
	table := csv.NewWriter(&text)
	table.UseCRLF = true
	rows := [][]string{{"booking", "name", "tier", "seats", "status", "booked at", "checked in at"}}
	now := s.now()
	for _, one := range bookings {
		one.see(now)
		row := []string{one.ID.String(), "", "", strconv.Itoa(one.Seats), string(one.Status), one.BookedAt.Format(time.RFC3339), ""}
		if member := attendees[one]; member != nil {
			row[2] = harmless(held[one].Name)
			if member.DisplayName != nil {
				row[1] = harmless(*member.DisplayName)
			}
		}
		if one.CheckedInAt != nil {
			row[6] = one.CheckedInAt.Format(time.RFC3339)
		}
		rows = append(rows, row)
	}
	if err := table.WriteAll(rows); err != nil {
		return nil, err
	}
	made := text.String()
	return &made, nil
}

// harmless keeps a spreadsheet from taking a text for a formula.
func harmless(text string) string {
	if text != "" && strings.ContainsRune("=+-@\t\r", rune(text[0])) {
		return "'" + text
	}
	return text
}

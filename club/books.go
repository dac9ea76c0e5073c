package club

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/reconcile"
)

// The kinds of differences that the club's books can have.
const (
	// SeatBooks: what an occurrence counts as taken and as waiting is what its bookings say, and never above the capacity.
	SeatBooks reconcile.Kind = "SEAT"
	// BookingBooks: a booking is of a member and an occurrence that are there, has a status that goes with the occurrence's,
	// was checked in if and when its ticket was shown, and is the member's only live one.
	BookingBooks reconcile.Kind = "BOOKING"
	// AttendanceBooks: of who came, and of nobody else, the attendance is in the books, with what it gave; of who did not
	// come after all nothing is left.
	AttendanceBooks reconcile.Kind = "ATTENDANCE"
)

// discrepancy is a row that is not what others say it should be.
type discrepancy struct {
	Booking    *id.Booking    `db:"booking_id"`
	Occurrence *id.Occurrence `db:"occurrence_id"`
	Member     *id.Member     `db:"member_id"`
	What       string         `db:"what"`
	Expected   string         `db:"expected"`
	Found      string         `db:"found"`
}

func (d discrepancy) difference(kind reconcile.Kind) reconcile.Difference {
	differs := reconcile.Difference{Kind: kind, What: d.What, Expected: d.Expected, Found: d.Found}
	if d.Member != nil {
		differs.Member = d.Member.String()
	}
	switch {
	case d.Booking != nil:
		differs.Row = "bookings " + d.Booking.String()
	case d.Occurrence != nil:
		differs.Row = "occurrences " + d.Occurrence.String()
	}
	return differs
}

// CheckBooks compares what the club derives from its bookings with them, and what it put into the books of loyalty with who
// came. It is a floor of reconcile.Check.
func CheckBooks(ctx context.Context, tx *postgres.Tx, report *reconcile.Report) error {
	for _, check := range []struct {
		kind      reconcile.Kind
		statement string
	}{
		{SeatBooks, wrongSeats}, {BookingBooks, wrongBookings}, {BookingBooks, doubleBookings}, {BookingBooks, wrongCheckIns},
		{AttendanceBooks, wrongAttendances}, {AttendanceBooks, wrongFacts}, {AttendanceBooks, doubleFacts},
		{AttendanceBooks, wrongPoints},
	} {
		found, err := selectDiscrepancies(ctx, tx, check.statement)
		if err != nil {
			return fmt.Errorf("check the club's books (%s): %w", check.kind, err)
		}
		for _, one := range found {
			report.Add(one.difference(check.kind))
		}
	}
	return checkStrays(ctx, tx, report)
}

// checkStrays looks at facts that have the key of an attendance and belong to none.
func checkStrays(ctx context.Context, tx *postgres.Tx, report *reconcile.Report) error {
	strays, err := selectStrays(ctx, tx)
	if err != nil {
		return fmt.Errorf("look for stray facts of attendances: %w", err)
	}
	for _, stray := range strays {
		booking, number := parseKey(stray.ExternalID)
		if booking == (id.Booking{}) {
			// Somebody else may call its source as we call ours.
			continue
		}
		// A run that was killed may have recorded it and not noted that yet.
		if due, err := isDue(ctx, tx, booking, number, stray.Member); err != nil {
			return err
		} else if !due {
			report.Add(reconcile.Difference{
				Member: stray.Member.String(), Kind: AttendanceBooks, Row: fmt.Sprintf("activities %d", stray.Sequence),
				What: "attendance of the fact " + stray.ExternalID, Expected: "one", Found: "none",
			})
		}
	}
	return nil
}

// parseKey reads what key wrote; the zero id for what it did not.
func parseKey(text string) (id.Booking, int) {
	booking, suffix, corrected := strings.Cut(text, ".")
	number := 1
	if corrected {
		number, _ = strconv.Atoi(suffix)
	}
	return id.ParseBooking(booking), number
}

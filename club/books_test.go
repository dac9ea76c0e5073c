package club_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/postgres"
	"regulars/loyalty/reconcile"
)

// evening is an occurrence that was completed, one that is open, and one that was canceled, with bookings of all kinds.
type evening struct {
	*house
	// Of the completed one two came, one of whom was said not to have come after all, and one did not.
	done                 id.Occurrence
	came, taken, missed  *club.Booking
	open                 id.Occurrence
	sits, offered, waits *club.Booking
	rained               id.Occurrence
	wet                  *club.Booking
}

func newEvening(t *testing.T) *evening {
	t.Helper()
	e := &evening{house: newHouse(t)}
	e.Rule(loyaltyFixed(10), func(input *ruleInput) { input.Trigger = "CHECK_IN" })
	done, bookings := e.room(3, func(d *date) { d.points = 7 })
	e.done, e.came, e.missed, e.taken = done, bookings[0], bookings[1], bookings[2]
	_, err := e.club.CompleteOccurrence(e.host, done)
	e.must(err)
	_, err = e.club.CorrectAttendance(e.host, club.CorrectAttendanceInput{BookingID: e.taken.ID, Attended: false, Reason: "Another one"})
	e.must(err)
	e.open = e.date(2)
	sits, leaves := e.enroll("sits"), e.enroll("leaves")
	e.sits = e.book(sits, e.open, 1, club.Confirmed)
	left := e.book(leaves, e.open, 1, club.Confirmed)
	e.offered = e.book(e.enroll("offered"), e.open, 1, club.Waitlisted)
	e.waits = e.book(e.enroll("waits"), e.open, 1, club.Waitlisted)
	e.cancel(leaves, left)
	e.rained = e.date(1)
	e.wet = e.book(e.enroll("wet"), e.rained, 1, club.Confirmed)
	_, err = e.club.CancelOccurrence(e.host, e.rained, "Rain")
	e.must(err)
	e.clean()
	return e
}

// corrupt changes the books behind everybody's back, says what a check then finds, and undoes that: names in the statement stand
// for ids.
func (e *evening) corrupt(t *testing.T, statement string) []string {
	t.Helper()
	quote := func(one [16]byte) string { return "'" + uuid.UUID(one).String() + "'" }
	names := strings.NewReplacer(
		"DONE", quote(e.done), "OPEN", quote(e.open), "RAINED", quote(e.rained), "CAME", quote(e.came.ID), "MISSED", quote(e.missed.ID),
		"TAKEN", quote(e.taken.ID), "SITS", quote(e.sits.ID), "OFFER", quote(e.offered.ID), "WAITS", quote(e.waits.ID), "WET", quote(e.wet.ID),
		"FAN", quote(e.came.Member), "EX", quote(e.taken.Member))
	var found []string
	undone := errors.New("undone")
	err := e.DB.InTx(e.Admin, func(tx *postgres.Tx) error {
		for _, one := range []string{
			`set local session_replication_role = replica`, `alter table occurrences drop constraint occurrences_seats`, `drop index bookings_live`,
			names.Replace(statement),
		} {
			rows, err := tx.Exec(e.Admin, one)
			if err != nil {
				return err
			}
			if one == names.Replace(statement) && rows == 0 {
				t.Errorf("%s: no row was changed", statement)
			}
		}
		report := &reconcile.Report{Counts: map[reconcile.Kind]int{}}
		if err := club.CheckBooks(e.Admin, tx, report); err != nil {
			return err
		}
		for _, one := range report.Differences {
			found = append(found, string(one.Kind)+" "+strings.Fields(one.Row)[0]+": "+one.What+" is "+one.Found+", expected "+one.Expected)
		}
		return undone
	})
	if !errors.Is(err, undone) {
		t.Fatal(statement, err)
	}
	return found
}

// Each fault is found, and nothing beside it.
func TestCheckBooks_Corrupted(t *testing.T) {
	t.Parallel()
	e := newEvening(t)
	at := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.999999+00") }
	came := at(*e.read(e.came).CheckedInAt)
	for name, one := range map[string]struct {
		statement string
		want      []string
	}{
		"a seat too many": {
			`update occurrences set seats_taken = seats_taken + 1 where id = OPEN`,
			[]string{"SEAT occurrences: seats taken is 3, expected 2"},
		},
		"a seat too few": {
			`update occurrences set seats_taken = 0 where id = DONE`,
			[]string{"SEAT occurrences: seats taken is 0, expected 3"},
		},
		"one that waits not counted": {
			`update occurrences set waitlisted = 0 where id = OPEN`,
			[]string{"SEAT occurrences: bookings that wait is 0, expected 1"},
		},
		"oversold": {
			`update occurrences set capacity = 1 where id = OPEN`,
			[]string{"SEAT occurrences: seats of bookings that hold them is 2, expected at most 1"},
		},
		"a guest more than was counted": {
			`update bookings set seats = 2 where id = SITS`,
			[]string{"SEAT occurrences: seats of bookings that hold them is 3, expected at most 2", "SEAT occurrences: seats taken is 2, expected 3"},
		},
		"a booking gone": {
			`delete from bookings where id = WAITS`,
			[]string{"SEAT occurrences: bookings that wait is 1, expected 0"},
		},
		"no occurrence": {
			`update bookings set occurrence_id = gen_random_uuid() where id = WET`,
			[]string{"BOOKING bookings: occurrence is none, expected one"},
		},
		"no member": {
			`update bookings set member_id = gen_random_uuid() where id = WET`,
			[]string{"BOOKING bookings: member is none, expected one"},
		},
		"two live bookings": {
			`update bookings set member_id = (select member_id from bookings where id = SITS) where id = WAITS`,
			[]string{"BOOKING occurrences: live bookings of the member is 2, expected at most 1"},
		},
		"live where nothing takes place": {
			`update bookings set status = 'REQUESTED' where id = WET`,
			[]string{"BOOKING bookings: status in an occurrence that is CANCELED is REQUESTED, expected none that is live"},
		},
		"open behind the end": {
			`update bookings set status = 'CONFIRMED' where id = MISSED`,
			[]string{"BOOKING bookings: status in an occurrence that is COMPLETED is CONFIRMED, expected none that is open"},
		},
		"missed before the end": {
			`update bookings set status = 'NO_SHOW' where id = SITS`,
			[]string{"BOOKING bookings: status in an occurrence that is SCHEDULED is NO_SHOW, expected none of who came or did not"},
		},
		"checked in by nobody": {
			`update bookings set checked_in_at = booked_at where id = SITS`,
			[]string{
				"BOOKING bookings: checked in at is " + at(e.sits.BookedAt) + ", expected the time of a scan",
				"BOOKING bookings: scans that let its holder in is 0, expected 1",
			},
		},
		"a scan that nobody has": {
			`update bookings set checked_in_at = null where id = CAME`,
			[]string{"BOOKING bookings: scans that let its holder in is 1, expected 0"},
		},
		"an attendance gone": {
			`delete from attendances where booking_id = CAME`,
			[]string{"ATTENDANCE activities: attendance of the fact " + e.came.ID.String() + " is none, expected one", "ATTENDANCE bookings: attendances that stand is 0, expected 1"},
		},
		"an attendance of who did not come": {
			`update attendances set status = 'RECORDED' where booking_id = TAKEN`,
			[]string{"ATTENDANCE bookings: attendances that stand is 1, expected 0"},
		},
		"a fact of another time": {
			`update activities set occurred_at = occurred_at - interval '1 day' where source = 'club' and member_id = FAN`,
			[]string{"ATTENDANCE bookings: fact of attendance 1 is CHECK_IN of club at " + at(e.read(e.came).CheckedInAt.AddDate(0, 0, -1)) + ", expected CHECK_IN of club at " + came},
		},
		"a fact gone": {
			`delete from activities where source = 'club' and member_id = FAN`,
			[]string{"ATTENDANCE bookings: fact of attendance 1 is none, expected CHECK_IN of club at " + came},
		},
		"two attendances of a fact": {
			`insert into attendances (booking_id, number, occurrence_id, member_id, occurred_at, status, activity_sequence)
				select booking_id, 2, occurrence_id, member_id, occurred_at, 'REVOKED', activity_sequence from attendances where booking_id = CAME`,
			[]string{
				"ATTENDANCE bookings: attendances of fact 2 is 2, expected 1", "ATTENDANCE bookings: points left of the fact is 10, expected 0",
			},
		},
		"points not given": {
			`update attendances set adjustment_id = null where booking_id = CAME`,
			[]string{"ATTENDANCE bookings: points given without a rule is 0, expected 7"},
		},
		"points not taken back": {
			`update adjustments set reversed_at = null, reversed_by = null, reversal_reason = null, reversal_sequence = null where member_id = EX`,
			[]string{"ATTENDANCE bookings: points given without a rule that stand is 7, expected 0"},
		},
		"an award not taken back": {
			`delete from entries where kind = 'REVERSAL' and rule_id is not null and member_id = EX`,
			[]string{"ATTENDANCE bookings: points left of the fact is 10, expected 0"},
		},
	} {
		found := e.corrupt(t, one.statement)
		// They are in the order of kinds and rows; here it does not matter.
		if difference := cmp.Diff(slices.Sorted(slices.Values(one.want)), slices.Sorted(slices.Values(found))); difference != "" {
			t.Errorf("%s: %s", name, difference)
		}
	}
	e.clean()
}

package club_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"regulars/club"
	"regulars/internal/id"
	"regulars/internal/problem"
	"regulars/internal/value"
)

func seats(number int) club.Setting[int]     { return club.Setting[int]{Given: true, Value: &number} }
func venue(name string) club.Setting[string] { return club.Setting[string]{Given: true, Value: &name} }
func ids(dates []*club.Occurrence) []id.Occurrence {
	var all []id.Occurrence
	for _, one := range dates {
		all = append(all, one.ID)
	}
	return all
}

// Complaint 7: an edit of dates wipes the answers. Whatever the scope, occurrences keep their ids and their seats.
func TestEditOccurrences_Complaint7_KeepsBookings(t *testing.T) {
	t.Parallel()
	for scope, want := range map[club.EditScope][]string{
		club.This:             {"2025-02-04T19:00", "2025-02-12T20:00", "2025-02-18T19:00", "2025-02-25T19:00"},
		club.ThisAndFollowing: {"2025-02-04T19:00", "2025-02-12T20:00", "2025-02-19T20:00", "2025-02-26T20:00"},
		club.All:              {"2025-02-05T20:00", "2025-02-12T20:00", "2025-02-19T20:00", "2025-02-26T20:00"},
	} {
		t.Run(string(scope), func(t *testing.T) {
			t.Parallel()
			c := open(t)
			event := c.event("2025-02-04T19:00", "FREQ=WEEKLY;BYDAY=TU;COUNT=4")
			before := c.dates(event)
			for i, one := range before {
				c.take(one, i+1)
			}
			c.edit(before[1], scope, club.EditOccurrencesInput{StartsAt: start("2025-02-12T20:00")})
			after := c.dates(event)
			if difference := cmp.Diff(ids(before), ids(after)); difference != "" {
				t.Error(difference)
			}
			if difference := cmp.Diff(want, c.starts(event)); difference != "" {
				t.Error(difference)
			}
			for i, one := range after {
				if one.SeatsTaken != i+1 {
					t.Errorf("%d of %d seats are left", one.SeatsTaken, i+1)
				}
				if moved := !one.StartsAt.Equal(before[i].StartsAt); moved != (one.MovedAt != nil) || moved != (one.Sequence > before[i].Sequence) {
					t.Errorf("moved: %v, at %v, sequence %d", moved, one.MovedAt, one.Sequence)
				}
			}
		})
	}
}

// Complaint 7: an exception of one date deletes all others. What was changed of one date stays when the others change.
func TestEditOccurrences_Complaint7_ExceptionsStay(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-02-04T19:00", "FREQ=WEEKLY;COUNT=4")
	dates := c.dates(event)
	c.edit(dates[1], club.This, club.EditOccurrencesInput{StartsAt: start("2025-02-13T17:00"), Venue: venue("The bar")})
	_, err := c.club.CancelOccurrence(c.organizer, dates[2].ID, "Rain")
	c.must(err)
	changed := c.edit(dates[0], club.All, club.EditOccurrencesInput{StartsAt: start("2025-02-04T18:00"), Venue: venue("The roastery"), Capacity: seats(5)})
	if len(changed) != 3 {
		t.Errorf("%d dates were changed", len(changed))
	}
	if difference := cmp.Diff([]string{"2025-02-04T18:00", "2025-02-13T17:00", "2025-02-18T19:00 CANCELED", "2025-02-25T18:00"}, c.starts(event)); difference != "" {
		t.Error(difference)
	}
	var got []string
	for _, one := range c.dates(event) {
		place := "nowhere"
		if one.Venue != nil {
			place = *one.Venue
		}
		got = append(got, fmt.Sprint(place, " ", *one.Capacity))
	}
	if difference := cmp.Diff([]string{"The roastery 5", "The bar 5", "nowhere 12", "The roastery 5"}, got); difference != "" {
		t.Error(difference)
	}
}

// Dates that come later are made as the last wide edit says.
func TestEditOccurrences_DatesToCome(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-01-07T19:00", "FREQ=WEEKLY")
	dates := c.dates(event)
	c.edit(dates[3], club.ThisAndFollowing, club.EditOccurrencesInput{StartsAt: start("2025-01-29T20:30"), Capacity: seats(7)})
	c.Clock.Advance(15 * 24 * time.Hour)
	if made, err := c.club.MaterializeOccurrences(c.Admin); err != nil || made != 2 {
		t.Errorf("%d were made: %v", made, err)
	}
	all := c.dates(event)
	last := all[len(all)-1]
	starts := c.starts(event)
	if starts[2] != "2025-01-21T19:00" || starts[len(starts)-1] != "2026-01-21T20:30" || *last.Capacity != 7 || last.Part != all[3].Part || last.Part == all[2].Part {
		t.Errorf("%v, %+v", starts[len(starts)-1], last)
	}
}

// A capacity below the seats that are taken is refused; whom that concerns is told, and nothing changes.
func TestEditOccurrences_CapacityBelowTaken(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-02-04T19:00", "FREQ=WEEKLY;COUNT=3")
	dates := c.dates(event)
	c.take(dates[1], 6)
	c.take(dates[2], 4)
	_, err := c.club.EditOccurrences(c.organizer, club.EditOccurrencesInput{
		OccurrenceID: dates[0].ID, Scope: club.All, Capacity: seats(5), StartsAt: start("2025-02-04T18:00"),
	})
	var refused problem.CapacityBelowTakenError
	if !errors.As(err, &refused) {
		t.Fatalf("it answers %v", err)
	}
	want := []problem.CapacityConflict{{OccurrenceID: dates[1].ID.String(), SeatsTaken: 6, BookingIDs: []string{}}}
	if difference := cmp.Diff(want, refused.Occurrences); difference != "" {
		t.Error(difference)
	}
	c.take(dates[1], 6)
	after := c.dates(event)
	c.take(dates[2], 4)
	dates[1].SeatsTaken, dates[2].SeatsTaken = 6, 4
	if difference := cmp.Diff(dates, after); difference != "" {
		t.Errorf("something changed: %s", difference)
	}
	if changed := c.edit(dates[0], club.All, club.EditOccurrencesInput{Capacity: seats(6)}); len(changed) != 3 {
		t.Errorf("%d dates were changed", len(changed))
	}
}

// The database itself refuses more seats than there are.
func TestOccurrence_NoSeatTwice(t *testing.T) {
	t.Parallel()
	c := open(t)
	one := c.dates(c.event("2025-02-04T19:00", ""))[0]
	for _, taken := range []int{13, -1} {
		if _, err := c.DB.Exec(t.Context(), `update occurrences set seats_taken = $2 where id = $1`, one.ID, taken); err == nil {
			t.Errorf("%d of 12 seats are taken", taken)
		}
	}
}

// What has begun is not moved, what is over not changed, and nothing moves into the past.
func TestEditOccurrences_Past(t *testing.T) {
	t.Parallel()
	c := open(t)
	event := c.event("2025-01-07T19:00", "FREQ=WEEKLY;COUNT=3")
	dates := c.dates(event)
	c.Clock.Advance(33*time.Hour + 30*time.Minute) // half an hour into the first
	_, err := c.club.EditOccurrences(c.organizer, club.EditOccurrencesInput{OccurrenceID: dates[0].ID, Scope: club.All, StartsAt: start("2025-01-07T20:00")})
	code(t, err, problem.EventOver)
	_, err = c.club.EditOccurrences(c.organizer, club.EditOccurrencesInput{OccurrenceID: dates[1].ID, Scope: club.All, StartsAt: start("2025-01-07T10:00")})
	code(t, err, problem.InvalidTime)
	if changed := c.edit(dates[0], club.This, club.EditOccurrencesInput{Venue: venue("Outside")}); len(changed) != 1 {
		t.Errorf("%d dates were changed", len(changed))
	}
	c.edit(dates[1], club.All, club.EditOccurrencesInput{StartsAt: start("2025-01-14T20:00")})
	if difference := cmp.Diff([]string{"2025-01-07T19:00", "2025-01-14T20:00", "2025-01-21T20:00"}, c.starts(event)); difference != "" {
		t.Error(difference)
	}
	c.Clock.Advance(2 * time.Hour)
	_, err = c.club.EditOccurrences(c.organizer, club.EditOccurrencesInput{OccurrenceID: dates[0].ID, Scope: club.This, Venue: venue("Inside")})
	code(t, err, problem.EventOver)
}

// Whatever is edited, canceled, published and materialized in whatever order: no occurrence is lost or doubled, ids and seats
// stay, no seat is taken twice, and the feeds can be written.
func TestEditOccurrences_Sequences(t *testing.T) {
	t.Parallel()
	c := open(t)
	rapid.Check(t, func(r *rapid.T) {
		rule := rapid.SampledFrom([]string{"FREQ=WEEKLY", "FREQ=DAILY;COUNT=9", "FREQ=MONTHLY;COUNT=5", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;COUNT=8"}).Draw(r, "rule")
		first := value.LocalDateTimeOf(c.Now().AddDate(0, 0, rapid.IntRange(1, 20).Draw(r, "first")))
		event := c.event(first.String(), rule)
		taken := map[id.Occurrence]int{}
		planned := map[id.Occurrence]value.LocalDateTime{}
		for range rapid.IntRange(1, 8).Draw(r, "steps") {
			dates := c.dates(event)
			one := dates[rapid.IntRange(0, min(9, len(dates)-1)).Draw(r, "which")]
			var err error
			switch rapid.IntRange(0, 5).Draw(r, "what") {
			case 0:
				room := 12
				if one.Capacity != nil {
					room = *one.Capacity
				}
				taken[one.ID] = rapid.IntRange(0, room).Draw(r, "seats")
				c.take(one, taken[one.ID])
			case 1:
				_, err = c.club.CancelOccurrence(c.organizer, one.ID, "Rain")
			case 2:
				c.Clock.Advance(time.Duration(rapid.IntRange(1, 100).Draw(r, "hours")) * time.Hour)
				_, err = c.club.MaterializeOccurrences(c.Admin)
			default:
				edit := club.EditOccurrencesInput{OccurrenceID: one.ID, Scope: rapid.SampledFrom([]club.EditScope{club.This, club.ThisAndFollowing, club.All}).Draw(r, "scope")}
				if rapid.Bool().Draw(r, "move") {
					to := one.StartsLocal.Add(time.Duration(rapid.IntRange(-30, 50).Draw(r, "by")) * time.Hour)
					edit.StartsAt = &to
				}
				if rapid.Bool().Draw(r, "resize") {
					edit.Capacity = seats(rapid.IntRange(1, 14).Draw(r, "capacity"))
				}
				_, err = c.club.EditOccurrences(c.organizer, edit)
			}
			if _, ok := problem.UserErrors(err); err != nil && !ok {
				r.Fatal(err)
			}
			after := c.dates(event)
			for _, was := range dates {
				if !slices.ContainsFunc(after, func(is *club.Occurrence) bool { return is.ID == was.ID && is.SeatsTaken == taken[is.ID] }) {
					r.Fatalf("the occurrence %s is lost, or its seats", was.ID)
				}
			}
			dated := map[value.LocalDateTime]bool{}
			for _, is := range after {
				if was, ok := planned[is.ID]; ok && was != is.PlannedLocal || dated[is.PlannedLocal] {
					r.Fatalf("the date %s is there twice, or was another", is.PlannedLocal)
				}
				planned[is.ID], dated[is.PlannedLocal] = is.PlannedLocal, true
				if is.Capacity != nil && is.SeatsTaken > *is.Capacity {
					r.Fatalf("%d of %d seats are taken", is.SeatsTaken, *is.Capacity)
				}
			}
			follow(r, c, event, after)
		}
	})
}
